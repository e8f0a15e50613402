"""Land: rolling strips of ground, hills, mountains, and scattered details."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from workbench.engines.animatic.canvas import Canvas, Points
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World
from workbench.engines.pixels import Image

__all__ = ["hills", "mountains", "skyline", "strip"]


def skyline(
    world: World, x0: float, x1: float, *, count: int = 96, rough: float = 0.5, knots: int = 5
) -> Image:
    """Return a fractal outline from ``x0`` to ``x1``: x, and heights between about −1 and 1."""
    heights = np.zeros(count)
    for octave in range(5):
        marks = world.random.random(knots * 2**octave + 2) * 2 - 1
        at = np.linspace(0, len(marks) - 1.001, count)
        index = at.astype(int)
        share = at - index
        share = share * share * (3 - 2 * share)
        heights += (marks[index] * (1 - share) + marks[index + 1] * share) * rough**octave
    return np.stack([np.linspace(x0, x1, count), heights / (1 + rough)], 1)


def strip(
    world: World,
    p: float,
    top: Colour,
    bottom: Colour,
    *,
    wave: float = 0.004,
    rise: float = 0.0,
    texture: float = 0.2,
    rough: float = 1.0,
    onto: Callable[[Canvas, Image], None] | None = None,
    above: float = 0.0,
    depth: float = 0.3,
) -> Layer:
    """Return a strip of ground whose far edge lies at parallax ``p``, opaque to the bottom.

    ``wave`` is the unevenness of that edge, ``rise`` lifts it, ``onto`` paints onto the strip
    (given the canvas and the edge), ``above`` leaves room for what rises above it.
    """
    y = world.ground_at(p) - rise
    canvas = world.canvas(p, top=y - 1.6 * wave - above - 0.01)
    edge = skyline(world, canvas.x0, canvas.x1, rough=0.45)
    edge[:, 1] = y + edge[:, 1] * wave
    fill_below(world, canvas, edge, world.tone(top, p), world.tone(bottom, p), depth)
    if onto:
        onto(canvas, edge)
    return world.layer(canvas, p, solid=y + 1.6 * wave + 0.004, texture=texture, rough=rough)


def fill_below(
    world: World, canvas: Canvas, edge: Points, top: Colour, bottom: Colour, depth: float
) -> None:
    """Fill everything below ``edge`` with a gradient from ``top`` to ``bottom``."""
    y = float(np.mean(edge[:, 1]))
    canvas.gradient(((y, top), (y + depth, bottom)), grain=world.grain)
    rows = min(canvas.pixels.shape[0], canvas.row(float(np.max(edge[:, 1]))) + 2)
    corners: Sequence[tuple[float, float]] = ((canvas.x1, canvas.y1), (canvas.x0, canvas.y1))
    canvas.cut(np.concatenate([edge, corners]), rows)


def hills(
    world: World, p: float, colour: Colour, *, height: float, base: float = 0.0, **more: float
) -> Layer:
    """Return a range of soft hills whose foot lies at the ground of ``p``."""
    return strip(
        world,
        p,
        colour,
        mix(colour, (0.1, 0.14, 0.1), 0.18),
        wave=height,
        rise=height * 0.9 + base,
        texture=more.get("texture", 0.12),
        depth=height * 3 + 0.05,
    )


def mountains(world: World, p: float, colour: Colour, *, height: float, snow: float = 0.0) -> Layer:
    """Return a range of sharp mountains with a lit and a shaded side, and snow on top."""
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 1.5 * height)
    random, side = world.random, world.air.side
    body, shade = world.tone(colour, p, lit=0.9), world.tone(colour, p, lit=0.35)
    white = world.tone((0.96, 0.97, 1.0), p)
    blue = world.tone((0.72, 0.8, 0.93), p, lit=0.55)
    x = canvas.x0 - 0.2
    peaks: list[tuple[float, float, float]] = []
    while x < canvas.x1 + 0.2:
        peaks.append(
            (x, float(random.uniform(0.45, 1.0)) * height, float(random.uniform(0.8, 1.3)))
        )
        x += float(random.uniform(0.55, 1.0)) * height
    for px, tall, wide in sorted(peaks, key=lambda peak: -peak[1]):
        _peak(world, canvas, (px, foot), tall, tall * wide, (body, shade, white, blue), snow, side)
    foot_edge = skyline(world, canvas.x0, canvas.x1)
    foot_edge[:, 1] = foot - 0.05 * height + foot_edge[:, 1] * 0.04 * height
    fill_below_plain(canvas, foot_edge, mix(body, shade, 0.5))
    return world.layer(canvas, p, solid=foot, texture=0.1)


def fill_below_plain(canvas: Canvas, edge: Points, colour: Colour) -> None:
    """Fill everything below ``edge`` with one colour."""
    canvas.polygon(np.concatenate([edge, ((canvas.x1, canvas.y1), (canvas.x0, canvas.y1))]), colour)


def _peak(
    world: World,
    canvas: Canvas,
    foot: tuple[float, float],
    tall: float,
    half: float,
    colours: tuple[Colour, Colour, Colour, Colour],
    snow: float,
    side: int,
) -> None:
    x, y = foot
    random = world.random
    body, shade, white, blue = colours
    steps = np.linspace(0, 1, 9)
    jag = (random.random((2, 9)) - 0.5) * 0.10 * tall
    jag[:, (0, 8)] = 0
    left = np.stack([x - half * (1 - steps) + jag[0], y - tall * steps], 1)
    right = np.stack([x + half * steps + jag[1], y - tall * (1 - steps)], 1)
    crest = np.stack(
        [x + (random.random(9) - 0.5) * 0.16 * half * steps[::-1], y - tall * steps[::-1]], 1
    )
    crest[0] = (x, y - tall)
    lit, dark = (body, shade) if side < 0 else (shade, body)
    canvas.polygon(np.concatenate([left, crest]), lit)
    canvas.polygon(np.concatenate([right[::-1], crest[::-1][:0], crest]), dark)
    if snow > 0:
        line = 1 - snow * 0.5
        cut = steps >= line
        drip = (random.random(int(cut.sum())) - 0.5) * 0.05 * tall
        cap_left = left[cut]
        cap_right = right[::-1][cut]
        zigzag = np.stack(
            [
                np.linspace(cap_left[0][0], cap_right[0][0], 7),
                cap_left[0][1] + np.array([0, 0.05, -0.04, 0.07, -0.05, 0.04, 0]) * tall,
            ],
            1,
        )
        del drip
        top = (x, y - tall)
        middle = zigzag[3]
        first, second = (white, blue) if side < 0 else (blue, white)
        canvas.polygon(np.concatenate([cap_left, [top], zigzag[3::-1]]), first)
        canvas.polygon(np.concatenate([cap_right, [top], [middle], zigzag[3:]]), second)
