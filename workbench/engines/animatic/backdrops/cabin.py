"""The inside of a vehicle from the side: windows, seats, roof."""

from __future__ import annotations

from dataclasses import replace

from workbench.engines.animatic.backdrops import town
from workbench.engines.animatic.backdrops.indoors import inner
from workbench.engines.animatic.canvas import Canvas, ellipse_points
from workbench.engines.animatic.colour import Colour
from workbench.engines.animatic.figures.body import smooth
from workbench.engines.animatic.world import Layer, World

__all__ = ["car_interior"]

_P = 0.8
_TRIM: Colour = (0.20, 0.21, 0.24)
_SEAT: Colour = (0.52, 0.42, 0.34)


def car_interior(world: World) -> list[Layer]:
    """Return the inside of a car: two side windows, a door and a seat."""
    outside = [layer for layer in town.skyline(world) if layer.p < _P]
    return [*(replace(layer) for layer in outside), _door(world), _seats(world)]


def _door(world: World) -> Layer:
    canvas = world.canvas(_P)
    trim = inner(world, _TRIM, 0.7)
    canvas.rectangle(canvas.x0, canvas.y0, canvas.x1, canvas.y1, trim)
    canvas.rectangle(canvas.x0, canvas.y0, canvas.x1, -0.32, inner(world, (0.42, 0.41, 0.40), 0.5))
    front = smooth([(0.02, -0.27), (0.46, -0.25), (0.76, 0.03), (0.02, 0.06)], count=9)
    rear = smooth([(-0.10, -0.27), (-0.52, -0.25), (-0.66, 0.05), (-0.10, 0.06)], count=9)
    for window in (front, rear):
        canvas.line([*window, window[0]], 0.02, inner(world, (0.08, 0.08, 0.09), 0.7))
        canvas.hole(window)
    canvas.line(((-0.66, 0.10), (0.84, 0.09)), 0.014, inner(world, (0.46, 0.46, 0.48), 0.9))
    canvas.limb((0.18, 0.14), (0.36, 0.13), 0.018, 0.018, inner(world, (0.62, 0.62, 0.64)))
    return world.layer(canvas, _P, texture=0.05)


def _seats(world: World) -> Layer:
    canvas = world.canvas(_P + 0.01, top=-0.3)
    for x in (0.0, -0.66):
        _seat(world, canvas, x)
    rim = inner(world, (0.10, 0.10, 0.11), 0.9)
    wheel = ellipse_points(0.335, 0.13, 0.022, 0.1, 18, count=28)
    canvas.line([*wheel, wheel[0]], 0.018, rim)
    canvas.limb((0.34, 0.14), (0.52, 0.24), 0.014, 0.03, rim)
    dash = [(0.46, 0.16), (0.8, 0.13), (1.4, 0.14), (1.4, 0.6), (0.52, 0.6)]
    canvas.polygon(smooth(dash, count=9), inner(world, (0.15, 0.15, 0.17), 0.7))
    return world.layer(canvas, _P + 0.01, texture=0.08)


def _seat(world: World, canvas: Canvas, x: float) -> None:
    cloth, shade = inner(world, _SEAT), inner(world, _SEAT, 0.6)
    canvas.limb((x - 0.14, 0.02), (x - 0.12, 0.1), 0.01, 0.01, shade)
    canvas.limb((x - 0.15, -0.06), (x - 0.14, 0.0), 0.045, 0.04, shade)
    canvas.limb((x - 0.13, 0.12), (x - 0.06, 0.42), 0.062, 0.075, cloth)
    canvas.limb((x - 0.04, 0.42), (x + 0.22, 0.42), 0.055, 0.05, cloth)
