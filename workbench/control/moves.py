"""Camera movements: the motion of each term, and the path of a sequence of them.

Terms are those of the vocabulary's ``camera_movement`` and the finer ones of
``movements.toml``. Knows nothing of sentences.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.conversion import MAX_FRAMES, invalid
from workbench.control.rig import AXES, integrate
from workbench.control.rotation import Array, from_yaw_pitch_roll

__all__ = ["EASES", "Move", "move_of", "movement_table", "named_moves", "path_of_moves"]

_WHIP: Final = 18.0
_ANGLES: Final = frozenset({"yaw", "pitch", "roll"})


@cache
def movement_table() -> Mapping[str, Any]:
    """Return ``movements.toml``."""
    return tomllib.loads(Path(__file__).with_name("movements.toml").read_text("utf-8"))


def named_moves() -> tuple[str, ...]:
    """Return the movements whose name includes the direction."""
    rows = movement_table()["movement"].items()
    return tuple(
        term
        for term, row in rows
        if not row.get("to", {}).keys() - {"in", "out"} and "unsaid" not in row
    )


@dataclass(frozen=True, slots=True)
class Move:
    """Simultaneous camera motions over one interval."""

    seconds: float
    amounts: Mapping[str, float] = field(default_factory=dict)
    """By the rig's axes: radians, units, and the logarithm of the zoom; and ``orbit``, radians."""
    radius: float = 1.0
    """Distance of the subject of an orbit or dolly zoom, units."""
    ease: str = "smooth"
    keep_size: bool = False
    shake_deg: float = 0.0


def move_of(term: str, seconds: float, *, distance: float, factor: float = 1.0) -> Move:
    """Return the movement ``term`` with its default amount times ``factor``."""
    row = movement_table()["movement"][term]
    amounts: dict[str, float] = {}
    for axis in (*AXES, "orbit"):
        if axis in row:
            value = row[axis]
            if axis in _ANGLES or axis == "orbit":
                amounts[axis] = math.radians(value) * factor
            elif axis == "zoom":
                amounts[axis] = math.log(value) * factor
            else:
                amounts[axis] = value * distance * factor
    return Move(
        seconds,
        amounts,
        distance,
        row.get("ease", "smooth"),
        row.get("keep_size", False),
        row.get("shake", 0.0) * factor,
    )


def path_of_moves(
    moves: Sequence[Move], *, fps: float, intrinsics: Intrinsics, seed: int = 0
) -> CameraPath:
    """Return the path of ``moves`` one after another, one pose per frame, from the origin.

    Raises ``InvalidRequest`` for a path of more than ``MAX_FRAMES`` frames.
    """
    ends = np.cumsum([move.seconds for move in moves])
    counts = np.rint(ends * fps).astype(int)
    if not 0 < counts[-1] < MAX_FRAMES:
        raise invalid("seconds", f"make {counts[-1]} frames; 1 to {MAX_FRAMES - 1} are possible")
    spans = np.diff(counts, prepend=0)
    steps = [_steps(move, int(n)) for move, n in zip(moves, spans, strict=True) if n]
    poses, zoom = integrate(np.concatenate(steps))
    shake = np.concatenate([np.full(n, m.shake_deg) for m, n in zip(moves, spans, strict=True)])
    if shake.any():
        poses = _shaken(poses, np.concatenate([[0.0], shake]), fps, seed)
    lenses = None
    if np.abs(zoom).max() > 0:
        size = intrinsics.width, intrinsics.height
        fx, fy, cx, cy = intrinsics.vector
        lenses = [
            Intrinsics.of_vector((fx * z, fy * z, cx, cy), *size) for z in np.exp(zoom).tolist()
        ]
    return CameraPath.of_poses(poses, fps=fps, intrinsics=intrinsics, lenses=lenses)


def _smooth(share: Array) -> Array:
    """Mostly constant speed with eased ends, like a fluid head moved by hand."""
    soft = share * share * (3 - 2 * share)
    return np.asarray(0.55 * share + 0.45 * soft)


def _whip(share: Array) -> Array:
    curve = 1 / (1 + np.exp(-_WHIP * (share - 0.5)))
    return np.asarray((curve - curve[0]) / (curve[-1] - curve[0]))


def _linear(share: Array) -> Array:
    return share


EASES: Final = {"smooth": _smooth, "linear": _linear, "whip": _whip}
"""Easing: the share of the path at each share (0 to 1) of the time."""


def _steps(move: Move, count: int) -> Array:
    ease = EASES[move.ease] if count > 1 else _linear
    along = ease(np.linspace(0, 1, count + 1))
    whole = np.array([move.amounts.get(axis, 0.0) for axis in AXES])
    if orbit := move.amounts.get("orbit", 0.0):
        whole[0] += orbit
        whole[4] -= orbit * move.radius
    steps = np.diff(along)[:, None] * whole
    if move.keep_size:
        left = np.maximum(move.radius - whole[3] * along, 1e-3)
        steps[:, 6] += np.diff(np.log(left / move.radius))
    return np.asarray(steps)


def _shaken(poses: Array, degrees: Array, fps: float, seed: int) -> Array:
    """Add hand-held sway: incommensurate sines that fade in and out over a quarter second."""
    t = np.arange(len(poses)) / fps
    width = max(1, round(fps / 4))
    padded = np.pad(degrees, width, mode="constant")
    amount = np.radians(np.convolve(padded, np.ones(2 * width + 1) / (2 * width + 1), "valid"))
    amount[0] = 0
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (3, 3))
    rates = np.array([5.3, 9.1, 17.7])
    weights = np.array([1.0, 0.6, 0.35])
    sway = (np.sin(t[:, None, None] * rates + phases) * weights).sum(axis=2)
    turned = poses.copy()
    turned[:, :3, :3] = poses[:, :3, :3] @ from_yaw_pitch_roll(
        amount * sway[:, 0], amount * sway[:, 1], amount * sway[:, 2] * 0.4
    )
    return turned
