"""The sky: its colours, sun, moon, stars and clouds."""

from __future__ import annotations

from workbench.engines.animatic.atmosphere import Orb
from workbench.engines.animatic.canvas import Canvas, ellipse_points
from workbench.engines.animatic.colour import WHITE, Colour, luma, mix
from workbench.engines.animatic.world import Layer, World

__all__ = ["clouds", "sky", "sky_layers"]


def sky_layers(world: World) -> list[Layer]:
    """Return the sky and its clouds."""
    return [sky(world), *clouds(world)]


def sky(world: World, *, bottom: float | None = None) -> Layer:
    """Return the sky's gradient with sun or moon and stars, down to ``bottom``.

    By default as far down as any ground may leave it uncovered.
    """
    canvas = world.canvas(0.0, bottom=world.bare_until(0.7) if bottom is None else bottom)
    air = world.air
    top, middle, low = (air.sheer(colour) for colour in air.sky)
    canvas.gradient(((-0.50, top), (-0.22, middle), (-0.02, low), (0.1, low)), grain=world.grain)
    if air.stars > 0:
        _stars(world, canvas)
    if air.sun and air.sunshine > 0:
        _sun(world, canvas, air.sun)
    if air.moon and air.cloud < 0.95:
        _moon(world, canvas, air.moon)
    return world.layer(canvas, 0.0, solid=-99)


def clouds(world: World) -> list[Layer]:
    """Return the clouds: one drifting sheet."""
    return [] if world.air.cloud < 0.03 else [_cloud_sheet(world, 0.03, world.air.cloud)]


def _cloud_sheet(world: World, p: float, cover: float) -> Layer:
    speed = 0.016 * (1 + 3 * world.air.gust)
    seconds = world.seconds
    canvas = world.canvas(p, bottom=0.0, spread=0.02 + speed * seconds)
    air, random = world.air, world.random
    base = mix(mix(air.sky[2], WHITE, 0.7 * (1 - air.darkness)), air.light, 0.25)
    base = mix(base, (luma(base) * 0.62,) * 3, 0.75 * max(0.0, cover - 0.6))
    if air.lightning:
        base = mix(base, (0.12, 0.13, 0.18), 0.6)
    under = mix(base, air.sky[1], 0.55)
    top, low = air.sheer(base), air.sheer(under)
    width = canvas.x1 - canvas.x0
    for _ in range(round(width * (2.2 + 9 * cover))):
        x = canvas.x0 + float(random.random()) * width
        y = -float(random.uniform(0.07, 0.5))
        size = float(random.uniform(0.5, 1.3)) * (0.10 + 0.05 * cover) * (0.28 - y)
        _cloud(world, canvas, x, y, size * 1.2, top, low)
    canvas.blur(0.004 if cover < 0.8 else 0.016)
    # Cloud drift is invisible while the picture grows or shrinks.
    still = world.zooms and world.script.pace != "time-lapse"
    return world.layer(canvas, p, drift=None if still else lambda t: (speed * t, 0.0))


def _cloud(
    world: World, canvas: Canvas, x: float, y: float, size: float, top: Colour, under: Colour
) -> None:
    random = world.random
    puffs = [(random.uniform(-1.6, 1.6), random.uniform(-0.35, 0.05)) for _ in range(6)]
    for dx, dy in puffs:
        r = size * (0.75 - 0.28 * abs(dx))
        canvas.ellipse(
            x + dx * size, y + dy * size + r * 0.22, r * 1.25, r * 0.7, under, opacity=0.75
        )
    for dx, dy in puffs:
        r = size * (0.72 - 0.28 * abs(dx))
        canvas.ellipse(x + dx * size, y + dy * size, r * 1.2, r * 0.62, top, opacity=0.7)


def _stars(world: World, canvas: Canvas) -> None:
    random, height, width = world.random, *canvas.pixels.shape[:2]
    number = int(220 * world.air.stars * width / height)
    unit = canvas.px / 480
    xs, ys = random.random(number) * width, random.random(number) ** 1.4 * height * 0.9
    bright = random.random(number) ** 2.2
    ground = world.air.sheer(world.air.sky[0])
    hues = [world.air.sheer(c) for c in ((0.75, 0.83, 1.0), (0.92, 0.92, 0.95), (1.0, 0.95, 0.85))]
    for index, (x, y, b) in enumerate(zip(xs.tolist(), ys.tolist(), bright.tolist(), strict=True)):
        colour = mix(ground, hues[index % 3], 0.35 + 0.65 * b)
        radius = (0.5 + 1.1 * b) * unit / canvas.px
        canvas.dot(canvas.x0 + x / canvas.px, canvas.y0 + y / canvas.px, radius, colour)


def _sun(world: World, canvas: Canvas, sun: Orb) -> None:
    strength = world.air.sunshine
    colour = world.air.sheer(sun.colour)
    glow = world.air.sheer(mix(sun.colour, world.air.light, 0.6))
    canvas.glow(sun.x, sun.y, sun.r * 14, glow, 0.34 * strength)
    canvas.glow(sun.x, sun.y, sun.r * 5, glow, 0.6 * strength)
    canvas.polygon(ellipse_points(sun.x, sun.y, sun.r, sun.r, count=48), colour, min(1.0, strength))


def _moon(world: World, canvas: Canvas, moon: Orb) -> None:
    colour = world.air.sheer(moon.colour)
    canvas.glow(moon.x, moon.y, moon.r * 9, world.air.sheer((0.55, 0.66, 0.95)), 0.4)
    canvas.polygon(ellipse_points(moon.x, moon.y, moon.r, moon.r, count=48), colour)
    grey = mix(colour, (0.5, 0.54, 0.66), 0.32)
    for dx, dy, r in (
        (-0.3, -0.2, 0.24),
        (0.25, 0.15, 0.3),
        (-0.1, 0.45, 0.16),
        (0.35, -0.4, 0.14),
    ):
        canvas.ellipse(moon.x + dx * moon.r, moon.y + dy * moon.r, r * moon.r, r * moon.r, grey)
