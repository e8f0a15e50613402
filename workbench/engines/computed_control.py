"""Control computed from the pictures of any video by OpenCV: edges, gray, blur, flow. Deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from workbench.engines.channels import CANNY
from workbench.engines.optical_flow import FLOW_HOW, dis_flow, flow_colours
from workbench.engines.pixels import Image

__all__ = ["computed_controls", "computed_how"]

_BLUR: Final = 48
"""The standard deviation of the blur is the height of the frame over this."""


def computed_controls(
    kind: str, frames: Sequence[Image], *, before: Image | None = None
) -> list[Image]:
    """Return ``frames`` (RGB, H×W×3, ``uint8``) as control of ``kind``, in the same form.

    ``edges`` are Canny's, white on black, with the thresholds of the storyboard's own channel;
    ``gray`` is the luma of BT.601; ``blur`` a Gaussian one; ``flow`` the motion from the frame
    before each, of the first from ``before``, or else that to the second frame. Raises
    ``ValueError`` for another kind.
    """
    if kind == "flow":
        return _flows(frames, before)
    return [_computed(kind, frame) for frame in frames]


def _flows(frames: Sequence[Image], before: Image | None) -> list[Image]:
    whole = list(frames) if before is None else [before, *frames]
    if len(whole) < 2:
        return [np.full_like(frame, 255) for frame in frames]
    shown = [flow_colours(dis_flow(*pair)) for pair in pairwise(whole)]
    return shown if before is not None else [shown[0], *shown]


def _computed(kind: str, frame: Image) -> Image:
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
    """Return how :func:`computed_controls` makes ``kind``, in a few words."""
    return {
        "edges": f"Canny's, thresholds {CANNY[0]} and {CANNY[1]}",
        "gray": "the luma of BT.601",
        "blur": f"Gaussian, 1/{_BLUR} of the height",
        "flow": FLOW_HOW,
    }[kind]
