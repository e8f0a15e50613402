"""Tells English from what the composer cannot read: other scripts, and other languages in Latin letters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from workbench.lexicon.datafiles import load
from workbench.lexicon.morphology import lemmas
from workbench.lexicon.words import tokens

__all__ = ["is_foreign", "unread_words"]

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


def unread_words(text: str) -> tuple[str, ...]:
    """Return what cannot be read: the words in other scripts, or the whole of a foreign sentence."""
    if is_foreign(text):
        return (text,)
    return tuple(word for word in tokens(text) if _is_other_script(word))


def _is_other_script(word: str) -> bool:
    letters = _LETTER.findall(word)
    return bool(letters) and all(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
