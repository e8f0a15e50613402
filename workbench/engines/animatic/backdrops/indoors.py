"""Interiors: room, kitchen, office, and the neutral studio."""

from __future__ import annotations

import numpy as np

from workbench.engines.animatic.backdrops.ground import strip
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix, scale
from workbench.engines.animatic.world import Layer, World

__all__ = [
    "WALL_FOOT",
    "floor",
    "inner",
    "kitchen",
    "office",
    "room",
    "studio",
    "tabletop",
    "window_and_wall",
]

_LAMP: Colour = (1.0, 0.86, 0.58)
WALL_FOOT = 0.22


def room(world: World) -> list[Layer]:
    """Return a living room: window, shelves, lamp, wooden floor."""
    wall: Colour = (0.80, 0.70, 0.58)
    return [
        *window_and_wall(world, wall, -0.28),
        _furniture(world, 0.45),
        floor(world, (0.62, 0.43, 0.27)),
        _rug(world, 0.78),
    ]


def kitchen(world: World) -> list[Layer]:
    """Return a kitchen: tiles, cupboards, a worktop with pots."""
    return [
        *window_and_wall(world, (0.82, 0.84, 0.78), 0.30, tiles=True),
        _cupboards(world, 0.45),
        floor(world, (0.70, 0.64, 0.56), boards=False),
    ]


def office(world: World) -> list[Layer]:
    """Return an office: a wide window on the town, desks with screens."""
    return [
        *window_and_wall(world, (0.72, 0.76, 0.80), 0.0, wide=1.1),
        _desks(world, 0.46),
        floor(world, (0.46, 0.49, 0.54), boards=False),
    ]


def tabletop(world: World) -> list[Layer]:
    """Return a table close up: its wood up to the camera, a dim room behind."""
    p = 0.5
    wall = world.canvas(0.2)
    base: Colour = (0.42, 0.45, 0.48)
    wall.gradient(((-0.6, inner(world, base, 0.5)), (0.15, inner(world, base, 0.8))),
                  grain=world.grain)  # fmt: skip
    wall.glow(0.5 * world.air.side, -0.25, 0.7, inner(world, (1.0, 0.9, 0.7)), 0.25)
    y = world.ground_at(p)
    canvas = world.canvas(p, top=y - 0.01)
    wood: Colour = (0.66, 0.47, 0.30)
    canvas.gradient(
        ((y, inner(world, scale(wood, 1.12), 0.95)), (y + 0.4, inner(world, wood, 0.75))),
        grain=world.grain,
    )
    grain = inner(world, scale(wood, 0.82), 0.7)
    for u in np.linspace(-3, 3, 19):
        canvas.line(((u * 0.42, y), (u * 1.3, y + 0.7)), 0.004, grain, 0.55)
    canvas.line(((canvas.x0, y), (canvas.x1, y)), 0.008, inner(world, scale(wood, 1.3), 1.0))
    return [
        world.layer(wall, 0.2, solid=-99, texture=0.04),
        world.layer(canvas, p, solid=y, texture=0.1, rough=1.5),
    ]


def studio(world: World) -> list[Layer]:
    """Return a photographer's backdrop, curving softly from wall to floor."""
    canvas = world.canvas(0.0)
    base = mix((0.66, 0.68, 0.72), world.air.sky[1], 0.22)
    top, mid, low = (world.tone(scale(base, k)) for k in (0.74, 1.04, 0.86))
    canvas.gradient(((-0.5, top), (0.06, mid), (0.2, mid), (0.55, low)), grain=world.grain)
    canvas.glow(0.0, -0.08, 0.75, world.tone((1.0, 0.97, 0.92)), 0.22)
    return [world.layer(canvas, 0.0, solid=-99), _sweep(world, base)]


def _sweep(world: World, base: Colour) -> Layer:
    foot = world.ground_at(0.7)
    canvas = world.canvas(0.7, top=foot - 0.1)
    low, mid = world.tone(scale(base, 0.8)), world.tone(scale(base, 0.98))
    canvas.gradient(((foot - 0.1, mid), (foot + 0.06, mid), (foot + 0.3, low)), grain=world.grain)
    rows = max(2, canvas.row(foot))
    fade = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    canvas.pixels[:rows] = (canvas.pixels[:rows] * fade).astype(np.uint8)
    return world.layer(canvas, 0.7, solid=foot, texture=0.05)


