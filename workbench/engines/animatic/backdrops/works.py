"""Structures in the open: stadium, road, railway."""

from __future__ import annotations

import numpy as np

from workbench.engines.animatic.backdrops import trees
from workbench.engines.animatic.backdrops.ground import hills, mountains, strip
from workbench.engines.animatic.backdrops.land import GRASS, covered, tree_line
from workbench.engines.animatic.backdrops.sky import sky_layers
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World

__all__ = ["railway", "road", "stadium"]


def road(world: World) -> list[Layer]:
    """Return a country road through hills."""
    green, tar = covered(world, GRASS), covered(world, (0.28, 0.29, 0.32), 0.6)
    return [
        *sky_layers(world),
        mountains(world, 0.07, (0.40, 0.48, 0.60), height=0.16, snow=0.4),
        hills(world, 0.16, covered(world, (0.46, 0.56, 0.34)), height=0.04),
        tree_line(world, 0.30, 0.06, 0.12, 0.22),
        strip(world, 0.30, mix(green, (0.9, 0.85, 0.5), 0.3), green, wave=0.006, texture=0.2),
        _posts(world, 0.62),
        strip(
            world,
            0.70,
            tar,
            mix(tar, (0.14, 0.14, 0.17), 0.4),
            wave=0.0,
            texture=0.18,
            rough=2.5,
            onto=_lines(world, 0.70),
        ),
        strip(
            world,
            1.24,
            mix(green, (0.7, 0.64, 0.4), 0.4),
            mix(green, (0.2, 0.3, 0.12), 0.4),
            wave=0.006,
            texture=0.2,
        ),
    ]


def _lines(world: World, p: float) -> trees.Onto:
    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        y = world.ground_at(p)
        white, yellow = (
            world.tone((0.93, 0.92, 0.88), p, lit=0.85),
            world.tone((0.93, 0.74, 0.24), p, lit=0.9),
        )
        canvas.rectangle(canvas.x0, y + 0.012, canvas.x1, y + 0.02, white)
        for x in np.arange(canvas.x0, canvas.x1, 0.30):
            canvas.polygon(
                ((x, y + 0.088), (x + 0.15, y + 0.088), (x + 0.145, y + 0.1), (x - 0.005, y + 0.1)),
                yellow,
            )

    return paint


def _posts(world: World, p: float) -> Layer:
    foot = world.ground_at(p) + 0.02
    canvas = world.canvas(p, top=foot - 0.13, bottom=foot + 0.05)
    steel, shade = (
        world.tone((0.80, 0.82, 0.84), p, lit=0.85),
        world.tone((0.60, 0.62, 0.66), p, lit=0.5),
    )
    for x in np.arange(canvas.x0, canvas.x1, 0.2):
        canvas.rectangle(float(x), foot - 0.07, float(x) + 0.012, foot + 0.02, shade)
    canvas.rectangle(canvas.x0, foot - 0.075, canvas.x1, foot - 0.045, steel)
    canvas.rectangle(canvas.x0, foot - 0.062, canvas.x1, foot - 0.057, shade)
    return world.layer(canvas, p)


def railway(world: World) -> list[Layer]:
    """Return tracks on a bed of gravel, masts and wires, hills behind."""
    green, gravel = covered(world, (0.48, 0.56, 0.30)), covered(world, (0.54, 0.51, 0.48), 0.7)
    return [
        *sky_layers(world),
        hills(world, 0.10, covered(world, (0.40, 0.52, 0.46)), height=0.06),
        tree_line(world, 0.28, 0.07, 0.13, 0.10),
        strip(world, 0.28, mix(green, (0.85, 0.8, 0.5), 0.25), green, wave=0.005, texture=0.2),
        _masts(world, 0.60),
        strip(
            world,
            0.66,
            gravel,
            mix(gravel, (0.3, 0.28, 0.26), 0.4),
            wave=0.004,
            texture=0.4,
            rough=3.0,
            onto=_tracks(world, 0.66),
        ),
        trees.grass(world, 1.5, mix(green, (0.22, 0.26, 0.12), 0.5), tall=0.05, every=0.02),
    ]


def _tracks(world: World, p: float) -> trees.Onto:
    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        y = world.ground_at(p)
        wood, steel = (
            world.tone((0.34, 0.26, 0.2), p, lit=0.6),
            world.tone((0.70, 0.72, 0.76), p, lit=0.95),
        )
        for x in np.arange(canvas.x0, canvas.x1, 0.085):
            canvas.polygon(
                (
                    (x, y + 0.09),
                    (x + 0.035, y + 0.09),
                    (x + 0.03, y + 0.165),
                    (x - 0.008, y + 0.165),
                ),
                wood,
            )
        for dy in (0.104, 0.146):
            canvas.rectangle(canvas.x0, y + dy, canvas.x1, y + dy + 0.009, steel)
            canvas.rectangle(canvas.x0, y + dy + 0.009, canvas.x1, y + dy + 0.013, wood)

    return paint


