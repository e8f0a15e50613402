"""Undo, redo and starting over: walks a session's tree. Each step is a new entry; none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.prompts.composer.tuning import Control
from workbench.prompts.entries import entry
from workbench.prompts.model import Entry, EntryKind, Revision
from workbench.prompts.store import LAST, Pointer, PromptStore
from workbench.scene import SCENE_FIELDS, Origin, Scene

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


Rewrite = Callable[[str, Scene, Scene], str]
"""Returns a prompt as it reads when its scene is the second instead of the first."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A prompt and scene to stand at; ``kept`` are the fields that a lock has kept as they were."""

    prompt: str
    scene: Scene
    kept: tuple[str, ...] = ()


class Rewinder:
    """Goes back and forth in the sessions of one store. Locks stay as they are on every way."""

    def __init__(self, store: PromptStore, provider: str, rewrite: Rewrite) -> None:
        self._store = store
        self._provider = provider
        self._rewrite = rewrite

    def turn(
        self, session_id: str, control: Control, base: Entry | None
    ) -> tuple[Revision, Entry | None]:
        """Carry out undo, redo or starting over: a new entry that repeats an earlier one."""
        target, redo = self._target(session_id, control, base) if base else (None, ())
        if base is None or target is None:
            return self._nothing_done(base, _NOTHING[control]), None
        there = self._reached(base, target)
        if there.scene == base.scene and there.kept:
            return self._nothing_done(base, _held_by_locks(there.kept)), None
        changes = base.scene.changes_to(there.scene)
        message = " ".join(filter(None, (_DONE[control], _held_by_locks(there.kept))))
        repeated = entry(
            EntryKind.TUNED,
            there.prompt,
            there.scene,
            provider=target.provider,
            parent=base.index,
            changes=changes,
            request=control.value.replace("_", " "),
            is_fallback=target.is_fallback,
            source=target.source,
            message=message,
        )
        stored = self._store.append(
            session_id, [repeated], pointer=Pointer(LAST, redo), restores=[target.index]
        )[0]
        revision = Revision(
            prompt=there.prompt,
            scene=there.scene,
            changes=changes,
            understood=True,
            message=message,
            provider=target.provider,
            is_fallback=target.is_fallback,
        )
        return revision, stored

    def _target(
        self, session_id: str, control: Control, base: Entry
    ) -> tuple[Entry | None, tuple[int, ...]]:
        """Return where to go, and what a redo would then restore; None for nowhere."""
        redo = self._store.pointer(session_id).redo
        if control is Control.REDO:
            return (self._store.entry(session_id, redo[-1]), redo[:-1]) if redo else (None, ())
        here = self._store.restored_by(session_id, base.index)
        earlier = [e for e in self._way_back(session_id, here) if not self._is_same(base, e)]
        if not earlier:
            return None, redo
        return earlier[0 if control is Control.UNDO else -1], (*redo, here)

    def _way_back(self, session_id: str, index: int) -> Iterator[Entry]:
        """Return the entries that led to the one at ``index``, the latest first."""
        at = self._store.entry(session_id, index)
        while at is not None and at.parent is not None:
            at = self._store.entry(session_id, self._store.restored_by(session_id, at.parent))
            if at is not None:
                yield at

    def _is_same(self, base: Entry, target: Entry) -> bool:
        """Tell whether nothing but locks would change: setting a lock is no step to be undone."""
        there = self._reached(base, target)
        return not there.kept and (there.prompt, there.scene) == (base.prompt, base.scene)

    def _reached(self, base: Entry, target: Entry) -> _Standing:
        """Return ``target`` with the locks of ``base``, and what they hold."""
        now, then = base.scene, target.scene
        locked = [name for name in SCENE_FIELDS if now.is_locked(name)]
        kept = tuple(name for name in locked if getattr(now, name) != getattr(then, name))
        freed = then.unlock(*(f for f in SCENE_FIELDS if then.is_locked(f) and f not in locked))
        scene = freed.edit(
            {name: getattr(now, name) for name in locked}, origin=Origin.LOCKED, force=True
        )
        prompt = self._rewrite(target.prompt, then, scene) if kept else target.prompt
        return _Standing(prompt, scene, kept)

    def _nothing_done(self, base: Entry | None, message: str) -> Revision:
        return Revision(
            prompt=base.prompt if base else "",
            scene=base.scene if base else Scene(),
            changes=(),
            understood=True,
            message=message,
            provider=self._provider,
        )


def _held_by_locks(fields: Sequence[str]) -> str:
    """Return what to say of ``fields`` that a lock has kept; empty for none."""
    names = ", ".join(name.replace("_", " ") for name in fields)
    return f"Locked, so left as it is: {names}." if names else ""
