"""The heads of four-legged animals: muzzles, round faces, trunks, with ears, eyes and horns."""

from __future__ import annotations

import math
from typing import Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour
from workbench.engines.animatic.figures.animal import Animal
from workbench.engines.animatic.figures.body import smooth

__all__ = ["HEADS"]


def _ears(canvas: Canvas, x: float, y: float, size: float, animal: Animal, dark: Colour) -> None:
    kind = animal.look.get("ears", "prick")
    back = -0.25 if animal.gait == "gallop" else 0.0
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
            animal.ink.half(animal.coat),
        )
    elif kind == "flop":
        flap = 0.15 * animal.pose.swing(0.2, 2) if animal.gait else 0.0
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
            x + size * 0.02, y - size * 0.66, size * 0.22, size * 0.22, animal.ink.half(animal.coat)
        )
    elif kind == "long":
        tilt = -0.5 if animal.gait == "gallop" else -0.1
        for k, tone in ((0.12, dark), (-0.08, animal.ink.half(animal.coat))):
            canvas.limb(
                (x - size * (0.2 + k), y - size * 0.4),
                (x + size * (tilt - k), y - size * 1.75),
                size * 0.16,
                size * 0.13,
                tone,
            )
    elif kind == "big":
        flap = 0.1 * animal.pose.swing(0.1)
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


def _eye(canvas: Canvas, x: float, y: float, size: float, animal: Animal) -> None:
    if animal.pose.gait == "sleep":
        return
    canvas.ellipse(x, y, size * 0.1, size * 0.12, animal.ink.dark((0.06, 0.05, 0.05)))
    canvas.ellipse(
        x + size * 0.03, y - size * 0.04, size * 0.03, size * 0.035, animal.ink.lit((1, 1, 1))
    )


def _snout(
    canvas: Canvas, poll: tuple[float, float], size: float, animal: Animal, raised: float
) -> None:
    x, y = poll
    ink, look = animal.ink, animal.look
    long = float(look.get("snout", 0.9)) * size
    drop = math.sin(math.radians(min(0.0, raised))) * -long * 0.7 + 0.22 * size
    tip = (x + size * 0.35 + long * 0.9, y + drop + 0.1 * size)
    coat, dark = ink.lit(animal.coat), ink.half(animal.points)
    canvas.ellipse(x + size * 0.1, y - size * 0.02, size * 0.62, size * 0.56, coat)
    canvas.limb(
        (x + size * 0.3, y + size * 0.08),
        tip,
        size * 0.42,
        size * float(look.get("muzzle", 0.2)),
        coat,
    )
    pale = ink.half(animal.belly)
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
    _ears(canvas, x, y, size, animal, dark)
    _eye(canvas, x + size * 0.34, y - size * 0.14, size, animal)
    if horns := look.get("horns"):
        _horns(canvas, x, y, size, animal, horns)


def _round_face(
    canvas: Canvas, poll: tuple[float, float], size: float, animal: Animal, raised: float
) -> None:
    x, y = poll[0] + size * 0.1, poll[1]
    ink = animal.ink
    del raised
    canvas.ellipse(x, y, size * 0.66, size * 0.58, ink.lit(animal.coat))
    _ears(
        canvas,
        x,
        y + size * 0.08,
        size,
        animal,
        ink.half(animal.coat if not animal.look.get("socks") else animal.points),
    )
    canvas.ellipse(
        x + size * 0.42, y + size * 0.18, size * 0.3, size * 0.22, ink.half(animal.belly)
    )
    canvas.ellipse(
        x + size * 0.66, y + size * 0.08, size * 0.07, size * 0.06, ink.dark((0.35, 0.16, 0.16))
    )
    if animal.look.get("mask"):
        canvas.ellipse(
            x + size * 0.3, y - size * 0.08, size * 0.22, size * 0.18, ink.dark(animal.points)
        )
    _eye(canvas, x + size * 0.32, y - size * 0.1, size, animal)
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
    canvas: Canvas, poll: tuple[float, float], size: float, animal: Animal, raised: float
) -> None:
    x, y = poll
    ink = animal.ink
    coat = ink.lit(animal.coat)
    del raised
    canvas.ellipse(x + size * 0.08, y, size * 0.66, size * 0.7, coat)
    swing = 0.2 * animal.pose.swing(0.2)
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
            ink.half(animal.coat) if index % 3 == 2 else coat,
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
    _ears(canvas, x, y, size * 1.25, animal, ink.half(animal.coat))
    _eye(canvas, x + size * 0.36, y - size * 0.1, size * 0.8, animal)


def _horns(canvas: Canvas, x: float, y: float, size: float, animal: Animal, kind: str) -> None:
    bone = animal.ink.half((0.86, 0.80, 0.68))
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
                animal.ink.dark(animal.points),
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


HEADS: Final = {"snout": _snout, "round": _round_face, "trunk": _trunked}
