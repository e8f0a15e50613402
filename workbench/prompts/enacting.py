"""Carries out scene actions on a prompt: the scene changes, and the text follows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from workbench.actions.carrying import carry_out, held_by_locks
from workbench.actions.model import Action, RewriteSentence
from workbench.errors import FieldProblem, InvalidRequest
from workbench.lexicon.words import sentences
from workbench.prompts.composer.editing import written
from workbench.prompts.composer.harmony import harmonize
from workbench.prompts.entries import scene_after_edit
from workbench.prompts.following.rewriting import rewrite
from workbench.scene import SCENE_FIELDS, Scene

__all__ = ["Enacted", "enact"]

ReadScene = Callable[[str], Scene]
_FIELDS: Final = frozenset(SCENE_FIELDS)


@dataclass(frozen=True, slots=True)
class Enacted:
    """A prompt after actions."""

    prompt: str
    scene: Scene
    locked: tuple[str, ...] = ()
    """Locked fields that prevented an action."""


def enact(
    prompt: str,
    scene: Scene,
    actions: Iterable[Action],
    *,
    scene_of: ReadScene,
    kept: Collection[str] = (),
) -> Enacted:
    """Return ``prompt`` and ``scene`` after ``actions``; session actions are skipped.

    ``kept`` fields never change, not even to fit the others. Inferred values that contradict a
    change give way. Raises ``InvalidRequest`` for what the scene does not have.
    """
    locked: list[str] = []
    waiting: list[Action] = []
    text = prompt
    for action in actions:
        held = held_by_locks(action, scene)
        locked += held
        if held:
            continue
        if isinstance(action, RewriteSentence):
            text, scene = _followed(text, scene, waiting, kept)
            waiting = []
            text, scene = _rewritten(text, scene, action, scene_of)
        else:
            waiting.append(action)
    text, scene = _followed(text, scene, waiting, kept)
    return Enacted(text, scene, tuple(dict.fromkeys(locked)))


def _followed(
    text: str, scene: Scene, actions: Iterable[Action], kept: Collection[str]
) -> tuple[str, Scene]:
    """Return text and scene after actions on the scene."""
    after = carry_out(actions, scene)
    changed = scene.differing(after)
    if not changed:
        return text, after
    held_fields = [name for name in kept if name in _FIELDS and getattr(after, name)]
    settled = harmonize(after.lock(*held_fields), set(changed))
    after = settled.with_origins_of(scene, held_fields)
    return rewrite(text, scene, after), after


def _rewritten(
    text: str, scene: Scene, action: RewriteSentence, scene_of: ReadScene
) -> tuple[str, Scene]:
    if action.before not in text:
        problem = "is not a sentence of the prompt"
        raise InvalidRequest(
            f"“{action.before[:80]}” {problem}.", (FieldProblem("before", problem),)
        )
    fresh = " ".join(text.replace(action.before, action.after, 1).split())
    if not fresh:
        problem = "would leave no text"
        raise InvalidRequest(f"That {problem}.", (FieldProblem("after", problem),))
    composed = written(scene)
    read = scene_of(_said(fresh, composed))
    return fresh, scene_after_edit(scene, scene_of(_said(text, composed)), read, read)


def _said(text: str, composed: Collection[str]) -> str:
    """Return ``text`` without the composer's sentences, which introduce nobody."""
    return " ".join(one for one in sentences(text) if one not in composed) or text
