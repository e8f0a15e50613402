"""Shared by all figures: ink, poses, and the geometry of limbs and smooth outlines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from workbench.engines.animatic.canvas import Canvas, Points
from workbench.engines.animatic.colour import Colour
from workbench.engines.pixels import Image

__all__ = ["Ink", "Pose", "bend", "joint", "smooth", "wave"]


@dataclass(frozen=True, slots=True)
class Pose:
    """The pose of a figure: its gait, and the phase of its cycle (0 to 1)."""

    gait: str
    phase: float
    front: str = "side"
    """The visible side: ``side``, ``front`` or ``rear``."""

    def swing(self, offset: float = 0.0, harmonic: int = 1) -> float:
        """Return a sine over the cycle, ``offset`` of a cycle later."""
        return math.sin(2 * math.pi * (harmonic * self.phase + offset))


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of a figure in the scene's light."""

    tone: Any
    """A function of (colour, lit) that returns the colour as shown."""
    main: Colour | None = None
    """The stated colour, if any."""

    def lit(self, colour: Colour) -> Colour:
        """Return ``colour`` on the near, lit side."""
        shown: Colour = self.tone(colour, 0.92)
        return shown

    def half(self, colour: Colour) -> Colour:
        """Return ``colour`` turned away from the light."""
        shown: Colour = self.tone(colour, 0.62)
        return shown

    def dark(self, colour: Colour) -> Colour:
        """Return ``colour`` in shade, on the far side."""
        shown: Colour = self.tone(colour, 0.34)
        return shown

    def glow(self, colour: Colour) -> Colour:
        """Return ``colour`` as emitted light."""
        shown: Colour = self.tone(colour, 1.5)
        return shown


def colour_of(look: Mapping[str, Any], name: str, fallback: Colour) -> Colour:
    """Return the colour that ``look`` gives ``name``."""
    value = look.get(name)
    return (value[0], value[1], value[2]) if value is not None else fallback


def joint(start: Points, length: float, degrees: float) -> tuple[float, float]:
    """Return the end of a limb: 0 degrees hangs down, positive swings forward (right)."""
    angle = math.radians(degrees)
    return start[0] + length * math.sin(angle), start[1] + length * math.cos(angle)


def bend(
    canvas: Canvas,
    start: Points,
    lengths: tuple[float, float],
    degrees: tuple[float, float],
    radii: tuple[float, float, float],
    colours: tuple[Colour, Colour],
) -> tuple[float, float]:
    """Paint a limb of two parts and return its end."""
    middle = joint(start, lengths[0], degrees[0])
    end = joint(middle, lengths[1], degrees[1])
    canvas.limb(middle, end, radii[1], radii[2], colours[1])
    canvas.limb(start, middle, radii[0], radii[1] * 1.05, colours[0])
    return end


def reach(
    start: Points, end: Points, first: float, second: float, *, forward: bool
) -> tuple[float, float]:
    """Return the joint between two bones from ``start`` to ``end``, bending forward or back."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    span = max(1e-6, math.hypot(dx, dy))
    span_in_reach = min(span, (first + second) * 0.999)
    along = (first**2 - second**2 + span_in_reach**2) / (2 * span_in_reach)
    aside = math.sqrt(max(0.0, first**2 - along**2)) * (1 if forward else -1)
    ux, uy = dx / span, dy / span
    return start[0] + ux * along + uy * aside, start[1] + uy * along - ux * aside


def smooth(points: Points, *, closed: bool = True, count: int = 6) -> Image:
    """Return a smooth outline through ``points`` (Catmull–Rom), ``count`` steps per segment."""
    return np.asarray(_spline(len(points), closed, count) @ np.asarray(points, np.float64))


@cache
def _spline(number: int, closed: bool, count: int) -> Image:
    """Return the matrix that maps ``number`` points to their smooth outline."""
    eye = np.eye(number)
    around = (
        np.concatenate([eye[-1:], eye, eye[:2]])
        if closed
        else np.concatenate([eye[:1], eye, eye[-1:]])
    )
    p0, p1, p2, p3 = around[:-3], around[1:-2], around[2:-1], around[3:]
    ts = np.linspace(0, 1, count, endpoint=False)[:, None, None]
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * ts
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * ts**2
        + (3 * p1 - p0 - 3 * p2 + p3) * ts**3
    )
    flat = curve.transpose(1, 0, 2).reshape(-1, number)
    return flat if closed else np.concatenate([flat, eye[-1:]])


def wave(values: Points, phase: float) -> float:
    """Return a value smoothly interpolated from a cyclic table of keys."""
    keys = values
    at = (phase % 1.0) * len(keys)
    index = int(at)
    share = at - index
    a, b, c, d = (keys[(index + k) % len(keys)] for k in (-1, 0, 1, 2))
    return float(
        b
        + 0.5
        * share
        * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a)))
    )
