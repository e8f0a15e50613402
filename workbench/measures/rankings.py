"""Ranks items by pairwise comparisons with the Bradley–Terry model. Knows no videos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Ranked", "bradley_terry", "next_pair"]

_Table = npt.NDArray[np.float64]

_ROUNDS: Final = 100
_EXACT: Final = 1e-10
_PRIOR: Final = 0.5
"""Virtual wins and losses against an average item, which keep strengths finite."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One item with its place."""

    item: str
    strength: float
    """Natural logarithm of the Bradley–Terry strength; an average item has 0. An item beats another
    with probability 1 / (1 + exp(other.strength - strength))."""
    wins: int
    losses: int


def bradley_terry(items: Sequence[str], comparisons: Iterable[tuple[str, str]]) -> list[Ranked]:
    """Return ``items`` best first, from ``comparisons``: pairs of (winner, loser).

    Bradley and Terry, *Rank analysis of incomplete block designs*, 1952, fitted by Newton's method
    on the concave log-likelihood. Each item also has half a win and half a loss against an item of
    strength 0, which keeps the ranking defined for any set of comparisons. Raises ``ValueError``
    for a comparison of other items.
    """
    place = {item: i for i, item in enumerate(items)}
    won = np.zeros((len(place), len(place)))
    for winner, loser in comparisons:
        if winner not in place or loser not in place or winner == loser:
            raise ValueError(f"{winner!r} over {loser!r} does not compare two of the items.")
        won[place[winner], place[loser]] += 1
    met = won + won.T
    strength = np.zeros(len(place))
    for _ in range(_ROUNDS):
        step = _newton_step(strength, won, met)
        strength += step / max(1.0, float(np.abs(step).max(initial=0)))
        if np.abs(step).max(initial=0) < _EXACT:
            break
    ranked = [
        Ranked(item, float(strength[i]), int(won[i].sum()), int(won[:, i].sum()))
        for item, i in place.items()
    ]
    return sorted(ranked, key=lambda r: -r.strength)


def _newton_step(strength: _Table, won: _Table, met: _Table) -> _Table:
    """Return the Newton step towards the strengths whose expected wins equal the observed ones."""
    likely = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
    against_average = 1 / (1 + np.exp(-strength))
    missing = (won - met * likely).sum(axis=1) + _PRIOR * (1 - 2 * against_average)
    weight = met * likely * (1 - likely)
    own = weight.sum(axis=1) + 2 * _PRIOR * against_average * (1 - against_average)
    return np.linalg.solve(np.diag(own) - weight, missing)


def next_pair(
    items: Sequence[str],
    comparisons: Iterable[tuple[str, str]],
    *,
    undecided: Iterable[tuple[str, str]] = (),
) -> tuple[str, str] | None:
    """Return the two items whose comparison is most informative: least compared, then closest.

    ``undecided`` pairs were compared without a winner. None when there are fewer than two items.
    """
    made = list(comparisons)
    strength = {r.item: r.strength for r in bradley_terry(items, made)}
    times: dict[frozenset[str], int] = {}
    for pair in [*made, *undecided]:
        times[frozenset(pair)] = times.get(frozenset(pair), 0) + 1
    return min(
        combinations(dict.fromkeys(items), 2),
        key=lambda pair: (
            times.get(frozenset(pair), 0),
            abs(strength[pair[0]] - strength[pair[1]]),
        ),
        default=None,
    )
