"""Optical flow: computed between two frames by OpenCV, and shown in colour."""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np

from workbench.engines.pixels import Image

__all__ = ["FLOW_HOW", "dis_flow", "flow_colours"]

FLOW_HOW: Final = "dense inverse search, medium preset, in the colours of the Middlebury wheel"

_WHEEL: Final = (15, 6, 4, 11, 13, 6)
"""Steps from red to yellow, green, cyan, blue, magenta and back (Baker et al. 2007)."""


def dis_flow(before: Image, after: Image) -> Image:
    """Return the motion from ``before`` to ``after`` (RGB, H×W×3, ``uint8``) in pixels, H×W×2.

    Dense inverse search (Kroeger et al. 2016); x is right, y is down.
    """
    grays = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (before, after)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(search.calc(*grays, None), np.float32)  # type: ignore[call-overload]


def flow_colours(flow: Image) -> Image:
    """Return motion (H×W×2) in the colours of the Middlebury wheel: RGB, H×W×3, ``uint8``.

    The hue is the direction; the longest motion of the frame has full saturation and none is white,
    as RAFT's ``flow_to_image`` shows it, on which video models were trained.
    """
    wheel = _wheel()
    length = np.hypot(flow[..., 0], flow[..., 1])
    length = length / (length.max() + np.finfo(float).eps)
    turn = np.arctan2(-flow[..., 1], -flow[..., 0]) / np.pi
    place = (turn + 1) / 2 * (len(wheel) - 1)
    first = np.floor(place).astype(int)
    share = (place - first)[..., None]
    hue = wheel[first] * (1 - share) + wheel[(first + 1) % len(wheel)] * share
    shown: Image = np.floor(255 * (1 - length[..., None] * (1 - hue))).astype(np.uint8)
    return shown


@cache
def _wheel() -> Image:
    """Return the colours of the wheel, N×3 from 0 to 1."""
    wheel = np.zeros((sum(_WHEEL), 3))
    start = 0
    for number, steps in enumerate(_WHEEL):
        full, changed = ((number + 1) // 2 % 3, (1, 0, 2)[number % 3])
        ramp = np.floor(255 * np.arange(steps) / steps) / 255
        span = slice(start, start + steps)
        wheel[span, full] = 1
        wheel[span, changed] = ramp if number % 2 == 0 else 1 - ramp
        start += steps
    return wheel
