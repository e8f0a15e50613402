"""Measures of a clip: motion, flicker, light, colour.

Knows only frames. Measures use a copy 416 pixels wide, so that videos of different sizes are
comparable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.errors import InvalidRequest
from workbench.measures.scores import Scores

__all__ = [
    "FINGERPRINT_SHAPE",
    "NEAR_DUPLICATE",
    "Clip",
    "Measurement",
    "difference",
    "measure",
]

Picture = npt.NDArray[Any]

_WIDTH: Final = 416
_BLOCKS: Final = 8
_STILL: Final = 0.05
"""Pixels per frame: smaller flow is encoder noise."""
_DARK, _BRIGHT = 5, 250
_PRINT_FRAMES: Final = 8
_PRINT_SIZE: Final = (16, 9)

_CURVE_POINTS: Final = 48

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
            raise InvalidRequest("A clip without a frame cannot be measured.")
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


@dataclass(frozen=True, slots=True)
class Measurement:
    """The measures of a clip, and how some of them run over its time."""

    scores: Scores
    curves: Mapping[str, tuple[float, ...]]
    """By score: at most 48 values from the first frame to the last, in the score's unit, each the
    mean of its stretch; without the scores that only a whole clip has, and empty for one frame."""


def difference(one: Picture, other: Picture) -> float:
    """Return the mean absolute difference of two fingerprints, 0 (equal) to 1.

    Below :data:`NEAR_DUPLICATE` the videos look the same to a viewer.
    """
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean() / 255)


def measure(clip: Clip) -> Measurement:
    """Return every measure of ``clip``; takes about half a second for 81 frames on one core.

    A clip of one frame has no motion, flicker or inconsistency.
    """
    luma = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in clip.pictures]
    speeds, smoothness, errors = _flow_measures(luma)
    values: dict[str, Sequence[float]] = {
        "motion": [speed * clip.fps / luma[0].shape[1] for speed in speeds],
        "flicker": _flicker(luma),
        "sharpness": [float(cv2.Laplacian(y, cv2.CV_32F).var()) for y in luma],
        "exposure": [float(y.mean()) / 255 for y in luma],
        "clipping": [float(((y <= _DARK) | (y >= _BRIGHT)).mean()) for y in luma],
        "colourfulness": [_colourfulness(picture) for picture in clip.pictures[::4]],
        "consistency": [1 - error / 255 for error in errors],
    }
    alone = {"motion": 0.0, "flicker": 0.0, "consistency": 1.0}
    means: dict[str, Any] = {
        name: _mean(each, alone.get(name, 0.0)) for name, each in values.items()
    }
    curves = {name: _curve(each) for name, each in values.items() if len(luma) > 1 and len(each)}
    return Measurement(Scores(smoothness=smoothness, **means), curves)


def _mean(values: Sequence[float], without: float) -> float:
    return float(np.mean(values)) if len(values) else without


def _curve(values: Sequence[float]) -> tuple[float, ...]:
    parts = np.array_split(np.asarray(values), min(_CURVE_POINTS, len(values)))
    return tuple(float(f"{part.mean():.4g}") for part in parts)


def _reduced(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    if width <= _WIDTH:
        return frame
    size = (_WIDTH, max(16, round(height * _WIDTH / width)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def _flow_measures(luma: list[Picture]) -> tuple[list[float], float, list[float]]:
    """Return each pair's speed in pixels per frame, the smoothness, and each pair's error."""
    speeds: list[float] = []
    errors: list[float] = []
    bends: list[float] = []
    lengths: list[float] = []
    before: Picture | None = None
    for flow, error in _flows(luma):
        speeds.append(float(_length(flow).mean()))
        errors.append(error)
        if before is not None:
            bends.append(float(_length(flow - before).mean()))
            lengths.append(float((_length(flow) + _length(before)).mean()))
        before = flow
    total = sum(lengths)
    moves = total > _STILL * len(lengths)
    return speeds, 1 - sum(bends) / total if moves else 1.0, errors


def _flows(luma: list[Picture]) -> Iterator[tuple[Picture, float]]:
    """Yield the denoised flow of each pair of neighbouring frames, and its warping error."""
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    height, width = luma[0].shape
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    for first, second in pairwise(luma):
        flow = search.calc(first, second, None)
        warped = cv2.remap(
            second,
            columns + flow[..., 0],
            rows + flow[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        error = float(cv2.absdiff(first, warped).mean())
        flow[_length(flow) < _STILL] = 0
        yield flow, error


def _length(flow: Picture) -> Picture:
    return cv2.magnitude(flow[..., 0], flow[..., 1])


def _flicker(luma: list[Picture]) -> Sequence[float]:
    """Return the flicker of every frame but the first and the last."""
    if len(luma) < 3:
        return ()
    size = (_BLOCKS, _BLOCKS)
    light = np.stack(
        [cv2.resize(y.astype(np.float32), size, interpolation=cv2.INTER_AREA) for y in luma]
    )
    jumps = np.abs(light[1:-1] - (light[:-2] + light[2:]) / 2).mean(axis=(1, 2)) / 255
    return [float(one) for one in jumps]


def _colourfulness(picture: Picture) -> float:
    red, green, blue = (picture[..., i].astype(np.float32) for i in range(3))
    first, second = red - green, (red + green) / 2 - blue
    spread = np.hypot(first.std(), second.std())
    return float(spread + 0.3 * np.hypot(first.mean(), second.mean()))
