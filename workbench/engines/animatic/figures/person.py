"""People: a jointed figure that walks, runs, dances, jumps, sits, rides, swims and waves.

Drawn one unit tall, feet at (0, 0), facing right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.figures.body import Ink, Pose, bend, colour_of, joint, smooth
from workbench.engines.animatic.figures.face import paint_profile, paint_scarf
from workbench.engines.animatic.figures.frontal import paint_body, paint_head
from workbench.engines.animatic.figures.heads import paint_special_head
from workbench.engines.animatic.figures.postures import SHIN, THIGH, posture

__all__ = ["paint_person"]
UPPER: Final = 0.165
FORE: Final = 0.150
_TORSO: Final = 0.30
_HEAD: Final = 0.072
_SIDEWAYS: Final = frozenset({"sit", "lie", "sleep", "swim", "ride", "pedal", "paddle", "fly"})
"""Gaits shown only from the side, unless sitting astride something."""


def paint_person(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a person; ``look`` may set skin, hair, top, bottom, shoes, hat, dress, build."""
    clothes = _clothes(ink, look)
    if pose.front != "side" and (pose.gait not in _SIDEWAYS or "astride" in look):
        x, y = paint_body(canvas, pose, ink, look, clothes)
        r = _HEAD * float(look.get("head", 1.0))
        paint = paint_special_head if {"animal", "helmet"} & look.keys() else paint_head
        paint(canvas, (x, y), r, pose, ink, clothes, look)
        return
    rig = posture(pose, look)
    hip, lean = rig["hip"], rig["lean"]
    neck = joint(hip, _TORSO, 180 - lean)
    shoulder = joint(hip, _TORSO * 0.9, 180 - lean)
    if look.get("pack"):
        back = joint(hip, _TORSO * 0.55, 180 - lean)
        canvas.ellipse(back[0] - 0.10, back[1], 0.075, 0.15, ink.half((0.75, 0.77, 0.8)))
    if look.get("tail"):
        sway = 0.1 * pose.swing()
        tail = [
            (hip[0] - 0.04, hip[1]),
            (hip[0] - 0.26, hip[1] + 0.02),
            (hip[0] - 0.36, hip[1] - 0.2 + sway),
            (hip[0] - 0.26, hip[1] - 0.3 + sway),
        ]
        canvas.line(smooth(tail, closed=False), 0.028, ink.half(clothes["top"]))
    _leg(canvas, hip, rig["legs"][1], ink.dark, clothes)
    _arm(canvas, shoulder, rig["arms"][1], ink.dark, clothes)
    _torso(canvas, hip, neck, lean, ink, clothes, look)
    _leg(canvas, hip, rig["legs"][0], ink.lit, clothes)
    if look.get("dress"):
        _skirt(canvas, hip, lean, pose, ink, clothes)
    _head(canvas, neck, lean + rig["nod"], pose, ink, clothes, look)
    if "scarf" in look:
        paint_scarf(canvas, neck, ink, colour_of(look, "scarf", (0.76, 0.22, 0.2)), pose)
    _arm(canvas, shoulder, rig["arms"][0], ink.lit, clothes)


def _clothes(ink: Ink, look: Mapping[str, Any]) -> dict[str, Colour]:
    top = ink.main or colour_of(look, "top", (0.75, 0.25, 0.22))
    return {
        "skin": colour_of(look, "skin", (0.80, 0.58, 0.44)),
        "hair": colour_of(look, "hair", (0.20, 0.14, 0.11)),
        "top": top,
        "bottom": top if look.get("one") else colour_of(look, "bottom", (0.20, 0.25, 0.38)),
        "shoes": colour_of(look, "shoes", (0.16, 0.14, 0.15)),
    }


def _leg(canvas: Canvas, hip: Any, angles: Any, shade: Any, clothes: Mapping[str, Colour]) -> None:
    trousers = shade(clothes["bottom"])
    foot = bend(canvas, hip, (THIGH, SHIN), angles, (0.060, 0.040, 0.028), (trousers, trousers))
    toe = angles[1] + 84
    tip = joint(foot, 0.060, min(112, max(20, toe)))
    canvas.limb((foot[0] - 0.012, foot[1] + 0.004), tip, 0.027, 0.018, shade(clothes["shoes"]))


def _arm(
    canvas: Canvas, shoulder: Any, angles: Any, shade: Any, clothes: Mapping[str, Colour]
) -> None:
    sleeve = shade(clothes["top"])
    hand = bend(canvas, shoulder, (UPPER, FORE), angles, (0.038, 0.029, 0.021), (sleeve, sleeve))
    tip = joint(hand, 0.022, angles[1])
    canvas.limb(hand, tip, 0.022, 0.018, shade(clothes["skin"]))


