"""Fewer layers for the same picture: what never moves against each other becomes one sprite."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np

from workbench.engines.animatic.camera import Camera
from workbench.engines.animatic.planes import Sheet, lay
from workbench.engines.animatic.world import Layer, World

__all__ = ["merged"]

_SHARPEST: Final = 1.15
"""Pixels painted for each pixel shown; more would not be seen on a backdrop."""


def merged(world: World, layers: Sequence[Layer]) -> list[Layer]:
    """Return ``layers`` with neighbours joined wherever that changes nothing.

    Layers of one parallax never part. And a camera that only turns and zooms shows no parallax at
    all: then everything that does not drift by itself is one painting.
    """
    one_view = _only_turns(world.path)
    together: list[Layer] = []
    for key, group in groupby(layers, lambda layer: _key(layer, whole=one_view)):
        many = list(group)
        if key is None or len(many) == 1:
            together += many
        elif one_view:
            together.append(_painting(world, many))
        else:
            together.append(_joined(many))
    return together


def _key(layer: Layer, *, whole: bool) -> tuple[float, float] | None:
    if layer.drift is not None:
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
    px = world.frame_px * min(_SHARPEST, max(c.f for c in world.path))
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
