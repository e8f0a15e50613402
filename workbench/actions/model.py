"""The actions of a session, as typed data.

Requests in words, clicks, REST calls, notebooks and language models all produce a list of actions.
An action says what to do, not how. As JSON, each is an object with its ``kind``, such as
``{"kind": "set_render", "values": {"aspect": "9:16"}}``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workbench.actions.render_settings import RenderSettings
from workbench.errors import FieldProblem, InvalidRequest
from workbench.scene import Aspect, EntityKind, When

__all__ = [
    "ACTIONS",
    "MOST_RENDERS",
    "Action",
    "AddBeat",
    "AddEntity",
    "ChangeBeat",
    "Compare",
    "EditEntity",
    "EditField",
    "Explain",
    "GoBack",
    "Lock",
    "LookValue",
    "NotUnderstood",
    "Propose",
    "RemoveBeat",
    "RemoveEntity",
    "Render",
    "RewriteSentence",
    "SceneAction",
    "SetRender",
    "Star",
    "Step",
    "Unlock",
    "Vary",
    "actions_from",
    "as_json",
    "renders_asked",
]

MOST_RENDERS: Final = 8
"""Maximum renders that one request may start; more are proposed and need confirmation."""

_Text = Annotated[str, Field(max_length=2_000)]
_Index = Annotated[int, Field(ge=0)]


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class LookValue(_Action):
    """One aspect of an entity's looks."""

    aspect: Aspect
    text: _Text
    place: Literal["before", "after"] = Field("before", description="Before or after the noun.")


class EditField(_Action):
    """Set one field of the scene; an empty value clears it."""

    kind: Literal["edit_field"] = "edit_field"
    field: str
    value: _Text | tuple[_Text, ...] = ""


class AddEntity(_Action):
    """Add somebody or something to the scene."""

    kind: Literal["add_entity"] = "add_entity"
    phrase: _Text = Field(
        description="The noun phrase without article, number or looks, such as 'cat'."
    )
    noun: _Text = Field(
        "", description="Lemma of the head noun; defaults to the last word of the phrase."
    )
    count: int | None = Field(1, ge=1, le=10_000, description="None if unstated or uncountable.")
    determiner: _Text = Field("", description="As written, such as 'a', 'two', 'a few' or 'her'.")
    entity_kind: EntityKind = EntityKind.OTHER
    looks: tuple[LookValue, ...] = ()
    position: _Text = ""
    id: str = Field("", max_length=16, description="Id in the cast; generated if empty.")


class EditEntity(_Action):
    """Change one aspect of an entity: what it is, how many, where, or how it looks."""

    kind: Literal["edit_entity"] = "edit_entity"
    entity: str = Field(description="The entity's id in the scene's cast.")
    aspect: str = Field(
        description="phrase, count, position, or an aspect of its looks such as colour."
    )
    value: _Text | int | None = None
    noun: _Text = Field("", description="Lemma of the head noun, when the aspect is phrase.")
    determiner: _Text | None = Field(
        None, description="As written, when the aspect is phrase or count."
    )
    entity_kind: EntityKind | None = None
    replaces: _Text = Field(
        "", description="The text of the look to replace, when the aspect is a look."
    )


class RemoveEntity(_Action):
    """Remove an entity and what it does."""

    kind: Literal["remove_entity"] = "remove_entity"
    entity: str


class AddBeat(_Action):
    """Add something that happens."""

    kind: Literal["add_beat"] = "add_beat"
    text: _Text = Field(
        description="What happens, in the -ing form, such as 'waving at the camera'."
    )
    actor: str = Field(
        "", description="Id of the entity that does it; empty if none of the cast does."
    )
    targets: tuple[str, ...] = ()
    when: When = When.TOGETHER
    part: _Text = Field("", description="Which members of a group do it, such as 'one'.")
    told: _Text = Field("", description="The sentence about it; generated if empty.")
    id: str = Field("", max_length=16, description="Id among the beats; generated if empty.")


class ChangeBeat(_Action):
    """Change what happens in one beat."""

    kind: Literal["change_beat"] = "change_beat"
    beat: str
    text: _Text = ""
    actor: str | None = None
    when: When | None = None


class RemoveBeat(_Action):
    """Remove a beat."""

    kind: Literal["remove_beat"] = "remove_beat"
    beat: str


class RewriteSentence(_Action):
    """Replace one sentence of the prompt, word for word; an empty replacement removes it."""

    kind: Literal["rewrite_sentence"] = "rewrite_sentence"
    before: _Text
    after: _Text = ""


class SetRender(_Action):
    """Set render settings for the session; null resets a setting to its default."""

    kind: Literal["set_render"] = "set_render"
    values: dict[str, Any] = Field(description="Fields of RenderSettings and their values.")


