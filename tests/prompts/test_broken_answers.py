"""Good answers, broken in every way that endpoints and weak models break them, are not taken."""

from __future__ import annotations

import random

import pytest

from tests.prompts.breaking import KINDS, Broken
from tests.prompts.test_guard import fault_of, lines
from workbench.prompts.language_models.writing.answers import Enhanced, plain_text
from workbench.prompts.language_models.writing.evidence import uncovered
from workbench.prompts.language_models.writing.guard import without_preamble

GOOD = [line for line in lines("answers_good.jsonl") if len(line["answer"]["prompt"]) > 60]
EACH = 10


def fate_of(broken: Broken, *, is_noted: bool) -> str:
    """Return what becomes of a broken answer: rejected, mended, noted, or taken as it is."""
    if fault_of(broken.line):
        return "rejected"
    answer = Enhanced.model_validate(broken.line["answer"])
    text = without_preamble(plain_text(answer.prompt))
    if broken.traces and not any(trace in text for trace in broken.traces):
        return "mended"
    is_missing = is_noted and uncovered(broken.idea, text, answer.evidence)
    return "noted" if is_missing else "taken"


@pytest.mark.parametrize("name", KINDS)
def test_a_broken_answer_is_rejected_mended_or_told(name: str) -> None:
    kind, rng = KINDS[name], random.Random(name)
    several: list[Broken] = []
    for good in rng.sample(GOOD, len(GOOD)):
        if len(several) < EACH and (broken := kind.make(good, rng, GOOD)) is not None:
            several.append(broken)
    assert several
    taken = [one for one in several if fate_of(one, is_noted=kind.is_noted) == "taken"]
    assert len(taken) <= (1 - kind.least) * len(several) + 1e-9, [one.prompt for one in taken]


@pytest.mark.parametrize(
    "text",
    ["ab,cd" * 200, "a" * 3_000, "ab;" * 300, "光，" * 600, "_a" * 900, "1,2 " * 300, '"a ' * 300],
    ids=lambda text: text[:6],
)
def test_text_of_any_shape_is_judged_at_once(text: str) -> None:
    covers = [{"said": "a dog", "shown_as": text}]
    assert fault_of({"idea": "a dog runs", "answer": {"prompt": text, "covers": covers}})
