"""Describes a camera path in words that :mod:`workbench.control.words` reads back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.control.camera_path import CameraPath
from workbench.control.conversion import DEFAULT_FPS, MAX_FRAMES, Converted
from workbench.control.moves import EASES
from workbench.control.rig import AXES, steps_of
from workbench.control.rotation import Array, angle_deg
from workbench.control.words import path_from_words

__all__ = ["path_to_words"]

_STILL: Final = 1e-9
_SAME_DIRECTION: Final = 1e-7
_MOST_MOVES: Final = 12
_WINDOW_S: Final = 1.0
_NOTICEABLE: Final = np.array([2e-3, 2e-3, 2e-3, 1e-3, 1e-3, 1e-3, 1e-3])
"""Movements of an irregular path below this amount, per axis, are not described."""
_EXACT: Final = 1e-4


@dataclass(frozen=True, slots=True)
class _Run:
    """Steps in one direction."""

    start: int
    stop: int
    dolly_zoom_radius: float = 0.0


def path_to_words(path: CameraPath) -> Converted[str]:
    """Return ``path`` in words, with amounts and times, as seen from its first pose.

    Movements of :func:`path_from_words` come back exactly (to six digits). Any other path is
    described second by second; the notes say how far the words deviate from it.
    """
    notes = []
    if len(path.keyframes) < 2:
        return Converted("static", ("The path is a single pose.",))
    if not np.allclose(path.c2w[0], np.eye(4), atol=1e-6):
        notes.append("Words start at the first pose; its position in the world is lost.")
    fps = path.fps
    if fps is None or len(path.keyframes) < 8:
        fps = DEFAULT_FPS
    count = max(2, min(MAX_FRAMES, round(path.duration_s * fps) + 1))
    poses = path.relative().poses(count, fps)
    lenses = path.lenses(count, fps)
    steps = steps_of(poses, lenses[:, 0] / lenses[0, 0])
    runs = _runs(steps)
    if len(runs) > _MOST_MOVES:
        window = max(1, math.ceil(max(_WINDOW_S * fps, len(steps) / _MOST_MOVES)))
        runs = [_Run(i, min(i + window, len(steps))) for i in range(0, len(steps), window)]
        text = ", then ".join(_phrase(steps, run, fps, _NOTICEABLE) for run in runs)
    else:
        text = ", then ".join(_phrase(steps, run, fps, np.full(7, _STILL)) for run in runs)
    again = path_from_words(text, fps=fps, intrinsics=path.intrinsics).value
    notes += _deviation(again, poses, lenses, fps)
    return Converted(text, tuple(notes))


def _runs(steps: Array) -> list[_Run]:
    runs: list[_Run] = []
    index = 0
    while index < len(steps):
        stop, radius = _dolly_zoom(steps, index)
        if not radius:
            stop = _straight(steps, index)
        runs.append(_Run(index, stop, radius))
        index = stop
    return runs


def _straight(steps: Array, start: int) -> int:
    """Return where the steps from ``start`` on change direction."""
    first = steps[start]
    if np.linalg.norm(first) < _STILL:
        moving = np.linalg.norm(steps[start:], axis=1) >= _STILL
        return start + int(np.argmax(moving)) if moving.any() else len(steps)
    stop = start + 1
    total = first.copy()
    while stop < len(steps):
        step = steps[stop]
        length = float(np.linalg.norm(step))
        if length < _STILL:
            break
        if step @ total < (1 - _SAME_DIRECTION) * length * float(np.linalg.norm(total)):
            break
        total += step
        stop += 1
    return stop


def _dolly_zoom(steps: Array, start: int) -> tuple[int, float]:
    """Return where a dolly zoom that begins at ``start`` ends, and its radius, or 0."""
    forward, zoom = np.cumsum(steps[start:, 3]), np.cumsum(steps[start:, 6])
    others = np.abs(steps[start:][:, [0, 1, 2, 4, 5]]).max(axis=1) < _STILL
    if not others[0] or forward[0] * zoom[0] >= 0:
        return start, 0.0
    radius = float(forward[0] / (1 - np.exp(zoom[0])))
    left = 1 - forward / radius
    fits = others & (left > 0)
    fits &= np.abs(np.log(np.maximum(left, 1e-9)) - zoom) < 1e-6
    count = len(fits) if fits.all() else int(np.argmin(fits))
    return (start + count, radius) if count >= 3 else (start, 0.0)


def _phrase(steps: Array, run: _Run, fps: float, least: Array) -> str:
    part = steps[run.start : run.stop]
    total = dict(zip(AXES, part.sum(axis=0).tolist(), strict=True))
    time_s = f" over {_number(len(part) / fps)} s"
    if run.dolly_zoom_radius:
        term = "dolly zoom" if total["forward"] > 0 else "dolly zoom out"
        away = f" at a distance of {_number(run.dolly_zoom_radius)}"
        return f"{term} {_units(total['forward'])}{away}{_pace(part[:, 3])}{time_s}"
    phrases = _components(total, dict(zip(AXES, least.tolist(), strict=True)))
    if not phrases:
        return f"hold{time_s}"
    pace = _pace(part[:, int(np.argmax(np.abs(part.sum(axis=0))))])
    if pace == "whip":
        if phrases == [found for found in phrases if found.startswith("pan ")]:
            return f"whip {phrases[0]}{time_s}"
        pace = ""
    return f"{' and '.join(phrases)}{pace}{time_s}"


def _components(total: dict[str, float], least: dict[str, float]) -> list[str]:
    found = []
    yaw, right = total["yaw"], total["right"]
    moves = {axis for axis, value in total.items() if abs(value) > least[axis]}
    if {"yaw", "right"} <= moves and yaw * right < 0:
        side = "left" if yaw > 0 else "right"
        radius = _number(-right / yaw)
        found.append(f"orbit {side} {_degrees(yaw)} at a distance of {radius}")
        moves -= {"yaw", "right"}
    for axis, more, less, amount in (
        ("yaw", "pan right", "pan left", _degrees),
        ("pitch", "tilt up", "tilt down", _degrees),
        ("roll", "roll right", "roll left", _degrees),
        ("forward", "dolly in", "dolly out", _units),
        ("right", "truck right", "truck left", _units),
        ("up", "crane up", "crane down", _units),
        ("zoom", "zoom in", "zoom out", _times),
    ):
        if axis in moves:
            found.append(f"{more if total[axis] > 0 else less} {amount(total[axis])}")
    return found


def _pace(steps: Array) -> str:
    """Return the words for the movement's easing."""
    if len(steps) < 2:
        return ""
    along = np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])
    shares = np.linspace(0, 1, len(along))
    gaps = {name: float(np.abs(ease(shares) - along).max()) for name, ease in EASES.items()}
    best = min(gaps, key=gaps.__getitem__)
    return {"smooth": "", "linear": " at constant speed", "whip": "whip"}[best]


