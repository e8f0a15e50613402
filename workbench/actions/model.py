"""The actions: everything that can be asked of a session, as typed data.

Requests in words, clicks, REST, notebooks and language models all end in a list of these. An action
says what is done, never how. As JSON each is an object with its ``kind``, such as
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
"""Renders that one request may start; more are proposed and wait for a confirmation."""

_Text = Annotated[str, Field(max_length=2_000)]
_Index = Annotated[int, Field(ge=0)]


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class LookValue(_Action):
    """One aspect of an entity's looks."""

    aspect: Aspect
    text: _Text
    place: Literal["before", "after"] = Field("before", description="Of the noun.")


class EditField(_Action):
    """Set one field of the scene; an empty value clears it."""

    kind: Literal["edit_field"] = "edit_field"
    field: str
    value: _Text | tuple[_Text, ...] = ""


class AddEntity(_Action):
    """Add somebody or something to the scene."""

    kind: Literal["add_entity"] = "add_entity"
    phrase: _Text = Field(description="The noun phrase without article, number and looks: 'cat'.")
    noun: _Text = Field("", description="The head's lemma; the last word of the phrase if empty.")
    count: int | None = Field(1, ge=1, le=10_000, description="None: unstated, or a mass.")
    determiner: _Text = Field("", description="As it is written: 'a', 'two', 'a few', 'her'.")
    entity_kind: EntityKind = EntityKind.OTHER
    looks: tuple[LookValue, ...] = ()
    position: _Text = ""
    id: str = Field("", max_length=16, description="Its id in the cast; a free one if empty.")


class EditEntity(_Action):
    """Change one aspect of an entity: what it is, how many, where, or how it looks."""

    kind: Literal["edit_entity"] = "edit_entity"
    entity: str = Field(description="The entity's id in the scene's cast.")
    aspect: str = Field(description="phrase, count, position, or the aspect of a look: colour, …")
    value: _Text | int | None = None
    noun: _Text = Field("", description="With a phrase: the head's lemma.")
    determiner: _Text | None = Field(None, description="With a phrase or count: as it is written.")
    entity_kind: EntityKind | None = None
    replaces: _Text = Field("", description="With a look: the text of the look that gives way.")


class RemoveEntity(_Action):
    """Remove an entity and what it does."""

    kind: Literal["remove_entity"] = "remove_entity"
    entity: str


class AddBeat(_Action):
    """Add something that happens."""

    kind: Literal["add_beat"] = "add_beat"
    text: _Text = Field(description="What happens, in the -ing form: 'waving at the camera'.")
    actor: str = Field("", description="The id of who does it; empty for none of the cast.")
    targets: tuple[str, ...] = ()
    when: When = When.TOGETHER
    part: _Text = Field("", description="Which of an actor's several does it: 'one'.")
    told: _Text = Field(
        "", description="The sentence that tells it; written from the rest if empty."
    )
    id: str = Field("", max_length=16, description="Its id among the beats; a free one if empty.")


class ChangeBeat(_Action):
    """Change what happens in one beat."""

    kind: Literal["change_beat"] = "change_beat"
    beat: str
    text: _Text = ""
    actor: str | None = None
    when: When | None = None


class RemoveBeat(_Action):
    """Take a beat out."""

    kind: Literal["remove_beat"] = "remove_beat"
    beat: str


class RewriteSentence(_Action):
    """Replace one sentence of the prompt, word for word; an empty replacement removes it."""

    kind: Literal["rewrite_sentence"] = "rewrite_sentence"
    before: _Text
    after: _Text = ""


class SetRender(_Action):
    """Set how the session's next renders are made; null frees a setting."""

    kind: Literal["set_render"] = "set_render"
    values: dict[str, Any] = Field(description="Names and values of RenderSettings.")


class Render(_Action):
    """Render prompts of the session: the current one, or those named."""

    kind: Literal["render"] = "render"
    entries: tuple[_Index, ...] = Field((), description="Indices; empty: the current prompt.")
    seeds: int = Field(1, ge=1, le=64, description="How many times each, with a seed of its own.")
    job_ids: tuple[str, ...] = Field((), description="The jobs, once they are queued.")
    batch_id: str | None = None


class Vary(_Action):
    """Make ``count`` variations of the current prompt."""

    kind: Literal["vary"] = "vary"
    count: int = Field(ge=1, le=64)
    axes: tuple[str, ...] = ()
    render: bool = False
    entries: tuple[_Index, ...] = Field((), description="The variations, once they are made.")


class Step(StrEnum):
    """Where a session can go back to without naming an entry."""

    UNDO = "undo"
    REDO = "redo"
    START = "start"


class GoBack(_Action):
    """Stand again at an earlier prompt; what ``keep`` names stays as it is now."""

    kind: Literal["go_back"] = "go_back"
    to: _Index | Step = Step.UNDO
    keep: tuple[str, ...] = Field((), description="Scene fields and entity ids that stay.")
    only: bool = Field(
        False, description="Take back what the entry changed, and keep what came after."
    )


class Lock(_Action):
    """Fix scene fields: no later step changes them."""

    kind: Literal["lock"] = "lock"
    fields: tuple[str, ...] = Field(min_length=1)


class Unlock(_Action):
    """Free scene fields."""

    kind: Literal["unlock"] = "unlock"
    fields: tuple[str, ...] = Field(min_length=1)


class Star(_Action):
    """Mark a prompt as a favourite, or take the mark off."""

    kind: Literal["star"] = "star"
    entry: _Index | None = Field(None, description="None: the current prompt.")
    starred: bool = True


class Compare(_Action):
    """Put prompts and their videos side by side."""

    kind: Literal["compare"] = "compare"
    entries: tuple[_Index, ...] = Field(min_length=1)


class Explain(_Action):
    """Answer a question; changes nothing."""

    kind: Literal["explain"] = "explain"
    question: _Text = ""
    answer: str


class NotUnderstood(_Action):
    """Say which words were not understood, and what would help; changes nothing."""

    kind: Literal["not_understood"] = "not_understood"
    words: _Text
    help: str = ""


class Propose(_Action):
    """Hold back what costs much until it is confirmed: send ``actions`` to carry it out."""

    kind: Literal["propose"] = "propose"
    actions: tuple[Render | Vary, ...] = Field(min_length=1)
    renders: int = Field(ge=1)
    fetches: str = Field("", max_length=400, description="The model that is fetched first.")


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
"""Validates and writes a list of actions."""


def actions_from(data: Any) -> tuple[Action, ...]:
    """Return the actions that plain JSON values describe.

    Raises ``InvalidRequest``, naming each field that does not fit.
    """
    try:
        actions = ACTIONS.validate_python(data)
    except ValidationError as error:
        problems = _problems("actions", error)
        raise InvalidRequest("These are no actions.", problems) from error
    for at, action in enumerate(actions):
        if isinstance(action, SetRender):
            try:
                RenderSettings().with_values(action.values)
            except ValidationError as error:
                problems = _problems(f"actions.{at}.values", error)
                told = "; ".join(f"{p.field.rpartition('.')[2]}: {p.problem}" for p in problems)
                raise InvalidRequest(
                    f"These render settings do not fit: {told}.", problems
                ) from error
    return actions


def as_json(actions: tuple[Action, ...]) -> list[dict[str, Any]]:
    """Return ``actions`` as plain JSON values, without fields at their defaults but the kind."""
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
