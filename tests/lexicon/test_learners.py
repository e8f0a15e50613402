"""Errors of non-native speakers are corrected if only one meaning is possible."""

from __future__ import annotations

import pytest

from workbench.lexicon.learners import mended_grammar


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("An old man he sell balloons", "An old man sells balloons"),
        ("the boys they run away", "the boys run away"),
        ("the light it change", "the light changes"),
        ("he hang the small lamp, then it go again", "he hangs the small lamp, then it goes again"),
        ("a market, woman she sell the mango", "a market, woman sells the mango"),
        ("The old man don't say a word", "The old man doesn't say a word"),
        ("she dont look", "she doesn't look"),
    ],
)
def test_a_doubled_subject_and_a_verb_that_does_not_agree_are_mended(said: str, meant: str) -> None:
    assert mended_grammar(said) == meant


@pytest.mark.parametrize(
    "said",
    [
        "let it fall",
        "make him run while she dance",
        "when he wave at the boat",
        "he put the ring down",
        "it hit the wall",
        "she still waits",
        "he runs and it rains",
        "they don't turn back",
        "the kids don't turn back",
        "it slow",
        "at the end she presses too hard",
        "in the evening they run away",
        "I see the dog he runs",
    ],
)
def test_what_may_be_meant_as_it_stands_is_left_alone(said: str) -> None:
    assert mended_grammar(said) == said
