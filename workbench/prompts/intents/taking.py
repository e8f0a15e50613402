"""Collects the candidates of a request, and checks each against the prompt that it would produce.

The resulting text must be plain English and must not contradict itself, and the negative prompt
must not name what the prompt shows.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from workbench.actions.model import (
    AddBeat,
    AddEntity,
    ChangeBeat,
    EditEntity,
    EditField,
    Explain,
    GoBack,
    RewriteSentence,
)
from workbench.errors import InvalidRequest
from workbench.lexicon.words import sentences
from workbench.prompts.composer.composer import scene_of
from workbench.prompts.composer.editing import written
from workbench.prompts.enacting import enact
from workbench.prompts.intents import questions
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.contradictions import says, settled
from workbench.prompts.intents.grammar import is_broken
from workbench.prompts.intents.guards import has_sound_fields
from workbench.prompts.intents.outcome import ASIDE, Missed
from workbench.prompts.intents.references import is_singular
from workbench.prompts.intents.words import is_noun, noun_in_text

__all__ = ["Reading", "after"]


class Reading:
    """The parts of a request read so far, and the context after them."""

    def __init__(self, context: Context) -> None:
        self.here = context
        self.read: list[tuple[str, Candidate]] = []
        self.missed: list[Missed] = []
        self.asides: list[str] = []
        self.spoken = ""
        """The pronoun that began the latest statement."""

    def take(self, text: str, candidate: Candidate) -> tuple[str, ...]:
        """Take ``candidate`` as the meaning of ``text``; return the words still to be read.

        ``text`` is missed if the resulting sentence is broken, or if the scene lacks an entity of
        the candidate because the clause that adds it was not taken.
        """
        candidate = _without_contradiction(candidate, self.here)
        then = after(candidate, self.here)
        if (
            then is None
            or not has_sound_fields(candidate)
            or is_broken(self.here.prompt, then.prompt, written(then.scene))
        ):
            self.missed.append(Missed(text))
            return ()
        if shown := _still_shown(candidate, then):
            self.read.append((text, Candidate(help=_STILL_SHOWN.format(shown), score=1.0)))
            return ()
        self.read.append((text, candidate))
        self.here = then
        return candidate.left

    def all_missed(self) -> list[Missed]:
        """Return the missed parts; a request that is only talk is answered."""
        if self.asides and not self.read and not self.missed:
            text = " ".join(self.asides)
            self.take(text, Candidate((Explain(question=text, answer=questions.NOTED),), 1.0))
            return []
        is_back = any(isinstance(a, GoBack) for _, one in self.read for a in one.actions)
        missed = [
            replace(m, label=ASIDE) if is_back and _DENIAL.match(m.words) else m
            for m in self.missed
        ]
        return [*missed, *(Missed(text, ASIDE) for text in self.asides)]


def _without_contradiction(candidate: Candidate, here: Context) -> Candidate:
    """Return a candidate with the edits to what it contradicts in the prompt."""
    told = _told_by(candidate, here)
    made = settled(told, here) if told else None
    if made is None or not any(isinstance(a, RewriteSentence) for a in made.actions):
        return candidate
    is_said = any(isinstance(a, RewriteSentence) and says(a.after, told) for a in made.actions)
    kept = tuple(candidate.actions) if made.told and not is_said else ()
    return replace(candidate, actions=(*made.actions, *kept))


def _told_by(candidate: Candidate, here: Context) -> str:
    """Return the sentence of a candidate with one action or look; empty for others."""
    rest = [a for a in candidate.actions if not isinstance(a, AddEntity)]
    one = rest[0] if len(rest) == 1 else None
    if isinstance(one, AddBeat) and candidate.intent == "event":
        then = after(candidate, here)
        old = set(sentences(here.prompt))
        fresh = [s for s in sentences(then.prompt) if s not in old] if then is not None else []
        return fresh[0] if len(fresh) == 1 else ""
    is_look = isinstance(one, EditEntity) and one.aspect in _LOOKS and isinstance(one.value, str)
    entity = here.scene.entity(one.entity) if isinstance(one, EditEntity) and is_look else None
    if entity is None or not isinstance(one, EditEntity) or not one.value:
        return ""
    return f"The {entity.phrase} {'is' if is_singular(entity) else 'are'} {one.value}."


_LOOKS: Final = frozenset(["state", "mood", "age", "size", "build", "other"])
_STILL_SHOWN: Final = (
    "The prompt itself shows “{0}”, so that keeping it out would contradict it; nothing was changed. "
    "Say what is there instead, or take it out of the text with Edit."
)


def _still_shown(candidate: Candidate, then: Context) -> str:
    """Return a noun of the negative prompt that the prompt still names; empty if there is none."""
    barred = next(
        (
            a.value
            for a in candidate.actions
            if isinstance(a, EditField) and a.field == "negative_prompt"
        ),
        "",
    )
    here = {n.strip() for n in str(then.scene.negative_prompt).split(",")}
    for one in (n.strip() for n in str(barred).split(",")):
        head = one.split(" ")[0] if one else ""
        if one and one in here and is_noun(head) and noun_in_text(head, then.prompt):
            return head
    return ""


_DENIAL: Final = re.compile(r"(?:hm+|no|nah|ugh|ok|actually)?[ ,]*not\b", re.IGNORECASE)
"""A denial beside a request to go back: "not a kid"."""


def after(candidate: Candidate, context: Context) -> Context | None:
    """Return the context after ``candidate``: the new scene, prompt and focus.

    Returns None if the scene lacks what the actions refer to.
    """
    try:
        done = enact(context.prompt, context.scene, candidate.actions, scene_of=scene_of)
    except InvalidRequest:
        return None
    scene = done.scene
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
        context,
        scene=scene,
        prompt=done.prompt,
        focus=tuple(dict.fromkeys([*focus, *context.focus])),
        part=part,
    )
