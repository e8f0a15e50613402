"""The sessions of one index as trees: finds entries, parents of texts, and locks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.identifiers import Kind, is_identifier, new_identifier
from workbench.prompts.entries import closest, edited, given, scene_after_edit, with_locks
from workbench.prompts.language_models.session_language import SessionLanguage
from workbench.prompts.model import Entry, Exchange
from workbench.prompts.store import LAST, Pointer, PromptStore
from workbench.prompts.writer import scene_of
from workbench.scene import SCENE_FIELDS

__all__ = ["Trees"]

_EDITED_AMONG: Final = 100
"""Newest prompts searched for the parent of an edited one."""


class Trees:
    """Finds and adds entries in the sessions of ``store``; ``language`` reads new texts."""

    def __init__(self, store: PromptStore, language: SessionLanguage) -> None:
        self._store = store
        self._language = language

    def begin(self) -> str:
        """Start a session and return its id."""
        session_id = new_identifier(Kind.SESSION)
        self._store.create(session_id, datetime.now(UTC))
        return session_id

    def check(self, session_id: str) -> datetime:
        """Return when the session began; raises ``NotFound``."""
        created_at = (
            self._store.created_at(session_id) if is_identifier(session_id, Kind.SESSION) else None
        )
        if created_at is None:
            raise NotFound("session", session_id)
        return created_at

    def current(self, session_id: str) -> Entry | None:
        """Return the current entry of the session; None while it has none."""
        head = self._store.pointer(session_id).head
        if head is None:
            return next(iter(self._store.entries(session_id, limit=1)), None)
        return self._store.entry(session_id, head)

    def append(self, session_id: str, entry: Entry, exchanges: Sequence[Exchange] = ()) -> Entry:
        """Add ``entry`` to the session as its current one, and return it as stored."""
        stored = self._store.append(session_id, [entry], [exchanges], pointer=Pointer(LAST))
        return stored[0]

    def entry_at(self, session_id: str, index: int, field: str) -> Entry:
        """Return the entry at ``index``; raises ``InvalidRequest``, naming ``field``."""
        entry = self._store.entry(session_id, index)
        if entry is None:
            problem = f"the session has no prompt {index}"
            raise InvalidRequest(
                f"{problem[0].upper()}{problem[1:]}.", (FieldProblem(field, problem),)
            )
        return entry

    def selected(self, session_id: str, selected: Sequence[int]) -> list[Entry]:
        """Return the selected entries, each text once; raises ``InvalidRequest``."""
        field = "selected_indices"
        if not selected:
            raise InvalidRequest("Select at least one prompt.", (FieldProblem(field, "is empty"),))
        found: dict[str, Entry] = {}
        for index in selected:
            entry = self.entry_at(session_id, index, field)
            found.setdefault(entry.prompt, entry)
        return list(found.values())

    async def at(self, session_id: str, prompt: str) -> tuple[Entry, Sequence[Exchange]]:
        """Return the entry of ``prompt``; without a number if the session does not have it."""
        current = self.current(session_id)
        if current is not None and current.prompt == prompt.strip():
            return current, ()
        known = self._store.find(session_id, prompt.strip())
        if known is not None:
            return known, ()
        origin = closest(prompt, self._store.newest(session_id, _EDITED_AMONG))
        return await self.read(session_id, prompt, origin)

    async def read(
        self, session_id: str, prompt: str, origin: Entry | None
    ) -> tuple[Entry, Sequence[Exchange]]:
        """Return the entry of a new prompt, as an edit of ``origin`` if given."""
        draft = await self._language.writer(session_id).extract(prompt)
        if origin is None:
            return given(with_locks(draft, self.locked_values(session_id))), draft.exchanges
        scene = scene_after_edit(
            origin.scene,
            scene_of(origin.prompt),
            scene_of(draft.prompt),
            draft.scene,
        )
        return edited(draft, origin, scene), draft.exchanges

    def kept(self, session_id: str, entry: Entry, said: Sequence[Exchange]) -> Entry:
        """Return the entry as stored in the session."""
        return entry if entry.index >= 0 else self.append(session_id, entry, said)

    def locked_values(self, session_id: str | None) -> dict[str, Any]:
        """Return the locked values of the current entry; empty for an unknown session."""
        if session_id is None or self._store.created_at(session_id) is None:
            return {}
        current = self.current(session_id)
        if current is None:
            return {}
        scene = current.scene
        return {name: getattr(scene, name) for name in SCENE_FIELDS if scene.is_locked(name)}
