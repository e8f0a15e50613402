"""Preferences become the most likely ranking."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from workbench.errors import InvalidRequest
from workbench.measures.preferences import add_preference, preferences
from workbench.measures.rankings import bradley_terry, next_pair


def test_strengths_are_recovered_from_generated_preferences() -> None:
    truth = {"a": 1.5, "b": 0.5, "c": -0.5, "d": -1.5}
    rng = random.Random(4)
    answers = []
    for _ in range(4_000):
        one, other = rng.sample(sorted(truth), 2)
        likely = 1 / (1 + math.exp(truth[other] - truth[one]))
        answers.append((one, other) if rng.random() < likely else (other, one))
    ranked = bradley_terry(list(truth), answers)
    assert [r.item for r in ranked] == ["a", "b", "c", "d"]
    for r in ranked:
        assert r.strength == pytest.approx(truth[r.item], abs=0.2)
        assert r.wins + r.losses == sum(r.item in pair for pair in answers)


def test_the_fit_is_the_one_where_expected_wins_equal_those_observed() -> None:
    answers = [("a", "b")] * 3 + [("b", "a")] + [("b", "c")] * 2 + [("c", "a")]
    strength = {r.item: math.exp(r.strength) for r in bradley_terry(["a", "b", "c"], answers)}
    for item, own in strength.items():
        met = [other for pair in answers if item in pair for other in pair if other != item]
        expected = sum(own / (own + strength[other]) for other in met) + own / (own + 1)
        assert expected == pytest.approx(sum(w == item for w, _ in answers) + 0.5, abs=1e-6)


def test_an_undefeated_item_ranks_first_with_a_finite_strength() -> None:
    ranked = bradley_terry(["a", "b", "c"], [("b", "a"), ("b", "c")])
    assert ranked[0].item == "b"
    assert math.isfinite(ranked[0].strength)
    assert ranked[1].strength == pytest.approx(ranked[2].strength)


def test_without_answers_all_are_equal() -> None:
    assert [r.strength for r in bradley_terry(["a", "b"], [])] == [0.0, 0.0]


def test_a_preference_about_unknown_items_is_refused() -> None:
    with pytest.raises(ValueError, match="does not compare"):
        bradley_terry(["a", "b"], [("a", "x")])


def test_the_pair_to_ask_next_is_the_least_known_one() -> None:
    assert next_pair(["a", "b", "c"], [("a", "b"), ("b", "c")]) == ("a", "c")
    assert next_pair(["a"], []) is None


def test_preferences_are_durable_and_a_torn_line_is_skipped(tmp_path: Path) -> None:
    kept = tmp_path / "preferences.jsonl"
    add_preference(kept, "x", "y", ["x", "y"])
    with kept.open("a", encoding="utf-8") as file:
        file.write('{"better": "y')
    assert [(p.better, p.worse) for p in preferences(kept)] == [("x", "y")]
    assert preferences(tmp_path / "none") == ()


def test_a_preference_keeps_names_with_any_line_end_in_them(tmp_path: Path) -> None:
    kept = tmp_path / "preferences.jsonl"
    add_preference(kept, "one\u2028two", "three\x85four", among=["one\u2028two", "three\x85four"])
    assert [(p.better, p.worse) for p in preferences(kept)] == [("one\u2028two", "three\x85four")]
    with pytest.raises(InvalidRequest):
        add_preference(kept, "x", "x", ["x", "y"])
    with pytest.raises(InvalidRequest):
        add_preference(kept, "x", "z", ["x", "y"])
