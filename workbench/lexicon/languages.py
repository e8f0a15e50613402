"""Identifies the language of a text, with a small dictionary for nine languages besides English."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from workbench.lexicon.datafiles import english, load
from workbench.lexicon.morphology import lemmas
from workbench.lexicon.words import tokens

__all__ = [
    "is_english",
    "is_foreign",
    "language_of",
    "languages_in",
    "small_words",
    "sure_words",
    "unread_words",
]

_LETTER: Final = re.compile(r"[^\W\d_]", re.UNICODE)
_ENOUGH_SMALL_WORDS: Final = 2
_SHARE: Final = 0.55
_COVERED: Final = 0.6
_MOSTLY: Final = 0.5
_NEARLY: Final = 0.75


@lru_cache(maxsize=1_024)
def language_of(text: str) -> str:
    """Return the English name of the language that ``text`` is in; empty for English.

    Other scripts are identified by their letters. A text in Latin letters is foreign if it has two
    function words of a language and most of its words are such words or in no English dictionary.
    """
    scripts = Counter(filter(None, map(_script, _LETTER.findall(text))))
    foreign = {name: count for name, count in scripts.items() if name != "LATIN"}
    if sum(foreign.values()) >= _MOSTLY * max(1, scripts.total()) and foreign:
        names: Mapping[str, str] = load("languages")["scripts"]
        found = [name for script, name in names.items() if script in foreign]
        return found[0] if found else "another language"
    words = [word.lower() for token in tokens(text) for word in re.split(r"['’]", token)]
    best = ("", 0)
    for name, small in _small().items():
        known = {word for word in words if word in small}
        strange = [word for word in words if word in known or not lemmas(word)]
        is_it = len(known) >= _ENOUGH_SMALL_WORDS and len(strange) >= _SHARE * len(words)
        is_it = is_it and any(w not in english("function_words") and not lemmas(w) for w in known)
        if not is_it and words and len(strange) == len(words):
            is_it = bool(known) and bool(sure_words(text, name))
        is_it = is_it or _is_of_sure_words(words, name, small)
        own = sum(word in small or word in _single(name) for word in words)
        if is_it and own > best[1] and any(word not in known for word in strange):
            best = (name, own)
    return best[0]


def _is_of_sure_words(words: list[str], language: str, small: frozenset[str]) -> bool:
    """Tell whether a short text is made of known words of the language: "perro corriendo"."""
    sure = {word for word in words if word in _single(language)}
    covered = sum(word in sure or word in small for word in words)
    strange = any(not lemmas(word) for word in sure)
    return len(sure) >= _ENOUGH_SMALL_WORDS and strange and covered >= _COVERED * len(words)


@cache
def _single(language: str) -> frozenset[str]:
    """Return the single-word entries of a language's dictionary."""
    table: Mapping[str, str] = load("languages")["words"].get(language, {})
    return frozenset(word for phrases in table for word in phrases.split("|") if " " not in word)


def is_foreign(text: str) -> bool:
    """Tell whether ``text`` is in a language other than English."""
    return bool(language_of(text))


def languages_in(text: str) -> frozenset[str]:
    """Return the candidate languages of ``text``: those that know the most of its words."""
    words = [w.lower() for t in tokens(text) for w in re.split(r"['’]", t)]
    words = [word for word in words if word not in english("function_words")]
    held = {
        language: sum(word in small or word in _single(language) for word in words)
        for language, small in _small().items()
    }
    most = max(held.values())
    return frozenset(
        language for language, count in held.items() if count and count >= _NEARLY * most
    )


def small_words(language: str) -> frozenset[str]:
    """Return the known articles, prepositions and pronouns of ``language``."""
    return _small().get(language, frozenset())


def is_english(text: str) -> bool:
    """Tell whether most words of ``text`` are in an English dictionary."""
    words = [t.lower() for t in tokens(text) if t.isalpha()]
    known = [w for w in words if lemmas(w) or w in english("function_words")]
    return bool(words) and len(known) >= _SHARE * len(words)


def unread_words(text: str) -> tuple[str, ...]:
    """Return what cannot be read: words in other scripts, or all of a foreign text."""
    if is_foreign(text):
        return (text,)
    return tuple(word for word in tokens(text) if _script(word[0]) not in {"LATIN", ""})


def sure_words(text: str, language: str) -> tuple[tuple[int, int, str], ...]:
    """Return the words of ``text`` in the dictionary of ``language``: start, end, meaning."""
    found: list[tuple[int, int, str]] = []
    low = text.lower()
    is_latin = language in _small()
    for phrases, said in load("languages")["words"].get(language, {}).items():
        for phrase in phrases.split("|"):
            if phrase not in low:
                continue  # thousands of patterns would push all others out of the cache of `re`
            pattern = rf"(?<!\w){re.escape(phrase)}(?!\w)" if is_latin else re.escape(phrase)
            found += [(m.start(), m.end(), said) for m in re.finditer(pattern, low)]
    found.sort(key=lambda one: (one[0], -one[1]))
    kept: list[tuple[int, int, str]] = []
    for one in found:
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return tuple(kept)


@cache
def _small() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(words.split()) for name, words in load("languages")["small"].items()}


@lru_cache(maxsize=4_096)
def _script(letter: str) -> str:
    """Return the first word of the letter's Unicode name: LATIN, CJK, HANGUL; empty for a mark."""
    if not letter.isalpha():
        return ""
    return unicodedata.name(letter, "").partition(" ")[0]
