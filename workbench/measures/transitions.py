"""Measures the changes from one frame of a clip to the next, on their common points.

Aligns the second frame with the first by dense optical flow (Kroeger et al. 2016) at half the
clip's size, so that camera motion does not count as a change of light or colour. The flow dominates
the cost: it is computed once per step and used by all measures. Knows only frames. Loads OpenCV.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.measures.clips import Clip

__all__ = ["Transition", "series", "transitions"]

Picture = npt.NDArray[Any]

_ALIKE: Final = 30.0
"""Grey levels: pixels that differ by more, after correction for light, are not the same point."""
_RELATED: Final = 0.85
"""With a larger share of common pixels the two are one shot; corners are not tracked."""
_STILL: Final = 0.05
"""Pixels per frame of the clip's size: smaller flow is encoder noise."""
_FEWEST: Final = 0.15
"""With a smaller share of common pixels, light, colour and detail are not compared."""
_CORNERS: Final = 120
_FEW_CORNERS: Final = 8
_LOST: Final = 0.6
"""With fewer corners found again, a shift of the whole frame is tried."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The step from one frame to the next."""

    difference: float
    """Mean absolute difference of the luminance, 0 to 1, of the unaligned frames."""
    survival: float
    """Share of the corners that are found again, 0 to 1."""
    exposure: float
    """Change of the luminance on common points, as a logarithm to base 2; 0 where unknown."""
    colour: tuple[float, float]
    """Change of a and b (CIELAB) on common points."""
    sharpness: float
    """Change of the gradients' energy on common points, as a logarithm to base 2."""
    common: float
    """Share of the picture that looks the same in both, 0 to 1; unrelated pictures reach 0.45."""
    speed: float
    """Mean length of the flow, pixels of the clip's size."""
    bend: float
    """Mean length of the difference from the previous flow; 0 for the first step."""
    error: float
    """Mean absolute difference of the luminance of the aligned frames, 0 to 255."""


def transitions(clip: Clip) -> tuple[Transition, ...]:
    """Return the steps between neighbouring frames of ``clip``, one fewer than frames."""
    return tuple(_transitions(clip))


def _transitions(clip: Clip) -> Iterator[Transition]:
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    before: Picture | None = None
    for one, two in pairwise(map(_View.of, clip.pictures)):
        flow = search.calc(one.even, two.even, None)
        step, before = _transition(one, two, flow, before)
        yield step


@dataclass(frozen=True, slots=True)
class _View:
    luma: Picture
    scale: float
    """Size of the clip over that of the other pictures."""
    even: Picture
    """The luminance at half the size, normalised to the same mean and spread in every frame."""
    layers: Picture
    """Luminance, a and b of CIELAB and the gradients' energy, at half the size."""

    @classmethod
    def of(cls, picture: Picture) -> _View:
        luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        small = _halved(picture)
        half = _halved(luma).astype(np.float32)
        mean, spread = (float(value[0, 0]) for value in cv2.meanStdDev(luma))
        gain = 45 / max(spread, 4.0)
        even = cv2.convertScaleAbs(
            np.maximum(half, mean - 128 / gain), None, gain, 128 - mean * gain
        )
        across, down = (side.astype(np.float32) for side in cv2.spatialGradient(luma))
        energy = _halved(cv2.blur(across * across + down * down, (5, 5)))
        lab = cv2.cvtColor(small.astype(np.float32) * np.float32(1 / 255), cv2.COLOR_RGB2LAB)
        layers = cv2.merge([half, *cv2.split(lab)[1:], energy])
        return cls(luma, luma.shape[1] / half.shape[1], even, layers)


def _transition(
    one: _View, two: _View, flow: Picture, before: Picture | None
) -> tuple[Transition, Picture]:
    """Return the step and its denoised flow; ``before`` is that of the previous step."""
    height, width = one.even.shape
    columns, rows = _grid(height, width)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    inside = (x >= 1) & (y >= 1) & (x <= width - 2) & (y <= height - 2)
    laid = cv2.remap(two.even, x, y, cv2.INTER_LINEAR)
    common = inside & (cv2.absdiff(laid, one.even) < _ALIKE)
    layers = cv2.remap(two.layers, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    exposure, colour, sharpness = 0.0, (0.0, 0.0), 0.0
    share = float(common.mean())
    if share >= _FEWEST:
        mask = common.astype(np.uint8)
        start, end = cv2.mean(one.layers, mask), cv2.mean(layers, mask)
        exposure, sharpness = (float(np.log2((end[i] + 0.5) / (start[i] + 0.5))) for i in (0, 3))
        colour = float(end[1] - start[1]), float(end[2] - start[2])
    length = _length(flow)
    flow[length * one.scale < _STILL] = 0
    step = Transition(
        difference=_mean(cv2.absdiff(one.luma, two.luma)) / 255,
        survival=1.0 if share >= _RELATED else _survival(one.even, two.even),
        exposure=exposure,
        colour=colour,
        sharpness=sharpness,
        common=share,
        speed=_mean(_length(flow)) * one.scale,
        bend=0.0 if before is None else _mean(_length(flow - before)) * one.scale,
        error=_mean(cv2.absdiff(layers[..., 0], one.layers[..., 0])),
    )
    return step, flow


def _length(flow: Picture) -> Picture:
    return cv2.magnitude(flow[..., 0], flow[..., 1])


def _mean(picture: Picture) -> float:
    return float(cv2.mean(picture)[0])


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> tuple[Picture, Picture]:
    """Return the column and the row of every pixel, ``float32``."""
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    return columns, rows


def _halved(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    size = max(8, width // 2), max(8, height // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _survival(one: Picture, other: Picture) -> float:
    found: Any = cv2.goodFeaturesToTrack(one, _CORNERS, 0.01, 3)
    if found is None:
        return 1.0
    points = found.reshape(-1, 2)
    share = _found_again(one, other, points, points)
    if share < _LOST:
        # A fast pan moves all corners beyond the search range: start from the global shift.
        window = cv2.createHanningWindow((one.shape[1], one.shape[0]), cv2.CV_32F)
        shift, _ = cv2.phaseCorrelate(one.astype(np.float32), other.astype(np.float32), window)
        guess = points + np.array(shift, np.float32)
        share = max(share, _found_again(one, other, points, guess))
    return share


def _found_again(one: Picture, other: Picture, points: Picture, guess: Picture) -> float:
    """Return the share of ``points`` tracked forward, starting at ``guess``, and back again."""
    follow: Any = cv2.calcOpticalFlowPyrLK
    asked = {"winSize": (13, 13), "maxLevel": 3, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
    height, width = one.shape
    stays = ((guess >= 0) & (guess < (width, height))).all(axis=1)
    if stays.sum() < _FEW_CORNERS:
        return 0.0
    points, guess = points[stays], guess[stays]
    moved, there, _ = follow(one, other, points, guess.copy(), **asked)
    start = moved + (points - guess)
    back, here, _ = follow(other, one, moved, start.copy(), **asked)
    inside = ((moved >= 0) & (moved < (width, height))).all(axis=1)
    kept = (there[:, 0] == 1) & (here[:, 0] == 1)
    kept &= np.linalg.norm(back - points, axis=1) < 1
    # A corner that leaves the frame does not indicate a cut.
    return float(kept[inside].mean()) if inside.sum() >= _FEW_CORNERS else 0.0


def series(steps: Sequence[Transition], name: str) -> Picture:
    """Return one field of every step as an array."""
    return np.array([getattr(step, name) for step in steps], dtype=np.float64)
