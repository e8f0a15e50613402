"""A video reduced for measuring, and its fingerprint.

Knows only frames. Measures use a copy 416 pixels wide, so that videos of different sizes are
comparable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.errors import InvalidRequest

__all__ = [
    "FINGERPRINT_SHAPE",
    "NEAR_DUPLICATE",
    "Clip",
    "difference",
]

Picture = npt.NDArray[Any]

_WIDTH: Final = 416
_PRINT_FRAMES: Final = 8
_PRINT_SIZE: Final = (16, 9)

FINGERPRINT_SHAPE: Final = (_PRINT_FRAMES, _PRINT_SIZE[1], _PRINT_SIZE[0], 3)
"""Frames, rows, columns and colours of a fingerprint."""

NEAR_DUPLICATE: Final = 0.02
"""Videos whose fingerprints differ by less are near-duplicates: see :func:`difference`."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A video reduced for measuring."""

    pictures: Picture
    """RGB, shape (frames, height, width, 3), ``uint8``."""
    fps: float

    @classmethod
    def of(cls, frames: Iterable[Picture], fps: float) -> Clip:
        """Reduce ``frames`` (RGB, ``uint8``) to 416 pixels of width; raises ``InvalidRequest``.

        A clip needs at least one frame.
        """
        reduced = [_reduced(frame) for frame in frames]
        if not reduced:
            raise InvalidRequest("A clip without frames cannot be measured.")
        return cls(np.stack(reduced), fps)

    @property
    def fingerprint(self) -> Picture:
        """Eight thumbnails of 16 × 9 pixels, evenly spaced in time, to find near-duplicates."""
        chosen = np.linspace(0, len(self.pictures) - 1, _PRINT_FRAMES).round().astype(int)
        return np.stack(
            [
                cv2.resize(self.pictures[i], _PRINT_SIZE, interpolation=cv2.INTER_AREA)
                for i in chosen
            ]
        )


def difference(one: Picture, other: Picture) -> float:
    """Return the mean absolute difference of two fingerprints, 0 (equal) to 1.

    Below :data:`NEAR_DUPLICATE` the videos look the same to a viewer.
    """
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean() / 255)


def _reduced(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    if width <= _WIDTH:
        return frame
    size = (_WIDTH, max(16, round(height * _WIDTH / width)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
