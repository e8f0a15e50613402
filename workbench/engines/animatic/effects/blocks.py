"""Worlds built of blocks: large pixels, and cubes with a lit top and a side in shade."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from workbench.engines.animatic.effects.plan import Plan
from workbench.engines.animatic.planes import Picture, shrunk
from workbench.engines.pixels import Image

__all__ = ["Pixels", "Voxels"]

_STEP: Final = 7
"""Minimum difference in luma at which one block stands out from its neighbour."""


class Pixels:
    """Pixelates the frame to a number of rows."""

    def __init__(self, plan: Plan, rows: float) -> None:
        rows = min(rows, plan.height / 2)
        self._small = (max(2, round(rows * plan.width / plan.height)), max(2, round(rows)))

    def apply(self, picture: Picture, index: int) -> None:
        """Reduce and enlarge."""
        del index
        for plane in (picture.y, picture.u, picture.v):
            small = shrunk(plane, self._small)
            size = (plane.shape[1], plane.shape[0])
            cv2.resize(small, size, dst=plane, interpolation=cv2.INTER_NEAREST)


class Voxels:
    """Builds the frame of rows of cubes with lit tops and dark sides."""

    def __init__(self, plan: Plan, rows: float) -> None:
        self._cell = max(4, round(plan.height / rows / 2) * 2)
        self._columns = -(-plan.width // self._cell)
        self._rows = -(-plan.height // self._cell)
        # Slight random shading per block.
        self._cast = plan.random(91).integers(0, 9, (self._rows, self._columns), np.uint8)
        self._top, self._side = max(1, round(self._cell * 0.3)), max(1, round(self._cell * 0.2))

    def apply(self, picture: Picture, index: int) -> None:
        """Build the frame of cubes."""
        del index
        cell, size = self._cell, (self._columns, self._rows)
        tones = shrunk(picture.y, size)
        far_up, far_right = _against(tones, 1, 0), _against(tones, 0, -1)
        edged = cv2.max(far_up, far_right)
        # Flat areas such as the sky stay smooth; areas with edges become blocks.
        built = cv2.blur(edged, (3, 3))
        front = cv2.subtract(tones, cv2.min(self._cast, built))
        line = np.repeat(front, cell, 1)
        sides = line.reshape(self._rows, self._columns, cell)[..., cell - self._side :]
        sides[:] = cv2.subtract(front, far_right)[..., None]
        faces = np.empty((self._rows, cell, self._columns * cell), np.uint8)
        faces[:, : self._top] = np.repeat(cv2.add(front, far_up), cell, 1)[:, None]
        faces[:, self._top :] = line[:, None]
        picture.y[:] = faces.reshape(-1, faces.shape[-1])[: picture.height, : picture.width]
        for plane in (picture.u, picture.v):
            blocks = np.repeat(np.repeat(shrunk(plane, size), cell // 2, 1), cell // 2, 0)
            plane[:] = blocks[: plane.shape[0], : plane.shape[1]]


def _against(tones: Image, down: int, right: int) -> Image:
    """Return how far each block stands out from its neighbour: 0 to 60."""
    apart = cv2.absdiff(tones, np.roll(tones, (down, right), (0, 1)))
    return np.where(apart > _STEP, np.minimum(apart, 30) + 12, 0).astype(np.uint8)
