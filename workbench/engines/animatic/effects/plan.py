"""The interface of an effect, and the facts of the film: size, seed, noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from workbench.engines.animatic.planes import Picture
from workbench.engines.pixels import Image

__all__ = ["Effect", "Plan", "radial"]


class Effect(Protocol):
    """An effect, applied to each frame in place."""

    def apply(self, picture: Picture, index: int) -> None:
        """Change ``picture``, the frame at ``index``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The film's width, height and seed."""

    width: int
    height: int
    seed: int
    fine: bool = True
    """Whether the frame is at full size; a coarse one is half as large and enlarged later."""

    def random(self, salt: int) -> np.random.Generator:
        """Return an independent random source for each ``salt``."""
        return np.random.default_rng([self.seed, 1000 + salt])

    def noise(self, salt: int, cell: float, *, wide: float = 1.0) -> Image:
        """Return smooth noise (H×W, float32, 0 to 1), its blobs ``cell`` frame heights across."""
        columns = max(3, int(self.width / self.height / cell / wide) + 2)
        rows = max(3, int(1 / cell) + 2)
        coarse = self.random(salt).random((rows, columns), np.float32)
        smooth = cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        return np.clip(smooth, 0, 1)


def radial(plan: Plan, x: float, y: float, radius: float, *, half: bool = False) -> Image:
    """Return the distance from (x, y), shares of the frame, in units of ``radius`` heights."""
    step = 2 if half else 1
    width, height = plan.width // step, plan.height // step
    across = (np.arange(width, dtype=np.float32) / height - x * plan.width / plan.height) / radius
    down = (np.arange(height, dtype=np.float32) / height - y) / radius
    return np.sqrt(across[None] ** 2 + down[:, None] ** 2)
