"""Finds breaks in a clip: cuts, repeated frames, standstills, loops, seams between its parts.

Works on the transitions of :mod:`workbench.measures.transitions`; each finding names its frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.measures.clips import Clip
from workbench.measures.transitions import Transition, series

__all__ = [
    "LOOP_S",
    "STANDSTILL_S",
    "Seam",
    "Standstill",
    "cuts",
    "loop_period",
    "repeated_frames",
    "seam",
    "standstills",
    "visible_seams",
]

_SAME: Final = 0.0025
"""Mean difference of the luminance, 0 to 1, that encoding adds to a repeated frame."""
_SHARE: Final = 0.12
"""A repeated frame differs by less than this share of its neighbours' difference."""
STANDSTILL_S: Final = 0.4
"""The shortest standstill, seconds."""
_NEIGHBOURS: Final = 4
_CUT_SURVIVAL: Final = 0.45
_CUT_SHARE: Final = 0.6
_LOOP_SHARE: Final = 0.3
LOOP_S: Final = 0.5
"""The shortest repetition, seconds."""
_THUMBNAIL: Final = (32, 18)
_LEAST_LIGHT, _LEAST_COLOUR, _LEAST_DETAIL = 0.03, 0.7, 0.12
"""The least visible jumps: logarithm to base 2, CIELAB units, logarithm to base 2."""
_EDGE: Final = 4
"""Minimum frames between a seam and the ends of a clip."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """A stretch in which nothing changes."""

    start: int
    """First frame."""
    stop: int
    """Last frame that equals it."""


@dataclass(frozen=True, slots=True)
class Seam:
    """The jump at the border of two parts, beyond the changes around it."""

    exposure: float
    """Change of the luminance, as a logarithm to base 2."""
    colour: float
    """Change of colour, CIELAB units."""
    sharpness: float
    """Change of the gradients' energy, as a logarithm to base 2."""
    visible: bool
    """Whether any of them stands out from the changes around it."""


def repeated_frames(steps: Sequence[Transition]) -> tuple[int, ...]:
    """Return the frames that repeat the one before them while the clip moves."""
    difference = series(steps, "difference")
    found = []
    for index, value in enumerate(difference):
        around = _around(difference, index, _NEIGHBOURS)
        moving = float(np.median(around)) if len(around) else 0.0
        if value < _SHARE * moving and moving > 2 * _SAME:
            found.append(index + 1)
    return tuple(found)


def standstills(
    steps: Sequence[Transition], fps: float, *, shortest_s: float = STANDSTILL_S
) -> tuple[Standstill, ...]:
    """Return the stretches of ``shortest_s`` or longer in which nothing changes."""
    still = series(steps, "difference") < _SAME
    found = []
    start = None
    for index, value in enumerate([*still, False]):
        if value and start is None:
            start = index
        elif not value and start is not None:
            if index - start >= max(2, shortest_s * fps):
                found.append(Standstill(start, index))
            start = None
    return tuple(found)


def cuts(steps: Sequence[Transition]) -> tuple[int, ...]:
    """Return the frames that begin another shot or place.

    A whip pan, a flash or a fade is not a cut: corners survive them.
    """
    survival = series(steps, "survival")
    found = []
    for index, value in enumerate(survival):
        around = _around(survival, index, _NEIGHBOURS)
        usual = float(np.median(around)) if len(around) else 1.0
        if value < min(_CUT_SURVIVAL, _CUT_SHARE * usual):
            found.append(index + 1)
    return tuple(found)


