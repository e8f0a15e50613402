"""Understands a request: cuts it into parts, lets every rule compete for each, takes the best.

A part for which no reading is sure enough, or two are equally sure and mean different things, is
not understood and said so. Nothing here changes a prompt: what is understood is a list of actions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from workbench.actions.carrying import carry_out, held_by_locks
from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    EditEntity,
    EditField,
    SetRender,
)
from workbench.errors import InvalidRequest
from workbench.prompts.intents import (
    addition_intents,
    corrections,
    event_intents,
    identity_intents,
    keeping,
    look_intents,
    number_intents,
    questions,
    removal_intents,
    scene_intents,
    session_intents,
)
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.guards import is_sound
from workbench.prompts.intents.requests import (
    Piece,
    clean,
    correction_in,
    mended,
    pieces,
    same_but_in,
    without_politeness,
)
from workbench.prompts.intents.rules import matches
from workbench.prompts.intents.translating import english_of, is_other_language, is_strange
from workbench.scene import Scene

__all__ = ["THRESHOLD", "Understanding", "understand"]

THRESHOLD: Final = 0.5
"""The score below which a reading is not taken."""
_TIE: Final = 0.004
"""Two readings this close that mean different things are a tie."""
_CUT_COST: Final = 0.06
"""What a cut costs: a whole reading is better than two of the same score."""
_INTENTS: Final[Mapping[str, Intent]] = {
    **look_intents.INTENTS,
    **identity_intents.INTENTS,
    **number_intents.INTENTS,
    **addition_intents.INTENTS,
    **removal_intents.INTENTS,
    **event_intents.INTENTS,
    **scene_intents.INTENTS,
    **session_intents.INTENTS,
    **keeping.INTENTS,
}
_CARRIED: Final = re.compile(
    r"(?P<lead>(?:please\s+)?(?:add|include|remove|delete|lose|drop|without|no|no more|more|less|fewer|keep|lock|unlock|"
    r"don't change|there should be|make (?:it|him|her|them|the [\w ]+?)|with|get rid of|give|lend|"
    r"(?:the )?[\w ]+? should be|swap out|put|show)(?: (?:a|an|the|some|any|more))?)\s+(?=\S)",
    re.IGNORECASE,
)
"""A verb that a later part goes on with: "add a dog and a cat"."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a request asks for."""

    actions: tuple[Action, ...] = ()
    scene: Scene = field(default_factory=Scene.empty)
    """The scene with the actions carried out, as far as they change scenes."""
    missed: tuple[str, ...] = ()
    """Parts that were not understood."""
    helps: tuple[str, ...] = ()
    """Why what was understood cannot be done, and what would help."""
    kept: frozenset[str] = frozenset()
    """Fields that the request wants unchanged."""
    locked: tuple[str, ...] = ()
    """Locked fields that kept an action from being carried out."""
    already: bool = False
    """Whether something was asked that is true already."""
    is_foreign: bool = False
    """Whether the request is in another language, and was not read."""
    answered: bool = False
    """Whether a question was answered."""

    @property
    def is_understood(self) -> bool:
        """Whether any part was understood."""
        return bool(self.actions or self.kept or self.locked or self.already or self.helps)


@dataclass(frozen=True, slots=True)
class _State:
    """The best reading of the first parts."""

    score: float
    context: Context
    read: tuple[tuple[str, Candidate | None], ...] = ()
    lead: str = ""
    """The verb with which the last part began."""


def understand(request: str, context: Context) -> Understanding:
    """Return what ``request`` asks for in ``context``."""
    text = clean(request)
    english = english_of(text) if is_strange(text) else None
    if english is not None:
        text = english
    elif is_other_language(text):
        return Understanding(scene=context.scene, missed=(text,), is_foreign=True)
    known = _words_of(context)
    text = mended(text, known)
    answer = questions.answered(text, context)
    if answer is not None:
        return Understanding((answer,), context.scene, answered=True)
    is_correction, rest = correction_in(_bare(text))
    rest = same_but_in(without_politeness(rest))
    again, rest = correction_in(rest) if not is_correction else (True, rest)
    if not rest:
        return Understanding(scene=context.scene)
    state = _best(pieces(without_politeness(rest)), context, is_correction=is_correction or again)
    return _outcome(state, context)


