"""A world that is rolled out and branches: a tree of segments, each a durable job.

On the storyboard, which knows its world: every segment draws a later part of one film, so nothing is
carried over from decoded frames, and a branch is its parent, bit for bit, up to the fork.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from workbench.control import (
    SANA_WM,
    CameraControl,
    CameraPath,
    Intrinsics,
    parse_keys,
    path_from_words,
)
from workbench.errors import FieldProblem, InvalidRequest
from workbench.journey.batches import Batch
from workbench.journey.videos import Video
from workbench.rendering import RenderRequest, RolloutSegment

if TYPE_CHECKING:
    from workbench.studio import Studio

__all__ = ["World", "roll_out"]

_SEGMENT_S: Final = 2.0
_PLANNED_S: Final = 12.0
_MOST_FRAMES: Final = 4_096
_KEPT: Final = ("engine", "prompt", "scene", "seed", "width", "height", "fps")


class World:
    """One branch: the frames that it shares with its parent, and its own segments after them.

    A view, as every object of the journey; ``wb.open_world(world.batch_id)`` finds it again.
    """

    def __init__(self, batch_id: str, *, using: Studio) -> None:
        self.batch_id = batch_id
        self._studio = using
        self._first = self.batch.record.jobs[0].request
        self._place = RolloutSegment.model_validate(self._first.options["rollout"])

    @property
    def batch(self) -> Batch:
        """This branch's own segments as a batch."""
        return Batch(self.batch_id, using=self._studio)

    @property
    def segments(self) -> tuple[Video, ...]:
        """This branch's own segments, in order of time."""
        return self.batch.videos

    @property
    def parent(self) -> World | None:
        """The branch that it goes on from; None for the root."""
        return World(self._place.parent, using=self._studio) if self._place.parent else None

    @property
    def fork_s(self) -> float:
        """The second at which it leaves its parent; 0 for the root."""
        return self._place.start / self.fps

    @property
    def fps(self) -> float:
        """Frames per second."""
        return float(self._first.fps or 24)

    @property
    def num_frames(self) -> int:
        """Frames from the beginning of the world to the end of this branch."""
        return self._place.start + sum(v.job.request.num_frames or 0 for v in self.segments)

    @property
    def duration_s(self) -> float:
        """Seconds from the beginning of the world to the end of this branch."""
        return self.num_frames / self.fps

    @property
    def camera_path(self) -> CameraPath:
        """The camera of every frame, from the beginning of the world."""
        camera = self.segments[-1].job.request.camera
        assert camera is not None  # noqa: S101  every segment has one
        return camera.camera_path()

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait until every segment has ended, the parent's too.

        Raises ``RenderError`` for one that ended without a video, ``TimeoutError``.
        """
        if (parent := self.parent) is not None:
            parent.wait(timeout_s)
        for video in self.segments:
            video.wait(timeout_s)
        return self

    def fork(
        self,
        at_s: float,
        actions: str | CameraPath,
        seconds: float | None = None,
        *,
        segment_s: float = _SEGMENT_S,
    ) -> Self:
        """Branch off at a second of this world and return the branch; its jobs are queued.

        ``actions`` are keys, words or a path, from where the camera is then; they last ``seconds``,
        or as long as they say. Raises ``InvalidRequest`` for a second that is not in this world, or
        an end beyond what the world is planned for.
        """
        frame = round(at_s * self.fps)
        if not 1 <= frame <= self.num_frames:
            problem = f"must be within the world: above 0 and at most {self.duration_s:g} s"
            raise InvalidRequest(f"at_s {problem}.", (FieldProblem("at_s", problem),))
        poses = self.camera_path.poses(self.num_frames, self.fps)[:frame]
        return self._grown(poses, actions, seconds, segment_s, parent=self.batch_id)

    def rollout(
        self,
        actions: str | CameraPath,
        seconds: float | None = None,
        *,
        segment_s: float = _SEGMENT_S,
    ) -> Self:
        """Go on from the end; a fork at the last frame."""
        return self.fork(self.duration_s, actions, seconds, segment_s=segment_s)

    def frames(self) -> Iterator[Any]:
        """Yield every frame (RGB, H×W×3, ``uint8``) from the beginning of the world.

        Up to the fork they are the parent's own. Raises ``NotFound`` until all are rendered.
        """
        from workbench.engines.probe import decode_video  # noqa: PLC0415  loads the decoder

        if (parent := self.parent) is not None:
            for index, frame in enumerate(parent.frames()):
                if index >= self._place.fork:
                    break
                yield frame
        for video in self.segments:
            yield from decode_video(video.path)

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

        ``exposure_drift``, ``colour_drift`` and ``sharpness_drift`` are those of the segment's
        scores; ``seam`` is whether light, colour or detail jumps at its beginning, None where
        nothing comes before. Waits until the segments are measured.
        """
        rows = []
        for video in self.segments:
            request = video.job.request
            start = RolloutSegment.model_validate(request.options["rollout"]).start
            scores = video.scores
            row = {name: getattr(scores, name, None) for name in _DRIFTS}
            rows.append({"start_s": start / self.fps, **row, "seam": self._seam(start)})
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

    def _grown(
        self,
        poses: Any,
        actions: str | CameraPath,
        seconds: float | None,
        segment_s: float,
        *,
        parent: str,
    ) -> Self:
        batch_id = _queue(
            self._studio, self._first, poses, actions, seconds, segment_s,
            RolloutSegment(
                start=len(poses), planned=self._place.planned, parent=parent, fork=len(poses)
            ),
        )  # fmt: skip
        return type(self)(batch_id, using=self._studio)

    def __repr__(self) -> str:
        origin = f", from {self.fork_s:g} s of {self._place.parent}" if self._place.parent else ""
        return f"<World {self.batch_id}: {self.duration_s:g} s{origin}: {self.batch.state}>"


