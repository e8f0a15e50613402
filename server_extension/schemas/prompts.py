"""Request and response models of the prompt endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from server_extension.schemas.common import Body, Identifier, InputName, PromptText, SceneField
from workbench.rendering import Recipe
from workbench.scene import SCENE_FIELDS, Change, Scene

__all__ = [
    "ChangeObject",
    "EnhanceAnswer",
    "EnhanceRequest",
    "ExchangeObject",
    "ExportRequest",
    "HistoryAnswer",
    "HistoryEntry",
    "HistoryRequest",
    "ImportAnswer",
    "ImportRequest",
    "InitializeAnswer",
    "InitializeRequest",
    "ParametersRequest",
    "RecipeAnswer",
    "TextSoFar",
    "UpdateAnswer",
    "UpdateRequest",
    "VariationObject",
    "VariationsAnswer",
    "VariationsRequest",
    "change_objects",
]


class ChangeObject(BaseModel):
    """One difference, in words and as values."""

    field: str
    before: str | list[str]
    after: str | list[str]
    sentence: str
    entity: str = Field("", description="Id of the entity it is about.")
    aspect: str = Field(
        "", description="What changed about the entity, such as colour, position or added."
    )


class EnhanceRequest(Body):
    """A rough idea to be made into a full prompt."""

    rough_prompt: PromptText
    session_id: Identifier | None = Field(
        None, description="The session to continue; null or an unknown one starts a new session."
    )
    image: InputName | None = Field(
        None, description="Start image of the video; a vision language model takes it into account."
    )
    seed: int | None = Field(None, ge=0, le=2**63 - 1)


class EnhanceAnswer(BaseModel):
    """The full prompt."""

    session_id: str
    enhanced_prompt: str
    is_fallback: bool
    provider: str
    parameters: Scene
    index: int = Field(description="Index of the prompt in the session's history.")
    message: str = ""


class TextSoFar(BaseModel):
    """The event ``text``: what the model has written so far; the answer replaces it."""

    text: str


class InitializeRequest(Body):
    """A prompt to start from as it is."""

    prompt: PromptText
    session_id: Identifier | None = None
    parent: int | None = Field(
        None, ge=0, description="Index of the prompt of this session that it was edited from."
    )


class InitializeAnswer(BaseModel):
    """The prompt and the parameters found in it."""

    session_id: str
    prompt: str
    parameters: Scene
    index: int
    parent: int | None = Field(description="The prompt that it was edited from, if any.")
    changes: list[str]
    differences: list[ChangeObject]
    message: str = ""


class VariationsRequest(Body):
    """Which prompts of the history to vary, and how many prompts to return in all."""

    session_id: Identifier
    image: InputName | None = Field(
        None, description="Start image of the video; a vision language model takes it into account."
    )
    selected_indices: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, max_length=64)
    total_count: int = Field(
        8, ge=1, description="Including the selected ones.", json_schema_extra={
            "x-limit-maximum": "max_batch_prompts"})  # fmt: skip
    axes: list[Literal[SceneField, "camera", "light", "time"]] = Field(
        default_factory=list,
        max_length=len(SCENE_FIELDS),
        description="What to vary: scene fields or axes.",
    )
    hold: list[SceneField] = Field(default_factory=list, max_length=len(SCENE_FIELDS))
    seed: int | None = Field(None, ge=0, le=2**63 - 1)


class VariationObject(BaseModel):
    """One prompt of the answer."""

    prompt: str
    index: int
    parent: int | None
    changes: list[str]
    differences: list[ChangeObject]
    source: str
    is_fallback: bool
    parameters: Scene
    name: str = Field("", description="The idea's name, such as 'From the dog's height'.")
    message: str = Field("", description="Why a requested axis could not vary.")


class VariationsAnswer(BaseModel):
    """The prompts, the selected ones first."""

    session_id: str
    prompts: list[str]
    variations: list[VariationObject]


class UpdateRequest(Body):
    """A request in plain language, or actions, for the session's current prompt or ``prompt``."""

    session_id: Identifier
    image: InputName | None = Field(
        None, description="Start image of the video; a vision language model takes it into account."
    )
    prompt: PromptText | None = None
    cards: list[Annotated[int, Field(ge=0)]] = Field(
        default_factory=list,
        max_length=64,
        description="The prompts that the person sees as numbered cards, by index, for requests "
        "such as 'like the third one'; without them the newest variations.",
    )
    actions: list[dict[str, Any]] | None = Field(
        None,
        max_length=64,
        description="Actions to carry out instead of a request: those of an earlier answer, of a "
        "proposal to confirm, or new ones.",
    )
    take_back: int | None = Field(
        None,
        ge=0,
        description="Index of the prompt whose changes are undone; later changes are kept.",
    )
    user_request: PromptText | None = Field(None, validate_default=True)

    @field_validator("user_request")
    @classmethod
    def _says_one_thing(cls, value: str | None, info: ValidationInfo) -> str | None:
        others = (info.data.get("actions"), info.data.get("take_back"))
        if sum(one is not None for one in (value, *others)) != 1:
            raise ValueError("give one of user_request, actions and take_back")
        return value