def _bare(text: str) -> str:
    return re.sub(
        r"^(?:hmm+|um+|uh|oh|ok|okay|well|hey)[\s,]+(?=\S)", "", text.strip(), flags=re.IGNORECASE
    )


def _words_of(context: Context) -> frozenset[str]:
    texts = [context.prompt, *(e.phrase for e in context.scene.cast), context.scene.setting]
    return frozenset(w.lower() for text in texts for w in re.findall(r"[\w'-]+", text))


def _best(parts: Sequence[Piece], context: Context, *, is_correction: bool) -> _State:
    """Return the best way to read ``parts``, each run of them as one or cut."""
    states: list[_State | None] = [None] * (len(parts) + 1)
    states[0] = _State(0.0, context)
    for start in range(len(parts)):
        before = states[start]
        if before is None:
            continue
        for end in range(start + 1, len(parts) + 1):
            if end - start > 4 or _is_stop(parts, start, end):
                break
            text = _joined(parts[start:end])
            state = _with_part(
                before, text, is_correction=is_correction and start == 0, single=end - start == 1
            )
            old = states[end]
            if state is not None and (old is None or state.score > old.score):
                states[end] = state
    return states[-1] or states[0] or _State(0.0, context)


def _is_stop(parts: Sequence[Piece], start: int, end: int) -> bool:
    """Tell whether a sentence ends between the first and the last of a run of parts."""
    return any(piece.joint.strip()[:1] in {".", ";", "!"} for piece in parts[start + 1 : end])


def _joined(parts: Sequence[Piece]) -> str:
    text = parts[0].text
    for piece in parts[1:]:
        text = f"{text}{piece.joint if piece.joint.startswith((',', ';', '.')) or piece.joint.endswith(' ') else piece.joint + ' '}{piece.text}"
    return text


def _with_part(before: _State, text: str, *, is_correction: bool, single: bool) -> _State | None:
    """Return the state after one more part; None where a run of parts has no reading of its own."""
    words = len(text.split())
    candidate = _read(text, before, is_correction=is_correction)
    if candidate is None:
        if not single:
            return None
        return _State(
            before.score - 0.02 * words, before.context, (*before.read, (text, None)), before.lead
        )
    context = _after(candidate, before.context)
    carried = _CARRIED.match(text)
    gained = words * candidate.score - _CUT_COST * words**0.5 - 0.1
    return _State(
        before.score + gained,
        context,
        (*before.read, (text, candidate)),
        carried["lead"] if carried else before.lead,
    )


def _read(text: str, before: _State, *, is_correction: bool) -> Candidate | None:
    """Return the best reading of a part; None where there is none, or two are equally good."""
    found: list[Candidate] = []
    bare = without_politeness(text)
    for said in dict.fromkeys((bare, text)):
        found += _candidates(said, before.context)
    if before.read and before.lead:
        short = re.sub(r"\s+(?:a|an|the|some|any|more)$", "", before.lead)
        found += [
            replace(one, score=one.score * 0.97)
            for lead in dict.fromkeys((before.lead, short))
            for one in _candidates(f"{lead} {bare}", before.context)
            if one.intent != "event"
        ]
    if is_correction:
        found += [
            one
            for one in corrections.candidates(bare, before.context, list(found))
            if is_sound(one, bare, before.context)
        ]
    found = [one for one in found if one.score >= THRESHOLD and not one.says_nothing]
    if not found:
        return None
    found.sort(key=lambda one: -one.score)
    best = found[0]
    rival = next((one for one in found[1:] if _differs(one, best)), None)
    if rival is not None and best.score - rival.score < _TIE and best.actions and rival.actions:
        return _settled(best, rival)
    return best


def _differs(one: Candidate, other: Candidate) -> bool:
    return (one.actions, one.kept, one.already) != (other.actions, other.kept, other.already)


def _settled(best: Candidate, rival: Candidate) -> Candidate | None:
    """Return the one of two equal readings that adds least; None where neither does."""
    sizes = [sum(isinstance(a, AddEntity | AddBeat) for a in one.actions) for one in (best, rival)]
    if sizes[0] != sizes[1]:
        return best if sizes[0] < sizes[1] else rival
    return best if len(best.actions) <= len(rival.actions) else rival


def _candidates(text: str, context: Context) -> Iterator[Candidate]:
    """Return every reading of ``text`` as a whole that the guards let through."""
    return (one for one in _readings(text, context) if is_sound(one, text, context))


