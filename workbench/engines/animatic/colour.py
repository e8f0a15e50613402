"""Colours as numbers, and grades: effects of light, mood, palette and style on a colour.

A colour is three floats from 0 to 1: red, green, blue (sRGB). Colours are graded before painting,
which costs nothing per frame; nothing here touches pixels.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

__all__ = ["WHITE", "Colour", "Grade", "hex_colour", "luma", "mix", "scale", "shift_hue"]

Colour = tuple[float, float, float]

WHITE: Final[Colour] = (1.0, 1.0, 1.0)


def hex_colour(text: str) -> Colour:
    """Return the colour written as ``#rrggbb``; raises ``ValueError`` for anything else."""
    if len(text) != 7 or text[0] != "#":
        raise ValueError(f"{text!r} is not a colour of the form #rrggbb.")
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return ``first`` mixed with ``share`` (0 to 1) of ``second``."""
    keep = 1 - share
    return (
        first[0] * keep + second[0] * share,
        first[1] * keep + second[1] * share,
        first[2] * keep + second[2] * share,
    )


def scale(colour: Colour, factor: float) -> Colour:
    """Return ``colour`` brighter (factor above 1) or darker, kept within range."""
    return _clip(colour[0] * factor, colour[1] * factor, colour[2] * factor)


def luma(colour: Colour) -> float:
    """Return the luma of ``colour``, 0 to 1 (Rec. 601 weights)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def shift_hue(colour: Colour, turn: float) -> Colour:
    """Return ``colour`` with its hue moved by ``turn`` of the whole circle."""
    hue, light, saturation = colorsys.rgb_to_hls(*_clip(*colour))
    return colorsys.hls_to_rgb((hue + turn) % 1, light, saturation)


class Grade:
    """A chain of colour corrections, each a table of plain numbers from ``looks.toml``.

    Keys, all optional, applied in this order: ``hue`` (turns), ``saturation``, ``exposure``,
    ``warmth`` (towards amber, or blue when negative), ``tint`` (towards green, or magenta),
    ``contrast`` (about a pivot of 0.45), ``gamma``, ``lift`` (blacks), ``shadows`` and
    ``highlights`` (colour towards which each is drawn, by ``split``), ``wash`` (colour, share).
    """

    def __init__(self, steps: Iterable[Mapping[str, Any]]) -> None:
        self._steps = [_compile(step) for step in steps if step]
        self._seen: dict[Colour, Colour] = {}

    def __call__(self, colour: Colour) -> Colour:
        """Return ``colour`` graded."""
        if (known := self._seen.get(colour)) is not None:
            return known
        value = colour
        for step in self._steps:
            value = _apply(step, value)
        self._seen[colour] = value
        return value


_Step = tuple[tuple[str, Any], ...]

_ORDER: Final = (
    "hue",
    "saturation",
    "exposure",
    "warmth",
    "tint",
    "contrast",
    "gamma",
    "lift",
    "split",
    "wash",
)


def _compile(step: Mapping[str, Any]) -> _Step:
    compiled: list[tuple[str, Any]] = []
    for key in _ORDER:
        if key == "split" and ("shadows" in step or "highlights" in step):
            low = hex_colour(step.get("shadows", "#808080"))
            high = hex_colour(step.get("highlights", "#808080"))
            compiled.append((key, (low, high, step.get("split", 0.3))))
        elif key == "wash" and key in step:
            compiled.append((key, (hex_colour(step[key][0]), float(step[key][1]))))
        elif key in step and key != "split":
            compiled.append((key, float(step[key])))
    return tuple(compiled)


def _apply(step: _Step, colour: Colour) -> Colour:
    red, green, blue = colour
    for key, value in step:
        if key == "hue":
            red, green, blue = shift_hue((red, green, blue), value)
        elif key == "saturation":
            grey = luma((red, green, blue))
            red, green, blue = (grey + (c - grey) * value for c in (red, green, blue))
        elif key == "exposure":
            red, green, blue = red * value, green * value, blue * value
        elif key == "warmth":
            red, green, blue = red * (1 + value), green * (1 + value * 0.2), blue * (1 - value)
        elif key == "tint":
            red, green, blue = (
                red * (1 - value * 0.5),
                green * (1 + value),
                blue * (1 - value * 0.5),
            )
        elif key == "contrast":
            red, green, blue = (0.45 + (c - 0.45) * value for c in (red, green, blue))
        elif key == "gamma":
            red, green, blue = (max(c, 0.0) ** value for c in (red, green, blue))
        elif key == "lift":
            red, green, blue = (value + c * (1 - value) for c in (red, green, blue))
        elif key == "split":
            red, green, blue = _split((red, green, blue), *value)
        else:
            red, green, blue = mix((red, green, blue), *value)
    return _clip(red, green, blue)


def _split(colour: Colour, low: Colour, high: Colour, share: float) -> Colour:
    """Tone the shadows towards ``low`` and the highlights towards ``high``, like soft light."""
    bright = min(1.0, max(0.0, luma(colour)))
    toned = mix(low, high, bright)
    grey = luma(toned)
    offsets: Sequence[float] = [(t - grey) * share for t in toned]
    return colour[0] + offsets[0], colour[1] + offsets[1], colour[2] + offsets[2]


def _clip(red: float, green: float, blue: float) -> Colour:
    return min(1.0, max(0.0, red)), min(1.0, max(0.0, green)), min(1.0, max(0.0, blue))
