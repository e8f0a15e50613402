"""The dialogue of a session: the context of a request, and carrying its actions out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Final, TypeVar, overload

from workbench.actions.model import (
    MOST_RENDERS,
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    Compare,
    EditEntity,
    GoBack,
    Lock,
    NotUnderstood,
    Propose,
    Render,
    SetRender,
    Star,
    Step,
    Unlock,
    Vary,
    renders_asked,
)
from workbench.actions.render_settings import RenderSettings, changed_settings
from workbench.errors import FieldProblem, InvalidRequest
from workbench.prompts.enacting import enact
from workbench.prompts.entries import tuned
from workbench.prompts.intents.context import Context, Landmark
from workbench.prompts.intents.revising import said_of
from workbench.prompts.language_models.session_language import SessionLanguage
from workbench.prompts.markers import strip_marker
from workbench.prompts.model import Entry, EntryKind, Revision, Turn
from workbench.prompts.rewinding import Rewinder
from workbench.prompts.store import PromptStore
from workbench.prompts.taking_back import without
from workbench.prompts.trees import Trees
from workbench.prompts.writer import rewrite_prompt, scene_of

__all__ = ["MODEL_OFFER", "Conversation", "Host", "proposed"]

T = TypeVar("T")
_TURNS: Final = 12
"""Earlier requests that a new one may refer to."""
_LANDMARKS: Final = 60
"""Newest entries searched for phrases such as "before the rain"."""

_CONFIRMING: Final = re.compile(
    r"(?:yes|yep|yeah|ok|okay|sure|confirm(?:ed)?|do it|go(?: ahead)?|start(?: them| it)?|please do)"
    r"(?:,? (?:please|do it|go ahead|start(?: them)?))?[ .!]*",
    re.IGNORECASE,
)

MODEL_OFFER: Final = (
    "The built-in rules know a fixed range of requests. A language model would understand free "
    "wording too, and carry out several steps in one turn."
)
MODEL_WAYS: Final = (
    "Connect one under “Prompts by” on the screen, with wb.language_models() in Python, or with "
    "POST /api/language."
)

Standing = Callable[[RenderSettings], RenderSettings]
"""Fills in the engine's defaults; raises ``InvalidRequest`` for settings it cannot render."""


@dataclass(frozen=True, slots=True)
class Host:
    """What the conversation needs to know about rendering."""

    standing: Standing = lambda settings: settings
    models: Mapping[str, str] = field(default_factory=dict)
    """Short names of engines and models → their full names."""
    model_to_fetch: Callable[[RenderSettings], str] = lambda _settings: ""
    """Returns the model that a render with these settings must fetch first; empty for none."""


class _Late(Sequence[T]):
    """A sequence that is loaded on first access: few requests need the history."""

    def __init__(self, read: Callable[[], Sequence[T]]) -> None:
        self._read = cache(read)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._read()[index]

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[T]:
        return iter(self._read())


def proposed(revision: Revision, base: Entry, host: Host) -> Revision:
    """Return ``revision`` with costly actions as a proposal to confirm.

    Costly: more than eight renders, or a render whose model must be fetched.
    """
    costly = [a for a in revision.actions if isinstance(a, Render | Vary) and renders_asked(a)]
    count = sum(renders_asked(action) for action in costly)
    fetches = host.model_to_fetch(_set_by(revision.actions, base.settings)) if costly else ""
    if count <= MOST_RENDERS and not fetches:
        return revision
    proposal = Propose(actions=tuple(costly), renders=count, fetches=fetches)
    kept = [action for action in revision.actions if action not in costly]
    said = " ".join(filter(None, (said_of(a) for a in costly)))
    message = revision.message.replace(said, "").strip()
    return replace(
        revision,
        actions=(*kept, proposal),
        message=f"{message} {said_of(proposal)}".strip(),
    )


