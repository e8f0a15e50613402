"""Birds, flying, gliding, walking and perched. One unit tall or long, facing right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, joint, smooth

__all__ = ["paint_bird"]


def paint_bird(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a bird: flying, gliding, walking or perched; ``look`` sets coat, beak, neck, legs."""
    coat = ink.main or colour_of(look, "coat", (0.35, 0.42, 0.55))
    belly = (
        mix(coat, (1, 1, 1), 0.5)
        if ink.main
        else colour_of(look, "belly", mix(coat, (1, 1, 1), 0.5))
    )
    flying = pose.gait in {"fly", "glide"}
    if flying:
        _flying_bird(canvas, pose, ink, look, coat, belly)
    else:
        _standing_bird(canvas, pose, ink, look, coat, belly)


def _flying_bird(
    canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any], coat: Any, belly: Any
) -> None:
    beat = pose.swing() if pose.gait == "fly" else 0.55 + 0.14 * pose.swing()
    y = -0.5 + (0.05 * pose.swing(0.25) if pose.gait == "fly" else 0.0)
    span = float(look.get("span", 0.62))
    _wing(canvas, (0.06, y - 0.03), span * 0.9, beat, ink.dark(mix(coat, (0, 0, 0), 0.1)), -0.10)
    canvas.polygon(
        smooth(
            [
                (-0.28, y + 0.01),
                (-0.62, y - 0.07),
                (-0.66, y + 0.02),
                (-0.60, y + 0.09),
                (-0.26, y + 0.06),
            ]
        ),
        ink.half(coat),
    )
    canvas.polygon(
        smooth(
            [
                (0.34, y - 0.04),
                (0.16, y - 0.10),
                (-0.14, y - 0.08),
                (-0.36, y + 0.02),
                (-0.12, y + 0.10),
                (0.16, y + 0.09),
                (0.32, y + 0.03),
            ]
        ),
        ink.lit(coat),
    )
    canvas.polygon(
        smooth(
            [
                (0.28, y + 0.03),
                (0.1, y + 0.02),
                (-0.2, y + 0.05),
                (-0.1, y + 0.10),
                (0.15, y + 0.09),
            ]
        ),
        ink.lit(belly),
    )
    _bird_head(canvas, (0.36 + 0.12 * look.get("neck", 0), y - 0.05), 0.085, ink, look, coat)
    _wing(canvas, (0.04, y - 0.02), span, beat, ink.lit(mix(coat, (1, 1, 1), 0.06)), 0.02)


def _wing(
    canvas: Canvas, root: tuple[float, float], span: float, beat: float, colour: Any, lean: float
) -> None:
    x, y = root
    inner, outer = math.radians(-58 * beat - 8), math.radians(-78 * beat - 4 + 22 * abs(beat))
    elbow = (x - 0.06 + lean, y + math.sin(inner) * span * 0.5)
    tip = (elbow[0] - 0.30 * span, elbow[1] + math.sin(outer) * span * 0.72)
    trail = [
        (tip[0] - 0.10, tip[1] + 0.05),
        ((elbow[0] + x) / 2 - 0.30, (elbow[1] + y) / 2 + 0.07),
        (x - 0.24, y + 0.06),
    ]
    canvas.polygon(smooth([(x + 0.13, y), (elbow[0] + 0.10, elbow[1]), tip, *trail]), colour)


def _standing_bird(
    canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any], coat: Any, belly: Any
) -> None:
    neck, leg = float(look.get("neck", 0.0)), float(look.get("leg", 0.2))
    nod = 0.02 * pose.swing(0, 2)
    hip = (-0.02, -leg - 0.14)
    stride = 26 if pose.gait in {"walk", "run"} else 0
    for k, tone in ((0.5, ink.dark), (0.0, ink.half)):
        swing = stride * pose.swing(k)
        foot = joint((hip[0], hip[1] + 0.1), leg + 0.04 - 0.02 * abs(swing) / 26, swing)
        claw = colour_of(look, "beak", (0.9, 0.6, 0.2))
        canvas.line(((hip[0], hip[1] + 0.1), foot), 0.025, tone(claw))
        canvas.line((foot, (foot[0] + 0.09, foot[1])), 0.022, tone(claw))
    if look.get("fan"):
        for a in np.linspace(200, 300, 9):
            tip = (
                hip[0] + math.cos(math.radians(a)) * 0.75,
                hip[1] + math.sin(math.radians(a)) * 0.75,
            )
            canvas.limb(hip, tip, 0.02, 0.06, ink.half((0.16, 0.5, 0.42)))
            canvas.ellipse(*tip, 0.035, 0.035, ink.lit((0.2, 0.3, 0.75)))
    x, y = hip
    canvas.polygon(
        smooth(
            [(x - 0.18, y - 0.04), (x - 0.50, y + 0.06), (x - 0.52, y + 0.12), (x - 0.16, y + 0.10)]
        ),
        ink.half(coat),
    )
    canvas.polygon(
        smooth(
            [
                (x + 0.22, y - 0.10),
                (x + 0.05, y - 0.20),
                (x - 0.20, y - 0.10),
                (x - 0.24, y + 0.06),
                (x, y + 0.16),
                (x + 0.20, y + 0.06),
            ]
        ),
        ink.lit(coat),
    )
    canvas.polygon(
        smooth(
            [(x + 0.22, y - 0.06), (x + 0.08, y - 0.02), (x - 0.02, y + 0.13), (x + 0.14, y + 0.11)]
        ),
        ink.lit(belly),
    )
    canvas.polygon(
        smooth(
            [(x + 0.08, y - 0.10), (x - 0.14, y - 0.06), (x - 0.36, y + 0.06), (x - 0.08, y + 0.06)]
        ),
        ink.half(mix(coat, (0, 0, 0), 0.15)),
    )
    head = (x + 0.20 + 0.06 * neck + nod, y - 0.26 - 0.38 * neck)
    canvas.limb((x + 0.14, y - 0.06), head, 0.10 - 0.03 * neck, 0.06, ink.lit(coat))
    _bird_head(canvas, head, 0.10, ink, look, coat)


def _bird_head(
    canvas: Canvas, at: tuple[float, float], r: float, ink: Ink, look: Mapping[str, Any], coat: Any
) -> None:
    x, y = at
    beak, long = (
        ink.lit(colour_of(look, "beak", (0.92, 0.62, 0.18))),
        float(look.get("bill", 0.9)) * r,
    )
    canvas.ellipse(x, y, r, r * 0.95, ink.lit(colour_of(look, "cap", coat)))
    canvas.polygon(
        ((x + r * 0.8, y - r * 0.3), (x + r + long, y + r * 0.15), (x + r * 0.75, y + r * 0.45)),
        beak,
    )
    if look.get("comb"):
        canvas.polygon(
            smooth(
                [
                    (x - r * 0.6, y - r * 0.7),
                    (x - r * 0.3, y - r * 1.5),
                    (x + r * 0.1, y - r * 1.1),
                    (x + r * 0.4, y - r * 1.5),
                    (x + r * 0.6, y - r * 0.6),
                ]
            ),
            ink.lit((0.8, 0.15, 0.12)),
        )
    canvas.ellipse(x + r * 0.35, y - r * 0.15, r * 0.17, r * 0.19, ink.dark((0.05, 0.05, 0.06)))
    canvas.ellipse(x + r * 0.4, y - r * 0.2, r * 0.05, r * 0.06, ink.lit((1, 1, 1)))
