"""Pictures in the encoder's format: I420 planes, and sprites to composite over them.

All drawing per frame happens on planes: a luma plane at full size and two chroma planes at half.
That is half the bytes of RGB, and the encoder needs no conversion. Sprites have premultiplied
colours, so compositing one is one multiplication and one addition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from workbench.engines.pixels import Image

__all__ = [
    "Picture",
    "Sheet",
    "Sprite",
    "above",
    "below",
    "cropped",
    "resized",
    "shrunk",
    "sprite_of",
]

_WHOLE: Final = 1.0 / 255.0
_BLACK_LEVEL: Final = 16.0
_GREY: Final = 96
_MUCH_LESS: Final = 0.5


def above(plane: Image, level: int) -> Image:
    """Return by how much each value exceeds ``level``, at least 0."""
    return cv2.subtract(plane, cast("Any", level))


def below(plane: Image, level: int) -> Image:
    """Return by how much each value is below ``level``, at least 0."""
    return cv2.subtract(cast("Any", level), plane)


class Picture:
    """One I420 picture of even width and height; ``y``, ``u``, ``v`` are views of ``planes``."""

    __slots__ = ("height", "planes", "u", "v", "width", "y")

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.planes: Image = np.empty((height * 3 // 2, width), np.uint8)
        flat = self.planes.reshape(-1)
        luma, chroma = width * height, width * height // 4
        self.y: Image = self.planes[:height]
        self.u: Image = flat[luma : luma + chroma].reshape(height // 2, width // 2)
        self.v: Image = flat[luma + chroma :].reshape(height // 2, width // 2)
        # Grey, so that uncovered pixels are the same in every run.
        self.y.fill(_GREY)
        self.planes[height:].fill(128)

    def reduced(self, width: int) -> Picture:
        """Return this picture reduced to at most about ``width`` pixels of width."""
        width = min(width, self.width) // 4 * 4
        other = Picture(width, max(2, round(self.height * width / self.width / 4) * 4))
        for source, target in ((self.y, other.y), (self.u, other.u), (self.v, other.v)):
            target[:] = shrunk(source, target.shape[::-1])
        return other


class Sheet:
    """A transparent picture on which sprites are composited into one sprite."""

    __slots__ = ("height", "keep", "keep_half", "u", "v", "width", "y")

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.y: Image = np.zeros((height, width), np.uint8)
        self.u: Image = np.zeros((height // 2, width // 2), np.uint8)
        self.v: Image = np.zeros((height // 2, width // 2), np.uint8)
        self.keep: Image = np.full((height, width), 255, np.uint8)
        self.keep_half: Image = np.full((height // 2, width // 2), 255, np.uint8)

    def sprite(self) -> Sprite:
        """Return the composited content as one sprite."""
        open_rows = np.flatnonzero(self.keep.max(1) > 2)
        solid = int(open_rows[-1]) + 1 if len(open_rows) else 0
        if solid == 0:
            return Sprite(self.y, self.u, self.v, None, None, 0)
        return Sprite(self.y, self.u, self.v, self.keep, self.keep_half, solid)


_BLOCK: Final = 64
"""Columns that share a row of a sprite's profile."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """A picture painted once and composited over many frames.

    ``y``, ``u`` and ``v`` are premultiplied; ``keep`` and ``keep_half`` are the share of the
    background that stays (255 minus opacity), at luma and chroma size; None if all is opaque. From
    row ``solid`` down everything is opaque.
    """

    y: Image
    u: Image
    v: Image
    keep: Image | None
    keep_half: Image | None
    solid: int
    moved: dict[tuple[str, int, int], Image] = field(default_factory=dict, compare=False)
    """Its planes by name, moved left and up by quarters of a pixel."""
    profile: list[npt.NDArray[np.int64]] = field(default_factory=list, compare=False)
    """Once asked for: the rows of each block of columns; see :meth:`rows`."""

    def rows(self, left: float, right: float) -> tuple[int, int, int]:
        """Return which rows matter between these columns: ``top``, ``first`` and ``last``.

        Nothing is painted above ``top``; everything below it is opaque, except within ``first`` to
        ``last``.
        """
        if self.keep is None:
            return 0, 0, 0
        if not self.profile:
            self.profile.append(_profile(self.keep[: self.solid]))
        blocks = self.profile[0]
        first = min(max(0, int(left) // _BLOCK), len(blocks) - 1)
        seen = blocks[first : max(first, int(right) // _BLOCK) + 1]
        top, first_open, last_open = seen[:, 0].min(), seen[:, 1].min(), seen[:, 2].max()
        return int(top), int(max(top, first_open)), int(last_open)

    @property
    def width(self) -> int:
        """Pixels of luma across."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Pixels of luma down."""
        return int(self.y.shape[0])


