"""Experimental designs: the combinations of values to try. Knows neither scenes nor renders."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal, get_args

from workbench.errors import FieldProblem, InvalidRequest

__all__ = ["Design", "Span", "combinations"]

Design = Literal["factorial", "one_at_a_time", "latin"]
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Span:
    """A range from ``low`` to ``high``, for a Latin hypercube; integers if both are."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Return the value at ``share`` (0 to 1) of the range."""
        value = self.low + share * (self.high - self.low)
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        return round(value) if whole else value


def combinations(
    axes: Mapping[str, Sequence[Any] | Span],
    design: Design = "factorial",
    *,
    samples: int | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return the combinations of values to try, each with one value per axis.

    ``factorial``: all of them, the last axis changing fastest. ``one_at_a_time``: the first value
    of every axis, then each other value by itself. ``latin``: ``samples`` combinations in which
    each axis is divided into ``samples`` equal parts and each part is used once (McKay, Beckman and
    Conover, *A comparison of three methods for selecting values of input variables*, 1979); values
    of a list are used equally often, except for the remainder. Raises ``InvalidRequest``.
    """
    problems = list(_problems(axes, design, samples))
    if problems:
        told = "; ".join(f"{p.field}: {p.problem}" for p in problems)
        raise InvalidRequest(f"{told}.", tuple(problems))
    if design == "latin":
        return _latin(axes, samples or 0, random.Random(seed))
    levels = {name: list(values) for name, values in axes.items() if not isinstance(values, Span)}
    if design == "factorial":
        return [dict(zip(levels, chosen, strict=True)) for chosen in product(*levels.values())]
    base = {name: values[0] for name, values in levels.items()}
    return [base, *({**base, name: v} for name, values in levels.items() for v in values[1:])]


def _latin(
    axes: Mapping[str, Sequence[Any] | Span], samples: int, rng: random.Random
) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {}
    for name, values in axes.items():
        parts = list(range(samples))
        rng.shuffle(parts)
        if isinstance(values, Span):
            columns[name] = [values.at((part + rng.random()) / samples) for part in parts]
        else:
            columns[name] = [values[part * len(values) // samples] for part in parts]
    return [{name: column[i] for name, column in columns.items()} for i in range(samples)]


def _problems(
    axes: Mapping[str, Sequence[Any] | Span], design: str, samples: int | None
) -> list[FieldProblem]:
    found = []
    count = 1
    if design not in get_args(Design):
        found.append(FieldProblem("design", f"must be one of {', '.join(get_args(Design))}"))
    if design == "latin" and (samples is None or not 1 <= samples <= _MOST):
        found.append(FieldProblem("samples", f"a Latin hypercube needs 1 to {_MOST:,} samples"))
    for name, values in axes.items():
        if isinstance(values, Span):
            if design != "latin":
                found.append(FieldProblem(name, "a span of values needs the design 'latin'"))
            elif not values.low < values.high:
                found.append(FieldProblem(name, "must run from a lower to a higher value"))
        elif not values:
            found.append(FieldProblem(name, "has no value"))
        elif len({repr(value) for value in values}) < len(values):
            found.append(FieldProblem(name, "has the same value twice"))
        else:
            count *= len(values)
    if design == "factorial" and count > _MOST:
        found.append(FieldProblem("design", f"{count:,} combinations are more than {_MOST:,}"))
    return found
