"""The learned parser of requests: what it reads, how surely, how fast, and what it is made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.phrases import Phrase, phrases, read
from workbench.prompts.parsing import labels
from workbench.prompts.parsing.clauses import Clause
from workbench.prompts.parsing.network import NETWORK, network
from workbench.prompts.parsing.vectors import VECTORS

START = "an old sailor repairs a blue boat on a beach"


def parsed(request: str) -> tuple[Clause, ...]:
    return network().parse(request, START).clauses


def test_marks_are_read_and_the_request_is_what_remains() -> None:
    phrase = read(
        START, "no wait (look make [entity the boat] [value green]), and (time [value dusk] please)"
    )
    assert phrase.request == "no wait make the boat green, and dusk please"
    assert [clause.name for clause in phrase.clauses] == ["look", "time"]
    said = [" ".join(w.text for w in phrase.words[s.start : s.end]) for s in phrase.slots]
    assert said == ["the boat", "green", "dusk"]


def test_broken_marks_are_refused() -> None:
    with pytest.raises(ValueError, match="no label"):
        read(START, "(nonsense make it so)")


def test_every_phrase_has_marks_of_the_labels_that_there_are() -> None:
    known = phrases()
    assert len(known) > 2_000
    assert {c.name for p in known for c in p.clauses} <= set(labels.LABELS)


def test_a_request_is_cut_into_its_wishes() -> None:
    first, second = parsed("make the boat red and then a seagull lands on it")
    assert (first.label, first.slot("entity"), first.slot("value")) == ("look", "the boat", "red")
    assert (second.label, second.slot("actor")) == ("event", "a seagull")


def test_nothing_is_surely_read_in_nonsense() -> None:
    assert all(clause.sureness < 0.9 for clause in parsed("blorf the wug snaggle"))


def test_an_empty_request_has_no_wishes() -> None:
    assert parsed("  ") == ()


def test_slots_stand_inside_their_clauses_and_hold_the_words_as_typed() -> None:
    for phrase in phrases()[::40]:
        for clause in network().parse(phrase.request, phrase.start).clauses:
            for slot in clause.slots:
                assert clause.start <= slot.start < slot.end <= clause.end
                assert slot.text in clause.text
                assert slot.name in labels.slots_of(clause.label)


def test_most_phrases_that_it_learned_from_are_read_as_they_are_marked() -> None:
    """What it makes of words that it has not seen is measured by ``benchmarks.parser_training``."""
    sample = phrases()[::20]
    right = sum(_labels_of(p) == [c.name for c in p.clauses] for p in sample)
    assert right >= 0.7 * len(sample)


def _labels_of(phrase: Phrase) -> list[str]:
    return [c.label for c in network().parse(phrase.request, phrase.start).clauses]


def test_the_weights_are_a_few_megabytes() -> None:
    assert sum(Path(file).stat().st_size for file in (NETWORK, VECTORS)) < 4_000_000