def _masts(world: World, p: float) -> Layer:
    foot = world.ground_at(p) + 0.02
    canvas = world.canvas(p, top=foot - 0.62, bottom=foot + 0.04)
    iron = world.tone((0.30, 0.32, 0.36), p, lit=0.6)
    for x in map(float, np.arange(canvas.x0 + 0.2, canvas.x1, 0.9)):
        canvas.rectangle(x, foot - 0.55, x + 0.016, foot + 0.03, iron)
        canvas.line(((x, foot - 0.5), (x + 0.16, foot - 0.5)), 0.009, iron)
        canvas.line(((x, foot - 0.42), (x + 0.14, foot - 0.5)), 0.006, iron)
    for dy in (0.49, 0.44):
        canvas.line(((canvas.x0, foot - dy), (canvas.x1, foot - dy)), 0.003, iron)
    return world.layer(canvas, p)


def stadium(world: World) -> list[Layer]:
    """Return stands full of people, floodlights, and a mown pitch."""
    green = covered(world, (0.30, 0.60, 0.28), 0.8)
    return [
        *sky_layers(world),
        _lights(world, 0.20),
        _stands(world, 0.30),
        strip(
            world,
            0.40,
            green,
            mix(green, (0.14, 0.38, 0.16), 0.4),
            wave=0.0,
            texture=0.12,
            rough=2,
            onto=_mowing(world, 0.40, green),
        ),
    ]


def _lights(world: World, p: float) -> Layer:
    canvas = world.canvas(p, top=-0.48, bottom=0.1)
    iron, shine = world.tone((0.4, 0.43, 0.48), p, lit=0.6), world.air.sheer((1.0, 0.98, 0.9))
    for x in (-0.74, 0.72):
        canvas.rectangle(x - 0.008, -0.36, x + 0.008, 0.1, iron)
        canvas.rectangle(x - 0.08, -0.42, x + 0.08, -0.33, iron)
        for i in range(5):
            for j in range(3):
                canvas.ellipse(x - 0.06 + 0.03 * i, -0.405 + 0.03 * j, 0.010, 0.010, shine)
    return world.layer(canvas, p)


def _stands(world: World, p: float) -> Layer:
    foot = world.ground_at(0.40) + 0.005
    canvas = world.canvas(p, top=foot - 0.36)
    wall: Colour = (0.42, 0.44, 0.50)
    canvas.polygon(
        (
            (canvas.x0, foot - 0.30),
            (canvas.x1, foot - 0.30),
            (canvas.x1, canvas.y1),
            (canvas.x0, canvas.y1),
        ),
        world.tone(wall, p, lit=0.5),
    )
    canvas.rectangle(
        canvas.x0, foot - 0.34, canvas.x1, foot - 0.30, world.tone((0.75, 0.77, 0.8), p, lit=0.9)
    )
    hues: tuple[Colour, ...] = (
        (0.80, 0.26, 0.24),
        (0.92, 0.86, 0.78),
        (0.26, 0.40, 0.66),
        (0.90, 0.72, 0.30),
        (0.24, 0.24, 0.28),
        (0.72, 0.56, 0.46),
    )
    tones = [world.tone(mix(hue, wall, 0.2), p, lit=0.8) for hue in hues]
    for row in range(11):
        y = foot - 0.275 + 0.023 * row
        xs = np.arange(canvas.x0, canvas.x1, 0.022) + 0.011 * (row % 2)
        for x in xs:
            canvas.ellipse(float(x), y, 0.0085, 0.011, tones[int(world.random.integers(6))])
    canvas.rectangle(
        canvas.x0, foot - 0.03, canvas.x1, foot + 0.01, world.tone((0.90, 0.91, 0.93), p, lit=0.85)
    )
    for x in np.arange(canvas.x0, canvas.x1, 0.34):
        canvas.rectangle(
            float(x),
            foot - 0.026,
            float(x) + 0.2,
            foot + 0.004,
            tones[int(world.random.integers(4))],
        )
    return world.layer(canvas, p, solid=foot)


def _mowing(world: World, p: float, green: Colour) -> trees.Onto:
    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        y = world.ground_at(p)
        dark, white = (
            world.tone(mix(green, (0.1, 0.36, 0.14), 0.35), p),
            world.tone((0.95, 0.96, 0.94), p),
        )
        for k in range(-12, 12, 2):
            a, b = k * 0.16, (k + 1) * 0.16
            canvas.polygon(((a, y), (b, y), (b * 3.0, y + 0.7), (a * 3.0, y + 0.7)), dark, 0.55)
        canvas.rectangle(canvas.x0, y + 0.022, canvas.x1, y + 0.028, white)

    return paint
