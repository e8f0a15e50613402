"""Undo, redo and starting over: walks a session's tree. Each step is a new entry; none is lost."""

from __future__ import annotations

from typing import Final

from workbench.prompts.composer.tuning import Control
from workbench.prompts.entries import entry
from workbench.prompts.model import Entry, EntryKind, Revision
from workbench.prompts.store import LAST, Pointer, PromptStore
from workbench.scene import Scene

__all__ = ["Rewinder"]

_DONE: Final = {
    Control.UNDO: "Undone.",
    Control.REDO: "Done again.",
    Control.START_OVER: "Back at the start.",
}
_NOTHING: Final = {
    Control.UNDO: "There is nothing to undo.",
    Control.REDO: "There is nothing to redo.",
    Control.START_OVER: "This is the start already.",
}


class Rewinder:
    """Goes back and forth in the sessions of one store."""

    def __init__(self, store: PromptStore, provider: str) -> None:
        self._store = store
        self._provider = provider

    def turn(
        self, session_id: str, control: Control, base: Entry | None
    ) -> tuple[Revision, Entry | None]:
        """Carry out undo, redo or starting over: a new entry that repeats an earlier one."""
        pointer = self._store.pointer(session_id)
        here = self._store.restored_by(session_id, base.index) if base else None
        target, redo = self._target(session_id, control, here, pointer)
        if base is None or target is None:
            return self._standing(base, control), None
        changes = base.scene.changes_to(target.scene)
        repeated = entry(
            EntryKind.TUNED,
            target.prompt,
            target.scene,
            provider=target.provider,
            parent=base.index,
            changes=changes,
            request=control.value.replace("_", " "),
            is_fallback=target.is_fallback,
            source=target.source,
            message=_DONE[control],
        )
        stored = self._store.append(
            session_id, [repeated], pointer=Pointer(LAST, redo), restores=target.index
        )[0]
        revision = Revision(
            prompt=target.prompt,
            scene=target.scene,
            changes=changes,
            understood=True,
            message=_DONE[control],
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
        return Revision(
            prompt=base.prompt if base else "",
            scene=base.scene if base else Scene(),
            changes=(),
            understood=True,
            message=_NOTHING[control],
            provider=self._provider,
        )
