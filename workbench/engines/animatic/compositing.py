"""Composites sprites over pictures, at any scale and subpixel position, plane by plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2

from workbench.engines.animatic.planes import Picture, Sheet, Sprite
from workbench.engines.pixels import Image

__all__ = ["hides_from", "lay"]

_WHOLE: Final = 1.0 / 255.0
_ALMOST: Final = 1e-3
_NEAR: Final = 0.07
"""Subpixel offsets below this are invisible."""
_STEPS: Final = 4
"""Subpixel steps per pixel of repeatedly composited sprites."""
_WIDE: Final = 1.5
"""A sprite this much wider than the picture is looked at where it is visible."""
_RIM: Final = 4
"""Pixels around a part that resampling may mix into it."""
_MOST_SPARE: Final = 6
"""Maximum size of a plane moved as a whole, relative to its visible part."""
_MOST_KEPT: Final = 5 * 2 * _STEPS
"""Moved planes cached per sprite: five planes in all steps of a sideways path, twice."""


def lay(
    picture: Picture | Sheet,
    sprite: Sprite,
    *,
    scale: float,
    x: float,
    y: float,
    until: int | None = None,
    colour: bool = True,
    again: bool = False,
) -> None:
    """Composite ``sprite`` over ``picture`` at ``scale``, with its corner at pixel (x, y).

    Rows from ``until`` down are skipped: something nearer covers them. Without ``colour``
    the chroma planes stay unchanged. Positions are subpixel-exact; with ``again``, for a sprite
    drawn repeatedly at one size, they are rounded to quarters of a pixel, so that moved planes can
    be cached.
    """
    bottom = picture.height if until is None else min(picture.height, until + until % 2)
    left, top = max(0, int(x) & ~1), max(0, int(y) & ~1)
    right, low = x + sprite.width * scale, y + sprite.height * scale
    right, low = min(picture.width, _ceil_even(right)), min(bottom, _ceil_even(low))
    if again:
        # Only fully covered pixels: the rim of the sprite is empty or outside the picture.
        left, top = (edge + 2 if edge > 0 else edge for edge in (left, top))
        right, low = (
            edge - 4 if edge < end else edge
            for edge, end in ((right, picture.width), (low, bottom))
        )
    if right - left < 2 or low - top < 2:
        return
    begins, solid = top, top
    if sprite.keep is not None:
        solid = _ceil_even(y + sprite.solid * scale + 2)
        if sprite.width > _WIDE * picture.width:
            # Only a part of it is seen, which may be painted or opaque where the rest is not.
            painted, first, last = _rows_seen(sprite, scale, x, left, right)
            top = max(top, _ceil_even(y + painted * scale - _RIM) - 2)
            begins = _ceil_even(y + first * scale - _RIM) - 2
            solid = _ceil_even(y + last * scale) + _RIM
            if first >= last:
                begins = solid = top
    begins, solid = (min(low, max(top, row)) for row in (begins, solid))
    for first, last, is_mixed in ((top, begins, False), (begins, solid, True), (solid, low, False)):
        if last > first:
            box = (left, first, right, last)
            _lay_in(picture, sprite, scale, (x, y), box, mixed=is_mixed, colour=colour, again=again)


def hides_from(sprite: Sprite, width: int, scale: float, x: float) -> int | None:
    """Return the row from which ``sprite``, at ``x``, hides all columns of a picture of ``width``.

    In rows of the sprite; None if it does not.
    """
    solid = sprite.solid
    if sprite.width > _WIDE * width:
        solid = _rows_seen(sprite, scale, x, 0, width)[2]
    return solid if solid < sprite.height else None


def _rows_seen(
    sprite: Sprite, scale: float, x: float, left: int, right: int
) -> tuple[int, int, int]:
    """Return the rows of :meth:`Sprite.rows` for what is seen between two columns of a picture."""
    rim = _RIM / scale
    return sprite.rows((left - x) / scale - rim, (right - x) / scale + rim)


def _lay_in(
    picture: Picture | Sheet,
    sprite: Sprite,
    scale: float,
    at: tuple[float, float],
    box: _Box,
    *,
    mixed: bool,
    colour: bool,
    again: bool,
) -> None:
    """Composite a part of ``sprite``, whose corner is ``at``; it is copied unless ``mixed``."""
    half_box = (box[0] // 2, box[1] // 2, box[2] // 2, box[3] // 2)
    half_at = (at[0] / 2, at[1] / 2)
    if again and abs(scale - 1) <= _ALMOST:
        luma = _window(sprite.y.shape, *at, box)
        chroma = _window(sprite.u.shape, *half_at, half_box)
        if luma is not None and chroma is not None:
            _mix(picture.y, sprite, ("y", "keep"), luma, box, mixed=mixed)
            if colour:
                _mix(picture.u, sprite, ("u", "keep_half"), chroma, half_box, mixed=mixed)
                _mix(picture.v, sprite, ("v", "keep_half"), chroma, half_box, mixed=mixed)
            return
    cut = _Cut(sprite.y.shape, scale, at, box)
    _blend((picture.y,), ("y",), sprite, "keep", cut, mixed=mixed)
    if isinstance(picture, Sheet):
        _cover(picture.keep, sprite, "keep", cut, mixed=mixed)
    if colour:
        cut = _Cut(sprite.u.shape, scale, half_at, half_box)
        _blend((picture.u, picture.v), ("u", "v"), sprite, "keep_half", cut, mixed=mixed)
        if isinstance(picture, Sheet):
            _cover(picture.keep_half, sprite, "keep_half", cut, mixed=mixed)


_Box = tuple[int, int, int, int]
_Window = tuple[int, int, slice, slice]
"""Key of a moved plane: quarter pixels left and up, then rows and columns."""


def _window(shape: tuple[int, ...], x: float, y: float, box: _Box) -> _Window | None:
    """Return the window of a plane with its corner at (x, y) inside ``box``; None if not all of it.

    Also None if too little of the plane is visible to move all of it.
    """
    left, top, right, low = box
    wide, tall = right - left, low - top
    if shape[0] * shape[1] > _MOST_SPARE * wide * tall:
        return None
    whole_x, quarter_x = divmod(round((left - x) * _STEPS), _STEPS)
    whole_y, quarter_y = divmod(round((top - y) * _STEPS), _STEPS)
    if not (0 <= whole_x <= shape[1] - wide and 0 <= whole_y <= shape[0] - tall):
        return None
    rows, columns = slice(whole_y, whole_y + tall), slice(whole_x, whole_x + wide)
    return quarter_x, quarter_y, rows, columns


def _mix(
    target: Image,
    sprite: Sprite,
    names: tuple[str, str],
    window: _Window,
    box: _Box,
    *,
    mixed: bool,
) -> None:
    """Composite one plane: blended by its ``keep`` plane, or copied."""
    left, top, right, low = box
    region = target[top:low, left:right]
    source = _moved(sprite, names[0], window)
    if not mixed:
        region[:] = source
        return
    cv2.multiply(region, _moved(sprite, names[1], window), dst=region, scale=_WHOLE)
    cv2.add(region, source, dst=region)


def _moved(sprite: Sprite, name: str, window: _Window) -> Image:
    """Return a window of the plane ``name``; moved planes are cached."""
    x, y, rows, columns = window
    plane: Image = getattr(sprite, name)
    if x or y:
        key = (name, x, y)
        moved = sprite.moved.get(key)
        if moved is None and len(sprite.moved) >= _MOST_KEPT:
            # It moves both ways, so offsets rarely repeat.
            wide, tall = columns.stop - columns.start, rows.stop - rows.start
            left, top = columns.start + x / _STEPS, rows.start + y / _STEPS
            centre = (left + (wide - 1) / 2, top + (tall - 1) / 2)
            return cv2.getRectSubPix(plane, (wide, tall), centre)
        if moved is None:
            height, width = plane.shape
            centre = (x / _STEPS + (width - 1) / 2, y / _STEPS + (height - 1) / 2)
            moved = cv2.getRectSubPix(plane, (width, height), centre)
            sprite.moved[key] = moved
        plane = moved
    return plane[rows, columns]


def _blend(
    targets: Sequence[Image],
    names: Sequence[str],
    sprite: Sprite,
    keep_name: str,
    cut: _Cut,
    *,
    mixed: bool,
) -> None:
    """Composite planes of one size: blended within the cut, or copied."""
    through = cut.of(sprite, keep_name) if mixed else None
    for target, name in zip(targets, names, strict=True):
        region = target[cut.rows, cut.columns]
        if through is None:
            cut.put(sprite, name, region)
            continue
        cv2.multiply(region, through, dst=region, scale=_WHOLE)
        cv2.add(region, cut.of(sprite, name), dst=region)


def _cover(target: Image, sprite: Sprite, keep_name: str, cut: _Cut, *, mixed: bool) -> None:
    """Multiply ``target``, the ``keep`` plane of a sheet, by ``keep``."""
    region = target[cut.rows, cut.columns]
    if mixed:
        cv2.multiply(region, cut.of(sprite, keep_name), dst=region, scale=_WHOLE)
    else:
        region[:] = 0


class _Cut:
    """Resamples planes of one size to a box of the target.

    Computed once and applied to every plane of that size: crop, resize, and move by the remaining
    fraction of a pixel.
    """

    __slots__ = (
        "_centre",
        "_how",
        "_part",
        "_scale",
        "_size",
        "_whole",
        "columns",
        "rows",
    )
    _part: tuple[slice, slice] | None

    def __init__(
        self,
        shape: tuple[int, ...],
        scale: float,
        at: tuple[float, float],
        box: _Box,
    ) -> None:
        left, top, right, low = box
        self.rows, self.columns = slice(top, low), slice(left, right)
        self._size = (right - left, low - top)
        x, y = left - at[0], top - at[1]
        self._scale = 0.0
        self._part = None
        height, width = shape[:2]
        if abs(scale - 1) > _ALMOST:
            x, y, width, height = self._enlarged(scale, x, y, width, height)
        self._whole: tuple[slice, slice] | None = None
        whole_x, whole_y = round(x), round(y)
        fits = 0 <= whole_x <= width - self._size[0] and 0 <= whole_y <= height - self._size[1]
        exact = fits and abs(x - whole_x) < _NEAR and abs(y - whole_y) < _NEAR
        if exact:
            self._whole = self._at(whole_x, whole_y)
        self._centre = (x + (self._size[0] - 1) / 2, y + (self._size[1] - 1) / 2)

    def of(self, sprite: Sprite, name: str) -> Image:
        """Return the part of the plane ``name``."""
        plane: Image = getattr(sprite, name)
        if self._part is not None:
            plane = plane[self._part]
            plane = cv2.resize(plane, None, fx=self._scale, fy=self._scale, interpolation=self._how)
        if self._whole is not None:
            return plane[self._whole]
        return cv2.getRectSubPix(plane, self._size, self._centre)

    def put(self, sprite: Sprite, name: str, region: Image) -> None:
        """Copy the part of the plane ``name`` into ``region``."""
        if self._part is None and self._whole is None:
            cv2.getRectSubPix(getattr(sprite, name), self._size, self._centre, patch=region)
        else:
            region[:] = self.of(sprite, name)

    def _at(self, x: int, y: int) -> tuple[slice, slice]:
        return slice(y, y + self._size[1]), slice(x, x + self._size[0])

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


def _start(offset: float, scale: float) -> int:
    """Return a start pixel such that ``offset`` falls on a whole pixel after resizing.

    This avoids a subpixel move. Any start a few pixels before the offset is valid; one nearly
    always fits, unless the scale is almost 1.
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
