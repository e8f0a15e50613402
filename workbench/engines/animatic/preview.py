"""Storyboard previews: a few small pictures over its time, drawn without a job."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.animatic.script import Script
from workbench.engines.pixels import to_rgb
from workbench.engines.posters import jpeg
from workbench.rendering import RenderRequest
from workbench.scene import Scene

__all__ = ["strip"]

_PIXELS: Final = 320 * 184
_STEP: Final = 8


def strip(request: RenderRequest, count: int) -> bytes:
    """Return ``count`` pictures of a complete request's storyboard, side by side, as a JPEG.

    They are evenly spaced from the first frame to the last, each about 320 × 184 pixels in the
    aspect ratio of the request.
    """
    width, height = _small(request.width or 832, request.height or 480)
    frames = request.num_frames or 81
    steered = None if request.camera is None else request.camera.camera_path()
    film = Film(
        _script(request.scene, request.seed),
        width,
        height,
        frames,
        request.fps or 24,
        steered=steered,
    )
    chosen = np.linspace(0, frames - 1, count).round().astype(int)
    pictures = [to_rgb(film.frame(int(index)).planes) for index in chosen]
    return jpeg(np.concatenate(pictures, axis=1), quality=72)


@lru_cache(maxsize=8)
def _script(scene: Scene, seed: int) -> Script:
    return read_scene(scene, seed)


def _small(width: int, height: int) -> tuple[int, int]:
    share = (_PIXELS / (width * height)) ** 0.5
    wide, high = (max(_STEP, round(side * share / _STEP) * _STEP) for side in (width, height))
    return wide, high
