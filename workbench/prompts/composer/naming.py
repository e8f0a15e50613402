"""What to call a thing or place after its first mention: "the old dog", "the two", "on the beach"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.datafiles import load as load_words
from workbench.lexicon.languages import is_foreign
from workbench.lexicon.morphology import is_adjective, is_noun, is_plural
from workbench.lexicon.nouns import head_of
from workbench.lexicon.terms import (
    ANIMATE,
    Place,
    capitalized,
    find_terms,
    is_pair,
    place_named,
    subject_kind,
    word_list,
)
from workbench.lexicon.words import tokens

__all__ = ["BESIDE", "PARTS", "definite", "is_many", "preposition", "short_name", "styleless"]

_WITH_THE: Final = frozenset(
    [
        "river",
        "ocean",
        "sea",
        "desert",
        "tower",
        "canal",
        "bridge",
        "palace",
        "bund",
        "canyon",
        "mountains",
        "hotel",
        "museum",
    ]
)
BESIDE: Final = frozenset(
    [
        "by",
        "near",
        "beside",
        "behind",
        "outside",
        "opposite",
        "above",
        "below",
        "beneath",
        "over",
        "under",
        "along",
        "around",
    ]
)
"""Prepositions with which a setting says that it is not in the place, but by it."""
PARTS: Final = frozenset(
    [
        "edge",
        "front",
        "back",
        "middle",
        "top",
        "bottom",
        "side",
        "corner",
        "foot",
        "end",
        "heart",
        "center",
        "centre",
        "part",
        "kind",
        "kinds",
        "type",
        "design",
        "interior",
        "exterior",
        "inside",
        "outside",
        "view",
        "color",
        "colour",
        "colors",
        "colours",
        "sound",
        "surface",
        "rest",
    ]
)
"""Nouns that are named by what they are a part of."""
_NO_ARTICLE: Final = frozenset(
    [
        "space",
        "nature",
        "town",
        "home",
        "school",
        "work",
        "downtown",
        "underwater",
        "heaven",
        "indoors",
        "outdoors",
        "bed",
    ]
)
_OWN_TOWN: Final = frozenset({"town", "home", "school", "work", "bed"})
"""Of these one may speak with an article too: "the edge of a quiet town"."""
_QUANTITIES: Final = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "several",
        "few",
        "many",
        "both",
        "various",
    ]
)
_NAMED_OTHERWISE: Final = {
    "underwater": "the water",
    "indoors": "the room",
    "home": "the room",
    "outdoors": "the open",
}


@lru_cache(maxsize=2_048)
def definite(phrase: str, *, limit: int) -> str:
    """Return a short name for the noun phrase: "the old dog", "the horse and the rider"."""
    if " and " in phrase and len(phrase.split()) <= 7:
        parts = [
            definite(p, limit=2) for p in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", phrase) if p
        ]
        return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    words = phrase.split()
    if phrase.lower() in _NAMED_OTHERWISE:
        return _NAMED_OTHERWISE[phrase.lower()]
    if words and words[0].lower() in word_list("prepositions"):
        words = words[1:]
    own, _, whole = " ".join(words).partition(" of ")
    if whole and head_of(own) in PARTS:
        return definite(whole, limit=limit)
    head = head_of(" ".join(words))
    bare = [w.strip(',.;:"()') for w in words]
    at = next((i for i, w in enumerate(bare) if w.lower() == head), len(bare) - 1)
    start = next(
        (
            i
            for i in range(at, -1, -1)
            if i == 0 or bare[i - 1].lower() in word_list("prepositions")
        ),
        0,
    )
    core = bare[start : at + 1]
    by_the = bool(core) and core[0].lower() == "the"
    determined = bool(core) and core[0].lower() in english("determiners")
    quantity = ""
    while core and core[0].lower() in english("determiners"):
        if core[0].lower() in _QUANTITIES and is_plural(head):
            quantity = core[0].lower()
        if core[0].lower() in {"my", "our", "your"}:
            core = core[1:]
            continue
        if core[0].lower() in {"his", "her", "their", "its", "my", "your"} and len(core) > 1:
            return (
                " ".join(core[-limit - 1 :]).lower()
                if len(core) <= limit + 1
                else f"{core[0].lower()} {' '.join(core[-2:])}"
            )
        core = core[1:]
    if not core:
        return phrase
    proper = (core[0][:1].isupper() and subject_kind(core[-1]) is None) or (
        core[-1][:1].isupper() and len(core) <= 2
    )
    core = [capitalized(word) for word in core]
    if is_foreign(phrase) or not any("a" <= c.lower() <= "ɏ" for c in core[-1]):
        return "the subject"
    if proper and core[-1].lower() in _WITH_THE:
        return f"the {' '.join(core)}"
    if proper:
        return f"the {' '.join(core)}" if by_the else " ".join(core)
    if limit == 1 and len(core) > 1 and _is_compound(core[-2].lower(), core[-1].lower()):
        limit = 2
    if core[-1].lower() in word_list("proper"):
        return " ".join(w[:1].upper() + w[1:] for w in core[-1:])
    core = core[-limit:]
    if quantity in {"few", "several", "many", "various"}:
        quantity = ""
    name = " ".join([quantity, *core]).strip()
    if proper or (
        not (determined and core[-1].lower() in _OWN_TOWN)
        and core[-1].lower() in _NO_ARTICLE
        and (core[-1].lower() == "nature" or place_named(core[-1]) is not None)
        and len(core) == 1
    ):
        return name
    return f"the {name}"


def short_name(subject: str) -> str:
    """Return the subject's name after its first mention: "the dog", "the two"."""
    parts = [p for p in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", subject) if p]
    if len(parts) == 1:
        return definite(subject, limit=1)
    if len(parts) == 2 and not any(is_many(p) for p in parts):
        return "the two"
    if is_many(parts[0]):
        return definite(parts[0], limit=1)
    acts = subject_kind(head_of(parts[0])) in ANIMATE
    return "the group" if acts or len(parts) > 2 else definite(subject, limit=1)


def styleless(subject: str) -> str:
    """Return the subject without words of style: "a pixel art knight" → "a knight"."""
    name = subject
    for term in reversed(find_terms(subject)):
        if term.field == "style" and term.end < len(subject):
            name = f"{name[: term.start]}{name[term.end :].lstrip()}"
    return name if len(name.split()) > 1 else subject


def is_many(phrase: str) -> bool:
    """Tell whether ``phrase`` names several."""
    words = [t.lower() for t in tokens(phrase)]
    core, _, whole = phrase.partition(" of ")
    if whole and head_of(core) in PARTS:
        return is_many(whole)
    if re.search(r"\band\b", core) and not phrase.lower().startswith("black and white"):
        return True
    return is_plural(head_of(phrase)) or bool(words and words[0] in _QUANTITIES)


def preposition(setting: str, where: Place | None, *, named: bool = False) -> str:
    """Return the preposition for being at ``setting``: "on" a hillside, "at" the edge of a town."""
    head = head_of(setting.split(" of ", maxsplit=1)[0]) if setting else ""
    first = setting.split(maxsplit=1)[0].lower() if setting else ""
    if first in BESIDE:
        return first
    if named and head in PARTS:
        return where.prep if where else "in"
    by_noun: Mapping[str, str] = load_words("places_by_noun")
    for word, nouns in by_noun.items():
        if head in nouns.split():
            return word
    return where.prep if where else "in"


def _is_compound(first: str, head: str) -> bool:
    """Tell whether ``first`` belongs to the noun, as in "traffic light", not merely describes it."""
    if is_pair(first, head):
        return True
    return (
        first not in word_list("colors") | {"style"} and is_noun(first) and not is_adjective(first)
    )
