"""How actors move: figure table, gait, footprint, props and seats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.engines.animatic.figures.body import Pose
from workbench.engines.animatic.figures.oncoming import risen
from workbench.engines.animatic.proportions import SOFTENED, metres_of
from workbench.engines.animatic.script import Actor, Script
from workbench.engines.animatic.tables import figures, gaits, held

__all__ = [
    "Motion",
    "acted",
    "astride",
    "figure_size",
    "footprint",
    "held_where",
    "motion_of",
    "room_of",
    "saddle",
    "side_shown",
]


_LEG: Final = 0.5
"""Reference leg length of animal speeds, in heights."""


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion of a figure: gait, seconds per cycle, units travelled per second."""

    gait: str
    cycle_s: float
    speed: float
    up: tuple[float, float] = (0.0, 0.0)
    """Height above its place at the start and the end of the moment, in heights."""
    size: tuple[float, float] = (1.0, 1.0)
    """Scale at the start and the end of the moment."""
    is_once: bool = False
    """Whether the whole moment is one cycle."""


def motion_of(spec: Mapping[str, Any], gait: str) -> Motion:
    """Return the motion of the figure of ``spec`` in ``gait``."""
    kind = str(spec.get("kind", ""))
    table = gaits().get(kind if kind in gaits() else str(spec["form"]), {})
    entry = table.get(gait) or table.get("rest") or {"cycle_s": 3.0}
    name = gait if gait in table else "rest"
    if "as" in entry:
        name = entry["as"]
        entry = table[name]
    is_once = bool(entry.get("once", False))
    own_s = spec.get("cycle_s") if name == "rest" or spec["form"] != "drawing" else None
    cycle_s = float(own_s or entry.get("cycle_s", 1.0))
    # Longer legs take longer steps, so that standing feet do not slide.
    legs = float(spec["look"].get("leg", _LEG)) / _LEG if spec["form"] == "quadruped" else 1.0
    speed = entry.get("speed", 0.0) * legs * float(spec["size"])
    up, size = entry.get("up", (0.0, 0.0)), entry.get("size", (1.0, 1.0))
    return Motion(entry.get("as_pose", name), cycle_s, speed, tuple(up), tuple(size), is_once)


def acted(actor: Actor) -> Mapping[str, Any]:
    """Return the figure's table; for an upright animal, that of a person with its head."""
    spec = _unscaled(actor)
    return spec if actor.scale == 1 else {**spec, "size": float(spec["size"]) * actor.scale}


def _unscaled(actor: Actor) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = figures()[actor.figure]
    if not actor.upright or spec["form"] not in {"quadruped", "bird"}:
        return spec
    look = spec["look"]
    coat, points = look.get("coat"), look.get("points", look.get("coat"))
    dark = look.get("limbs", False)
    clothed = {
        "animal": look.get("ears", "round"),
        "mask": look.get("mask", False),
        "skin": coat,
        "points": points,
        "top": points if dark else coat,
        "bottom": points if dark else look.get("belly", coat),
        "shoes": points,
        "head": 1.7,
        "build": 1.35,
        "carry": True,
    }
    return {"form": "person", "size": 0.52, "words": spec["words"], "look": clothed}


def figure_size(actor: Actor) -> float:
    """Return the height of ``actor`` in frame heights at a full shot, with its rider."""
    spec = acted(actor)
    size = float(spec["size"])
    if actor.rider and "seat" in spec:
        return size * max(1.0, float(spec["seat"][2]) - float(spec["seat"][1]))
    return size * 1.45 if actor.rider else size


def side_shown(script: Script, actor: Actor) -> str:
    """Return the visible side of the figure: ``side``, ``front`` or ``rear``."""
    spec = acted(actor)
    if spec["form"] == "drawing" and "front" not in spec["look"]:
        return "side"
    if script.camera_angle in _FACING:
        return _FACING[script.camera_angle]
    goes_along = script.backdrop == "corridor" or spec.get("kind") == "vehicle"
    if script.backdrop in _ONE_WAY and (goes_along or spec["form"] == "car"):
        # In a passage the camera follows; there is no room beside.
        return "rear"
    if spec["form"] != "person" or actor.rider or actor.gait in _TRAVELLING:
        return "side"
    if script.shot_size in _FACES:
        return "front"
    return "front" if actor.gait in _FACING_US and not actor.prop else "side"


