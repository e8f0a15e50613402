"""What every painter receives: script, atmosphere, frame size and visible extents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from workbench.engines.animatic.atmosphere import Atmosphere
from workbench.engines.animatic.camera import GROUND, Camera, Sight, View
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, scale
from workbench.engines.animatic.look import Look
from workbench.engines.animatic.planes import Sprite, above, below, sprite_of
from workbench.engines.animatic.script import Script
from workbench.engines.pixels import Image

__all__ = ["Drift", "Layer", "World"]

Drift = Callable[[float], tuple[float, float]]
"""Returns the offset (x, y) of a layer in its units at a story time in seconds."""

_SHARPEST: Final = 1.15
_ENLARGED: Final = 1.5
_SAME: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Layer:
    """A painted layer at parallax ``p``, with its corner at (x, y) in its units."""

    sprite: Sprite
    p: float
    x: float
    y: float
    px: float
    drift: Drift | None = None
    shown: Callable[[float], bool] | None = None
    """Whether it is visible at a story time; None: always."""


class World:
    """The scene as painters need it."""

    def __init__(
        self,
        script: Script,
        air: Atmosphere,
        view: View,
        path: list[Camera],
        frame_px: int,
        look: Look,
        seconds: float = 4.0,
    ) -> None:
        self.script, self.air, self.view = script, air, view
        self.follow(path)
        self.frame_px = frame_px
        self.look = look
        self.seconds = seconds
        self.soft = look.soft
        self.random = np.random.default_rng([script.seed, 7])
        self._tiles: dict[float, Image] = {}
        self.grain = (self.random.random((64, 64), np.float32) - 0.5) * 1.6

    def follow(self, path: list[Camera], sight: Sight | None = None) -> None:
        """Set the cameras of ``path``; ``sight`` overrides the extent that they see."""
        self.path = path
        self.sight = sight or Sight(self.view, path)

    def extent(self, p: float, margin: float = 0.02) -> tuple[float, float, float, float]:
        """Return the part of layer ``p`` that is ever visible: left, top, right, bottom."""
        x0, y0, x1, y1 = self.sight.extent(p)
        return x0 - margin, y0 - margin, x1 + margin, y1 + margin

    def density(self, p: float) -> float:
        """Return the pixels per unit that a layer at ``p`` needs."""
        nearest, farthest = self.sight.scales(p)
        sharp = self.frame_px * min(nearest, _SHARPEST * max(1.0, nearest / 1.6))
        if nearest - farthest < _SAME and nearest < _ENLARGED:
            # Painted at the size shown, so that frames need no resizing.
            sharp = self.frame_px * nearest
        return max(16.0, sharp * self._share_left_by_blur(p, nearest))

    def blur_at(self, p: float) -> float:
        """Return the blur of depth of field at ``p``, in frame heights; 0 at the subject."""
        return max(0.0, self.soft) * abs(1 - p) * (1.0 if p < 1 else 1.6)

    def canvas(
        self, p: float, *, top: float = -9.0, bottom: float = 9.0, spread: float = 0.0
    ) -> Canvas:
        """Return a canvas for the visible part of layer ``p`` between two heights.

        ``spread`` adds room on the left for a layer that drifts.
        """
        x0, y0, x1, y1 = self.extent(p)
        # Each layer has its own random state, so that a change in one does not affect others.
        self.random = np.random.default_rng([self.script.seed, 7, round(p * 1000)])
        # Corners snap to one pixel grid, so that layers of one parallax can be joined.
        px = self.density(p)
        x0 = np.floor((x0 - spread) * px / 2) * 2 / px
        y0 = np.floor(max(y0, top) * px / 2) * 2 / px
        return Canvas(x0, y0, x1, max(y0 + 4 / px, min(y1, bottom)), px)

    def layer(
        self,
        canvas: Canvas,
        p: float,
        *,
        solid: float | None = None,
        texture: float = 0.0,
        rough: float = 1.0,
        drift: Drift | None = None,
        shown: Callable[[float], bool] | None = None,
    ) -> Layer:
        """Return the finished layer: blurred by depth of field and textured.

        ``solid`` is the height below which all is opaque; ``texture`` is the strength of a soft
        mottling (0 to 1), ``rough`` its fineness.
        """
        blur = self.blur_at(p)
        scale_now = self.path[len(self.path) // 2].scale(p)
        row = None if solid is None else canvas.row(solid) + 1
        if blur * canvas.px / scale_now >= 1:
            canvas.blur(blur / scale_now)
            row = None if row is None else row + 2 * int(blur / scale_now * canvas.px) + 2
        sprite = sprite_of(canvas.pixels, solid=row)
        if texture * self.look.texture > 0:
            mottle(sprite, self._noise(rough, canvas.pixels.shape), texture * self.look.texture)
        return Layer(sprite, p, canvas.x0, canvas.y0, canvas.px, drift, shown)

    @property
    def zooms(self) -> bool:
        """Whether the focal length changes."""
        return len({camera.f for camera in self.path}) > 1

    @property
    def from_above(self) -> bool:
        """Whether the camera rises so high that overhead objects would hide the scene."""
        return min(camera.y for camera in self.path) < -0.15

    def bare_until(self, p: float) -> float:
        """Return how far down the sky is visible if the nearest ground begins at ``p``."""
        return max(
            0.03 + camera.scale(p) / camera.f * p * (GROUND - camera.y)
            for camera in self.sight.cameras
        )

    def ground_at(self, p: float) -> float:
        """Return the height of level ground at parallax ``p``."""
        return GROUND * p

    def tone(self, colour: Colour, p: float = 1.0, *, lit: float = 1.0) -> Colour:
        """Return ``colour`` as it looks at ``p``; see :meth:`Atmosphere.tone`."""
        return self.air.tone(colour, p, lit=lit)

    def varied(self, colour: Colour, amount: float = 0.08) -> Colour:
        """Return ``colour`` randomly a little brighter or darker."""
        return scale(colour, 1 + float(self.random.uniform(-amount, amount)))

    def _share_left_by_blur(self, p: float, nearest: float) -> float:
        blur_px = self.blur_at(p) * self.frame_px / max(0.5, nearest)
        return 1.0 if blur_px < 3 else max(0.3, 2.4 / blur_px)

    def _noise(self, rough: float, shape: Any) -> Image:
        """Return mottling of ``shape``, cut from one tile per fineness."""
        if rough not in self._tiles:
            self._tiles[rough] = self._tile(rough)
        tile = self._tiles[rough]
        repeats = (-(-shape[0] // tile.shape[0]), -(-shape[1] // tile.shape[1]))
        return cv2.repeat(tile, *repeats)[: shape[0], : shape[1]]

    def _tile(self, rough: float) -> Image:
        cell = max(2, round(self.frame_px / 60 / rough))
        random = np.random.default_rng([self.script.seed, 11])
        whole = (24 * cell, 18 * cell)
        first, second = (
            cv2.resize(_around(random.integers(0, 256, size, np.uint8)), whole, interpolation=how)
            for size, how in (((6, 8), cv2.INTER_CUBIC), ((18, 24), cv2.INTER_LINEAR))
        )
        return cv2.addWeighted(first, 0.55, second, 0.45, 0)


def _around(cells: Image) -> Image:
    """Return ``cells`` with its first column and row repeated at the end, for seamless tiles."""
    return np.pad(cells, ((0, 1), (0, 1)), mode="wrap")


def mottle(sprite: Sprite, noise: Image, strength: float) -> None:
    """Darken and lighten ``sprite`` by ``noise`` (``uint8``, middle 128), where it is opaque."""
    depth = 70 * strength / 128
    dark = cv2.convertScaleAbs(below(noise, 128), alpha=depth)
    light = cv2.convertScaleAbs(above(noise, 128), alpha=depth)
    if sprite.keep is not None:
        opaque = cv2.bitwise_not(sprite.keep)
        dark = cv2.multiply(dark, opaque, scale=1 / 255)
        light = cv2.multiply(light, opaque, scale=1 / 255)
    cv2.subtract(sprite.y, dark, dst=sprite.y)
    cv2.add(sprite.y, light, dst=sprite.y)
