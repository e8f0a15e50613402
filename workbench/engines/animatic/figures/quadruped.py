"""Four-legged animals: one jointed body whose proportions make the dog, the horse, the elephant.

Drawn one unit tall at the withers' top of head when standing, paws at y = 0, facing right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, reach, smooth, wave
from workbench.engines.animatic.figures.coats import paint_markings
from workbench.engines.animatic.figures.muzzles import HEADS
from workbench.engines.animatic.figures.oncoming import paint_oncoming

__all__ = ["paint_quadruped"]

# Where a foot is over one stride: forward of its hip (in strides) and how high (in leg lengths).
_STEP: Final[Mapping[str, tuple[Any, Any]]] = {
    "walk": ((0.5, 0.25, 0.0, -0.25, -0.5, -0.2, 0.3, 0.55), (0, 0, 0, 0, 0.02, 0.2, 0.22, 0.08)),
    "trot": (
        (0.5, 0.17, -0.17, -0.5, -0.5, -0.15, 0.3, 0.55),
        (0, 0, 0, 0.04, 0.24, 0.36, 0.28, 0.1),
    ),
    "gallop": (
        (0.6, 0.1, -0.4, -0.7, -0.75, -0.3, 0.3, 0.75),
        (0, 0, 0.02, 0.14, 0.32, 0.46, 0.38, 0.16),
    ),
}
# When each foot comes down: near fore, far fore, near hind, far hind (fractions of the stride).
_ORDER: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "walk": (0.25, 0.75, 0.0, 0.5),
    "trot": (0.0, 0.5, 0.5, 0.0),
    "gallop": (0.55, 0.45, 0.05, 0.95),
}
_REACH: Final = {"walk": 0.62, "trot": 0.85, "gallop": 1.25}


def paint_quadruped(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint the animal of ``look``: leg, length, deep, neck, head, ears, tail, coat and so on."""
    beast = Beast(pose, ink, look)
    if pose.front != "side":
        paint_oncoming(canvas, beast)
        return
    beast.tail(canvas)
    beast.legs(canvas, far=True)
    beast.body(canvas)
    beast.legs(canvas, far=False)
    beast.head(canvas)


