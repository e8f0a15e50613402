"""A run with a vision model that errs still beats random choice at equal budget, and errors cost."""

from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks.best_of import Regret, World, regrets

SEEDS = range(24)


@cache
def _found(mistakes: float) -> tuple[Regret, ...]:
    return tuple(regrets(seed, mistakes) for seed in SEEDS)


def test_a_run_whose_model_errs_beats_random_choice_at_equal_budget() -> None:
    found = _found(0.15)
    drafts, chance = (
        float(np.mean([getattr(one, name) for one in found])) for name in ("drafts", "at_random")
    )
    assert drafts < 0.5 * chance
    assert {one.budget for one in found} == {4}


def test_the_regret_grows_with_the_models_mistakes() -> None:
    means = [np.mean([one.drafts for one in _found(mistakes)]) for mistakes in (0.0, 0.15, 0.5)]
    assert means == sorted(means)
    assert means[0] < 0.1
    chance = float(np.mean([one.at_random for one in _found(0.5)]))
    assert means[2] > 0.6 * chance  # answers by a coin choose as chance does


def test_the_same_seed_errs_in_the_same_answers_and_another_in_others() -> None:
    one, again, other = (World(seed, 0.3, 2).check(0, 0.0) for seed in (7, 7, 8))
    assert one == again
    assert one != other
    wrong = [
        answer.verdict != honest.verdict
        for n in range(40)
        for answer, honest in zip(
            World(n, 0.3, 2).check(0, 0.0).answers,
            World(n, 0.0, 2).check(0, 0.0).answers,
            strict=True,
        )
    ]
    assert 0.25 < np.mean(wrong) < 0.35
