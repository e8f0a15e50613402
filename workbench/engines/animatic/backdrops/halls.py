"""Rooms and halls as data: a wall, a floor, and drawings along the wall."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from workbench.engines.animatic.backdrops.indoors import WALL_FOOT, floor, inner, window_and_wall
from workbench.engines.animatic.backdrops.sky import sky
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, scale
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.drawing import paint_drawing
from workbench.engines.animatic.tables import figures
from workbench.engines.animatic.world import Layer, World

__all__ = ["HALLS", "INDOORS", "ROOMS", "ROOM_END"]

_P: Final = 0.45
_FOOT: Final = 0.25

_NAMES: Final = (
    "laundrette", "supermarket", "warehouse", "gym", "garage", "classroom", "bathroom", "bedroom",
    "cafe", "arcade", "church interior", "hospital room", "laboratory", "workshop", "factory",
    "market", "museum", "station hall", "tent", "drained pool", "shop window", "barn interior",
    "library", "lobby", "carriage", "stairwell", "swimming pool", "greenhouse",
)  # fmt: skip


_OPEN: Final = frozenset({"market", "drained pool", "swimming pool"})
INDOORS: Final = frozenset(_NAMES) - _OPEN
"""The halls with a roof, without rain or snow."""
ROOMS: Final = INDOORS | {"room", "kitchen", "office"}
"""The backdrops that end at a wall with furnishings along it."""
ROOM_END: Final = 0.46
"""The parallax of the nearest of these furnishings."""


def hall(name: str, world: World) -> list[Layer]:
    """Return the layers of the hall ``name``, farthest first."""
    plan = _plans()[name]
    wall: Colour = _colour(plan["wall"], plan)
    if plan.get("outside"):
        layers = [sky(world), _low_wall(world, wall, float(plan.get("wall_top", -0.02)))]
    else:
        at, wide = plan.get("window", (0.0, 0.0))
        tiles = bool(plan.get("tiles", False))
        layers = window_and_wall(world, wall, at, wide=wide, tiles=tiles)
    boards = bool(plan.get("boards", False))
    return [
        *layers,
        _furnishings(world, plan),
        floor(world, _colour(plan["floor"], plan), boards=boards),
    ]


HALLS: Final[Mapping[str, Callable[[World], list[Layer]]]] = MappingProxyType(
    {name: partial(hall, name) for name in _NAMES}
)


def _colour(values: list[float], plan: Mapping[str, Any]) -> Colour:
    red, green, blue = values
    return scale((red, green, blue), 1 - 0.6 * float(plan.get("dark", 0.0)))


def _low_wall(world: World, colour: Colour, top: float) -> Layer:
    """Return a wall of tiles under the open sky."""
    canvas = world.canvas(0.34, top=top)
    stops = ((top, inner(world, colour)), (WALL_FOOT, inner(world, scale(colour, 0.8))))
    canvas.gradient(stops, grain=world.grain)
    grout = inner(world, scale(colour, 0.82))
    for y in np.arange(top, WALL_FOOT, 0.07):
        canvas.line(((canvas.x0, y), (canvas.x1, y)), 0.003, grout)
    for x in np.arange(canvas.x0, canvas.x1, 0.1):
        canvas.line(((x, top), (x, WALL_FOOT)), 0.003, grout)
    edge = inner(world, scale(colour, 1.15))
    canvas.rectangle(canvas.x0, top, canvas.x1, top + 0.02, edge)
    return world.layer(canvas, 0.34, texture=0.08)


def _furnishings(world: World, plan: Mapping[str, Any]) -> Layer:
    """Paint the furnishings along the visible part of the wall."""
    canvas = world.canvas(_P, top=-0.6, bottom=_FOOT + 0.03)
    ink = Ink(
        lambda colour, lit: inner(world, colour, lit) if lit <= 1 else world.air.sheer(colour)
    )
    step = float(plan["step"])
    first, last = int(np.floor(canvas.x0 / step)), int(np.ceil(canvas.x1 / step))
    for index in range(first, last + 1):
        for pieces, foot in ((plan.get("floating", ()), None), (plan["row"], _FOOT)):
            if not pieces:
                continue
            name, tall, *height = pieces[index % len(pieces)]
            _paint(canvas, ink, name, (index * step, height[0] if foot is None else foot), tall)
    if plan.get("lamps"):
        light = world.air.sheer((0.96, 0.98, 0.94))
        for index in range(first, last + 1):
            x = index * 0.5
            canvas.rectangle(x - 0.16, -0.40, x + 0.16, -0.385, light)
            canvas.glow(x, -0.38, 0.3, light, 0.10)
    return world.layer(canvas, _P)


def _paint(canvas: Canvas, ink: Ink, name: str, at: tuple[float, float], tall: float) -> None:
    paint_drawing(canvas.moved(*at, tall), Pose("rest", 0.0), ink, figures()[name]["look"])


@cache
def _plans() -> Mapping[str, Any]:
    text = resources.files("workbench.engines.animatic.backdrops").joinpath("halls.toml")
    return tomllib.loads(text.read_text("utf-8"))
