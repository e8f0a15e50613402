"""The label in the corner of every frame: "animatic", and what it does not show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import cv2
import numpy as np

from workbench.engines.animatic.compositing import lay
from workbench.engines.animatic.planes import Picture, Sprite, sprite_of
from workbench.engines.pixels import Image

__all__ = ["Label"]

_TEXT: Final = "animatic"
_ACROSS: Final = 4


class Label:
    """Words in a small dark pill in the lower right corner."""

    def __init__(self, frame_width: int, frame_height: int, not_drawn: Sequence[str] = ()) -> None:
        height = max(10, round(frame_height * 0.040))
        self._sprite = _paint(height, _TEXT)
        for count in range(len(not_drawn), 0, -1):
            more = len(not_drawn) - count
            names = ", ".join(_ascii(name) for name in not_drawn[:count])
            text = f"{_TEXT} - not drawn: {names}{f' and {more} more' if more else ''}"
            self._sprite = _paint(height, text)
            if self._sprite.width < 0.94 * frame_width:
                break

    def draw(self, picture: Picture) -> None:
        """Composite the label over ``picture``."""
        gap = self._sprite.height * 0.6
        x = round(picture.width - self._sprite.width - gap) & ~1
        y = round(picture.height - self._sprite.height - gap) & ~1
        lay(picture, self._sprite, scale=1.0, x=x, y=y)


@cache
def _paint(height: int, text: str) -> Sprite:
    """Paint at four times the size and reduce: letters this small need smooth edges.

    Painting text dominates the time to the first frame, so each size is cached.
    """
    big = height * _ACROSS
    scale = big * 0.0175
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, max(1, big // 28))
    width = wide + big
    mask = np.zeros((big, width), np.uint8)
    r = big // 2
    cv2.circle(mask, (r, r), r - 1, 255, -1)
    cv2.circle(mask, (width - r, r), r - 1, 255, -1)
    cv2.rectangle(mask, (r, 1), (width - r, big - 2), 255, -1)
    letters = np.zeros_like(mask)
    at = (big // 2, (big + tall) // 2)
    cv2.putText(
        letters, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, 255, max(1, big // 28), cv2.LINE_AA
    )
    size = (width // _ACROSS // 2 * 2, height // 2 * 2)
    return sprite_of(
        _composed(
            cv2.resize(mask, size, interpolation=cv2.INTER_AREA),
            cv2.resize(letters, size, interpolation=cv2.INTER_AREA),
        )
    )


def _ascii(text: str) -> str:
    """Return ``text`` in the characters that OpenCV can draw."""
    return text.encode("ascii", "ignore").decode().strip()[:40] or "?"


def _composed(pill: Image, letters: Image) -> Image:
    opacity = np.maximum(pill * 0.42, letters * 0.92)
    white = letters * 0.92
    return cv2.merge([white, white, white, opacity]).astype(np.uint8)
