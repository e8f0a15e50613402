"""Calls a scene's people and places by name, and tells which kind of place a setting is."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from workbench.lexicon.nouns import head_of, place_in
from workbench.lexicon.terms import Place, place_named, subject_kind
from workbench.lexicon.words import tokens
from workbench.prompts.composer.bank import Cast
from workbench.prompts.composer.naming import (
    BESIDE,
    definite,
    is_many,
    preposition,
    short_name,
    styleless,
)

__all__ = ["NOWHERE", "cast", "place_of"]

NOWHERE: Final = "the surroundings"
"""What the place is called where none is known."""
_PRONOUNS: Final = {
    "man": ("he", "his", "him"),
    "woman": ("she", "her", "her"),
    "person": ("they", "their", "them"),
}
_ROOMS: Final = {"kitchen": "the kitchen", "home": "the room"}
"""What a place is called that is only a thing in it: a stove, a sofa."""
_ITS: Final = frozenset({"its", "his", "her", "their"})
_SUNK: Final = re.compile(
    r"\b(?:under|beneath|below)\s+(?:the\s+)?(?:water|sea|ocean|waves|surface)\b", re.IGNORECASE
)
_LAID: Final = frozenset({"surface", "underwater", "space", "planet"})
"""Places that one can be by and still be in them, as far as the picture goes."""
_SOMEBODY: Final = frozenset({"someone", "somebody"})


@lru_cache(maxsize=1_024)
def place_of(setting: str) -> Place | None:
    """Return the kind of place that ``setting`` is, or None where it is not known."""
    if not setting:
        return None
    words = [t.lower() for t in tokens(setting)]
    found = _named_place(setting, words)
    if found is not None and found.sky == "none" and words[0] in BESIDE and found.kind not in _LAID:
        return None
    return found


def _named_place(setting: str, words: list[str]) -> Place | None:
    if _SUNK.search(setting):
        return place_named("underwater")
    if {"interior", "inside", "indoor", "indoors"} & set(words):
        return Place("hall", "in", "none")
    if found := place_in(setting):
        return found
    return next((p for w in reversed(words) if (p := place_named(w))), None)


def _enclosing(setting: str) -> str:
    """Return the room rather than the thing in it: "a stove in the kitchen" is the kitchen."""
    thing, _, room = setting.partition(" in ")
    first, around = place_of(thing), place_of(room) if room else None
    is_thing = first is not None and (
        first.kind in {"surface", "perch"} or subject_kind(head_of(thing)) == "object"
    )
    return room if is_thing and around is not None else setting


@lru_cache(maxsize=1_024)
def cast(subject: str, setting: str, kind: str, where: Place | None) -> Cast:
    """Return the names and pronouns of those in a scene, and of where they are."""
    place = definite(_enclosing(setting), limit=1) if setting else NOWHERE
    if where is not None and subject_kind(head_of(setting)) == "object":
        place = _ROOMS.get(where.kind, place)
    if setting.split(maxsplit=1)[:1] and setting.split(maxsplit=1)[0].lower() in _ITS:
        place = NOWHERE
    if where is not None and where.kind == "country":
        place = "the landscape"
    there = f"{preposition(setting, where, named=True)} {place}"
    if place in _ROOMS.values():
        there = f"in {place}"
    if subject.lower() in _SOMEBODY:
        named = "the figure"
        return Cast(named, "they", "their", "them", place, there, named)
    named = styleless(subject)
    subj = definite(named, limit=3) if named else ""
    if subject == setting or not subj:
        subj = place if setting else "the scene"
    if subject == setting and subject:
        place = subj
    if place == subj:
        there = f"{preposition(setting, where, named=True)} {place}"
    many = is_many(subject or setting)
    several = many if place == subj else place != "the landscape" and is_many(_enclosing(setting))
    short = short_name(named) if named else subj
    if many:
        return Cast(subj, "they", "their", "them", place, there, short, True, several)
    it, its, him = _PRONOUNS.get(kind, ("it", "its", "it"))
    return Cast(subj, it, its, him, place, there, short, False, several)