_DRIFTS: Final = ("exposure_drift", "colour_drift", "sharpness_drift")
_SEAM_FRAMES: Final = 8


def roll_out(
    video: Video,
    actions: str | CameraPath,
    seconds: float | None = None,
    *,
    segment_s: float = _SEGMENT_S,
    planned_s: float = _PLANNED_S,
) -> World:
    """Return the world of a storyboard, rolled out from where its camera starts.

    See :meth:`World.fork`; ``planned_s`` is how long the world may become: its figures pace
    themselves by it. Raises ``InvalidRequest`` for a video that is no storyboard.
    """
    request = video.job.request
    if request.engine != "animatic":
        problem = f"Only the storyboard is rolled out, not {request.engine}."
        raise InvalidRequest(problem, (FieldProblem("engine", problem),))
    planned = round(planned_s * float(request.fps or 24))
    if not 2 <= planned <= _MOST_FRAMES:
        problem = f"must be 2 to {_MOST_FRAMES} frames"
        raise InvalidRequest(f"planned_s {problem}.", (FieldProblem("planned_s", problem),))
    root = RolloutSegment(start=0, planned=planned)
    poses = np.zeros((0, 4, 4))
    batch_id = _queue(video.studio, request, poses, actions, seconds, segment_s, root)
    return World(batch_id, using=video.studio)


def _queue(
    studio: Studio,
    base: RenderRequest,
    poses: Any,
    actions: str | CameraPath,
    seconds: float | None,
    segment_s: float,
    place: RolloutSegment,
) -> str:
    """Queue the segments that follow ``poses`` and return their batch."""
    fps = float(base.fps or 24)
    added, lens, words = _moves(base, actions, seconds, fps)
    if len(poses):
        added = poses[-1] @ added[1:]
    whole = np.concatenate([poses, added])
    if len(whole) > place.planned:
        told = (
            f"The world is planned for {place.planned / fps:g} s; this would be "
            f"{len(whole) / fps:g} s. Roll it out with a larger planned_s."
        )
        raise InvalidRequest(told, (FieldProblem("seconds", told),))
    length = max(1, round(segment_s * fps))
    requests = []
    for start in range(len(poses), len(whole), length):
        end = min(len(whole), start + length)
        path = CameraPath.of_poses(whole[:end], fps=fps, intrinsics=lens)
        camera = CameraControl.of(path).model_copy(update={"words": words, "way": "poses"})
        segment = place.model_copy(update={"start": start})
        kept = {name: getattr(base, name) for name in _KEPT}
        requests.append(
            studio.jobs.complete(
                RenderRequest(
                    **kept,
                    num_frames=end - start,
                    camera=camera,
                    options={"rollout": segment.model_dump()},
                )
            )
        )
    return studio.jobs.submit_batch(requests, name="rollout").batch_id


def _moves(
    base: RenderRequest, actions: str | CameraPath, seconds: float | None, fps: float
) -> tuple[Any, Intrinsics, str]:
    """Return the poses of ``actions`` (the first is the origin), their lens, and their words."""
    width, height = base.width or 832, base.height or 480
    camera = CameraControl.of(actions)
    frames = round((seconds or _own_s(camera)) * fps) + 1
    if not 2 <= frames <= _MOST_FRAMES:
        problem = f"must be at most {_MOST_FRAMES / fps:g} s, and at least a frame"
        raise InvalidRequest(f"seconds {problem}.", (FieldProblem("seconds", problem),))
    found = camera.resolved(width=width, height=height, num_frames=frames, fps=fps, seed=base.seed)
    path = found.camera_path()
    if path.zooms:
        problem = "A rollout keeps its lens: zoom in a render of its own."
        raise InvalidRequest(problem, (FieldProblem("actions", problem),))
    return path.relative().poses(frames, fps), Intrinsics.of_view(width, height), found.words


def _own_s(camera: CameraControl) -> float:
    """Return how long the actions say that they last, in seconds."""
    if camera.is_keys:
        return len(parse_keys(camera.said)) / SANA_WM.fps
    if camera.said:
        return path_from_words(camera.said).value.duration_s
    return camera.camera_path().duration_s
