"""People: a jointed figure that walks, runs, dances, jumps, sits, rides, swims and waves.

Drawn one unit tall, feet at (0, 0), facing right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.figures.body import Ink, Pose, bend, colour_of, joint, smooth, wave
from workbench.engines.animatic.figures.heads import paint_special_head

__all__ = ["paint_person"]

_THIGH, _SHIN, _UPPER, _FORE = 0.245, 0.245, 0.165, 0.150
_TORSO: Final = 0.30
_HEAD: Final = 0.072

# Keys over one cycle, in degrees from straight down, positive forward; after the walking and
# running cycles of animation handbooks: contact, down, passing, up, and the same for the other leg.
_WALK_THIGH: Final = (24, 18, 2, -14, -22, -10, 14, 26)
_WALK_KNEE: Final = (4, 16, 6, 4, 20, 52, 46, 14)
_RUN_THIGH: Final = (38, 24, -4, -28, -34, 6, 46, 56)
_RUN_KNEE: Final = (18, 34, 22, 16, 62, 112, 96, 46)
_MARCH: Final = (0, 0)


def paint_person(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a person; ``look`` may set skin, hair, top, bottom, shoes, hat, dress, build."""
    rig = _rig(pose, look)
    clothes = _clothes(ink, look)
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
    _arm(canvas, shoulder, rig["arms"][0], ink.lit, clothes)


def _rig(pose: Pose, look: Mapping[str, Any]) -> dict[str, Any]:
    """Return hip, lean, legs and arms (each thigh and shin, or upper and fore, in degrees)."""
    maker = _GAITS.get(pose.gait, _stand)
    rig = maker(pose)
    rig.setdefault("nod", 0.0)
    if "hip" not in rig:
        rig["hip"] = (0.0, -_standing_height(rig["legs"]) - rig.pop("lift", 0.0))
    if look.get("carry") and pose.gait in {"walk", "stand", "rest"}:
        rig["arms"] = ((52, 78), (48, 82))
    return rig


def _standing_height(legs: Any) -> float:
    return max(
        _THIGH * math.cos(math.radians(thigh)) + _SHIN * math.cos(math.radians(shin)) + 0.022
        for thigh, shin in legs
    )


def _cycle(pose: Pose, thigh: Any, knee: Any, swing: float, elbow: float) -> dict[str, Any]:
    legs, arms = [], []
    for offset in (0.0, 0.5):
        upper = wave(thigh, pose.phase + offset)
        legs.append((upper, upper - wave(knee, pose.phase + offset)))
        arm = -swing * math.sin(2 * math.pi * (pose.phase + offset) + math.pi / 2)
        arms.append((arm, arm + elbow + 0.3 * abs(arm)))
    return {"legs": legs, "arms": arms}


def _walk(pose: Pose) -> dict[str, Any]:
    return {**_cycle(pose, _WALK_THIGH, _WALK_KNEE, 24, 16), "lean": 3.0}


def _run(pose: Pose) -> dict[str, Any]:
    lift = 0.035 * max(0.0, math.sin(4 * math.pi * pose.phase + 0.9))
    return {**_cycle(pose, _RUN_THIGH, _RUN_KNEE, 46, 82), "lean": 13.0, "lift": lift}


def _stand(pose: Pose) -> dict[str, Any]:
    sway = pose.swing()
    arms = [(-3 + 2 * sway, 6 + 3 * sway), (4 - 2 * sway, 12 - 3 * sway)]
    return {"legs": [(3, -1), (-4, -6)], "arms": arms, "lean": 1 + 0.8 * sway, "nod": 2 * sway}


def _dance(pose: Pose) -> dict[str, Any]:
    a, b = pose.swing(), pose.swing(0.25)
    legs = [
        (14 + 24 * max(0, a), 8 - 42 * max(0, a)),
        (-14 + 24 * min(0, a) * -1, -10 - 42 * max(0, -a)),
    ]
    arms = [(120 + 40 * b, 160 + 30 * a), (-110 + 40 * a, -150 - 36 * b)]
    return {"legs": legs, "arms": arms, "lean": 9 * a, "nod": 8 * b}


def _jump(pose: Pose) -> dict[str, Any]:
    phase = pose.phase
    air = max(0.0, math.sin(math.pi * (phase - 0.25) / 0.5)) if 0.25 < phase < 0.75 else 0.0
    crouch = max(0.0, math.cos(2 * math.pi * phase)) * 0.9
    legs = [
        (18 + 46 * crouch + 22 * air, -4 - 60 * crouch - 34 * air),
        (-2 + 46 * crouch - 12 * air, -14 - 60 * crouch - 40 * air),
    ]
    arms = [
        (-40 * crouch + 150 * air, -20 * crouch + 165 * air),
        (-50 * crouch + 135 * air, -30 * crouch + 150 * air),
    ]
    return {"legs": legs, "arms": arms, "lean": 22 * crouch, "lift": 0.24 * air}


def _sit(pose: Pose) -> dict[str, Any]:
    sway = pose.swing()
    return {
        "hip": (-0.06, -0.27),
        "legs": [(84, 2), (78, 8)],
        "arms": [(28 + 3 * sway, 62), (22 - 3 * sway, 56)],
        "lean": 4 + 1.2 * sway,
        "nod": 6 + 3 * sway,
    }


