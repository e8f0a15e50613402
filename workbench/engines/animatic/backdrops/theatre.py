"""The stage: curtains, beams of light, boards, and heads in front."""

from __future__ import annotations

import numpy as np

from workbench.engines.animatic.backdrops.indoors import floor
from workbench.engines.animatic.colour import Colour, scale
from workbench.engines.animatic.world import Layer, World

__all__ = ["stage"]


def stage(world: World) -> list[Layer]:
    """Return a stage: curtains, beams of light, boards, and heads in front."""
    return [
        _stage_wall(world),
        _curtains(world, 0.35),
        _beams(world, 0.40),
        floor(world, (0.42, 0.26, 0.18)),
        _heads(world, 1.7),
    ]


def _stage_wall(world: World) -> Layer:
    canvas = world.canvas(0.1)
    dark = [
        world.air.sheer(c) for c in ((0.05, 0.03, 0.08), (0.20, 0.08, 0.20), (0.08, 0.03, 0.08))
    ]
    canvas.gradient(((-0.5, dark[0]), (0.05, dark[1]), (0.4, dark[2])), grain=world.grain)
    canvas.glow(0.0, -0.05, 0.7, world.air.sheer((0.8, 0.35, 0.6)), 0.35)
    return world.layer(canvas, 0.1, solid=-99)


def _curtains(world: World, p: float) -> Layer:
    canvas = world.canvas(p, bottom=0.30)
    red: Colour = (0.62, 0.08, 0.12)
    for x in np.arange(canvas.x0, canvas.x1, 0.05):
        if abs(x) < 0.52:
            continue
        for k, u in ((0.35, 0.0), (0.95, 0.012), (0.6, 0.034)):
            canvas.rectangle(
                float(x) + u, canvas.y0, float(x) + 0.05, 0.26, world.air.sheer(scale(red, k))
            )
    for x in np.arange(canvas.x0, canvas.x1, 0.22):
        canvas.ellipse(float(x), -0.46, 0.13, 0.11, world.air.sheer(scale(red, 0.75)))
        canvas.ellipse(float(x), -0.48, 0.12, 0.09, world.air.sheer(red))
    return world.layer(canvas, p)


def _beams(world: World, p: float) -> Layer:
    canvas = world.canvas(p, bottom=0.34, spread=0.16)
    for x, lean, hue in (
        (-0.5, 0.4, (1.0, 0.75, 0.5)),
        (0.0, 0.0, (1.0, 0.95, 0.85)),
        (0.5, -0.4, (0.6, 0.7, 1.0)),
    ):
        light = world.air.sheer(hue)
        canvas.polygon(
            ((x - 0.02, -0.5), (x + 0.02, -0.5), (x + lean + 0.22, 0.3), (x + lean - 0.22, 0.3)),
            light,
            0.20,
        )
        canvas.polygon(
            ((x - 0.01, -0.5), (x + 0.01, -0.5), (x + lean + 0.12, 0.3), (x + lean - 0.12, 0.3)),
            light,
            0.14,
        )
    canvas.blur(0.010)
    return world.layer(canvas, p, drift=lambda t: (0.08 + 0.08 * float(np.sin(0.9 * t)), 0.0))


def _heads(world: World, p: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.3)
    dark = world.air.sheer((0.03, 0.02, 0.04))
    for x in np.arange(canvas.x0, canvas.x1, 0.17):
        y = foot - 0.16 + 0.03 * float(world.random.random())
        at = float(x) + 0.03 * float(world.random.random())
        canvas.ellipse(at, y, 0.045, 0.055, dark)
        canvas.ellipse(at, y + 0.14, 0.10, 0.09, dark)
    return world.layer(canvas, p, drift=lambda t: (0.0, 0.006 * float(np.sin(5 * t))))
