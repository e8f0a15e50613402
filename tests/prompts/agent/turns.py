"""Plays the turns of agent_turns.jsonl on real sessions and tells what came of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.prompts.agent.capable import Turn, capable
from workbench.prompts.agent.conversation import Step
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.prompts.model import Entry, Revision
from workbench.settings import Settings
from workbench.studio import Studio

__all__ = ["Played", "play"]


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one turn."""

    wrong: tuple[str, ...]
    """What is not as it should be; empty when the turn is right."""
    questions: int
    """Times that the model was asked."""
    steps: int
    tokens: int


def play(turn: Turn, folder: Path, *, knows_tools: bool) -> Played:
    """Play one turn in a session of its own under ``folder``; its renders stay queued."""
    with Studio(Settings(outputs=folder, language_provider="builtin")) as studio:
        session_id = _begun(studio, turn)
        before = len(studio.sessions.history(session_id))
        steps: list[Step] = []
        with capable(turn, knows_tools=knows_tools) as script:
            choice = LanguageChoice(provider="openai", model="m", base_url=script.base_url)
            studio.run(studio.choose_language(choice, session_id))
            asked = studio.update(session_id, turn["request"], on_step=steps.append)
            revision, _ = studio.run(asked)
            here = studio.sessions.current(session_id)
            assert here is not None
            made = len(studio.sessions.history(session_id)) - before
            jobs = studio.jobs.jobs().total
            wrong = _wrong(turn["want"], revision, here, made, jobs)
        tokens = sum(
            (e.prompt_tokens or 0) + (e.completion_tokens or 0) for e in revision.exchanges
        )
        return Played(tuple(wrong), len(script.asked), len(steps), tokens)


def _begun(studio: Studio, turn: Turn) -> str:
    session_id, entry = studio.run(studio.enhance(turn["idea"]))
    if note := turn.get("injected"):
        text = f"{entry.prompt} {note}"
        studio.run(studio.sessions.initialize(text, session_id, parent=entry.index))
    for request in turn.get("before", ()):
        studio.run(studio.update(session_id, request))
    if turn.get("vary"):
        current = studio.sessions.current(session_id)
        assert current is not None
        studio.run(studio.variations(session_id, [current.index], turn["vary"] + 1))
    return session_id


def _wrong(
    want: Mapping[str, Any], revision: Revision, here: Entry, made: int, jobs: int
) -> list[str]:
    found = [
        f"{name} is {getattr(here.scene, name)!r}, not {value!r}"
        for name, value in want.get("fields", {}).items()
        if getattr(here.scene, name) != value
    ]
    found += [f"{text!r} is missing" for text in want.get("has", ()) if text not in here.prompt]
    found += [f"{text!r} stands there" for text in want.get("lacks", ()) if text in here.prompt]
    settings = here.settings.stated()
    found += [
        f"{name} is {settings.get(name)!r}"
        for name, value in want.get("settings", {}).items()
        if settings.get(name) != value
    ]
    kinds = [action.kind for action in revision.actions]
    if kinds != want["kinds"]:
        found.append(f"did {kinds}")
    if jobs != want.get("renders", 0):
        found.append(f"queued {jobs} renders")
    if "entries" in want and made != want["entries"]:
        found.append(f"made {made} entries")
    said: Sequence[str] = [want[key] for key in ("message", "question") if key in want]
    found += [f"does not say {text!r}" for text in said if text not in revision.message]
    return found
