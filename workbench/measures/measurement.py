"""The measures of every clip: motion, flicker, light and colour, and their curves over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.measures.clips import Clip
from workbench.measures.scores import Scores
from workbench.measures.transitions import Transition, transitions

__all__ = ["Measurement", "colourfulness", "measure"]

Picture = npt.NDArray[Any]

_BLOCKS: Final = 8
_DARK, _BRIGHT = 5, 250
_CURVE_POINTS: Final = 48
_MOVES: Final = 0.05
"""Minimum speed of a moving clip, pixels per frame, mean of two steps."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The measures of a clip, and curves of some of them over time."""

    scores: Scores
    curves: Mapping[str, tuple[float, ...]]
    """By score: at most 48 values from the first frame to the last, in the score's unit, each the
    mean of its stretch. Scores of a whole clip have no curve; empty for one frame."""


def measure(clip: Clip, steps: Sequence[Transition] | None = None) -> Measurement:
    """Return every measure of ``clip``; ``steps`` are computed unless given.

    A clip of one frame has no motion, flicker or inconsistency.
    """
    steps = transitions(clip) if steps is None else steps
    luma = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in clip.pictures]
    values: dict[str, Sequence[float]] = {
        "motion": [step.speed * clip.fps / luma[0].shape[1] for step in steps],
        "flicker": _flicker(luma),
        "sharpness": [_variance(cv2.Laplacian(y, cv2.CV_16S)) for y in luma],
        "exposure": [cv2.mean(y)[0] / 255 for y in luma],
        "clipping": [_clipped(y) for y in luma],
        "colourfulness": [colourfulness(picture) for picture in clip.pictures[::4]],
        "consistency": [1 - step.error / 255 for step in steps],
    }
    alone = {"motion": 0.0, "flicker": 0.0, "consistency": 1.0}
    means: dict[str, Any] = {
        name: _mean(each, alone.get(name, 0.0)) for name, each in values.items()
    }
    curves = {name: _curve(each) for name, each in values.items() if len(luma) > 1 and len(each)}
    return Measurement(Scores(smoothness=_smoothness(steps), **means), curves)


def _smoothness(steps: Sequence[Transition]) -> float:
    """Return 1 minus the share of the flow that changes from step to step; 1 if nothing moves."""
    lengths = [one.speed + two.speed for one, two in pairwise(steps)]
    if sum(lengths) <= _MOVES * len(lengths):
        return 1.0
    return 1 - sum(step.bend for step in steps[1:]) / sum(lengths)


def _variance(picture: Picture) -> float:
    return float(cv2.meanStdDev(picture)[1][0, 0] ** 2)


def _clipped(luma: Picture) -> float:
    dark, bright = cv2.inRange(luma, 0, _DARK), cv2.inRange(luma, _BRIGHT, 255)
    return (cv2.countNonZero(dark) + cv2.countNonZero(bright)) / luma.size


def _mean(values: Sequence[float], without: float) -> float:
    return float(np.mean(values)) if len(values) else without


def _curve(values: Sequence[float]) -> tuple[float, ...]:
    parts = np.array_split(np.asarray(values), min(_CURVE_POINTS, len(values)))
    return tuple(float(f"{part.mean():.4g}") for part in parts)


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


def colourfulness(picture: Picture) -> float:
    """Return how colourful a picture is (Hasler and Süsstrunk 2003): 0 for grey."""
    red, green, blue = (picture[..., i].astype(np.float32) for i in range(3))
    first, second = red - green, (red + green) / 2 - blue
    spread = np.hypot(first.std(), second.std())
    return float(spread + 0.3 * np.hypot(first.mean(), second.mean()))