def _ride(pose: Pose) -> dict[str, Any]:
    bob = 0.012 * pose.swing(0, 2)
    return {
        "hip": (0.0, -0.30 + bob),
        "legs": [(48, -14), (44, -18)],
        "arms": [(38, 66), (34, 62)],
        "lean": 10.0 + 2 * pose.swing(),
    }


def _pedal(pose: Pose) -> dict[str, Any]:
    legs = []
    for offset in (0.0, 0.5):
        turn = 2 * math.pi * (pose.phase + offset)
        thigh = 52 + 22 * math.sin(turn)
        legs.append((thigh, thigh - 70 + 24 * math.cos(turn)))
    return {
        "hip": (0.0, -0.46),
        "legs": legs,
        "arms": [(58, 66), (56, 64)],
        "lean": 34.0,
        "nod": -14,
    }


def _wave_hand(pose: Pose) -> dict[str, Any]:
    sway = pose.swing(0, 2)
    rig = _stand(pose)
    rig["arms"] = [(150, 176 + 24 * sway), (-4, 4)]
    return rig


def _swim(pose: Pose) -> dict[str, Any]:
    turn = 360 * pose.phase
    kick = 12 * pose.swing(0, 3)
    return {
        "hip": (-0.12, -0.20),
        "legs": [(-82 + kick, -86 + kick), (-82 - kick, -86 - kick)],
        "arms": [(90 - turn, 96 - turn), (270 - turn, 276 - turn)],
        "lean": 82.0,
        "nod": -50,
    }


def _work(pose: Pose) -> dict[str, Any]:
    sway = pose.swing()
    rig = _stand(pose)
    rig["arms"] = [(34 + 8 * sway, 84 + 14 * sway), (30 - 8 * sway, 78 - 14 * sway)]
    rig["lean"], rig["nod"] = 7.0, 12 + 3 * sway
    return rig


def _lie(pose: Pose) -> dict[str, Any]:
    breath = pose.swing()
    return {
        "hip": (-0.05, -0.07),
        "legs": [(88, 88), (80, 98)],
        "arms": [(82 + 2 * breath, 88), (86, 90)],
        "lean": -86.0,
        "nod": 10,
    }


def _fight(pose: Pose) -> dict[str, Any]:
    punch = max(0.0, pose.swing())
    kick = max(0.0, pose.swing(0.5))
    return {
        "legs": [(20 + 66 * kick, 6 + 72 * kick), (-18, -30)],
        "arms": [(50 + 44 * punch, 128 - 36 * punch), (62, 138)],
        "lean": 6 + 6 * punch - 14 * kick,
    }


def _throw(pose: Pose) -> dict[str, Any]:
    swing = pose.swing()
    return {
        "legs": [(20, 4), (-22, -30)],
        "arms": [(100 + 80 * swing, 130 + 70 * swing), (40 - 30 * swing, 70)],
        "lean": 4 + 10 * swing,
    }


_GAITS: Final = {
    "walk": _walk,
    "run": _run,
    "trot": _run,
    "gallop": _run,
    "dance": _dance,
    "jump": _jump,
    "sit": _sit,
    "ride": _ride,
    "pedal": _pedal,
    "wave": _wave_hand,
    "swim": _swim,
    "fly": _swim,
    "work": _work,
    "eat": _work,
    "play": _throw,
    "throw": _throw,
    "fight": _fight,
    "lie": _lie,
}


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
    foot = bend(canvas, hip, (_THIGH, _SHIN), angles, (0.060, 0.040, 0.028), (trousers, trousers))
    toe = angles[1] + 84
    tip = joint(foot, 0.060, min(112, max(20, toe)))
    canvas.limb((foot[0] - 0.012, foot[1] + 0.004), tip, 0.027, 0.018, shade(clothes["shoes"]))


def _arm(
    canvas: Canvas, shoulder: Any, angles: Any, shade: Any, clothes: Mapping[str, Colour]
) -> None:
    sleeve = shade(clothes["top"])
    hand = bend(canvas, shoulder, (_UPPER, _FORE), angles, (0.038, 0.029, 0.021), (sleeve, sleeve))
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
    if pose.front == "rear":
        canvas.ellipse(x, y, r * 0.9, r * 1.1, hair)
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
    if pose.front == "front":
        _face(canvas, x, y, r, ink)
    else:
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
        canvas.ellipse(
            x + r * 0.58, y + r * 0.02, r * 0.065, r * 0.095, ink.half((0.14, 0.10, 0.09))
        )
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
    if "hat" in look:
        _hat(canvas, x, y, r, ink, look)


def _face(canvas: Canvas, x: float, y: float, r: float, ink: Ink) -> None:
    dark = ink.dark((0.1, 0.08, 0.08))
    for dx in (-0.32, 0.32):
        canvas.ellipse(x + dx * r, y - r * 0.08, r * 0.1, r * 0.14, dark)
    canvas.line(
        smooth(
            [(x - r * 0.25, y + r * 0.45), (x, y + r * 0.54), (x + r * 0.25, y + r * 0.45)],
            closed=False,
        ),
        r * 0.08,
        dark,
    )


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
