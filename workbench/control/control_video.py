"""A video that a model follows frame by frame: depth, edges, segments and their kind.

Data only: its kind and origin. Nothing here opens a video.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.identifiers import Kind, id_pattern

__all__ = ["ControlKind", "ControlVideo", "FinishedVideo", "StoryboardChannel", "UploadedVideo"]


class ControlKind(StrEnum):
    """The meaning of a control video's pixels."""

    DEPTH = "depth"
    """Distance from the camera: near is bright."""
    EDGES = "edges"
    """Outlines, white on black."""
    SEGMENTS = "segments"
    """One colour for each thing."""
    BOXES = "boxes"
    """An outline around each thing, black on white."""
    POSE = "pose"
    """Skeletons of people."""
    FLOW = "flow"
    """Motion from the frame before, in the colours of the Middlebury wheel."""
    GRAY = "gray"
    """The picture without its colours."""


class StoryboardChannel(BaseModel):
    """The channel of this kind that the storyboard of the request itself writes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["storyboard"] = "storyboard"


class FinishedVideo(BaseModel):
    """An earlier job: its exact channel of this kind, else its video, of which the kind is made.

    Depth, segments and boxes are the channel if the job has one, and are estimated from its video if not, or
    if an ``estimator`` is named. Edges, gray, flow and pose are always of
    the video.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["job"] = "job"
    job_id: str = Field(pattern=id_pattern(Kind.JOB))


class UploadedVideo(BaseModel):
    """An uploaded video, already of this kind or the source from which it is computed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["upload"] = "upload"
    input_id: str = Field(pattern=id_pattern(Kind.INPUT))
    ready: bool = True
    """Whether its pixels are already of this kind."""


class ControlVideo(BaseModel):
    """A video that a model follows, by kind and origin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["control_video"] = "control_video"
    kind: ControlKind
    source: Annotated[
        StoryboardChannel | FinishedVideo | UploadedVideo, Field(discriminator="type")
    ] = StoryboardChannel()
    estimator: str | None = Field(None, max_length=4_096)
    """Folder of the model that estimates depth, pose, segments or boxes from the pictures; None: that of the
    settings."""
    detector: str | None = Field(None, max_length=4_096)
    """Folder of the model that finds the people whose pose is estimated; None: that of the settings."""
    start_s: float | None = Field(None, ge=0, le=3_600, allow_inf_nan=False)
    """Seconds of the video that are left out; None: none."""
