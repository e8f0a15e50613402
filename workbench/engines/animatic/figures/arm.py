"""A robot arm on a bench that picks something up and puts it down elsewhere.

Drawn one unit tall, the bench's foot at y = 0. Two links, a wrist and a gripper, bent by the law of
cosines; the gripper follows keys over one cycle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, reach

__all__ = ["held_at", "paint_arm"]

_TOP: Final = -0.30
"""The height of the bench."""
_SHOULDER: Final = (-0.46, _TOP - 0.17)
_LINKS: Final = (0.50, 0.46)
_HAND: Final = 0.15
"""Distance from the wrist to the held thing."""
_OBJECT: Final = 0.16
_FROM, _TO = 0.60, 0.14
_HIGH: Final = _TOP - 0.56

# Time (share of the cycle), gripper position (x, height of the held thing), and opening.
_KEYS: Final = (
    (0.00, 0.34, _HIGH, 1.0),
    (0.14, _FROM, _TOP - 0.22, 1.0),
    (0.24, _FROM, _TOP, 1.0),
    (0.32, _FROM, _TOP, 0.0),
    (0.46, _FROM - 0.04, _HIGH + 0.06, 0.0),
    (0.62, _TO + 0.04, _HIGH + 0.06, 0.0),
    (0.76, _TO, _TOP, 0.0),
    (0.84, _TO, _TOP, 1.0),
    (0.92, _TO + 0.04, _TOP - 0.25, 1.0),
    (1.00, 0.34, _HIGH, 1.0),
)
_CLOSED, _OPENED = 0.32, 0.80


def held_at(pose: Pose) -> tuple[float, float, float]:
    """Return the foot position and the height of the moved thing, in heights of the figure."""
    if pose.phase < _CLOSED:
        return _FROM, _TOP, _OBJECT
    if pose.phase < _OPENED:
        x, y, _ = _gripper(pose.phase)
        return x, y, _OBJECT
    return _TO, _TOP, _OBJECT


def paint_arm(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint bench, arm and gripper; the caller paints the held thing."""
    shell = ink.main or colour_of(look, "shell", (0.93, 0.94, 0.95))
    accent, steel = colour_of(look, "accent", (0.95, 0.55, 0.12)), (0.42, 0.45, 0.50)
    _bench(canvas, ink)
    x, y, opened = _gripper(pose.phase)
    wrist = (x, y - _OBJECT - _HAND)
    elbow = reach(_SHOULDER, wrist, *_LINKS, forward=False)
    if elbow[1] > _SHOULDER[1] - 0.05:
        elbow = reach(_SHOULDER, wrist, *_LINKS, forward=True)
    foot = (_SHOULDER[0], _TOP)
    canvas.limb((foot[0], foot[1] - 0.10), _SHOULDER, 0.10, 0.075, ink.half(shell))
    canvas.rectangle(foot[0] - 0.15, _TOP - 0.05, foot[0] + 0.15, _TOP, ink.dark(steel))
    canvas.limb(_SHOULDER, elbow, 0.066, 0.054, ink.lit(shell))
    canvas.limb(elbow, wrist, 0.052, 0.038, ink.lit(shell))
    for joint, r in ((_SHOULDER, 0.088), (elbow, 0.07), (wrist, 0.05)):
        canvas.ellipse(*joint, r, r, ink.half(accent))
        canvas.ellipse(*joint, r * 0.55, r * 0.55, ink.lit(steel))
    palm = (wrist[0], wrist[1] + 0.07)
    canvas.limb(wrist, palm, 0.034, 0.034, ink.half(steel))
    apart = _OBJECT * 0.5 + 0.022 + 0.05 * opened
    canvas.rectangle(
        palm[0] - apart - 0.02, palm[1], palm[0] + apart + 0.02, palm[1] + 0.035, ink.dark(steel)
    )
    for side in (-1, 1):
        finger = palm[0] + side * apart
        canvas.rectangle(finger - 0.018, palm[1], finger + 0.018, palm[1] + 0.17, ink.half(steel))


def _bench(canvas: Canvas, ink: Ink) -> None:
    wood, leg = (0.74, 0.70, 0.64), (0.36, 0.38, 0.42)
    for x in (-0.74, 0.80):
        canvas.rectangle(x - 0.03, _TOP, x + 0.03, 0.0, ink.half(leg))
    canvas.rectangle(-0.88, _TOP, 0.94, _TOP + 0.05, ink.lit(wood))
    canvas.rectangle(-0.88, _TOP + 0.05, 0.94, _TOP + 0.075, ink.dark(wood))


def _gripper(phase: float) -> tuple[float, float, float]:
    """Return position and opening of the gripper, eased from key to key."""
    for (t0, *first), (t1, *last) in pairwise(_KEYS):
        if phase <= t1:
            share = (phase - t0) / (t1 - t0)
            soft = (1 - math.cos(math.pi * share)) / 2
            x, y, opened = (a + (b - a) * soft for a, b in zip(first, last, strict=True))
            return x, y, opened
    return _KEYS[-1][1:]
