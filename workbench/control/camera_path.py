"""A camera's pose and lens over time.

Poses are camera-to-world matrices with OpenCV's axes: x right, y down, z forward. Lengths are scene
units: one unit is the distance from the camera to its subject at the start, unless a form says
otherwise. Knows how to interpolate; other modules of this package read and write file formats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.control.conversion import DEFAULT_FPS, MAX_FRAMES, Finite, invalid, validated
from workbench.control.interpolation import interpolate_poses, interpolate_values
from workbench.control.rotation import Array, inverse_pose

__all__ = ["CameraPath", "Intrinsics", "Keyframe"]


_ORTHONORMAL: Final = 1e-3
"""Maximum deviation of a rotation from orthonormal; single precision and rounded text are below."""
_EVEN_S: Final = 1e-6
_FARTHEST: Final = 1e6
_LONGEST_S: Final = 3_600.0

_Row = tuple[Finite, Finite, Finite, Finite]
Matrix = tuple[_Row, _Row, _Row, _Row]


class Intrinsics(BaseModel):
    """The lens: focal lengths and principal point in pixels, for a picture of the given size.

    The middle of the top left pixel is (0, 0), as in OpenCV.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(ge=16, le=16_384)
    height: int = Field(ge=16, le=16_384)
    fx: Finite = Field(gt=0, le=1e6)
    fy: Finite = Field(gt=0, le=1e6)
    cx: Finite = Field(ge=-1e5, le=1e5)
    cy: Finite = Field(ge=-1e5, le=1e5)

    @classmethod
    def of_view(cls, width: int, height: int, horizontal_deg: float = 60.0) -> Self:
        """Return a lens with square pixels and a horizontal angle of view (1 to 170)."""
        if not 1 <= horizontal_deg <= 170:
            raise invalid("horizontal_deg", "the angle of view must be 1 to 170 degrees")
        focal = width / 2 / math.tan(math.radians(horizontal_deg) / 2)
        middle = {"cx": (width - 1) / 2, "cy": (height - 1) / 2}
        return cls(width=width, height=height, fx=focal, fy=focal, **middle)

    @classmethod
    def of_vector(cls, vector: Sequence[float], width: int, height: int) -> Self:
        """Return the lens of ``vector`` (fx, fy, cx, cy); raises ``InvalidRequest``."""
        values = dict(zip(("fx", "fy", "cx", "cy"), map(float, vector), strict=True))
        return validated(cls, {"width": width, "height": height, **values}, "intrinsics")

    @property
    def vector(self) -> tuple[float, float, float, float]:
        """Focal lengths and principal point: fx, fy, cx, cy."""
        return self.fx, self.fy, self.cx, self.cy

    @property
    def matrix(self) -> Array:
        """The calibration matrix, 3×3."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])

    def resized(self, width: int, height: int) -> Self:
        """Return the lens for the same picture scaled to ``width`` × ``height``."""
        x, y = width / self.width, height / self.height
        return self.of_vector(
            (self.fx * x, self.fy * y, (self.cx + 0.5) * x - 0.5, (self.cy + 0.5) * y - 0.5),
            width,
            height,
        )


class Keyframe(BaseModel):
    """The camera's pose at one moment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_s: Finite = Field(ge=0, le=_LONGEST_S)
    c2w: Matrix
    """Camera to world, row by row: rotation (3×3) and position in the last column."""
    intrinsics: Intrinsics | None = None
    """The lens at this moment, if it differs from the path's: a zoom."""

    @field_validator("c2w", mode="before")
    @classmethod
    def _as_rows(cls, value: Any) -> Any:
        return value.tolist() if isinstance(value, np.ndarray) else value

    @field_validator("c2w")
    @classmethod
    def _is_rigid(cls, value: Matrix) -> Matrix:
        matrix = np.array(value)
        rotation = matrix[:3, :3]
        if matrix[3].tolist() != [0, 0, 0, 1]:
            raise ValueError("the last row of a pose must be 0 0 0 1")
        if np.abs(matrix[:3, 3]).max() > _FARTHEST:
            raise ValueError(f"a position must lie within {_FARTHEST:g} units of the origin")
        if np.abs(rotation).max() > 2 or np.abs(rotation.T @ rotation - np.eye(3)).max() > (
            _ORTHONORMAL
        ):
            raise ValueError("the upper left 3×3 of a pose must be a rotation, without scale")
        if np.linalg.det(rotation) < 0:
            raise ValueError("the rotation mirrors: its determinant must be +1")
        return value


