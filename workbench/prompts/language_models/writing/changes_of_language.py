"""Detects a text that passes from one language into another: half translated, or two answers mixed.

Compares the parts of a text with each other, so it needs no idea. Quotations do not count.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.languages import language_of, small_words
from workbench.lexicon.morphology import lemmas
from workbench.lexicon.words import tokens
from workbench.prompts.language_models.writing.scripts import script_of, statements

__all__ = ["changes_language"]

_FEWEST_WORDS: Final = 8
"""Words of a part from which its language can be told."""
_MOST_APART: Final = 0.45
"""Difference of the shares of English words between two halves.

1,070 good prompts in 20 languages have at most 0.4.
"""
_TIMES: Final = 2
"""How many times as many small words of its own language a half has as of the other's."""
_LONGEST_TERM: Final = {"EAST ASIAN": 12}
_LONGEST_SPELT_TERM: Final = 45
"""Letters in a row in another script than the text's: names, signs, terms of film."""
_MOST_TERMS: Final = 3
_EAST_ASIAN: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})


def changes_language(text: str) -> bool:
    """Tell whether ``text``, without its quotations, is in one language first and another then."""
    if _has_passage_in_another_script(text):
        return True
    first, last = _halves(text)
    words = tokens(first), tokens(last)
    if min(map(len, words)) < _FEWEST_WORDS:
        return False
    if abs(_english_share(first) - _english_share(last)) > _MOST_APART:
        return True
    ours, theirs = language_of(first), language_of(last)
    return bool(ours and theirs and ours != theirs) and (
        _is_clearly(first, ours, theirs) and _is_clearly(last, theirs, ours)
    )


def _halves(text: str) -> tuple[str, str]:
    """Return the sentences of ``text`` before its middle and behind it; words if there is one."""
    several = statements(text)
    if len(several) == 1:
        several = text.split()
    before, length = 0, 0
    while before < len(several) and 2 * length < len(text):
        length += len(several[before]) + 1
        before += 1
    return " ".join(several[:before]), " ".join(several[before:])


def _english_share(text: str) -> float:
    words = [word.lower() for word in tokens(text) if word.isalpha()]
    known = sum(bool(lemmas(word)) or word in english("function_words") for word in words)
    return known / max(1, len(words))


def _is_clearly(text: str, language: str, other: str) -> bool:
    """Tell whether ``text`` has far more small words of ``language`` than of ``other``."""
    words = [word.lower() for word in tokens(text)]
    own, foreign = (sum(w in small_words(name) for w in words) for name in (language, other))
    return own > _TIMES * foreign


def _has_passage_in_another_script(text: str) -> bool:
    """Tell whether the text has more than terms in another script than most of its letters.

    Other scripts borrow Latin terms throughout a text; a Latin text has a name or two in another.
    """
    scripts = [_family(script_of(letter)) for letter in text if letter.isalpha()]
    usual = max(set(scripts), key=scripts.count, default="")
    others = [(script, len(list(run))) for script, run in groupby(scripts) if script != usual]
    if usual == "LATIN" and len(others) > _MOST_TERMS:
        return True
    return any(length > _LONGEST_TERM.get(script, _LONGEST_SPELT_TERM) for script, length in others)


def _family(script: str) -> str:
    """Return the scripts that one language is written in by one name."""
    return "EAST ASIAN" if script in _EAST_ASIAN else script