def _torso(
    canvas: Canvas,
    hip: Any,
    neck: Any,
    lean: float,
    ink: Ink,
    clothes: Mapping[str, Colour],
    look: Mapping[str, Any],
) -> None:
    wide = float(look.get("build", 1.0))
    c, s = math.cos(math.radians(lean)), math.sin(math.radians(lean))

    def at(along: float, across: float) -> tuple[float, float]:
        return hip[0] + along * s + across * c * wide, hip[1] - along * c + across * s * wide

    outline = smooth(
        [
            at(-0.045, -0.058),
            at(0.10, -0.060),
            at(0.22, -0.080),
            at(0.295, -0.050),
            at(0.305, 0.02),
            at(0.24, 0.075),
            at(0.11, 0.058),
            at(-0.04, 0.062),
        ]
    )
    canvas.limb(
        joint(hip, _TORSO * 0.98, 180 - lean),
        joint(neck, 0.05, 180 - lean - 4),
        0.030,
        0.028,
        ink.half(clothes["skin"]),
    )
    canvas.polygon(outline, ink.lit(clothes["top"]))
    back = smooth(
        [
            at(-0.045, -0.058),
            at(0.10, -0.060),
            at(0.22, -0.080),
            at(0.29, -0.05),
            at(0.2, -0.02),
            at(0.08, -0.015),
        ]
    )
    canvas.polygon(back, ink.half(clothes["top"]))


def _skirt(
    canvas: Canvas, hip: Any, lean: float, pose: Pose, ink: Ink, clothes: Mapping[str, Colour]
) -> None:
    swing = 0.02 * pose.swing(0.2)
    x, y = hip
    outline = smooth(
        [
            (x - 0.06, y - 0.08),
            (x + 0.06, y - 0.08),
            (x + 0.13 + swing, y + 0.26),
            (x, y + 0.285),
            (x - 0.13 + swing, y + 0.26),
        ]
    )
    del lean
    canvas.polygon(outline, ink.lit(clothes["top"]))
    fold = smooth(
        [
            (x - 0.05, y),
            (x - 0.01, y + 0.02),
            (x - 0.02 + swing, y + 0.27),
            (x - 0.12 + swing, y + 0.25),
        ]
    )
    canvas.polygon(fold, ink.half(clothes["top"]))


def _head(
    canvas: Canvas,
    neck: Any,
    lean: float,
    pose: Pose,
    ink: Ink,
    clothes: Mapping[str, Colour],
    look: Mapping[str, Any],
) -> None:
    x, y = joint(neck, 0.095, 180 - lean * 0.7)
    r = _HEAD * float(look.get("head", 1.0))
    skin, shade = ink.lit(clothes["skin"]), ink.half(clothes["skin"])
    hair = ink.half(clothes["hair"])
    style = look.get("hairstyle", "short")
    if "animal" in look or "helmet" in look:
        paint_special_head(canvas, (x, y), r, pose, ink, clothes, look)
        return
    if style == "long":
        canvas.polygon(
            smooth(
                [
                    (x - r * 0.2, y - r * 1.1),
                    (x - r * 1.25, y),
                    (x - r * 1.35, y + r * 2.1),
                    (x - r * 0.3, y + r * 1.7),
                    (x + r * 0.1, y),
                ]
            ),
            hair,
        )
    canvas.ellipse(x, y, r * 0.84, r * 1.06, skin)
    canvas.polygon(
        smooth(
            [
                (x + r * 0.72, y - r * 0.22),
                (x + r * 1.02, y + r * 0.16),
                (x + r * 0.7, y + r * 0.3),
            ]
        ),
        skin,
    )
    canvas.ellipse(x + r * 0.58, y + r * 0.02, r * 0.065, r * 0.095, ink.half((0.14, 0.10, 0.09)))
    canvas.ellipse(x - r * 0.12, y + r * 0.1, r * 0.16, r * 0.24, shade)
    if style != "bald":
        canvas.polygon(
            smooth(
                [
                    (x + r * 0.62, y - r * 0.62),
                    (x + r * 0.1, y - r * 1.22),
                    (x - r * 0.7, y - r * 0.95),
                    (x - r * 1.0, y - r * 0.05),
                    (x - r * 0.75, y + r * 0.6),
                    (x - r * 0.38, y + r * 0.1),
                    (x - r * 0.1, y - r * 0.45),
                ]
            ),
            hair,
        )
    if style == "beard":
        canvas.polygon(
            smooth(
                [
                    (x - r * 0.3, y + r * 0.3),
                    (x + r * 0.8, y + r * 0.35),
                    (x + r * 0.5, y + r * 1.5),
                    (x, y + r * 1.2),
                ]
            ),
            hair,
        )
    paint_profile(canvas, (x, y), r, pose, ink, look)
    if "hat" in look:
        _hat(canvas, x, y, r, ink, look)


def _hat(canvas: Canvas, x: float, y: float, r: float, ink: Ink, look: Mapping[str, Any]) -> None:
    kind = look["hat"]
    colour = mix(colour_of(look, "hat_colour", (0.35, 0.25, 0.18)), (0, 0, 0), 0.0)
    if kind == "helmet":
        canvas.polygon(
            smooth(
                [
                    (x - r, y),
                    (x - r * 0.8, y - r * 1.1),
                    (x + r * 0.3, y - r * 1.3),
                    (x + r, y - r * 0.4),
                    (x + r * 0.4, y - r * 0.3),
                ]
            ),
            ink.lit(colour),
        )
        return
    canvas.polygon(
        (
            (x - r * 0.85, y - r * 0.5),
            (x - r * 0.7, y - r * 1.5),
            (x + r * 0.6, y - r * 1.5),
            (x + r * 0.75, y - r * 0.5),
        ),
        ink.lit(colour),
    )
    brim = 1.9 if kind == "brim" else 1.1
    canvas.ellipse(
        x + (0.1 if kind == "brim" else 0.7) * r, y - r * 0.52, r * brim, r * 0.2, ink.half(colour)
    )
