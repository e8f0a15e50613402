"""The camera of a world: the poses from its beginning, and each segment's part of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from workbench.control import (
    SANA_WM,
    CameraControl,
    CameraPath,
    Intrinsics,
    parse_keys,
    path_from_words,
)
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import RenderRequest

__all__ = ["MOST_FRAMES", "Way", "own_s", "refused", "size_of", "way_from"]

MOST_FRAMES: Final = 4_096
"""Frames of a world."""


@dataclass(frozen=True, slots=True)
class Way:
    """The camera of every frame from the start of a world."""

    poses: Any
    """Camera to world, N×4×4."""
    lenses: Any
    """fx, fy, cx, cy in pixels of the world's frames, N×4."""

    @classmethod
    def nowhere(cls) -> Self:
        """Return the way of a world without a frame."""
        import numpy as np  # noqa: PLC0415

        return cls(np.zeros((0, 4, 4)), np.zeros((0, 4)))

    @classmethod
    def of(cls, path: CameraPath, count: int, fps: float, size: tuple[int, int]) -> Self:
        """Return the way along ``path`` for ``count`` frames of ``size`` (width, height)."""
        import numpy as np  # noqa: PLC0415

        own = path.intrinsics
        x, y = size[0] / own.width, size[1] / own.height
        lenses = path.lenses(count, fps)
        if (x, y) != (1, 1):
            middle = np.array([0, 0, 0.5, 0.5])  # pixels are counted from the middle of the first
            lenses = (lenses + middle) * (x, y, x, y) - middle
        return cls(path.poses(count, fps), np.asarray(lenses))

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.poses)

    def cut(self, count: int) -> Self:
        """Return its first ``count`` frames."""
        return type(self)(self.poses[:count], self.lenses[:count])

    def then(self, other: Self) -> Self:
        """Return it with the frames of ``other`` after its own, in the same world."""
        import numpy as np  # noqa: PLC0415

        return type(self)(
            np.concatenate([self.poses, other.poses]), np.concatenate([self.lenses, other.lenses])
        )

    def held(self, count: int, size: tuple[int, int]) -> Self:
        """Return ``count`` frames at its end; where it has none, at the origin with the usual lens."""
        import numpy as np  # noqa: PLC0415

        pose = self.poses[-1] if len(self) else np.eye(4)
        lens = self.lenses[-1] if len(self) else np.array(Intrinsics.of_view(*size).vector)
        return type(self)(
            np.repeat(pose[None], count, axis=0), np.repeat(lens[None], count, axis=0)
        )

    def part(self, first: int, count: int, fps: float, size: tuple[int, int]) -> CameraControl:
        """Return the camera of ``count`` frames from frame ``first``; outside, the ends hold."""
        import numpy as np  # noqa: PLC0415

        shown = np.clip(np.arange(first, first + count), 0, len(self) - 1)
        lenses = [Intrinsics.of_vector(one, *size) for one in self.lenses[shown].tolist()]
        path = CameraPath.of_poses(self.poses[shown], fps=fps, intrinsics=lenses[0], lenses=lenses)
        return CameraControl.of(path)


def way_from(
    base: RenderRequest, before: Way, camera: CameraControl, seconds: float | None, fps: float
) -> tuple[Way, str]:
    """Return the way from the start of the world through the actions, and their words.

    They begin with the pose and the lens that the world ends with; a zoom goes on from there.
    """
    import numpy as np  # noqa: PLC0415

    width, height = size_of(base)
    frames = round((seconds or own_s(camera)) * fps) + 1
    if not 2 <= frames <= MOST_FRAMES:
        longest = f"must be at most {MOST_FRAMES / fps:g} s, and at least a frame"
        raise refused("seconds", longest)
    found = camera.resolved(width=width, height=height, num_frames=frames, fps=fps, seed=base.seed)
    path = found.camera_path()
    own = path.lenses(frames, fps)
    start = before.held(1, (width, height))
    lenses = np.repeat(start.lenses, frames, axis=0)
    lenses[:, :2] *= own[:, :2] / own[:1, :2]
    added = Way(start.poses @ path.relative().poses(frames, fps), lenses)
    new = slice(1 if len(before) else 0, None)
    return before.then(Way(added.poses[new], added.lenses[new])), found.words


def size_of(request: RenderRequest) -> tuple[int, int]:
    """Return the width and height of a world's frames."""
    return request.width or 832, request.height or 480


def own_s(camera: CameraControl) -> float:
    """Return the stated duration of the actions in seconds."""
    if camera.is_keys:
        return len(parse_keys(camera.said)) / SANA_WM.fps
    if camera.said:
        return path_from_words(camera.said).value.duration_s
    given: Mapping[str, Any] = camera.path or {}
    return camera.camera_path().duration_s if given else 0.0


def refused(field_name: str, problem: str) -> InvalidRequest:
    """Return the error that a field is refused with; a sentence of its own begins with a capital."""
    told = problem if problem[0].isupper() else f"{field_name} {problem}"
    return InvalidRequest(f"{told}.", (FieldProblem(field_name, problem),))
