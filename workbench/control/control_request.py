"""The control video of a render: which video a model follows, of which kind, and from where.

Data only. Opens no video and knows no jobs; identifiers are told from paths by their form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from workbench.control.control_video import (
    ControlVideo,
    FinishedVideo,
    StoryboardChannel,
    UploadedVideo,
)
from workbench.identifiers import Kind, is_identifier

__all__ = [
    "COMPUTED",
    "FOLLOWED_CHANNELS",
    "KINDS",
    "Control",
    "GivenControl",
    "as_control",
    "control_from_text",
]

KindName = Literal["depth", "edges", "pose", "segments", "blur", "layout", "gray", "boxes", "flow"]

KINDS: Final[tuple[KindName, ...]] = get_args(KindName)

FOLLOWED_CHANNELS: Final = ("depth", "edges", "segments", "boxes", "flow", "gray")
"""The channels of a storyboard that a model can follow."""

COMPUTED: Final = ("edges", "gray", "blur", "flow")
"""The kinds that OpenCV computes from any video."""

ESTIMATED: Final = ("depth", "pose", "segments", "boxes")
"""The kinds that a learnt model estimates from any video, with the user's own weights."""

_NO_CHANNEL: Final = {
    "pose": "a storyboard has no skeletons: give a pose video that is ready, or estimate the pose "
    "from a video with your own weights"
}
"""Kind → why no storyboard has it, where a reader would expect it."""

_FROM: Final = " from "
_BY: Final = " by "


class Control(BaseModel):
    """The control video to follow frame by frame."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: KindName
    video: str = Field("", max_length=4_096)
    """Given like every video: as an id or, only in Python, as a path."""
    channel: bool | None = Field(
        False,
        description="Whether to follow the channel of that kind of a finished job, instead of its "
        "video; null: if the job has one.",
    )
    storyboard: bool = Field(
        False,
        description="Whether to follow the request's own storyboard, which is rendered first. "
        "Without `video`: the workbench sets that.",
    )
    ready: bool = Field(
        True,
        description="Whether the pixels of `video` are already of that kind. False computes edges, "
        "gray, blur or flow from them, or estimates depth, pose, segments or boxes with `estimator`.",
    )
    estimator: str = Field(
        "",
        max_length=4_096,
        description="Folder of the model that estimates depth, pose, segments or boxes; by default that of "
        "the settings.",
    )
    detector: str = Field(
        "",
        max_length=4_096,
        description="Folder of the model that finds the people whose pose is estimated; by default "
        "that of the settings. Without one, a single person fills the frame.",
    )
    start_s: float = Field(
        0.0, ge=0, le=3_600, allow_inf_nan=False, description="Seconds of it that are left out."
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.channel or self.storyboard) and self.kind not in FOLLOWED_CHANNELS:
            raise ValueError(_NO_CHANNEL.get(self.kind, f"there is no channel of kind {self.kind}"))
        if not self.video and not self.storyboard:
            raise ValueError("name a video, or set storyboard")
        if not self.ready:
            if self.channel or self.storyboard:
                raise ValueError("a channel is ready; leave out ready: false")
            if self.kind not in (*COMPUTED, *ESTIMATED):
                raise ValueError(
                    f"{self.kind} is not computed from a video here, only "
                    f"{', '.join((*COMPUTED, *ESTIMATED))}: give a video that is ready"
                )
        if (self.estimator or self.detector) and not self.is_estimated:
            raise ValueError(
                f"an estimator makes {', '.join(ESTIMATED)} from a video: set ready to false"
            )
        if self.detector and self.kind != "pose":
            raise ValueError("a detector finds people, for their pose only")
        return self

    @property
    def waits(self) -> bool:
        """Whether it follows a storyboard that is still to be rendered."""
        return self.storyboard and not self.video

    @property
    def is_estimated(self) -> bool:
        """Whether a learnt model makes it from the pictures of ``video``."""
        return not self.ready and self.kind in ESTIMATED

    @property
    def label(self) -> str:
        """A short text: how :func:`control_from_text` reads it."""
        if self.storyboard:
            return self.kind
        by = f"{_BY}{self.estimator}" if self.estimator else ""
        return f"{self.kind}{'=' if self.ready else _FROM}{self.video}{by}"


def control_from_text(text: str) -> dict[str, Any]:
    """Return the control that ``text`` names: ``depth``, ``depth=VIDEO`` or ``edges from VIDEO``.

    A kind alone is that of the request's own storyboard. ``=`` takes the channel of a job, or any
    other video as it is; ``from`` computes the kind from the pictures, or estimates it, where
    ``by FOLDER`` may name the estimator. ``VIDEO`` is the id of a job, of an upload, or a path.
    """
    ready = "=" in text.partition(_FROM)[0]
    kind, sign, video = (part.strip() for part in text.partition("=" if ready else _FROM))
    if not sign and not video:
        return {"kind": kind, "storyboard": True}
    by: dict[str, str] = {}
    if not ready and kind in ESTIMATED and _BY in video:
        video, _, folder = video.rpartition(_BY)
        by = {"estimator": folder.strip()}
    is_channel = ready and kind in FOLLOWED_CHANNELS and is_identifier(video, Kind.JOB)
    return {"kind": kind, "video": video, "ready": ready, "channel": is_channel, **by}


def as_control(value: Any) -> Any:
    """Return the fields of :class:`Control` in text or a ``ControlVideo``; all else unchanged."""
    if isinstance(value, str):
        return control_from_text(value)
    if isinstance(value, Mapping) and value.get("type") == "control_video":
        value = ControlVideo.model_validate(value)
    if not isinstance(value, ControlVideo):
        return value
    kind = str(value.kind)
    start = value.model_dump(include={"start_s"}, exclude_none=True)
    by = value.model_dump(include={"estimator", "detector"}, exclude_none=True) | start
    match value.source:
        case StoryboardChannel():
            return {"kind": kind, "storyboard": True, **start}
        case FinishedVideo(job_id=job_id):
            is_made = kind in (*COMPUTED, *ESTIMATED)
            is_open = kind in ESTIMATED and kind in FOLLOWED_CHANNELS and not value.estimator
            channel = None if is_open else not is_made
            return {"kind": kind, "video": job_id, "ready": not is_made, "channel": channel, **by}
        case UploadedVideo(input_id=input_id, ready=ready):
            return {"kind": kind, "video": input_id, "ready": ready, **by}


GivenControl = Annotated[Control, BeforeValidator(as_control)]
"""A control as clients give it: as an object, as text, or as a ``ControlVideo``."""
