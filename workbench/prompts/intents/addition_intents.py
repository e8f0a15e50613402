"""Requests to add somebody or something, or to move it in the picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from workbench.actions.model import Action, AddEntity, EditEntity
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.clauses import NounPhrase, verb_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import counted, same_as
from workbench.prompts.intents.identity_intents import SEASONS
from workbench.prompts.intents.look_intents import have
from workbench.prompts.intents.making import add_entity, added_with_doing
from workbench.prompts.intents.references import Reference, refer
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.words import (
    NUMBERS,
    is_plural,
    is_verb,
    place_named,
    subject_kind,
    word_list,
    words_of,
)

__all__ = ["INTENTS"]


def _add(match: Match, context: Context) -> Candidate | None:
    owner: Reference | None = match.value("entity")
    if owner is not None:
        return have(match, context)
    things: tuple[NounPhrase, ...] = match.value("things")
    where: str | None = match.value("where")
    if where is not None:
        things = tuple(replace(thing, position=thing.position or where) for thing in things)
    return _added(things, match.score, context, text=match.text("things"))


def _added(
    things: Sequence[NounPhrase], score: float, context: Context, *, text: str
) -> Candidate | None:
    actions: list[Action] = []
    for thing in things:
        if thing.noun in {"one", "thing", "something", "it"} or thing.noun in words_of(
            "misc", "unseen"
        ):
            return None
        is_definite = thing.determiner.lower() in {
            "the",
            "this",
            "that",
            "his",
            "her",
            "its",
            "their",
        }
        if thing.determiner.lower() == "the":
            score *= 0.7
        if is_definite and any(
            refer(f"{thing.determiner} {words}", context, only_cast=True)
            for words in (thing.phrase, thing.phrase.split()[0])
        ):
            return None
        if thing.determiner.lower() in {"his", "her", "its"} and verb_phrase(thing.phrase):
            return None
        if thing.noun in SEASONS or (_is_worn(thing) and refer(_place_of(thing.position), context)):
            return None
        own = same_as(thing, context)
        if (
            own is not None
            and not thing.position
            and not thing.doing
            and thing.determiner.lower() in NUMBERS
            and not thing.looks
        ):
            actions.append(counted(own, (own.count or 1) + (thing.count or 1)))
            continue
        if own is not None and not thing.position and not thing.doing and not thing.looks:
            return Candidate(already=True, score=score * 0.9)
        action = add_entity(
            thing,
            context,
            is_definite=False,
            taken=len([a for a in actions if isinstance(a, AddEntity)]),
        )
        actions.append(action)
        actions += added_with_doing(thing, action)
    del text
    return Candidate(tuple(actions), score, intent="add") if actions else None


def _is_worn(thing: NounPhrase) -> bool:
    return bool(set(thing.phrase.lower().split()) & (word_list("clothing") - word_list("colors")))


def _place_of(position: str) -> str:
    return re.sub(r"^(?:on|in|around|over)\s+", "", position)


def _named(match: Match, context: Context) -> Candidate | None:
    """Take a bare noun phrase as a wish to see it."""
    things: tuple[NounPhrase, ...] = match.value("things")
    first = things[0]
    if any(refer(t.text, context) is not None and not (t.doing or t.position) for t in things):
        return None
    word = first.phrase.lower()
    if (
        len(things) == 1
        and not first.determiner
        and " " not in word
        and is_verb(word)
        and not is_plural(word)
    ):
        return None  # "start", "stare": what somebody does
    said = bool(first.determiner) or first.position or first.doing or len(things) > 1
    is_many = all(t.is_plural for t in things)
    factor = 1.0 if said else 0.9 if is_many else 0.8
    if (
        place_named(first.noun)
        and not (first.doing or first.position)
        and subject_kind(first.noun) is None
    ):
        factor *= 0.75
    if any(t.determiner.lower() == "the" for t in things):
        factor *= 0.8
    if not context.leads() and first.doing:
        factor = 1.0
    return _added(things, match.score * factor, context, text=match.text("things"))


def _position(match: Match, _context: Context) -> Candidate | None:
    found: Reference = match.value("entity")
    if found.belonging or found.field or not found.ids:
        return None
    direction = match.groups.get("direction")
    where = match.value("where") or {
        "left": "on the left", "right": "on the right", "closer": "close to the camera",
        "back": "in the background", "forward": "in the foreground", "away": "far away",
        "up": "at the top", "down": "at the bottom",
    }.get(str(direction).lower(), "")  # fmt: skip
    if not where:
        return None
    if found.part:
        return Candidate(
            tuple(EditEntity(entity=i, aspect="position", value=f"{where}") for i in found.ids[:1]),
            match.score * 0.6,
        )
    actions = tuple(EditEntity(entity=i, aspect="position", value=where) for i in found.ids)
    return Candidate(actions, match.score, intent="position")


INTENTS: Final[Mapping[str, Intent]] = {
    "add": _add,
    "named": _named,
    "position": _position,
}
