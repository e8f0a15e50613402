"""A camera on a rig: motion in operator's terms, and the resulting poses.

A step has seven numbers: yaw to the right, pitch up and roll clockwise in radians; forward and right
along the ground in the camera's heading, and up, in units; and the logarithm of the zoom. Within a
step the heading turns at a constant rate, so a step that yaws and trucks follows a circle. Any path
whose pitch stays below 90° is exactly a sequence of such steps.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.control.rotation import Array, from_yaw_pitch_roll, to_yaw_pitch_roll

__all__ = ["AXES", "integrate", "steps_of"]

AXES: Final = ("yaw", "pitch", "roll", "forward", "right", "up", "zoom")
"""The numbers of a step, in order."""


def integrate(steps: Array) -> tuple[Array, Array]:
    """Return the poses (N + 1, 4, 4) from the origin on, and the logarithm of the zoom (N + 1)."""
    start = np.zeros((1, 7))
    sums = np.concatenate([start, np.cumsum(steps, axis=0)])
    yaw, pitch, roll = sums[:, 0], sums[:, 1], sums[:, 2]
    poses = np.tile(np.eye(4), (len(sums), 1, 1))
    poses[:, :3, :3] = from_yaw_pitch_roll(yaw, pitch, roll)
    turn = steps[:, 0]
    middle = yaw[:-1] + turn / 2
    chord = np.sinc(turn / 2 / np.pi)
    x = chord * (steps[:, 3] * np.sin(middle) + steps[:, 4] * np.cos(middle))
    z = chord * (steps[:, 3] * np.cos(middle) - steps[:, 4] * np.sin(middle))
    moved = np.stack([x, -steps[:, 5], z], axis=1)
    poses[1:, :3, 3] = np.cumsum(moved, axis=0)
    return poses, sums[:, 6]


def steps_of(poses: Array, zoom: Array) -> Array:
    """Return the steps (N, 7) between ``poses`` (N + 1, 4, 4), with the focal factor of each."""
    yaw, pitch, roll = (np.unwrap(a) for a in to_yaw_pitch_roll(poses[:, :3, :3]))
    turn = np.diff(yaw)
    middle = yaw[:-1] + turn / 2
    moved = np.diff(poses[:, :3, 3], axis=0) / np.sinc(turn / 2 / np.pi)[:, None]
    sine, cosine = np.sin(middle), np.cos(middle)
    return np.column_stack(
        [
            turn,
            np.diff(pitch),
            np.diff(roll),
            moved[:, 0] * sine + moved[:, 2] * cosine,
            moved[:, 0] * cosine - moved[:, 2] * sine,
            -np.diff(poses[:, 1, 3]),
            np.diff(np.log(zoom)),
        ]
    )
