"""Water: beach, open sea, river, lake."""

from __future__ import annotations

import math

import numpy as np

from workbench.engines.animatic.acting import acted
from workbench.engines.animatic.backdrops import trees
from workbench.engines.animatic.backdrops.ground import hills, mountains, strip
from workbench.engines.animatic.backdrops.land import covered, tree_line
from workbench.engines.animatic.backdrops.sky import sky_layers
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Drift, Layer, World

__all__ = ["beach", "lake", "ocean", "river", "waves"]

_SEA: Colour = (0.16, 0.46, 0.62)


def waves(
    world: World,
    p: float,
    colour: Colour,
    *,
    height: float,
    long: float,
    foam: float = 0.0,
    offset: float = 0.0,
) -> Layer:
    """Return a strip of waves that rolls sideways and heaves, opaque to the bottom."""
    foot = world.ground_at(p)
    rough = 1 + 1.6 * world.air.gust + (1.2 if world.air.lightning else 0.0)
    height *= rough
    canvas = world.canvas(p, top=foot - 2.2 * height - 0.01, spread=long)
    xs = np.arange(canvas.x0, canvas.x1 + 0.02, max(0.006, long / 26))
    turn = 2 * np.pi * xs / long + offset
    crest = foot - height * (
        0.9 * np.sin(turn) + 0.35 * np.sin(2 * turn + 0.6) + 0.25 * np.sin(0.5 * turn)
    )
    edge = np.stack([xs, crest], 1)
    corners = ((canvas.x1, canvas.y1), (canvas.x0, canvas.y1))
    top = world.tone(mix(colour, world.air.sky[2], 0.34), p)
    deep = world.tone(mix(colour, (0.03, 0.12, 0.2), 0.35), p)
    canvas.gradient(((foot - height, top), (foot + 0.14 * (0.4 + p), deep)), grain=world.grain)
    canvas.cut(
        np.concatenate([edge, corners]),
        min(canvas.pixels.shape[0], canvas.row(foot + 2.2 * height) + 2),
    )
    _glints(world, canvas, p, foot, long)
    if foam:
        white = world.tone((0.96, 0.98, 1.0), p)
        line = edge + np.array([0, 0.5 * foam])
        canvas.line(line, foam, white, 0.85)
        canvas.line(edge + np.array([0.02, 2.4 * foam]), 0.5 * foam, white, 0.4)
    return world.layer(canvas, p, solid=foot + 2.2 * height, drift=_roll(long, height, p, offset))


def _roll(long: float, height: float, p: float, offset: float) -> Drift:
    speed = 0.25 + 0.5 * p

    def drift(t: float) -> tuple[float, float]:
        along = 0.5 * long * (0.5 + 0.5 * math.sin(speed * t + offset))
        return along, 0.5 * height * math.sin(1.7 * t + 1.3 * offset)

    return drift


def _glints(world: World, canvas: Canvas, p: float, foot: float, long: float) -> None:
    air = world.air
    bright = (
        air.sheer(air.sun.colour)
        if air.sun and air.sunshine > 0.3
        else world.tone((0.8, 0.9, 1.0), p)
    )
    centre = air.sun.x if air.sun and air.sunshine > 0.3 else air.moon.x if air.moon else None
    number = int(90 * (0.4 + p))
    for _ in range(number):
        spread = 0.12 + 0.5 * p
        near_sun = centre is not None and world.random.random() < 0.6
        x = (
            float(world.random.normal(centre or 0.0, spread))
            if near_sun
            else float(world.random.uniform(canvas.x0, canvas.x1))
        )
        y = foot + float(world.random.random()) ** 1.3 * 0.16 * (0.3 + p) + 0.012
        wide = long * float(world.random.uniform(0.04, 0.12))
        canvas.polygon(
            ((x - wide, y), (x, y - 0.0022), (x + wide, y), (x, y + 0.0022)),
            bright,
            0.75 if near_sun else 0.28,
        )


def beach(world: World) -> list[Layer]:
    """Return sand, surf, a turquoise sea and palms."""
    sea = covered(world, (0.13, 0.55, 0.64), 0.2)
    sand = covered(world, (0.94, 0.83, 0.62))
    wet = mix(sand, (0.55, 0.45, 0.34), 0.45)
    return [
        *sky_layers(world),
        hills(world, 0.05, covered(world, (0.30, 0.48, 0.46)), height=0.016, base=0.003),
        waves(world, 0.05, mix(sea, (0.05, 0.3, 0.5), 0.5), height=0.002, long=0.4),
        waves(world, 0.18, mix(sea, (0.05, 0.4, 0.55), 0.25), height=0.004, long=0.5, offset=1.1),
        waves(world, 0.34, sea, height=0.008, long=0.7, foam=0.006, offset=2.3),
        waves(
            world,
            0.52,
            mix(sea, (0.7, 0.95, 0.9), 0.3),
            height=0.008,
            long=1.1,
            foam=0.012,
            offset=0.4,
        ),
        strip(world, 0.62, wet, sand, wave=0.008, texture=0.1, rough=2, depth=0.08),
        strip(
            world,
            0.80,
            mix(sand, (1, 0.95, 0.85), 0.3),
            mix(sand, (0.75, 0.6, 0.42), 0.3),
            wave=0.006,
            texture=0.16,
            rough=2,
        ),
        _palms(world, 1.12),
    ]


def _palms(world: World, p: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 1.0)
    for x in (-0.86, 0.98):
        trees.palm(
            world,
            canvas,
            (x * (0.8 + 0.2 * p) + float(world.random.uniform(-0.1, 0.1)), foot + 0.08),
            0.86,
            p,
            (0.20, 0.46, 0.24),
        )
    return world.layer(canvas, p, drift=lambda t: (0.004 * math.sin(1.3 * t), 0.0))


