"""Open country: meadow, forest, mountains, desert, snow."""

from __future__ import annotations

import numpy as np

from workbench.engines.animatic.backdrops import trees
from workbench.engines.animatic.backdrops.ground import hills, mountains, strip
from workbench.engines.animatic.backdrops.sky import sky_layers
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World

__all__ = [
    "covered",
    "desert",
    "forest",
    "meadow",
    "mountain_pass",
    "rocks",
    "snowfield",
    "tree_line",
]

GRASS: Colour = (0.42, 0.60, 0.26)
LEAF: Colour = (0.24, 0.46, 0.22)
_FIR: Colour = (0.13, 0.33, 0.24)
_SAND: Colour = (0.91, 0.72, 0.46)


def covered(world: World, colour: Colour, share: float = 1.0) -> Colour:
    """Return ``colour`` tinted by the atmosphere's snow, autumn or dust."""
    autumn = mix(colour, (0.66, 0.50, 0.22), 0.5 * world.air.autumn)
    dusty = mix(autumn, (0.78, 0.62, 0.42), 0.6 * world.air.dust)
    return mix(dusty, (0.94, 0.96, 1.0), world.air.snow * share)


def tree_line(
    world: World, p: float, low: float, high: float, every: float, *, fir: bool = False
) -> Layer:
    """Return a row of trees standing at the ground of ``p``."""
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 1.15 * high, bottom=foot + 0.05)
    paint = trees.conifer if fir else trees.broadleaf
    for x in trees.scatter(world, canvas.x0, canvas.x1, every):
        tall = float(world.random.uniform(low, high))
        paint(world, canvas, (x, foot + 0.012), tall, p, _FIR if fir else LEAF)
    return world.layer(canvas, p)


def meadow(world: World) -> list[Layer]:
    """Return rolling grassland with a line of trees and grass in front."""
    green = covered(world, GRASS)
    return [
        *sky_layers(world),
        mountains(world, 0.07, (0.36, 0.45, 0.60), height=0.15, snow=0.5),
        hills(world, 0.16, covered(world, (0.36, 0.52, 0.36)), height=0.035),
        tree_line(world, 0.34, 0.07, 0.13, 0.12),
        strip(world, 0.34, mix(green, (0.9, 0.88, 0.5), 0.25), green, wave=0.008, texture=0.18),
        strip(
            world,
            0.62,
            green,
            mix(green, (0.2, 0.34, 0.14), 0.4),
            wave=0.006,
            texture=0.22,
            onto=_flowers(world, 0.62),
        ),
        trees.grass(world, 1.45, mix(green, (0.16, 0.30, 0.12), 0.5), tall=0.07, every=0.016),
    ]


def _flowers(world: World, p: float, number: int = 70) -> trees.Onto:
    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        hues: tuple[Colour, ...] = ((0.95, 0.86, 0.35), (0.95, 0.95, 0.92), (0.88, 0.45, 0.55))
        for _ in range(0 if world.air.snow > 0.3 else number):
            x = float(world.random.uniform(canvas.x0, canvas.x1))
            y = world.ground_at(p) + 0.02 + float(world.random.random()) ** 1.4 * 0.25
            r = 0.003 + 0.012 * (y - world.ground_at(p))
            canvas.ellipse(x, y, r, r * 0.7, world.tone(hues[int(world.random.integers(3))], p))

    return paint


