"""The world below the surface: shafts of light, rocks, corals, weed."""

from __future__ import annotations

import math

import numpy as np

from workbench.engines.animatic.backdrops import trees
from workbench.engines.animatic.backdrops.ground import strip
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World

__all__ = ["underwater"]


def underwater(world: World) -> list[Layer]:
    """Return blue depths with shafts of light, rocks, weed and coral."""
    blue: Colour = mix((0.10, 0.42, 0.62), world.air.sky[1], 0.2)
    dim = 0.35 + 0.65 * (1 - world.air.darkness)
    return [
        _depths(world, blue, dim),
        _shafts(world, blue, dim),
        _reef(world, 0.22, blue, 0.16, 0.85),
        _reef(world, 0.46, blue, 0.14, 0.6),
        strip(
            world,
            0.62,
            mix((0.80, 0.74, 0.56), blue, 0.45),
            mix((0.6, 0.5, 0.36), blue, 0.5),
            wave=0.02,
            texture=0.2,
            rough=1.6,
        ),
        _corals(world, 0.66, blue),
        _weed(world, 1.35, blue),
    ]


def _depths(world: World, blue: Colour, dim: float) -> Layer:
    canvas = world.canvas(0.0)
    shown = [
        world.air.sheer((c[0] * dim, c[1] * dim, c[2] * dim))
        for c in (mix(blue, (0.7, 0.95, 1.0), 0.55), blue, mix(blue, (0.02, 0.08, 0.2), 0.65))
    ]
    canvas.gradient(((-0.5, shown[0]), (-0.1, shown[1]), (0.5, shown[2])), grain=world.grain)
    return world.layer(canvas, 0.0, solid=-99)


def _shafts(world: World, blue: Colour, dim: float) -> Layer:
    canvas = world.canvas(0.03, bottom=0.4, spread=0.14)
    light = world.air.sheer(mix(blue, (0.85, 1.0, 1.0), 0.75 * dim))
    for x in trees.scatter(world, canvas.x0, canvas.x1, 0.3):
        wide = float(world.random.uniform(0.03, 0.09))
        canvas.polygon(
            ((x, -0.56), (x + wide, -0.56), (x + wide - 0.30, 0.36), (x - wide - 0.36, 0.36)),
            light,
            0.10,
        )
        canvas.polygon(
            ((x + 0.02, -0.56), (x + 0.6 * wide, -0.56), (x - 0.30, 0.2), (x - 0.36, 0.2)),
            light,
            0.10,
        )
    canvas.blur(0.012)
    return world.layer(canvas, 0.03, drift=lambda t: (0.07 + 0.06 * math.sin(0.6 * t), 0.0))


def _reef(world: World, p: float, blue: Colour, tall: float, veil: float) -> Layer:
    foot = world.ground_at(p)
    colour = mix((0.20, 0.26, 0.30), blue, veil)

    def paint(canvas: Canvas, edge: np.ndarray) -> None:
        del edge
        for x in trees.scatter(world, canvas.x0, canvas.x1, 0.3 * (0.6 + p)):
            high = tall * float(world.random.uniform(0.4, 1.0))
            outline = np.array(
                [(-0.9, 0.1), (-0.6, -0.5), (-0.2, -1.0), (0.2, -0.86), (0.5, -0.4), (0.9, 0.1)]
            )
            canvas.polygon(
                outline * (high, high) + (x, foot + 0.02),
                world.tone(world.varied(colour), p, lit=0.8),
            )

    return strip(
        world,
        p,
        mix(colour, blue, 0.3),
        colour,
        wave=0.012,
        texture=0.12,
        onto=paint,
        above=tall * 1.1,
    )


def _corals(world: World, p: float, blue: Colour) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.2, bottom=foot + 0.1)
    hues: tuple[Colour, ...] = (
        (0.94, 0.42, 0.38),
        (0.95, 0.66, 0.30),
        (0.74, 0.40, 0.70),
        (0.95, 0.55, 0.65),
    )
    for x in trees.scatter(world, canvas.x0, canvas.x1, 0.22):
        hue = world.tone(mix(hues[int(world.random.integers(4))], blue, 0.3), p, lit=0.85)
        base, high = (
            foot + 0.03 + float(world.random.random()) * 0.04,
            float(world.random.uniform(0.05, 0.12)),
        )
        for lean in (-0.5, -0.2, 0.15, 0.45):
            tip = (x + lean * high, base - high * (1 - 0.4 * abs(lean)))
            canvas.limb((x, base), tip, 0.012, 0.008, hue)
            canvas.ellipse(*tip, 0.011, 0.011, hue)
    return world.layer(canvas, p)


def _weed(world: World, p: float, blue: Colour) -> Layer:
    foot = world.ground_at(p) + 0.06
    canvas = world.canvas(p, top=foot - 0.42, spread=0.05)
    green = mix((0.16, 0.42, 0.28), blue, 0.2)
    for x in trees.scatter(world, canvas.x0, canvas.x1, 0.2):
        high = float(world.random.uniform(0.1, 0.36)) * (0.4 + min(1.0, abs(x)))
        ts = np.linspace(0, 1, 8)
        spine = np.stack([x + 0.03 * np.sin(5 * ts + x * 9), foot - high * ts], 1)
        wide = (0.016 * np.sin(np.pi * (0.15 + 0.85 * ts)))[:, None] * (1.0, 0.0)
        canvas.polygon(
            np.concatenate([spine - wide, (spine + wide)[::-1]]),
            world.tone(world.varied(green, 0.2), p, lit=0.5),
        )
    return world.layer(canvas, p, drift=lambda t: (0.02 * math.sin(1.1 * t), 0.0))
