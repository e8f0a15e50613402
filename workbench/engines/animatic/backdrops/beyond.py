"""Off the ground: open space, other planets, the sky itself."""

from __future__ import annotations

import math

import numpy as np

from workbench.engines.animatic.backdrops import trees
from workbench.engines.animatic.backdrops.ground import mountains, strip
from workbench.engines.animatic.backdrops.sky import clouds, sky
from workbench.engines.animatic.canvas import Canvas, ellipse_points
from workbench.engines.animatic.colour import Colour, mix, scale, shift_hue
from workbench.engines.animatic.world import Layer, World

__all__ = ["open_sky", "planet_surface", "space"]


def space(world: World) -> list[Layer]:
    """Return stars behind stars, a nebula, and a planet with its lit limb."""
    return [
        _void(world),
        _star_sheet(world, 0.03, 150, 0.0022),
        _planet(world, 0.10),
        _star_sheet(world, 0.35, 26, 0.004),
    ]


def _void(world: World) -> Layer:
    canvas = world.canvas(0.0)
    hue = float(world.random.uniform(-0.08, 0.08))
    top, low = (
        world.air.sheer(shift_hue(c, hue)) for c in ((0.015, 0.02, 0.06), (0.06, 0.04, 0.13))
    )
    warm = mix((0.02, 0.02, 0.05), world.air.light, 0.06)
    canvas.gradient(
        ((-0.5, top), (0.1, world.air.sheer(mix(low, warm, 0.4))), (0.6, top)), grain=world.grain
    )
    for base in ((0.42, 0.20, 0.62), (0.16, 0.34, 0.70), (0.74, 0.28, 0.46)):
        colour = world.air.sheer(mix(shift_hue(base, hue), world.air.haze, 0.2))
        for _ in range(4):
            x, y = float(world.random.normal(0.1, 0.45)), float(world.random.normal(-0.06, 0.2))
            canvas.glow(x, y, float(world.random.uniform(0.15, 0.4)), colour, 0.22)
    _sprinkle(world, canvas, 260, 0.0016)
    return world.layer(canvas, 0.0, solid=-99)


def _sprinkle(world: World, canvas: Canvas, number: int, size: float) -> None:
    for _ in range(number):
        x = float(world.random.uniform(canvas.x0, canvas.x1))
        y = float(world.random.uniform(canvas.y0, canvas.y1))
        bright = float(world.random.random()) ** 2
        colour = world.air.sheer(
            mix((0.7, 0.8, 1.0), (1.0, 0.9, 0.75), float(world.random.random()))
        )
        r = size * (0.5 + bright)
        canvas.polygon(ellipse_points(x, y, r, r, count=12), colour, 0.4 + 0.6 * bright)


def _star_sheet(world: World, p: float, number: int, size: float) -> Layer:
    canvas = world.canvas(p)
    _sprinkle(world, canvas, number, size)
    return world.layer(canvas, p, drift=lambda t: (-0.006 * t * (1 + 8 * p), 0.0))


def _planet(world: World, p: float) -> Layer:
    canvas = world.canvas(p, spread=0.02)
    base: Colour = (((0.25, 0.45, 0.72)), (0.78, 0.48, 0.30), (0.62, 0.56, 0.42))[
        int(world.random.integers(3))
    ]
    x, y, r = 0.50 * world.air.side, 0.10, 0.30
    canvas.ellipse(
        x, y, r * 1.03, r * 1.03, world.air.sheer(mix(base, (1, 1, 1), 0.35)), opacity=0.25
    )
    canvas.ellipse(x, y, r, r, world.air.sheer(base))
    for _ in range(9):
        v = float(world.random.uniform(-0.8, 0.8))
        half = math.sqrt(max(0.0, 1 - v * v))
        tone = world.air.sheer(
            world.varied(mix(base, (1, 1, 1), float(world.random.uniform(0, 0.3))), 0.2)
        )
        canvas.ellipse(x, y + v * r, half * r * 0.98, r * 0.035, tone, opacity=0.6)
    shade = world.air.sheer((0.01, 0.01, 0.04))
    angles = np.linspace(-np.pi / 2, np.pi / 2, 20)
    s = world.air.side
    outer = np.stack([x + s * np.cos(angles) * r * 1.01, y + np.sin(angles) * r * 1.01], 1)
    inner = np.stack(
        [x + s * np.cos(angles[::-1]) * r * -0.15, y + np.sin(angles[::-1]) * r * 1.01], 1
    )
    canvas.polygon(np.concatenate([outer, inner]), shade, 0.8)
    inner[:, 0] = x + s * np.cos(angles[::-1]) * r * -0.4
    canvas.polygon(np.concatenate([outer, inner]), shade, 0.4)
    return world.layer(canvas, p)


