"""Land that people have shaped: garden, farm, ruins."""

from __future__ import annotations

import numpy as np

from workbench.engines.animatic.backdrops import trees
from workbench.engines.animatic.backdrops.ground import hills, mountains, strip
from workbench.engines.animatic.backdrops.land import covered, rocks, tree_line
from workbench.engines.animatic.backdrops.sky import sky_layers
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World

__all__ = ["farm", "garden", "ruins"]
STONE: Colour = (0.64, 0.61, 0.56)


def garden(world: World) -> list[Layer]:
    """Return a lawn between hedges, flower beds and a path."""
    lawn = covered(world, (0.38, 0.62, 0.30))
    path = covered(world, (0.84, 0.76, 0.62), 0.7)
    return [
        *sky_layers(world),
        tree_line(world, 0.20, 0.12, 0.22, 0.13),
        _hedge(world, 0.36, 0.10),
        strip(world, 0.36, mix(lawn, (0.9, 0.95, 0.6), 0.2), lawn, wave=0.002, texture=0.15),
        _bed(world, 0.56),
        strip(
            world, 0.60, path, mix(path, (0.5, 0.4, 0.3), 0.3), wave=0.002, texture=0.16, rough=2.0
        ),
        strip(world, 0.84, lawn, mix(lawn, (0.16, 0.34, 0.14), 0.4), wave=0.004, texture=0.2),
        _bed(world, 1.5, tall=0.085),
    ]


def _hedge(world: World, p: float, tall: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 1.6 * tall, bottom=foot + 0.03)
    for x in trees.scatter(world, canvas.x0, canvas.x1, 0.07):
        trees.bush(world, canvas, (x, foot + 0.01), tall, p, (0.22, 0.44, 0.22))
    return world.layer(canvas, p, texture=0.15)


def _bed(world: World, p: float, tall: float = 0.05) -> Layer:
    foot = world.ground_at(p) + 0.01
    canvas = world.canvas(p, top=foot - 1.9 * tall, bottom=foot + 0.12, spread=0.04)
    trees.blades(world, canvas, foot + 0.02, tall, p, (0.24, 0.48, 0.22), 0.02 * (0.5 + p))
    hues: tuple[Colour, ...] = (
        (0.90, 0.30, 0.38),
        (0.96, 0.78, 0.28),
        (0.72, 0.48, 0.80),
        (0.96, 0.94, 0.92),
        (0.95, 0.55, 0.30),
    )
    for x in trees.scatter(world, canvas.x0, canvas.x1, 0.035 * (0.5 + p)):
        y, r = foot - tall * float(world.random.uniform(0.5, 1.2)), tall * 0.17
        hue = world.tone(hues[int(world.random.integers(5))], p, lit=0.95)
        for k in range(5):
            a = 2 * np.pi * k / 5
            canvas.ellipse(x + r * 0.8 * np.cos(a), y + r * 0.8 * np.sin(a), r * 0.6, r * 0.6, hue)
        canvas.ellipse(x, y, r * 0.45, r * 0.45, world.tone((0.98, 0.86, 0.4), p))
    return world.layer(canvas, p, drift=lambda t: (0.004 * float(np.sin(1.4 * t)), 0.0))


def farm(world: World) -> list[Layer]:
    """Return fields in rows, a red barn, a fence."""
    corn = covered(world, (0.86, 0.72, 0.34))
    green = covered(world, (0.46, 0.62, 0.28))
    return [
        *sky_layers(world),
        hills(world, 0.12, covered(world, (0.42, 0.56, 0.36)), height=0.03),
        _barn(world, 0.30),
        strip(
            world,
            0.30,
            corn,
            mix(corn, (0.7, 0.5, 0.2), 0.3),
            wave=0.004,
            texture=0.2,
            onto=_furrows(world, 0.30, corn),
        ),
        _fence(world, 0.58),
        strip(world, 0.58, green, mix(green, (0.3, 0.36, 0.14), 0.4), wave=0.005, texture=0.22),
        trees.grass(world, 1.45, mix(corn, (0.4, 0.34, 0.12), 0.5), tall=0.085, every=0.016),
    ]


def _furrows(world: World, p: float, colour: Colour) -> trees.Onto:
    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        y = world.ground_at(p)
        dark = world.tone(mix(colour, (0.36, 0.28, 0.1), 0.5), p, lit=0.6)
        for u in np.linspace(-4, 4, 70):
            canvas.polygon(
                (
                    (u * 0.35, y + 0.004),
                    (u * 0.35 + 0.003, y + 0.004),
                    (u * 1.2 + 0.014, y + 0.3),
                    (u * 1.2, y + 0.3),
                ),
                dark,
                0.5,
            )

    return paint