def _deviation(again: CameraPath, poses: Array, lenses: Array, fps: float) -> list[str]:
    theirs = again.poses(len(poses), fps)
    turned = np.swapaxes(theirs[:, :3, :3], 1, 2) @ poses[:, :3, :3]
    degrees = float(angle_deg(turned).max())
    units = float(np.linalg.norm(theirs[:, :3, 3] - poses[:, :3, 3], axis=1).max())
    zoom = float(np.abs(again.lenses(len(poses), fps)[:, 0] / lenses[:, 0] - 1).max())
    far = max(1.0, float(np.abs(poses[:, :3, 3]).max()))
    if degrees < _EXACT and units < _EXACT * far and zoom < _EXACT:
        return []
    lost = f" and {zoom:.2g} of the focal length" if zoom >= _EXACT else ""
    return [f"The words stray from the path by up to {degrees:.2g}°, {units:.2g} units{lost}."]


def _degrees(radians: float) -> str:
    return f"{_number(math.degrees(abs(radians)))} degrees"


def _units(value: float) -> str:
    return f"{_number(abs(value))} units"


def _times(value: float) -> str:
    return f"{_number(math.exp(abs(value)))}x"


def _number(value: float) -> str:
    shown = f"{value:.9g}"
    return f"{value:.12f}".rstrip("0").rstrip(".") if "e" in shown else shown
