"""The guard over what a language model writes: no good answer is discarded, no broken one passes.

The answers were written as capable models, and failing ones, would write them, without sight of the
code. What they scored on first contact stands in docs/benchmarks.md; now they hold the guard in
place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.prompts.language_models.writing.answers import Enhanced, plain_text
from workbench.prompts.language_models.writing.guard import (
    fault_in,
    is_document,
    shows_nothing,
    uncovered,
    without_preamble,
)

DATA = Path(__file__).parent / "data"


def lines(name: str) -> list[dict[str, Any]]:
    text = (DATA / name).read_text("utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def fault_of(line: dict[str, Any]) -> str:
    """Return why the answer is not taken; empty when it is."""
    answer = Enhanced.model_validate(line["answer"]) if line["answer"].get("prompt") else None
    if answer is None or is_document(answer.prompt):
        return "is no answer"
    text = without_preamble(plain_text(answer.prompt))
    missing = uncovered(line["idea"], text, answer.evidence)
    fault = fault_in(text, line["idea"], longest=4_000)
    is_empty = shows_nothing(line["idea"], text, missing, answer.evidence)
    return fault or ("shows nothing" if is_empty else "")


@pytest.mark.parametrize("line", lines("answers_good.jsonl"), ids=lambda line: line["idea"][:40])
def test_a_good_answer_is_taken(line: dict[str, Any]) -> None:
    assert fault_of(line) == ""


@pytest.mark.parametrize("line", lines("answers_broken.jsonl"), ids=lambda line: line["fault"])
def test_a_broken_answer_is_not_taken(line: dict[str, Any]) -> None:
    assert fault_of(line)


def test_what_the_evidence_shows_counts_and_what_it_only_claims_does_not() -> None:
    text = "A small boy sprints across a meadow, a kite overhead."
    honest = [
        {"said": "kid", "shown_as": "a small boy"},
        {"said": "running", "shown_as": "sprints"},
    ]
    assert uncovered("kid running with a kite", text, honest) == ()
    claimed = [{"said": "kid", "shown_as": "a tall man"}, {"said": "running", "shown_as": ""}]
    assert uncovered("kid running with a kite", text, claimed) == ("kid", "running")


@pytest.mark.parametrize(
    "opening", ["Here is your prompt: ", "Sure! Here's the enhanced prompt: ", "Prompt: ", '"']
)
def test_an_opening_is_taken_off_and_the_prompt_kept(opening: str) -> None:
    prompt = "A red fox trots through deep snow at dawn."
    given = f"{opening}{prompt}{opening if opening == chr(34) else ''}"
    assert without_preamble(given) == prompt
