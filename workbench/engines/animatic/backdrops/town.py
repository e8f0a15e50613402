"""Streets and skylines."""

from __future__ import annotations

from workbench.engines.animatic.backdrops.ground import strip
from workbench.engines.animatic.backdrops.land import covered
from workbench.engines.animatic.backdrops.sky import sky_layers
from workbench.engines.animatic.backdrops.trees import Onto
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World
from workbench.engines.pixels import Image

__all__ = ["city_street", "skyline"]

_WALLS: tuple[Colour, ...] = (
    (0.62, 0.38, 0.30),
    (0.78, 0.66, 0.50),
    (0.50, 0.55, 0.62),
    (0.70, 0.52, 0.42),
    (0.42, 0.46, 0.56),
    (0.80, 0.74, 0.66),
)
_LAMP: Colour = (1.0, 0.82, 0.48)


def city_street(world: World) -> list[Layer]:
    """Return a street seen across: towers, a row of houses, pavement, road and lamps."""
    asphalt = covered(world, (0.30, 0.31, 0.34), 0.7)
    paving = covered(world, (0.62, 0.60, 0.58), 0.8)
    return [
        *sky_layers(world),
        towers(world, 0.10, (0.46, 0.52, 0.62), low=0.14, high=0.36),
        towers(world, 0.20, (0.40, 0.44, 0.54), low=0.10, high=0.30),
        _houses(world, 0.50),
        strip(
            world,
            0.50,
            paving,
            mix(paving, (0.3, 0.3, 0.32), 0.2),
            wave=0.0,
            texture=0.12,
            rough=2.0,
        ),
        strip(
            world,
            0.66,
            asphalt,
            mix(asphalt, (0.16, 0.16, 0.2), 0.4),
            wave=0.0,
            texture=0.16,
            rough=2.5,
            onto=_marks(world),
        ),
        _lamps(world, 0.66),
    ]


def skyline(world: World) -> list[Layer]:
    """Return the towers of a great city from a roof across the water."""
    from workbench.engines.animatic.backdrops.water import waves  # noqa: PLC0415  a sibling room

    water = covered(world, (0.20, 0.34, 0.46), 0.2)
    roof = covered(world, (0.40, 0.38, 0.38), 0.8)
    return [
        *sky_layers(world),
        towers(world, 0.06, (0.50, 0.56, 0.66), low=0.16, high=0.40),
        towers(world, 0.11, (0.40, 0.46, 0.58), low=0.12, high=0.46),
        towers(world, 0.17, (0.32, 0.36, 0.46), low=0.08, high=0.30),
        waves(world, 0.22, water, height=0.003, long=0.5),
        waves(world, 0.44, mix(water, (0.06, 0.14, 0.2), 0.3), height=0.004, long=0.8, offset=1.7),
        _parapet(world, 0.66),
        strip(
            world, 0.70, roof, mix(roof, (0.2, 0.2, 0.22), 0.4), wave=0.0, texture=0.2, rough=2.0
        ),
    ]


def _parapet(world: World, p: float) -> Layer:
    foot = world.ground_at(p) + 0.03
    canvas = world.canvas(p, top=foot - 0.13)
    rail, shade = (
        world.tone((0.62, 0.63, 0.66), p, lit=0.85),
        world.tone((0.5, 0.5, 0.54), p, lit=0.45),
    )
    x = canvas.x0
    while x < canvas.x1:
        canvas.rectangle(x, foot - 0.1, x + 0.008, foot, shade)
        x += 0.06
    canvas.rectangle(canvas.x0, foot - 0.112, canvas.x1, foot - 0.096, rail)
    canvas.rectangle(canvas.x0, foot - 0.02, canvas.x1, canvas.y1, shade)
    return world.layer(canvas, p)


def towers(world: World, p: float, colour: Colour, *, low: float, high: float) -> Layer:
    """Return a row of tall buildings, with windows lit by time of day."""
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - high - 0.1)
    random, x = world.random, canvas.x0
    while x < canvas.x1:
        wide = float(random.uniform(0.05, 0.11)) * (0.6 + p)
        tall = float(random.uniform(low, high))
        _tower(world, canvas, x, foot, wide, tall, p, world.varied(colour, 0.12))
        x += wide * float(random.uniform(0.85, 1.15))
    canvas.rectangle(canvas.x0, foot, canvas.x1, canvas.y1, world.tone(colour, p, lit=0.4))
    return world.layer(canvas, p, solid=foot + 0.004)


def _tower(
    world: World,
    canvas: Canvas,
    x: float,
    foot: float,
    wide: float,
    tall: float,
    p: float,
    colour: Colour,
) -> None:
    random = world.random
    lit, dark = world.tone(colour, p, lit=0.85), world.tone(colour, p, lit=0.4)
    first, second = (dark, lit) if world.air.side > 0 else (lit, dark)
    cut = x + wide * 0.62
    canvas.rectangle(x, foot - tall, cut, canvas.y1, first)
    canvas.rectangle(cut, foot - tall, x + wide, canvas.y1, second)
    if random.random() < 0.35:
        canvas.rectangle(x + wide * 0.3, foot - tall * 1.08, x + wide * 0.55, foot - tall, first)
    glow = world.air.windows
    pane, step = 0.013, 0.026
    for row in range(int(tall / step) - 1):
        for column in range(int(wide / step)):
            left = x + 0.008 + column * step
            up = foot - tall + 0.012 + row * step
            if random.random() < 0.15 + 0.45 * glow:
                shine = world.tone(
                    mix(_LAMP, (1.0, 0.95, 0.85), float(random.random())), p, lit=1.5
                )
                canvas.rectangle(
                    left, up, left + pane * 0.8, up + pane, mix(first, shine, 0.15 + 0.75 * glow)
                )
            else:
                canvas.rectangle(left, up, left + pane * 0.8, up + pane, mix(first, dark, 0.5))