class Render(_Action):
    """Render the current prompt, or the prompts in ``entries``."""

    kind: Literal["render"] = "render"
    entries: tuple[_Index, ...] = Field(
        (), description="Prompt indices; empty means the current prompt."
    )
    seeds: int = Field(
        1, ge=1, le=64, description="Renders of each prompt, each with its own seed."
    )
    job_ids: tuple[str, ...] = Field((), description="Ids of the queued jobs.")
    batch_id: str | None = None


class Vary(_Action):
    """Make ``count`` variations of the current prompt."""

    kind: Literal["vary"] = "vary"
    count: int = Field(ge=1, le=64)
    axes: tuple[str, ...] = ()
    render: bool = False
    entries: tuple[_Index, ...] = Field((), description="Indices of the new variations.")


class Step(StrEnum):
    """Where to go back to without naming an entry."""

    UNDO = "undo"
    REDO = "redo"
    START = "start"


class GoBack(_Action):
    """Return to an earlier prompt, keeping what ``keep`` names as it is now."""

    kind: Literal["go_back"] = "go_back"
    to: _Index | Step = Step.UNDO
    keep: tuple[str, ...] = Field(
        (), description="Scene fields and entity ids to keep as they are now."
    )
    only: bool = Field(False, description="Undo only this entry's changes and keep later ones.")


class Lock(_Action):
    """Lock scene fields so that later steps cannot change them."""

    kind: Literal["lock"] = "lock"
    fields: tuple[str, ...] = Field(min_length=1)


class Unlock(_Action):
    """Unlock scene fields."""

    kind: Literal["unlock"] = "unlock"
    fields: tuple[str, ...] = Field(min_length=1)


class Star(_Action):
    """Star or unstar a prompt."""

    kind: Literal["star"] = "star"
    entry: _Index | None = Field(None, description="None means the current prompt.")
    starred: bool = True


class Compare(_Action):
    """Show prompts and their videos side by side."""

    kind: Literal["compare"] = "compare"
    entries: tuple[_Index, ...] = Field(min_length=1)


class Explain(_Action):
    """Answer a question without changing anything."""

    kind: Literal["explain"] = "explain"
    question: _Text = ""
    answer: str


class NotUnderstood(_Action):
    """Report words that were not understood and how to rephrase them, without changing anything."""

    kind: Literal["not_understood"] = "not_understood"
    words: _Text
    help: str = ""


class Propose(_Action):
    """Propose costly actions; they run once the user confirms by sending ``actions``."""

    kind: Literal["propose"] = "propose"
    actions: tuple[Render | Vary, ...] = Field(min_length=1)
    renders: int = Field(ge=1)
    fetches: str = Field("", max_length=400, description="The model to download first.")


SceneAction = (
    EditField
    | AddEntity
    | EditEntity
    | RemoveEntity
    | AddBeat
    | ChangeBeat
    | RemoveBeat
    | RewriteSentence
)
"""The actions that change the scene and the text of the prompt."""

Action = Annotated[
    EditField
    | AddEntity
    | EditEntity
    | RemoveEntity
    | AddBeat
    | ChangeBeat
    | RemoveBeat
    | RewriteSentence
    | SetRender
    | Render
    | Vary
    | GoBack
    | Lock
    | Unlock
    | Star
    | Compare
    | Explain
    | NotUnderstood
    | Propose,
    Field(discriminator="kind"),
]

ACTIONS: Final = TypeAdapter[tuple[Action, ...]](tuple[Action, ...])
"""Validates and serialises a tuple of actions."""


def actions_from(data: Any) -> tuple[Action, ...]:
    """Return the actions that plain JSON values describe.

    Raises ``InvalidRequest``, with a ``FieldProblem`` for each invalid field.
    """
    try:
        actions = ACTIONS.validate_python(data)
    except ValidationError as error:
        problems = _problems("actions", error)
        raise InvalidRequest("These are not valid actions.", problems) from error
    for at, action in enumerate(actions):
        if isinstance(action, SetRender):
            try:
                RenderSettings().with_values(action.values)
            except ValidationError as error:
                problems = _problems(f"actions.{at}.values", error)
                told = "; ".join(f"{p.field.rpartition('.')[2]}: {p.problem}" for p in problems)
                raise InvalidRequest(
                    f"These render settings are not valid: {told}.", problems
                ) from error
    return actions


def as_json(actions: tuple[Action, ...]) -> list[dict[str, Any]]:
    """Return ``actions`` as plain JSON values, omitting fields at their defaults except ``kind``."""
    return [
        {"kind": action.kind, **action.model_dump(mode="json", exclude_defaults=True)}
        for action in actions
    ]


def renders_asked(action: Action) -> int:
    """Return how many renders ``action`` starts."""
    if isinstance(action, Render):
        return max(1, len(action.entries)) * action.seeds
    return action.count if isinstance(action, Vary) and action.render else 0


def _problems(where: str, error: ValidationError) -> tuple[FieldProblem, ...]:
    return tuple(
        FieldProblem(".".join([where, *(str(part) for part in e["loc"])]), e["msg"])
        for e in error.errors()[:20]
    )