def planet_surface(world: World) -> list[Layer]:
    """Return craters, boulders and crags under a strange sky with two moons."""
    soil: Colour = (0.70, 0.36, 0.22)
    return [
        sky(world),
        _moons(world, 0.03),
        mountains(world, 0.10, (0.52, 0.28, 0.22), height=0.18),
        strip(world, 0.20, mix(soil, (0.9, 0.6, 0.4), 0.3), soil, wave=0.016, texture=0.2),
        strip(
            world,
            0.44,
            soil,
            mix(soil, (0.4, 0.16, 0.1), 0.3),
            wave=0.014,
            texture=0.3,
            onto=_craters(world, 0.44, soil),
            above=0.04,
        ),
        strip(
            world,
            0.72,
            mix(soil, (0.4, 0.18, 0.12), 0.2),
            mix(soil, (0.22, 0.09, 0.07), 0.5),
            wave=0.010,
            texture=0.35,
            onto=_craters(world, 0.72, soil),
            above=0.06,
        ),
    ]


def _moons(world: World, p: float) -> Layer:
    canvas = world.canvas(p, bottom=0.02)
    for x, y, r, hue in (
        (-0.42, -0.28, 0.085, (0.92, 0.82, 0.72)),
        (-0.22, -0.36, 0.03, (0.75, 0.80, 0.88)),
    ):
        canvas.ellipse(x, y, r, r, world.air.sheer(mix(hue, world.air.sky[1], 0.25)))
        canvas.ellipse(
            x + r * 0.32,
            y + r * 0.1,
            r * 0.82,
            r * 0.86,
            world.air.sheer(mix(hue, world.air.sky[1], 0.7)),
            opacity=0.8,
        )
    return world.layer(canvas, p)


def _craters(world: World, p: float, soil: Colour) -> trees.Onto:
    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        foot = world.ground_at(p)
        for x in trees.scatter(world, canvas.x0, canvas.x1, 0.36 * (0.4 + p)):
            deep = 0.02 + float(world.random.random()) * 0.18
            wide = (0.03 + 0.25 * deep) * float(world.random.uniform(0.7, 1.4))
            canvas.ellipse(
                x, foot + deep, wide, wide * 0.26, world.tone(scale(soil, 1.15), p, lit=1.0)
            )
            canvas.ellipse(
                x + 0.06 * wide,
                foot + deep + 0.02 * wide,
                wide * 0.86,
                wide * 0.2,
                world.tone(scale(soil, 0.5), p, lit=0.5),
            )
            trees.rock(
                world, canvas, (x + 0.2, foot + deep), 0.012 + 0.05 * deep, p, scale(soil, 0.85)
            )

    return paint


def open_sky(world: World) -> list[Layer]:
    """Return nothing but air and clouds, near and far, with land far below."""
    return [
        sky(world, bottom=9.0),
        *clouds(world),
        _bank(world, 0.10, 0.16),
        _bank(world, 0.35, 0.30),
        _bank(world, 1.3, 0.40),
    ]


def _bank(world: World, p: float, y: float) -> Layer:
    speed = 0.05 * (0.3 + p)
    canvas = world.canvas(p, top=y - 0.12, spread=0.4)
    white = mix(
        mix(world.air.sky[2], (1, 1, 1), 0.7 * (1 - world.air.darkness)), world.air.light, 0.2
    )
    top, under = (
        world.tone(white, max(0.6, p)),
        world.tone(mix(white, world.air.sky[1], 0.4), max(0.6, p)),
    )
    size = 0.05 + 0.09 * p
    for shade, dy, grow in ((under, 0.03, 1.1), (top, 0.0, 1.0)):
        for x in trees.scatter(world, canvas.x0, canvas.x1, size * 1.1):
            r = size * float(world.random.uniform(0.7, 1.3)) * grow
            canvas.ellipse(x, y + dy + r * 0.5, r * 1.3, r * 0.8, shade)
    canvas.rectangle(canvas.x0, y + size * 0.9, canvas.x1, canvas.y1, top)
    canvas.blur(0.006 + 0.01 * p)
    return world.layer(canvas, p, drift=lambda t: (0.2 - speed * t, 0.008 * math.sin(0.7 * t)))
