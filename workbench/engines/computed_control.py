"""Control computed from the pictures of any video by OpenCV: edges, gray, blur. Deterministic."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from workbench.engines.channels import CANNY
from workbench.engines.pixels import Image

__all__ = ["computed_control", "computed_how"]

_BLUR: Final = 48
"""The standard deviation of the blur is the height of the frame over this."""


def computed_control(kind: str, frame: Image) -> Image:
    """Return a frame (RGB, H×W×3, ``uint8``) as control of ``kind``, in the same form.

    ``edges`` are Canny's, white on black, with the thresholds of the storyboard's own channel;
    ``gray`` is the luma of BT.601; ``blur`` a Gaussian one. Raises ``ValueError`` for another kind.
    """
    match kind:
        case "edges":
            plane = cv2.Canny(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), *CANNY)
        case "gray":
            plane = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        case "blur":
            return cv2.GaussianBlur(frame, (0, 0), frame.shape[0] / _BLUR)
        case _:
            raise ValueError(f"{kind} is not computed from a video")
    return np.repeat(plane[..., None], 3, axis=2)


def computed_how(kind: str) -> str:
    """Return how :func:`computed_control` makes ``kind``, in a few words."""
    return {
        "edges": f"Canny's, thresholds {CANNY[0]} and {CANNY[1]}",
        "gray": "the luma of BT.601",
        "blur": f"Gaussian, 1/{_BLUR} of the height",
    }[kind]
