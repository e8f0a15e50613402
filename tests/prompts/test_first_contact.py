"""The rounds of first contact, once scored, hold what must be true of any words at all.

What the rounds scored when they were new stands in docs/benchmarks.md; these words are known by now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from benchmarks.first_contact import Line, answered, figures

ROUNDS = sorted((Path(__file__).parent / "data" / "first_contact").iterdir())


@cache
def answers(folder: Path) -> Sequence[Line]:
    """Return what the workbench made of every line of a round, which takes it seconds."""
    return tuple(answered(folder))


def turns_of(folder: Path) -> Iterator[Line]:
    """Yield what came of every request of a round, those within dialogues too."""
    for line in answers(folder):
        yield from line.get("turns", [line] if "request" in line else [])


@pytest.mark.parametrize("folder", ROUNDS, ids=lambda folder: folder.name)
def test_what_is_not_understood_changes_nothing_and_says_so(folder: Path) -> None:
    told = [turn for turn in turns_of(folder) if not turn["understood"]]
    assert told
    for turn in told:
        assert turn["after"] == "(unchanged)", turn["request"]
        assert turn["message"], turn["request"]


@pytest.mark.parametrize("folder", ROUNDS, ids=lambda folder: folder.name)
def test_a_change_of_the_prompt_is_always_listed(folder: Path) -> None:
    for turn in turns_of(folder):
        if turn["after"] != "(unchanged)":
            assert turn["changes"] or turn["actions"], turn["request"]


@pytest.mark.parametrize("folder", ROUNDS, ids=lambda folder: folder.name)
def test_every_idea_gets_a_prompt(folder: Path) -> None:
    for line in answers(folder):
        if "idea" in line:
            assert len(str(line["prompt"])) >= len(str(line["idea"])) // 2, line["idea"]


def test_verdicts_add_up_to_shares() -> None:
    verdicts = [{"id": "a", "verdict": "right"}, {"id": "b", "verdict": "wrong"}]
    marks = [{"id": "c", "faithful": 3, "english": 2, "useful": 1, "wince": True}]
    found = {figure.name: figure.value for figure in figures([*verdicts, *marks])}
    assert found["2 requests: right"] == 50
    assert found["2 requests: wrong"] == 50
    assert found["1 ideas: wince"] == 100
    assert json.dumps(found)
