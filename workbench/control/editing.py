"""Edits a camera path: sets, adds and removes keyframes; joins, draws and stretches paths.

Every path here begins at the origin, looking ahead at the subject one unit in front, as engines
place it. The first keyframe therefore never changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.conversion import Converted, invalid
from workbench.control.interpolation import interpolate_poses
from workbench.control.rotation import (
    Array,
    angle_deg,
    from_yaw_pitch_roll,
    inverse_pose,
    to_yaw_pitch_roll,
)

__all__ = [
    "Gaze",
    "Placing",
    "aimed",
    "drawn_path",
    "few_keyframes",
    "gaze_of",
    "joined",
    "placed",
    "placings",
    "stretched",
    "with_keyframe",
    "without_keyframe",
]

Gaze = Literal["subject", "ahead", "along", "own"]
"""Where the camera looks: at the subject, ahead as at the start, along its path, or as set."""

_SUBJECT: Final = (0.0, 0.0, 1.0)
_FEWEST, _MOST = 3, 9
_KEPT: Final = 24
_FRAME_RATE: Final = 8.0
_CLOSE_UNITS, _CLOSE_DEG = 0.01, 0.75
"""Maximum deviation of a simplified path, units and degrees."""
_SAME_DEG: Final = 0.5
_LEAST_S: Final = 0.05
_NEAR: Final = 0.05
_FARTHEST: Final = 100.0
_STILL: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Placing:
    """A keyframe in editable terms; lengths in distances to the subject, angles in degrees."""

    time_s: float
    right: float
    forward: float
    up: float = 0.0
    turn_deg: float = 0.0
    """To the right."""
    tilt_deg: float = 0.0
    """Upwards."""


def placings(path: CameraPath) -> tuple[Placing, ...]:
    """Return the keyframes of ``path``."""
    yaw, pitch, _ = to_yaw_pitch_roll(path.c2w[:, :3, :3])
    degrees = np.degrees(np.stack([np.unwrap(yaw), pitch], axis=1))
    rows = np.column_stack([path.times_s, path.c2w[:, :3, 3], degrees]).tolist()
    return tuple(Placing(t, x, z, -y, turn, tilt) for t, x, y, z, turn, tilt in rows)


def few_keyframes(path: CameraPath) -> Converted[CameraPath]:
    """Return ``path`` simplified to at most nine keyframes.

    The notes give the deviation. A path of few keyframes is returned unchanged, also one of up to
    24 that are not the poses of frames.
    """
    path = path.relative()
    count = len(path.keyframes)
    if count <= _MOST or (count <= _KEPT and (path.fps or 0) < _FRAME_RATE):
        return Converted(path)
    for keyframes in range(_FEWEST, _MOST + 1):
        chosen = np.unique(np.linspace(0, count - 1, keyframes).round().astype(int))
        times, poses = path.times_s[chosen], path.c2w[chosen]
        again = interpolate_poses(times, poses, path.times_s, smooth=True)
        units = float(np.linalg.norm(again[:, :3, 3] - path.c2w[:, :3, 3], axis=1).max())
        turned = np.swapaxes(again[:, :3, :3], 1, 2) @ path.c2w[:, :3, :3]
        degrees = float(angle_deg(turned).max())
        if units <= _CLOSE_UNITS and degrees <= _CLOSE_DEG:
            break
    lenses = [path.keyframes[i].intrinsics or path.intrinsics for i in chosen]
    few = CameraPath.of_poses(
        poses, times_s=times.tolist(), intrinsics=path.intrinsics, lenses=lenses
    )
    if units <= _CLOSE_UNITS and degrees <= _CLOSE_DEG:
        return Converted(few)
    return Converted(
        few, (f"{len(chosen)} keyframes stray up to {units:.2g} units, {degrees:.2g}°.",)
    )


def placed(path: CameraPath, index: int, placing: Placing, gaze: Gaze = "own") -> CameraPath:
    """Return ``path`` with keyframe ``index`` placed as ``placing``; roll and lens stay.

    Unless ``gaze`` is ``own``, all keyframes follow it. Raises ``InvalidRequest``.
    """
    _check(path, index)
    if index == 0:
        raise invalid(
            "keyframe", "cannot be the first one: the shot decides where the camera starts"
        )
    known = list(placings(path))
    before = known[index - 1].time_s
    after = known[index + 1].time_s if index + 1 < len(known) else math.inf
    if not before + _LEAST_S <= placing.time_s <= after - _LEAST_S:
        least, most = before + _LEAST_S, after - _LEAST_S
        bound = f"at least {least:.2f} s" if math.isinf(most) else f"{least:.2f} to {most:.2f} s"
        raise invalid("time_s", f"must lie between its neighbours: {bound}")
    lengths = (placing.right, placing.forward, placing.up)
    if not all(math.isfinite(v) and abs(v) <= _FARTHEST for v in lengths):
        raise invalid("keyframe", f"must lie within {_FARTHEST:g} units")
    if not -89 <= placing.tilt_deg <= 89 or not abs(placing.turn_deg) <= 3_600:
        raise invalid("keyframe", "may tilt by −89 to 89 degrees and turn by at most 3600")
    known[index] = placing
    return aimed(_with(path, known), gaze)


def with_keyframe(path: CameraPath, time_s: float | None = None) -> tuple[CameraPath, int]:
    """Return ``path`` with one more keyframe, and its index.

    It lies on the path at ``time_s``, by default in the middle of the longest gap.
    """
    times = path.times_s
    if time_s is None:
        gap = int(np.argmax(np.diff(times))) if len(times) > 1 else 0
        time_s = float(times[gap : gap + 2].mean()) if len(times) > 1 else 1.0
    if len(times) > 1 and np.abs(times - time_s).min() < _LEAST_S:
        raise invalid("time_s", f"must be {_LEAST_S} s away from every keyframe")
    poses = interpolate_poses(times, path.c2w, np.array([time_s]), smooth=True)
    index = int(np.searchsorted(times, time_s))
    lens = path.keyframes[min(index, len(times) - 1)].intrinsics or path.intrinsics
    lenses = _lenses(path)
    made = CameraPath.of_poses(
        np.insert(path.c2w, index, poses[0], axis=0),
        times_s=[*times[:index].tolist(), time_s, *times[index:].tolist()],
        intrinsics=path.intrinsics,
        lenses=[*lenses[:index], lens, *lenses[index:]],
    )
    return made, index


def without_keyframe(path: CameraPath, index: int) -> CameraPath:
    """Return ``path`` without keyframe ``index``; raises ``InvalidRequest`` for the first."""
    _check(path, index)
    if index == 0 or len(path.keyframes) < 3:
        raise invalid("keyframe", "a path needs its start and one more keyframe")
    lenses = _lenses(path)
    return CameraPath.of_poses(
        np.delete(path.c2w, index, axis=0),
        times_s=np.delete(path.times_s, index).tolist(),
        intrinsics=path.intrinsics,
        lenses=[*lenses[:index], *lenses[index + 1 :]],
    )


def drawn_path(
    points: Sequence[tuple[float, float]],
    seconds: float,
    gaze: Gaze = "subject",
    intrinsics: Intrinsics | None = None,
) -> CameraPath:
    """Return the path of a pen over a top view: ``points`` are (right, forward), at constant speed.

    It begins at the origin and has a keyframe where the pen bends, nine at most.
    """
    table = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not len(table) or not np.isfinite(table).all() or np.abs(table).max() > _FARTHEST:
        raise invalid("points", f"must be numbers (right, forward) within {_FARTHEST:g} units")
    if not _LEAST_S < seconds <= 3_600:
        raise invalid("seconds", "must be above 0.05 and at most 3600")
    table = np.concatenate([[[0.0, 0.0]], table])
    steps = np.linalg.norm(np.diff(table, axis=0), axis=1)
    table = table[np.concatenate([[True], steps > 1e-4])]
    if len(table) < 2:
        raise invalid("points", "must differ from the start of the camera")
    chosen = _bends(table)
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(table, axis=0), axis=1))])
    times = way[chosen] / way[-1] * seconds
    kept = [0]
    for place in range(1, len(chosen) - 1):
        if times[place] - times[kept[-1]] >= _LEAST_S and seconds - times[place] >= _LEAST_S:
            kept.append(place)
    kept.append(len(chosen) - 1)
    poses = np.tile(np.eye(4), (len(kept), 1, 1))
    poses[:, 0, 3], poses[:, 2, 3] = table[chosen][kept].T
    path = CameraPath.of_poses(poses, times_s=times[kept].tolist(), intrinsics=intrinsics)
    return aimed(path, gaze)


def joined(first: CameraPath, second: CameraPath) -> CameraPath:
    """Return ``first`` followed by ``second`` from its end, each simplified."""
    one, two = few_keyframes(first).value, few_keyframes(second).value
    end = float(one.times_s[-1])
    times = [*one.times_s.tolist(), *(end + two.times_s[1:] - two.times_s[0]).tolist()]
    poses = np.concatenate([one.c2w, one.c2w[-1] @ two.c2w[1:]])
    zoom = [lens.fx / two.intrinsics.fx for lens in _lenses(two)]
    last = _lenses(one)[-1]
    size = last.width, last.height
    fx, fy, cx, cy = last.vector
    after = [Intrinsics.of_vector((fx * z, fy * z, cx, cy), *size) for z in zoom[1:]]
    return CameraPath.of_poses(
        poses, times_s=times, intrinsics=one.intrinsics, lenses=[*_lenses(one), *after]
    )


def stretched(path: CameraPath, seconds: float) -> CameraPath:
    """Return ``path`` retimed from 0 to ``seconds``."""
    if not _LEAST_S < seconds <= 3_600 or path.duration_s <= 0:
        raise invalid("seconds", "must be above 0.05 and at most 3600, of a path that moves")
    times = (path.times_s - path.times_s[0]) * (seconds / path.duration_s)
    return CameraPath.of_poses(
        path.c2w, times_s=times.tolist(), intrinsics=path.intrinsics, lenses=_lenses(path)
    )


def aimed(path: CameraPath, gaze: Gaze) -> CameraPath:
    """Return ``path`` with every keyframe but the first aimed by ``gaze``."""
    if gaze == "own":
        return path
    known = placings(path)
    return _with(path, [replace(p, **_aim(known, i, gaze)) for i, p in enumerate(known)])


def gaze_of(path: CameraPath) -> Gaze:
    """Return where the keyframes of ``path`` look, within half a degree."""
    gazes: tuple[Gaze, ...] = ("subject", "ahead", "along")
    for gaze in gazes:
        other = aimed(path, gaze).c2w[:, :3, :3]
        if angle_deg(np.swapaxes(other, 1, 2) @ path.c2w[:, :3, :3]).max() <= _SAME_DEG:
            return gaze
    return "own"


def _aim(known: Sequence[Placing], index: int, gaze: Gaze) -> dict[str, float]:
    here = known[index]
    if index == 0 or gaze == "ahead":
        return {"turn_deg": 0.0, "tilt_deg": 0.0}
    if gaze == "subject":
        right, down, ahead = _SUBJECT
        across, on, over = right - here.right, ahead - here.forward, -down - here.up
    else:
        ends = known[max(0, index - 1)], known[min(len(known) - 1, index + 1)]
        across, on = ends[1].right - ends[0].right, ends[1].forward - ends[0].forward
        over = 0.0
    far = math.hypot(across, on)
    if far < (_NEAR if gaze == "subject" else _STILL):
        return {"turn_deg": here.turn_deg, "tilt_deg": here.tilt_deg}
    turn = math.degrees(math.atan2(across, on))
    return {"turn_deg": turn, "tilt_deg": math.degrees(math.atan2(over, far))}


def _with(path: CameraPath, known: Sequence[Placing]) -> CameraPath:
    """Return ``path`` with its keyframes placed as ``known``; their roll and lenses stay."""
    _, _, roll = to_yaw_pitch_roll(path.c2w[:, :3, :3])
    table = np.array([(p.right, -p.up, p.forward, p.turn_deg, p.tilt_deg) for p in known])
    poses = np.tile(np.eye(4), (len(known), 1, 1))
    poses[:, :3, :3] = from_yaw_pitch_roll(np.radians(table[:, 3]), np.radians(table[:, 4]), roll)
    poses[:, :3, 3] = table[:, :3]
    poses = inverse_pose(poses[:1]) @ poses
    return CameraPath.of_poses(
        poses,
        times_s=[p.time_s for p in known],
        intrinsics=path.intrinsics,
        lenses=_lenses(path),
    )


def _lenses(path: CameraPath) -> list[Intrinsics]:
    return [frame.intrinsics or path.intrinsics for frame in path.keyframes]


def _bends(table: Array) -> Array:
    """Return the points to keep, ends included, by repeatedly adding the farthest from the line."""
    kept = [0, len(table) - 1]
    while len(kept) < _MOST:
        far, place = 0.0, 0
        for start, end in pairwise(kept):
            if end - start < 2:
                continue
            away = _distances(table[start + 1 : end], table[start], table[end])
            if away.max() > far:
                far, place = float(away.max()), start + 1 + int(away.argmax())
        if far <= 2 * _CLOSE_UNITS:
            break
        kept = sorted([*kept, place])
    return np.array(kept)


def _distances(points: Array, start: Array, end: Array) -> Array:
    along = end - start
    share = np.clip((points - start) @ along / max(float(along @ along), _STILL), 0, 1)
    return np.asarray(np.linalg.norm(points - start - share[:, None] * along, axis=1))


def _check(path: CameraPath, index: int) -> None:
    if not 0 <= index < len(path.keyframes):
        raise invalid("keyframe", f"there are {len(path.keyframes)} keyframes, from 0 on")