def _houses(world: World, p: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.6)
    random, x, index = world.random, canvas.x0 - 0.1, int(world.random.integers(6))
    while x < canvas.x1:
        wide = float(random.uniform(0.26, 0.40))
        tall = float(random.uniform(0.30, 0.52))
        _house(world, canvas, (x, foot), wide, tall, p, world.varied(_WALLS[index % 6], 0.06))
        x, index = x + wide, index + 1 + int(random.integers(2))
    return world.layer(canvas, p, solid=foot, texture=0.08, rough=1.5)


def _house(
    world: World,
    canvas: Canvas,
    at: tuple[float, float],
    wide: float,
    tall: float,
    p: float,
    wall: Colour,
) -> None:
    x, y = at
    random, glow = world.random, world.air.windows
    body, dark = world.tone(wall, p, lit=0.75), world.tone(wall, p, lit=0.35)
    canvas.rectangle(x, y - tall, x + wide, canvas.y1, body)
    canvas.rectangle(x + wide - 0.012, y - tall, x + wide, canvas.y1, dark)
    canvas.rectangle(x - 0.008, y - tall - 0.014, x + wide + 0.008, y - tall + 0.006, dark)
    columns = max(3, int(wide / 0.075))
    step = wide / columns
    for row in range(int((tall - 0.16) / 0.085)):
        for column in range(columns):
            cx, top = x + (column + 0.5) * step, y - tall + 0.035 + row * 0.085
            on = random.random() < 0.1 + 0.55 * glow
            shine = world.tone(mix(_LAMP, (1.0, 0.72, 0.42), float(random.random())), p, lit=1.5)
            pane = (
                mix(dark, shine, 0.85)
                if on and glow > 0.2
                else world.tone((0.34, 0.42, 0.50), p, lit=0.6)
            )
            canvas.rectangle(cx - 0.021, top - 0.003, cx + 0.021, top + 0.055, dark)
            canvas.rectangle(cx - 0.017, top, cx + 0.017, top + 0.05, pane)
            canvas.rectangle(cx - 0.001, top, cx + 0.001, top + 0.05, dark)
            canvas.rectangle(
                cx - 0.024,
                top + 0.053,
                cx + 0.024,
                top + 0.06,
                world.tone(mix(wall, (1, 1, 1), 0.4), p, lit=0.8),
            )
    _shop(world, canvas, (x, y), wide, p)


def _shop(world: World, canvas: Canvas, at: tuple[float, float], wide: float, p: float) -> None:
    x, y = at
    random = world.random
    glow = max(0.25, world.air.windows)
    shine = world.tone(mix(_LAMP, (1.0, 0.9, 0.8), float(random.random())), p, lit=1.5)
    frame = world.tone((0.22, 0.22, 0.26), p, lit=0.5)
    glass = mix(world.tone((0.36, 0.44, 0.5), p, lit=0.6), shine, glow)
    canvas.rectangle(x + 0.012, y - 0.108, x + wide - 0.02, y, frame)
    canvas.rectangle(x + 0.02, y - 0.098, x + wide * 0.66, y - 0.012, glass)
    canvas.rectangle(x + wide * 0.70, y - 0.098, x + wide * 0.86, y, mix(glass, frame, 0.4))
    hue = (((0.75, 0.2, 0.2)), (0.15, 0.45, 0.42), (0.86, 0.62, 0.2), (0.24, 0.34, 0.6))[
        int(random.integers(4))
    ]
    stripes = 8
    for index in range(stripes):
        left = x + 0.008 + (wide - 0.02) * index / stripes
        right = left + (wide - 0.02) / stripes
        tone = world.tone(hue if index % 2 else (0.92, 0.9, 0.86), p, lit=0.9)
        canvas.polygon(
            ((left, y - 0.128), (right, y - 0.128), (right, y - 0.094), (left, y - 0.094)), tone
        )


def _marks(world: World) -> Onto:
    def paint(canvas: Canvas, edge: Image) -> None:
        y = world.ground_at(0.66)
        white = world.tone((0.92, 0.9, 0.84), 0.66, lit=0.8)
        curb = world.tone((0.74, 0.73, 0.72), 0.66, lit=0.7)
        canvas.rectangle(canvas.x0, y - 0.004, canvas.x1, y + 0.006, curb)
        del edge
        x = canvas.x0
        while x < canvas.x1:
            canvas.polygon(
                (
                    (x, y + 0.115),
                    (x + 0.13, y + 0.115),
                    (x + 0.125, y + 0.128),
                    (x - 0.005, y + 0.128),
                ),
                white,
            )
            x += 0.26

    return paint


def _lamps(world: World, p: float) -> Layer:
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.46)
    post = world.tone((0.16, 0.17, 0.2), p, lit=0.5)
    x = canvas.x0 + 0.35
    while x < canvas.x1:
        canvas.line(((x, foot), (x, foot - 0.40)), 0.008, post)
        canvas.line(((x, foot - 0.40), (x + 0.07, foot - 0.415)), 0.006, post)
        canvas.ellipse(
            x + 0.075,
            foot - 0.411,
            0.02,
            0.007,
            mix(post, world.tone(_LAMP, p, lit=1.5), world.air.windows),
        )
        x += 0.85
    return world.layer(canvas, p)
