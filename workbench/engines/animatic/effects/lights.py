"""Light laid over the frame: glows, spots, vignettes, beams, flicker."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from workbench.engines.animatic.effects.plan import Plan, radial
from workbench.engines.animatic.planes import Picture
from workbench.engines.pixels import Image

__all__ = ["Beams", "Blinds", "Flicker", "Glow", "Sparkles", "Spot", "Vignette"]

_WHOLE: Final = 1 / 255
_GLINTS: Final = 48
"""Steps in which a sparkle swells and fades."""


class Glow:
    """A soft light about (x, y): ``strength`` brighter; ``red`` and ``blue`` tint it."""

    def __init__(
        self,
        plan: Plan,
        x: float,
        y: float,
        radius: float,
        strength: float,
        red: float = 0.0,
        blue: float = 0.0,
    ) -> None:
        self._light = _bytes(np.maximum(0, 1 - radial(plan, x, y, radius)) ** 2 * strength * 255)
        fall = np.maximum(0, 1 - radial(plan, x, y, radius, half=True)) ** 1.5
        self._red, self._blue = _bytes(fall * abs(red) * 30), _bytes(fall * abs(blue) * 30)
        self._redden = _combining(red)
        self._blue_in = _combining(blue)

    def apply(self, picture: Picture, index: int) -> None:
        """Add the light and its colour."""
        del index
        cv2.add(picture.y, self._light, dst=picture.y)
        self._redden(picture.v, self._red)
        self._blue_in(picture.u, self._blue)


class Spot:
    """Only a circle about (x, y) is lit; outside it ``rest`` remains. It flickers by ``sway``."""

    def __init__(
        self, plan: Plan, x: float, y: float, radius: float, rest: float, sway: float
    ) -> None:
        far = radial(plan, x, y, radius)
        edge = np.clip(1.25 - far * 0.9, 0, 1)
        soft = edge * edge * (3 - 2 * edge)
        self._maps = []
        for level in (-1.0, 0.0, 1.0) if sway else (0.0,):
            gain = rest + (1 - rest) * soft * (1 + sway * level)
            self._maps.append(_bytes(gain * 255))
        self._seed = plan.seed

    def apply(self, picture: Picture, index: int) -> None:
        """Darken what lies outside the light."""
        wave = math.sin(0.9 * index + self._seed) + 0.7 * math.sin(0.53 * index)
        chosen = 1 + round(max(-1.0, min(1.0, wave))) if len(self._maps) > 1 else 0
        _dim(picture, self._maps[chosen])


class Vignette:
    """Corners darker by ``strength``."""

    def __init__(self, plan: Plan, strength: float) -> None:
        far = radial(plan, 0.5, 0.5, 0.5 * math.hypot(plan.width / plan.height, 1))
        self._gain = _bytes(255 * (1 - strength * np.clip(far * 1.05 - 0.2, 0, 1) ** 1.6))

    def apply(self, picture: Picture, index: int) -> None:
        """Darken the corners."""
        del index
        _dim(picture, self._gain)


class Iris:
    """Black but for a round opening of ``radius`` frame heights, as an eyepiece shows it."""

    def __init__(self, plan: Plan, radius: float) -> None:
        self._gain = _bytes(255 * np.clip((1.0 - radial(plan, 0.5, 0.5, radius)) * 40, 0, 1))
        self._outside = radial(plan, 0.5, 0.5, radius, half=True) > 1

    def apply(self, picture: Picture, index: int) -> None:
        """Black out all around the opening."""
        del index
        _dim(picture, self._gain)
        for plane in (picture.u, picture.v):
            plane[self._outside] = 128


class Beams:
    """Shafts of light that fall from above and slowly turn."""

    def __init__(self, plan: Plan, strength: float) -> None:
        small = (plan.width // 4 * 2, plan.height // 2)
        y, x = _places(plan, small)
        angle = np.arctan2(x - 1.35, y + 0.45)
        self._sheets = []
        for turn in range(6):
            shafts = 0.5 + 0.5 * np.sin(angle * 26 + turn * 0.22) * np.sin(angle * 11 - turn * 0.13)
            fall = np.clip(shafts, 0, 1) ** 2 * np.clip(1.25 - 0.8 * y, 0, 1) * strength * 255
            sheet = cv2.resize(fall, (plan.width, plan.height))
            self._sheets.append(_bytes(sheet))

    def apply(self, picture: Picture, index: int) -> None:
        """Add the shafts of this moment."""
        around = len(self._sheets) * 2 - 2
        at = (index // 5) % around
        cv2.add(
            picture.y, self._sheets[at if at < len(self._sheets) else around - at], dst=picture.y
        )


class Flicker:
    """The whole frame a little brighter and darker from frame to frame."""

    def __init__(self, plan: Plan, amount: float) -> None:
        self._amount, self._random = amount, plan.random(2)
        self._levels = self._random.uniform(-1, 1, 4096)

    def apply(self, picture: Picture, index: int) -> None:
        """Change the exposure."""
        cv2.convertScaleAbs(
            picture.y, dst=picture.y, alpha=1 + self._amount * self._levels[index % 4096]
        )


class Blinds:
    """Slanting shadows, as of window blinds."""

    def __init__(self, plan: Plan, strength: float) -> None:
        y, x = _places(plan, (plan.width, plan.height))
        bars = np.clip(2.2 * np.sin((y + 0.22 * x) * 44) + 0.4, 0, 1)
        near = np.clip(1.4 - np.abs(x - plan.width / plan.height * 0.62) * 1.5, 0, 1)
        self._gain = _bytes(255 * (1 - strength * bars * near))

    def apply(self, picture: Picture, index: int) -> None:
        """Lay the shadows over the frame."""
        del index
        cv2.multiply(picture.y, self._gain, dst=picture.y, scale=_WHOLE)


class Sparkles:
    """Points of light that rise, swell and fade."""

    def __init__(self, plan: Plan, number: float) -> None:
        random = plan.random(4)
        self._points = random.random((int(number), 4))
        star = _star(max(5, plan.height // 46) | 1)
        steps = np.sin(np.pi * np.arange(_GLINTS) / _GLINTS)
        self._stars = [cv2.convertScaleAbs(star, alpha=float(step)) for step in steps]

    def apply(self, picture: Picture, index: int) -> None:
        """Add the sparkles of this moment."""
        size = self._stars[0].shape[0]
        for x, y, start, speed in self._points:
            age = (index * (0.012 + 0.02 * speed) + start) % 1.0
            left = int(x * (picture.width - size))
            top = int((y - 0.12 * age) % 1.0 * (picture.height - size))
            region = picture.y[top : top + size, left : left + size]
            cv2.add(region, self._stars[int(age * _GLINTS)], dst=region)


def _places(plan: Plan, size: tuple[int, int]) -> tuple[Image, Image]:
    """Return y and x of each pixel of a frame of ``size`` in frame heights: a column and a row."""
    down = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    across = np.linspace(0, plan.width / plan.height, size[0], dtype=np.float32)[None]
    return down, across


def _star(size: int) -> Image:
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    cross = np.clip(1 - np.hypot(x, y), 0, 1) * np.exp(-14 * np.abs(x * y))
    return _bytes(cross**1.5 * 235)


def _dim(picture: Picture, gain: Image) -> None:
    """Multiply the frame's light by ``gain``; colour fades with it, about its neutral middle."""
    cv2.multiply(picture.y, gain, dst=picture.y, scale=_WHOLE)


def _bytes(values: Image) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)


def _combining(sign: float) -> Callable[[Image, Image], None]:
    """Return the operation that adds a tint to a plane: add, subtract, or none."""

    def add(plane: Image, tint: Image) -> None:
        cv2.add(plane, tint, dst=plane)

    def subtract(plane: Image, tint: Image) -> None:
        cv2.subtract(plane, tint, dst=plane)

    def leave(plane: Image, tint: Image) -> None:
        del plane, tint

    return add if sign > 0 else subtract if sign < 0 else leave