def inner(world: World, colour: Colour, lit: float = 0.9) -> Colour:
    """Return ``colour`` as it looks indoors: at night a room is lit from within."""
    warm = mix(colour, (colour[0], colour[1] * 0.84, colour[2] * 0.62), 0.7)
    dark = world.air.darkness
    lamplit = world.air.sheer(scale(warm, 0.62 * lit))
    return mix(world.tone(colour, 1.0, lit=lit), lamplit, 0.62 * dark)


def window_and_wall(
    world: World, wall: Colour, at: float, *, wide: float = 0.44, tiles: bool = False
) -> list[Layer]:
    """Return the view through the window, and the wall around it; ``wide`` 0: no window."""
    from workbench.engines.animatic.backdrops.sky import sky  # noqa: PLC0415  only rooms need it

    p = 0.34
    canvas = world.canvas(p)
    foot = WALL_FOOT
    low, high = inner(world, scale(wall, 0.9), 0.7), inner(world, wall, 0.95)
    canvas.gradient(((-0.6, low), (-0.1, high), (foot, low)), grain=world.grain)
    canvas.glow(
        0.55 * world.air.side,
        -0.1,
        0.8,
        inner(world, (1.0, 0.86, 0.62)),
        0.16 + 0.2 * world.air.darkness,
    )
    if tiles:
        grout = inner(world, scale(wall, 0.82), 0.7)
        for y in np.arange(-0.16, foot, 0.045):
            canvas.line(((canvas.x0, y), (canvas.x1, y)), 0.003, grout)
        for x in np.arange(canvas.x0, canvas.x1, 0.07):
            canvas.line(((x, -0.16), (x, foot)), 0.003, grout)
    canvas.rectangle(
        canvas.x0, foot - 0.02, canvas.x1, canvas.y1, inner(world, scale(wall, 0.6), 0.6)
    )
    if not wide:
        return [world.layer(canvas, p, texture=0.05)]
    frame = inner(world, (0.93, 0.91, 0.87))
    x0, x1, y0, y1 = at - wide / 2, at + wide / 2, -0.36, 0.0
    canvas.rectangle(x0 - 0.022, y0 - 0.022, x1 + 0.022, y1 + 0.022, frame)
    _pane(canvas, x0, y0, x1, y1)
    for share in np.linspace(0, 1, max(2, round(wide / 0.22)) + 1)[1:-1]:
        x = x0 + (x1 - x0) * float(share)
        canvas.rectangle(x - 0.006, y0, x + 0.006, y1, frame)
    canvas.rectangle(x0 - 0.035, y1 + 0.014, x1 + 0.035, y1 + 0.03, frame)
    if not tiles and wide < 1:
        _curtain_pair(world, canvas, x0, x1, y0)
        _picture(world, canvas, at + 0.62)
        _picture(world, canvas, at - 0.55)
    return [sky(world), _outside(world), world.layer(canvas, p, texture=0.05)]


def _pane(canvas: Canvas, x0: float, y0: float, x1: float, y1: float) -> None:
    """Cut a hole through which the layers behind show."""
    left, right = (max(0, int((x - canvas.x0) * canvas.px)) for x in (x0, x1))
    canvas.pixels[canvas.row(y0) : canvas.row(y1), left:right] = 0


def _outside(world: World) -> Layer:
    green = mix((0.36, 0.52, 0.34), (0.93, 0.95, 1.0), world.air.snow)
    return strip(
        world, 0.12, green, mix(green, (0.2, 0.3, 0.2), 0.3), wave=0.012, rise=0.06, texture=0.1
    )


def _curtain_pair(world: World, canvas: Canvas, x0: float, x1: float, y0: float) -> None:
    cloth: Colour = (0.58, 0.26, 0.28)
    for side, x in ((-1, x0), (1, x1)):
        for k in range(3):
            a = x + side * (0.002 + 0.026 * k)
            tone = inner(world, scale(cloth, 1 - 0.16 * (k % 2)), 0.85)
            canvas.polygon(
                (
                    (a - 0.016, y0 - 0.04),
                    (a + 0.016, y0 - 0.04),
                    (a + 0.02, 0.08),
                    (a - 0.02, 0.08),
                ),
                tone,
            )
    canvas.line(
        ((x0 - 0.1, y0 - 0.045), (x1 + 0.1, y0 - 0.045)), 0.008, inner(world, (0.4, 0.3, 0.2))
    )


