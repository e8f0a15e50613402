"""Sessions: journeys through prompts, kept durably as trees. Knows the writer and the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.identifiers import Kind, is_identifier, new_identifier
from workbench.prompts.chat import OnText
from workbench.prompts.composer.tuning import Control, control_of
from workbench.prompts.markers import add_marker, strip_marker
from workbench.prompts.model import (
    Draft,
    Entry,
    EntryKind,
    Exchange,
    PromptSession,
    Revision,
    SessionSummary,
    Source,
    Variation,
)
from workbench.prompts.session_files import read_session, write_session
from workbench.prompts.store import Pointer, PromptStore
from workbench.prompts.writer import PromptWriter
from workbench.scene import LIST_FIELDS, SCENE_FIELDS, Origin, Scene
from workbench.settings import Settings

__all__ = ["Sessions"]

_LAST = -1


class Sessions:
    """Every session of one index. Cheap to create; safe to use from several threads."""

    def __init__(self, settings: Settings, writer: PromptWriter) -> None:
        self._writer = writer
        self._store = PromptStore(settings.index_path)

    async def enhance(
        self,
        rough_prompt: str,
        session_id: str | None = None,
        *,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> tuple[str, Entry]:
        """Enhance ``rough_prompt`` into the session; a null or unknown id starts a new one.

        ``on_text`` is called by the event loop with the prompt so far as it grows, where a language
        model can stream; the entry's text replaces it.
        """
        draft = await self._writer.enhance(rough_prompt, seed=seed, on_text=on_text)
        held = self._locked_values(session_id)
        if held:
            draft = await self._with_locks(draft, held)
        if session_id is None or self._store.created_at(session_id) is None:
            session_id = self._begin()
        entry = _entry(
            EntryKind.ENHANCED,
            draft.prompt,
            draft.scene,
            provider=draft.provider,
            request=rough_prompt.strip(),
            is_fallback=draft.is_fallback,
            message=draft.message,
        )
        return session_id, self._append(session_id, entry, draft.exchanges)

    async def initialize(self, prompt: str, session_id: str | None = None) -> tuple[str, Entry]:
        """Take ``prompt`` as it is, with the scene found in it; raises ``NotFound``.

        A prompt that the session already holds is not added again.
        """
        if session_id is not None:
            self._check(session_id)
            known = self._store.find(session_id, prompt.strip())
            if known is not None:
                return session_id, known
        draft = await self._writer.extract(prompt)
        session_id = session_id or self._begin()
        return session_id, self._append(session_id, _given(draft), draft.exchanges)

    def restore(self, prompt: str, scene: Scene) -> tuple[str, Entry]:
        """Start a session from a prompt whose scene is known, such as a recipe's."""
        session_id = self._begin()
        return session_id, self._append(
            session_id, _entry(EntryKind.GIVEN, prompt, scene, provider=self._writer.name)
        )

    async def variations(
        self,
        session_id: str,
        selected: Sequence[int],
        total: int = 8,
        *,
        axes: Sequence[str] = (),
        hold: Sequence[str] = (),
        seed: int = 0,
        on_entry: Callable[[Entry], object] | None = None,
    ) -> tuple[Entry, ...]:
        """Return ``total`` distinct prompts: the ``selected`` entries, then variations of them.

        ``on_entry`` is called by the event loop with each new one as soon as it is kept: with a
        language model, some come well before the last. Of a call that is broken off, what was
        told stays in the history.

        Raises ``NotFound``, and ``InvalidRequest`` for an index or field that does not exist.
        """
        self._check(session_id)
        chosen = self._selected(session_id, selected)
        _check_fields("hold", hold)
        parents = [(entry.prompt, entry.scene) for entry in chosen]
        kept: dict[str, Entry] = {}
        loop = asyncio.get_running_loop()

        def keep(made: Sequence[Variation]) -> None:
            entries = [_varied(v, chosen[v.parent]) for v in made]
            stored = self._store.append(session_id, entries, [v.exchanges for v in made])
            kept.update((v.prompt, entry) for v, entry in zip(made, stored, strict=True))
            if on_entry is not None:
                for entry in stored:
                    loop.call_soon(on_entry, entry)

        made = await self._writer.vary(
            parents,
            max(0, total - len(chosen)),
            axes=axes,
            hold=hold,
            seed=seed,
            avoid=tuple(self._store.prompts(session_id)),
            on_variations=keep,
        )
        await asyncio.sleep(0)  # all are told before they are returned
        return (*chosen, *(kept[v.prompt] for v in made))[:total]

    async def update(
        self, session_id: str, user_request: str, prompt: str | None = None
    ) -> tuple[Revision, Entry | None]:
        """Tune the prompt that the session stands at, or ``prompt``, as the request says.

        Understands undo, redo and starting over. The entry is None when nothing changed.
        Raises ``NotFound``.
        """
        self._check(session_id)
        base, draft = await self._base(session_id, prompt)
        control = control_of(user_request)
        if control is not None and draft is None:
            return self._turn(session_id, control, base)
        if base is None and draft is None:
            raise InvalidRequest(
                "The session has no prompt to tune yet.", (FieldProblem("prompt", "is missing"),)
            )
        text, scene = (base.prompt, base.scene) if base else _parts(draft)
        revision = await self._writer.revise(text, scene, user_request)
        if not revision.changes:
            return revision, None
        if base is None and draft is not None:
            base = self._append(session_id, _given(draft), draft.exchanges)
        entry = _entry(
            EntryKind.TUNED,
            revision.prompt,
            revision.scene,
            provider=revision.provider,
            parent=base.index if base else None,
            changes=revision.changes,
            request=user_request.strip(),
            is_fallback=revision.is_fallback,
            message=revision.message,
        )
        return revision, self._append(session_id, entry, revision.exchanges)

    def session(self, session_id: str) -> PromptSession:
        """Return the session with all its entries; raises ``NotFound``."""
        created_at = self._check(session_id)
        return PromptSession(session_id, created_at, self._store.entries(session_id))

    def history(
        self, session_id: str, *, limit: int | None = None, after: int | None = None
    ) -> tuple[Entry, ...]:
        """Return entries in order, those past index ``after``, at most ``limit``; or ``NotFound``."""
        self._check(session_id)
        return self._store.entries(session_id, limit=limit, after=after)

    def current(self, session_id: str) -> Entry | None:
        """Return the entry that tuning acts on: the newest that is not a mere variation."""
        self._check(session_id)
        head = self._store.pointer(session_id).head
        if head is None:
            return next(iter(self._store.entries(session_id, limit=1)), None)
        return self._store.entry(session_id, head)

    def set_scene(
        self,
        session_id: str,
        index: int,
        values: Mapping[str, str | Sequence[str]],
        *,
        lock: Sequence[str] = (),
        unlock: Sequence[str] = (),
    ) -> Entry:
        """Set, lock and free fields of the entry's scene by hand; a new entry with its prompt.

        Raises ``NotFound``, and ``InvalidRequest`` for an index or field that does not exist or a
        value of the wrong shape.
        """
        self._check(session_id)
        base = self._entry_at(session_id, index, "index")
        for name, fields in (("values", tuple(values)), ("lock", lock), ("unlock", unlock)):
            _check_fields(name, fields)
        scene = base.scene.unlock(*unlock) if unlock else base.scene
        scene = scene.edit(_shaped(values), origin=Origin.EDITED, force=True)
        relocked = [f for f in base.scene.provenance if base.scene.is_locked(f) and f not in unlock]
        scene = scene.lock(*dict.fromkeys((*relocked, *lock)))
        text = self._writer.rewrite(base.prompt, base.scene, scene)
        entry = _entry(
            EntryKind.TUNED,
            text,
            scene,
            provider=base.provider,
            parent=base.index,
            changes=base.scene.changes_to(scene),
            is_fallback=base.is_fallback,
        )
        return self._append(session_id, entry)

    def link_jobs(self, session_id: str, index: int, job_ids: Sequence[str]) -> None:
        """Note that ``job_ids`` were rendered from the entry at ``index``; raises ``NotFound``."""
        self._check(session_id)
        self._entry_at(session_id, index, "index")
        self._store.link_jobs(session_id, index, job_ids)

    def transcript(self, session_id: str, index: int) -> tuple[Exchange, ...]:
        """Return what was said to a language model for the entry; raises ``NotFound``."""
        self._check(session_id)
        self._entry_at(session_id, index, "index")
        return self._store.exchanges(session_id, index)

    def sessions(self, *, limit: int = 20) -> tuple[SessionSummary, ...]:
        """Return the sessions used last, newest first."""
        return self._store.summaries(limit)

    def export(self, session_id: str) -> dict[str, Any]:
        """Return the session as one JSON document; raises ``NotFound``."""
        session = self.session(session_id)
        said = [self._store.exchanges(session_id, e.index) for e in session.entries]
        return write_session(session, said, self._store.pointer(session_id).head)

    def import_(self, document: dict[str, Any]) -> str:
        """Add the session of an exported document under a new id, and return that id.

        Raises ``InvalidRequest`` when the document is not an exported session.
        """
        entries, exchanges, head = read_session(document)
        session_id = self._begin()
        if entries:
            self._store.append(session_id, entries, exchanges, pointer=Pointer(head))
        return session_id

    def close(self) -> None:
        """Close the index."""
        self._store.close()

    def _begin(self) -> str:
        session_id = new_identifier(Kind.SESSION)
        self._store.create(session_id, datetime.now(UTC))
        return session_id

    def _check(self, session_id: str) -> datetime:
        created_at = (
            self._store.created_at(session_id) if is_identifier(session_id, Kind.SESSION) else None
        )
        if created_at is None:
            raise NotFound("session", session_id)
        return created_at

    def _append(self, session_id: str, entry: Entry, exchanges: Sequence[Exchange] = ()) -> Entry:
        stored = self._store.append(session_id, [entry], [exchanges], pointer=Pointer(_LAST))
        return stored[0]

    def _entry_at(self, session_id: str, index: int, field: str) -> Entry:
        entry = self._store.entry(session_id, index)
        if entry is None:
            problem = f"the session has no prompt {index}"
            raise InvalidRequest(
                f"{problem[0].upper()}{problem[1:]}.", (FieldProblem(field, problem),)
            )
        return entry

    def _selected(self, session_id: str, selected: Sequence[int]) -> list[Entry]:
        field = "selected_indices"
        if not selected:
            raise InvalidRequest("Select at least one prompt.", (FieldProblem(field, "is empty"),))
        found: dict[str, Entry] = {}
        for index in selected:
            entry = self._entry_at(session_id, index, field)
            found.setdefault(entry.prompt, entry)
        return list(found.values())

    async def _base(self, session_id: str, prompt: str | None) -> tuple[Entry | None, Draft | None]:
        """Return the entry to tune, or a draft of the text when the session does not hold it."""
        current = self.current(session_id)
        if prompt is None or not prompt.strip():
            return current, None
        if current is not None and current.prompt == prompt.strip():
            return current, None
        known = self._store.find(session_id, prompt.strip())
        if known is not None:
            return known, None
        draft = await self._writer.extract(prompt)
        held = self._locked_values(session_id)
        return None, _locked(draft, held)

    def _locked_values(self, session_id: str | None) -> dict[str, Any]:
        if session_id is None or self._store.created_at(session_id) is None:
            return {}
        current = self.current(session_id)
        if current is None:
            return {}
        scene = current.scene
        return {name: getattr(scene, name) for name in SCENE_FIELDS if scene.is_locked(name)}

    async def _with_locks(self, draft: Draft, held: Mapping[str, Any]) -> Draft:
        scene = draft.scene.edit(held, origin=Origin.LOCKED, force=True)
        text = self._writer.rewrite(draft.prompt, draft.scene, scene)
        return Draft(text, scene, draft.provider, draft.is_fallback, draft.message, draft.exchanges)

    def _turn(
        self, session_id: str, control: Control, base: Entry | None
    ) -> tuple[Revision, Entry | None]:
        """Carry out undo, redo or starting over: a new entry that repeats an earlier one."""
        pointer = self._store.pointer(session_id)
        here = self._store.restored_by(session_id, base.index) if base else None
        target, redo = self._target(session_id, control, here, pointer)
        if base is None or target is None:
            return self._standing(base, control), None
        changes = base.scene.changes_to(target.scene)
        message = {"undo": "Undone.", "redo": "Done again.", "start_over": "Back at the start."}
        entry = _entry(
            EntryKind.TUNED,
            target.prompt,
            target.scene,
            provider=target.provider,
            parent=base.index,
            changes=changes,
            request=control.value.replace("_", " "),
            is_fallback=target.is_fallback,
            source=target.source,
            message=message[control.value],
        )
        stored = self._store.append(
            session_id, [entry], pointer=Pointer(_LAST, redo), restores=target.index
        )[0]
        revision = Revision(
            prompt=target.prompt,
            scene=target.scene,
            changes=changes,
            understood=True,
            message=message[control.value],
            provider=target.provider,
            is_fallback=target.is_fallback,
        )
        return revision, stored

    def _target(
        self, session_id: str, control: Control, here: int | None, pointer: Pointer
    ) -> tuple[Entry | None, tuple[int, ...]]:
        if here is None:
            return None, ()
        if control is Control.REDO:
            if not pointer.redo:
                return None, ()
            return self._store.entry(session_id, pointer.redo[-1]), pointer.redo[:-1]
        entry = self._store.entry(session_id, here)
        parent = entry.parent if entry else None
        if control is Control.UNDO:
            if parent is None:
                return None, pointer.redo
            parent = self._store.restored_by(session_id, parent)
            return self._store.entry(session_id, parent), (*pointer.redo, here)
        while entry is not None and entry.parent is not None:
            entry = self._store.entry(session_id, entry.parent)
        if entry is None or entry.index == here:
            return None, pointer.redo
        return entry, (*pointer.redo, here)

    def _standing(self, base: Entry | None, control: Control) -> Revision:
        nothing = {
            Control.UNDO: "There is nothing to undo.",
            Control.REDO: "There is nothing to redo.",
            Control.START_OVER: "This is the start already.",
        }
        return Revision(
            prompt=base.prompt if base else "",
            scene=base.scene if base else Scene(),
            changes=(),
            understood=True,
            message=nothing[control],
            provider=self._writer.name,
        )


