"""The lexicons: what kind of thing a noun is, what kind of place, which phrases say which term.

Data files, loaded once per process and never changed. Knows nothing of prompts as wholes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, TypeVar

from workbench.prompts.composer.words import bare, is_plural, lemma
from workbench.scene import vocabulary

T = TypeVar("T")

__all__ = [
    "ANIMATE",
    "Place",
    "Term",
    "capitalized",
    "find_terms",
    "load",
    "place_named",
    "subject_kind",
    "word_list",
]

ANIMATE: Final = frozenset(
    ["man", "woman", "person", "mammal", "bird", "aquatic", "crawler", "creature", "robot"]
)
"""The kinds of subject that act of their own accord."""


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of place: its name, the preposition for being there, and what sky is above it."""

    kind: str
    prep: str
    sky: str


@dataclass(frozen=True, slots=True)
class Term:
    """An established term found in a text, at ``start:end``."""

    start: int
    end: int
    field: str
    term: str


@cache
def load(name: str) -> Mapping[str, Any]:
    """Return the lexicon file ``name`` (without ``.toml``)."""
    folder = resources.files("workbench.prompts.composer").joinpath("data")
    return MappingProxyType(tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8")))


@cache
def word_list(name: str) -> frozenset[str]:
    """Return the word list ``name`` of ``grammar.toml``; items are split at white space."""
    return frozenset(str(load("grammar")[name]).split())


@cache
def _subjects() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for kind, words in load("subjects").items():
        for word in words.split():
            found.setdefault(word, kind)
    return found


@cache
def _places() -> Mapping[str, Place]:
    found: dict[str, Place] = {}
    for kind, table in load("places").items():
        for noun in table["nouns"].split():
            found.setdefault(noun, Place(kind, table["prep"], table["sky"]))
    return found


@lru_cache(maxsize=4_096)
def subject_kind(noun: str) -> str | None:
    """Return the kind of thing that ``noun`` (any number) names, or None."""
    return _lookup(_subjects(), noun)


@lru_cache(maxsize=4_096)
def place_named(noun: str) -> Place | None:
    """Return the kind of place that ``noun`` (any number) names, or None."""
    return _lookup(_places(), noun)


def capitalized(word: str) -> str:
    """Return ``word`` with a capital where it is a name: "paris", "christmas"."""
    low = bare(word)
    named = low in word_list("proper") or low in word_list("capitals")
    return f"{word[:1].upper()}{word[1:]}" if named else word


def _lookup(table: Mapping[str, T], noun: str) -> T | None:
    low = noun.lower().replace("’", "'").removesuffix("'s")
    for word in (low, lemma(low, "NOUN")) if is_plural(low) else (low,):
        if word in table:
            return table[word]
    for word in (low.rpartition("-")[2], low.removesuffix("s"), low.removesuffix("es")):
        if word in table and len(word) > 3:
            return table[word]
    return None


_NOTED_FIELDS: Final = (
    "shot_size",
    "camera_angle",
    "camera_movement",
    "lens",
    "time_of_day",
    "weather",
    "lighting",
    "mood",
    "style",
    "color_palette",
    "pace",
)


@cache
def _term_pattern() -> tuple[re.Pattern[str], Mapping[str, tuple[str, str]]]:
    own = load("phrases")
    barred = {field: frozenset(words) for field, words in own.get("not", {}).items()}
    meaning: dict[str, tuple[str, str]] = {}
    for field in _NOTED_FIELDS:
        table = vocabulary()[field]
        for term, phrases in table.items():
            general = [p for p in (term, *phrases) if p.lower() not in barred.get(field, ())]
            for phrase in (*general, *own.get(field, {}).get(term, ())):
                meaning.setdefault(phrase.lower(), (field, term))
    longest_first = sorted(meaning, key=len, reverse=True)
    body = "|".join(_loosely_spaced(phrase) for phrase in longest_first)
    return re.compile(rf"(?<![\w'])(?:{body})(?![\w'])", re.IGNORECASE), meaning


def _loosely_spaced(phrase: str) -> str:
    escaped = re.escape(phrase).replace(r"\-", "-").replace(r"\ ", " ")
    return escaped.replace("-", r"[\s\-]?").replace(" ", r"[\s\-]+")


@lru_cache(maxsize=512)
def find_terms(text: str) -> tuple[Term, ...]:
    """Return every established term that ``text`` says, the longest phrase first at each place."""
    pattern, meaning = _term_pattern()
    friends = [m.span() for m in _false_friends().finditer(text)]
    found = []
    for match in pattern.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in friends):
            continue
        field, term = meaning.get(_key(match[0])) or _by_letters(match[0])
        found.append(Term(match.start(), match.end(), field, term))
    return tuple(found)


@cache
def _false_friends() -> re.Pattern[str]:
    phrases: list[str] = load("phrases")["false_friends"]
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


def _key(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower())


@cache
def _letters() -> Mapping[str, tuple[str, str]]:
    return {re.sub(r"[\s\-]", "", phrase): value for phrase, value in _term_pattern()[1].items()}


def _by_letters(text: str) -> tuple[str, str]:
    return _letters()[re.sub(r"[\s\-]", "", text.lower())]