def _barn(world: World, p: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.26, bottom=foot + 0.02)
    red: Colour = (0.66, 0.20, 0.16)
    for x in (canvas.x0 + 0.5 + float(world.random.random()) * 0.3, canvas.x1 - 0.4):
        lit, dark = world.tone(red, p, lit=0.85), world.tone(red, p, lit=0.5)
        roof = world.tone(covered(world, (0.36, 0.30, 0.30), 0.9), p, lit=0.7)
        white = world.tone((0.93, 0.9, 0.86), p)
        canvas.rectangle(x, foot - 0.13, x + 0.24, foot, dark)
        canvas.polygon(
            (
                (x - 0.09, foot),
                (x - 0.09, foot - 0.13),
                (x - 0.07, foot - 0.185),
                (x, foot - 0.22),
                (x + 0.07, foot - 0.185),
                (x + 0.09, foot - 0.13),
                (x + 0.09, foot),
            ),
            lit,
        )
        canvas.polygon(
            (
                (x, foot - 0.23),
                (x + 0.08, foot - 0.19),
                (x + 0.10, foot - 0.128),
                (x + 0.27, foot - 0.128),
                (x + 0.25, foot - 0.19),
                (x + 0.18, foot - 0.23),
            ),
            roof,
        )
        canvas.rectangle(x - 0.04, foot - 0.085, x + 0.04, foot, white)
        canvas.rectangle(x - 0.034, foot - 0.079, x + 0.034, foot, dark)
        canvas.line(((x - 0.034, foot - 0.079), (x + 0.034, foot)), 0.006, white)
        canvas.line(((x + 0.034, foot - 0.079), (x - 0.034, foot)), 0.006, white)
        canvas.rectangle(
            x + 0.29, foot - 0.24, x + 0.35, foot, world.tone((0.7, 0.72, 0.74), p, lit=0.8)
        )
        canvas.ellipse(x + 0.32, foot - 0.24, 0.03, 0.028, roof)
    return world.layer(canvas, p, texture=0.06)


def _fence(world: World, p: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.13, bottom=foot + 0.03)
    wood = world.tone((0.80, 0.74, 0.64), p, lit=0.8)
    shade = world.tone((0.80, 0.74, 0.64), p, lit=0.5)
    for dy in (0.085, 0.045):
        canvas.rectangle(canvas.x0, foot - dy - 0.006, canvas.x1, foot - dy + 0.006, shade)
    for x in np.arange(canvas.x0, canvas.x1, 0.16):
        canvas.rectangle(float(x), foot - 0.115, float(x) + 0.016, foot + 0.012, wood)
    return world.layer(canvas, p)


def ruins(world: World) -> list[Layer]:
    """Return broken columns and walls among grass."""
    grass, stone = covered(world, (0.50, 0.56, 0.30)), covered(world, STONE, 0.7)
    return [
        *sky_layers(world),
        mountains(world, 0.08, (0.44, 0.50, 0.58), height=0.14, snow=0.2),
        hills(world, 0.18, covered(world, (0.48, 0.56, 0.36)), height=0.03),
        _columns(world, 0.40, 0.30),
        strip(world, 0.40, mix(grass, stone, 0.3), grass, wave=0.006, texture=0.22),
        _columns(world, 0.62, 0.46, every=0.62),
        strip(
            world,
            0.62,
            mix(grass, stone, 0.55),
            mix(stone, (0.3, 0.28, 0.24), 0.4),
            wave=0.006,
            texture=0.3,
            onto=rocks(world, 0.62, STONE, 0.24),
            above=0.03,
        ),
        trees.grass(world, 1.5, mix(grass, (0.2, 0.24, 0.1), 0.5), tall=0.05, every=0.02),
    ]


def _columns(world: World, p: float, tall: float, every: float = 0.26) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - tall * 1.15, bottom=foot + 0.03)
    places = trees.scatter(world, canvas.x0, canvas.x1, every * (0.5 + p))
    half = tall * 0.055
    for index, x in enumerate(places):
        high = tall if index % 3 else tall * float(world.random.uniform(0.3, 0.6))
        shade, lit = world.tone(STONE, p, lit=0.42), world.tone(STONE, p, lit=0.95)
        canvas.rectangle(x - half, foot - high, x + half, foot + 0.02, shade)
        s = world.air.side
        canvas.rectangle(
            min(x, x + s * half * 0.9), foot - high, max(x, x + s * half * 0.9), foot + 0.02, lit
        )
        for k in (-0.5, 0.0, 0.5):
            canvas.line(((x + k * half, foot - high), (x + k * half, foot)), 0.003, shade, 0.7)
        canvas.rectangle(x - half * 1.5, foot - 0.02, x + half * 1.5, foot + 0.02, lit)
        if index % 3:
            canvas.rectangle(x - half * 1.6, foot - high - 0.02, x + half * 1.6, foot - high, lit)
        if index % 3 == 1 and index + 1 < len(places):
            canvas.rectangle(
                x - half * 1.7,
                foot - high - 0.06,
                places[index + 1] + half * 1.7,
                foot - high - 0.02,
                shade,
            )
    return world.layer(canvas, p, texture=0.16)
