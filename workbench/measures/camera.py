"""Recovers a video's camera path from its frames, and compares it with the commanded one.

Corners are tracked from frame to frame (Lucas–Kanade, forward and backward); for each stretch of
the video the relative pose comes from the essential matrix (five-point, RANSAC: Nistér 2004) and is
refined on the Sampson error. A video does not show the scale of its world, so all measures here are
scale-free: rotations in degrees, and the direction of travel. Loads OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.control.camera_path import Intrinsics
from workbench.control.rotation import (
    angle_deg,
    exp_quaternion,
    matrix_of,
    nearest_rotation,
)
from workbench.errors import InvalidRequest

__all__ = [
    "CameraError",
    "Leg",
    "ReturnError",
    "camera_error",
    "common_points",
    "recover_camera",
    "return_error",
    "return_frames",
]

Picture = npt.NDArray[Any]
Array = npt.NDArray[np.float64]

_CORNERS: Final = 500
_ENOUGH: Final = 24
"""Minimum corners for a pose."""
_LEG_SHARE: Final = 0.06
"""A stretch ends when half of the corners have moved by this share of the width."""
_LEG_FRAMES: Final = 24
_SURVIVORS: Final = 0.55
_BACK_PX: Final = 0.5
"""A corner is lost if tracking it back misses its origin by more than this."""
_PARALLAX_PX: Final = 0.3
"""If rotation alone leaves less than this, the direction of travel is unknown."""
_TURN_ALONE_PX: Final = 1.5
"""If no travel is found, a pure rotation is accepted if it leaves less than this."""
_AGREEING: Final = 0.3
"""Minimum share of corners that agree on one motion."""
_LOOKED_AT: Final = 200
"""Maximum frames of a path searched for a return."""
_AWAY_DEG: Final = 2.0
_STANDS: Final = 1e-3
"""A commanded step shorter than this share of the path's length is a standstill."""


@dataclass(frozen=True, slots=True)
class Leg:
    """How the camera moved over one stretch of a video."""

    start: int
    """Frame."""
    stop: int
    rotation: Array | None
    """From the camera at ``start`` to that at ``stop``, 3×3; None if too little is visible."""
    direction: Array | None
    """Unit vector of travel in the axes of the camera at ``start``; None if it stood still or only
    turned."""


@dataclass(frozen=True, slots=True)
class CameraError:
    """How far a video's camera is from the commanded one."""

    rotation_deg: float
    """Angle between the orientations, each against its own first frame; mean over time."""
    direction_deg: float | None
    """Mean angle between the directions of travel; None if neither travels."""
    seen: float
    """Share of the frames whose pose was recovered, 0 to 1."""
    directions_seen: float
    """Share of the stretches with a commanded travel whose direction was recovered, 0 to 1."""


@dataclass(frozen=True, slots=True)
class ReturnError:
    """The difference between two frames that should show the same view."""

    rotation_deg: float
    """Angle between the two cameras."""
    shift: float
    """Median distance of the common corners, in picture widths."""
    difference: float
    """Mean absolute difference of the luminance, 0 to 1."""


def recover_camera(pictures: Picture, intrinsics: Intrinsics) -> tuple[Leg, ...]:
    """Return the stretches of the video, each with its motion.

    ``pictures`` is RGB, shape (T, H, W, 3), ``uint8``; ``intrinsics`` is scaled to their size.
    """
    luma = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in pictures]
    height, width = luma[0].shape
    lens = intrinsics.resized(width, height)
    legs = []
    start = 0
    while start < len(luma) - 1:
        stop, first, second = _follow(luma, start)
        legs.append(_leg(start, stop, first, second, lens))
        start = stop
    return tuple(legs)


def camera_error(legs: Sequence[Leg], poses: Array) -> CameraError:
    """Return how far ``legs`` are from the commanded camera-to-world ``poses`` (T, 4, 4).

    Raises ``InvalidRequest`` if there are fewer poses than frames.
    """
    if not legs or legs[-1].stop >= len(poses):
        raise InvalidRequest(f"The path has {len(poses)} poses, fewer than the video has frames.")
    whole = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum()
    turned = np.eye(3)
    origin = poses[0, :3, :3]
    angles, lengths, directions = [0.0], [], []
    seen = travels = 0
    for leg in legs:
        asked = poses[leg.start, :3, :3].T @ poses[leg.stop, :3, :3]
        if leg.rotation is not None:
            seen += leg.stop - leg.start
        turned = turned @ (asked if leg.rotation is None else leg.rotation)
        wanted = origin.T @ poses[leg.stop, :3, :3]
        angles.append(float(angle_deg(turned.T @ wanted)))
        lengths.append(leg.stop - leg.start)
        travel = poses[leg.start, :3, :3].T @ (poses[leg.stop, :3, 3] - poses[leg.start, :3, 3])
        length = float(np.linalg.norm(travel))
        if length <= _STANDS * whole:
            continue
        travels += 1
        if leg.direction is not None:
            cosine = float(np.clip(travel @ leg.direction / length, -1, 1))
            directions.append(float(np.degrees(np.arccos(cosine))))
    return CameraError(
        rotation_deg=float(np.average(angles[:-1] + np.diff(angles) / 2, weights=lengths)),
        direction_deg=float(np.mean(directions)) if directions else None,
        seen=seen / (legs[-1].stop - legs[0].start),
        directions_seen=len(directions) / travels if travels else 1.0,
    )


