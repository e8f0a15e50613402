"""Annotated requests: the training data of the request parser.

A line of ``benchmarks/phrases/*.tsv`` is the idea of a video, a tab, and a request about it, with
each wish in round brackets that start with its label, and each slot in square brackets that start
with its name: ``(look the [entity house] should be [value yellow])``. Without brackets, labels and
names it is the request as typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.prompts.parsing.clauses import Word, words_in
from workbench.prompts.parsing.labels import LABELS, SLOTS, slots_of

__all__ = ["PHRASES", "Phrase", "Span", "phrases", "read"]

PHRASES: Final = Path(__file__).parent / "phrases"
_OPENING: Final = re.compile(r"[(\[]([a-z]+) ?")
_JOINING: Final = frozenset(
    [",", ".", ";", "!", "&", "-", "+", ":", "and", "also", "but", "then", "plus", "so", "ok", "please"]
)  # fmt: skip
"""Words that are filler at the start of a wish, however they were annotated."""


@dataclass(frozen=True, slots=True)
class Span:
    """A clause or a slot: the words ``start`` up to ``end``."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """A request with its annotations."""

    start: str
    request: str
    words: tuple[Word, ...]
    clauses: tuple[Span, ...]
    slots: tuple[Span, ...]
    source: str = ""


def phrases() -> list[Phrase]:
    """Return every annotated request, in order."""
    found: list[Phrase] = []
    for path in sorted(PHRASES.glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                start, marked = line.split("\t")
                found.append(read(start, marked, path.stem))
    return found


def read(start: str, marked: str, source: str = "") -> Phrase:
    """Return the request in ``marked``; raises ``ValueError`` for invalid annotations."""
    text, spans = "", list[tuple[str, int, int, bool]]()
    opened: list[tuple[str, int, bool]] = []
    at = 0
    while at < len(marked):
        char = marked[at]
        if char in "([":
            found = _OPENING.match(marked, at)
            known = LABELS if char == "(" else SLOTS
            if found is None or found[1] not in known:
                raise ValueError(f"no label at {marked[at : at + 12]!r}")
            opened.append((found[1], len(text), char == "("))
            at = found.end()
        elif char in ")]":
            name, begin, is_clause = opened.pop()
            spans.append((name, begin, len(text), is_clause))
            at += 1
        else:
            text += char
            at += 1
    words = words_in(text)
    slots = tuple(_spans(spans, words, is_clause=False))
    inside = [(s.start, s.end) for s in slots]
    clauses = tuple(_trimmed(c, words, inside) for c in _spans(spans, words, is_clause=True))
    return Phrase(start, text, tuple(words), clauses, tuple(_legal(slots, clauses)), source)


def _spans(
    spans: list[tuple[str, int, int, bool]], words: list[Word], *, is_clause: bool
) -> Iterator[Span]:
    for name, begin, end, kind in sorted(spans, key=lambda s: s[1]):
        covered = [i for i, w in enumerate(words) if w.start < end and w.end > begin]
        if kind is is_clause and covered:
            yield Span(name, covered[0], covered[-1] + 1)


def _trimmed(clause: Span, words: list[Word], inside: list[tuple[int, int]]) -> Span:
    """Return a clause without leading conjunctions."""
    start = clause.start
    while (
        start < clause.end - 1
        and words[start].text.lower() in _JOINING
        and not any(a <= start < b for a, b in inside)
    ):
        start += 1
    return Span(clause.name, start, clause.end)


def _legal(slots: tuple[Span, ...], clauses: tuple[Span, ...]) -> Iterator[Span]:
    """Yield the slots that their clause's label has."""
    for slot in slots:
        owner = next((c for c in clauses if c.start <= slot.start and slot.end <= c.end), None)
        if owner is not None and slot.name in slots_of(owner.name):
            yield slot
