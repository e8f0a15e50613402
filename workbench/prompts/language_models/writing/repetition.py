"""Detects text that repeats itself, as a model does that has lost its thread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from workbench.lexicon.words import tokens
from workbench.prompts.language_models.writing.scripts import is_unspaced, statements

__all__ = ["repeats_itself"]

_MOST_REPEATS: Final = 3
_LONGEST_REFRAIN, _LONGEST_REFRAIN_RUN = 10, 14
"""Words, or characters without spaces between words, that no text says twice."""
_STUTTER: Final = re.compile(r"(\w{3,30}?)\1{3,}")


def repeats_itself(text: str) -> bool:
    """Tell whether ``text`` says the same again and again, or a long passage twice."""
    several = Counter(s.lower() for s in statements(text))
    if several and max(several.values()) > _MOST_REPEATS:
        return True
    if is_unspaced(text):
        letters = re.sub(r"[\W_]+", "", text)
        return bool(_STUTTER.search(letters)) or _has_twice(letters, _LONGEST_REFRAIN_RUN)
    words = [t.lower() for t in tokens(text)]
    if _has_twice(words, _LONGEST_REFRAIN):
        return True
    runs = Counter(zip(words, words[1:], words[2:], strict=False))
    return bool(runs) and max(runs.values()) > max(_MOST_REPEATS, len(words) // 16)


def _has_twice(words: Sequence[str], length: int) -> bool:
    """Tell whether the same ``length`` words, or characters, in a row stand twice in a text."""
    passages = [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]
    return len(set(passages)) < len(passages)