def _picture(world: World, canvas: Canvas, x: float) -> None:
    canvas.rectangle(x - 0.075, -0.30, x + 0.075, -0.16, inner(world, (0.36, 0.26, 0.18)))
    hue = (((0.84, 0.62, 0.38)), (0.40, 0.56, 0.62))[int(world.random.integers(2))]
    canvas.rectangle(x - 0.066, -0.291, x + 0.066, -0.169, inner(world, hue))
    canvas.polygon(
        (
            (x - 0.066, -0.169),
            (x - 0.02, -0.24),
            (x + 0.02, -0.2),
            (x + 0.04, -0.225),
            (x + 0.066, -0.169),
        ),
        inner(world, (0.26, 0.36, 0.34)),
    )


def floor(world: World, colour: Colour, *, boards: bool = True) -> Layer:
    """Return a floor of boards, or of tiles, from the wall to the camera."""

    def paint(canvas: Canvas, edge: object) -> None:
        del edge
        line = inner(world, scale(colour, 0.72), 0.6)
        y = world.ground_at(0.56)
        for u in np.linspace(-5, 5, 46 if boards else 22):
            canvas.line(((u * 0.5, y), (u * 1.25, y + 0.62)), 0.003, line, 0.6)
        if not boards:
            for v in (0.02, 0.055, 0.11, 0.19, 0.3):
                canvas.line(((canvas.x0, y + v), (canvas.x1, y + v)), 0.003, line, 0.6)

    lit = mix(colour, (1.0, 0.9, 0.75), 0.15)
    return _inner_strip(world, lit, colour, paint)


def _inner_strip(world: World, top: Colour, bottom: Colour, paint: object) -> Layer:
    p = 0.56
    y = world.ground_at(p)
    canvas = world.canvas(p, top=y - 0.006)
    canvas.gradient(
        ((y, inner(world, top, 0.95)), (y + 0.36, inner(world, scale(bottom, 0.7), 0.7))),
        grain=world.grain,
    )
    if callable(paint):
        paint(canvas, None)
    return world.layer(canvas, p, solid=y, texture=0.1, rough=1.5)


def _furniture(world: World, p: float) -> Layer:
    canvas = world.canvas(p, top=-0.34, bottom=0.28)
    foot = 0.245
    wood, dark = inner(world, (0.46, 0.30, 0.19)), inner(world, (0.30, 0.19, 0.12))
    for x in (0.52, -1.12):
        canvas.rectangle(x - 0.17, -0.26, x + 0.17, foot, wood)
        for row in range(4):
            y = -0.24 + row * 0.12
            canvas.rectangle(x - 0.155, y, x + 0.155, y + 0.105, dark)
            at = x - 0.15
            while at < x + 0.13:
                wide, tall = (
                    float(world.random.uniform(0.012, 0.028)),
                    float(world.random.uniform(0.06, 0.098)),
                )
                hue = (
                    float(world.random.uniform(0.3, 0.8)),
                    float(world.random.uniform(0.25, 0.6)),
                    float(world.random.uniform(0.2, 0.6)),
                )
                canvas.rectangle(
                    at, y + 0.105 - tall, at + wide * 0.9, y + 0.105, inner(world, hue)
                )
                at += wide
    canvas.line(((-0.66, foot), (-0.66, -0.12)), 0.012, dark)
    canvas.polygon(
        ((-0.74, -0.1), (-0.58, -0.1), (-0.615, -0.21), (-0.705, -0.21)), world.air.sheer(_LAMP)
    )
    canvas.ellipse(-0.66, foot, 0.05, 0.012, dark)
    cloth = inner(world, (0.30, 0.44, 0.46))
    canvas.polygon(
        ((-0.52, foot), (-0.54, 0.06), (-0.44, 0.03), (0.16, 0.03), (0.26, 0.06), (0.24, foot)),
        cloth,
    )
    canvas.rectangle(-0.47, 0.125, 0.19, foot - 0.02, inner(world, (0.38, 0.54, 0.55)))
    for x in (-0.36, 0.06):
        canvas.polygon(
            ((x - 0.07, 0.05), (x + 0.07, 0.055), (x + 0.08, 0.14), (x - 0.075, 0.14)),
            inner(world, (0.86, 0.62, 0.34)),
        )
    canvas.glow(-0.66, -0.14, 0.5, world.air.sheer(_LAMP), 0.15 + 0.45 * world.air.darkness)
    return world.layer(canvas, p)


