"""Whether a preview of a render shows anything. Loads OpenCV."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

__all__ = ["is_blank"]

_FLAT: Final = 2.0
"""Maximum standard deviation of every channel in a flat picture, grey levels.

Storyboards of night in fog or dust, the flattest of the vocabulary, have over 30."""


def is_blank(picture: bytes) -> bool | None:
    """Return whether a JPEG or WebP shows one flat colour; None if it does not decode."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR) if picture else None
    if pixels is None:
        return None
    return bool(pixels.reshape(-1, 3).std(axis=0).max() < _FLAT)