def loop_period(clip: Clip, *, shortest_s: float = LOOP_S) -> int | None:
    """Return the number of frames after which the clip repeats itself; None if it does not.

    The repetition must last ``shortest_s``, and the clip must change meanwhile.
    """
    least = max(3, round(shortest_s * clip.fps))
    thumbnails = np.stack(
        [cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA) for picture in clip.pictures]
    ).astype(np.float32)
    count = len(thumbnails)
    if count < 2 * least:
        return None
    gaps: npt.NDArray[Any] = np.array(
        [
            np.abs(thumbnails[lag:] - thumbnails[: count - lag]).mean(axis=(1, 2, 3)).mean()
            for lag in range(1, count - least + 1)
        ]
    )
    gaps /= 255
    if len(gaps) <= least:
        return None
    typical = float(np.median(gaps))
    low = float(gaps[least - 1 :].min())
    # Multiples of the period also fit: use the first valley nearly as deep as the deepest.
    best = least + int(np.argmax(gaps[least - 1 :] <= max(1.5 * low, low + _SAME)))
    while best < len(gaps) and gaps[best] < gaps[best - 1]:
        best += 1
    # A repetition shows as a sharp valley of the gap; slow motion only as a slope.
    reach = max(2, least // 2)
    sides = [gaps[i] for i in (best - 1 - reach, best - 1 + reach) if 0 <= i < len(gaps)]
    if gaps[best - 1] < _LOOP_SHARE * min(map(float, (typical, *sides))) and typical > 4 * _SAME:
        return best
    return None


def seam(steps: Sequence[Transition], frame: int) -> Seam:
    """Return the jump between ``frame`` - 1 and ``frame``, where another part begins.

    Raises ``IndexError`` if no step leads to ``frame``.
    """
    index = frame - 1
    if not 0 <= index < len(steps):
        raise IndexError(f"no step leads to frame {frame}")
    exposure, exposed = _jump(series(steps, "exposure")[:, None], index, _LEAST_LIGHT)
    colour, coloured = _jump(series(steps, "colour"), index, _LEAST_COLOUR)
    sharpness, sharpened = _jump(series(steps, "sharpness")[:, None], index, _LEAST_DETAIL)
    return Seam(
        exposure=float(exposure[0]),
        colour=float(np.hypot(*colour)),
        sharpness=float(sharpness[0]),
        visible=exposed or coloured or sharpened,
    )


def visible_seams(steps: Sequence[Transition]) -> tuple[int, ...]:
    """Return the frames at which light, colour or detail jumps and stays so; cuts are left out.

    Searches the whole clip. A flash is no seam: its jump is undone within two
    frames.
    """
    cut = set(cuts(steps))
    return tuple(
        frame
        for frame in range(_EDGE, len(steps) - _EDGE + 2)
        if frame not in cut and seam(steps, frame).visible and not _passes(steps, frame)
    )


def _passes(steps: Sequence[Transition], frame: int) -> bool:
    """Return whether the jump at ``frame`` is undone, or undoes one, within two frames."""
    here = _vector(steps[frame - 1])
    around = [*steps[max(0, frame - 3) : frame - 1], *steps[frame : frame + 2]]
    return any(np.linalg.norm(here + _vector(step)) < 0.5 * np.linalg.norm(here) for step in around)


def _vector(step: Transition) -> npt.NDArray[Any]:
    """Return a step's changes in units of the least visible one."""
    a, b = step.colour
    changes = np.array([step.exposure, a, b, step.sharpness])
    return changes / (_LEAST_LIGHT, _LEAST_COLOUR, _LEAST_COLOUR, _LEAST_DETAIL)


def _jump(values: npt.NDArray[Any], index: int, floor: float) -> tuple[npt.NDArray[Any], bool]:
    """Return how far a step deviates from its neighbours, and whether that is an outlier."""
    around = _around(values, index, 2 * _NEIGHBOURS)
    usual = np.median(around, axis=0) if len(around) else np.zeros(values.shape[1])
    spread = np.abs(around - usual).sum(axis=1).max() if len(around) else 0.0
    departure = values[index] - usual
    return departure, bool(np.linalg.norm(departure) > max(floor, 1.5 * spread))


def _around(values: npt.NDArray[Any], index: int, reach: int) -> npt.NDArray[Any]:
    before, after = values[max(0, index - reach) : index], values[index + 1 : index + 1 + reach]
    return np.concatenate([before, after])
