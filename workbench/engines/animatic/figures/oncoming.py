"""Four-legged animals from the front and from behind, in the proportions of the side view.

Drawn one unit tall, paws at y = 0, centred at x = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import mix
from workbench.engines.animatic.figures.animal import Animal
from workbench.engines.animatic.figures.body import Pose, smooth

__all__ = ["paint_oncoming", "risen"]

_STEPS: Final = {"walk": (0.14, 0.02), "trot": (0.3, 0.04), "gallop": (0.5, 0.08)}
"""Lift of the feet (in leg lengths) and rise of the body (in heights)."""


def risen(pose: Pose) -> float:
    """Return the rise of the body in this pose, in heights."""
    return _STEPS.get(pose.gait, (0.0, 0.0))[1] * abs(pose.swing(0.1))


def paint_oncoming(canvas: Canvas, animal: Animal) -> None:
    """Paint the animal coming towards the camera, or going away from it.

    ``seated`` of its look, if present, is called to paint the rider.
    """
    rear = animal.pose.front == "rear"
    lift = _STEPS.get(animal.gait, (0.0, 0.0))[0]
    lying = animal.pose.gait in {"lie", "sleep"}
    rise = risen(animal.pose) - (animal.leg * 0.7 if lying else 0.0)
    seated: Callable[[], None] = animal.look.get("seated", _nobody)
    half = animal.deep * 0.62
    middle = -(animal.leg + animal.deep * 0.42 + rise)
    if rear:
        _head(canvas, animal, middle, half, rear=True)
        _legs(canvas, animal, middle, half * 0.72, lift, near=False, lying=lying)
        _trunk(canvas, animal, middle, half, rear=True)
        _legs(canvas, animal, middle, half, lift, near=True, lying=lying)
        _tail(canvas, animal, middle)
        seated()
        return
    _legs(canvas, animal, middle, half * 0.78, lift, near=False, lying=lying)
    _trunk(canvas, animal, middle, half, rear=False)
    _legs(canvas, animal, middle, half * 0.82, lift, near=True, lying=lying)
    seated()
    _head(canvas, animal, middle, half, rear=False)


def _nobody() -> None:
    """Paint no rider."""


def _trunk(canvas: Canvas, animal: Animal, middle: float, half: float, *, rear: bool) -> None:
    ink, deep = animal.ink, animal.deep
    canvas.ellipse(0, middle, half, deep * 0.62, ink.lit(animal.coat))
    canvas.ellipse(
        half * 0.38, middle + deep * 0.05, half * 0.6, deep * 0.52, ink.half(animal.coat)
    )
    canvas.ellipse(-half * 0.1, middle, half * 0.8, deep * 0.57, ink.lit(animal.coat))
    if not rear:
        canvas.ellipse(0, middle + deep * 0.16, half * 0.5, deep * 0.42, ink.half(animal.belly))
    if animal.look.get("marks") == "stripes":
        for k in (-2, -1, 1, 2):
            x = k * half * 0.34
            canvas.line(
                ((x, middle - deep * 0.5), (x * 1.12, middle + deep * 0.1)),
                0.022,
                ink.half(animal.points),
            )


def _legs(
    canvas: Canvas,
    animal: Animal,
    middle: float,
    apart: float,
    lift: float,
    *,
    near: bool,
    lying: bool,
) -> None:
    thick, paw = float(animal.look.get("thick", 0.07)), float(animal.look.get("paw", 0.055))
    tone = animal.ink.lit if near else animal.ink.dark
    shin = animal.points if animal.look.get("socks") else animal.coat
    for side in (-1, 1):
        turn = (0.0 if side > 0 else 0.5) + (0.0 if near else 0.25)
        up = lift * animal.leg * max(0.0, animal.pose.swing(turn))
        root = (side * apart * 0.86, middle + animal.deep * 0.2)
        # Lifting bends the knee: the leg gets shorter and the foot moves inwards.
        foot = (side * apart * (0.8 - 0.25 * up / animal.leg), -up - (0.0 if near else 0.035))
        if lying:
            foot = (side * apart * 1.1, -0.02)
        knee = ((root[0] + foot[0]) / 2 + side * 0.3 * up, (root[1] + foot[1]) / 2)
        canvas.limb(knee, foot, thick * 0.68, thick * 0.58, tone(shin))
        canvas.limb(root, knee, thick * 1.15, thick * 0.74, tone(animal.coat))
        canvas.ellipse(
            foot[0],
            foot[1] - paw * 0.35,
            paw * 0.8,
            paw * 0.5,
            tone(mix(animal.points, shin, 0.25)),
        )


def _tail(canvas: Canvas, animal: Animal, middle: float) -> None:
    kind = animal.look.get("tail", "thin")
    if kind == "none":
        return
    wag = animal.pose.swing(0.1, 2 if kind == "up" else 1)
    long = float(animal.look.get("tail_length", 0.42))
    top = middle - animal.deep * 0.4
    ends = {"up": -0.9, "curl": -0.5, "puff": 0.1}
    end = (0.22 * wag * long, top + ends.get(kind, 0.85) * long)
    thick = {"bushy": 0.075, "hair": 0.05, "puff": 0.08, "up": 0.034}.get(kind, 0.026)
    spine = smooth([(0, top), (0.16 * wag * long, (top + end[1]) / 2), end], closed=False)
    tone = animal.ink.half(animal.points if kind == "hair" else animal.coat)
    for first, second in pairwise(spine):
        canvas.limb(first, second, thick, thick, tone)


def _head(canvas: Canvas, animal: Animal, middle: float, half: float, *, rear: bool) -> None:
    look, ink = animal.look, animal.ink
    size = float(look.get("head", 0.15))
    neck = float(look.get("neck", 0.22))
    raised = math.radians(float(look.get("neck_angle", 52)))
    nod = 0.03 * animal.pose.swing(0.1, 2) if animal.gait else 0.012 * animal.pose.swing()
    grazing = animal.pose.gait in {"eat", "drink"}
    up = -0.6 * neck if grazing else neck * 0.62 * max(0.15, math.sin(raised)) + 0.07
    y = middle - animal.deep * 0.22 - up + nod
    width = float(look.get("neck_width", 0.11))
    if look.get("mane") == "lion":
        mane = ink.half(mix(animal.coat, (0.35, 0.16, 0.05), 0.6))
        canvas.ellipse(0, y + size * 0.15, size * 1.25, size * 1.35, mane)
    canvas.limb((0, middle - animal.deep * 0.1), (0, y), width, width * 0.8, ink.half(animal.coat))
    _ears(canvas, animal, y, size, rear=rear)
    skull = ink.half(animal.coat) if rear else ink.lit(animal.coat)
    canvas.ellipse(0, y, size * 0.62, size * 0.6, skull)
    if rear:
        if look.get("mane") == "horse":
            canvas.limb((0, y - size * 0.5), (0, y + neck), 0.04, 0.05, ink.half(animal.points))
        return
    _face(canvas, animal, y, size)
    del half


def _face(canvas: Canvas, animal: Animal, y: float, size: float) -> None:
    look, ink = animal.look, animal.ink
    dark = ink.dark((0.08, 0.06, 0.06))
    if look.get("face") == "trunk":
        sway = 0.06 * animal.pose.swing(0.1)
        spine = smooth([(0, y), (sway, y + 0.25), (sway * 0.4, -0.12)], closed=False, count=9)
        for index in range(len(spine) - 1):
            thick = 0.085 - 0.05 * index / len(spine)
            canvas.limb(spine[index], spine[index + 1], thick, thick, ink.lit(animal.coat))
        for side in (-1, 1):
            canvas.limb(
                (side * 0.09, y + 0.1),
                (side * 0.13, y + 0.28),
                0.022,
                0.01,
                ink.lit((0.95, 0.93, 0.86)),
            )
    else:
        round_face = look.get("face") == "round"
        long = 0.55 if round_face else 0.45 + 0.45 * float(look.get("snout", 0.9))
        muzzle = 0.34 if round_face else 0.26
        chin = (0, y + size * long * 0.72)
        canvas.limb((0, y), chin, size * 0.46, size * muzzle, ink.lit(animal.coat))
        pale = animal.belly if look.get("mane") != "horse" else mix(animal.coat, animal.points, 0.5)
        canvas.ellipse(0, chin[1], size * muzzle * 0.86, size * muzzle * 0.8, ink.half(pale))
        canvas.ellipse(0, y + size * long * 0.78, size * 0.14, size * 0.1, dark)
        if look.get("mask"):
            for side in (-1, 1):
                canvas.ellipse(
                    side * size * 0.27,
                    y - size * 0.1,
                    size * 0.17,
                    size * 0.2,
                    ink.half(animal.points),
                )
    if animal.pose.gait != "sleep":
        for side in (-1, 1):
            canvas.ellipse(side * size * 0.27, y - size * 0.1, size * 0.085, size * 0.11, dark)
            canvas.ellipse(
                side * size * 0.27 + size * 0.02,
                y - size * 0.14,
                size * 0.03,
                size * 0.03,
                ink.lit((1, 1, 1)),
            )


def _ears(canvas: Canvas, animal: Animal, y: float, size: float, *, rear: bool) -> None:
    kind: Any = animal.look.get("ears", "prick")
    ink = animal.ink
    inner, outer = ink.half(animal.points), ink.half(animal.coat)
    flap = 0.08 * animal.pose.swing(0.2)
    for side in (-1, 1):
        s = side * size
        if kind == "prick":
            canvas.polygon(
                (
                    (s * 0.12, y - size * 0.45),
                    (s * 0.5, y - size * 1.08),
                    (s * 0.62, y - size * 0.2),
                ),
                outer if rear else inner,
            )
        elif kind == "flop":
            outline = [(s * 0.4, y - size * 0.5), (s * 0.72, y - size * 0.3)]
            outline += [(s * (0.8 + flap), y + size * 0.42), (s * (0.52 + flap), y + size * 0.4)]
            canvas.polygon(smooth(outline), inner)
        elif kind == "round":
            canvas.ellipse(s * 0.48, y - size * 0.5, size * 0.26, size * 0.26, inner)
        elif kind == "long":
            canvas.limb(
                (s * 0.2, y - size * 0.4),
                (s * 0.34, y - size * 1.7),
                size * 0.16,
                size * 0.13,
                outer,
            )
        elif kind == "big":
            outline = [(s * 0.4, y - size * 0.6), (s * (1.35 + flap), y - size * 0.6)]
            outline += [(s * (1.4 + flap), y + size * 0.3), (s * 0.9, y + size * 0.8)]
            outline += [(s * 0.45, y + size * 0.25)]
            canvas.polygon(smooth(outline), outer)
        if animal.look.get("horns") in {"bull", "antlers"}:
            bone = ink.lit((0.88, 0.84, 0.74))
            canvas.limb((s * 0.4, y - size * 0.4), (s * 0.8, y - size * 0.8), 0.03, 0.022, bone)
            tip = 1.1 if animal.look["horns"] == "bull" else 2.0
            canvas.limb((s * 0.8, y - size * 0.8), (s * 0.85, y - size * tip), 0.022, 0.01, bone)
