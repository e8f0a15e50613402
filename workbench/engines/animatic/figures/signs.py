"""Figures without a body: fireworks, and the card for entities without a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, scale
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of

__all__ = ["paint_card", "paint_firework"]

_BURSTS: Final = (
    ((0.0, -0.72), 0.44, 0.0, (1.0, 0.78, 0.36)),
    ((-0.34, -0.42), 0.30, 0.38, (0.98, 0.42, 0.56)),
    ((0.34, -0.36), 0.28, 0.7, (0.46, 0.78, 1.0)),
)
_INK: Final = (0.16, 0.16, 0.2)
_SPARKS: Final = 22
_LINE_LENGTH: Final = 14
_MOST_LINES: Final = 4


def paint_firework(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint bursts that open, hang and fade, one after another."""
    del look
    for burst in _BURSTS:
        _burst(canvas, pose, ink, *burst)


def _burst(
    canvas: Canvas,
    pose: Pose,
    ink: Ink,
    at: tuple[float, float],
    reach: float,
    offset: float,
    colour: Colour,
) -> None:
    """Add the light of one burst, dimmed by its age."""
    age = (pose.phase + offset) % 1.0
    open_by = 1 - (1 - min(1.0, age * 2.2)) ** 3
    fade = max(0.0, 1 - age) ** 0.8
    shown = ink.glow(ink.main or colour)
    light = Canvas(canvas.x0, canvas.y0, canvas.x1, canvas.y1, canvas.px)
    angles = 2 * np.pi * np.arange(_SPARKS) / _SPARKS + offset
    r = reach * open_by * np.where(np.arange(_SPARKS) % 2, 1.0, 0.72)
    away = np.stack([np.cos(angles) * r, np.sin(angles) * r], 1)
    drop = np.array([0.0, 0.10 * age * age])
    ends, starts = away + at + drop, away * 0.72 + at + drop * 0.6
    light.lines(np.stack([starts, ends], 1), 0.008, scale(shown, 0.7))
    for x, y in ends:
        light.dot(x, y, 0.014 * fade + 0.004, shown)
    cv2.add(canvas.pixels, cv2.convertScaleAbs(light.pixels, alpha=fade), dst=canvas.pixels)


def paint_card(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a storyboard card on a stand, with the words that it stands for."""
    tilt = 0.012 * pose.swing()
    paper = ink.lit(colour_of(look, "paper", (0.96, 0.94, 0.88)))
    edge = ink.dark((0.45, 0.42, 0.38))
    canvas.line(((-0.3, 0.0), (-0.2, -0.4)), 0.03, ink.dark((0.4, 0.3, 0.22)))
    canvas.line(((0.3, 0.0), (0.2, -0.4)), 0.03, ink.dark((0.4, 0.3, 0.22)))
    corners = np.array([(-0.58, -1.04), (0.58, -1.04), (0.58, -0.26), (-0.58, -0.26)])
    corners[:, 0] += tilt * (corners[:, 1] + 0.26)
    canvas.polygon(corners, edge)
    canvas.polygon(corners * (0.965, 0.965) + (0, -0.022), paper)
    letters = ink.glow(colour_of(look, "ink", _INK)) if "ink" in look else ink.dark(_INK)
    _words(canvas, str(look.get("letters") or look.get("words", "")), letters)


def _words(canvas: Canvas, text: str, colour: tuple[float, float, float]) -> None:
    plain = text.encode("ascii", "ignore").decode() or "?"
    lines = textwrap.wrap(plain, _LINE_LENGTH)[:_MOST_LINES]
    size = canvas.px / 480 * 2.1
    thick = max(1, round(canvas.px / 170))
    step = 0.155
    top = -0.65 - step * (len(lines) - 1) / 2
    for index, line in enumerate(lines):
        (wide, tall), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_DUPLEX, size, thick)
        fit = min(1.0, 1.04 * canvas.px / max(1, wide))
        x = int((0 - canvas.x0) * canvas.px - wide * fit / 2)
        y = int((top + step * index - canvas.y0) * canvas.px + tall * fit / 2)
        ink = (colour[2] * 255, colour[1] * 255, colour[0] * 255, 255)
        cv2.putText(
            canvas.pixels,
            line,
            (x, y),
            cv2.FONT_HERSHEY_DUPLEX,
            size * fit,
            ink,
            thick,
            cv2.LINE_AA,
        )
