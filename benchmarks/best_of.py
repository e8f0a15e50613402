"""Regret of best-of-N with a critic that errs, against random choice at equal budget, over 200 seeds.

Run with ``python -m benchmarks.best_of``. Pure arithmetic: candidates have a hidden quality, a draft
shows it with noise, and a vision model answers 11 questions about each, some of them wrongly. Regret
is the quality of the best candidate less that of the one chosen.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from benchmarks.report import Figure, print_report
from workbench.measures.critics import halvings, standings

_SEEDS: Final = 200
_N: Final = 16
_DRAFT_COST: Final = 1 / 8
"""Of a draft, in whole renders."""
_QUESTIONS: Final = 11


def main() -> None:
    """Simulate and print."""
    figures = []
    whole = math.ceil(sum(halvings(_N, 1)[:-1]) * _DRAFT_COST + 1)  # the others get the rest
    for mistakes in (0.05, 0.15, 0.3):
        chosen, at_random, plain = (
            np.array(all_of) for all_of in zip(*_runs(mistakes, whole), strict=True)
        )
        name = f"{mistakes:.0%} wrong answers"
        figures += [
            Figure(f"regret, best of {_N} by drafts: {name}", float(chosen.mean()), ""),
            Figure(f"regret, random choice of {whole} whole: {name}", float(at_random.mean()), ""),
            Figure(f"regret, critic on {whole} whole: {name}", float(plain.mean()), ""),
            Figure(
                f"regret over that of random choice: {name}",
                float(chosen.mean() / at_random.mean()),
                "",
                1.0,
            ),
        ]
    print_report(f"best of {_N} at the budget of {whole} whole renders, {_SEEDS} seeds", figures)


def _runs(mistakes: float, whole: int) -> list[tuple[float, float, float]]:
    """Return the regrets of drafts, random choice and judging whole renders, seed by seed."""
    found = []
    for seed in range(_SEEDS):
        rng = np.random.default_rng(seed)
        quality = rng.beta(2, 2, _N)  # the share of what was asked for that it would show
        best = float(quality.max())
        left = list(range(_N))
        for size in halvings(_N, 1)[1:]:
            seen = {str(i): {"asked_for": _answered(rng, quality[i], mistakes, 0.1)} for i in left}
            order = standings(seen)
            left = sorted(left, key=lambda i: -order[str(i)])[:size]
        some = list(range(whole))
        judged = {str(i): {"asked_for": _answered(rng, quality[i], mistakes, 0.0)} for i in some}
        order = standings(judged)
        pick = max(some, key=lambda i: order[str(i)])
        found.append(
            (
                best - float(quality[left[0]]),
                best - float(quality[rng.integers(whole)]),
                best - float(quality[pick]),
            )
        )
    return found


def _answered(rng: np.random.Generator, quality: float, mistakes: float, blur: float) -> float:
    """Return the share of questions answered by yes, of a video that a draft shows with ``blur``."""
    shown = rng.random(_QUESTIONS) < np.clip(quality + rng.normal(0, blur), 0, 1)
    wrong = rng.random(_QUESTIONS) < mistakes
    return float((shown ^ wrong).mean())


if __name__ == "__main__":
    main()
