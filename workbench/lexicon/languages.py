"""Tells English from what the composer cannot read: other scripts, and other languages in Latin letters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from operator import itemgetter
from typing import Final

from workbench.lexicon.datafiles import english, load
from workbench.lexicon.morphology import lemmas
from workbench.lexicon.words import tokens

__all__ = ["is_english", "is_foreign", "language_of", "languages_in", "unread_words"]

_LETTER: Final = re.compile(r"[^\W\d_]", re.UNICODE)
_ENOUGH_SMALL_WORDS: Final = 2
_SHARE: Final = 0.6


@lru_cache(maxsize=1_024)
def is_foreign(text: str) -> bool:
    """Tell whether ``text`` is a sentence in another language that is written in Latin letters.

    It is when two small words of one language stand in it, and most of its words are either such
    or in no English dictionary: a foreign name or word in an English sentence does not make it one.
    """
    words = [t.lower() for t in tokens(text)]
    for small in load("languages").values():
        known = {w for w in words if w in small.split()}
        if len(known) < _ENOUGH_SMALL_WORDS:
            continue
        strange = [w for w in words if w in known or not lemmas(w)]
        if len(strange) >= _SHARE * len(words):
            return True
    return False


def language_of(text: str) -> str:
    """Return the language in Latin letters that ``text`` is written in; empty where it is English.

    Known by two small words of it at least; empty too where that many are not found.
    """
    counted = _small_words_in(text)
    language, most = max(counted.items(), key=itemgetter(1), default=("", 0))
    is_sure = most >= _ENOUGH_SMALL_WORDS and (is_foreign(text) or not is_english(text))
    return language if is_sure else ""


def languages_in(text: str) -> frozenset[str]:
    """Return the languages of which ``text`` holds a small word; several share some."""
    return frozenset(language for language, count in _small_words_in(text).items() if count)


def _small_words_in(text: str) -> dict[str, int]:
    words = {t.lower() for t in tokens(text)} - english("function_words")
    return {name: len(words & set(small.split())) for name, small in load("languages").items()}


def is_english(text: str) -> bool:
    """Tell whether most words of ``text`` are in an English dictionary."""
    words = [t.lower() for t in tokens(text) if t.isalpha()]
    known = [w for w in words if lemmas(w) or w in english("function_words")]
    return bool(words) and len(known) >= _SHARE * len(words)


def unread_words(text: str) -> tuple[str, ...]:
    """Return what cannot be read: the words in other scripts, or the whole of a foreign sentence."""
    if is_foreign(text):
        return (text,)
    return tuple(word for word in tokens(text) if _is_other_script(word))


def _is_other_script(word: str) -> bool:
    letters = _LETTER.findall(word)
    return bool(letters) and all(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
