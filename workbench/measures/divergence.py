"""Measures how far two videos with a common start diverge: two action branches, against chance.

Each frame is matched with the same frame of the other video (SIFT); the distance is the median
over the common points, in picture widths. Pixels are not compared: light and noise do not count.
Loads OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from workbench.errors import InvalidRequest
from workbench.measures.camera import common_points
from workbench.measures.clips import Clip

__all__ = ["PARTED", "Divergence", "distances", "divergence"]

PARTED: Final = 1.0
"""The distance of two frames that share nothing, picture widths."""

_LOOKS: Final = 9
_FEWEST: Final = 24
_SEEN: Final = 0.02
"""Maximum invisible distance, picture widths."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """How far two branches diverge."""

    distance: float
    """At the end, picture widths, 0 to 1; 1 if they share nothing."""
    by_chance: float | None
    """Mean distance between videos of one branch with other seeds; None without such videos."""
    since_s: float | None
    """Time from which they are farther apart than by chance; None if they never are."""

    @property
    def is_steered(self) -> bool:
        """Whether the actions separate the branches more than seeds do."""
        return self.distance > max(_SEEN, self.by_chance or 0.0)


def divergence(one: Clip, other: Clip, seeds: Sequence[Clip] = ()) -> Divergence:
    """Return how far ``one`` and ``other`` diverge: a common start, different actions.

    ``seeds`` are videos with the actions of ``one`` and other seeds; their distances are chance.
    Raises ``InvalidRequest`` unless the sizes agree.
    """
    apart = distances(one, other)
    chance = [distances(a, b) for a, b in combinations([one, *seeds], 2)]
    usual = np.mean(chance, axis=0) if chance else None
    floor = np.maximum(_SEEN, usual) if usual is not None else np.full(len(apart), _SEEN)
    over = apart > floor
    since: float | None = None
    if over[-1]:
        first = len(over) - int(np.argmin(over[::-1])) if not over.all() else 0
        frames = min(len(one.pictures), len(other.pictures)) - 1
        since = frames * first / (len(over) - 1) / one.fps
    return Divergence(float(apart[-1]), None if usual is None else float(usual[-1]), since)


def distances(one: Clip, other: Clip) -> npt.NDArray[np.float64]:
    """Return the distance of two videos at nine times, from the first to the last common frame."""
    if one.pictures.shape[1:] != other.pictures.shape[1:]:
        raise InvalidRequest("Videos of different sizes cannot be compared.")
    last = min(len(one.pictures), len(other.pictures)) - 1
    looks = np.linspace(0, last, _LOOKS).round().astype(int)
    return np.array([_distance(one.pictures[at], other.pictures[at]) for at in looks.tolist()])


def _distance(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    here, there = common_points(one, other)
    if len(here) < _FEWEST:
        return PARTED
    shift = float(np.median(np.linalg.norm(there - here, axis=1)))
    return min(PARTED, shift / float(one.shape[1]))