def return_frames(poses: Array) -> tuple[int, int] | None:
    """Return the two frames farthest apart in time at which ``poses`` coincide; None if none do.

    They coincide within half a degree and a hundredth of the path's extent; between them the camera
    must have been elsewhere. Of a path of over 200 frames, 200 evenly spaced ones are compared.
    """
    frames = np.unique(np.linspace(0, len(poses) - 1, _LOOKED_AT).round().astype(int))
    places, turns = poses[frames, :3, 3], poses[frames, :3, :3]
    extent = float(np.linalg.norm(places.max(axis=0) - places.min(axis=0)))
    if extent == 0 and _angles(turns[:1], turns).max() <= _AWAY_DEG / 2:
        return None
    for gap in range(len(frames) - 1, 1, -1):
        near = np.linalg.norm(places[gap:] - places[:-gap], axis=1) <= 0.01 * extent
        near &= _angles(turns[:-gap], turns[gap:]) <= 0.5
        for start in np.flatnonzero(near).tolist():
            between = slice(start, start + gap + 1)
            away = _angles(turns[start], turns[between]).max()
            far = np.linalg.norm(places[between] - places[start], axis=1).max()
            if away > _AWAY_DEG or far > 0.1 * extent > 0:
                return int(frames[start]), int(frames[start + gap])
    return None


def return_error(first: Picture, second: Picture, intrinsics: Intrinsics) -> ReturnError | None:
    """Return the difference between two pictures (RGB, ``uint8``) of the same view.

    None if they share too few features: then they do not show the same place.
    """
    one, other = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (first, second))
    height, width = one.shape
    lens = intrinsics.resized(width, height)
    here, there = common_points(first, second)
    if len(here) < _ENOUGH:
        return None
    rotation, _ = _motion(here, there, lens)
    if rotation is None:
        return None
    return ReturnError(
        rotation_deg=float(angle_deg(rotation)),
        shift=float(np.median(np.linalg.norm(there - here, axis=1))) / width,
        difference=float(cv2.absdiff(one, other).mean()) / 255,
    )


def _angles(one: Array, other: Array) -> Array:
    """Return the angles between two stacks of rotations, degrees."""
    cosine = ((one * other).sum(axis=(-2, -1)) - 1) / 2
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _follow(luma: Sequence[Picture], start: int) -> tuple[int, Array, Array]:
    """Return the end of the stretch from ``start``, and its corners in the first and last frame."""
    found = cv2.goodFeaturesToTrack(luma[start], _CORNERS, 0.01, 5, blockSize=5)
    if found is None or len(found) < _ENOUGH:
        return start + 1, np.zeros((0, 2)), np.zeros((0, 2))
    first = found.reshape(-1, 2)
    last, count = first, len(first)
    stop = start
    most = min(len(luma) - 1, start + _LEG_FRAMES)
    while stop < most:
        moved, kept = _tracked(luma[stop], luma[stop + 1], last)
        if kept.sum() < max(_ENOUGH, _SURVIVORS * count) and stop > start:
            break
        stop += 1
        first, last = first[kept], moved[kept]
        if len(first) < _ENOUGH:
            break
        if np.median(np.linalg.norm(last - first, axis=1)) > _LEG_SHARE * luma[0].shape[1]:
            break
    return stop, first.astype(np.float64), last.astype(np.float64)


def _tracked(
    one: Picture, other: Picture, points: Picture
) -> tuple[Picture, npt.NDArray[np.bool_]]:
    follow: Any = cv2.calcOpticalFlowPyrLK
    moved, there, _ = follow(one, other, points, None, winSize=(15, 15), maxLevel=3)
    back, here, _ = follow(other, one, moved, None, winSize=(15, 15), maxLevel=3)
    height, width = one.shape
    inside = (moved >= 0).all(axis=1) & (moved[:, 0] < width) & (moved[:, 1] < height)
    kept = inside & (there[:, 0] == 1) & (here[:, 0] == 1)
    return moved, kept & (np.linalg.norm(back - points, axis=1) < _BACK_PX)


