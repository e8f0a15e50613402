"""What is asked of a rollout, a branch as queued, and where a video can be left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from workbench.control import GivenCamera
from workbench.jobs.model import Batch, Job
from workbench.rendering import DriftBounds, GivenControl, RenderRequest, RolloutSegment
from workbench.rollouts.paths import MOST_FRAMES, Way, refused

__all__ = ["Branch", "Origin", "Outlook", "RolloutParameters", "segment_of"]

_SEED_LIMIT: Final = 2**63


class RolloutParameters(BaseModel):
    """How a world continues."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    actions: GivenCamera | None = Field(
        None,
        description="Where the camera goes from here: keys such as `w-80,jw-40`, words, or a camera "
        "path as JSON. A storyboard needs it.",
    )
    seconds: Annotated[float, Field(gt=0, le=3_600)] | None = Field(
        None, description="Seconds to add; defaults to the length of the actions, or one segment."
    )
    segment_s: Annotated[float, Field(ge=0.1, le=600)] | None = Field(
        None,
        description="Length of a segment in seconds; each segment is one job. Models round it to a length they can make.",
    )
    planned_s: float = Field(
        12.0,
        gt=0,
        le=3_600,
        description="Maximum length of a storyboard's world in seconds, or of a world led by its own "
        "storyboard; its figures pace themselves by it.",
    )
    prompts: Annotated[tuple[str, ...], Field(max_length=64)] = Field(
        (),
        description="What each segment shows; the last one applies to the rest. By default the "
        "prompt of the previous segment.",
    )
    seed: Annotated[int, Field(ge=0, lt=_SEED_LIMIT)] | None = Field(
        None, description="Seed of the first new segment; later segments count up from it."
    )
    last_image: str | None = Field(
        None, max_length=4_096, description="Id of the image that the last segment ends with."
    )
    control: GivenControl | None = Field(
        None,
        description="A control video that a model follows, from the beginning of the world: each "
        "segment its part. With `storyboard` the world's own is drawn first, along its camera. By "
        "default that of the video, for as long as it lasts.",
    )
    bounds: DriftBounds = Field(
        default_factory=DriftBounds,
        description="Maximum drift of a model's segment before it is rendered again with another seed.",
    )
    most_retakes: int = Field(2, ge=0, le=8, description="Maximum number of retakes.")


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of a world: its own segments, as queued."""

    batch: Batch
    spans: tuple[tuple[Job, int, int], ...] = field(init=False)
    """Each segment's job, its first new frame and the frame after its last, in world time."""

    def __post_init__(self) -> None:
        spans = []
        for job in self.batch.jobs:
            segment = segment_of(job.request)
            end = segment.start + (job.request.num_frames or 0) - segment.overlap
            spans.append((job, segment.start, end))
        object.__setattr__(self, "spans", tuple(spans))

    @property
    def first(self) -> RenderRequest:
        """The request of its first segment."""
        return self.batch.jobs[0].request

    @property
    def place(self) -> RolloutSegment:
        """Where it begins."""
        return segment_of(self.first)

    @property
    def fps(self) -> float:
        """Frames per second."""
        return float(self.first.fps or 24)

    @property
    def num_frames(self) -> int:
        """Frames from the beginning of the world to its end."""
        return self.spans[-1][2]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the world of a finished video can go on: where it can be left, and at what cost."""

    why_not: str = ""
    """Why it cannot go on, as a sentence; empty if it can."""
    least: int = 1
    """Frames of the video that a fork keeps at least."""
    every: int = 1
    """A fork keeps a multiple of this many of its frames."""
    most: int = MOST_FRAMES
    """Frames of the video that a fork keeps at most."""
    reason: str = ""
    """Why not every frame will do, as a sentence; empty if every frame from the first does."""
    overlap: int = 0
    """Frames at its beginning that repeat the segment before."""
    again: bool = False
    """Whether the video is made again first, since its lossless frames were not kept."""
    needs_actions: bool = False
    """Whether the camera's way has to be said, as for a storyboard."""

    def problem(self, frames: int) -> str:
        """Return why a fork cannot keep ``frames`` of its frames; empty if it can."""
        if self.least <= frames <= self.most and frames % self.every == 0:
            return ""
        return self.reason


@dataclass(frozen=True, slots=True)
class Origin:
    """The point from which new segments continue."""

    base: RenderRequest
    start: int = 0
    """Frames before them."""
    count: int = 0
    """Segments before them."""
    way: Way = field(default_factory=Way.nowhere)
    """The camera of every frame before them."""
    parent: str = ""
    follows: str | None = None
    """The job whose tail they continue."""
    cut: int = 0
    """Number of that job's frames to keep; 0 for all."""
    planned: int = MOST_FRAMES
    storyboard: RenderRequest | None = None
    """The storyboard that the world before them follows, planned longer than it was drawn."""
    remakes: str = ""
    """The video that their first one makes again."""
    near: Job | None = None
    """The job whose session they belong to."""

    def led_frames(self, asked: RolloutParameters, fps: float) -> int:
        """Return the frames that the world's storyboard is planned for; refuses too many."""
        if self.storyboard is not None:
            return int(self.storyboard.options["planned"])
        planned = round(asked.planned_s * fps)
        if not 2 <= planned <= MOST_FRAMES:
            raise refused("planned_s", f"must be 2 to {MOST_FRAMES} frames")
        return planned


def segment_of(request: RenderRequest) -> RolloutSegment:
    """Return which part of its world ``request`` is; a video of its own is the beginning of one."""
    given = request.options.get("rollout")
    return RolloutSegment(start=0) if given is None else RolloutSegment.model_validate(given)