class UpdateAnswer(BaseModel):
    """The prompt after the request; unchanged if the request was not understood."""

    session_id: str
    prompt: str
    parameters: Scene
    changes: list[str]
    differences: list[ChangeObject]
    understood: bool
    message: str
    hint: str = Field(
        "",
        description="What a language model would add, and how to connect one: said once per "
        "session, at the first request that the rules did not fully understand.",
    )
    index: int | None = Field(description="Index in the history; null if nothing changed.")
    is_fallback: bool
    provider: str
    actions: list[dict[str, Any]] = Field(
        description="What the request ended in, in order, each with its ``kind``: what was done, "
        "answered, proposed, or not understood."
    )
    settings: dict[str, Any] = Field(
        description="Render settings for the session's next renders, unless a render sets its own."
    )


class ParametersRequest(Body):
    """Fields to set, lock or free by hand in the prompt at ``index`` (null: the latest)."""

    session_id: Identifier
    index: int | None = Field(None, ge=0)
    values: dict[SceneField, str | list[str]] = Field(default_factory=dict)
    lock: list[SceneField] = Field(default_factory=list)
    unlock: list[SceneField] = Field(default_factory=list)


class HistoryRequest(Body):
    """The session to read; ``after`` and ``limit`` page through a long history."""

    session_id: Identifier
    after: int | None = Field(None, ge=-1)
    limit: int | None = Field(None, ge=1, le=10_000)
    transcripts: bool = Field(
        default=False, description="Whether to include the exchanges with language models."
    )


class ExchangeObject(BaseModel):
    """A request to a language model and its answer; unknown token counts are null."""

    model: str
    request: str = Field(description="The messages, as JSON.")
    answer: str
    error: str = Field(description="Why the answer was not used; empty if it was.")
    prompt_tokens: int | None
    completion_tokens: int | None
    duration_s: float
    finish_reason: str = Field(
        description="Why the endpoint says that the answer ended; empty if it does not say."
    )


class ExportRequest(Body):
    """Whose session to write out."""

    session_id: Identifier


class ImportRequest(Body):
    """An exported session."""

    document: dict[str, Any]


class ImportAnswer(BaseModel):
    """The id of the imported session."""

    session_id: str


class HistoryEntry(BaseModel):
    """One prompt of a session."""

    index: int
    kind: str
    prompt: str
    parameters: Scene
    parent: int | None
    changes: list[str]
    request: str
    provider: str
    source: str
    is_fallback: bool
    message: str
    created_at: datetime
    job_ids: list[str]
    actions: list[dict[str, Any]] = Field(
        default_factory=list, description="The actions that led from the parent to this prompt."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Render settings for its renders, unless a render sets its own.",
    )
    starred: bool = False
    transcript: list[ExchangeObject] | None = Field(
        None, description="Its exchanges with language models; null unless requested."
    )


class HistoryAnswer(BaseModel):
    """A session's prompts, oldest first."""

    session_id: str
    history: list[HistoryEntry]


class RecipeAnswer(BaseModel):
    """The session that continues from a video."""

    session_id: str
    index: int
    prompt: str
    parameters: Scene
    recipe: Recipe


def change_objects(changes: tuple[Change, ...]) -> list[ChangeObject]:
    """Return ``changes`` as REST objects."""
    return [
        ChangeObject(
            field=change.field,
            before=list(change.before) if isinstance(change.before, tuple) else change.before,
            after=list(change.after) if isinstance(change.after, tuple) else change.after,
            sentence=change.sentence,
            entity=change.entity,
            aspect=change.aspect,
        )
        for change in changes
    ]
