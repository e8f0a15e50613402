"""Random camera paths for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from workbench.control import CameraPath, Intrinsics
from workbench.control.rotation import Array, matrix_of

__all__ = ["LENS", "SEARCH", "camera_paths", "rotation_gap", "rotations"]

LENS = Intrinsics.of_view(320, 192, 50)

SEARCH = settings(deadline=None, max_examples=60, derandomize=True)
"""How the property tests search: no limit on time, the same examples in every run."""

_seeds = st.integers(0, 2**32 - 1)


@st.composite
def rotations(draw: st.DrawFn, count: int) -> Array:
    """Return ``count`` rotations drawn from the whole sphere."""
    rng = np.random.default_rng(draw(_seeds))
    return matrix_of(rng.normal(size=(count, 4)))


@st.composite
def camera_paths(draw: st.DrawFn, *, zooms: bool = False, longest: int = 9) -> CameraPath:
    """Return a path of keyframes at uneven times with any orientation."""
    count = draw(st.integers(1, longest))
    rng = np.random.default_rng(draw(_seeds))
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = draw(rotations(count))
    poses[:, :3, 3] = rng.normal(size=(count, 3)) * 10 ** rng.uniform(-3, 3)
    times = np.cumsum(rng.uniform(0.01, 2, count))
    lenses = None
    if zooms:
        angles = rng.uniform(20, 90, count)
        lenses = [Intrinsics.of_view(LENS.width, LENS.height, a) for a in angles]
    return CameraPath.of_poses(poses, times_s=times.tolist(), intrinsics=LENS, lenses=lenses)


def rotation_gap(one: Array, other: Array) -> float:
    """Return the largest element-wise difference between the rotations of two pose stacks."""
    return float(np.abs(one[..., :3, :3] - other[..., :3, :3]).max())
