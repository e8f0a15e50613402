"""People, animals and cars seen from the front and from behind.

Drawn one unit tall, feet at y = 0, centred at x = 0. What swings forward in the side view comes
towards the camera here: limbs get shorter and lower instead of reaching out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, smooth
from workbench.engines.animatic.figures.face import paint_face, paint_scarf
from workbench.engines.animatic.figures.postures import SHIN, THIGH, posture

__all__ = ["paint_body", "paint_car_end", "paint_head"]

_UPPER: Final = 0.165
_FORE: Final = 0.150
_TORSO: Final = 0.30
_GLASS: Final[Colour] = (0.42, 0.55, 0.64)
_NEARER: Final = 0.10
"""Drop of a point for each unit that it is nearer to the camera."""


def paint_body(
    canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any], clothes: Mapping[str, Colour]
) -> tuple[float, float]:
    """Paint a person's body from the front or rear; return the middle of the head."""
    rig = posture(pose, look)
    rear = pose.front == "rear"
    sway = 0.014 * pose.swing(0.25) if pose.gait in {"walk", "run", "dance"} else 0.0
    lean = math.sin(math.radians(rig["lean"])) * 0.2
    hip = (sway, rig["hip"][1])
    tall = _TORSO * max(0.5, math.cos(math.radians(rig["lean"])))
    shoulder_y = hip[1] - tall * 0.93 + _NEARER * lean
    build = float(look.get("build", 1.0))
    astride, grip = float(look.get("astride", 0.0)), look.get("grip")
    order = ((-1, 1), (1, 0)) if rig["legs"][0][0] >= rig["legs"][1][0] else ((1, 0), (-1, 1))
    for side, which in order if not rear else order[::-1]:
        _leg(canvas, hip, side, rig["legs"][which], ink, clothes, astride=astride, rear=rear)
    limbs = [(side, rig["arms"][which]) for side, which in ((1, 0), (-1, 1))]
    behind = [limb for limb in limbs if (limb[1][0] < 0) != rear and abs(limb[1][0]) < 90]
    for side, angles in behind:
        _arm(canvas, (sway, shoulder_y), side * build, angles, ink, clothes, grip=grip)
    _torso(canvas, hip, shoulder_y, build, ink, clothes)
    if look.get("dress"):
        _skirt(canvas, hip, pose, ink, clothes)
    if look.get("pack") and rear:
        canvas.ellipse(sway, hip[1] - tall * 0.55, 0.11, 0.15, ink.half((0.75, 0.77, 0.8)))
    neck = (sway, shoulder_y - 0.02)
    canvas.limb(neck, (sway * 1.1, neck[1] - 0.06), 0.03, 0.028, ink.half(clothes["skin"]))
    if "scarf" in look:
        paint_scarf(canvas, neck, ink, colour_of(look, "scarf", (0.76, 0.22, 0.2)), pose)
    for limb in limbs:
        if limb not in behind:
            _arm(canvas, (sway, shoulder_y), limb[0] * build, limb[1], ink, clothes, grip=grip)
    return sway * 1.2, neck[1] - 0.105 + _NEARER * lean


def _leg(
    canvas: Canvas,
    hip: tuple[float, float],
    side: int,
    angles: tuple[float, float],
    ink: Ink,
    clothes: Mapping[str, Colour],
    *,
    astride: float,
    rear: bool,
) -> None:
    thigh, shin = (math.radians(angle) for angle in angles)
    ahead_knee = THIGH * math.sin(thigh)
    ahead_foot = ahead_knee + SHIN * math.sin(shin)
    turn = -1 if rear else 1
    root = (hip[0] + side * 0.042, hip[1])
    knee = (
        root[0] + side * (0.012 + 0.8 * astride),
        root[1] + THIGH * math.cos(thigh) + _NEARER * turn * ahead_knee,
    )
    foot = (knee[0] - side * 0.004, knee[1] + SHIN * math.cos(shin) + 0.04 * turn * ahead_foot)
    shade = ink.lit if ahead_foot * turn > -0.05 else ink.half
    trousers = shade(clothes["bottom"])
    near = 1 + 0.5 * turn * ahead_foot
    canvas.limb(knee, foot, 0.040, 0.030 * near, trousers)
    canvas.limb(root, knee, 0.060, 0.043, trousers)
    shoe = ink.half(clothes["shoes"]) if rear else shade(clothes["shoes"])
    canvas.ellipse(foot[0] + side * 0.006, foot[1] - 0.002, 0.036 * near, 0.026 * near, shoe)


