"""Interpolates the keyframes of a camera path: smooth curves exactly through every keyframe.

Positions follow a cubic Hermite curve with Catmull–Rom tangents for uneven times; rotations follow
a cubic Bézier curve on unit quaternions (Kim, Kim and Shin, *A general construction scheme for unit
quaternion curves*, 1995) with tangents of the same kind. For only two keyframes that is a
straight line and a slerp. Between two equal keyframes the camera stands still.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.control.rotation import (
    Array,
    conjugate,
    exp_quaternion,
    log_quaternion,
    matrix_of,
    multiply,
    quaternion_of,
)

__all__ = ["interpolate_poses", "interpolate_values", "tangents"]

_SAME_TIME_S = 1e-9


def interpolate_poses(times: Array, poses: Array, at: Array, *, smooth: bool) -> Array:
    """Return the poses (T, 4, 4) at the times ``at`` (T); outside, the ends hold.

    ``times`` (K) increase strictly; ``poses`` (K, 4, 4) are their camera-to-world matrices,
    returned bit for bit where ``at`` is within a nanosecond of a keyframe.
    """
    nearest = _nearest(times, at)
    exact = np.abs(times[nearest] - at) <= _SAME_TIME_S
    out: Array = poses[nearest].copy()
    if len(times) > 1 and not exact.all():
        moments = np.clip(at, times[0], times[-1])
        index = np.clip(np.searchsorted(times, moments, side="right") - 1, 0, len(times) - 2)
        between = np.tile(np.eye(4), (len(at), 1, 1))
        between[:, :3, :3] = _rotations(times, poses[:, :3, :3], moments, index, smooth=smooth)
        between[:, :3, 3] = _positions(times, poses[:, :3, 3], moments, index, smooth=smooth)
        inside = (at > times[0]) & (at < times[-1]) & ~exact
        out[inside] = between[inside]
    return out


def interpolate_values(times: Array, values: Array, at: Array) -> Array:
    """Return ``values`` (K, D) at the times ``at``, linearly interpolated; the ends hold."""
    columns = [np.interp(at, times, values[:, d]) for d in range(values.shape[1])]
    return np.stack(columns, axis=1)


def _nearest(times: Array, at: Array) -> Any:
    after = np.clip(np.searchsorted(times, at), 0, len(times) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(times[before] - at) < np.abs(times[after] - at), before, after)


def _positions(times: Array, points: Array, at: Array, index: Any, *, smooth: bool) -> Array:
    span = np.diff(times)
    slopes = np.diff(points, axis=0) / span[:, None]
    speeds = tangents(span, slopes) if smooth else None
    h = span[index][:, None]
    u = ((at - times[index]) / span[index])[:, None]
    if speeds is None:
        return np.asarray(points[index] + (points[index + 1] - points[index]) * u)
    first, second = points[index], points[index + 1]
    return np.asarray(
        (1 + 2 * u) * (1 - u) ** 2 * first
        + u * (1 - u) ** 2 * h * speeds[index]
        + u * u * (3 - 2 * u) * second
        + u * u * (u - 1) * h * speeds[index + 1]
    )


def _rotations(times: Array, rotations: Array, at: Array, index: Any, *, smooth: bool) -> Array:
    span = np.diff(times)
    q = quaternion_of(rotations)
    steps = log_quaternion(multiply(conjugate(q[:-1]), q[1:]))
    h = span[index][:, None]
    u = ((at - times[index]) / span[index])[:, None]
    if not smooth:
        return matrix_of(multiply(q[index], exp_quaternion(steps[index] * u)))
    speeds = steps / span[:, None]
    turning = tangents(span, speeds)
    first, last = turning[index] * h / 3, turning[index + 1] * h / 3
    middle = log_quaternion(
        multiply(
            multiply(conjugate(exp_quaternion(first)), exp_quaternion(steps[index])),
            conjugate(exp_quaternion(last)),
        )
    )
    curve = q[index]
    for part, weight in (
        (first, 1 - (1 - u) ** 3),
        (middle, u * u * (3 - 2 * u)),
        (last, u**3),
    ):
        curve = multiply(curve, exp_quaternion(part * weight))
    return matrix_of(curve)


def tangents(span: Array, slopes: Array) -> Array:
    """Return the derivative at each of K points, from the ``slopes`` (K - 1, D) between them.

    It is the derivative of the parabola through a point and its neighbours, and zero beside a
    standstill.
    """
    h0, h1 = span[:-1, None], span[1:, None]
    before, after = slopes[:-1], slopes[1:]
    inner = (h1 * before + h0 * after) / (h0 + h1)
    still = (np.abs(before).max(axis=1) < 1e-12) | (np.abs(after).max(axis=1) < 1e-12)
    inner[still] = 0
    return np.concatenate([slopes[:1], inner, slopes[-1:]])
