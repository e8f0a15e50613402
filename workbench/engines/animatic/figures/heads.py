"""Heads that are not a person's: animals standing up, apes, helmets, robots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, smooth

__all__ = ["paint_special_head"]


def paint_special_head(
    canvas: Canvas,
    at: tuple[float, float],
    r: float,
    pose: Pose,
    ink: Ink,
    clothes: Mapping[str, Colour],
    look: Mapping[str, Any],
) -> None:
    """Paint the head that ``look`` names by ``helmet`` or ``animal``."""
    if look.get("helmet") == "visor":
        _visor(canvas, at, r, pose, ink, clothes)
    elif look.get("helmet") == "robot":
        _robot(canvas, at, r, pose, ink, clothes)
    elif look.get("animal") == "ape":
        _ape(canvas, at, r, pose, ink, clothes)
    else:
        _animal(canvas, at, r, pose, ink, clothes, look)


def _visor(
    canvas: Canvas,
    at: tuple[float, float],
    r: float,
    pose: Pose,
    ink: Ink,
    clothes: Mapping[str, Colour],
) -> None:
    x, y = at
    canvas.ellipse(x, y, r * 1.45, r * 1.4, ink.lit(clothes["top"]))
    canvas.ellipse(x - r * 0.2, y + r * 1.2, r * 1.1, r * 0.35, ink.half((0.6, 0.63, 0.68)))
    if pose.front == "rear":
        return
    dx = 0.0 if pose.front == "front" else 0.42
    canvas.ellipse(x + dx * r, y + r * 0.02, r * 0.98, r * 0.92, ink.half((0.75, 0.6, 0.3)))
    canvas.ellipse(x + dx * r, y + r * 0.04, r * 0.88, r * 0.82, ink.lit((0.14, 0.19, 0.32)))
    canvas.polygon(
        smooth(
            [
                (x + (dx - 0.4) * r, y - r * 0.5),
                (x + (dx + 0.2) * r, y - r * 0.62),
                (x + (dx - 0.2) * r, y - r * 0.1),
                (x + (dx - 0.6) * r, y),
            ]
        ),
        ink.glow((0.62, 0.78, 0.95)),
        0.6,
    )


def _robot(
    canvas: Canvas,
    at: tuple[float, float],
    r: float,
    pose: Pose,
    ink: Ink,
    clothes: Mapping[str, Colour],
) -> None:
    x, y = at
    canvas.line(((x, y - r), (x, y - r * 1.9)), r * 0.14, ink.half((0.4, 0.43, 0.48)))
    canvas.ellipse(x, y - r * 1.95, r * 0.22, r * 0.22, ink.glow((1.0, 0.35, 0.25)))
    corners = (
        (x - r * 1.15, y - r),
        (x + r * 1.15, y - r),
        (x + r * 1.05, y + r * 0.95),
        (x - r * 1.05, y + r * 0.95),
    )
    canvas.polygon(smooth(corners, count=8), ink.lit(clothes["top"]))
    if pose.front != "rear":
        dx = 0.0 if pose.front == "front" else 0.3
        canvas.polygon(
            (
                (x + (dx - 0.7) * r, y - r * 0.4),
                (x + (dx + 0.72) * r, y - r * 0.4),
                (x + (dx + 0.66) * r, y + r * 0.2),
                (x + (dx - 0.64) * r, y + r * 0.2),
            ),
            ink.dark((0.1, 0.12, 0.15)),
        )
        for k in (-0.32, 0.36):
            canvas.ellipse(
                x + (dx + k) * r, y - r * 0.1, r * 0.19, r * 0.19, ink.glow((0.35, 0.9, 1.0))
            )


def _ape(
    canvas: Canvas,
    at: tuple[float, float],
    r: float,
    pose: Pose,
    ink: Ink,
    clothes: Mapping[str, Colour],
) -> None:
    x, y = at
    fur = clothes["top"]
    canvas.ellipse(x - r * 0.95, y, r * 0.3, r * 0.34, ink.half(clothes["skin"]))
    canvas.ellipse(x, y - r * 0.1, r * 0.98, r * 1.08, ink.lit(fur))
    if pose.front == "rear":
        return
    face = mix(clothes["skin"], (1, 1, 1), 0.12)
    canvas.ellipse(x + r * 0.34, y + r * 0.02, r * 0.58, r * 0.55, ink.lit(face))
    canvas.ellipse(x + r * 0.5, y + r * 0.5, r * 0.66, r * 0.46, ink.lit(face))
    for dx in (0.22, 0.6):
        canvas.ellipse(x + dx * r, y - r * 0.1, r * 0.11, r * 0.13, ink.dark((0.06, 0.05, 0.05)))
    canvas.line(
        smooth(
            [(x + r * 0.2, y + r * 0.62), (x + r * 0.55, y + r * 0.7), (x + r * 0.95, y + r * 0.6)],
            closed=False,
        ),
        r * 0.08,
        ink.dark((0.2, 0.12, 0.1)),
    )


def _animal(
    canvas: Canvas,
    at: tuple[float, float],
    r: float,
    pose: Pose,
    ink: Ink,
    clothes: Mapping[str, Colour],
    look: Mapping[str, Any],
) -> None:
    x, y = at
    coat, dark = clothes["skin"], colour_of(look, "points", mix(clothes["skin"], (0, 0, 0), 0.4))
    _ears(canvas, at, r, str(look["animal"]), ink.half(dark if look.get("mask") else coat))
    canvas.ellipse(x, y, r * 1.02, r * 0.98, ink.lit(coat))
    if pose.front == "rear":
        return
    dx = 0.0 if pose.front == "front" else 0.3
    if look.get("mask"):
        for k in (-0.28, 0.42):
            canvas.ellipse(
                x + (dx + k) * r, y - r * 0.06, r * 0.26, r * 0.32, ink.half(dark), angle=-20 * k
            )
    canvas.ellipse(
        x + (dx + 0.18) * r,
        y + r * 0.42,
        r * 0.5,
        r * 0.36,
        ink.lit(mix(coat, (1, 0.97, 0.92), 0.5)),
    )
    canvas.ellipse(
        x + (dx + 0.3) * r, y + r * 0.26, r * 0.16, r * 0.12, ink.dark((0.08, 0.06, 0.06))
    )
    for k in (-0.2, 0.44):
        canvas.ellipse(
            x + (dx + k) * r, y - r * 0.1, r * 0.12, r * 0.14, ink.dark((0.05, 0.04, 0.04))
        )
        canvas.ellipse(
            x + (dx + k + 0.04) * r, y - r * 0.15, r * 0.04, r * 0.05, ink.lit((1, 1, 1))
        )


def _ears(canvas: Canvas, at: tuple[float, float], r: float, kind: str, colour: Colour) -> None:
    x, y = at
    for s in (-1, 1):
        if kind == "long":
            canvas.limb(
                (x + s * r * 0.35, y - r * 0.7),
                (x + s * r * 0.5, y - r * 2.0),
                r * 0.2,
                r * 0.14,
                colour,
            )
        elif kind == "prick":
            canvas.polygon(
                (
                    (x + s * r * 0.85, y - r * 0.3),
                    (x + s * r * 0.75, y - r * 1.35),
                    (x + s * r * 0.15, y - r * 0.8),
                ),
                colour,
            )
        elif kind == "flop":
            canvas.limb(
                (x + s * r * 0.8, y - r * 0.5),
                (x + s * r * 1.15, y + r * 0.45),
                r * 0.26,
                r * 0.3,
                colour,
            )
        elif kind == "big":
            canvas.ellipse(x + s * r * 1.2, y - r * 0.1, r * 0.7, r * 0.85, colour)
        else:
            canvas.ellipse(x + s * r * 0.78, y - r * 0.72, r * 0.36, r * 0.36, colour)