def _arm(
    canvas: Canvas,
    shoulder: tuple[float, float],
    side: float,
    angles: tuple[float, float],
    ink: Ink,
    clothes: Mapping[str, Colour],
    *,
    grip: float | None,
) -> None:
    upper, fore = (math.radians(angle) for angle in angles)
    # A raised arm is beside the body; a swinging one hangs down.
    out = 0.16 + 0.55 * abs(math.sin(upper)) * (1 if abs(math.sin(upper)) > 0.75 else 0.1)
    across = math.copysign(out, side)
    root = (shoulder[0] + 0.092 * side, shoulder[1] + 0.03)
    elbow = (
        root[0] + across * _UPPER,
        root[1] + _UPPER * math.cos(upper) + _NEARER * 0.6 * math.sin(upper) * _UPPER,
    )
    inwards = 0.4 if math.cos(fore) > 0 else -0.25
    beckons = -math.sin(fore) if math.cos(fore) < -0.5 else 0.0
    hand = (
        elbow[0] - across * inwards * _FORE + side * beckons * _FORE,
        elbow[1] + _FORE * math.cos(fore) + _NEARER * math.sin(fore) * _FORE,
    )
    if grip is not None:
        # Both hands hold something in front: reins, handlebars.
        hand = (shoulder[0] + math.copysign(grip, side), hand[1])
        elbow = ((root[0] + hand[0]) / 2 + math.copysign(0.05, side), elbow[1])
    sleeve = ink.lit(clothes["top"])
    canvas.limb(elbow, hand, 0.030, 0.022, sleeve)
    canvas.limb(root, elbow, 0.040, 0.031, sleeve)
    canvas.ellipse(*hand, 0.026, 0.03, ink.lit(clothes["skin"]))


def _torso(
    canvas: Canvas,
    hip: tuple[float, float],
    shoulder_y: float,
    build: float,
    ink: Ink,
    clothes: Mapping[str, Colour],
) -> None:
    x, low, high = hip[0], hip[1] + 0.05, shoulder_y - 0.005
    middle = (low + high) / 2
    outline = [
        (x - 0.088 * build, low - 0.02),
        (x - 0.076 * build, middle + 0.02),
        (x - 0.112 * build, high + 0.05),
        (x - 0.07 * build, high),
        (x + 0.07 * build, high),
        (x + 0.112 * build, high + 0.05),
        (x + 0.076 * build, middle + 0.02),
        (x + 0.088 * build, low - 0.02),
    ]
    canvas.polygon(smooth(outline), ink.lit(clothes["top"]))
    side = [outline[0], outline[1], outline[2], (x - 0.05 * build, high + 0.04)]
    canvas.polygon(smooth([*side, (x - 0.045 * build, low - 0.03)]), ink.half(clothes["top"]))


def _skirt(
    canvas: Canvas, hip: tuple[float, float], pose: Pose, ink: Ink, clothes: Mapping[str, Colour]
) -> None:
    x, y = hip
    swing = 0.018 * pose.swing(0.2)
    outline = [(x - 0.075, y - 0.06), (x + 0.075, y - 0.06), (x + 0.15 + swing, y + 0.26)]
    outline += [(x + swing, y + 0.285), (x - 0.15 + swing, y + 0.26)]
    canvas.polygon(smooth(outline), ink.lit(clothes["top"]))
    for fold in (-0.06, 0.03):
        canvas.line(
            ((x + fold * 0.5, y), (x + fold * 1.4 + swing, y + 0.25)),
            0.008,
            ink.half(clothes["top"]),
        )


