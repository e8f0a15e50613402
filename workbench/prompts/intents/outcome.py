"""Combines the candidates of a request's parts into one understanding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.actions.carrying import held_by_locks
from workbench.actions.model import (
    Action,
    EditEntity,
    EditField,
    GoBack,
    SetRender,
)
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context

__all__ = ["ASIDE", "Missed", "Understanding", "outcome_of"]

ASIDE: Final = "aside"
"""Label of missed words that ask for nothing."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Words that were not understood, with the parser's label if it has one."""

    words: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Understanding:
    """The actions of a request, and what was not understood."""

    actions: tuple[Action, ...] = ()
    missed: tuple[Missed, ...] = ()
    """Parts that were not understood."""
    helps: tuple[str, ...] = ()
    """Why an understood part cannot be carried out, and what to say instead."""
    kept: frozenset[str] = frozenset()
    """Fields that must stay unchanged."""
    locked: tuple[str, ...] = ()
    """Locked fields that blocked an action."""
    already: bool = False
    """Whether the prompt already says something that was asked."""
    is_foreign: bool = False
    """Whether the request is in another language and was not read."""
    answered: bool = False
    """Whether a question was answered."""

    @property
    def is_understood(self) -> bool:
        """Whether any part was understood."""
        return bool(self.actions or self.kept or self.locked or self.already or self.helps)


def outcome_of(
    read: Sequence[tuple[str, Candidate]], missed: Sequence[Missed], context: Context
) -> Understanding:
    """Return the combined understanding of all parts, respecting locks and kept fields."""
    actions: list[Action] = []
    locked: list[str] = []
    helps: list[str] = []
    kept: set[str] = set()
    already = False
    for _, candidate in read:
        first = candidate.actions[0] if candidate.actions else None
        is_whole = isinstance(first, EditEntity) and first.aspect == "phrase"
        held = held_by_locks(first, context.scene) if first is not None and is_whole else ()
        locked += held
        if not held:
            actions += candidate.actions
        kept |= set(candidate.kept)
        already = already or candidate.already
        if candidate.help:
            helps.append(candidate.help)
    actions = [_without_camera(one) for one in actions]
    actions = _in_sequence(_as_one_setting(actions, read), read)
    actions = _as_one_way_back(actions, kept)
    actions = [a for a in actions if not (isinstance(a, EditField) and a.field in kept)]
    free: list[Action] = []
    for action in actions:
        held = held_by_locks(action, context.scene)
        locked += held
        if not held:
            free.append(action)
    return Understanding(
        tuple(free),
        tuple(missed),
        tuple(dict.fromkeys(helps)),
        frozenset(kept),
        tuple(dict.fromkeys(locked)),
        already,
    )


def _without_camera(action: Action) -> Action:
    """Return a camera movement without "the camera", which its sentence adds: "Camera: …"."""
    if not isinstance(action, EditField) or action.field != "camera_movement":
        return action
    bare = _CAMERA_NAMED.sub("", str(action.value))
    return action.model_copy(update={"value": bare}) if bare != action.value else action


_CAMERA_NAMED: Final = re.compile(r"^(?:with )?(?:the |a )?camera (?=\w+ing\b)", re.IGNORECASE)


def _as_one_way_back(actions: Sequence[Action], kept: set[str]) -> list[Action]:
    """Return ``actions`` with only the last ``GoBack``, extended by the kept fields."""
    back = [a for a in actions if isinstance(a, GoBack)]
    if not back:
        return list(actions)
    last = back[-1]
    if kept and not last.only:
        last = last.model_copy(update={"keep": tuple(dict.fromkeys([*last.keep, *sorted(kept)]))})
    return [last, *(a for a in actions if not isinstance(a, GoBack))]


def _as_one_setting(
    actions: Sequence[Action], read: Sequence[tuple[str, Candidate]]
) -> list[Action]:
    """Merge render settings; an explicit value wins over a step: "longer, 10 s"."""
    said: dict[str, Any] = {}
    stepped: dict[str, Any] = {}
    for _, candidate in read:
        for action in candidate.actions:
            if isinstance(action, SetRender):
                into = stepped if candidate.intent == "setting_step" else said
                into |= action.values
    values = {**stepped, **said}
    if not values:
        return list(actions)
    first = next(i for i, a in enumerate(actions) if isinstance(a, SetRender))
    kept: list[Action] = [a for a in actions if not isinstance(a, SetRender)]
    kept.insert(min(first, len(kept)), SetRender(values=values))
    return kept


def _in_sequence(actions: Sequence[Action], read: Sequence[tuple[str, Candidate]]) -> list[Action]:
    """Merge the camera movements of a request into a sequence: "orbit, then push in"."""
    moves = [
        a for a in actions if isinstance(a, EditField) and a.field == "camera_movement" and a.value
    ]
    values = list(dict.fromkeys(str(a.value) for a in moves))
    if len(values) < 2 or len(read) < 2:
        return list(actions)
    joined = EditField(field="camera_movement", value=", then ".join(values))
    kept = [a for a in actions if a not in moves]
    return [*kept, joined]
