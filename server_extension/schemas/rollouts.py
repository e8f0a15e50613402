"""Rollouts: worlds that go on in segments, and branch."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from server_extension.schemas.common import Body, Identifier, InputName, PromptText
from server_extension.schemas.videos import NamedControl
from workbench.control.control_request import as_control
from workbench.presentation import BatchStatus, JobStatus
from workbench.rendering import Take
from workbench.rollouts import RolloutParameters

__all__ = ["ForkRequest", "RolloutObject", "RolloutRequest", "SegmentObject"]


class _Further(RolloutParameters, Body):
    """How a world goes on; see docs/worlds.md."""

    prompts: Annotated[tuple[PromptText, ...], Field(max_length=64)] = Field(
        (),
        description="What each segment shows; the last one applies to the rest. By default the "
        "prompt of the previous segment.",
    )
    last_image: InputName | None = Field(
        None, description="Id of the image that the last segment ends with."
    )
    control: Annotated[NamedControl, BeforeValidator(as_control)] | None = Field(
        None,
        description="A control video that a model follows, from the beginning of the world: each "
        "segment its part. With `storyboard` the world's own is drawn first, along its camera. By "
        "default that of the video, for as long as it lasts.",
    )
    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="A repeated request with the same key answers with the first one's branch.",
    )


class RolloutRequest(_Further):
    """A world made of a video: from its beginning, or a branch that leaves the video."""

    job_id: Identifier
    at_s: Annotated[float, Field(gt=0, le=3_600)] | None = Field(
        None,
        description="The second at which a branch leaves a model's finished video; null for a world "
        "from its beginning.",
    )


class ForkRequest(_Further):
    """A branch of a world."""

    at_s: Annotated[float, Field(gt=0, le=3_600)] | None = Field(
        None, description="Time in seconds of the fork; null continues from the end."
    )


class SegmentObject(BaseModel):
    """One segment of a world: a job."""

    job_id: str
    status: JobStatus
    prompt: str
    seed: int
    start_s: float
    end_s: float
    overlap_frames: int = Field(
        description="Number of frames at its start that repeat the end of the previous segment."
    )
    video_url: str | None
    takes: list[Take] = Field(description="Each take and its drift; empty until it is complete.")


class RolloutObject(BaseModel):
    """One branch of a world."""

    batch_id: str = Field(description="Id of the branch; its batch has the status of its jobs.")
    status: BatchStatus
    progress: float
    parent: str | None = Field(
        description="Id of the parent branch, or of the job whose video it leaves."
    )
    fork_s: float = Field(description="Time in seconds at which it leaves its parent.")
    duration_s: float
    num_frames: int
    fps: int | float
    segments: list[SegmentObject] = Field(description="Its own segments in order.")
