"""How actors move: figure table, gait, footprint, props and seats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.engines.animatic.figures.body import Pose
from workbench.engines.animatic.figures.oncoming import risen
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
"""Leg length, in heights, for which the speeds of animals are given."""


@dataclass(frozen=True, slots=True)
class Motion:
    """How a figure moves: its gait, seconds to a cycle, units travelled per second."""

    gait: str
    cycle_s: float
    speed: float


def motion_of(spec: Mapping[str, Any], gait: str) -> Motion:
    """Return how the figure of ``spec`` does ``gait``."""
    kind = str(spec.get("kind", ""))
    table = gaits().get(kind if kind in gaits() else str(spec["form"]), {})
    entry = table.get(gait) or table.get("rest") or {"cycle_s": 3.0}
    name = gait if gait in table else "rest"
    if "as" in entry:
        name = entry["as"]
        entry = table[name]
    cycle_s = float(spec.get("cycle_s", entry["cycle_s"]))
    # Longer legs take longer steps: a foot that stands must not slide.
    legs = float(spec["look"].get("leg", _LEG)) / _LEG if spec["form"] == "quadruped" else 1.0
    speed = entry.get("speed", 0.0) * legs * float(spec["size"])
    return Motion(entry.get("as_pose", name), cycle_s, speed)


def acted(actor: Actor) -> Mapping[str, Any]:
    """Return the figure's table, or that of a person with the animal's head where it stands up."""
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
    """Return which view of the figure is seen: ``side``, ``front`` or ``rear``."""
    spec = acted(actor)
    if spec["form"] == "drawing" and "front" not in spec["look"]:
        return "side"
    if script.camera_angle in _FACING:
        return _FACING[script.camera_angle]
    goes_along = script.backdrop == "corridor" or spec.get("kind") == "vehicle"
    if script.backdrop in _ONE_WAY and (goes_along or spec["form"] == "car"):
        # There one is followed: there is no room beside.
        return "rear"
    if spec["form"] != "person" or actor.rider or actor.gait in _TRAVELLING:
        return "side"
    if script.shot_size in _FACES:
        return "front"
    return "front" if actor.gait in _FACING_US and not actor.prop else "side"


def footprint(actor: Actor, side: str = "side") -> float:
    """Return how much room across one figure of ``actor`` needs, in frame heights."""
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
_PERSON: Final = 0.6
"""Height of a person, in frame heights at a full shot."""
_TOO_LARGE: Final = 0.6
"""Height, in person heights, from which a thing is placed in front instead of being held."""
_FACING_US: Final = frozenset({"stand", "rest", "wave", "dance"})
"""Gaits without travel: a person is then seen from the front, as in a portrait."""


def held_where(prop: str) -> tuple[float, float, float]:
    """Return where a thing is held: its foot in the holder's heights, and its size in them."""
    tall = float(figures()[prop]["size"]) / _PERSON
    large = (0.5 + 0.2 * tall, 0.0, tall)
    x, y, size = held().get(prop, large if tall > _TOO_LARGE else _IN_HAND)
    return x, y, size


def saddle(spec: Mapping[str, Any], pose: Pose) -> tuple[float, float, float, str]:
    """Return where a rider sits on an animal: place, the rider's height in the animal's, gait."""
    look = spec["look"]
    share = 0.60 / float(spec["size"]) * 0.9
    leg, deep = float(look.get("leg", 0.5)), float(look.get("deep", 0.3))
    if pose.front != "side":
        return 0.0, -(leg + 0.97 * deep) - risen(pose) + 0.30 * share, share, "ride"
    bob = 0.05 * pose.swing(0.1) if pose.gait == "gallop" else 0.01 * pose.swing(0, 2)
    return -0.05, -(leg + 0.86 * deep) - bob + 0.30 * share, share, "ride"


def astride(spec: Mapping[str, Any], share: float) -> Mapping[str, float]:
    """Return the spread of a rider's knees and hands seen from the front, in rider heights.

    ``share`` is the rider's height over the mount's.
    """
    if spec["form"] == "drawing":
        return {name: spec[name] for name in ("astride", "grip") if name in spec}
    return {"astride": min(0.26, 0.55 * float(spec["look"].get("deep", 0.3)) / share), "grip": 0.05}


def room_of(
    spec: Mapping[str, Any], actor: Actor, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Return the room one figure needs, with what it holds and who sits on it."""
    x0, y0, x1, y1 = spec.get("room", box)
    if actor.rider:
        y0, x0, x1 = min(y0, -2.25), min(x0, -1.3), max(x1, 1.3)
        if spec["size"] < 0.2:
            y0 = -5.6
    if actor.prop and spec["form"] != "arm":
        x, y, tall = held_where(actor.prop)
        room = figures()[actor.prop].get("room", (-0.85, -1.12, 0.85, 0.08))
        x1, y0 = max(x1, 0.85, x + tall * room[2]), min(y0, -1.65, y + tall * room[1])
    return x0, y0, x1, y1
