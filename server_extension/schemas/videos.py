"""Request and response models of the render endpoints."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationInfo

from server_extension.schemas.common import Body, Identifier, InputName, PromptText
from workbench.control.control_request import as_control
from workbench.identifiers import Kind, id_pattern
from workbench.measures.scene_check.model import CheckAnswer, SceneCheck
from workbench.presentation import ChecksObject, JobObject
from workbench.rendering import NAMING_OPTIONS, Control, Keyframe, RenderParameters
from workbench.settings import Settings

__all__ = [
    "BatchAnswer",
    "BatchRequest",
    "InputAnswer",
    "JobsAnswer",
    "NamedControl",
    "NamedKeyframe",
    "NoteRequest",
    "PauseRequest",
    "PriorityRequest",
    "QueueAnswer",
    "RenderOptions",
    "ReorderRequest",
    "SceneCheckObject",
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
    if named := set(NAMING_OPTIONS) & set(options or ()):
        raise ValueError(f"give {', '.join(sorted(named))} beside the options, by id")
    return options


class NamedKeyframe(Keyframe):
    """A picture, by id, at its place in the video."""

    image: InputName


class NamedControl(Control):
    """A video, by id, that says frame by frame what is where."""

    video: str = Field(
        "",
        pattern=f"^$|{id_pattern(Kind.INPUT, Kind.JOB)}",
        description="The id of an upload or of a finished job; empty only with `storyboard`.",
    )


class RenderOptions(RenderParameters, Body):
    """Render parameters beside the prompt; null means the engine's default.

    All of ``RenderParameters``, with inputs named by id only.
    """

    session_id: Identifier | None = None
    priority: Literal["interactive", "batch", "background"] | None = None
    image: InputName | None = Field(
        None,
        description="The image that the video starts from, if the model takes one: the id of an "
        "upload to /api/video/inputs, or of a finished job, whose last frame is used.",
    )
    last_image: InputName | None = Field(None, description="End image, named like the start image.")
    video: InputName | None = Field(
        None, description="The video to continue or change, named like the start image."
    )
    mask: InputName | None = Field(
        None, description="Mask image or video; white where the video may change."
    )
    references: Annotated[tuple[InputName, ...], Field(max_length=16)] | None = Field(
        None, description="Ids of reference images."
    )
    keyframes: Annotated[tuple[NamedKeyframe, ...], Field(max_length=64)] | None = Field(
        None, description="Images to show at given times."
    )
    control: Annotated[NamedControl, BeforeValidator(as_control)] | None = Field(
        None,
        description="The control video to follow frame by frame: an object, or text such as `depth` "
        "(of the request's own storyboard), `depth=j_…` or `edges from i_…`; see docs/worlds.md.",
    )
    options: Annotated[dict[str, Any] | None, AfterValidator(_without_paths)] = Field(
        None, description="Options of the engine; see docs/models.md."
    )
    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="A repeated request with the same key returns the jobs of the first.",
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
    """An uploaded image or video for renders to start from, a camera path or actions."""

    input_id: str = Field(
        description="Use it as a render's image, last_image, video, camera or actions.values."
    )
    kind: Literal["image", "video", "camera_path", "actions"]
    width: int
    height: int
    num_frames: int = Field(
        description="1 for an image; the number of poses of a camera path or of steps of actions."
    )


class PriorityRequest(Body):
    """How urgent a job is."""

    priority: Literal["interactive", "batch", "background"]


class ReorderRequest(Body):
    """Queued jobs in the order in which they are to run; they exchange their places."""

    job_ids: list[Identifier] = Field(min_length=1, max_length=10_000)


class StarRequest(Body):
    """Whether to keep a job regardless of the retention settings."""

    starred: bool = True


class NoteRequest(Body):
    """The note of a job; replaces the previous one, and an empty text removes it."""

    note: str = Field(max_length=4_000)


class SceneCheckObject(ChecksObject):
    """Whether a video shows what its scene asks for, answer by answer."""

    answers: tuple[CheckAnswer, ...]
    prompt_tokens: int = Field(description="Total tokens sent to the model.")
    completion_tokens: int = Field(description="Total tokens of its answers.")
    duration_s: float = Field(description="Total seconds it took to answer.")
    requests: int = Field(description="Number of requests to the endpoint.")

    @classmethod
    def of(cls, check: SceneCheck) -> Self:
        """Return ``check`` as every client sees it."""
        more = check.model_dump(exclude={"video", "answers"})
        return cls(**{**check.overview, **more}, answers=check.answers)


class PauseRequest(Body):
    """Which device to pause or resume; null means the whole queue."""

    device: str | None = Field(None, max_length=256)


class QueueAnswer(BaseModel):
    """What is paused."""

    paused: bool = Field(description="Whether the whole queue is paused.")
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
    cursor: str | None = Field(
        description="Pass it as ``cursor`` to get the next page; null on the last page."
    )
    total: int
