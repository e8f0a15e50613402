"""Critics are combined by rank and weighted by votes; a missing value is neutral."""

from __future__ import annotations

import pytest

from workbench.measures.critics import agreements, halvings, standings, weights_from

VALUES = {
    "a": {"good": 3.0, "noise": 0.9},
    "b": {"good": 2.0, "noise": 0.1},
    "c": {"good": 1.0, "noise": 0.5},
}


def test_each_critic_counts_by_rank_whatever_its_scale() -> None:
    only = {item: {"good": row["good"]} for item, row in VALUES.items()}
    assert standings(only) == {"a": 1.0, "b": 0.5, "c": 0.0}
    large = {item: {"good": row["good"] * 1e6} for item, row in VALUES.items()}
    assert standings(large) == standings(only)
    assert standings(only, lower={"good"}) == {"a": 0.0, "b": 0.5, "c": 1.0}


def test_weights_decide_between_critics_that_disagree() -> None:
    by_good = standings(VALUES, weights={"good": 1, "noise": 0})
    assert max(by_good, key=by_good.__getitem__) == "a"
    by_noise = standings(VALUES, lower={"noise"}, weights={"good": 0, "noise": 1})
    assert max(by_noise, key=by_noise.__getitem__) == "b"
    assert standings(VALUES, weights={"good": 0, "noise": 0}) == standings(VALUES)


def test_what_is_not_known_neither_helps_nor_harms() -> None:
    values: dict[str, dict[str, float | None]] = {
        "a": {"good": 3.0},
        "b": {"good": None},
        "c": {"good": 1.0},
    }
    assert standings(values) == {"a": 1.0, "b": 0.5, "c": 0.0}
    nobody = {"a": {"good": None}, "b": {"good": None}}
    assert set(standings(nobody).values()) == {0.5}


def test_ties_share_their_rank() -> None:
    values = {"a": {"x": 1.0}, "b": {"x": 1.0}, "c": {"x": 0.0}}
    assert standings(values) == {"a": 0.75, "b": 0.75, "c": 0.0}


def test_a_critic_that_predicts_votes_gets_weight_and_one_at_chance_none() -> None:
    votes = [("a", "b"), ("a", "c"), ("b", "c")] * 10
    good, noise = agreements(VALUES, votes)
    assert (good.foretold, good.of) == (1.0, 30)
    assert noise.foretold == pytest.approx(2 / 3)
    assert good.low > noise.foretold
    weights = weights_from([good, noise])
    assert weights["good"] > 0.8
    assert weights["noise"] < 0.5


def test_few_votes_say_little() -> None:
    (one, _) = agreements(VALUES, [("a", "b")])
    assert one.low < 0.5 < one.high
    assert weights_from([one])["good"] < 0.3
    (none, _) = agreements(VALUES, [])
    assert (none.low, none.high, none.of) == (0.0, 1.0, 0)
    assert weights_from([none]) == {"good": 0.0}


def test_half_survive_each_round_until_enough_are_left() -> None:
    assert halvings(16, 2) == (16, 8, 4, 2)
    assert halvings(5, 2) == (5, 3, 2)
    assert halvings(3, 3) == (3,)
