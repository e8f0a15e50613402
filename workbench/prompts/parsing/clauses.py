"""The parser's results: a request's words, and its clauses with slots. Does not import numpy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Clause", "Parse", "Slot", "Word", "words_in"]

_WORD: Final = re.compile(
    r"\d+(?:[.:x×/,]\d+)+|\d+(?=[a-z])|[^\W\d_]+(?:['’\-][^\W_]+)*|\d+|[^\w\s]|_", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word or punctuation mark of a request, at ``start:end``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A span of words that fills one slot of a clause."""

    name: str
    text: str
    start: int
    """Index of the first word; ``end`` is exclusive."""
    end: int


@dataclass(frozen=True, slots=True)
class Clause:
    """One intent of a request: its label and slots."""

    label: str
    text: str
    start: int
    end: int
    slots: tuple[Slot, ...]
    sureness: float
    """Confidence in label and slots, between 0 and 1."""

    def slot(self, name: str) -> str:
        """Return the words of the slot ``name``; empty if the clause has none."""
        return next((slot.text for slot in self.slots if slot.name == name), "")


@dataclass(frozen=True, slots=True)
class Parse:
    """A request, its words and its clauses."""

    text: str
    words: tuple[Word, ...]
    clauses: tuple[Clause, ...]


def words_in(text: str) -> list[Word]:
    """Return the words and marks of ``text`` in order."""
    return [Word(m[0], m.start(), m.end()) for m in _WORD.finditer(text)]
