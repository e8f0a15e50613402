"""Rotations of a camera: matrices, quaternions (w, x, y, z), rotation vectors, yaw–pitch–roll.

Axes are OpenCV's: x right, y down, z forward. All functions work on stacks: leading dimensions are
kept. Angles are radians unless the name says degrees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "angle_deg",
    "from_yaw_pitch_roll",
    "inverse_pose",
    "log_rotation",
    "matrix_of",
    "multiply",
    "nearest_rotation",
    "quaternion_of",
    "to_yaw_pitch_roll",
]

Array = npt.NDArray[np.float64]


def matrix_of(quaternions: Array) -> Array:
    """Return the rotation matrices (…, 3, 3) of ``quaternions`` (…, 4), which need not be unit."""
    w, x, y, z = np.moveaxis(
        quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True), -1, 0
    )
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_of(rotations: Array) -> Array:
    """Return unit quaternions (…, 4) with w ≥ 0 of ``rotations`` (…, 3, 3).

    Takes the largest of four candidates (Shepperd 1978), so that no case divides by nearly zero.
    """
    r: Any = np.asarray(rotations, dtype=np.float64)
    t = np.trace(r, axis1=-2, axis2=-1)
    a, b, c = (r[..., i, i] for i in range(3))
    xy, xz, yz = (r[..., i, j] + r[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    wx, wy, wz = (r[..., j, i] - r[..., i, j] for i, j in ((1, 2), (2, 0), (0, 1)))
    candidates = np.stack(
        [
            np.stack([1 + t, wx, wy, wz], axis=-1),
            np.stack([wx, 1 + 2 * a - t, xy, xz], axis=-1),
            np.stack([wy, xy, 1 + 2 * b - t, yz], axis=-1),
            np.stack([wz, xz, yz, 1 + 2 * c - t], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.stack([t, a, b, c], axis=-1), axis=-1)
    chosen = np.take_along_axis(candidates, best[..., None, None], axis=-2)[..., 0, :]
    unit = chosen / np.linalg.norm(chosen, axis=-1, keepdims=True)
    return np.asarray(np.where(unit[..., :1] < 0, -unit, unit))


def multiply(first: Array, second: Array) -> Array:
    """Return the quaternion products ``first`` · ``second``."""
    w, x, y, z = np.moveaxis(first, -1, 0)
    v, i, j, k = np.moveaxis(second, -1, 0)
    return np.stack(
        [
            w * v - x * i - y * j - z * k,
            w * i + x * v + y * k - z * j,
            w * j - x * k + y * v + z * i,
            w * k + x * j - y * i + z * v,
        ],
        axis=-1,
    )


def conjugate(quaternions: Array) -> Array:
    """Return the inverses of unit quaternions."""
    return np.asarray(quaternions * np.array([1.0, -1.0, -1.0, -1.0]))


def exp_quaternion(vectors: Array) -> Array:
    """Return the unit quaternions that rotate by ``vectors`` (…, 3)."""
    half = np.linalg.norm(vectors, axis=-1, keepdims=True) / 2
    parts = [np.cos(half), vectors / 2 * np.sinc(half / np.pi)]
    return np.asarray(np.concatenate(parts, axis=-1))


def log_quaternion(quaternions: Array) -> Array:
    """Return the rotation vectors (…, 3), at most π long, of unit quaternions."""
    q = np.where(quaternions[..., :1] < 0, -quaternions, quaternions)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[..., :1])
    factor = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-300), 2.0)
    return np.asarray(q[..., 1:] * factor)


def log_rotation(rotations: Array) -> Array:
    """Return the rotation vectors (…, 3) of ``rotations`` (…, 3, 3)."""
    return log_quaternion(quaternion_of(rotations))


def angle_deg(rotations: Array) -> Array:
    """Return the angle of each rotation, 0 to 180 degrees."""
    return np.asarray(np.degrees(np.linalg.norm(log_rotation(rotations), axis=-1)))


def nearest_rotation(matrices: Array) -> Array:
    """Return the rotations nearest to ``matrices`` (…, 3, 3) by the Frobenius norm."""
    u, _, vt = np.linalg.svd(matrices)
    sign = np.sign(np.linalg.det(u @ vt))
    u = u.copy()
    u[..., :, 2] *= sign[..., None]
    return np.asarray(u @ vt)


def from_yaw_pitch_roll(yaw: Array, pitch: Array, roll: Array) -> Array:
    """Return camera-to-world rotations: yaw to the right, then pitch up, then roll clockwise."""
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw, pitch, roll))
    around_y = _stack([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    around_x = _stack([[one, zero, zero], [zero, cp, -sp], [zero, sp, cp]])
    around_z = _stack([[cr, -sr, zero], [sr, cr, zero], [zero, zero, one]])
    return around_y @ around_x @ around_z


def to_yaw_pitch_roll(rotations: Array) -> tuple[Array, Array, Array]:
    """Return yaw and roll (−π to π) and pitch (−π/2 to π/2) of camera-to-world ``rotations``.

    At a pitch of ±90° yaw and roll turn about one axis; roll is then 0.
    """
    r: Any = np.asarray(rotations, dtype=np.float64)
    pitch = np.arcsin(np.clip(-r[..., 1, 2], -1, 1))
    level = np.abs(r[..., 1, 2]) < 1 - 1e-12
    yaw = np.where(
        level,
        np.arctan2(r[..., 0, 2], r[..., 2, 2]),
        np.arctan2(-r[..., 2, 0], r[..., 0, 0]),
    )
    roll = np.where(level, np.arctan2(r[..., 1, 0], r[..., 1, 1]), 0.0)
    return yaw, pitch, roll


def inverse_pose(poses: Array) -> Array:
    """Return the inverses of rigid poses (…, 4, 4)."""
    out = np.zeros_like(poses)
    turned = np.swapaxes(poses[..., :3, :3], -1, -2)
    out[..., :3, :3] = turned
    out[..., :3, 3] = -(turned @ poses[..., :3, 3:])[..., 0]
    out[..., 3, 3] = 1
    return out


def _stack(rows: list[list[Array]]) -> Array:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