def common_points(first: Picture, second: Picture) -> tuple[Array, Array]:
    """Return the points that two pictures (RGB, ``uint8``) share, in each: (N, 2), pixels.

    By SIFT (Lowe 2004) with the ratio test; wrong matches are few but not excluded.
    """
    finder: Any = cv2.SIFT.create(nfeatures=1_000)
    luma = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (first, second)]
    (keys, words), (others, their) = (finder.detectAndCompute(p, None) for p in luma)
    if words is None or their is None or len(their) < 2:
        return np.zeros((0, 2)), np.zeros((0, 2))
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(words, their, k=2)
    good = [m for m, n in pairs if m.distance < 0.75 * n.distance]
    here = np.array([keys[m.queryIdx].pt for m in good], dtype=np.float64).reshape(-1, 2)
    there = np.array([others[m.trainIdx].pt for m in good], dtype=np.float64).reshape(-1, 2)
    return here, there


def _leg(start: int, stop: int, first: Array, second: Array, lens: Intrinsics) -> Leg:
    rotation, direction = _motion(first, second, lens)
    return Leg(start, stop, rotation, direction)


def _motion(first: Array, second: Array, lens: Intrinsics) -> tuple[Array | None, Array | None]:
    """Return rotation and direction of the second camera in the axes of the first."""
    if len(first) < _ENOUGH:
        return None, None
    rays, others = _rays(first, lens), _rays(second, lens)
    turned, left = _turn_alone(rays, others)
    left_px = left * lens.fx
    alone = (turned.T, None) if left_px < _TURN_ALONE_PX else (None, None)
    if left_px < _PARALLAX_PX:
        return alone
    cv: Any = cv2
    essential, mask = cv.findEssentialMat(first, second, lens.matrix, cv2.USAC_MAGSAC, 0.9999, 0.7)
    if essential is None or essential.shape != (3, 3):
        return alone
    _, rotation, travel, inliers = cv.recoverPose(essential, first, second, lens.matrix, mask=mask)
    kept = inliers[:, 0] > 0
    if kept.sum() < max(_ENOUGH, len(first) * _AGREEING):
        return alone
    rotation, travel = _refined(rotation, travel[:, 0], rays[kept], others[kept], lens.fx)
    return rotation.T, -(rotation.T @ travel)


def _rays(points: Array, lens: Intrinsics) -> Array:
    x = (points[:, 0] - lens.cx) / lens.fx
    y = (points[:, 1] - lens.cy) / lens.fy
    return np.column_stack([x, y, np.ones_like(x)])


def _turn_alone(rays: Array, others: Array) -> tuple[Array, float]:
    """Return the rotation that best maps ``rays`` to ``others``, and the median residual angle."""
    one = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    two = others / np.linalg.norm(others, axis=1, keepdims=True)
    weights = np.ones(len(one))
    rotation, left = np.eye(3), np.zeros(len(one))
    for _ in range(12):
        rotation = nearest_rotation((two * weights[:, None]).T @ one)
        left = np.linalg.norm(two - one @ rotation.T, axis=1)
        scale = max(float(np.median(left)), 1e-9)
        weights = 1 / np.maximum(1, left / (1.5 * scale)) ** 2
    return rotation, float(np.median(left))


def _refined(
    rotation: Array, travel: Array, rays: Array, others: Array, focal: float
) -> tuple[Array, Array]:
    """Return rotation and unit translation that minimise the Sampson error, by Gauss–Newton."""
    turn, way = np.asarray(rotation, np.float64), np.asarray(travel, np.float64)
    for _ in range(10):
        basis = np.linalg.svd(way[None])[2][1:]
        error = _sampson(turn, way, rays, others) * focal
        columns = []
        for k in range(5):
            change = np.zeros(5)
            change[k] = 1e-6
            moved = _moved(turn, way, basis, change)
            columns.append((_sampson(*moved, rays, others) * focal - error) / 1e-6)
        jacobian = np.column_stack(columns)
        weights = np.minimum(1, 0.5 / np.maximum(np.abs(error), 1e-9))
        normal = jacobian.T @ (jacobian * weights[:, None])
        step = np.linalg.solve(
            normal + 1e-9 * np.trace(normal) * np.eye(5), -jacobian.T @ (weights * error)
        )
        step *= min(1.0, 0.1 / max(float(np.linalg.norm(step)), 1e-12))
        turn, way = _moved(turn, way, basis, step)
        if np.linalg.norm(step) < 1e-7:
            break
    return turn, way


def _moved(turn: Array, way: Array, basis: Array, change: Array) -> tuple[Array, Array]:
    turned = matrix_of(exp_quaternion(change[:3])) @ turn
    moved = way + change[3:] @ basis
    return turned, moved / np.linalg.norm(moved)


def _sampson(turn: Array, way: Array, rays: Array, others: Array) -> Array:
    x, y, z = way
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ turn
    forth, back = rays @ essential.T, others @ essential
    value = (others * forth).sum(axis=1)
    scale = forth[:, 0] ** 2 + forth[:, 1] ** 2 + back[:, 0] ** 2 + back[:, 1] ** 2
    return np.asarray(value / np.sqrt(np.maximum(scale, 1e-18)))