def _readings(text: str, context: Context) -> Iterator[Candidate]:
    moved = scene_intents.stepped(text.lower(), context.scene)
    if moved is not None:
        actions = tuple(
            EditField(field=f, value=v) for f, v in moved.items() if getattr(context.scene, f) != v
        )
        # The longer the words, the less a step along one axis is all that they say.
        count = len(text.split())
        score = 0.9 if count <= 4 else 0.75 if count <= 7 and "," not in text else 0.6
        yield Candidate(actions, score, already=not actions, intent="step")
    settings = session_intents.settings_in(text, context)
    if settings is not None:
        yield settings
    camera = scene_intents.camera_in_words(text, context)
    if camera is not None:
        yield camera
    for name in ("scene_rules", "session_rules"):
        for match in matches(text, name, context):
            intent = _INTENTS.get(match.rule.intent)
            candidate = intent(match, context) if intent is not None else None
            if candidate is not None:
                yield candidate


def _after(candidate: Candidate, context: Context) -> Context:
    """Return the context after a part: the scene with its actions, and who was spoken of."""
    try:
        scene = carry_out(candidate.actions, context.scene)
    except InvalidRequest:
        scene = context.scene
    focus: list[str] = []
    for action in candidate.actions:
        if isinstance(action, EditEntity):
            focus.append(action.entity)
        elif isinstance(action, AddEntity):
            focus.append(action.id)
        elif isinstance(action, AddBeat) and action.actor:
            focus.append(action.actor)
        elif isinstance(action, ChangeBeat):
            beat = next((b for b in scene.beats if b.id == action.beat), None)
            focus += [beat.actor] if beat is not None and beat.actor else []
    part = next((a.part for a in reversed(candidate.actions) if isinstance(a, AddBeat)), "")
    return replace(
        context, scene=scene, focus=tuple(dict.fromkeys([*focus, *context.focus])), part=part
    )


def _outcome(state: _State, context: Context) -> Understanding:
    actions: list[Action] = []
    locked: list[str] = []
    missed: list[str] = []
    helps: list[str] = []
    kept: set[str] = set()
    already = False
    for text, candidate in state.read:
        if candidate is None:
            if not questions.is_small_talk(text):
                missed.append(text)
            continue
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
    actions = _in_sequence(_as_one_setting(actions, state.read), state.read)
    actions = [a for a in actions if not (isinstance(a, EditField) and a.field in kept)]
    free: list[Action] = []
    for action in actions:
        held = held_by_locks(action, context.scene)
        locked += held
        if not held:
            free.append(action)
    scene = carry_out(free, context.scene)
    return Understanding(
        tuple(free), scene, tuple(missed), tuple(dict.fromkeys(helps)), frozenset(kept),
        tuple(dict.fromkeys(locked)), already,
    )  # fmt: skip


def _as_one_setting(
    actions: Sequence[Action], read: Sequence[tuple[str, Candidate | None]]
) -> list[Action]:
    """Join render settings; a value that was said counts more than a step: "longer, 10 s"."""
    said: dict[str, Any] = {}
    stepped: dict[str, Any] = {}
    for _, candidate in read:
        for action in candidate.actions if candidate is not None else ():
            if isinstance(action, SetRender):
                into = (
                    stepped
                    if candidate is not None and candidate.intent == "setting_step"
                    else said
                )
                into |= action.values
    values = {**stepped, **said}
    if not values:
        return list(actions)
    first = next(i for i, a in enumerate(actions) if isinstance(a, SetRender))
    kept: list[Action] = [a for a in actions if not isinstance(a, SetRender)]
    kept.insert(min(first, len(kept)), SetRender(values=values))
    return kept


def _in_sequence(
    actions: Sequence[Action], read: Sequence[tuple[str, Candidate | None]]
) -> list[Action]:
    """Join camera movements that one request asks for into a sequence: "orbit, then push in"."""
    moves = [
        a for a in actions if isinstance(a, EditField) and a.field == "camera_movement" and a.value
    ]
    values = list(dict.fromkeys(str(a.value) for a in moves))
    if len(values) < 2 or len(read) < 2:
        return list(actions)
    joined = EditField(field="camera_movement", value=", then ".join(values))
    kept = [a for a in actions if a not in moves]
    return [*kept, joined]
