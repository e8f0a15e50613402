"""Critics: combines scores into one ranking, and measures how well each predicts preferences.

Pure arithmetic: knows names and numbers, neither videos nor people.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Agreement", "agreements", "halvings", "standings", "weights_from"]

_Z: Final = 1.96
"""Standard score of 95 % intervals."""
_UNKNOWN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a critic preferred what people preferred."""

    critic: str
    foretold: float
    """Share of the decided comparisons, 0 to 1; 0.5 is chance, and is returned for none."""
    low: float
    """Lower end of the 95 % interval (Wilson 1927)."""
    high: float
    of: int
    """Number of comparisons that the critic decides."""


def standings(
    values: Mapping[str, Mapping[str, float | None]],
    *,
    lower: Collection[str] = (),
    weights: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return the standing of each item, 0 (worst) to 1 (best), from ``values[item][critic]``.

    Each critic ranks the items that it has a value for; an item's standing is the weighted mean of
    its rank shares, with ties averaged. Unknown values count as the middle rank. Critics in
    ``lower`` prefer low values. Weights default to 1; if all are 0, each counts 1.
    """
    critics = list(dict.fromkeys(name for row in values.values() for name in row))
    weight = {name: max(0.0, (weights or {}).get(name, 1.0)) for name in critics}
    if not any(weight.values()):
        weight = dict.fromkeys(critics, 1.0)
    total = sum(weight.values())
    shares = {name: _shares(values, name, is_lower=name in lower) for name in critics}
    return {
        item: sum(weight[name] * shares[name].get(item, _UNKNOWN) for name in critics) / total
        if total
        else _UNKNOWN
        for item in values
    }


def agreements(
    values: Mapping[str, Mapping[str, float | None]],
    comparisons: Iterable[tuple[str, str]],
    *,
    lower: Collection[str] = (),
) -> tuple[Agreement, ...]:
    """Return how well each critic predicts ``comparisons``: pairs of (winner, loser).

    A tie counts half; a pair without values of a critic does not count.
    """
    critics = dict.fromkeys(name for row in values.values() for name in row)
    pairs = list(comparisons)
    return tuple(_agreement(name, values, pairs, -1 if name in lower else 1) for name in critics)


def weights_from(found: Iterable[Agreement]) -> dict[str, float]:
    """Return a weight for each critic, 0 to 1: its accuracy above chance, shrunk if votes are few.

    2p - 1 of p = (hits + 2) / (votes + 4): Agresti and Coull's estimate. A critic without votes has
    the weight 0, so weights have no effect before the first vote: see :func:`standings`.
    """
    return {
        one.critic: max(0.0, 2 * (one.foretold * one.of + 2) / (one.of + 4) - 1) for one in found
    }


def halvings(count: int, keep: int) -> tuple[int, ...]:
    """Return the number left after each round: 16, 8, 4, 2 for ``count`` 16 and ``keep`` 2.

    Successive halving (Karnin, Koren and Somekh 2013; Jamieson and Talwalkar 2016).
    """
    sizes = [count]
    while sizes[-1] > keep:
        sizes.append(max(keep, math.ceil(sizes[-1] / 2)))
    return tuple(sizes)


def _shares(
    values: Mapping[str, Mapping[str, float | None]], critic: str, *, is_lower: bool
) -> dict[str, float]:
    sign = -1 if is_lower else 1
    known = {item: sign * v for item, row in values.items() if (v := row.get(critic)) is not None}
    if len(known) < 2:
        return {}
    ordered = sorted(known.values())
    first = {value: place for place, value in reversed(list(enumerate(ordered)))}
    last = {value: place for place, value in enumerate(ordered)}
    most = len(ordered) - 1
    return {item: (first[value] + last[value]) / 2 / most for item, value in known.items()}


def _agreement(
    critic: str,
    values: Mapping[str, Mapping[str, float | None]],
    comparisons: Sequence[tuple[str, str]],
    sign: int,
) -> Agreement:
    hits, of = 0.0, 0
    for winner, loser in comparisons:
        better, worse = (values.get(item, {}).get(critic) for item in (winner, loser))
        if better is not None and worse is not None:
            of += 1
            hits += 0.5 if better == worse else float(sign * (better - worse) > 0)
    if not of:
        return Agreement(critic, 0.5, 0.0, 1.0, 0)
    share = hits / of
    middle = (share + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    reach = _Z * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2)) / (1 + _Z**2 / of)
    return Agreement(critic, share, max(0.0, middle - reach), min(1.0, middle + reach), of)
