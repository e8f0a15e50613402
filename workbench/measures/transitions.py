"""What changes from one frame of a clip to the next, on what both of them show.

The second frame is laid over the first by dense optical flow (Kroeger et al. 2016), so that a
moving camera does not count as a change of light or colour. Knows frames alone. Loads OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.measures.clips import Clip

__all__ = ["Transition", "series", "transitions"]

Picture = npt.NDArray[Any]

_ALIKE: Final = 30.0
"""Grey levels: pixels that differ by more, the change of light set aside, are not the same point."""
_FEWEST: Final = 0.15
"""With a smaller share of common pixels, nothing is said of light, colour or detail."""
_CORNERS: Final = 200


@dataclass(frozen=True, slots=True)
class Transition:
    """The step from one frame to the next."""

    difference: float
    """Mean absolute difference of the luminance, 0 to 1, as the frames stand."""
    motion: float
    """Mean length of the flow, picture widths."""
    survival: float
    """Share of the corners that are found again, 0 to 1."""
    likeness: float
    """Correlation of the two colour histograms, at most 1."""
    exposure: float
    """Change of the luminance on common points, as a logarithm to base 2; 0 where unknown."""
    colour: tuple[float, float]
    """Change of a and b (CIELAB) on common points."""
    sharpness: float
    """Change of the gradients' energy on common points, as a logarithm to base 2."""


def transitions(clip: Clip) -> tuple[Transition, ...]:
    """Return the step between each two neighbours of ``clip``: one fewer than there are frames."""
    flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    views = [_View.of(picture) for picture in clip.pictures]
    return tuple(_transition(flow, one, two) for one, two in pairwise(views))


@dataclass(frozen=True, slots=True)
class _View:
    luma: Picture
    even: Picture
    """The luminance with its mean and spread made the same for every frame."""
    lab: Picture
    energy: Picture
    histogram: Picture

    @classmethod
    def of(cls, picture: Picture) -> _View:
        luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        mean, spread = float(luma.mean()), max(float(luma.std()), 4.0)
        even = np.clip((luma.astype(np.float32) - mean) * (45 / spread) + 128, 0, 255)
        lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        light = luma.astype(np.float32)
        across, down = (cv2.Sobel(light, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
        energy = cv2.blur(across * across + down * down, (5, 5))
        histogram = cv2.calcHist([picture], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3)
        return cls(luma, even.astype(np.uint8), lab, energy, np.sqrt(histogram.ravel()))


def _transition(search: Any, one: _View, two: _View) -> Transition:
    flow = search.calc(one.even, two.even, None)
    height, width = one.luma.shape
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    x, y = columns + flow[..., 0], rows + flow[..., 1]

    def laid(picture: Picture) -> Picture:
        return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR))

    inside = (x >= 1) & (y >= 1) & (x <= width - 2) & (y <= height - 2)
    gap = np.abs(laid(two.even).astype(np.float32) - one.even)
    common = inside & (gap < _ALIKE)
    exposure, colour, sharpness = 0.0, (0.0, 0.0), 0.0
    if common.mean() >= _FEWEST:
        exposure = _ratio(laid(two.luma), one.luma, common)
        shift = (laid(two.lab) - one.lab)[common].mean(axis=0)
        colour = float(shift[1]), float(shift[2])
        sharpness = _ratio(laid(two.energy), one.energy, common)
    return Transition(
        difference=float(cv2.absdiff(one.luma, two.luma).mean()) / 255,
        motion=float(cv2.magnitude(flow[..., 0], flow[..., 1]).mean()) / width,
        survival=_survival(one.even, two.even),
        likeness=float(np.corrcoef(one.histogram, two.histogram)[0, 1]),
        exposure=exposure,
        colour=colour,
        sharpness=sharpness,
    )


def _ratio(after: Picture, before: Picture, common: Picture) -> float:
    return float(np.log2((after[common].mean() + 0.5) / (before[common].mean() + 0.5)))


def _survival(one: Picture, other: Picture) -> float:
    found: Any = cv2.goodFeaturesToTrack(one, _CORNERS, 0.01, 6)
    if found is None:
        return 1.0
    follow: Any = cv2.calcOpticalFlowPyrLK
    points = found.reshape(-1, 2)
    moved, there, _ = follow(one, other, points, None, winSize=(17, 17), maxLevel=4)
    back, here, _ = follow(other, one, moved, None, winSize=(17, 17), maxLevel=4)
    height, width = one.shape
    inside = ((moved >= 0) & (moved < (width, height))).all(axis=1)
    kept = (there[:, 0] == 1) & (here[:, 0] == 1)
    kept &= np.linalg.norm(back - points, axis=1) < 1
    # A corner that leaves the frame is no sign of a cut.
    return float(kept[inside].mean()) if inside.sum() >= 8 else float(kept.mean())


def series(steps: Sequence[Transition], name: str) -> Picture:
    """Return one number of every step as an array."""
    return np.array([getattr(step, name) for step in steps], dtype=np.float64)
