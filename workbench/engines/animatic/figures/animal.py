"""The jointed body of a four-legged animal, without painting.

Knows proportions and poses; the painters of coats, heads and legs build on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.engines.animatic.colour import mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of

__all__ = ["STRIDES", "Animal"]

STRIDES: Final = frozenset({"walk", "trot", "gallop"})
"""Gaits with alternating feet."""


class Animal:
    """A four-legged animal in one pose: colours, proportions and body position."""

    def __init__(self, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
        self.pose, self.ink, self.look = pose, ink, look
        self.gait = pose.gait if pose.gait in STRIDES else ""
        coat = ink.main or colour_of(look, "coat", (0.62, 0.42, 0.24))
        self.coat = coat
        self.belly = (
            colour_of(look, "belly", mix(coat, (1, 0.95, 0.88), 0.35))
            if not ink.main
            else mix(coat, (1, 1, 1), 0.25)
        )
        self.points = colour_of(look, "points", mix(coat, (0.08, 0.06, 0.05), 0.55))
        self.leg = float(look.get("leg", 0.48))
        self.length = float(look.get("length", 0.85))
        self.deep = float(look.get("deep", 0.28))
        self._place()

    def _place(self) -> None:
        pose, gait = self.pose, self.gait
        self.bob = 0.0
        self.pitch = 0.0
        self.flex = 0.0
        if gait == "gallop":
            self.bob = 0.06 * pose.swing(0.1)
            self.pitch = 7 * pose.swing(0.32)
            self.flex = 0.07 * pose.swing(0.55)
        elif gait in {"walk", "trot"}:
            self.bob = (0.008 if gait == "walk" else 0.022) * pose.swing(0, 2)
        elif pose.gait == "jump":
            self.bob = 0.35 * max(0.0, pose.swing()) - 0.05 * max(0.0, -pose.swing())
            self.pitch = -14 * pose.swing(0.25)
        elif pose.gait in {"lie", "sleep"}:
            self.bob = -self.leg * 0.72
        elif pose.gait == "sit":
            self.pitch = -34
        low = self.leg + self.bob
        half = self.length * (0.5 + self.flex) * 0.76
        angle = math.radians(self.pitch)
        centre_y = -(low + self.deep * 0.42) + (0.08 * self.length if pose.gait == "sit" else 0.0)
        self.centre = (0.0, centre_y)
        self.fore = (half * math.cos(angle), centre_y + half * math.sin(angle))
        self._half, self._turn = half, (math.cos(angle), math.sin(angle))
        self._arch = self.flex * -0.5 if gait == "gallop" else 0.0

    def at(self, along: float, up: float) -> tuple[float, float]:
        """Return a point of the body: along from hind (−1) to fore (1), up in body depths."""
        x, y = along * self._half, -up * self.deep
        c, s = self._turn
        arch = self._arch * (1 - along * along)
        return self.centre[0] + c * x - s * y, self.centre[1] + s * x + c * y + arch
