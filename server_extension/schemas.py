"""What each endpoint takes and answers: the models that validate and that OpenAPI is made from."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
)

from workbench.identifiers import ID_PATTERN
from workbench.rendering import Profile, Recipe
from workbench.scene import SCENE_FIELDS, Change, Scene
from workbench.settings import Settings

__all__ = [
    "BatchAnswer",
    "BatchObject",
    "BatchRequest",
    "BatchStatus",
    "DeviceObject",
    "DevicesAnswer",
    "EnhanceAnswer",
    "EnhanceRequest",
    "ErrorBody",
    "FieldError",
    "HealthAnswer",
    "HistoryAnswer",
    "HistoryEntry",
    "HistoryRequest",
    "InitializeAnswer",
    "InitializeRequest",
    "JobObject",
    "JobStatus",
    "JobsAnswer",
    "ParametersRequest",
    "PauseRequest",
    "PriorityRequest",
    "QueueAnswer",
    "RecipeAnswer",
    "RenderOptions",
    "ReorderRequest",
    "SingleAnswer",
    "SingleRequest",
    "StarRequest",
    "UpdateAnswer",
    "UpdateRequest",
    "VariationObject",
    "VariationsAnswer",
    "VariationsRequest",
]


def _clean(text: str) -> str:
    kept = "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text)
    if not kept.strip():
        raise ValueError("must hold some text")
    return kept.strip()


def _within_prompt_limit(text: str, info: ValidationInfo) -> str:
    settings = info.context
    if isinstance(settings, Settings) and len(text) > settings.max_prompt_chars:
        raise ValueError(f"must have at most {settings.max_prompt_chars:,} characters")
    return text


def _within_batch_limit(prompts: list[str], info: ValidationInfo) -> list[str]:
    settings = info.context
    if isinstance(settings, Settings) and len(prompts) > settings.max_batch_prompts:
        raise ValueError(f"must hold at most {settings.max_batch_prompts} prompts")
    return prompts


PromptText = Annotated[
    str,
    StringConstraints(min_length=1),
    AfterValidator(_clean),
    AfterValidator(_within_prompt_limit),
    Field(json_schema_extra={"x-limit": "max_prompt_chars", "pattern": r"\S"}),
]
"""A text that somebody typed; its greatest length is a setting."""

Identifier = Annotated[str, Field(max_length=64, examples=["s_01h2xcejqtf2nbrexx3v"])]
JobId = Annotated[str, Field(pattern=ID_PATTERN)]
SceneField = Literal[
    "subject", "subject_details", "action", "setting", "time_of_day", "weather", "lighting",
    "mood", "style", "color_palette", "shot_size", "camera_angle", "camera_movement", "lens",
    "pace", "details", "negative_prompt",
]  # fmt: skip


class Body(BaseModel):
    """A request's body: a JSON object; fields that are not known are refused by name."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class FieldError(BaseModel):
    """One field of a request and what is wrong with it."""

    field: str
    problem: str


class ErrorBody(BaseModel):
    """Every error that is answered."""

    message: str = Field(description="What happened and what to do, for a person.")
    reason: str = Field(description="The status's own name.")
    errors: list[FieldError] = Field(default_factory=list)


# prompts


class EnhanceRequest(Body):
    """A rough idea to be made into a full prompt."""

    rough_prompt: PromptText
    session_id: Identifier | None = Field(
        None, description="The session to go on with; a new one where null or unknown."
    )
    seed: int | None = Field(None, ge=0, le=2**63 - 1)


class EnhanceAnswer(BaseModel):
    """The full prompt."""

    session_id: str
    enhanced_prompt: str
    is_fallback: bool
    provider: str
    parameters: Scene
    index: int = Field(description="The prompt's place in the session's history.")
    message: str = ""


class InitializeRequest(Body):
    """A prompt to start from as it is."""

    prompt: PromptText
    session_id: Identifier | None = None


class InitializeAnswer(BaseModel):
    """The prompt and the parameters found in it."""

    session_id: str
    prompt: str
    parameters: Scene
    index: int


class VariationsRequest(Body):
    """Which prompts of the history to vary, and how many prompts there shall be in all."""

    session_id: Identifier
    selected_indices: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, max_length=64)
    total_count: int = Field(
        8, ge=1, description="The selected ones included.", json_schema_extra={
            "x-limit-maximum": "max_batch_prompts"})  # fmt: skip
    axes: list[SceneField] = Field(default_factory=list, max_length=len(SCENE_FIELDS))
    hold: list[SceneField] = Field(default_factory=list, max_length=len(SCENE_FIELDS))
    seed: int | None = Field(None, ge=0, le=2**63 - 1)


class ChangeObject(BaseModel):
    """One difference, in words and as values."""

    field: str
    before: str | list[str]
    after: str | list[str]
    sentence: str


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


class VariationsAnswer(BaseModel):
    """The prompts, the selected ones first."""

    session_id: str
    prompts: list[str]
    variations: list[VariationObject]


class UpdateRequest(Body):
    """A wish in plain language about the session's latest prompt, or about ``prompt``."""

    session_id: Identifier
    user_request: PromptText
    prompt: PromptText | None = None


class UpdateAnswer(BaseModel):
    """The prompt after the wish; the same as before where it was not understood."""

    session_id: str
    prompt: str
    parameters: Scene
    changes: list[str]
    differences: list[ChangeObject]
    understood: bool
    message: str
    index: int | None = Field(description="Place in the history; null where nothing changed.")
    is_fallback: bool
    provider: str


class ParametersRequest(Body):
    """Fields to set, lock or free by hand, in the prompt at ``index`` (the latest where null)."""

    session_id: Identifier
    index: int | None = Field(None, ge=0)
    values: dict[SceneField, str | list[str]] = Field(default_factory=dict)
    lock: list[SceneField] = Field(default_factory=list)
    unlock: list[SceneField] = Field(default_factory=list)


