"""The lexicons: the kind of each noun, the kind of each place, and the phrases for each term.

Knows nothing of whole prompts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, TypeVar

from workbench.lexicon.datafiles import load
from workbench.lexicon.morphology import is_plural, lemma
from workbench.lexicon.words import bare
from workbench.scene import vocabulary

T = TypeVar("T")

__all__ = [
    "ANIMATE",
    "Place",
    "Term",
    "capitalized",
    "find_terms",
    "is_pair",
    "place_named",
    "subject_kind",
    "word_list",
]

ANIMATE: Final = frozenset(
    ["man", "woman", "person", "mammal", "bird", "aquatic", "crawler", "creature", "robot"]
)
"""The animate kinds of subject, robots included."""


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of place: its name, its preposition ("in", "on") and the sky above it."""

    kind: str
    prep: str
    sky: str


@dataclass(frozen=True, slots=True)
class Term:
    """A vocabulary term found in a text, at ``start:end``."""

    start: int
    end: int
    field: str
    term: str


@cache
def word_list(name: str) -> frozenset[str]:
    """Return the word list ``name`` of ``grammar.toml``; items are separated by white space."""
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
    """Return the kind of subject that ``noun`` (singular or plural) names, or None."""
    return _lookup(_subjects(), noun)


@lru_cache(maxsize=4_096)
def place_named(noun: str) -> Place | None:
    """Return the kind of place that ``noun`` (singular or plural) names, or None."""
    return _lookup(_places(), noun)


def is_pair(first: str, head: str) -> bool:
    """Tell whether the two words are one compound noun: "traffic light", "polar bear"."""
    names = {f"{first}-{head}".lower(), f"{first}-{lemma(head, 'NOUN')}".lower()}
    return any(name in table for name in names for table in (_subjects(), _places()))


def capitalized(word: str) -> str:
    """Return ``word``, capitalized if it is a name: "paris", "christmas"."""
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
    "viewpoint",
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


_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_JOINT: Final = re.compile(r"[\s\-–&/]{1,3}\Z")


@cache
def _meanings() -> Mapping[str, tuple[str, str]]:
    """Return field and term by phrase; phrases are in lower case with single spaces."""
    own = load("phrases")
    barred = {field: frozenset(words) for field, words in own.get("not", {}).items()}
    meaning: dict[str, tuple[str, str]] = {}
    for term, phrases in load("phrases")["time_phrases"].items():
        for phrase in phrases:
            meaning[_spaced(phrase)] = ("time_of_day", term)
    for field in _NOTED_FIELDS:
        for term, phrases in vocabulary()[field].items():
            general = [p for p in (term, *phrases) if p.lower() not in barred.get(field, ())]
            for phrase in (*general, *own.get(field, {}).get(term, ())):
                meaning.setdefault(_spaced(phrase), (field, term))
                if "-" in phrase:
                    meaning.setdefault(_spaced(phrase.replace("-", "")), (field, term))
    return meaning


@cache
def _longest_phrase() -> int:
    return max(len(phrase.split()) for phrase in _meanings())


def _spaced(phrase: str) -> str:
    return " ".join(_WORD.findall(phrase.lower()))


@lru_cache(maxsize=512)
def find_terms(text: str) -> tuple[Term, ...]:
    """Return every vocabulary term in ``text``; at each position the longest phrase wins."""
    low = text.lower()
    if len(low) != len(text):  # lowering changed the length: offsets would shift
        low = text
    words = list(_WORD.finditer(low))
    friends = [m.span() for m in _false_friends().finditer(text)]
    found: list[Term] = []
    at = 0
    while at < len(words):
        term, after = _term_at(low, words, at, friends)
        if term is not None:
            found.append(term)
        at = after
    return tuple(found)


def _term_at(
    low: str, words: list[re.Match[str]], at: int, friends: list[tuple[int, int]]
) -> tuple[Term | None, int]:
    """Return the term that begins at word ``at``, or None, and the index of the next word to try."""
    meanings, start = _meanings(), words[at].start()
    phrases: list[str] = []
    phrase, end = "", start
    for word in words[at : at + _longest_phrase()]:
        if phrase and not _JOINT.match(low[end : word.start()]):
            break
        phrase = f"{phrase} {word[0]}" if phrase else word[0]
        end = word.end()
        phrases.append(phrase)
    for count in range(len(phrases), 0, -1):
        known = meanings.get(phrases[count - 1])
        if known is None:
            continue
        end = words[at + count - 1].end()
        if any(first < end and start < last for first, last in friends):
            continue
        return Term(start, end, *known), at + count
    return None, at + 1


@cache
def _false_friends() -> re.Pattern[str]:
    phrases: list[str] = load("phrases")["false_friends"]
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)