def forest(world: World) -> list[Layer]:
    """Return woods: veils of trunks one behind another, ferns, shafts of paler air between."""
    moss = covered(world, (0.30, 0.42, 0.20))
    earth = covered(world, (0.34, 0.30, 0.18))
    return [
        *sky_layers(world),
        tree_line(world, 0.14, 0.24, 0.36, 0.07, fir=True),
        _trunks(world, 0.30, 0.10, 0.014),
        tree_line(world, 0.30, 0.20, 0.34, 0.16),
        strip(world, 0.30, mix(moss, (0.8, 0.86, 0.5), 0.2), moss, wave=0.010, texture=0.25),
        _trunks(world, 0.46, 0.24, 0.022),
        strip(world, 0.46, moss, earth, wave=0.012, texture=0.3),
        _trunks(world, 0.74, 0.62, 0.038),
        strip(
            world,
            0.74,
            mix(moss, earth, 0.4),
            mix(earth, (0.14, 0.13, 0.08), 0.5),
            wave=0.010,
            texture=0.35,
            onto=_ferns(world, 0.74),
            above=0.06,
        ),
        *([] if world.from_above else [_canopy(world, 1.25)]),
        trees.grass(world, 1.5, mix(moss, (0.08, 0.16, 0.08), 0.6), tall=0.09, every=0.022),
    ]


def _trunks(world: World, p: float, every: float, half: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, bottom=foot + 0.04)
    bark: Colour = (0.36, 0.27, 0.20)
    for x in trees.scatter(world, canvas.x0, canvas.x1, every):
        wide = half * float(world.random.uniform(0.6, 1.3))
        tall = foot - canvas.y0 + 0.1
        trees.trunk(world, canvas, (x, foot + 0.02), tall, wide, p, world.varied(bark, 0.15))
    return world.layer(canvas, p, texture=0.1)


def _ferns(world: World, p: float) -> trees.Onto:
    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        for x in trees.scatter(world, canvas.x0, canvas.x1, 0.28):
            trees.bush(world, canvas, (x, world.ground_at(p) + 0.02), 0.06, p, (0.26, 0.46, 0.20))

    return paint


def _canopy(world: World, p: float) -> Layer:
    canvas = world.canvas(p, bottom=-0.30)
    leaf = mix(LEAF, (0.05, 0.1, 0.05), 0.5)
    for x in trees.scatter(world, canvas.x0, canvas.x1, 0.13):
        for lit, r in ((0.2, 0.13), (0.45, 0.09)):
            dy = float(world.random.uniform(-0.06, 0.03))
            canvas.ellipse(
                x,
                -0.47 + dy,
                r * 1.3,
                r * 0.7,
                world.tone(trees.leaf_colour(world, leaf), p, lit=lit),
            )
    return world.layer(canvas, p, drift=lambda t: (0.006 * float(np.sin(1.1 * t)), 0.0))


def mountain_pass(world: World) -> list[Layer]:
    """Return great peaks, one range behind another, over a stony alp."""
    rock = (0.40, 0.44, 0.54)
    alp = covered(world, (0.44, 0.52, 0.32))
    stone = covered(world, (0.52, 0.50, 0.48), 0.8)
    return [
        *sky_layers(world),
        mountains(world, 0.05, rock, height=0.40, snow=0.9),
        mountains(world, 0.14, (0.34, 0.38, 0.46), height=0.26, snow=0.6),
        tree_line(world, 0.26, 0.05, 0.10, 0.05, fir=True),
        strip(world, 0.26, covered(world, (0.34, 0.46, 0.30)), alp, wave=0.02, texture=0.2),
        strip(
            world,
            0.52,
            alp,
            stone,
            wave=0.014,
            texture=0.3,
            onto=rocks(world, 0.52, (0.56, 0.54, 0.52)),
            above=0.05,
        ),
        trees.grass(world, 1.45, mix(alp, (0.2, 0.24, 0.14), 0.6), tall=0.045, every=0.026),
    ]


def rocks(world: World, p: float, colour: Colour, every: float = 0.2) -> trees.Onto:
    """Return a painter that scatters boulders over a strip of ground at ``p``."""

    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        for x in trees.scatter(world, canvas.x0, canvas.x1, every):
            deep = float(world.random.random()) * 0.22
            tall = float(world.random.uniform(0.012, 0.035)) * (1 + 3 * deep)
            trees.rock(world, canvas, (x, world.ground_at(p) + deep), tall, p, world.varied(colour))

    return paint