class HistoryRequest(Body):
    """Whose history to read; ``after`` and ``limit`` page through a long one."""

    session_id: Identifier
    after: int | None = Field(None, ge=-1)
    limit: int | None = Field(None, ge=1, le=10_000)


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


class HistoryAnswer(BaseModel):
    """A session's prompts, oldest first."""

    session_id: str
    history: list[HistoryEntry]


class RecipeAnswer(BaseModel):
    """What a video was made from, as a session to go on with."""

    session_id: str
    index: int
    prompt: str
    parameters: Scene
    recipe: Recipe


# videos


class RenderOptions(Body):
    """What may be said about a render beside its prompt; null stands for the engine's default."""

    session_id: Identifier | None = None
    seed: int | None = Field(None, ge=0, le=2**63 - 1)
    engine: str | None = Field(None, max_length=64)
    model: str | None = Field(None, max_length=512)
    profile: Profile | None = None
    negative_prompt: str | None = Field(None, max_length=4_000)
    prompt_form: Literal["auto", "paragraph", "wan", "ltx", "cosmos"] | None = Field(
        None, description="How the model is told; what is shown stays the prompt."
    )
    priority: Literal["interactive", "batch", "background"] | None = None
    width: int | None = Field(None, ge=64, le=7_680)
    height: int | None = Field(None, ge=64, le=4_320)
    num_frames: int | None = Field(None, ge=1)
    fps: int | None = Field(None, ge=1, le=120)
    num_inference_steps: int | None = Field(None, ge=1, le=1_000)
    guidance_scale: float | None = Field(None, ge=0, le=100)
    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="A repeated request with the same key answers with the first one's jobs.",
    )


class SingleRequest(RenderOptions):
    """One prompt to render."""

    prompt: PromptText


class BatchRequest(RenderOptions):
    """Several prompts to render together."""

    prompts: Annotated[list[PromptText], AfterValidator(_within_batch_limit)] = Field(
        min_length=1, json_schema_extra={"x-limit-items": "max_batch_prompts"}
    )
    name: str = Field("", max_length=200)


class PriorityRequest(Body):
    """How urgent a job is."""

    priority: Literal["interactive", "batch", "background"]


class ReorderRequest(Body):
    """Queued jobs in the order in which they shall run; they take one another's places."""

    job_ids: list[Identifier] = Field(min_length=1, max_length=10_000)


class StarRequest(Body):
    """Whether to keep a job whatever the retention says."""

    starred: bool = True


class PauseRequest(Body):
    """Which device to pause or resume; null means the whole queue."""

    device: str | None = Field(None, max_length=64)


class QueueAnswer(BaseModel):
    """What is paused."""

    paused: bool = Field(description="Whether the whole queue is.")
    paused_devices: list[str]


JobStatus = Literal["pending", "processing", "complete", "failed"]
BatchStatus = Literal["pending", "processing", "complete", "partial", "failed"]


class JobObject(BaseModel):
    """A job as everybody outside sees it."""

    job_id: JobId
    batch_id: str | None
    session_id: str | None
    status: JobStatus
    cancelled: bool
    progress: float = Field(ge=0, le=100)
    stage: str
    step: int
    total_steps: int
    message: str
    video_url: str | None
    poster_url: str | None
    preview_url: str | None
    prompt: str
    seed: int
    engine: str
    model: str
    parameters: Scene
    entry_index: int | None
    gpu_id: int | None
    device: str | None
    priority: int
    attempt: int
    eta_s: float | None = Field(description="Seconds of rendering to come, queue wait excluded.")
    wait_s: float | None = Field(description="Seconds until it is likely to start.")
    queue_position: int | None
    starred: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    revision: int


class SingleAnswer(BaseModel):
    """The job that was queued."""

    job_id: str
    status: str
    status_url: str
    job: JobObject


class BatchAnswer(BaseModel):
    """The batch that was queued, its jobs in prompt order."""

    batch_id: str
    status: str
    status_url: str
    job_ids: list[str]
    jobs: list[JobObject]


class BatchObject(BaseModel):
    """A batch and its jobs, in prompt order."""

    batch_id: str
    name: str
    status: BatchStatus
    progress: float
    counts: dict[str, int]
    created_at: datetime
    jobs: list[JobObject]


class JobsAnswer(BaseModel):
    """One page of jobs, newest first."""

    jobs: list[JobObject]
    cursor: str | None = Field(description="Ask with this for the next page; null at the end.")
    total: int


class DeviceObject(BaseModel):
    """One device; null where a reading is not known."""

    name: str
    kind: str
    uuid: str | None
    gpu_id: int | None
    label: str
    state: str
    memory_total_bytes: int | None
    memory_used_bytes: int | None
    utilization_percent: float | None
    temperature_c: float | None
    power_w: float | None
    job_id: str | None


class DevicesAnswer(BaseModel):
    """Every device."""

    devices: list[DeviceObject]


class HealthAnswer(BaseModel):
    """What is up, with versions."""

    status: Literal["ok", "degraded"]
    version: str
    versions: dict[str, str]
    engine: str
    engines: list[str]
    language_provider: str
    supervisor: dict[str, Any] | None
    limits: dict[str, int]


def change_objects(changes: tuple[Change, ...]) -> list[ChangeObject]:
    """Return ``changes`` as they are answered."""
    return [
        ChangeObject(
            field=change.field,
            before=list(change.before) if isinstance(change.before, tuple) else change.before,
            after=list(change.after) if isinstance(change.after, tuple) else change.after,
            sentence=change.sentence,
        )
        for change in changes
    ]