class CameraPath(BaseModel):
    """A camera over time: keyframes, or one pose per frame."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["camera_path"] = "camera_path"
    intrinsics: Intrinsics = Intrinsics.of_view(832, 480)
    keyframes: Annotated[tuple[Keyframe, ...], Field(min_length=1, max_length=MAX_FRAMES)]
    """In order of time."""
    interpolation: Literal["smooth", "linear"] = "smooth"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for number, (one, two) in enumerate(zip(self.keyframes, self.keyframes[1:], strict=False)):
            if two.time_s - one.time_s < _EVEN_S:
                raise ValueError(f"keyframe {number + 1} must be later than the previous one")
        size = self.intrinsics.width, self.intrinsics.height
        for number, frame in enumerate(self.keyframes):
            lens = frame.intrinsics
            if lens and (lens.width, lens.height) != size:
                raise ValueError(f"keyframe {number} has intrinsics for another picture size")
        return self

    @classmethod
    def of_poses(
        cls,
        c2w: npt.ArrayLike,
        *,
        fps: float = DEFAULT_FPS,
        times_s: Sequence[float] | None = None,
        intrinsics: Intrinsics | None = None,
        lenses: Sequence[Intrinsics] | None = None,
    ) -> Self:
        """Return the path through the poses ``c2w`` (T, 4, 4), one per frame at ``fps``.

        ``times_s`` gives each pose its own time instead; ``lenses`` each its own intrinsics. Raises
        ``InvalidRequest``.
        """
        poses = np.asarray(c2w, dtype=np.float64)
        if poses.ndim != 3 or poses.shape[1:] != (4, 4) or not 1 <= len(poses) <= MAX_FRAMES:
            raise invalid("c2w", f"needs 1 to {MAX_FRAMES} poses of 4×4; got {poses.shape}")
        if not (math.isfinite(fps) and 0 < fps <= 1_000):
            raise invalid("fps", "must be above 0 and at most 1000")
        times = [i / fps for i in range(len(poses))] if times_s is None else list(times_s)
        given = list(lenses) if lenses is not None else [None] * len(poses)
        if not len(times) == len(given) == len(poses):
            raise invalid("times_s", "needs one time, and one lens if any, for each pose")
        base = intrinsics or next((lens for lens in given if lens), None)
        data: dict[str, Any] = {
            "keyframes": [
                {"time_s": t, "c2w": pose, "intrinsics": None if lens == base else lens}
                for t, pose, lens in zip(times, poses.tolist(), given, strict=True)
            ]
        }
        return validated(cls, data | ({"intrinsics": base} if base else {}), "camera path")

    @cached_property
    def times_s(self) -> Array:
        """The time of each keyframe, shape (K,)."""
        return np.array([frame.time_s for frame in self.keyframes])

    @cached_property
    def c2w(self) -> Array:
        """The pose of each keyframe, shape (K, 4, 4)."""
        return np.array([frame.c2w for frame in self.keyframes])

    @property
    def duration_s(self) -> float:
        """From the first keyframe to the last."""
        return self.keyframes[-1].time_s - self.keyframes[0].time_s

    @property
    def fps(self) -> float | None:
        """The rate of a path with evenly spaced poses; None for any other."""
        if len(self.keyframes) < 2:
            return None
        step = self.duration_s / (len(self.keyframes) - 1)
        even = np.abs(np.diff(self.times_s) - step).max() < _EVEN_S
        return 1 / step if even else None

    @property
    def zooms(self) -> bool:
        """Whether the lens changes."""
        return len({frame.intrinsics or self.intrinsics for frame in self.keyframes}) > 1

    def poses(self, num_frames: int, fps: float | None = None) -> Array:
        """Return the pose of each of ``num_frames`` frames, shape (T, 4, 4), camera to world.

        Without ``fps`` the frames are spread evenly from the first keyframe to the last; with it
        they begin at the first keyframe, and the last pose holds once the path has ended.
        """
        return interpolate_poses(
            self.times_s,
            self.c2w,
            self._moments(num_frames, fps),
            smooth=self.interpolation == "smooth",
        )

    def lenses(self, num_frames: int, fps: float | None = None) -> Array:
        """Return fx, fy, cx, cy per frame, shape (T, 4); focal lengths change by equal ratios."""
        lenses = [frame.intrinsics or self.intrinsics for frame in self.keyframes]
        values = np.array([lens.vector for lens in lenses])
        if not self.zooms:
            return np.repeat(values[:1], num_frames, axis=0)
        values[:, :2] = np.log(values[:, :2])
        found = interpolate_values(self.times_s, values, self._moments(num_frames, fps))
        found[:, :2] = np.exp(found[:, :2])
        return found

    def relative(self) -> Self:
        """Return the same path seen from its first camera, which becomes the origin."""
        first = inverse_pose(self.c2w[:1])
        poses = first @ self.c2w
        poses[0] = np.eye(4)
        return self._with_poses(poses)

    def scaled(self, factor: float) -> Self:
        """Return the path with every position multiplied by ``factor``."""
        poses = self.c2w.copy()
        poses[:, :3, 3] *= factor
        return self._with_poses(poses)

    def resampled(self, num_frames: int, fps: float) -> Self:
        """Return the path with one pose for each of ``num_frames`` frames at ``fps``."""
        size = self.intrinsics.width, self.intrinsics.height
        lenses = [Intrinsics.of_vector(v, *size) for v in self.lenses(num_frames, fps)]
        return self.of_poses(
            self.poses(num_frames, fps), fps=fps, intrinsics=lenses[0], lenses=lenses
        )

    def _with_poses(self, poses: Array) -> Self:
        frames = [
            {"time_s": frame.time_s, "c2w": pose, "intrinsics": frame.intrinsics}
            for frame, pose in zip(self.keyframes, poses.tolist(), strict=True)
        ]
        data = {
            "intrinsics": self.intrinsics,
            "keyframes": frames,
            "interpolation": self.interpolation,
        }
        return validated(type(self), data, "camera path")

    def _moments(self, num_frames: int, fps: float | None) -> Array:
        if not 1 <= num_frames <= MAX_FRAMES:
            raise invalid("num_frames", f"must be 1 to {MAX_FRAMES}")
        start = self.keyframes[0].time_s
        if fps is None:
            return start + np.linspace(0, self.duration_s, num_frames)
        if not (math.isfinite(fps) and 0 < fps <= 1_000):
            raise invalid("fps", "must be above 0 and at most 1000")
        return start + np.arange(num_frames) / fps
