"""Edits the place in a text."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.terms import place_named
from workbench.lexicon.words import sentence_case, sentences
from workbench.prompts.following.spans import PREPOSITION, cut, starts_sentence
from workbench.prompts.phrasing import preposition_for

__all__ = ["with_place"]

_PLACED: Final = re.compile(
    r"(?:in|on|at|inside|under|near|by|over|across|through|outside|along|behind|above|beneath|among|between|around|aboard|underneath|beside|off)\b",
    re.IGNORECASE,
)


def with_place(text: str, old: str, new: str) -> str:
    """Return ``text`` set at ``new`` instead of ``old``; either may be empty."""
    if old:
        bare = re.sub(r"^(?:an?|the)\s+", "", old, flags=re.IGNORECASE)
        pattern = re.compile(
            rf"(?:(?P<prep>\b{PREPOSITION})\s+)?(?P<name>(?:\b(?:an?|the)\s+)?{re.escape(bare)})(?![\w-])",
            re.IGNORECASE,
        )
        found = pattern.search(text)
        if found is not None:
            if not new:
                return cut(text, found.start(), found.end())
            return _replaced_place(text, found, new)
    if not new:
        return text
    parts = sentences(text)
    if not parts:
        return text
    where = new if _PLACED.match(new) else f"{preposition_for(new)} {new}"
    first = parts[0].rstrip(".!?")
    parts[0] = f"{first}, {where}." if "," in first else f"{first} {where}."
    return " ".join(parts)


def _replaced_place(text: str, found: re.Match[str], new: str) -> str:
    start, end = found.start(), found.end()
    rest = re.compile(re.escape(found["name"]), re.IGNORECASE)
    if found["prep"] is None:
        made = re.sub(r"^(?:in|on|at)\s+", "", new)
        opened = starts_sentence(text, start)
        text = text[:start] + (sentence_case(made) if opened else made) + text[end:]
    else:
        prep = found["prep"]
        where = new if _PLACED.match(new) else f"{_fitting(prep, new)} {new}"
        text = text[:start] + where + text[end:]
    later = re.sub(r"^(?:an?|the)\s+", "the ", new)
    tail_at = start + len(new)
    return text[:tail_at] + rest.sub(later, text[tail_at:])


def _fitting(prep: str, new: str) -> str:
    """Return the present preposition if it suits the new place, else the place's own."""
    if prep.lower() in {
        "across",
        "through",
        "along",
        "over",
        "past",
        "into",
        "onto",
        "toward",
        "towards",
    }:
        head = new.split(" of ", maxsplit=1)[0].rsplit(maxsplit=1)[-1]
        place = place_named(head)
        if place is not None and place.sky == "open":
            return prep
        return preposition_for(new)
    return preposition_for(new)
