"""Trees, bushes, grass and rocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World

__all__ = ["blades", "broadleaf", "bush", "conifer", "grass", "palm", "rock", "scatter", "trunk"]

Onto = Callable[[Canvas, Any], None]
"""Paints onto a strip of ground, given its canvas and its far edge."""

_TURN = np.linspace(0, 2 * np.pi, 14, endpoint=False)
_AROUND = np.stack([np.cos(_TURN), 0.9 * np.sin(_TURN)], 1)
AUTUMN: tuple[Colour, ...] = ((0.80, 0.42, 0.14), (0.86, 0.60, 0.18), (0.66, 0.24, 0.12))


def scatter(world: World, x0: float, x1: float, every: float) -> list[float]:
    """Return irregular positions from ``x0`` to ``x1``, about ``every`` apart."""
    places, x = [], x0
    while x < x1:
        places.append(x + float(world.random.uniform(-0.35, 0.35)) * every)
        x += every * float(world.random.uniform(0.6, 1.4))
    return places


def leaf_colour(world: World, colour: Colour) -> Colour:
    """Return a random leaf colour near ``colour``, tinted by autumn or snow."""
    varied = world.varied(colour, 0.14)
    if world.air.autumn > float(world.random.random()):
        varied = AUTUMN[int(world.random.integers(len(AUTUMN)))]
    return mix(varied, (0.93, 0.95, 0.99), 0.55 * world.air.snow)


def broadleaf(
    world: World, canvas: Canvas, at: tuple[float, float], tall: float, p: float, colour: Colour
) -> None:
    """Paint a round-crowned tree standing at ``at``."""
    x, y = at
    random, side = world.random, world.air.side
    bark = (0.30, 0.22, 0.17)
    trunk(world, canvas, at, tall * 0.55, tall * 0.045, p, bark)
    leaf = leaf_colour(world, colour)
    deep, middle = world.tone(leaf, p, lit=0.25), world.tone(leaf, p, lit=0.62)
    bright = world.tone(mix(leaf, (0.95, 0.93, 0.5), 0.14), p, lit=1.0)
    number = 7 if tall * canvas.px > 70 else 5
    at_x, at_y = random.uniform(-0.26, 0.26, number), random.uniform(-0.95, -0.42, number)
    r = random.uniform(0.13, 0.2, number) * (1.1 if number == 5 else 1.0)
    for count, dx, dy, grow, tone in (
        (number, 0.0, 0.03, 1.12, deep),
        (number, 0.02 * side, -0.01, 0.94, middle),
        (number - 2, 0.06 * side, -0.05, 0.54, bright),
    ):
        blobs = _blobs(world, count) * (r[:count] * grow * tall)[:, None, None]
        blobs[..., 0] += x + (at_x[:count, None] + dx) * tall
        blobs[..., 1] += y + (at_y[:count, None] + dy) * tall
        canvas.polygons(blobs, [tone] * count)


def conifer(
    world: World, canvas: Canvas, at: tuple[float, float], tall: float, p: float, colour: Colour
) -> None:
    """Paint a fir standing at ``at``."""
    x, y = at
    leaf = mix(leaf_colour(world, colour), colour, 0.6)
    snow = world.air.snow
    trunk(world, canvas, at, tall * 0.2, tall * 0.03, p, (0.26, 0.2, 0.17))
    tiers = 5
    lit, dark = world.tone(leaf, p, lit=0.85), world.tone(leaf, p, lit=0.3)
    white = world.tone((0.93, 0.95, 1.0), p)
    for tier in range(tiers):
        low, high = 0.12 + 0.16 * tier, 0.12 + 0.16 * tier + 0.34
        wide = 0.21 * (1 - tier / (tiers + 0.6)) * tall
        tip = (x, y - min(1.0, high) * tall)
        base = y - low * tall
        jag = [
            (x + wide * u, base + (0.03 * tall if i % 2 else -0.004 * tall))
            for i, u in enumerate(np.linspace(1, -1, 9))
        ]
        canvas.polygon([tip, *jag], dark)
        half = jag[:5] if world.air.side > 0 else jag[4:]
        canvas.polygon(
            [tip, *half, (x, base)] if world.air.side > 0 else [tip, (x, base), *half[1:]], lit
        )
        if snow > 0.2:
            cap = [(tip[0] + (px - tip[0]) * 0.6, tip[1] + (py - tip[1]) * 0.6) for px, py in jag]
            canvas.polygon([tip, *cap], white, 0.9 * snow)


def palm(
    world: World, canvas: Canvas, at: tuple[float, float], tall: float, p: float, colour: Colour
) -> None:
    """Paint a leaning palm standing at ``at``."""
    x, y = at
    lean = float(world.random.choice([-1, 1])) * 0.16
    bark = world.tone((0.45, 0.35, 0.26), p, lit=0.7)
    ts = np.linspace(0, 1, 8)
    spine = np.stack([x + lean * tall * ts**2, y - 0.8 * tall * ts], 1)
    for index in range(7):
        canvas.limb(
            spine[index],
            spine[index + 1],
            (0.026 - 0.0015 * index) * tall,
            (0.0245 - 0.0015 * index) * tall,
            bark,
        )
    head = spine[-1]
    for index, angle in enumerate(np.linspace(-200, 20, 9)):
        a = np.radians(angle)
        leaf = world.tone(world.varied(colour, 0.15), p, lit=0.45 + 0.5 * (index % 2))
        tip = head + np.array([np.cos(a) * 0.36, np.sin(a) * 0.2 + 0.12]) * tall
        mid = head + np.array([np.cos(a) * 0.22, np.sin(a) * 0.22 - 0.04]) * tall
        canvas.polygon(_leaf(head, mid, tip, 0.035 * tall), leaf)


def bush(
    world: World, canvas: Canvas, at: tuple[float, float], tall: float, p: float, colour: Colour
) -> None:
    """Paint a low bush at ``at``."""
    x, y = at
    leaf = leaf_colour(world, colour)
    for lit, shrink, lift in ((0.25, 1.0, 0.0), (0.65, 0.82, 0.08), (1.0, 0.5, 0.22)):
        for dx in (-0.55, 0.05, 0.6):
            r = tall * 0.5 * shrink * (1 - 0.2 * abs(dx))
            canvas.polygon(
                _blob(
                    world,
                    x + dx * tall * 0.7 + 0.08 * world.air.side * lift * tall,
                    y - r * 0.55 - lift * tall * 0.3,
                    r,
                ),
                world.tone(leaf, p, lit=lit),
            )


def rock(
    world: World, canvas: Canvas, at: tuple[float, float], tall: float, p: float, colour: Colour
) -> None:
    """Paint a boulder lying at ``at``."""
    x, y = at
    random = world.random
    angles = np.linspace(np.pi, 2 * np.pi, 8)
    radii = 0.8 + 0.4 * random.random(8)
    wide = 0.9 + 0.5 * float(random.random())
    outline = np.stack(
        [
            x + np.cos(angles) * radii * tall * wide,
            y + np.sin(angles) * radii * tall * 0.8 + 0.05 * tall,
        ],
        1,
    )
    canvas.polygon(outline, world.tone(colour, p, lit=0.35))
    lit = outline.copy()
    lit[:, 0] = x + (outline[:, 0] - x) * 0.8 + 0.14 * tall * world.air.side
    lit[:, 1] = y - 0.1 * tall + (outline[:, 1] - y) * 0.82
    canvas.polygon(lit, world.tone(colour, p, lit=0.9))
    if world.air.snow > 0.3:
        cap = lit.copy()
        cap[:, 1] = np.minimum(cap[:, 1], y - 0.42 * tall)
        canvas.polygon(cap, world.tone((0.95, 0.97, 1.0), p))


def trunk(
    world: World,
    canvas: Canvas,
    at: tuple[float, float],
    tall: float,
    half: float,
    p: float,
    bark: Colour,
) -> None:
    """Paint an upright trunk with a lit side."""
    x, y = at
    canvas.polygon(
        (
            (x - half * 1.3, y),
            (x - half * 0.8, y - tall),
            (x + half * 0.8, y - tall),
            (x + half * 1.3, y),
        ),
        world.tone(bark, p, lit=0.35),
    )
    s = world.air.side
    canvas.polygon(
        (
            (x + s * half * 0.2, y),
            (x + s * half * 0.2, y - tall),
            (x + s * half * 0.75, y - tall),
            (x + s * half * 1.2, y),
        ),
        world.tone(bark, p, lit=0.85),
    )


def grass(
    world: World,
    p: float,
    colour: Colour,
    *,
    tall: float,
    every: float = 0.012,
    sway: float = 0.004,
    lit: float = 0.5,
) -> Layer:
    """Return a foreground of grass blades that sway, rooted at the ground of ``p``."""
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 1.3 * tall, spread=0.05)
    blades(world, canvas, foot + 0.02, tall, p, colour, every, lit)
    speed = 1.3 + 2.5 * world.air.gust
    amount = sway * (1 + 3 * world.air.gust)
    return world.layer(canvas, p, drift=lambda t: (amount * float(np.sin(speed * t)), 0.0))


def blades(
    world: World,
    canvas: Canvas,
    foot: float,
    tall: float,
    p: float,
    colour: Colour,
    every: float,
    lit: float = 0.5,
) -> None:
    """Paint blades of grass along ``foot``."""
    random = world.random
    number = min(420, int((canvas.x1 - canvas.x0) / every))
    xs = np.linspace(canvas.x0, canvas.x1, number) + random.uniform(-every, every, number)
    tones = [
        world.tone(mix(leaf_colour(world, colour), (0, 0, 0), 0.1 * k), p, lit=lit)
        for k in range(5)
    ]
    for index, x in enumerate(xs):
        high = tall * float(random.uniform(0.45, 1.0))
        lean = high * float(random.uniform(-0.35, 0.45))
        wide = 0.09 * tall
        canvas.polygon(
            (
                (x - wide, foot),
                (x + 0.45 * lean - 0.4 * wide, foot - 0.6 * high),
                (x + lean, foot - high),
                (x + 0.45 * lean + 0.4 * wide, foot - 0.6 * high),
                (x + wide, foot),
            ),
            tones[index % 5],
        )


def _blobs(world: World, number: int) -> np.ndarray:
    """Return N uneven discs around (0, 0), each of radius about 1: N×14×2."""
    radii = 0.88 + 0.24 * world.random.random((number, 14, 1))
    return np.asarray(radii * _AROUND)


def _blob(world: World, x: float, y: float, r: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    radii = r * (0.88 + 0.24 * world.random.random(14))
    return np.stack([x + np.cos(angles) * radii, y + np.sin(angles) * radii * 0.9], 1)


def _leaf(start: np.ndarray, middle: np.ndarray, tip: np.ndarray, half: float) -> np.ndarray:
    ts = np.linspace(0, 1, 7)[:, None]
    line = (1 - ts) ** 2 * start + 2 * ts * (1 - ts) * middle + ts**2 * tip
    wide = half * np.sin(np.pi * (0.12 + 0.88 * ts[:, 0]))
    return np.concatenate(
        [line + np.stack([0 * wide, -wide], 1), (line + np.stack([0 * wide, 0.6 * wide], 1))[::-1]]
    )
