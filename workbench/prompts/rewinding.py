"""Navigates a session's tree: undo, redo, the start, an entry. Each step is a new entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.actions.model import GoBack, Step
from workbench.actions.render_settings import RenderSettings
from workbench.prompts.entries import entry
from workbench.prompts.model import Entry, EntryKind, Revision
from workbench.prompts.store import LAST, Pointer, PromptStore
from workbench.scene import SCENE_FIELDS, Origin, Scene

__all__ = ["Rewinder"]

_DONE: Final = {Step.UNDO: "Undone.", Step.REDO: "Redone.", Step.START: "Back at the start."}
_NOTHING: Final = {
    Step.UNDO: "There is nothing to undo.",
    Step.REDO: "There is nothing to redo.",
    Step.START: "This is the start already.",
}
_NAMES: Final = {Step.START: "start over"}


Rewrite = Callable[[str, Scene, Scene], str]
"""Returns a prompt rewritten from the first scene to the second."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A prompt, scene and settings to go to; ``kept`` are the fields that locks kept."""

    prompt: str
    scene: Scene
    settings: RenderSettings
    kept: tuple[str, ...] = ()


class Rewinder:
    """Goes back and forth in the sessions of one store. Locks never change."""

    def __init__(self, store: PromptStore, rewrite: Rewrite) -> None:
        self._store = store
        self._rewrite = rewrite

    def go(
        self, session_id: str, action: GoBack, base: Entry | None, request: str = ""
    ) -> tuple[Revision, Entry | None]:
        """Undo, redo, start over or go to an entry, by a new entry that repeats it."""
        target, redo = self._target(session_id, action, base) if base else (None, ())
        if base is None or target is None:
            return self._nothing_done(base, action, _nothing(action)), None
        there = self._reached(base, target, action.keep)
        if (there.scene, there.settings) == (base.scene, base.settings) and there.kept:
            return self._nothing_done(base, action, _held_by_locks(there.kept)), None
        changes = base.scene.changes_to(there.scene)
        message = " ".join(filter(None, (_done(action), _held_by_locks(there.kept))))
        repeated = entry(
            EntryKind.TUNED,
            there.prompt,
            there.scene,
            provider=target.provider,
            parent=base.index,
            changes=changes,
            request=_said(action, request),
            is_fallback=target.is_fallback,
            source=target.source,
            message=message,
            actions=(action,),
            settings=there.settings,
        )
        is_copy = isinstance(action.to, Step) and not action.keep
        stored = self._store.append(
            session_id,
            [repeated],
            pointer=Pointer(LAST, redo),
            restores=[target.index if is_copy else None],
        )[0]
        revision = Revision(
            prompt=there.prompt,
            scene=there.scene,
            changes=changes,
            understood=True,
            message=message,
            provider=target.provider,
            is_fallback=target.is_fallback,
            actions=(action,),
        )
        return revision, stored

    def way_back(self, session_id: str, index: int) -> tuple[Entry, ...]:
        """Return the entries that led to the one at ``index``, it first, without copies by undo."""
        here = self._store.entry(session_id, self._store.restored_by(session_id, index))
        return () if here is None else (here, *self._way_back(session_id, here.index))

    def _target(
        self, session_id: str, action: GoBack, base: Entry
    ) -> tuple[Entry | None, tuple[int, ...]]:
        """Return where to go and what a redo would then restore, or None."""
        redo = self._store.pointer(session_id).redo
        if action.to is Step.REDO:
            return (self._store.entry(session_id, redo[-1]), redo[:-1]) if redo else (None, ())
        here = self._store.restored_by(session_id, base.index)
        if not isinstance(action.to, Step):
            target = self._store.entry(session_id, action.to)
            return target, (*redo, here)
        earlier = [e for e in self._way_back(session_id, here) if not self._is_same(base, e)]
        if not earlier:
            return None, redo
        return earlier[0 if action.to is Step.UNDO else -1], (*redo, here)

    def _way_back(self, session_id: str, index: int) -> Iterator[Entry]:
        """Return the entries that led to the one at ``index``, the latest first."""
        at = self._store.entry(session_id, index)
        while at is not None and at.parent is not None:
            at = self._store.entry(session_id, self._store.restored_by(session_id, at.parent))
            if at is not None:
                yield at

    def _is_same(self, base: Entry, target: Entry) -> bool:
        """Tell whether only locks would change: setting a lock is not a step to undo."""
        there = self._reached(base, target, ())
        same = (there.prompt, there.scene, there.settings) == (
            base.prompt, base.scene, base.settings,
        )  # fmt: skip
        return not there.kept and same

    def _reached(self, base: Entry, target: Entry, keep: Sequence[str]) -> _Standing:
        """Return ``target`` with the locks of ``base`` and its fields in ``keep``."""
        now, then = base.scene, target.scene
        locked = [name for name in SCENE_FIELDS if now.is_locked(name)]
        kept = tuple(name for name in locked if getattr(now, name) != getattr(then, name))
        freed = then.unlock(*(f for f in SCENE_FIELDS if then.is_locked(f) and f not in locked))
        scene = freed.edit(
            {name: getattr(now, name) for name in locked}, origin=Origin.LOCKED, force=True
        )
        scene = _with_kept(scene, now, keep)
        prompt = self._rewrite(target.prompt, then, scene) if scene != then else target.prompt
        return _Standing(prompt, scene, target.settings, kept)

    def _nothing_done(self, base: Entry | None, action: GoBack, message: str) -> Revision:
        return Revision(
            prompt=base.prompt if base else "",
            scene=base.scene if base else Scene(),
            changes=(),
            understood=True,
            message=message,
            provider=base.provider if base else "builtin",
            actions=(action,),
        )


def _with_kept(scene: Scene, now: Scene, keep: Sequence[str]) -> Scene:
    """Return ``scene`` with the fields and entities of ``now`` that ``keep`` names."""
    fields = [name for name in keep if name in SCENE_FIELDS and not now.is_locked(name)]
    scene = scene.edit({name: getattr(now, name) for name in fields}, origin=Origin.EDITED)
    for entity in now.cast:
        if entity.id not in keep:
            continue
        scene = scene.with_entity(entity)
        for beat in now.beats_of(entity.id):
            if beat.id not in {one.id for one in scene.beats}:
                scene = scene.with_beat(beat)
    return scene


def _done(action: GoBack) -> str:
    said = _DONE[action.to] if isinstance(action.to, Step) else f"Back at prompt {action.to}."
    if not action.keep:
        return said
    fields = [name.replace("_", " ") for name in action.keep if name in SCENE_FIELDS]
    return f"{said} Kept: {', '.join(fields)}." if fields else said


def _nothing(action: GoBack) -> str:
    if isinstance(action.to, Step):
        return _NOTHING[action.to]
    return f"This session has no prompt {action.to}."


def _said(action: GoBack, request: str) -> str:
    if request:
        return request
    if isinstance(action.to, Step):
        return _NAMES.get(action.to, str(action.to))
    return f"go back to {action.to}"


def _held_by_locks(fields: Sequence[str]) -> str:
    """Return the message on ``fields`` that locks kept; empty for none."""
    names = ", ".join(name.replace("_", " ") for name in fields)
    return f"Locked, so left unchanged: {names}." if names else ""
