"""A world that is rolled out and branches: a tree of segments, each a durable job.

On the storyboard every segment draws a later part of one film; a model continues from the lossless
frames or the latents of the previous segment. Either way a branch equals its parent, bit for bit,
up to the fork.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import ValidationError

from workbench.control import CameraPath, Intrinsics
from workbench.errors import FieldProblem, InvalidRequest
from workbench.journey.batches import Batch
from workbench.journey.videos import Video, named_inputs
from workbench.rollouts import Branch, RolloutParameters, segment_of

if TYPE_CHECKING:
    from workbench.studio import Studio

__all__ = ["World", "roll_out"]


class World:
    """One branch: the frames that it shares with its parent, and its own segments after them.

    ``batch_id`` is the id of its batch, or of the finished video that starts the world. A view, like
    every object of the journey; ``wb.open_world(world.batch_id)`` reopens it.
    """

    def __init__(self, batch_id: str, *, using: Studio) -> None:
        self.batch_id = batch_id
        self._studio = using
        first = self._branch
        self._first, self._place = first.first, first.place

    @property
    def _branch(self) -> Branch:
        return self._studio.rollouts.branch(self.batch_id)

    @property
    def batch(self) -> Batch:
        """This branch's own segments as a batch."""
        return Batch(self.batch_id, using=self._studio)

    @property
    def segments(self) -> tuple[Video, ...]:
        """This branch's own segments, in order of time."""
        return tuple(Video(job.job_id, using=self._studio) for job in self._branch.batch.jobs)

    @property
    def parent(self) -> World | None:
        """The branch that it continues from; None for the root."""
        return World(self._place.parent, using=self._studio) if self._place.parent else None

    @property
    def fork_s(self) -> float:
        """The time in seconds at which it leaves its parent; 0 for the root."""
        return self._place.start / self.fps

    @property
    def fps(self) -> float:
        """Frames per second."""
        return float(self._first.fps or 24)

    @property
    def num_frames(self) -> int:
        """Number of frames from the start of the world to the end of this branch."""
        return self._branch.num_frames

    @property
    def duration_s(self) -> float:
        """Seconds from the start of the world to the end of this branch."""
        return self.num_frames / self.fps

    @property
    def camera_path(self) -> CameraPath:
        """The camera of every frame, from the start of the world.

        The camera of an unsteered model segment counts as standing still.
        """
        poses = self._studio.rollouts.poses(self._branch)
        lens = Intrinsics.of_view(self._first.width or 832, self._first.height or 480)
        return CameraPath.of_poses(poses, fps=self.fps, intrinsics=lens)

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait until every segment has ended, including the parent's.

        ``timeout_s`` is for all of them. Raises ``RenderError`` if one ended without a video, and
        ``TimeoutError``.
        """
        limit = None if timeout_s is None else time.monotonic() + timeout_s
        if (parent := self.parent) is not None:
            parent.wait(timeout_s)
        for video in self.segments:
            video.wait(None if limit is None else max(0.0, limit - time.monotonic()))
        return self

    def fork(
        self,
        at_s: float,
        actions: str | CameraPath | None = None,
        seconds: float | None = None,
        **more: Any,
    ) -> Self:
        """Branch off at a time of this world and return the branch; its jobs are queued.

        ``actions`` are keys, words or a path, relative to the camera at that time; they last
        ``seconds``, or as long as they say. ``more``: ``prompt`` or ``prompts``, one per segment,
        ``seed``, ``last_image``, ``segment_s``, ``bounds``, ``most_retakes``; see
        :class:`workbench.rollouts.RolloutParameters`. Raises ``InvalidRequest`` for a time outside
        this world, or at which its model cannot continue.
        """
        return self._forked(at_s, _asked(actions, seconds, more))

    def rollout(
        self,
        actions: str | CameraPath | None = None,
        seconds: float | None = None,
        **more: Any,
    ) -> Self:
        """Continue from the end: a fork at the last frame."""
        return self._forked(None, _asked(actions, seconds, more))

    def frames(self) -> Iterator[Any]:
        """Yield every frame (RGB, H×W×3, ``uint8``) from the start of the world.

        Up to the fork these are the parent's own frames. Raises ``NotFound`` until all are
        rendered.
        """
        from workbench.engines.probe import decode_video  # noqa: PLC0415  loads the decoder

        if (parent := self.parent) is not None:
            for index, frame in enumerate(parent.frames()):
                if index >= self._place.fork:
                    break
                yield frame
        for video in self.segments:
            overlap = segment_of(video.job.request).overlap
            yield from islice(decode_video(video.path), overlap, None)

    def save_video(self, path: str | Path) -> Path:
        """Write the whole branch as one mp4 and return its path."""
        from workbench.engines.encoder import VideoWriter  # noqa: PLC0415

        target = Path(path)
        width, height = self._first.width or 0, self._first.height or 0
        with VideoWriter(target, width, height, self.fps) as writer:
            for frame in self.frames():
                writer.write(frame)
        return target

    def drift(self) -> list[dict[str, Any]]:
        """Return, for each own segment, how far light, colour and detail drift and jump.

        ``exposure_drift``, ``colour_drift`` and ``sharpness_drift`` are the segment's scores;
        ``seam`` is whether light, colour or detail jumps at its start, None for the first segment;
        ``takes`` is how often a model's segment was rendered until it was within its bounds, as the
        recipe says. Waits until the segments are measured.
        """
        rows = []
        for video in self.segments:
            request = video.job.request
            start = segment_of(request).start
            scores = video.scores
            row = {name: getattr(scores, name, None) for name in _DRIFTS}
            takes = len(segment_of(video.recipe.request).takes) or 1
            seam = self._seam(start)
            rows.append({"start_s": start / self.fps, **row, "seam": seam, "takes": takes})
        return rows

    def _seam(self, start: int) -> bool | None:
        """Return whether light, colour or detail jumps at frame ``start``."""
        from workbench.measures.clips import Clip  # noqa: PLC0415  loads OpenCV
        from workbench.measures.continuity import seam  # noqa: PLC0415
        from workbench.measures.transitions import transitions  # noqa: PLC0415

        if start == 0:
            return None
        first = max(0, start - _SEAM_FRAMES)
        near = [f for i, f in enumerate(self.frames()) if first <= i < start + _SEAM_FRAMES]
        steps = transitions(Clip.of(near, self.fps))
        return seam(steps, start - first).visible

    def _forked(self, at_s: float | None, asked: RolloutParameters) -> Self:
        branch = self._studio.rollouts.fork(self.batch_id, at_s, asked)
        return type(self)(branch.batch.batch_id, using=self._studio)

    def __repr__(self) -> str:
        origin = f", from {self.fork_s:g} s of {self._place.parent}" if self._place.parent else ""
        return f"<World {self.batch_id}: {self.duration_s:g} s{origin}: {self._branch.batch.state}>"


_DRIFTS: Final = ("exposure_drift", "colour_drift", "sharpness_drift")
_SEAM_FRAMES: Final = 8


def roll_out(
    video: Video,
    actions: str | CameraPath | None = None,
    seconds: float | None = None,
    at_s: float | None = None,
    **more: Any,
) -> World:
    """Return the world of a video, rolled out from its start.

    With ``at_s`` it is a branch that leaves a model's video at that time. ``more``: the other fields
    of :class:`workbench.rollouts.RolloutParameters`. Raises ``InvalidRequest`` for a model that
    cannot continue, or a storyboard without actions.
    """
    rollouts = video.studio.rollouts
    asked = _asked(actions, seconds, more)
    if at_s is None:
        branch = rollouts.start(video.job_id, asked)
    else:
        branch = rollouts.leave(video.job_id, at_s, asked)
    return World(branch.batch.batch_id, using=video.studio)


def _asked(
    actions: str | CameraPath | None, seconds: float | None, more: dict[str, Any]
) -> RolloutParameters:
    """Return the parameters; raises ``InvalidRequest``, or ``TypeError`` for an unknown name."""
    if unknown := sorted(more.keys() - RolloutParameters.model_fields.keys() - {"prompt"}):
        raise TypeError(f"There is no rollout parameter {', '.join(map(repr, unknown))}.")
    camera = named_inputs({"camera": actions})["camera"]
    given = {**more, "actions": None, "seconds": seconds}
    if (prompt := given.pop("prompt", None)) is not None:
        given["prompts"] = (prompt,)
    given = {**named_inputs(given), "actions": camera}
    given = {name: value for name, value in given.items() if value is not None}
    try:
        return RolloutParameters.model_validate(given)
    except ValidationError as error:
        problems = tuple(
            FieldProblem(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()
        )
        told = "; ".join(f"{one.field}: {one.problem}" for one in problems)
        raise InvalidRequest(f"The rollout is not valid. {told}.", problems) from error