def desert(world: World) -> list[Layer]:
    """Return dunes with a lit and a shaded flank, mesas far off, cacti near."""
    sand = covered(world, _SAND)
    return [
        *sky_layers(world),
        _mesas(world, 0.08),
        dunes(world, 0.18, sand, 0.05),
        dunes(world, 0.36, sand, 0.055),
        dunes(world, 0.60, mix(sand, (0.8, 0.5, 0.26), 0.2), 0.035),
        dunes(world, 1.5, mix(sand, (0.7, 0.42, 0.22), 0.4), 0.02),
    ]


def _mesas(world: World, p: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.24)
    rock: Colour = (0.72, 0.42, 0.28)
    for x in trees.scatter(world, canvas.x0, canvas.x1, 0.42):
        wide, tall = float(world.random.uniform(0.08, 0.2)), float(world.random.uniform(0.06, 0.17))
        lit, dark = world.tone(rock, p, lit=0.9), world.tone(rock, p, lit=0.45)
        top = foot - tall
        canvas.polygon(
            ((x - wide, foot), (x - wide * 0.72, top), (x + wide * 0.7, top), (x + wide, foot)), lit
        )
        s = -world.air.side
        canvas.polygon(
            (
                (x + s * wide * 0.3, foot),
                (x + s * wide * 0.22, top),
                (x + s * wide * 0.71, top),
                (x + s * wide, foot),
            ),
            dark,
        )
    return world.layer(canvas, p, texture=0.12)


def dunes(world: World, p: float, sand: Colour, height: float) -> Layer:
    """Return a row of dunes whose slip faces lie in shade."""
    foot = world.ground_at(p)

    def paint(canvas: Canvas, edge: np.ndarray) -> None:
        shade = world.tone(mix(sand, (0.6, 0.36, 0.24), 0.4), p, lit=0.62)
        x = canvas.x0 - 0.3
        while x < canvas.x1:
            wide = float(world.random.uniform(0.5, 0.9)) * (0.4 + p)
            crest_x = x + wide * 0.5
            crest = float(np.interp(crest_x, edge[:, 0], edge[:, 1]))
            s = -world.air.side
            curve = [
                (crest_x, crest),
                (crest_x + s * wide * 0.18, crest + height * 0.8),
                (crest_x + s * wide * 0.05, crest + height * 2.2),
                (crest_x + s * wide * 0.5, crest + height * 2.4),
                (crest_x + s * wide * 0.42, crest + height * 0.6),
            ]
            canvas.polygon(curve, shade, 0.75)
            x += wide

    return (
        strip(
            world,
            p,
            mix(sand, (1, 0.9, 0.7), 0.2),
            mix(sand, (0.78, 0.52, 0.3), 0.3),
            wave=height * 0.6,
            rise=height * 0.4,
            texture=0.14,
            rough=1.6,
            onto=paint,
            depth=0.35,
        )
        if foot
        else mountains(world, p, sand, height=height)
    )


def snowfield(world: World) -> list[Layer]:
    """Return a white plain with blue shadows, firs and icy peaks."""
    snow: Colour = (0.93, 0.95, 1.0)
    return [
        *sky_layers(world),
        mountains(world, 0.07, (0.50, 0.58, 0.70), height=0.26, snow=1.3),
        tree_line(world, 0.22, 0.06, 0.12, 0.10, fir=True),
        strip(world, 0.22, snow, (0.82, 0.88, 0.97), wave=0.014, texture=0.08),
        strip(
            world, 0.48, (0.95, 0.97, 1.0), (0.78, 0.85, 0.96), wave=0.016, texture=0.1, rough=0.5
        ),
        strip(
            world, 0.70, (0.97, 0.98, 1.0), (0.74, 0.82, 0.95), wave=0.008, texture=0.1, rough=0.5
        ),
        strip(world, 1.6, (0.90, 0.94, 1.0), (0.7, 0.8, 0.95), wave=0.02, texture=0.06),
    ]
