"""What the render endpoints take and answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo

from server_extension.schemas.common import Body, Identifier, InputName, PromptText
from workbench.presentation import JobObject
from workbench.rendering import INPUTS, RenderParameters
from workbench.settings import Settings

__all__ = [
    "BatchAnswer",
    "BatchRequest",
    "InputAnswer",
    "JobsAnswer",
    "NoteRequest",
    "PauseRequest",
    "PriorityRequest",
    "QueueAnswer",
    "RenderOptions",
    "ReorderRequest",
    "SingleAnswer",
    "SingleRequest",
    "StarRequest",
]


def _within_batch_limit(prompts: list[str], info: ValidationInfo) -> list[str]:
    settings = info.context
    if isinstance(settings, Settings) and len(prompts) > settings.max_batch_prompts:
        raise ValueError(f"must hold at most {settings.max_batch_prompts} prompts")
    return prompts


def _without_paths(options: dict[str, Any] | None) -> dict[str, Any] | None:
    if named := set(INPUTS) & set(options or ()):
        raise ValueError(f"give {', '.join(sorted(named))} beside the options, by id")
    return options


class RenderOptions(RenderParameters, Body):
    """What may be said about a render beside its prompt; null stands for the engine's default.

    Every render parameter, with inputs named by id alone.
    """

    session_id: Identifier | None = None
    priority: Literal["interactive", "batch", "background"] | None = None
    image: InputName | None = Field(
        None,
        description="The picture that the video begins from, where the model takes one: an input "
        "that was sent to /api/video/inputs, or a finished job, whose last frame is taken.",
    )
    last_image: InputName | None = Field(None, description="The picture at which the video ends.")
    video: InputName | None = Field(
        None, description="The video that is continued or changed, named as an image is."
    )
    options: Annotated[dict[str, Any] | None, AfterValidator(_without_paths)] = Field(
        None, description="What the engine alone understands; see docs/models.md."
    )
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


class InputAnswer(BaseModel):
    """A picture or video that is kept for renders to begin from."""

    input_id: str = Field(description="Give it as a render's image, last_image or video.")
    kind: Literal["image", "video"]
    width: int
    height: int
    num_frames: int


class PriorityRequest(Body):
    """How urgent a job is."""

    priority: Literal["interactive", "batch", "background"]


class ReorderRequest(Body):
    """Queued jobs in the order in which they shall run; they take one another's places."""

    job_ids: list[Identifier] = Field(min_length=1, max_length=10_000)


class StarRequest(Body):
    """Whether to keep a job whatever the retention says."""

    starred: bool = True


class NoteRequest(Body):
    """What to note on a job, in place of the note before; an empty text removes it."""

    note: str = Field(max_length=4_000)


class PauseRequest(Body):
    """Which device to pause or resume; null means the whole queue."""

    device: str | None = Field(None, max_length=256)


class QueueAnswer(BaseModel):
    """What is paused."""

    paused: bool = Field(description="Whether the whole queue is.")
    paused_devices: list[str]


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


class JobsAnswer(BaseModel):
    """One page of jobs, newest first."""

    jobs: list[JobObject]
    cursor: str | None = Field(description="Ask with this for the next page; null at the end.")
    total: int
