"""Drawings as data: lists of simple shapes, animated as a whole.

A shape is one line of text: its kind, its numbers, its colour. Kinds: ``rect x0 y0 x1 y1``,
``oval x y rx ry``, ``poly x y x y …`` (straight), ``blob x y …`` (smooth), ``line w x y …`` and
``curve w x y …`` (open, ``w`` wide), ``wheel x r``, ``prop x y r`` (a propeller seen from the
side), ``rotor x y r`` (seen from the front). A colour is a name of ``colours.toml`` or ``main``,
followed by ``+`` (glows), ``~`` (turned away) or ``-`` (in shade).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np

from workbench.engines.animatic.canvas import Canvas, ellipse_points
from workbench.engines.animatic.colour import Colour, hex_colour, mix
from workbench.engines.animatic.figures.body import Ink, Pose, smooth
from workbench.engines.pixels import Image

__all__ = ["colours", "draw_shapes", "paint_drawing", "pours_at"]

Bend = Callable[[Image], Image]
"""A motion applied to points: N×2 in, N×2 out."""


@dataclass(frozen=True, slots=True)
class _Shape:
    kind: str
    numbers: tuple[float, ...]
    colour: str
    shade: str


@cache
def colours() -> Mapping[str, Colour]:
    """Return the named colours of ``colours.toml``."""
    text = resources.files("workbench.engines.animatic").joinpath("colours.toml").read_text("utf-8")
    return {name: hex_colour(value) for name, value in tomllib.loads(text)["colours"].items()}


def paint_drawing(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint the drawing that ``look`` holds: ``shapes``, ``main`` (a colour's name), ``motion``.

    ``front`` and ``rear`` are the shapes from those sides, if any.
    """
    main = ink.main or colours()[look.get("main", "grey")]
    motion = look.get("motion", "still")
    if pose.gait in _MOTIONS:
        motion = pose.gait
    if pose.gait == "pour" and "spout" in look:
        _pour(canvas, pose, ink, look, main)
        return
    draw_shapes(
        canvas, look.get(pose.front, look["shapes"]), main, ink, pose, _motion(motion, pose)
    )


def pours_at(look: Mapping[str, Any]) -> tuple[float, float]:
    """Return the position of the spout of a pouring vessel, in its heights."""
    x, y = _POURING(np.array([look["spout"]], np.float64))[0]
    return float(x), float(y)


def _pour(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any], main: Colour) -> None:
    """Paint a tilted vessel, and the stream from its spout to its foot level."""
    x, y = pours_at(look)
    liquid = ink.lit(colours()[look.get("pours", "water")])
    wave = 0.008 * pose.swing(0, 3)
    stream = ((x, y), (x + 0.03 + wave, y + 0.12), (x + 0.03 - wave, -0.42))
    canvas.line(smooth(stream, closed=False), 0.055, liquid)
    draw_shapes(canvas, look["shapes"], main, ink, pose, _POURING)


def draw_shapes(
    canvas: Canvas, shapes: list[str], main: Colour, ink: Ink, pose: Pose, bend: Bend
) -> None:
    """Paint ``shapes`` with every point transformed by ``bend``."""
    for shape in (_parsed(text) for text in shapes):
        base = main if shape.colour == "main" else colours()[shape.colour]
        shown = _SHADES[shape.shade](ink)(base)
        _KINDS[shape.kind](canvas, shape.numbers, shown, bend, pose)


@cache
def _parsed(text: str) -> _Shape:
    kind, *numbers, colour = text.split()
    shade = colour[-1] if colour[-1] in "+~-" else ""
    name = colour.removesuffix(shade) if shade else colour
    return _Shape(kind, tuple(map(float, numbers)), name, shade)


_SHADES: Final[Mapping[str, Callable[[Ink], Callable[[Colour], Colour]]]] = {
    "": lambda ink: ink.lit,
    "~": lambda ink: ink.half,
    "-": lambda ink: ink.dark,
    "+": lambda ink: ink.glow,
}


def _pairs(numbers: tuple[float, ...]) -> Image:
    return np.asarray(numbers, np.float64).reshape(-1, 2)


def _rect(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, _: Pose) -> None:
    canvas.polygon(bend(_pairs((n[0], n[1], n[2], n[1], n[2], n[3], n[0], n[3]))), colour)


def _oval(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, _: Pose) -> None:
    canvas.polygon(bend(ellipse_points(n[0], n[1], n[2], n[3])), colour)


def _poly(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, _: Pose) -> None:
    canvas.polygon(bend(_pairs(n)), colour)


