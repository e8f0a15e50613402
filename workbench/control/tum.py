"""A camera path as TUM text: ``timestamp tx ty tz qx qy qz qw``, camera to world, a pose a line.

Form of the TUM RGB-D benchmark (Sturm et al. 2012), which evo and most SLAM systems write.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.conversion import MAX_FRAMES, Converted, invalid
from workbench.control.files import parse_numbers
from workbench.control.rotation import Array, matrix_of, quaternion_of

__all__ = ["path_from_tum", "path_to_tum", "rotation_of"]

_UNIT: Final = 1e-2
"""How far the length of a quaternion may be from 1."""


def path_from_tum(
    text: str, *, name: str = "trajectory", intrinsics: Intrinsics | None = None
) -> Converted[CameraPath]:
    """Return the path in ``text``; times count from its first pose. Raises ``InvalidRequest``."""
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].replace(",", " ").split()
        if not words:
            continue
        where = f"{name}, line {number}"
        if len(words) != 8:
            raise invalid(
                where,
                f"has {len(words)} columns; TUM text has 8: timestamp tx ty tz qx qy qz qw",
            )
        if len(rows) == MAX_FRAMES:
            raise invalid(name, f"has more than {MAX_FRAMES} poses")
        rows.append(parse_numbers(words, where))
        if len(rows) > 1 and rows[-1][0] <= rows[-2][0]:
            raise invalid(where, "must be later than the previous line")
    if not rows:
        raise invalid(name, "contains no pose")
    table = np.array(rows)
    poses = np.tile(np.eye(4), (len(table), 1, 1))
    poses[:, :3, :3] = rotation_of(table[:, [7, 4, 5, 6]], name)
    poses[:, :3, 3] = table[:, 1:4]
    times = table[:, 0] - (start := table[0, 0])
    notes = []
    if start:
        notes.append(f"Times count from the first pose, at {start:.6f} s in the file.")
    if intrinsics is None:
        notes.append("TUM text has no intrinsics: an angle of view of 60° is assumed.")
    path = CameraPath.of_poses(poses, times_s=times.tolist(), intrinsics=intrinsics)
    return Converted(path, tuple(notes))


def path_to_tum(path: CameraPath) -> Converted[str]:
    """Return the keyframes of ``path`` as TUM text: exact to the last digits of ``float64``."""
    q = quaternion_of(path.c2w[:, :3, :3])[:, [1, 2, 3, 0]]
    table = np.column_stack([path.times_s, path.c2w[:, :3, 3], q])
    lines = [" ".join(map(repr, row)) for row in table.tolist()]
    notes = ["TUM text has only poses: the intrinsics are lost."]
    if path.interpolation == "linear":
        notes.append("TUM text does not say how to interpolate: linear is lost.")
    text = "\n".join(["# timestamp tx ty tz qx qy qz qw", *lines, ""])
    return Converted(text, tuple(notes))


def rotation_of(quaternions: Array, name: str) -> Array:
    """Return the rotations of unit ``quaternions`` (w, x, y, z); raises ``InvalidRequest``."""
    lengths = np.linalg.norm(quaternions, axis=1)
    if (wrong := np.flatnonzero(np.abs(lengths - 1) > _UNIT)).size:
        number = int(wrong[0])
        raise invalid(
            name, f"pose {number} has a quaternion of length {lengths[number]:.3g}, not 1"
        )
    return matrix_of(quaternions)
