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
from workbench.engines.animatic.figures.animal import Animal
from workbench.engines.animatic.figures.body import Ink, Pose, reach, smooth, wave
from workbench.engines.animatic.figures.coats import paint_markings
from workbench.engines.animatic.figures.muzzles import HEADS
from workbench.engines.animatic.figures.oncoming import paint_oncoming

__all__ = ["paint_quadruped"]

# A foot over one stride: position forward of the hip (strides), height (leg lengths).
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
# Footfalls: near fore, far fore, near hind, far hind (fractions of the stride).
_ORDER: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "walk": (0.25, 0.75, 0.0, 0.5),
    "trot": (0.0, 0.5, 0.5, 0.0),
    "gallop": (0.55, 0.45, 0.05, 0.95),
}
_REACH: Final = {"walk": 0.62, "trot": 0.85, "gallop": 1.25}


def paint_quadruped(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint the animal of ``look``: leg, length, deep, neck, head, ears, tail, coat and so on."""
    animal = Animal(pose, ink, look)
    if pose.front != "side":
        paint_oncoming(canvas, animal)
        return
    _paint_tail(animal, canvas)
    _paint_wing(animal, canvas, far=True)
    _paint_legs(animal, canvas, far=True)
    _paint_body(animal, canvas)
    _paint_wing(animal, canvas, far=False)
    _paint_legs(animal, canvas, far=False)
    _paint_head(animal, canvas)


def _paint_body(animal: Animal, canvas: Canvas) -> None:
    look, at = animal.look, animal.at
    hump, tuck = float(look.get("hump", 0.0)), float(look.get("tuck", 0.12))
    chest = float(look.get("chest", 1.0))
    breath = 0.015 * animal.pose.swing() if not animal.gait else 0.0
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
    canvas.polygon(outline, animal.ink.lit(animal.coat))
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
    canvas.polygon(under, animal.ink.half(animal.belly))
    paint_markings(canvas, animal)


def _paint_legs(animal: Animal, canvas: Canvas, *, far: bool) -> None:
    tone = animal.ink.dark if far else animal.ink.lit
    aside = -0.05 * animal.length if far else 0.0
    for fore in (False, True):
        _paint_leg(animal, canvas, fore=fore, far=far, tone=tone, aside=aside)


def _paint_leg(
    animal: Animal, canvas: Canvas, *, fore: bool, far: bool, tone: Any, aside: float
) -> None:
    thick = float(animal.look.get("thick", 0.07))
    root = animal.at(0.93 if fore else -0.98, -0.12)
    root = (root[0] + aside * (0.6 if fore else 1), root[1])
    foot = _foot(animal, root, fore=fore, far=far)
    upper = animal.leg * (0.54 if fore else 0.60)
    lower = max(animal.leg * 0.62, math.hypot(foot[0] - root[0], foot[1] - root[1]) - upper + 0.002)
    knee = reach(root, foot, upper, lower, forward=fore and not animal.look.get("plantigrade"))
    coat, shin = tone(animal.coat), tone(animal.points if animal.look.get("socks") else animal.coat)
    canvas.limb(knee, foot, thick * 0.62, thick * 0.50, shin)
    canvas.limb(root, knee, thick * (1.25 if fore else 1.7), thick * 0.72, coat)
    paw = tone(mix(animal.points, animal.coat, 0.25))
    size = float(animal.look.get("paw", 0.055))
    canvas.limb(
        (foot[0] - size * 0.2, foot[1] - size * 0.25),
        (foot[0] + size * 0.75, foot[1] - size * 0.2),
        size * 0.52,
        size * 0.42,
        paw,
    )


def _foot(
    animal: Animal, root: tuple[float, float], *, fore: bool, far: bool
) -> tuple[float, float]:
    if animal.gait:
        index = (1 if far else 0) if fore else (3 if far else 2)
        forward, height = _STEP[animal.gait]
        phase = animal.pose.phase - _ORDER[animal.gait][index]
        stride = animal.leg * _REACH[animal.gait]
        ahead = wave(forward, phase) * stride
        lift = max(0.0, wave(height, phase)) * animal.leg
        if animal.gait == "gallop":
            lift += max(0.0, animal.bob) * 0.5
        return root[0] + ahead, -lift
    if animal.pose.gait in {"lie", "sleep"}:
        return root[0] + (0.26 if fore else 0.2) * (1 if not far else 0.85) * animal.leg * 2, -0.005
    if animal.pose.gait == "jump":
        up = max(0.0, animal.pose.swing())
        return root[0] + (0.3 if fore else -0.3) * up * animal.leg * 1.6, -max(
            0.0, animal.bob
        ) * 0.9 - 0.1 * up * animal.leg
    return root[0] + (0.03 if fore else -0.03) * (-1 if far else 1), 0.0


def _paint_tail(animal: Animal, canvas: Canvas) -> None:
    kind = animal.look.get("tail", "thin")
    if kind == "none":
        return
    x, y = animal.at(-1.24, 0.3)
    wag = animal.pose.swing(0.1, 2 if kind == "up" else 1)
    long = float(animal.look.get("tail_length", 0.42))
    flow = 0.22 if animal.gait in {"gallop", "trot"} else 0.0
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
    colour = animal.ink.half(animal.points if kind == "hair" else animal.coat)
    for index in range(len(spine) - 1):
        share = index / len(spine)
        swell = (
            math.sin(math.pi * (0.2 + 0.75 * share))
            if kind in {"bushy", "hair"}
            else 1 - 0.5 * share
        )
        canvas.limb(spine[index], spine[index + 1], thick * swell, thick * swell, colour)


def _paint_wing(animal: Animal, canvas: Canvas, *, far: bool) -> None:
    """Paint one wing of skin between fingers of bone, beating slowly."""
    if not animal.look.get("wings"):
        return
    x, y = animal.at(0.45 if far else 0.3, 0.36)
    beat = animal.pose.swing(0.05 if far else 0.0)
    skin = (animal.ink.dark if far else animal.ink.half)(mix(animal.coat, (0.9, 0.5, 0.2), 0.3))
    bone = (animal.ink.dark if far else animal.ink.lit)(animal.coat)
    tips = [(-0.12, -0.62), (-0.52, -0.5), (-0.82, -0.22), (-0.78, 0.06)]
    points = [(x + dx, y + dy * (0.7 + 0.35 * beat) - 0.1) for dx, dy in tips]
    canvas.polygon(smooth([(x + 0.06, y), *points, (x - 0.22, y + 0.06)], count=5), skin)
    for point in points:
        canvas.limb((x, y), point, 0.026, 0.01, bone)


def _paint_head(animal: Animal, canvas: Canvas) -> None:
    look, ink = animal.look, animal.ink
    shoulder = animal.at(0.98, 0.16)
    neck, raised = float(look.get("neck", 0.22)), float(look.get("neck_angle", 52))
    if animal.gait == "gallop":
        raised -= 16 - 5 * animal.pose.swing(0.3)
    elif animal.gait:
        raised += 3 * animal.pose.swing(0.1, 2)
    elif animal.pose.gait in {"eat", "drink"}:
        raised = -58 + 5 * animal.pose.swing(0, 2)
    elif animal.pose.gait in {"lie", "sleep"}:
        raised = raised * 0.4 if animal.pose.gait == "lie" else -24
    else:
        raised += 4 * animal.pose.swing()
    a = math.radians(raised)
    poll = (shoulder[0] + neck * math.cos(a), shoulder[1] - neck * math.sin(a))
    size = float(look.get("head", 0.15))
    width = float(look.get("neck_width", 0.11))
    canvas.limb(
        (shoulder[0] - 0.04, shoulder[1] + 0.02),
        poll,
        width * 1.35,
        max(width * 0.85, size * 0.5),
        ink.lit(animal.coat),
    )
    if "mane" in look:
        _paint_mane(animal, canvas, shoulder, poll, size)
    HEADS[look.get("face", "snout")](canvas, poll, size, animal, raised)


def _paint_mane(
    animal: Animal,
    canvas: Canvas,
    shoulder: tuple[float, float],
    poll: tuple[float, float],
    size: float,
) -> None:
    colour = animal.ink.half(animal.points)
    if animal.look["mane"] == "lion":
        mane = animal.ink.half(mix(animal.coat, (0.35, 0.16, 0.05), 0.6))
        for angle in np.linspace(0, 2 * np.pi, 11):
            canvas.ellipse(
                poll[0] + math.cos(angle) * size * 0.75,
                poll[1] + math.sin(angle) * size * 0.85,
                size * 0.55,
                size * 0.55,
                mane,
            )
        return
    blow = 0.05 * (animal.pose.swing(0.2) + (1.5 if animal.gait == "gallop" else 0))
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