class Beast:
    """One animal in one pose."""

    def __init__(self, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
        self.pose, self.ink, self.look = pose, ink, look
        self.gait = pose.gait if pose.gait in _STEP else ""
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

    def body(self, canvas: Canvas) -> None:
        look, at = self.look, self.at
        hump, tuck = float(look.get("hump", 0.0)), float(look.get("tuck", 0.12))
        chest = float(look.get("chest", 1.0))
        breath = 0.015 * self.pose.swing() if not self.gait else 0.0
        outline = smooth(
            [
                at(1.28, 0.22),
                at(1.02, 0.55 + 0.2 * hump),
                at(0.45, 0.43 + hump + breath),
                at(-0.4, 0.42 + 0.3 * hump + breath),
                at(-1.0, 0.51),
                at(-1.34, 0.18),
                at(-1.26, -0.26),
                at(-0.62, -0.40 + tuck),
                at(0.1, -0.46 + tuck * 0.4 - breath),
                at(0.8, -0.52 * chest),
                at(1.22, -0.26 * chest),
            ]
        )
        canvas.polygon(outline, self.ink.lit(self.coat))
        under = smooth(
            [
                at(1.15, -0.24 * chest),
                at(0.6, -0.16),
                at(-0.3, -0.14),
                at(-1.0, -0.2),
                at(-0.6, -0.39 + tuck),
                at(0.1, -0.45 + tuck * 0.4 - breath),
                at(0.8, -0.5 * chest),
            ]
        )
        canvas.polygon(under, self.ink.half(self.belly))
        paint_markings(canvas, self)

    def legs(self, canvas: Canvas, *, far: bool) -> None:
        tone = self.ink.dark if far else self.ink.lit
        aside = -0.05 * self.length if far else 0.0
        for fore in (False, True):
            self._leg(canvas, fore=fore, far=far, tone=tone, aside=aside)

    def _leg(self, canvas: Canvas, *, fore: bool, far: bool, tone: Any, aside: float) -> None:
        thick = float(self.look.get("thick", 0.07))
        root = self.at(0.93 if fore else -0.98, -0.12)
        root = (root[0] + aside * (0.6 if fore else 1), root[1])
        foot = self._foot(root, fore=fore, far=far)
        upper = self.leg * (0.54 if fore else 0.60)
        lower = max(
            self.leg * 0.62, math.hypot(foot[0] - root[0], foot[1] - root[1]) - upper + 0.002
        )
        knee = reach(root, foot, upper, lower, forward=fore and not self.look.get("plantigrade"))
        coat, shin = tone(self.coat), tone(self.points if self.look.get("socks") else self.coat)
        canvas.limb(knee, foot, thick * 0.62, thick * 0.50, shin)
        canvas.limb(root, knee, thick * (1.25 if fore else 1.7), thick * 0.72, coat)
        paw = tone(mix(self.points, self.coat, 0.25))
        size = float(self.look.get("paw", 0.055))
        canvas.limb(
            (foot[0] - size * 0.2, foot[1] - size * 0.25),
            (foot[0] + size * 0.75, foot[1] - size * 0.2),
            size * 0.52,
            size * 0.42,
            paw,
        )

    def _foot(self, root: tuple[float, float], *, fore: bool, far: bool) -> tuple[float, float]:
        if self.gait:
            index = (1 if far else 0) if fore else (3 if far else 2)
            forward, height = _STEP[self.gait]
            phase = self.pose.phase - _ORDER[self.gait][index]
            stride = self.leg * _REACH[self.gait]
            ahead = wave(forward, phase) * stride
            lift = max(0.0, wave(height, phase)) * self.leg
            if self.gait == "gallop":
                lift += max(0.0, self.bob) * 0.5
            return root[0] + ahead, -lift
        if self.pose.gait in {"lie", "sleep"}:
            return root[0] + (0.26 if fore else 0.2) * (
                1 if not far else 0.85
            ) * self.leg * 2, -0.005
        if self.pose.gait == "jump":
            up = max(0.0, self.pose.swing())
            return root[0] + (0.3 if fore else -0.3) * up * self.leg * 1.6, -max(
                0.0, self.bob
            ) * 0.9 - 0.1 * up * self.leg
        return root[0] + (0.03 if fore else -0.03) * (-1 if far else 1), 0.0

    def tail(self, canvas: Canvas) -> None:
        kind = self.look.get("tail", "thin")
        if kind == "none":
            return
        x, y = self.at(-1.24, 0.3)
        wag = self.pose.swing(0.1, 2 if kind == "up" else 1)
        long = float(self.look.get("tail_length", 0.42))
        flow = 0.22 if self.gait in {"gallop", "trot"} else 0.0
        shapes = {
            "up": ((-0.5, -0.55 + 0.12 * wag), (-0.55 + 0.2 * wag, -1.0)),
            "thin": ((-0.45 - flow, 0.25 - flow), (-0.6 - 2 * flow + 0.1 * wag, 0.85 - 3 * flow)),
            "bushy": ((-0.55, 0.05 - flow), (-1.0, 0.35 - 2 * flow + 0.12 * wag)),
            "hair": (
                (-0.42 - flow, 0.12 - 0.5 * flow),
                (-0.52 - 2.2 * flow + 0.06 * wag, 0.95 - 2 * flow),
            ),
            "puff": ((-0.1, -0.1), (-0.18, -0.12)),
            "curl": ((-0.3, -0.3), (-0.05 + 0.1 * wag, -0.6)),
        }
        middle, end = shapes.get(kind, shapes["thin"])
        spine = smooth(
            [
                (x + 0.05, y),
                (x + middle[0] * long, y + middle[1] * long),
                (x + end[0] * long, y + end[1] * long),
            ],
            closed=False,
            count=7,
        )
        thick = {"bushy": 0.075, "hair": 0.05, "puff": 0.09, "up": 0.034}.get(kind, 0.024)
        colour = self.ink.half(self.points if kind == "hair" else self.coat)
        for index in range(len(spine) - 1):
            share = index / len(spine)
            swell = (
                math.sin(math.pi * (0.2 + 0.75 * share))
                if kind in {"bushy", "hair"}
                else 1 - 0.5 * share
            )
            canvas.limb(spine[index], spine[index + 1], thick * swell, thick * swell, colour)

    def head(self, canvas: Canvas) -> None:
        look, ink = self.look, self.ink
        shoulder = self.at(0.98, 0.16)
        neck, raised = float(look.get("neck", 0.22)), float(look.get("neck_angle", 52))
        if self.gait == "gallop":
            raised -= 16 - 5 * self.pose.swing(0.3)
        elif self.gait:
            raised += 3 * self.pose.swing(0.1, 2)
        elif self.pose.gait in {"eat", "drink"}:
            raised = -58 + 5 * self.pose.swing(0, 2)
        elif self.pose.gait in {"lie", "sleep"}:
            raised = raised * 0.4 if self.pose.gait == "lie" else -24
        else:
            raised += 4 * self.pose.swing()
        a = math.radians(raised)
        poll = (shoulder[0] + neck * math.cos(a), shoulder[1] - neck * math.sin(a))
        size = float(look.get("head", 0.15))
        width = float(look.get("neck_width", 0.11))
        canvas.limb(
            (shoulder[0] - 0.04, shoulder[1] + 0.02),
            poll,
            width * 1.35,
            max(width * 0.85, size * 0.5),
            ink.lit(self.coat),
        )
        if "mane" in look:
            self._mane(canvas, shoulder, poll, size)
        HEADS[look.get("face", "snout")](canvas, poll, size, self, raised)

    def _mane(
        self, canvas: Canvas, shoulder: tuple[float, float], poll: tuple[float, float], size: float
    ) -> None:
        colour = self.ink.half(self.points)
        if self.look["mane"] == "lion":
            mane = self.ink.half(mix(self.coat, (0.35, 0.16, 0.05), 0.6))
            for angle in np.linspace(0, 2 * np.pi, 11):
                canvas.ellipse(
                    poll[0] + math.cos(angle) * size * 0.75,
                    poll[1] + math.sin(angle) * size * 0.85,
                    size * 0.55,
                    size * 0.55,
                    mane,
                )
            return
        blow = 0.05 * (self.pose.swing(0.2) + (1.5 if self.gait == "gallop" else 0))
        canvas.polygon(
            smooth(
                [
                    (poll[0] + size * 0.2, poll[1] - size * 0.5),
                    (poll[0] - size * 0.5, poll[1] - size * 0.3),
                    (shoulder[0] - 0.13 - blow, shoulder[1] - 0.16),
                    (shoulder[0] - 0.12 - blow, shoulder[1] - 0.02),
                    (shoulder[0] + 0.02, shoulder[1] - 0.05),
                    (poll[0], poll[1]),
                ]
            ),
            colour,
        )
