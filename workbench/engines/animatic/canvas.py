"""Paints antialiased shapes on a transparent canvas, in scene units.

A canvas is a box of the world at a number of pixels per unit. Its pixels are BGRA with
premultiplied alpha, so that it composites correctly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np

from workbench.engines.animatic.colour import Colour
from workbench.engines.pixels import Image

__all__ = ["Canvas", "Points"]

Points = Any
"""N×2 numbers: x to the right, y down."""

_SHIFT: Final = 4
_FRACTION: Final = 1 << _SHIFT
_HALF: Final = 0.5 * _FRACTION


class Canvas:
    """A transparent canvas over the box ``x0, y0`` to ``x1, y1`` at ``px`` pixels per unit."""

    def __init__(
        self, x0: float, y0: float, x1: float, y1: float, px: float, pixels: Image | None = None
    ) -> None:
        self.x0, self.y0, self.px = x0, y0, px
        # Scale from units to the sixteenths of a pixel that OpenCV draws with.
        self._k = px * _FRACTION
        self._corner = np.array((x0 * self._k + _HALF, y0 * self._k + _HALF))
        if pixels is None:
            width = max(2, int(np.ceil((x1 - x0) * px / 2)) * 2)
            height = max(2, int(np.ceil((y1 - y0) * px / 2)) * 2)
            pixels = np.zeros((height, width, 4), np.uint8)
        self.pixels: Image = pixels

    def moved(self, x: float, y: float, scale: float) -> Canvas:
        """Return a view of this canvas whose origin is at (x, y) and whose unit is ``scale``."""
        x0, x1 = ((edge - x) / scale for edge in (self.x0, self.x1))
        y0, y1 = ((edge - y) / scale for edge in (self.y0, self.y1))
        return Canvas(x0, y0, x1, y1, self.px * scale, self.pixels)

    @property
    def x1(self) -> float:
        """The right edge, in units."""
        return self.x0 + int(self.pixels.shape[1]) / self.px

    @property
    def y1(self) -> float:
        """The lower edge, in units."""
        return self.y0 + int(self.pixels.shape[0]) / self.px

    def row(self, y: float) -> int:
        """Return the pixel row of ``y``, kept within the canvas."""
        return int(min(self.pixels.shape[0], max(0, (y - self.y0) * self.px)))

    def polygon(self, points: Points, colour: Colour, opacity: float = 1.0) -> None:
        """Fill the polygon through ``points``."""
        fixed = self._fixed(points)
        if opacity >= 1:
            cv2.fillPoly(self.pixels, [fixed], _bgra(colour), cv2.LINE_AA, _SHIFT)
            return
        self._blend(
            fixed,
            opacity,
            lambda target, moved: cv2.fillPoly(
                target, [moved], _bgra(colour), lineType=cv2.LINE_AA, shift=_SHIFT
            ),
        )

    def polygons(self, many: Points, colours: Sequence[Colour]) -> None:
        """Fill polygons with equal numbers of corners (N×K×2) in order, each in its colour."""
        for fixed, colour in zip(self._fixed(many), colours, strict=True):
            cv2.fillPoly(self.pixels, [fixed], _bgra(colour), cv2.LINE_AA, _SHIFT)

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a small disc."""
        at = ((x - self.x0) * self.px - 0.5, (y - self.y0) * self.px - 0.5)
        centre = (round(at[0] * _FRACTION), round(at[1] * _FRACTION))
        r = max(_FRACTION // 2, round(radius * self.px * _FRACTION))
        cv2.circle(self.pixels, centre, r, _bgra(colour), -1, cv2.LINE_AA, _SHIFT)

    def line(self, points: Points, width: float, colour: Colour, opacity: float = 1.0) -> None:
        """Draw a line of ``width`` units with round ends through ``points``."""
        thick = max(1, round(width * self.px))
        self._blend(
            self._fixed(points),
            opacity,
            lambda target, moved: cv2.polylines(
                target, [moved], False, _bgra(colour), thick, cv2.LINE_AA, _SHIFT
            ),
            margin=thick,
        )

    def lines(self, many: Points, width: float, colour: Colour) -> None:
        """Draw lines of ``width`` units, each through its own points (N×K×2), in one colour."""
        thick = max(1, round(width * self.px))
        fixed = list(self._fixed(many))
        cv2.polylines(self.pixels, fixed, False, _bgra(colour), thick, cv2.LINE_AA, _SHIFT)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour,
        *,
        angle: float = 0.0,
        opacity: float = 1.0,
    ) -> None:
        """Fill the ellipse about (x, y) with radii ``rx``, ``ry``, turned by ``angle`` degrees."""
        self.polygon(ellipse_points(x, y, rx, ry, angle), colour, opacity)

    def limb(self, start: Points, end: Points, first: float, last: float, colour: Colour) -> None:
        """Fill a tapered, round-ended limb from ``start`` (radius ``first``) to ``end``."""
        self.polygon(limb_points(start, end, first, last), colour)

    def rectangle(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, opacity: float = 1.0
    ) -> None:
        """Fill the upright rectangle between two corners, on whole pixels."""
        height, width = self.pixels.shape[:2]
        left, right = ((x - self.x0) * self.px + 0.5 for x in (x0, x1))
        top, low = ((y - self.y0) * self.px + 0.5 for y in (y0, y1))
        if right < 1 or low < 1:
            return
        rows = slice(max(0, int(top)), min(height, max(int(low), int(top) + 1)))
        columns = slice(max(0, int(left)), min(width, max(int(right), int(left) + 1)))
        if opacity >= 1:
            if columns.stop > columns.start and rows.stop > rows.start:
                corners = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
                cv2.rectangle(self.pixels, *corners, _bgra(colour), -1)
        else:
            part = self.pixels[rows, columns]
            if part.size:
                flat = np.full_like(part, _bgra(colour))
                cv2.addWeighted(flat, opacity, part, 1 - opacity, 0, dst=part)

    def gradient(
        self, stops: Sequence[tuple[float, Colour]], *, grain: Image | None = None
    ) -> None:
        """Fill all rows with colours running between ``stops`` (y, colour), top to bottom.

        ``grain`` (values around 0) dithers the steps between neighbouring shades.
        """
        rows = self.y0 + (np.arange(self.pixels.shape[0]) + 0.5) / self.px
        at = [stop[0] for stop in stops]
        shades = np.asarray([stop[1] for stop in stops]) * 255
        column = np.stack([np.interp(rows, at, shades[:, c]) for c in (2, 1, 0)], 1).astype(
            np.float32
        )
        width = self.pixels.shape[1]
        tile = _dithered(column, grain)
        repeats = -(-width // tile.shape[1])
        self.pixels[:] = cv2.repeat(tile, 1, repeats)[:, :width]

    def glow(
        self, x: float, y: float, radius: float, colour: Colour, strength: float = 1.0
    ) -> None:
        """Add a soft light of ``radius`` units around (x, y) to the painting."""
        size = max(2, int(radius * self.px))
        left, top = int((x - self.x0) * self.px) - size, int((y - self.y0) * self.px) - size
        x0, y0 = max(0, left), max(0, top)
        x1 = min(self.pixels.shape[1], left + 2 * size)
        y1 = min(self.pixels.shape[0], top + 2 * size)
        if x1 <= x0 or y1 <= y0:
            return
        # A glow has no fine detail: compute it small and enlarge it.
        small = cv2.merge([_FALL * (strength * colour[c]) for c in (2, 1, 0)] + [_FALL * 0])
        light = cv2.resize(
            cv2.convertScaleAbs(small, alpha=255),
            (2 * size, 2 * size),
            interpolation=cv2.INTER_LINEAR,
        )[y0 - top : y1 - top, x0 - left : x1 - left]
        part = self.pixels[y0:y1, x0:x1]
        opaque = cv2.extractChannel(part, 3)
        if int(opaque.min()) < 255:
            light = cv2.multiply(light, cv2.merge([opaque] * 4), scale=1 / 255)
        cv2.add(part, light, dst=part)

    def blur(self, radius: float) -> None:
        """Blur everything painted so far by ``radius`` units."""
        size = int(radius * self.px) | 1
        if size >= 3:
            cv2.blur(self.pixels, (size, size), dst=self.pixels)
            cv2.blur(self.pixels, (size, size), dst=self.pixels)

    def hole(self, points: Points) -> None:
        """Clear the polygon through ``points``, so that what is behind shows through."""
        cv2.fillPoly(self.pixels, [self._fixed(points)], (0, 0, 0, 0), cv2.LINE_8, _SHIFT)

    def cut(self, points: Points, rows: int) -> None:
        """Clear what lies outside ``points`` in the first ``rows`` rows of pixels."""
        mask = np.zeros((rows, self.pixels.shape[1]), np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], 255, lineType=cv2.LINE_AA, shift=_SHIFT)
        part = self.pixels[:rows]
        cv2.multiply(part, cv2.merge([mask, mask, mask, mask]), dst=part, scale=1 / 255)

    def _fixed(self, points: Points) -> Image:
        moved = np.asarray(points, np.float64) * self._k
        moved -= self._corner
        return np.rint(moved, out=moved).astype(np.int32)

    def _blend(self, points: Image, opacity: float, draw: Any, margin: int = 0) -> None:
        if opacity >= 1:
            draw(self.pixels, points)
            return
        if opacity <= 0:
            return
        x, y, wide, tall = cv2.boundingRect(points)
        left, top = (max(0, edge // _FRACTION - 2 - margin) for edge in (x, y))
        right, low = ((edge // _FRACTION) + 3 + margin for edge in (x + wide, y + tall))
        part = self.pixels[top : max(0, low), left : max(0, right)]
        if part.size == 0:
            return
        drawn = part.copy()
        draw(drawn, points - np.array((left * _FRACTION, top * _FRACTION), np.int32))
        cv2.addWeighted(drawn, opacity, part, 1 - opacity, 0, dst=part)


def ellipse_points(
    x: float, y: float, rx: float, ry: float, angle: float = 0.0, count: int = 28
) -> Image:
    """Return points around the ellipse about (x, y), turned by ``angle`` degrees."""
    turn = _CIRCLES[count] if count in _CIRCLES else _circle(count)
    points = turn * (rx, ry)
    if angle:
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        points = points @ np.array([[c, s], [-s, c]])
    return np.asarray(points + np.array([x, y]))


def limb_points(start: Points, end: Points, first: float, last: float) -> Image:
    """Return the outline of a limb with round ends of radius ``first`` and ``last``."""
    x0, y0, x1, y1 = float(start[0]), float(start[1]), float(end[0]), float(end[1])
    dx, dy = x1 - x0, y1 - y0
    long = math.hypot(dx, dy)
    ux, uy = (dx / long, dy / long) if long else (1.0, 0.0)
    # A half circle at each end, turned along the limb.
    a, b = first * ux, first * uy
    c, d = -last * ux, -last * uy
    return np.asarray(_ENDS @ np.array(((a, b), (-b, a), (x0, y0), (c, d), (-d, c), (x1, y1))))


def _circle(count: int) -> Image:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], 1)


_CIRCLES: Final = {count: _circle(count) for count in (12, 20, 28, 48)}


def _both_ends(count: int) -> Image:
    """Return the matrix from two ends (turn, turn, place of each) to a limb's outline."""
    angles = np.linspace(0, np.pi, count)
    half = np.stack([-np.sin(angles), np.cos(angles), np.ones(count)], 1)
    none = np.zeros((count, 3))
    return np.block([[half, none], [none, half]])


_ENDS: Final = _both_ends(8)


def _falloff(size: int) -> Image:
    """Return the falloff of a glow, 1 in the middle to 0 at the edge, ``size`` pixels across."""
    across = ((np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1) ** 2
    return np.asarray(np.maximum(0, 1 - np.sqrt(across[None] + across[:, None])) ** 2)


_FALL: Final = _falloff(160)


def _bgra(colour: Colour) -> tuple[float, float, float, float]:
    return colour[2] * 255, colour[1] * 255, colour[0] * 255, 255.0


def _dithered(column: Image, grain: Image | None) -> Image:
    """Return an opaque strip as wide as ``grain`` with the dithered shades of ``column``."""
    if grain is None:
        grain = np.zeros((1, 16), np.float32)
    noise = np.tile(grain, (-(-len(column) // len(grain)), 1))[: len(column)]
    strip = np.empty((*noise.shape, 4), np.float32)
    strip[..., :3] = column[:, None] + noise[..., None]
    strip[..., 3] = 255
    return np.clip(strip + 0.5, 0, 255).astype(np.uint8)
