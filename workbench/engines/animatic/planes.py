"""Pictures in the form the encoder takes: I420 planes, and sprites that are laid over them.

All drawing per frame happens on planes: a luma plane at full size and two chroma planes at half.
That is half the bytes of RGB, and the encoder needs no conversion. Sprites hold colours that are
already multiplied by their opacity, so that laying one over a picture is one product and one sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import cv2
import numpy as np

from workbench.engines.encoder import Image

__all__ = ["Picture", "Sheet", "Sprite", "above", "below", "lay", "sprite_of"]

_WHOLE: Final = 1.0 / 255.0
_BLACK_LEVEL: Final = 16.0
_GREY: Final = 96
_ALMOST: Final = 1e-3
_NEAR: Final = 0.07
"""A fraction of a pixel that nobody sees."""


def above(plane: Image, level: int) -> Image:
    """Return by how much each value exceeds ``level``; 0 where it does not."""
    return cv2.subtract(plane, cast("Any", level))


def below(plane: Image, level: int) -> Image:
    """Return by how much each value falls short of ``level``; 0 where it does not."""
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
        # Grey, so that what nothing covers is the same in every run.
        self.y.fill(_GREY)
        self.planes[height:].fill(128)

    def reduced(self, width: int) -> Picture:
        """Return this picture at most about ``width`` pixels wide."""
        width = min(width, self.width) // 4 * 4
        other = Picture(width, max(2, round(self.height * width / self.width / 4) * 4))
        for source, target in ((self.y, other.y), (self.u, other.u), (self.v, other.v)):
            size = target.shape[::-1]
            cv2.resize(source, size, dst=target, interpolation=cv2.INTER_AREA)
        return other


class Sheet:
    """A transparent picture that sprites are laid on, to become a sprite itself."""

    __slots__ = ("height", "keep", "keep_half", "u", "v", "width", "y")

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.y: Image = np.zeros((height, width), np.uint8)
        self.u: Image = np.zeros((height // 2, width // 2), np.uint8)
        self.v: Image = np.zeros((height // 2, width // 2), np.uint8)
        self.keep: Image = np.full((height, width), 255, np.uint8)
        self.keep_half: Image = np.full((height // 2, width // 2), 255, np.uint8)

    def sprite(self) -> Sprite:
        """Return what has been laid so far as one sprite."""
        open_rows = np.flatnonzero(cv2.reduce(self.keep, 1, cv2.REDUCE_MAX).ravel() > 2)
        solid = int(open_rows[-1]) + 1 if len(open_rows) else 0
        if solid == 0:
            return Sprite(self.y, self.u, self.v, None, None, 0)
        return Sprite(self.y, self.u, self.v, self.keep, self.keep_half, solid)


@dataclass(frozen=True, slots=True)
class Sprite:
    """Something painted once and laid over many frames.

    ``y``, ``u`` and ``v`` are multiplied by the opacity; ``keep`` and ``keep_half`` say how much of
    what lies beneath stays (255 minus opacity), at luma and chroma size; None where all is opaque.
    From row ``solid`` down everything is opaque.
    """

    y: Image
    u: Image
    v: Image
    keep: Image | None
    keep_half: Image | None
    solid: int

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

    ``solid`` is the row from which everything is opaque; None where nothing is known to be.
    """
    height, width = bgra.shape[:2]
    planes = cv2.cvtColor(cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR), cv2.COLOR_BGR2YUV_I420)
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