class Conversation:
    """Carries out requests in the sessions of ``store``."""

    def __init__(self, store: PromptStore, trees: Trees, language: SessionLanguage) -> None:
        self._store = store
        self._trees = trees
        self._rewinder = Rewinder(store, rewrite_prompt)
        self._language = language

    def context(self, session_id: str, base: Entry, host: Host) -> Context:
        """Return the context for understanding a request about ``base``."""
        turns = self._store.turns(session_id, _TURNS)
        return Context(
            scene=base.scene,
            prompt=strip_marker(base.prompt),
            settings_now=cache(lambda: _standing(host.standing, base.settings)),
            turns=turns,
            landmarks=_Late(lambda: self._landmarks(session_id)),
            current=base.index,
            focus=_focus(turns),
            part=_part(turns),
            models=host.models,
        )

    def with_hint(self, session_id: str, revision: Revision) -> Revision:
        """Return ``revision`` with a hint on language models, if the session has none.

        Given once per session, with the first answer that leaves something not understood.
        """
        is_missed = any(isinstance(action, NotUnderstood) for action in revision.actions)
        has_model = self._language.choice(session_id).provider != "builtin"
        if not is_missed or has_model or self._store.has_answered(session_id, MODEL_OFFER):
            return revision
        return replace(revision, hint=f"{MODEL_OFFER} {MODEL_WAYS}")

    def confirmed(self, session_id: str, request: str) -> tuple[Action, ...]:
        """Return the actions that the last turn proposed, if ``request`` confirms them."""
        if _CONFIRMING.fullmatch(request.strip()) is None:
            return ()
        last = self._store.turns(session_id, 1)
        actions = last[-1].actions if last else ()
        return tuple(one for a in actions if isinstance(a, Propose) for one in a.actions)

    def revised(self, session_id: str, base: Entry, actions: Sequence[Action]) -> Revision:
        """Return ``base`` revised by ``actions``; raises ``InvalidRequest``."""
        done = enact(strip_marker(base.prompt), base.scene, actions, scene_of=scene_of)
        changes = base.scene.changes_to(done.scene)
        notes = [f"Changed {'; '.join(c.sentence for c in changes)}."] if changes else []
        if not changes and done.prompt != strip_marker(base.prompt):
            notes.append("The text was changed.")
        notes += [said for action in actions if (said := said_of(action))]
        if done.locked:
            names = ", ".join(name.replace("_", " ") for name in done.locked)
            notes.append(f"Locked, so left unchanged: {names}.")
        return Revision(
            prompt=done.prompt,
            scene=done.scene,
            changes=changes,
            understood=True,
            message=" ".join(notes) or "Nothing was changed.",
            provider=self._language.choice(session_id).provider,
            actions=tuple(actions),
        )

    def carried_out(
        self, session_id: str, base: Entry, revision: Revision, request: str, host: Host
    ) -> tuple[Revision, Entry | None]:
        """Carry out the actions of ``revision``, except variations and renders.

        Raises ``InvalidRequest`` for an unknown setting or entry.
        """
        back = next((a for a in revision.actions if isinstance(a, GoBack)), None)
        made: Entry | None = None
        if back is not None:
            gone, made = self._gone_back(session_id, back, base, request)
            others = tuple(a for a in revision.actions if a is not back)
            if not others:
                return gone, made
            before, base = base, made or base
            possible = [a for a in _possible(others, base) if _is_of_same(a, before, base)]
            lost = [a for a in _possible(others, before) if a not in possible]
            again = self.revised(session_id, base, tuple(a for a in others if a not in lost))
            message = f"{gone.message} {again.message}".removesuffix(" Nothing was changed.")
            unread = [a for a in others if isinstance(a, NotUnderstood)]
            for one in unread:
                message = f"{message} Not understood: “{one.words}”. {one.help}".strip()
            if lost:
                message = f"{message} What else you asked for is about what is no longer there."
            others = tuple(a for a in others if a not in lost)
            revision = replace(again, actions=(back, *others), message=message, hint=revision.hint)
        settings = _settings_after(base, revision.actions, host)
        is_locking = any(isinstance(a, Lock | Unlock) for a in revision.actions)
        is_reworded = revision.prompt != strip_marker(base.prompt)
        if revision.changes or is_reworded or settings != base.settings or is_locking:
            made = self._trees.append(
                session_id, tuned(revision, base, request, settings), revision.exchanges
            )
        here = made or base
        self._check_entries(session_id, revision.actions)
        for action in revision.actions:
            if isinstance(action, Star):
                index = here.index if action.entry is None else action.entry
                self._store.star(session_id, index, starred=action.starred)
        return revision, made

    def _gone_back(
        self, session_id: str, back: GoBack, base: Entry, request: str
    ) -> tuple[Revision, Entry | None]:
        """Carry out ``back``: return to an entry, or take back only what one entry changed."""
        if back.only and not isinstance(back.to, Step):
            gone, made = self.taken_back(session_id, back.to)
            return replace(gone, actions=(back,)), made
        return self._rewinder.go(session_id, back, base, _own_words(back, request))

    def taken_back(
        self, session_id: str, index: int, at: int | None = None
    ) -> tuple[Revision, Entry]:
        """Take back what the entry at ``index`` changed and keep the rest, as a new entry.

        ``at`` is the entry to start from, by default the current one. Taking that one itself back
        is undo, or redo if undo made it. Raises ``InvalidRequest`` for an entry that did not lead
        there.
        """
        base = (
            self._trees.current(session_id)
            if at is None
            else self._trees.entry_at(session_id, at, "at")
        )
        if base is not None and index == base.index:
            revision, undone = self._rewinder.go(session_id, GoBack(to=_opposite(base)), base)
            if undone is None:
                raise InvalidRequest(
                    revision.message, (FieldProblem("take_back", revision.message),)
                )
            return revision, undone
        way = [] if base is None else list(self._rewinder.way_back(session_id, base.index))
        at = next((n for n, one in enumerate(way) if one.index == index), None)
        if base is None or at is None or at + 1 == len(way):
            problem = "is not among the changes that led to the present prompt"
            raise InvalidRequest(
                f"Prompt {index} {problem}.", (FieldProblem("take_back", problem),)
            )
        undone = way[at]
        text, scene, settings = without(undone, way[at + 1], way[:at][::-1])
        revision = Revision(
            prompt=text,
            scene=scene,
            changes=base.scene.changes_to(scene),
            understood=True,
            message="Taken back.",
            provider=base.provider,
        )
        made = tuned(revision, base, f"take back: {undone.request}"[:400], settings)
        return revision, self._trees.append(session_id, made)

    def note(self, session_id: str, request: str, revision: Revision, made: Entry | None) -> None:
        """Store a request and its result as a turn of the dialogue."""
        turn = Turn(
            request=request.strip(),
            actions=revision.actions,
            message=f"{revision.message} {revision.hint}".strip(),
            entry=None if made is None else made.index,
            created_at=datetime.now(UTC),
        )
        self._store.add_turn(session_id, turn)

    def _check_entries(self, session_id: str, actions: Sequence[Action]) -> None:
        for action in actions:
            named: tuple[int, ...] = ()
            if isinstance(action, Render | Compare):
                named = action.entries
            elif isinstance(action, Star) and action.entry is not None:
                named = (action.entry,)
            for index in named:
                self._trees.entry_at(session_id, index, "entries")

    def _landmarks(self, session_id: str) -> tuple[Landmark, ...]:
        newest = self._store.newest(session_id, _LANDMARKS)
        return tuple(
            Landmark(one.index, one.parent, one.request, one.scene, one.kind is EntryKind.VARIATION)
            for one in reversed(newest)
        )


