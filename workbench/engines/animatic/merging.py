"""Merges layers to save work per frame.

Layers that never move relative to each other become one sprite; layers of constant scale are
resized once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

import numpy as np

from workbench.engines.animatic.camera import Camera
from workbench.engines.animatic.compositing import lay
from workbench.engines.animatic.planes import Sheet, Sprite, resized
from workbench.engines.animatic.world import Layer, World
from workbench.engines.pixels import Image

__all__ = ["merged"]

_SHARPEST: Final = 1.15
"""Maximum painted pixels per shown pixel; more is invisible on a backdrop."""
_SAME: Final = 1e-4
_EMPTY: Final = 254
"""Minimum ``keep`` value of a pixel that counts as empty."""
_GAP, _RIM = 48, 4
_WORTH: Final = 24_000
"""Empty pixels that cost as much as compositing one more part."""


def merged(world: World, layers: Sequence[Layer], *, apart: bool = False) -> list[Layer]:
    """Return ``layers`` with neighbours joined where the result is the same.

    Layers of one parallax move together. A camera that only turns and zooms shows no parallax: then
    all layers that do not drift become one painting, unless depths stay ``apart``.
    """
    one_view = not apart and _only_turns(world.path)
    together: list[Layer] = []
    for key, group in groupby(layers, lambda layer: _key(layer, whole=one_view)):
        many = list(group)
        if key is None or len(many) == 1:
            together += many
        elif one_view:
            together.append(_painting(world, many))
        else:
            together.append(_joined(many))
    return [part for layer in together for part in _parted(_fitted(world, layer))]


def _fitted(world: World, layer: Layer) -> Layer:
    """Return ``layer`` resized to its constant scale, or unchanged if its scale varies."""
    nearest, farthest = world.sight.scales(layer.p)
    share = nearest * world.frame_px / layer.px
    if nearest - farthest > _SAME or abs(share - 1) < _SAME:
        return layer
    return replace(layer, sprite=resized(layer.sprite, share), px=layer.px * share)


def _parted(layer: Layer) -> list[Layer]:
    """Return ``layer`` cropped above and below, and split at wide gaps."""
    sprite = layer.sprite
    if sprite.keep is None or sprite.keep_half is None:
        return [layer]
    if sprite.solid < sprite.height:
        rows = _filled(sprite.keep, 1)
        return [_part(layer, 0, int(rows[0]) // 2 * 2, sprite.width, sprite.height)]
    columns = _filled(sprite.keep, 0)
    if not len(columns):
        return []
    parts = []
    gap = max(_GAP, _WORTH / len(_filled(sprite.keep, 1)))
    for run in np.split(columns, np.flatnonzero(np.diff(columns) > gap) + 1):
        left, right = int(run[0]) // 2 * 2, min(sprite.width, (int(run[-1]) // 2 + 1) * 2)
        rows = _filled(sprite.keep[:, left:right], 1)
        top, low = int(rows[0]) // 2 * 2, min(sprite.height, (int(rows[-1]) // 2 + 1) * 2)
        # A transparent rim, so that edges can be moved by fractions of a pixel.
        left, top = max(0, left - _RIM), max(0, top - _RIM)
        right, low = min(sprite.width, right + _RIM), min(sprite.height, low + _RIM)
        parts.append(_part(layer, left, top, right, low))
    return parts


def _filled(keep: Image, axis: int) -> Image:
    """Return which columns (axis 0) or rows (axis 1) of a plane have anything in them."""
    return np.flatnonzero(keep.min(axis) < _EMPTY)


def _part(layer: Layer, left: int, top: int, right: int, low: int) -> Layer:
    sprite = layer.sprite
    whole = slice(top, low), slice(left, right)
    half = slice(top // 2, low // 2), slice(left // 2, right // 2)
    part = Sprite(
        sprite.y[whole],
        sprite.u[half],
        sprite.v[half],
        None if sprite.keep is None else sprite.keep[whole],
        None if sprite.keep_half is None else sprite.keep_half[half],
        min(low - top, sprite.solid - top),
    )
    return replace(layer, sprite=part, x=layer.x + left / layer.px, y=layer.y + top / layer.px)


def _key(layer: Layer, *, whole: bool) -> tuple[float, float] | None:
    if layer.drift is not None or layer.shown is not None:
        return None
    return (0.0, 0.0) if whole else (layer.p, layer.px)


def _only_turns(path: Sequence[Camera]) -> bool:
    first = path[0]
    return all((c.x, c.y, c.k) == (first.x, first.y, first.k) for c in path)


def _joined(layers: Sequence[Layer]) -> Layer:
    """Join layers of one parallax; their corners lie on one grid of pixels."""
    px = layers[0].px
    x0, y0 = min(layer.x for layer in layers), min(layer.y for layer in layers)
    width = max(round((layer.x - x0) * px) + layer.sprite.width for layer in layers)
    height = max(round((layer.y - y0) * px) + layer.sprite.height for layer in layers)
    sheet = Sheet(width + width % 2, height + height % 2)
    for layer in layers:
        x, y = round((layer.x - x0) * px), round((layer.y - y0) * px)
        lay(sheet, layer.sprite, scale=1.0, x=x, y=y)
    return Layer(sheet.sprite(), layers[0].p, x0, y0, px)


def _painting(world: World, layers: Sequence[Layer]) -> Layer:
    """Join layers of any parallax as one camera position sees them: a layer at parallax 0."""
    camera = world.path[0]
    longest, shortest = (pick(c.f for c in world.path) for pick in (max, min))
    px = world.frame_px * (longest if longest == shortest else min(_SHARPEST, longest))
    x0, y0, x1, y1 = world.extent(0.0)
    top = min((layer.y - layer.p * camera.y) * camera.scale(layer.p) / camera.f for layer in layers)
    y0 = max(y0, top)
    width, height = (max(2, int(np.ceil(d * px / 2)) * 2) for d in (x1 - x0, y1 - y0))
    sheet = Sheet(width, height)
    for layer in layers:
        near = camera.scale(layer.p) / camera.f
        x = ((layer.x - layer.p * camera.x) * near - x0) * px
        y = ((layer.y - layer.p * camera.y) * near - y0) * px
        lay(sheet, layer.sprite, scale=near * px / layer.px, x=x, y=y)
    return Layer(sheet.sprite(), 0.0, x0, y0, px)