def lay(
    picture: Picture | Sheet,
    sprite: Sprite,
    *,
    scale: float,
    x: float,
    y: float,
    until: int | None = None,
    colour: bool = True,
) -> None:
    """Lay ``sprite`` over ``picture``, ``scale`` times as large, its corner at pixel (x, y).

    Rows from ``until`` down are left alone: something nearer will hide them. Without ``colour``
    the chroma planes are left as they are. Positions are exact to fractions of a pixel.
    """
    bottom = picture.height if until is None else min(picture.height, until + until % 2)
    left, top = max(0, int(x) & ~1), max(0, int(y) & ~1)
    right = min(picture.width, _ceil_even(x + sprite.width * scale))
    low = min(bottom, _ceil_even(y + sprite.height * scale))
    if right - left < 2 or low - top < 2:
        return
    solid = top if sprite.keep is None else _ceil_even(y + sprite.solid * scale + 2)
    mixed = sprite.keep is not None
    cuts = _cuts(sprite.y.shape, scale, (x, y), (left, top, right, low), solid, mixed=mixed)
    _blend((picture.y,), (sprite.y,), sprite.keep, cuts)
    if isinstance(picture, Sheet):
        _cover(picture.keep, sprite.keep, cuts)
    if colour:
        half_box = (left // 2, top // 2, right // 2, low // 2)
        cuts = _cuts(sprite.u.shape, scale, (x / 2, y / 2), half_box, solid // 2, mixed=mixed)
        _blend((picture.u, picture.v), (sprite.u, sprite.v), sprite.keep_half, cuts)
        if isinstance(picture, Sheet):
            _cover(picture.keep_half, sprite.keep_half, cuts)


def _blend(
    targets: Sequence[Image],
    sources: Sequence[Image],
    keep: Image | None,
    cuts: tuple[_Cut | None, _Cut | None],
) -> None:
    """Lay planes of one size: mixed by ``keep`` within the first cut, copied within the second."""
    upper, lower = cuts
    if upper is not None and keep is not None:
        through = upper.of(keep)
        for target, source in zip(targets, sources, strict=True):
            region = target[upper.rows, upper.columns]
            cv2.multiply(region, through, dst=region, scale=_WHOLE)
            cv2.add(region, upper.of(source), dst=region)
    if lower is not None:
        for target, source in zip(targets, sources, strict=True):
            lower.put(source, target[lower.rows, lower.columns])


def _cover(target: Image, keep: Image | None, cuts: tuple[_Cut | None, _Cut | None]) -> None:
    """Take from ``target`` (what stays of what lies beneath a sheet) what ``keep`` covers."""
    upper, lower = cuts
    if upper is not None and keep is not None:
        region = target[upper.rows, upper.columns]
        cv2.multiply(region, upper.of(keep), dst=region, scale=_WHOLE)
    if lower is not None:
        target[lower.rows, lower.columns] = 0


_Box = tuple[int, int, int, int]


class _Cut:
    """How to take, from any plane of one size, the part that falls into a box of the target.

    Worked out once and applied to every plane of that size: crop, enlarge or reduce, and where no
    whole pixel fits, move by the fraction that is left.
    """

    __slots__ = ("_centre", "_how", "_part", "_scale", "_size", "_whole", "columns", "rows")

    def __init__(
        self, shape: tuple[int, ...], scale: float, at: tuple[float, float], box: _Box
    ) -> None:
        left, top, right, low = box
        self.rows, self.columns = slice(top, low), slice(left, right)
        self._size = (right - left, low - top)
        x, y = left - at[0], top - at[1]
        self._scale = 0.0
        self._part: tuple[slice, slice] | None = None
        height, width = shape[:2]
        if abs(scale - 1) > _ALMOST:
            x, y, width, height = self._enlarged(scale, x, y, width, height)
        whole_x, whole_y = round(x), round(y)
        fits = 0 <= whole_x <= width - self._size[0] and 0 <= whole_y <= height - self._size[1]
        exact = fits and abs(x - whole_x) < _NEAR and abs(y - whole_y) < _NEAR
        self._whole = (
            (slice(whole_y, whole_y + self._size[1]), slice(whole_x, whole_x + self._size[0]))
            if exact
            else None
        )
        self._centre = (x + (self._size[0] - 1) / 2, y + (self._size[1] - 1) / 2)

    def of(self, plane: Image) -> Image:
        """Return the part of ``plane``."""
        if self._part is not None:
            plane = plane[self._part]
            plane = cv2.resize(plane, None, fx=self._scale, fy=self._scale, interpolation=self._how)
        if self._whole is not None:
            return plane[self._whole]
        return cv2.getRectSubPix(plane, self._size, self._centre)

    def put(self, plane: Image, region: Image) -> None:
        """Copy the part of ``plane`` into ``region``."""
        if self._part is None and self._whole is None:
            cv2.getRectSubPix(plane, self._size, self._centre, patch=region)
        else:
            region[:] = self.of(plane)

    def _enlarged(
        self, scale: float, x: float, y: float, width: int, height: int
    ) -> tuple[float, float, int, int]:
        first_x, first_y = min(_start(x, scale), width - 1), min(_start(y, scale), height - 1)
        last_x = max(first_x + 1, min(width, int((x + self._size[0]) / scale) + 3))
        last_y = max(first_y + 1, min(height, int((y + self._size[1]) / scale) + 3))
        self._part = slice(first_y, last_y), slice(first_x, last_x)
        self._scale = scale
        self._how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        new_width, new_height = round((last_x - first_x) * scale), round((last_y - first_y) * scale)
        return x - first_x * scale, y - first_y * scale, new_width, new_height


def _cuts(
    shape: tuple[int, ...],
    scale: float,
    at: tuple[float, float],
    box: _Box,
    solid: int,
    *,
    mixed: bool,
) -> tuple[_Cut | None, _Cut | None]:
    """Return the cut for the rows that are mixed and that for those that are copied."""
    left, top, right, low = box
    middle = min(low, max(top, solid)) if mixed else top
    upper = _Cut(shape, scale, at, (left, top, right, middle)) if middle > top else None
    lower = _Cut(shape, scale, at, (left, middle, right, low)) if low > middle else None
    return upper, lower


def _start(offset: float, scale: float) -> int:
    """Return a pixel to begin at, so chosen that ``offset`` falls on a whole pixel once resized.

    Then no second, finer move is needed. Any start a few pixels before the offset will do; among
    so many one nearly always fits, unless the scale is almost 1.
    """
    base = max(0, int(offset / scale) - 2)
    best, chosen = 1.0, base
    for start in range(base, max(-1, base - 14), -1):
        rest = offset - start * scale
        error = abs(rest - round(rest))
        if error < best:
            best, chosen = error, start
            if error < _NEAR / 2:
                break
    return chosen


def _ceil_even(value: float) -> int:
    whole = int(value) + 1
    return whole + whole % 2