def _possible(actions: Sequence[Action], entry: Entry) -> tuple[Action, ...]:
    """Return the actions that can be applied to ``entry`` one after another."""
    kept: list[Action] = []
    prompt, scene = strip_marker(entry.prompt), entry.scene
    for action in actions:
        try:
            done = enact(prompt, scene, (action,), scene_of=scene_of)
        except InvalidRequest:
            continue
        prompt, scene = done.prompt, done.scene
        kept.append(action)
    return tuple(kept)


def _is_of_same(action: Action, before: Entry, after: Entry) -> bool:
    """Tell whether the entity of an action is the same in both entries, not another with its id."""
    name = getattr(action, "entity", "") or getattr(action, "actor", "")
    one, other = before.scene.entity(name), after.scene.entity(name)
    return one is None or (other is not None and one.noun == other.noun)


def _settings_after(base: Entry, actions: Sequence[Action], host: Host) -> RenderSettings:
    settings = _set_by(actions, base.settings)
    if settings != base.settings:
        host.standing(settings)  # raises for what the engine cannot render
    return settings


def _set_by(actions: Sequence[Action], settings: RenderSettings) -> RenderSettings:
    for action in actions:
        if isinstance(action, SetRender):
            settings = changed_settings(settings, action.values)
    return settings


def _standing(standing: Standing, settings: RenderSettings) -> RenderSettings:
    try:
        return standing(settings)
    except InvalidRequest:  # invalid settings must stay changeable
        return settings


def _opposite(entry: Entry) -> Step:
    """Return the step that takes ``entry`` back."""
    is_undo = any(isinstance(a, GoBack) and a.to is Step.UNDO for a in entry.actions)
    return Step.REDO if is_undo else Step.UNDO


def _own_words(back: GoBack, request: str) -> str:
    """Return the request if it says more than the step itself, such as "undo"."""
    return (
        request.strip()
        if back.keep or (isinstance(back.to, int) and not isinstance(back.to, bool))
        else ""
    )


def _part(turns: Sequence[Turn]) -> str:
    """Return which of several things the last request was about: "the younger one"."""
    last = turns[-1].actions if turns else ()
    return next((a.part for a in reversed(last) if isinstance(a, AddBeat)), "")


def _focus(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return the entities of the last requests, the latest first."""
    spoken: list[str] = []
    for turn in reversed(turns[-3:]):
        for action in reversed(turn.actions):
            if isinstance(action, EditEntity):
                spoken.append(action.entity)
            elif isinstance(action, AddEntity) and action.id:
                spoken.append(action.id)
            elif isinstance(action, AddBeat | ChangeBeat) and action.actor:
                spoken.append(action.actor)
    return tuple(dict.fromkeys(spoken))