def _rug(world: World, p: float) -> Layer:
    y = world.ground_at(p) + 0.04
    canvas = world.canvas(p, top=y - 0.08, bottom=y + 0.14)
    for k, hue in enumerate(
        ((0.62, 0.24, 0.22), (0.88, 0.72, 0.50), (0.62, 0.24, 0.22), (0.30, 0.34, 0.42))
    ):
        canvas.ellipse(0.0, y + 0.02, 0.72 - 0.12 * k, 0.085 - 0.016 * k, inner(world, hue, 0.85))
    return world.layer(canvas, p, texture=0.16, rough=2)


def _cupboards(world: World, p: float) -> Layer:
    canvas = world.canvas(p, top=-0.50, bottom=0.29)
    foot = 0.255
    door, edge = inner(world, (0.34, 0.48, 0.50)), inner(world, (0.26, 0.37, 0.39), 0.7)
    knob = inner(world, (0.86, 0.72, 0.42))
    canvas.rectangle(canvas.x0, 0.075, canvas.x1, foot, door)
    canvas.rectangle(canvas.x0, 0.05, canvas.x1, 0.08, inner(world, (0.78, 0.62, 0.44)))
    for x in np.arange(canvas.x0, canvas.x1, 0.21):
        canvas.line(((x, 0.08), (x, foot)), 0.006, edge)
        canvas.ellipse(float(x) + 0.18, 0.13, 0.009, 0.009, knob)
        if not 0.02 < x + 0.1 < 0.56:
            canvas.rectangle(float(x) + 0.008, -0.40, float(x) + 0.202, -0.19, door)
            canvas.ellipse(float(x) + 0.18, -0.215, 0.008, 0.008, knob)
    steel, dark = inner(world, (0.72, 0.74, 0.76)), inner(world, (0.16, 0.16, 0.18))
    canvas.rectangle(-0.74, 0.06, -0.42, foot, steel)
    canvas.rectangle(-0.70, 0.12, -0.46, 0.22, dark)
    canvas.rectangle(-0.70, 0.045, -0.46, 0.056, dark)
    canvas.rectangle(-0.66, -0.02, -0.53, 0.045, inner(world, (0.74, 0.26, 0.20)))
    canvas.line(((-0.53, 0.0), (-0.45, -0.005)), 0.01, dark)
    for x, tall, hue in (
        (-0.3, 0.09, (0.9, 0.86, 0.76)),
        (-0.24, 0.07, (0.8, 0.5, 0.3)),
        (0.62, 0.1, (0.42, 0.62, 0.36)),
        (0.7, 0.075, (0.9, 0.8, 0.5)),
    ):
        canvas.rectangle(x - 0.024, 0.05 - tall, x + 0.024, 0.05, inner(world, hue))
        canvas.rectangle(x - 0.02, 0.05 - tall - 0.012, x + 0.02, 0.05 - tall, dark)
    return world.layer(canvas, p)


def _desks(world: World, p: float) -> Layer:
    canvas = world.canvas(p, top=-0.2, bottom=0.29)
    top, leg, black = (
        inner(world, (0.80, 0.70, 0.56)),
        inner(world, (0.42, 0.44, 0.48)),
        inner(world, (0.12, 0.13, 0.15)),
    )
    for x in map(float, np.arange(canvas.x0 - 0.1, canvas.x1, 0.66)):
        canvas.rectangle(x + 0.02, 0.10, x + 0.04, 0.26, leg)
        canvas.rectangle(x + 0.50, 0.10, x + 0.52, 0.26, leg)
        canvas.rectangle(x, 0.08, x + 0.54, 0.10, top)
        canvas.rectangle(x + 0.14, -0.08, x + 0.36, 0.05, black)
        canvas.rectangle(x + 0.147, -0.073, x + 0.353, 0.043, world.air.sheer((0.42, 0.66, 0.86)))
        for k in range(4):
            canvas.rectangle(
                x + 0.16,
                -0.06 + 0.024 * k,
                x + 0.16 + 0.04 * (k % 3 + 1),
                -0.052 + 0.024 * k,
                world.air.sheer((0.85, 0.95, 1.0)),
            )
        canvas.rectangle(x + 0.235, 0.05, x + 0.265, 0.08, black)
        canvas.polygon(
            ((x + 0.19, 0.24), (x + 0.2, 0.0), (x + 0.33, 0.0), (x + 0.34, 0.24)),
            inner(world, (0.2, 0.26, 0.36)),
        )
    return world.layer(canvas, p)
