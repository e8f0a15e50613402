"""One session and its renders, as a language-model agent reads and changes them.

Decides what the agent is shown and how its tools call the studio. Knows no endpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from workbench.actions.model import Action, Propose, Render, Vary, as_json, renders_asked
from workbench.errors import FieldProblem, InvalidRequest, LanguageModelError, NotFound
from workbench.jobs.model import Job, JobState
from workbench.prompts.agent.tools import Look, Seen
from workbench.prompts.model import Entry, OnText, PromptSession, Revision
from workbench.scene import Scene
from workbench.start_pictures import end_frames

if TYPE_CHECKING:
    from workbench.prompts.agent.conversation import Outcome, Step
    from workbench.studio import Studio

__all__ = ["SessionWorkplace", "converse_in"]

_ENTRIES: Final = 12
"""Number of newest entries shown to the agent."""
_TURNS: Final = 12
_CARDS: Final = 32
_JOBS: Final = 4
"""Number of newest renders of a prompt that a look returns."""
_LONGEST_TEXT: Final = 400


async def converse_in(
    studio: Studio,
    session_id: str,
    request: str,
    prompt: str | None = None,
    *,
    on_step: Callable[[Step], object] | None = None,
    on_text: OnText | None = None,
    picture: str = "",
    cards: Sequence[int] = (),
) -> tuple[Revision, Entry | None]:
    """Let the language model act on ``request``; return the combined result of its steps.

    Raises ``LanguageModelError`` if it gives no usable answer before anything is done.
    """
    # Imported here: only users with a language model need it.
    from workbench.prompts.agent.conversation import Outcome, converse  # noqa: PLC0415

    endpoint = studio.language.writer(session_id).endpoint
    if endpoint is None:
        raise LanguageModelError("No language model is connected.")
    place = SessionWorkplace(studio, session_id, request, prompt, cards)
    before = place.here
    try:
        outcome = await converse(
            endpoint,
            request,
            place,
            on_step=on_step,
            on_text=on_text,
            timeout_s=studio.settings.language_timeout_s,
            picture=picture,
        )
    except asyncio.CancelledError:
        if place.done:
            _note(studio, session_id, request, place, before, Outcome("Stopped."))
        raise
    return _note(studio, session_id, request, place, before, outcome), place.entry


def _note(
    studio: Studio,
    session_id: str,
    request: str,
    place: SessionWorkplace,
    before: Entry,
    outcome: Outcome,
) -> Revision:
    """Store the turn in the dialogue and return the combined result of its steps."""
    here = place.entry or before
    revision = Revision(
        prompt=here.prompt,
        scene=here.scene,
        changes=before.scene.changes_to(here.scene),
        understood=bool(outcome.actions or outcome.question or not outcome.steps),
        message=_message(outcome),
        provider=studio.language.writer(session_id).name,
        exchanges=outcome.exchanges,
        actions=tuple(place.done),
    )
    studio.sessions.note_turn(session_id, request, revision, place.entry)
    return revision


class SessionWorkplace:
    """The session ``session_id`` of ``studio``, at one of its prompts.

    ``cards`` are the entries that the screen shows as numbered cards, in order; by default the
    newest variations. More than eight renders in one turn are proposed, never started.
    """

    def __init__(
        self,
        studio: Studio,
        session_id: str,
        request: str,
        prompt: str | None = None,
        cards: Sequence[int] = (),
    ) -> None:
        self._studio = studio
        self._session_id = session_id
        self._request = request
        self._prompt = prompt
        self._cards = tuple(cards)
        self._renders = 0
        self.done: list[Action] = []
        """What was done, proposed or answered, in order."""
        self.entry: Entry | None = None
        """The entry that the last change made."""

    @property
    def here(self) -> Entry:
        """The prompt that the next action changes; raises ``InvalidRequest`` if there is none."""
        return self._here(self._studio.sessions.session(self._session_id))

    def view(self) -> Mapping[str, Any]:
        """Return the session as shown to the agent."""
        session = self._studio.sessions.session(self._session_id)
        here = self._here(session)
        return {
            "idea": session.entries[0].request or session.entries[0].prompt
            if session.entries
            else "",
            "prompt": {"entry": here.index, "text": here.prompt, **_scene(here.scene)},
            "render_settings": here.settings.as_json(),
            "entries": [_entry(one) for one in session.entries[-_ENTRIES:]],
            "cards": [
                self._card(number, one)
                for number, one in enumerate(self._on_cards(session), start=1)
            ],
            "dialogue": [
                {"person": turn.request[:_LONGEST_TEXT], "answer": turn.message[:_LONGEST_TEXT]}
                for turn in self._studio.sessions.turns(self._session_id, limit=_TURNS)
            ],
        }

    async def perform(self, action: Action) -> Mapping[str, Any]:
        """Carry out one action, as an entry of its own, and return the result."""
        if isinstance(action, Render | Vary) and (asked := renders_asked(action)):
            fetches = self._studio.model_to_fetch(self.here.settings)
            if fetches or self._renders + asked > self._most_renders:
                proposal = Propose(actions=(action,), renders=asked, fetches=fetches)
                self.done.append(proposal)
                return {"proposed": as_json((proposal,)), "waits_for": "the person's click"}
            self._renders += asked
        revision, entry = await self._studio.act(
            self._session_id, (action,), self._prompt, request=self._request, is_turn=False
        )
        self.done += revision.actions
        if entry is not None:
            self.entry, self._prompt = entry, entry.prompt
        return {
            "done": as_json(revision.actions),
            "message": revision.message,
            "entry": None if entry is None else entry.index,
            "prompt": revision.prompt,
            **_scene(revision.scene),
        }

    async def look(self, asked: Look, *, with_frames: bool) -> Seen:
        """Return an entry or a card in full, with its renders; raises ``InvalidRequest``.

        ``with_frames`` adds the first and the last frame of its newest finished video.
        """
        session = self._studio.sessions.session(self._session_id)
        entry = self._named(session, asked)
        jobs = await asyncio.to_thread(self._jobs, entry.job_ids[-_JOBS:])
        told = {
            **_entry(entry),
            "prompt": entry.prompt,
            **_scene(entry.scene),
            "jobs": [_job(job) for job in jobs],
        }
        done = next((job for job in reversed(jobs) if job.state is JobState.COMPLETE), None)
        if done is None or not with_frames:
            return Seen(told)
        return Seen(told, await asyncio.to_thread(end_frames, self._studio.jobs, done.job_id))

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

    def _jobs(self, job_ids: Sequence[str]) -> list[Job]:
        found = []
        for job_id in job_ids:
            with suppress(NotFound):  # deleted since
                found.append(self._studio.jobs.job(job_id))
        return found

    def _card(self, number: int, entry: Entry) -> dict[str, Any]:
        """Return a card as shown to the agent, with the scores of its newest video."""
        jobs = self._jobs(entry.job_ids[-1:])
        return {"card": number, **_entry(entry), **({"video": _job(jobs[0])} if jobs else {})}


def _message(outcome: Outcome) -> str:
    said = outcome.question or outcome.message
    missed = [step.problem for step in outcome.steps if step.problem]
    if said or not missed:
        return said or "Done."
    return f"Not done: {missed[-1]}"


def _scene(scene: Scene) -> dict[str, Any]:
    """Return the scene as shown to the agent: cast and beats with their ids, and the locks."""
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


def _job(job: Job) -> dict[str, Any]:
    scores = {name: round(value, 3) for name, value in (job.scores or {}).items()}
    return {"state": str(job.state), **({"scores": scores} if scores else {})}
