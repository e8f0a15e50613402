"""Forty turns of several steps, by tools and by JSON: each does what was asked, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prompts.agent.capable import Turn, turns
from tests.prompts.agent.turns import play
from workbench.jobs.client.contact import Contact
from workbench.prompts.agent.conversation import MOST_STEPS


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let renders wait in the queue: what is asked for is looked at, not drawn."""
    monkeypatch.setattr(Contact, "_launch", lambda _, **__: None)


@pytest.mark.parametrize("knows_tools", [True, False], ids=["tools", "json"])
@pytest.mark.parametrize("turn", turns(), ids=lambda turn: turn["request"][:40])
def test_a_turn_does_what_was_asked(turn: Turn, knows_tools: bool, tmp_path: Path) -> None:
    played = play(turn, tmp_path, knows_tools=knows_tools)
    assert played.wrong == ()
    assert played.questions <= MOST_STEPS


def test_there_are_forty_turns_and_most_take_several_steps() -> None:
    several = [turn for turn in turns() if sum(map(len, turn["steps"])) > 1]
    assert len(turns()) >= 40
    assert len(several) >= 25