def sprite_of(bgra: Image, *, solid: int | None = None) -> Sprite:
    """Return the sprite of a painted canvas (H×W×4, colours multiplied by opacity, even sizes).

    ``solid`` is the row from which everything is opaque; None if unknown.
    """
    height, width = bgra.shape[:2]
    planes = cv2.cvtColor(bgra, cv2.COLOR_BGRA2YUV_I420)
    flat = planes.reshape(-1)
    size, half = width * height, width * height // 4
    y = planes[:height]
    u = flat[size : size + half].reshape(height // 2, width // 2)
    v = flat[size + half :].reshape(height // 2, width // 2)
    solid = height if solid is None else max(0, min(height, solid))
    if solid == 0:
        return Sprite(y, u, v, None, None, 0)
    keep = cv2.bitwise_not(cv2.extractChannel(bgra, 3))
    keep_half = cv2.resize(keep, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    y = cv2.subtract(y, cv2.convertScaleAbs(keep, alpha=_BLACK_LEVEL * _WHOLE))
    grey = cv2.convertScaleAbs(keep_half, alpha=128.0 * _WHOLE)
    return Sprite(y, cv2.subtract(u, grey), cv2.subtract(v, grey), keep, keep_half, solid)


def _profile(keep: Image) -> npt.NDArray[np.int64]:
    """Return for each block of columns its first painted row, and its first and last open row."""
    height, width = keep.shape
    found = np.zeros((-(-width // _BLOCK), 3), np.int64)
    for number, row in enumerate(found):
        block = keep[:, number * _BLOCK : (number + 1) * _BLOCK]
        painted = np.flatnonzero(cv2.reduce(block, 1, cv2.REDUCE_MIN) < 255)
        is_open = np.flatnonzero(cv2.reduce(block, 1, cv2.REDUCE_MAX))
        row[0] = painted[0] if len(painted) else height
        row[1:] = (is_open[0], is_open[-1] + 1) if len(is_open) else (height, 0)
    return found


def shrunk(plane: Image, size: tuple[int, int]) -> Image:
    """Return ``plane`` reduced to ``size`` (width, height) by halving, then linearly.

    Halving is many times faster than any other reduction.
    """
    while plane.shape[1] >= 2 * size[0] and plane.shape[0] >= 2 * size[1]:
        half = (plane.shape[1] // 2, plane.shape[0] // 2)
        even = plane[: 2 * half[1], : 2 * half[0]]
        plane = cv2.resize(even, half, interpolation=cv2.INTER_AREA)
    return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)


def cropped(bgra: Image) -> tuple[Image, int, int]:
    """Return the non-empty part of a painted canvas, and its left and top pixel."""
    height, width = bgra.shape[:2]
    left, top, wide, tall = cv2.boundingRect(cv2.extractChannel(bgra, 3))
    if not wide:
        return np.zeros((2, 2, 4), np.uint8), 0, 0
    left, top = left & ~1, top & ~1
    right, low = min(width, left + wide + 3) & ~1, min(height, top + tall + 3) & ~1
    return np.ascontiguousarray(bgra[top:low, left:right]), left, top


def resized(sprite: Sprite, share: float) -> Sprite:
    """Return ``sprite`` at exactly ``share`` of its size."""
    how = cv2.INTER_AREA if share < _MUCH_LESS else cv2.INTER_LINEAR

    def at(plane: Image) -> Image:
        return cv2.resize(plane, None, fx=share, fy=share, interpolation=how)

    y, u, v = at(sprite.y), at(sprite.u), at(sprite.v)
    # Halves are rounded separately: keep what both planes have.
    tall, wide = min(len(y) // 2, len(u)), min(y.shape[1] // 2, u.shape[1])
    full, half = (slice(2 * tall), slice(2 * wide)), (slice(tall), slice(wide))
    if sprite.keep is None or sprite.keep_half is None:
        return Sprite(y[full], u[half], v[half], None, None, 0)
    solid = min(2 * tall, int(np.ceil(sprite.solid * share)) + 1)
    if sprite.solid >= sprite.height:
        solid = 2 * tall
    keep, keep_half = at(sprite.keep)[full], at(sprite.keep_half)[half]
    return Sprite(y[full], u[half], v[half], keep, keep_half, solid)
