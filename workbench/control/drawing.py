"""A camera path as a drawing: points of a top view, each with its time.

In the drawing x is right and z is forward from the camera's first position; it does not contain the
camera's height.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.conversion import MAX_FRAMES, Converted, invalid
from workbench.control.interpolation import tangents
from workbench.control.rotation import Array, from_yaw_pitch_roll, to_yaw_pitch_roll

__all__ = ["Drawing", "path_from_drawing", "path_to_drawing"]

Drawing = tuple[tuple[float, float, float], ...]
"""Points (x, z, seconds) in order of time."""

_STILL: Final = 1e-9


def path_from_drawing(
    points: Sequence[Sequence[float]],
    *,
    look: Literal["along", "ahead"] | tuple[float, float] = "along",
    height: float = 0.0,
    intrinsics: Intrinsics | None = None,
) -> Converted[CameraPath]:
    """Return the path through ``points`` (x, z, seconds), a keyframe at each.

    The camera looks ``"along"`` its way, ``"ahead"`` in the drawing's forward direction, or at the
    point (x, z) that ``look`` names. ``height`` is in units above the origin. Raises
    ``InvalidRequest``.
    """
    table = _checked(points)
    target = None if isinstance(look, str) else _checked([(*look, 0.0)])[0, :2]
    if not math.isfinite(height):
        raise invalid("height", "must be a finite number")
    notes: list[str] = []
    if target is not None:
        yaw = _towards(target - table[:, :2])
    elif look == "along":
        yaw = _along(table, notes)
    elif look == "ahead":
        yaw = np.zeros(len(table))
    else:
        raise invalid("look", "must be along, ahead, or a point (x, z)")
    poses = np.tile(np.eye(4), (len(table), 1, 1))
    level = np.zeros(len(table))
    poses[:, :3, :3] = from_yaw_pitch_roll(yaw, level, level)
    poses[:, 0, 3], poses[:, 1, 3], poses[:, 2, 3] = table[:, 0], -height, table[:, 1]
    path = CameraPath.of_poses(poses, times_s=table[:, 2].tolist(), intrinsics=intrinsics)
    return Converted(path, tuple(notes))


def path_to_drawing(path: CameraPath) -> Converted[Drawing]:
    """Return the exact positions of the keyframes of ``path`` in a top view."""
    points = np.column_stack([path.c2w[:, 0, 3], path.c2w[:, 2, 3], path.times_s])
    notes = []
    _, pitch, roll = to_yaw_pitch_roll(path.c2w[:, :3, :3])
    if np.ptp(path.c2w[:, 1, 3]) > _STILL:
        notes.append("A drawing has no height: the camera's rise and fall are lost.")
    if np.abs(pitch).max() > _STILL or np.abs(roll).max() > _STILL:
        notes.append("A drawing has no tilt: pitch and roll are lost.")
    if not _looks_along(path):
        notes.append("A drawing has only points: the camera's direction is lost.")
    if path.zooms:
        notes.append("A drawing has no lens: the zoom is lost.")
    return Converted(tuple((x, z, t) for x, z, t in points.tolist()), tuple(notes))


def _checked(points: Sequence[Sequence[float]]) -> Array:
    if not 1 <= len(points) <= MAX_FRAMES:
        raise invalid("points", f"needs 1 to {MAX_FRAMES} points; got {len(points)}")
    try:
        table = np.asarray(points, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid("points", "must be numbers: x, z, seconds") from error
    if table.ndim != 2 or table.shape[1] != 3:
        raise invalid("points", "must be numbers: x, z, seconds")
    if not np.isfinite(table).all():
        raise invalid("points", "must be finite numbers")
    late = np.flatnonzero(np.diff(table[:, 2]) <= 0)
    if late.size:
        raise invalid(f"points.{late[0] + 1}", "must be later than the previous point")
    return table


def _looks_along(path: CameraPath) -> bool:
    table = np.column_stack([path.c2w[:, 0, 3], path.c2w[:, 2, 3], path.times_s])
    yaw, _, _ = to_yaw_pitch_roll(path.c2w[:, :3, :3])
    apart = np.angle(np.exp(1j * (yaw - _along(table, []))))
    return bool(np.abs(apart).max() < 1e-6)


def _along(table: Array, notes: list[str]) -> Array:
    """Return the heading at each point; at a standstill, the previous one."""
    if len(table) == 1:
        return np.zeros(1)
    span = np.diff(table[:, 2])
    slopes = np.diff(table[:, :2], axis=0) / span[:, None]
    speed = tangents(span, slopes)
    # At a halt, the heading comes from the directions before and after it.
    before = np.concatenate([slopes[:1], slopes])
    after = np.concatenate([slopes, slopes[-1:]])
    for fallback in (before, after):
        still = np.linalg.norm(speed, axis=1) < _STILL
        speed[still] = fallback[still]
    moving = np.linalg.norm(speed, axis=1) >= _STILL
    if not moving.any():
        notes.append("The drawing stays at one point: the camera looks ahead.")
        return np.zeros(len(table))
    if not moving.all():
        last = np.maximum.accumulate(np.where(moving, np.arange(len(table)), -1))
        last[last < 0] = int(np.argmax(moving))
        speed = speed[last]
    return _towards(speed)


def _towards(directions: Array) -> Array:
    return np.unwrap(np.arctan2(directions[:, 0], directions[:, 1]))