def footprint(actor: Actor, side: str = "side") -> float:
    """Return the width that one figure of ``actor`` needs, in frame heights."""
    spec = acted(actor)
    if side != "side" and spec["form"] in {"quadruped", "car", "drawing"}:
        return float(spec["size"] * spec.get("across", 1.15))
    width = {
        "quadruped": 1.9,
        "person": 0.62,
        "car": 3.3,
        "fish": 1.9,
        "snake": 2.2,
        "crawler": 2.0,
        "arm": 2.0,
    }
    if "room" in spec:
        return float(spec["size"] * (spec["room"][2] - spec["room"][0]) * 0.92)
    return float(spec["size"]) * width.get(spec["form"], 1.2)


_FACING: Final = {"front view": "front", "rear view": "rear", "over-the-shoulder": "front"}
_ONE_WAY: Final = frozenset({"corridor", "road ahead", "railway ahead"})
_FACES: Final = frozenset({"medium close-up", "close-up", "extreme close-up"})
"""Shots that always show a face."""
_TRAVELLING: Final = frozenset({"walk", "run", "trot", "gallop", "swim", "fly", "ride", "pedal"})
_IN_HAND: Final = (0.27, -0.52, 0.26)
_LEAST_HELD: Final = 0.11
"""Minimum height of a thing in a hand, in person heights."""
_PERSON_M: Final = 1.7
_SPAN: Final = 0.42
"""Maximum width of a thing in a hand, in person heights."""
_PERSON: Final = 0.6
"""Height of a person, in frame heights at a full shot."""
_TURNING: Final = frozenset({"roll", "tip", "hang", "shake"})
"""Gaits in which a thing leaves its bounding box."""
_TOO_LARGE: Final = 0.6
"""Height, in person heights, from which a thing is placed in front, not held."""
_FACING_US: Final = frozenset({"stand", "rest", "wave", "dance"})
"""Gaits without travel, which show a person from the front, as in a portrait."""


def held_where(prop: str) -> tuple[float, float, float]:
    """Return how a thing is held: position of its foot and its size, in the holder's heights."""
    spec = figures()[prop]
    tall = float(spec["size"]) / _PERSON
    left, _, right, _ = spec.get("room", (-0.5, -1.0, 0.5, 0.0))
    true = max(_LEAST_HELD, (metres_of(prop) / _PERSON_M) ** SOFTENED)
    in_hand = (_IN_HAND[0], _IN_HAND[1], min(_IN_HAND[2], true, _SPAN / (right - left)))
    large = (0.5 + 0.2 * tall, 0.0, tall)
    x, y, size = held().get(prop, large if tall > _TOO_LARGE else in_hand)
    return x, y, size


def saddle(spec: Mapping[str, Any], pose: Pose) -> tuple[float, float, float, str]:
    """Return the seat of a rider: position, the rider's height in the animal's, gait."""
    look = spec["look"]
    share = 0.60 / float(spec["size"]) * 0.9
    leg, deep = float(look.get("leg", 0.5)), float(look.get("deep", 0.3))
    if pose.front != "side":
        return 0.0, -(leg + 0.97 * deep) - risen(pose) + 0.30 * share, share, "ride"
    bob = 0.05 * pose.swing(0.1) if pose.gait == "gallop" else 0.01 * pose.swing(0, 2)
    return -0.05, -(leg + 0.86 * deep) - bob + 0.30 * share, share, "ride"


def astride(spec: Mapping[str, Any], share: float) -> Mapping[str, float]:
    """Return the spread of a rider's knees and hands from the front, in rider heights.

    ``share`` is the rider's height over the mount's.
    """
    if spec["form"] == "drawing":
        return {name: spec[name] for name in ("astride", "grip") if name in spec}
    return {"astride": min(0.26, 0.55 * float(spec["look"].get("deep", 0.3)) / share), "grip": 0.05}


def room_of(
    spec: Mapping[str, Any], actor: Actor, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Return the bounding box of one figure, with prop and rider."""
    x0, y0, x1, y1 = spec.get("room", box)
    if spec["form"] == "drawing" and actor.gait in _TURNING:
        far = max(-x0, x1, -y0)
        x0, y0, x1, y1 = min(x0, -far), min(y0, -0.5 - far), max(x1, far + 0.45), max(y1, far - 0.5)
    if spec["form"] == "drawing" and actor.gait == "bounce":
        y0 = min(y0, -2.3)
    if actor.rider:
        y0, x0, x1 = min(y0, -2.25), min(x0, -1.3), max(x1, 1.3)
        if spec["size"] < 0.2:
            y0 = -5.6
    if actor.prop and spec["form"] != "arm":
        x, y, tall = held_where(actor.prop)
        room = figures()[actor.prop].get("room", (-0.85, -1.12, 0.85, 0.08))
        x1, y0 = max(x1, 0.85, x + tall * room[2]), min(y0, -1.65, y + tall * room[1])
    return x0, y0, x1, y1