def paint_head(
    canvas: Canvas,
    at: tuple[float, float],
    r: float,
    pose: Pose,
    ink: Ink,
    clothes: Mapping[str, Colour],
    look: Mapping[str, Any],
) -> None:
    """Paint a person's head from the front or rear: face, hair, beard and hat."""
    x, y = at
    rear = pose.front == "rear"
    hair, style = ink.half(clothes["hair"]), look.get("hairstyle", "short")
    if style == "long":
        fall = 0.1 * pose.swing(0.2)
        if rear:
            crown = [(x - r * 1.05, y), (x, y - r * 1.2), (x + r * 1.05, y)]
            low = [(x + r * (0.9 + fall), y + r * 2.0), (x - r * (0.9 - fall), y + r * 2.0)]
            canvas.polygon(smooth([*crown, *low]), hair)
        for side in (-1, 1) if not rear else ():
            end = (x + r * (side * 1.0 + fall), y + r * 1.75)
            canvas.limb((x + side * r * 0.72, y - r * 0.2), end, r * 0.36, r * 0.24, hair)
    if rear:
        if style != "bald":
            canvas.ellipse(x, y - r * 0.06, r * 0.95, r * 1.12, hair)
        else:
            canvas.ellipse(x, y, r * 0.86, r * 1.06, ink.lit(clothes["skin"]))
    else:
        canvas.ellipse(x, y, r * 0.84, r * 1.06, ink.lit(clothes["skin"]))
        paint_face(canvas, (x, y), r, pose, ink, clothes, look)
        if style == "beard":
            beard = [(x - r * 0.8, y + r * 0.25), (x, y + r * 0.5), (x + r * 0.8, y + r * 0.25)]
            canvas.polygon(
                smooth([*beard, (x + r * 0.4, y + r * 1.3), (x - r * 0.4, y + r * 1.3)]), hair
            )
        if style != "bald":
            fringe = [(x - r * 0.92, y + r * 0.1), (x - r * 0.8, y - r * 0.8), (x, y - r * 1.24)]
            fringe += [(x + r * 0.8, y - r * 0.8), (x + r * 0.92, y + r * 0.1)]
            fringe += [(x + r * 0.62, y - r * 0.42), (x - r * 0.15, y - r * 0.62)]
            fringe += [(x - r * 0.66, y - r * 0.34)]
            canvas.polygon(smooth(fringe), hair)
    if "hat" in look:
        colour = colour_of(look, "hat_colour", (0.35, 0.25, 0.18))
        top = 1.2 if look["hat"] == "helmet" else 1.5
        crown = [(x - r * 0.92, y - r * 0.4), (x - r * 0.72, y - r * top)]
        crown += [(x + r * 0.72, y - r * top), (x + r * 0.92, y - r * 0.4)]
        canvas.polygon(smooth(crown) if look["hat"] == "helmet" else crown, ink.lit(colour))
        if look["hat"] != "helmet":
            brim = 1.8 if look["hat"] == "brim" else 1.05
            canvas.ellipse(x, y - r * 0.46, r * brim, r * 0.2, ink.half(colour))


def paint_car_end(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint the front or the rear of a car, as wide as it is tall and a little more."""
    rear = pose.front == "rear"
    paint = ink.main or colour_of(look, "paint", (0.78, 0.20, 0.18))
    bob = 0.012 * pose.swing()
    roof = {"sport": -0.84}.get(str(look.get("shape")), -1.0)
    lit, half, dark = ink.lit(paint), ink.half(paint), ink.dark(paint)
    for s in (-1, 1):
        canvas.rectangle(s * 0.62 - 0.13, -0.34, s * 0.62 + 0.13, 0.0, ink.dark((0.1, 0.1, 0.11)))
    cabin = [(-0.72, -0.56), (-0.52, roof), (0.52, roof), (0.72, -0.56)]
    canvas.polygon([(x, y + bob) for x, y in cabin], half)
    pane = [(-0.63, -0.57), (-0.47, roof + 0.07), (0.47, roof + 0.07), (0.63, -0.57)]
    canvas.polygon([(x, y + bob) for x, y in pane], ink.half(_GLASS))
    shine = ink.lit(mix(_GLASS, (1, 1, 1), 0.45))
    gleam = [(-0.34, -0.58), (-0.18, roof + 0.08), (0.02, roof + 0.08), (-0.1, -0.58)]
    canvas.polygon([(x, y + bob) for x, y in gleam], shine, 0.5)
    hull = [(-0.8, -0.2), (-0.83, -0.42), (-0.72, -0.6), (0.72, -0.6), (0.83, -0.42), (0.8, -0.2)]
    canvas.polygon([(x, y + bob) for x, y in hull], lit)
    canvas.rectangle(-0.79, -0.28 + bob, 0.79, -0.13 + bob, dark)
    lamp = ink.glow((0.9, 0.14, 0.1)) if rear else ink.glow((1.0, 0.94, 0.72))
    for s in (-1, 1):
        canvas.ellipse(s * 0.63, -0.43 + bob, 0.16, 0.09, dark)
        canvas.ellipse(s * 0.63, -0.43 + bob, 0.13, 0.065, lamp)
        if not rear:
            canvas.ellipse(s * 0.83, -0.58 + bob, 0.07, 0.045, half)
    if rear:
        canvas.line(((-0.62, -0.52 + bob), (0.62, -0.52 + bob)), 0.014, dark)
    else:
        canvas.rectangle(-0.36, -0.47 + bob, 0.36, -0.36 + bob, dark)
    canvas.rectangle(-0.2, -0.27 + bob, 0.2, -0.18 + bob, ink.lit((0.93, 0.93, 0.9)))
