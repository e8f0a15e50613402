"""A room of textured walls and panels, rendered by projection: videos with a known camera.

Every pixel's ray is intersected with rectangles in space. No code is shared with the
storyboard's own drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from workbench.control import Intrinsics

__all__ = ["FPS", "LENS", "SMALL", "Room", "film"]

Frames = npt.NDArray[np.uint8]
FPS = 16.0
LENS = Intrinsics.of_view(416, 240, 65)
SMALL = LENS.resized(208, 120)
"""For tests that need no more: a quarter of the pixels."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """A rectangle: ``corner`` + a · ``across`` + b · ``down``, a and b from 0 to 1."""

    corner: npt.NDArray[np.float64]
    across: npt.NDArray[np.float64]
    down: npt.NDArray[np.float64]
    texture: Frames


class Room:
    """A closed room, 12 × 6 × 18 units around the origin, with panels standing in it."""

    def __init__(self, seed: int = 0, panels: int = 9) -> None:
        rng = np.random.default_rng(seed)
        x, y, z = 6.0, 3.0, 9.0
        walls: list[Any] = [
            ((-x, -y, z), (2 * x, 0, 0), (0, 2 * y, 0)),
            ((-x, -y, -z), (2 * x, 0, 0), (0, 2 * y, 0)),
            ((-x, -y, -z), (0, 0, 2 * z), (0, 2 * y, 0)),
            ((x, -y, -z), (0, 0, 2 * z), (0, 2 * y, 0)),
            ((-x, y, -z), (2 * x, 0, 0), (0, 0, 2 * z)),
            ((-x, -y, -z), (2 * x, 0, 0), (0, 0, 2 * z)),
        ]
        for _ in range(panels):
            width, height = rng.uniform(0.7, 1.8, 2)
            angle = rng.uniform(-0.6, 0.6)
            centre = np.array([rng.uniform(-4, 4), rng.uniform(-1.6, 2), rng.uniform(2.5, 7)])
            across = np.array([np.cos(angle), 0, np.sin(angle)]) * width
            down = np.array([0, height, 0])
            walls.append((centre - across / 2 - down / 2, across, down))
        self._panels = [
            _Panel(
                np.array(corner, float),
                np.array(across, float),
                np.array(down, float),
                _texture(rng),
            )
            for corner, across, down in walls
        ]

    def picture(self, c2w: npt.NDArray[np.float64], lens: Intrinsics = LENS) -> Frames:
        """Return what the camera at ``c2w`` sees, RGB."""
        columns, rows = np.meshgrid(
            np.arange(lens.width, dtype=np.float32), np.arange(lens.height, dtype=np.float32)
        )
        rays = c2w[:3, :3] @ np.linalg.inv(lens.matrix)  # of the pixel (column, row, 1)
        eye = c2w[:3, 3]
        nearest = np.full(columns.shape, np.inf, np.float32)
        picture: Any = np.zeros((*columns.shape, 3), np.uint8)
        for panel in self._panels:
            normal = np.cross(panel.across, panel.down)
            distance = float((panel.corner - eye) @ normal)
            facing = normal @ rays
            form = [
                (float((eye - panel.corner) @ side) * facing + distance * (side @ rays))
                / (side @ side)
                for side in (panel.across, panel.down)
            ]
            high, wide = panel.texture.shape[:2]
            where = np.stack([form[0] * (wide - 1), form[1] * (high - 1), facing])
            x, y, w = (r[0] * columns + r[1] * rows + r[2] for r in where.astype(np.float32))
            w[np.abs(w) < 1e-12] = 1e-12
            x, y, depth = x / w, y / w, distance / w
            hit = (depth > 0.05) & (depth < nearest)
            hit &= (x >= 0) & (x <= wide - 1) & (y >= 0) & (y <= high - 1)
            if hit.any():
                picture[hit] = cv2.remap(panel.texture, x, y, cv2.INTER_LINEAR)[hit]
                nearest[hit] = depth[hit]
        return np.asarray(picture, np.uint8)


def film(
    poses: npt.NDArray[np.float64], room: Room | None = None, lens: Intrinsics = LENS
) -> Frames:
    """Return the frames of the camera ``poses`` (T, 4, 4) in ``room``."""
    place = room or Room()
    return np.stack([place.picture(pose, lens) for pose in poses])


def _texture(rng: np.random.Generator) -> Frames:
    """Return soft patches with dots of several sizes, which give corners at every distance."""
    size = 512
    soft = rng.integers(50, 190, (8, 8, 3)).astype(np.uint8)
    picture: Any = cv2.resize(soft, (size, size), interpolation=cv2.INTER_CUBIC)
    for _ in range(160):
        x, y = (int(v) for v in rng.integers(0, size, 2))
        colour = [int(c) for c in rng.integers(30, 226, 3)]
        radius = int(rng.integers(5, 22))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), radius, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(picture, (x, y), (x + radius * 2, y + radius), colour, -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.2), np.uint8)