def _entry(kind: EntryKind, prompt: str, scene: Scene, *, provider: str, **more: Any) -> Entry:
    values: dict[str, Any] = {
        "parent": None,
        "changes": (),
        "created_at": datetime.now(UTC),
        **more,
    }
    return Entry(index=-1, kind=kind, prompt=prompt, scene=scene, provider=provider, **values)


def _given(draft: Draft) -> Entry:
    return _entry(
        EntryKind.GIVEN,
        draft.prompt,
        draft.scene,
        provider=draft.provider,
        is_fallback=draft.is_fallback,
        message=draft.message,
    )


def _varied(variation: Variation, parent: Entry) -> Entry:
    return _entry(
        EntryKind.VARIATION,
        add_marker(variation.prompt, variation.source)
        if variation.source is not Source.PROVIDER
        and strip_marker(variation.prompt) == variation.prompt
        else variation.prompt,
        variation.scene,
        provider=variation.provider,
        parent=parent.index,
        changes=variation.changes,
        source=variation.source,
        is_fallback=variation.source is not Source.PROVIDER,
    )


def _parts(draft: Draft | None) -> tuple[str, Scene]:
    return (draft.prompt, draft.scene) if draft else ("", Scene())


def _locked(draft: Draft, held: Mapping[str, Any]) -> Draft:
    scene = draft.scene.edit(held, origin=Origin.LOCKED, force=True)
    return Draft(
        draft.prompt, scene, draft.provider, draft.is_fallback, draft.message, draft.exchanges
    )


def _check_fields(name: str, fields: Sequence[str]) -> None:
    unknown = [field for field in fields if field not in SCENE_FIELDS]
    if unknown:
        problems = tuple(FieldProblem(f"{name}.{f}", "is no scene field") for f in unknown)
        raise InvalidRequest(f"A scene has no field {unknown[0]!r}.", problems)


def _shaped(values: Mapping[str, str | Sequence[str]]) -> dict[str, str | tuple[str, ...]]:
    shaped: dict[str, str | tuple[str, ...]] = {}
    for name, value in values.items():
        if name in LIST_FIELDS:
            shaped[name] = (value,) if isinstance(value, str) else tuple(value)
        elif isinstance(value, str):
            shaped[name] = value
        else:
            raise InvalidRequest(
                f"{name} takes one text.", (FieldProblem(f"values.{name}", "must be a text"),)
            )
    return shaped
