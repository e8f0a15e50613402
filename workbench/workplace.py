"""One session and its renders as the place that a language-model agent works on.

What the agent is told of the session, and how its tools reach the studio. Knows no endpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from workbench.actions.model import Action, Propose, Render, Vary, as_json, renders_asked
from workbench.errors import FieldProblem, InvalidRequest
from workbench.jobs.model import Job
from workbench.prompts.agent.tools import Look
from workbench.prompts.model import Entry, PromptSession, Revision
from workbench.scene import Scene
from workbench.studio import Studio

__all__ = ["SessionWorkplace"]

_ENTRIES: Final = 12
"""Newest entries that the agent is told of."""
_TURNS: Final = 12
_CARDS: Final = 32
_LONGEST_TEXT: Final = 400


class SessionWorkplace:
    """The session ``session_id`` of ``studio``, standing at one of its prompts.

    ``cards`` are the entries that the screen shows as numbered cards, in order; without them the
    newest variations count. More than eight renders in one turn are proposed, never started.
    """

    def __init__(
        self, studio: Studio, session_id: str, prompt: str | None = None, cards: Sequence[int] = ()
    ) -> None:
        self._studio = studio
        self._session_id = session_id
        self._prompt = prompt
        self._cards = tuple(cards)
        self._renders = 0
        self.last: tuple[Revision, Entry | None] | None = None
        """What the last action that changed the session made."""

    def view(self) -> Mapping[str, Any]:
        """Return the session as the agent is told of it."""
        session = self._studio.session(self._session_id)
        here = self._here(session)
        return {
            "idea": session.entries[0].request or session.entries[0].prompt
            if session.entries
            else "",
            "prompt": {"entry": here.index, "text": here.prompt, **_scene(here.scene)},
            "render_settings": here.settings.stated(),
            "entries": [_entry(one) for one in session.entries[-_ENTRIES:]],
            "cards": [
                {"card": number, **_entry(one)}
                for number, one in enumerate(self._on_cards(session), start=1)
            ],
            "dialogue": [
                {"person": turn.request[:_LONGEST_TEXT], "answer": turn.message[:_LONGEST_TEXT]}
                for turn in self._studio.sessions.turns(self._session_id, limit=_TURNS)
            ],
        }

    async def perform(self, action: Action) -> Mapping[str, Any]:
        """Carry one action out, as an entry of its own, and return what came of it."""
        if isinstance(action, Render | Vary):
            asked = renders_asked(action)
            if self._renders + asked > self._most_renders:
                proposal = Propose(actions=(action,), renders=asked)
                return {"proposed": as_json((proposal,)), "waits_for": "the person's click"}
            self._renders += asked
        revision, entry = await self._studio.act(self._session_id, (action,), self._prompt)
        self.last = (revision, entry or (self.last[1] if self.last else None))
        if entry is not None:
            self._prompt = entry.prompt
        return {
            "done": as_json(revision.actions),
            "message": revision.message,
            "entry": None if entry is None else entry.index,
            "prompt": revision.prompt,
            **_scene(revision.scene),
        }

    async def look(self, asked: Look) -> Mapping[str, Any]:
        """Return an entry or a card whole, with its renders; raises ``InvalidRequest``."""
        session = self._studio.session(self._session_id)
        entry = self._named(session, asked)
        jobs = await asyncio.to_thread(self._jobs, entry.job_ids)
        return {**_entry(entry), "prompt": entry.prompt, **_scene(entry.scene), "jobs": jobs}

    @property
    def _most_renders(self) -> int:
        return min(8, self._studio.settings.max_batch_prompts)

    def _here(self, session: PromptSession) -> Entry:
        named = [one for one in session.entries if one.prompt == self._prompt]
        here = named[-1] if named else self._studio.sessions.current(self._session_id)
        if here is None:
            raise InvalidRequest(
                "The session has no prompt yet.", (FieldProblem("prompt", "is missing"),)
            )
        return here

    def _on_cards(self, session: PromptSession) -> Sequence[Entry]:
        by_index = {one.index: one for one in session.entries}
        if self._cards:
            return [by_index[index] for index in self._cards if index in by_index][:_CARDS]
        variations = [one for one in session.entries if one.kind == "variation"]
        return variations[-_CARDS:]

    def _named(self, session: PromptSession, asked: Look) -> Entry:
        if asked.card is not None:
            cards = self._on_cards(session)
            if asked.card <= len(cards):
                return cards[asked.card - 1]
            problem = f"there are {len(cards)} cards"
            raise InvalidRequest(
                f"There is no card {asked.card}: {problem}.", (FieldProblem("card", problem),)
            )
        index = self._here(session).index if asked.entry is None else asked.entry
        found = next((one for one in session.entries if one.index == index), None)
        if found is None:
            problem = f"there are {len(session.entries)} entries"
            raise InvalidRequest(
                f"There is no entry {index}: {problem}.", (FieldProblem("entry", problem),)
            )
        return found

    def _jobs(self, job_ids: Sequence[str]) -> list[Mapping[str, Any]]:
        jobs = [self._studio.jobs.job(job_id) for job_id in job_ids[-4:]]
        return [_job(job) for job in jobs]


def _scene(scene: Scene) -> dict[str, Any]:
    """Return the scene as the agent reads it: cast and beats with their ids, and what is locked."""
    told = scene.model_dump(mode="json", exclude_defaults=True, exclude={"provenance"})
    locked = [name for name in type(scene).model_fields if scene.is_locked(name)]
    return {"scene": told, **({"locked": locked} if locked else {})}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "entry": entry.index,
        "kind": str(entry.kind),
        "from": entry.parent,
        "asked": entry.request[:_LONGEST_TEXT],
        "changes": [change.sentence for change in entry.changes],
        "starred": entry.starred,
        "text": entry.prompt[:_LONGEST_TEXT],
    }


def _job(job: Job) -> Mapping[str, Any]:
    scores = getattr(job, "scores", None)
    return {"job": job.job_id, "state": str(job.state), "scores": scores or {}}