def ocean(world: World) -> list[Layer]:
    """Return open water to the horizon, swell behind swell."""
    sea = covered(world, _SEA, 0.25)
    return [
        *sky_layers(world),
        waves(world, 0.03, mix(sea, (0.1, 0.3, 0.5), 0.3), height=0.0015, long=0.35),
        waves(world, 0.12, sea, height=0.005, long=0.42, offset=0.8),
        waves(world, 0.28, mix(sea, (0.04, 0.2, 0.34), 0.15), height=0.010, long=0.6, offset=2.1),
        waves(
            world,
            0.52,
            mix(sea, (0.04, 0.2, 0.34), 0.3),
            height=0.016,
            long=0.85,
            foam=0.004,
            offset=3.7,
        ),
        waves(
            world,
            0.82,
            mix(sea, (0.03, 0.16, 0.3), 0.45),
            height=0.022,
            long=1.1,
            foam=0.005,
            offset=5.0,
        ),
        waves(
            world,
            1.06,
            mix(sea, (0.03, 0.16, 0.3), 0.5),
            height=0.026,
            long=1.3,
            foam=0.006,
            offset=0.6,
        ),
        waves(
            world,
            1.5,
            mix(sea, (0.02, 0.12, 0.24), 0.6),
            height=0.03,
            long=1.7,
            foam=0.007,
            offset=2.0,
        ),
    ]


def river(world: World) -> list[Layer]:
    """Return a river between wooded banks."""
    bank, water = covered(world, (0.40, 0.56, 0.28)), covered(world, (0.24, 0.50, 0.56), 0.2)
    return [
        *sky_layers(world),
        mountains(world, 0.07, (0.38, 0.48, 0.60), height=0.18, snow=0.5),
        tree_line(world, 0.22, 0.10, 0.18, 0.08),
        strip(world, 0.22, bank, mix(bank, (0.3, 0.4, 0.2), 0.3), wave=0.01, texture=0.2),
        waves(world, 0.36, water, height=0.003, long=0.5, offset=0.4),
        waves(
            world,
            0.54,
            mix(water, (0.1, 0.3, 0.4), 0.25),
            height=0.005,
            long=0.7,
            foam=0.003,
            offset=2.2,
        ),
        _swell(world, water)
        if _afloat(world)
        else strip(
            world,
            0.76,
            mix(bank, (0.7, 0.66, 0.5), 0.35),
            bank,
            wave=0.012,
            texture=0.25,
            depth=0.16,
        ),
        trees.grass(world, 1.45, mix(bank, (0.14, 0.28, 0.12), 0.5), tall=0.10, every=0.022),
    ]


def lake(world: World) -> list[Layer]:
    """Return still water that mirrors hills and sky."""
    water, bank = covered(world, (0.36, 0.58, 0.70), 0.2), covered(world, (0.46, 0.58, 0.32))
    return [
        *sky_layers(world),
        mountains(world, 0.06, (0.36, 0.46, 0.60), height=0.24, snow=0.7),
        tree_line(world, 0.15, 0.05, 0.09, 0.045, fir=True),
        _mirror(world, 0.15, water),
        waves(world, 0.40, mix(water, (0.16, 0.36, 0.5), 0.3), height=0.0016, long=0.9, offset=1.0),
        _swell(world, water)
        if _afloat(world)
        else strip(
            world,
            0.74,
            mix(bank, (0.75, 0.7, 0.55), 0.4),
            bank,
            wave=0.010,
            texture=0.24,
            depth=0.14,
        ),
        trees.grass(world, 1.5, mix(bank, (0.16, 0.28, 0.12), 0.5), tall=0.13, every=0.03),
    ]


def _afloat(world: World) -> bool:
    """Tell whether someone sails; the water then reaches the camera."""
    return any(acted(actor).get("kind") == "vessel" for actor in world.script.actors)


def _swell(world: World, water: Colour) -> Layer:
    near = mix(water, (0.08, 0.26, 0.38), 0.4)
    return waves(world, 0.80, near, height=0.007, long=0.9, foam=0.003, offset=0.7)


def _mirror(world: World, p: float, water: Colour) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.01, spread=0.04)
    near, far = world.tone(water, p), world.tone(mix(water, world.air.sky[1], 0.5), p)
    canvas.gradient(((foot, far), (foot + 0.2, near)), grain=world.grain)
    dark = world.tone((0.13, 0.27, 0.26), p)
    for x in trees.scatter(world, canvas.x0, canvas.x1, 0.05):
        tall = float(world.random.uniform(0.04, 0.09))
        canvas.polygon(((x - 0.014, foot), (x + 0.014, foot), (x, foot + tall)), dark, 0.5)
    for _ in range(80):
        x, y = (
            float(world.random.uniform(canvas.x0, canvas.x1)),
            foot + float(world.random.random()) * 0.12,
        )
        canvas.line(
            ((x, y), (x + float(world.random.uniform(0.03, 0.12)), y)),
            0.002,
            mix(far, (1, 1, 1), 0.3),
            0.5,
        )
    canvas.cut(
        ((canvas.x0, foot), (canvas.x1, foot), (canvas.x1, canvas.y1), (canvas.x0, canvas.y1)),
        canvas.row(foot) + 2,
    )
    return world.layer(canvas, p, solid=foot, drift=lambda t: (0.012 * math.sin(0.9 * t), 0.0))
