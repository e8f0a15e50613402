"""Postures of a person: hip, lean, legs and arms for every gait, through its cycle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.engines.animatic.figures.body import Pose, wave

__all__ = ["SHIN", "THIGH", "posture"]

THIGH: Final = 0.245
SHIN: Final = 0.245

# Keys over one cycle, in degrees from straight down, positive forward; after the walking and
# running cycles of animation handbooks: contact, down, passing, up, and the same for the other leg.
_WALK_THIGH: Final = (24, 18, 2, -14, -22, -10, 14, 26)
_WALK_KNEE: Final = (4, 16, 6, 4, 20, 52, 46, 14)
_RUN_THIGH: Final = (38, 24, -4, -28, -34, 6, 46, 56)
_RUN_KNEE: Final = (18, 34, 22, 16, 62, 112, 96, 46)


def posture(pose: Pose, look: Mapping[str, Any]) -> dict[str, Any]:
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
        THIGH * math.cos(math.radians(thigh)) + SHIN * math.cos(math.radians(shin)) + 0.022
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


def _paddle(pose: Pose) -> dict[str, Any]:
    """Sit low, legs forward, and dip a paddle on alternating sides."""
    sway = pose.swing()
    return {
        "hip": (-0.06, -0.10),
        "legs": [(88, 90), (86, 88)],
        "arms": [(46 + 26 * sway, 78 + 16 * sway), (58 - 22 * sway, 92 - 14 * sway)],
        "lean": 8.0 + 5 * sway,
        "nod": -4,
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
    rig["arms"] = [(-152, -172 + 24 * sway), (-4, 4)]
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
    "paddle": _paddle,
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