def _blob(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, _: Pose) -> None:
    canvas.polygon(smooth(bend(_pairs(n))), colour)


def _line(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, _: Pose) -> None:
    canvas.line(bend(_pairs(n[1:])), n[0], colour)


def _curve(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, _: Pose) -> None:
    canvas.line(smooth(bend(_pairs(n[1:])), closed=False), n[0], colour)


def _wheel(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, pose: Pose) -> None:
    (x, y), r = bend(_pairs((n[0], -n[1])))[0], n[1]
    dark = mix(colour, (0, 0, 0), 0.75)
    canvas.ellipse(x, y, r, r, dark)
    canvas.ellipse(x, y, r * 0.62, r * 0.62, colour)
    for k in range(4):
        a = 2 * math.pi * (pose.phase + k) / 4
        tip = (x + math.cos(a) * r * 0.55, y + math.sin(a) * r * 0.55)
        canvas.line(((x, y), tip), r * 0.12, dark)


def _spokes(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, pose: Pose) -> None:
    (x, y), r = bend(_pairs((n[0], -n[1])))[0], n[1]
    canvas.line(ellipse_points(x, y, r * 0.94, r * 0.94, count=48), r * 0.11, colour)
    for k in range(8):
        a = 2 * math.pi * (pose.phase + k) / 8
        canvas.line(((x, y), (x + math.cos(a) * r * 0.9, y + math.sin(a) * r * 0.9)), 0.006, colour)


def _propeller(
    canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, pose: Pose
) -> None:
    x, y, r = n
    long = r * (0.35 + 0.65 * abs(math.cos(2 * math.pi * pose.phase * 3)))
    ends = bend(_pairs((x - long, y, x + long, y)))
    middle = bend(_pairs((x, y)))[0]
    canvas.polygon(ellipse_points(middle[0], middle[1], r, r * 0.06), colour, 0.3)
    canvas.line(ends, r * 0.07, colour)


def _rotor(canvas: Canvas, n: tuple[float, ...], colour: Colour, bend: Bend, pose: Pose) -> None:
    x, y, r = n
    (cx, cy) = bend(_pairs((x, y)))[0]
    for k in range(4):
        a = 2 * math.pi * (pose.phase + k / 4)
        side, tip = a + 0.22, (cx + math.cos(a) * r, cy + math.sin(a) * r)
        edge = (cx + math.cos(side) * r * 0.92, cy + math.sin(side) * r * 0.92)
        canvas.polygon(((cx, cy), tip, edge), colour)


_KINDS: Final[Mapping[str, Callable[[Canvas, tuple[float, ...], Colour, Bend, Pose], None]]] = {
    "rect": _rect,
    "oval": _oval,
    "poly": _poly,
    "blob": _blob,
    "line": _line,
    "curve": _curve,
    "wheel": _wheel,
    "spokes": _spokes,
    "prop": _propeller,
    "rotor": _rotor,
}


def _motion(name: str, pose: Pose) -> Bend:
    return _MOTIONS.get(name, _still)(pose)


def _still(pose: Pose) -> Bend:
    breath = 1 + 0.006 * pose.swing()
    return lambda points: points * (1.0, breath)


def _sway(pose: Pose) -> Bend:
    swing, flutter = 0.07 * pose.swing(), 0.02 * pose.swing(0.2, 3)

    def bend(points: Image) -> Image:
        height = np.maximum(0, -points[:, 1])
        moved = points.copy()
        moved[:, 0] += swing * height**1.6 + flutter * np.sin(9 * points[:, 1]) * height
        return moved

    return bend


def _rock(pose: Pose) -> Bend:
    return _turned(math.radians(4.5) * pose.swing(), (0.0, 0.02 * pose.swing(0.3)))


def _hover(pose: Pose) -> Bend:
    return _turned(math.radians(2.0) * pose.swing(0.2), (0.0, 0.045 * pose.swing()))


def _jolt(pose: Pose) -> Bend:
    lift = 0.012 * pose.swing(0, 2)
    return lambda points: np.where(points[:, 1:] < -0.12, points + np.array([0, lift]), points)


def _roll(pose: Pose) -> Bend:
    return _turned(2 * math.pi * pose.phase, (0.0, 0.0), about=(0.0, -0.5))


def _bounce(pose: Pose) -> Bend:
    up = abs(math.sin(math.pi * pose.phase))
    flat = 1 - 0.16 * max(0.0, 1 - 6 * up)
    return lambda points: points * (2 - flat, flat) + (0, -1.1 * up)


