"""Four-legged animals: one jointed body whose proportions make the dog, the horse, the elephant.

Drawn one unit tall at the withers' top of head when standing, paws at y = 0, facing right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, reach, smooth, wave

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
    beast = _Beast(pose, ink, look)
    beast.tail(canvas)
    beast.legs(canvas, far=True)
    beast.body(canvas)
    beast.legs(canvas, far=False)
    beast.head(canvas)


class _Beast:
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
        self.hind = (-half * math.cos(angle), centre_y - half * math.sin(angle))

    def _at(self, along: float, up: float) -> tuple[float, float]:
        """Return a point of the body: along from hind (−1) to fore (1), up in body depths."""
        angle = math.atan2(self.fore[1] - self.hind[1], self.fore[0] - self.hind[0])
        half = math.hypot(self.fore[0] - self.hind[0], self.fore[1] - self.hind[1]) / 2
        x, y = along * half, -up * self.deep
        c, s = math.cos(angle), math.sin(angle)
        arch = self.flex * -0.5 * (1 - along * along) if self.gait == "gallop" else 0.0
        middle = ((self.fore[0] + self.hind[0]) / 2, (self.fore[1] + self.hind[1]) / 2)
        return middle[0] + c * x - s * y, middle[1] + s * x + c * y + arch

    def body(self, canvas: Canvas) -> None:
        look, at = self.look, self._at
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
        self._markings(canvas)

    def _markings(self, canvas: Canvas) -> None:
        at, marks = self._at, self.look.get("marks")
        dark = self.ink.half(self.points)
        if marks == "stripes":
            for u in np.linspace(-1.15, 1.05, 10):
                canvas.polygon(
                    smooth(
                        [
                            at(u, 0.46),
                            at(u + 0.07, 0.44),
                            at(u + 0.12, 0.02),
                            at(u + 0.05, -0.2),
                            at(u + 0.03, 0.1),
                        ]
                    ),
                    dark,
                )
        elif marks in {"spots", "patches"}:
            size = 0.10 if marks == "spots" else 0.24
            places = [
                (-1.0, 0.2),
                (-0.7, -0.05),
                (-0.5, 0.3),
                (-0.2, 0.05),
                (0.1, 0.3),
                (0.3, -0.1),
                (0.55, 0.22),
                (0.85, 0.0),
                (0.95, 0.34),
            ]
            for index, (u, up) in enumerate(places if marks == "spots" else places[::3]):
                x, y = at(u, up)
                r = size * self.deep * (0.8 + 0.4 * (index % 3) / 2)
                canvas.ellipse(x, y, r * 1.4, r, dark)
        elif marks == "saddle":
            canvas.polygon(
                smooth(
                    [
                        at(0.9, 0.5),
                        at(0.5, 0.1),
                        at(-0.6, 0.12),
                        at(-1.2, 0.2),
                        at(-1.0, 0.49),
                        at(0, 0.47),
                    ]
                ),
                dark,
            )
        elif marks == "wool":
            for u in np.linspace(-1.15, 1.1, 8):
                for up in (0.42, 0.1, -0.24):
                    x, y = at(u + 0.1 * (up > 0.2), up)
                    canvas.ellipse(
                        x,
                        y,
                        0.2 * self.deep * 1.5,
                        0.2 * self.deep * 1.4,
                        self.ink.lit(mix(self.coat, (1, 1, 1), 0.15 + 0.1 * up)),
                    )
        elif marks == "spines":
            for u in np.linspace(-1.25, 0.8, 16):
                x, y = at(u, 0.34)
                canvas.polygon(((x - 0.02, y), (x - 0.09, y - 0.16), (x + 0.02, y)), dark)

    def legs(self, canvas: Canvas, *, far: bool) -> None:
        tone = self.ink.dark if far else self.ink.lit
        aside = -0.05 * self.length if far else 0.0
        for fore in (False, True):
            self._leg(canvas, fore=fore, far=far, tone=tone, aside=aside)

    def _leg(self, canvas: Canvas, *, fore: bool, far: bool, tone: Any, aside: float) -> None:
        thick = float(self.look.get("thick", 0.07))
        root = self._at(0.93 if fore else -0.98, -0.12)
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
        x, y = self._at(-1.24, 0.3)
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
        shoulder = self._at(0.98, 0.16)
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
        _HEADS.get(look.get("face", "snout"), _snout)(canvas, poll, size, self, raised)

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


def _ears(canvas: Canvas, x: float, y: float, size: float, beast: _Beast, dark: Colour) -> None:
    kind = beast.look.get("ears", "prick")
    back = -0.25 if beast.gait == "gallop" else 0.0
    if kind == "prick":
        canvas.polygon(
            (
                (x - size * 0.5, y - size * 0.3),
                (x - size * (0.42 - back), y - size * 1.15),
                (x + size * 0.02, y - size * 0.5),
            ),
            dark,
        )
        canvas.polygon(
            (
                (x - size * 0.2, y - size * 0.4),
                (x - size * (0.02 - back), y - size * 1.1),
                (x + size * 0.25, y - size * 0.42),
            ),
            beast.ink.half(beast.coat),
        )
    elif kind == "flop":
        flap = 0.15 * beast.pose.swing(0.2, 2) if beast.gait else 0.0
        canvas.polygon(
            smooth(
                [
                    (x - size * 0.35, y - size * 0.5),
                    (x + size * 0.02, y - size * 0.42),
                    (x - size * (0.05 + flap), y + size * 0.5),
                    (x - size * (0.5 + flap), y + size * 0.42),
                ]
            ),
            dark,
        )
    elif kind == "round":
        canvas.ellipse(x - size * 0.32, y - size * 0.62, size * 0.27, size * 0.27, dark)
        canvas.ellipse(
            x + size * 0.02, y - size * 0.66, size * 0.22, size * 0.22, beast.ink.half(beast.coat)
        )
    elif kind == "long":
        tilt = -0.5 if beast.gait == "gallop" else -0.1
        for k, tone in ((0.12, dark), (-0.08, beast.ink.half(beast.coat))):
            canvas.limb(
                (x - size * (0.2 + k), y - size * 0.4),
                (x + size * (tilt - k), y - size * 1.75),
                size * 0.16,
                size * 0.13,
                tone,
            )
    elif kind == "big":
        flap = 0.1 * beast.pose.swing(0.1)
        canvas.polygon(
            smooth(
                [
                    (x - size * 0.1, y - size * 0.55),
                    (x - size * (0.75 + flap), y - size * 0.65),
                    (x - size * (1.0 + flap), y + size * 0.1),
                    (x - size * 0.62, y + size * 0.65),
                    (x - size * 0.1, y + size * 0.2),
                ]
            ),
            dark,
        )


def _eye(canvas: Canvas, x: float, y: float, size: float, beast: _Beast) -> None:
    if beast.pose.gait == "sleep":
        return
    canvas.ellipse(x, y, size * 0.1, size * 0.12, beast.ink.dark((0.06, 0.05, 0.05)))
    canvas.ellipse(
        x + size * 0.03, y - size * 0.04, size * 0.03, size * 0.035, beast.ink.lit((1, 1, 1))
    )


def _snout(
    canvas: Canvas, poll: tuple[float, float], size: float, beast: _Beast, raised: float
) -> None:
    x, y = poll
    ink, look = beast.ink, beast.look
    long = float(look.get("snout", 0.9)) * size
    drop = math.sin(math.radians(min(0.0, raised))) * -long * 0.7 + 0.22 * size
    tip = (x + size * 0.35 + long * 0.9, y + drop + 0.1 * size)
    coat, dark = ink.lit(beast.coat), ink.half(beast.points)
    canvas.ellipse(x + size * 0.1, y - size * 0.02, size * 0.62, size * 0.56, coat)
    canvas.limb(
        (x + size * 0.3, y + size * 0.08),
        tip,
        size * 0.42,
        size * float(look.get("muzzle", 0.2)),
        coat,
    )
    pale = ink.half(beast.belly)
    canvas.limb(
        (x + size * 0.45, y + size * 0.3),
        (tip[0] - size * 0.02, tip[1] + size * 0.06),
        size * 0.18,
        size * float(look.get("muzzle", 0.2)) * 0.62,
        pale,
    )
    canvas.ellipse(
        tip[0] + size * 0.12,
        tip[1] - size * 0.06,
        size * 0.11,
        size * 0.09,
        ink.dark((0.08, 0.06, 0.06)),
    )
    _ears(canvas, x, y, size, beast, dark)
    _eye(canvas, x + size * 0.34, y - size * 0.14, size, beast)
    if horns := look.get("horns"):
        _horns(canvas, x, y, size, beast, horns)


def _round_face(
    canvas: Canvas, poll: tuple[float, float], size: float, beast: _Beast, raised: float
) -> None:
    x, y = poll[0] + size * 0.1, poll[1]
    ink = beast.ink
    del raised
    canvas.ellipse(x, y, size * 0.66, size * 0.58, ink.lit(beast.coat))
    _ears(
        canvas,
        x,
        y + size * 0.08,
        size,
        beast,
        ink.half(beast.coat if not beast.look.get("socks") else beast.points),
    )
    canvas.ellipse(x + size * 0.42, y + size * 0.18, size * 0.3, size * 0.22, ink.half(beast.belly))
    canvas.ellipse(
        x + size * 0.66, y + size * 0.08, size * 0.07, size * 0.06, ink.dark((0.35, 0.16, 0.16))
    )
    if beast.look.get("mask"):
        canvas.ellipse(
            x + size * 0.3, y - size * 0.08, size * 0.22, size * 0.18, ink.dark(beast.points)
        )
    _eye(canvas, x + size * 0.32, y - size * 0.1, size, beast)
    for dy in (-0.02, 0.1):
        canvas.line(
            (
                (x + size * 0.55, y + size * (0.2 + dy)),
                (x + size * 0.98, y + size * (0.16 + 2 * dy)),
            ),
            0.006,
            ink.half((0.9, 0.9, 0.88)),
            0.6,
        )


def _trunked(
    canvas: Canvas, poll: tuple[float, float], size: float, beast: _Beast, raised: float
) -> None:
    x, y = poll
    ink = beast.ink
    coat = ink.lit(beast.coat)
    del raised
    canvas.ellipse(x + size * 0.08, y, size * 0.66, size * 0.7, coat)
    swing = 0.2 * beast.pose.swing(0.2)
    trunk = smooth(
        [
            (x + size * 0.5, y + size * 0.05),
            (x + size * 0.92, y + size * 0.7),
            (x + size * (0.86 + swing), y + size * 1.6),
            (x + size * (1.05 + 1.6 * swing), y + size * 2.15),
        ],
        closed=False,
    )
    for index in range(len(trunk) - 1):
        share = index / len(trunk)
        canvas.limb(
            trunk[index],
            trunk[index + 1],
            size * (0.33 - 0.2 * share),
            size * (0.32 - 0.2 * share),
            ink.half(beast.coat) if index % 3 == 2 else coat,
        )
    canvas.polygon(
        smooth(
            [
                (x + size * 0.42, y + size * 0.5),
                (x + size * 0.62, y + size * 0.5),
                (x + size * 1.15, y + size * 1.0),
                (x + size * 1.4, y + size * 0.86),
                (x + size * 1.1, y + size * 1.12),
            ]
        ),
        ink.lit((0.95, 0.93, 0.84)),
    )
    _ears(canvas, x, y, size * 1.25, beast, ink.half(beast.coat))
    _eye(canvas, x + size * 0.36, y - size * 0.1, size * 0.8, beast)


def _horns(canvas: Canvas, x: float, y: float, size: float, beast: _Beast, kind: str) -> None:
    bone = beast.ink.half((0.86, 0.80, 0.68))
    if kind == "antlers":
        base = (x - size * 0.05, y - size * 0.5)
        beam = smooth(
            [base, (x - size * 0.55, y - size * 1.2), (x - size * 0.3, y - size * 2.0)],
            closed=False,
        )
        canvas.line(beam, size * 0.13, bone)
        for at, tip in ((2, (0.3, -1.05)), (5, (0.1, -1.6)), (8, (-0.85, -1.75))):
            canvas.line(
                (beam[min(at, len(beam) - 1)], (x + tip[0] * size, y + tip[1] * size)),
                size * 0.1,
                bone,
            )
    elif kind == "nose":
        front = x + size * 1.15
        canvas.polygon(
            (
                (front - size * 0.1, y + size * 0.12),
                (front + size * 0.3, y - size * 0.75),
                (front + size * 0.26, y + size * 0.2),
            ),
            bone,
        )
    elif kind == "giraffe":
        for k in (-0.15, 0.12):
            canvas.line(
                ((x + k * size, y - size * 0.45), (x + (k - 0.05) * size, y - size * 0.95)),
                size * 0.12,
                bone,
            )
            canvas.ellipse(
                x + (k - 0.05) * size,
                y - size * 1.0,
                size * 0.1,
                size * 0.1,
                beast.ink.dark(beast.points),
            )
    else:
        canvas.polygon(
            smooth(
                [
                    (x - size * 0.2, y - size * 0.5),
                    (x - size * 0.15, y - size * 0.95),
                    (x + size * 0.35, y - size * 1.2),
                    (x + size * 0.05, y - size * 0.85),
                    (x + size * 0.08, y - size * 0.5),
                ]
            ),
            bone,
        )


_HEADS: Final = {"snout": _snout, "round": _round_face, "trunk": _trunked}
