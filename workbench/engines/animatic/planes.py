"""Pictures in the form the encoder takes: I420 planes, and sprites that are laid over them.

All drawing per frame happens on planes: a luma plane at full size and two chroma planes at half.
That is half the bytes of RGB, and the encoder needs no conversion. Sprites hold colours that are
already multiplied by their opacity, so that laying one over a picture is one product and one sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from workbench.engines.encoder import Image

__all__ = ["Picture", "Sheet", "Sprite", "lay", "sprite_of"]

_WHOLE: Final = 1.0 / 255.0
_BLACK_LEVEL: Final = 16.0
_ALMOST: Final = 1e-3


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

    def copy(self) -> Picture:
        """Return a picture of its own with the same content."""
        other = Picture(self.width, self.height)
        np.copyto(other.planes, self.planes)
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
    box = (left, top, right, low)
    solid = top if sprite.keep is None else _ceil_even(y + sprite.solid * scale + 2)
    _blend(picture.y, sprite.y, sprite.keep, scale, (x, y), box, solid)
    if colour:
        half_box = (left // 2, top // 2, right // 2, low // 2)
        at = (x / 2, y / 2)
        _blend(picture.u, sprite.u, sprite.keep_half, scale, at, half_box, solid // 2)
        _blend(picture.v, sprite.v, sprite.keep_half, scale, at, half_box, solid // 2)
    if isinstance(picture, Sheet):
        _cover(picture.keep, sprite.keep, scale, (x, y), box, solid)
        half_box, at = (left // 2, top // 2, right // 2, low // 2), (x / 2, y / 2)
        _cover(picture.keep_half, sprite.keep_half, scale, at, half_box, solid // 2)


_Box = tuple[int, int, int, int]


def _blend(
    target: Image,
    source: Image,
    keep: Image | None,
    scale: float,
    at: tuple[float, float],
    box: _Box,
    solid: int,
) -> None:
    left, top, right, low = box
    middle = top if keep is None else min(low, max(top, solid))
    if keep is not None and middle > top:
        upper = (left, top, right, middle)
        region = target[top:middle, left:right]
        cv2.multiply(region, _sample(keep, scale, at, upper), dst=region, scale=_WHOLE)
        cv2.add(region, _sample(source, scale, at, upper), dst=region)
    if low > middle:
        target[middle:low, left:right] = _sample(source, scale, at, (left, middle, right, low))


def _cover(
    target: Image,
    keep: Image | None,
    scale: float,
    at: tuple[float, float],
    box: _Box,
    solid: int,
) -> None:
    """Take from ``target`` (what stays of what lies beneath a sheet) what ``keep`` covers."""
    left, top, right, low = box
    middle = top if keep is None else min(low, max(top, solid))
    if keep is not None and middle > top:
        region = target[top:middle, left:right]
        through = _sample(keep, scale, at, (left, top, right, middle))
        cv2.multiply(region, through, dst=region, scale=_WHOLE)
    target[middle:low, left:right] = 0


def _sample(plane: Image, scale: float, at: tuple[float, float], box: _Box) -> Image:
    """Return the part of ``plane``, scaled and moved to ``at``, that falls into ``box``."""
    left, top, right, low = box
    width, height = right - left, low - top
    offset_x, offset_y = left - at[0], top - at[1]
    if abs(scale - 1) > _ALMOST:
        plane, offset_x, offset_y = _resized(plane, scale, offset_x, offset_y, width, height)
    whole_x, whole_y = round(offset_x), round(offset_y)
    if (
        abs(offset_x - whole_x) < 0.07
        and abs(offset_y - whole_y) < 0.07
        and 0 <= whole_x <= plane.shape[1] - width
        and 0 <= whole_y <= plane.shape[0] - height
    ):
        return plane[whole_y : whole_y + height, whole_x : whole_x + width]
    centre = (offset_x + (width - 1) / 2, offset_y + (height - 1) / 2)
    return cv2.getRectSubPix(plane, (width, height), centre)


def _resized(
    plane: Image, scale: float, offset_x: float, offset_y: float, width: int, height: int
) -> tuple[Image, float, float]:
    """Return the part of ``plane`` that is wanted, resized, and where in it that begins."""
    first_x, first_y = _start(offset_x, scale), _start(offset_y, scale)
    last_x = min(plane.shape[1], int((offset_x + width) / scale) + 3)
    last_y = min(plane.shape[0], int((offset_y + height) / scale) + 3)
    first_x, first_y = min(first_x, plane.shape[1] - 1), min(first_y, plane.shape[0] - 1)
    part = plane[first_y : max(first_y + 1, last_y), first_x : max(first_x + 1, last_x)]
    how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    if size[0] < 3 or size[1] < 3:
        return cv2.resize(part, size, interpolation=how), 0.0, 0.0
    resized = cv2.resize(part, None, fx=scale, fy=scale, interpolation=how)
    return resized, offset_x - first_x * scale, offset_y - first_y * scale


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
            if error < 0.04:
                break
    return chosen


def _ceil_even(value: float) -> int:
    whole = int(value) + 1
    return whole + whole % 2
