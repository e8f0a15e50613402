"""A request cut into words, and what the parser makes of it: clauses with slots. Needs no numpy."""

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
    """A word or a mark of a request, at ``start:end``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Slot:
    """Some words of a clause that say one thing of the wish."""

    name: str
    text: str
    start: int
    """The first of its words, by number."""
    end: int


@dataclass(frozen=True, slots=True)
class Clause:
    """One wish of a request."""

    label: str
    text: str
    start: int
    end: int
    slots: tuple[Slot, ...]
    sureness: float
    """How likely label and slots are, between 0 and 1."""

    def slot(self, name: str) -> str:
        """Return the words of the slot ``name``; empty where the clause has none."""
        return next((slot.text for slot in self.slots if slot.name == name), "")


@dataclass(frozen=True, slots=True)
class Parse:
    """A request with its wishes."""

    text: str
    words: tuple[Word, ...]
    clauses: tuple[Clause, ...]


def words_in(text: str) -> list[Word]:
    """Return the words and marks of ``text`` in order."""
    return [Word(m[0], m.start(), m.end()) for m in _WORD.finditer(text)]
