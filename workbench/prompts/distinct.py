"""Detects duplicate and near-duplicate texts. Knows neither model nor session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from workbench.lexicon.morphology import lemma
from workbench.lexicon.words import content_words
from workbench.prompts.markers import strip_marker

__all__ = ["DistinctTexts"]

_NEARLY: Final = 0.95
"""Share of common content words (Jaccard index) from which two texts are near-duplicates."""


class DistinctTexts:
    """A set of distinct texts; ``known`` are its first members.

    A new text must not equal any member. Added texts must also differ from each other by more than
    one word in twenty, and in their names.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self.texts = {strip_marker(text) for text in known}
        self._flat = {_flat(text) for text in self.texts}
        self._words: list[frozenset[str]] = []
        self._names: set[str] = set()

    def add(self, text: str, name: str = "") -> bool:
        """Add ``text`` and return True; return False for a duplicate or near-duplicate."""
        flat, words, named = _flat(text), _words(text), _flat(name)
        if flat in self._flat or (named and named in self._names):
            return False
        if any(_likeness(words, other) >= _NEARLY for other in self._words):
            return False
        self.texts.add(text)
        self._flat.add(flat)
        self._words.append(words)
        self._names |= {named} if named else set()
        return True


def _flat(text: str) -> str:
    return " ".join(text.lower().split())


def _words(text: str) -> frozenset[str]:
    return frozenset(lemma(word, "NOUN") for word in content_words(text))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    together = one | other
    return len(one & other) / len(together) if together else 1.0