def _flicker(pose: Pose) -> Bend:
    def bend(points: Image) -> Image:
        height = np.maximum(0, -points[:, 1])
        moved = points.copy()
        moved[:, 0] += 0.10 * height * np.sin(2 * math.pi * pose.phase + 7 * points[:, 1])
        moved[:, 1] *= 1 + 0.10 * np.sin(4 * math.pi * pose.phase + 5 * points[:, 0])
        return moved

    return bend


def _thrust(pose: Pose) -> Bend:
    """Flicker only below the foot: the flame of a rocket."""
    lift, long = 0.03 * pose.swing(), 1 + 0.22 * pose.swing(0.1, 3)

    def bend(points: Image) -> Image:
        moved = points.copy()
        moved[:, 1] = np.where(points[:, 1] > 0, points[:, 1] * long, points[:, 1]) + lift
        return moved

    return bend


def _spin(pose: Pose) -> Bend:
    wide = math.cos(2 * math.pi * pose.phase)
    wide = math.copysign(max(0.12, abs(wide)), wide)
    return lambda points: points * (wide, 1.0)


def _turned(
    angle: float, offset: tuple[float, float], about: tuple[float, float] = (0.0, -0.1)
) -> Bend:
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    return lambda points: (points - about) @ turn + about + offset


def _hang(pose: Pose) -> Bend:
    """Swing around the top."""
    return _turned(math.radians(15) * pose.swing(), (0.0, 0.0), about=(0.0, -0.96))


def _drape(pose: Pose) -> Bend:
    """Sway only below the top: cloth on a rail."""
    swing = 0.12 * pose.swing()

    def bend(points: Image) -> Image:
        moved = points.copy()
        moved[:, 0] += swing * (points[:, 1] + 1) + 0.02 * np.sin(8 * points[:, 1]) * pose.swing(
            0.3
        )
        return moved

    return bend


def _pop(pose: Pose) -> Bend:
    """Pop up and fall back above the middle: toast."""
    up = 1.2 * max(0.0, math.sin(2 * math.pi * pose.phase)) ** 0.7

    def bend(points: Image) -> Image:
        moved = points.copy()
        moved[:, 1] -= np.where((points[:, 1] < -0.59).all(), up, 0.0)
        return moved

    return bend


def _shake(pose: Pose) -> Bend:
    wide = 1 + 0.05 * pose.swing(0.1, 2)
    return lambda points: points * (wide, 2 - wide) + (0.08 * pose.swing(0, 5), 0.0)


def _swell(pose: Pose) -> Bend:
    tall = 1 - 0.10 * (0.5 + 0.5 * pose.swing())
    return lambda points: points * (2 - tall, tall)


def _squeeze(pose: Pose) -> Bend:
    wide = 1 - 0.07 * (1 + pose.swing())
    return lambda points: points * (wide, 1.0)


def _flap(pose: Pose) -> Bend:
    lift = 0.3 * pose.swing()

    def bend(points: Image) -> Image:
        moved = points.copy()
        moved[:, 1] += lift * np.maximum(0, np.abs(points[:, 0]) - 0.2) - 0.1 * lift
        return moved

    return bend


def _wisp(pose: Pose) -> Bend:
    """Flicker only above the middle: the flame of a candle."""

    def bend(points: Image) -> Image:
        height = np.maximum(0, -points[:, 1] - 0.5)
        moved = points.copy()
        moved[:, 0] += 0.12 * height * np.sin(2 * math.pi * pose.phase + 7 * points[:, 1])
        return moved

    return bend


def _tip(pose: Pose) -> Bend:
    """Fall over to the right around the foot."""
    share = min(1.0, pose.phase * 1.4) ** 2
    return _turned(math.radians(88) * share, (0.0, 0.0), about=(0.42, 0.0))


_POURING: Final = _turned(math.radians(34), (-0.1, -0.78), about=(0.0, -0.4))


_MOTIONS: Final[Mapping[str, Callable[[Pose], Bend]]] = {
    "still": _still,
    "sway": _sway,
    "rock": _rock,
    "hover": _hover,
    "jolt": _jolt,
    "roll": _roll,
    "bounce": _bounce,
    "flicker": _flicker,
    "spin": _spin,
    "thrust": _thrust,
    "hang": _hang,
    "drape": _drape,
    "pop": _pop,
    "shake": _shake,
    "swell": _swell,
    "squeeze": _squeeze,
    "flap": _flap,
    "wisp": _wisp,
    "tip": _tip,
}
