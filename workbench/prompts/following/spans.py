"""Spans of a prompt's text: cutting, replacing, tidying. Knows no scene."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from workbench.lexicon.languages import is_foreign
from workbench.lexicon.words import sentence_case, sentences
from workbench.prompts.phrasing import with_clause

__all__ = [
    "DETERMINER",
    "PREPOSITION",
    "Span",
    "cut",
    "put",
    "sentence_at",
    "starts_sentence",
    "tidy",
]

DETERMINER: Final = r"(?:an?|the|his|her|its|their|my|this|that|these|those|some|several|many|a few|a lot of|no|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+|another)"

PREPOSITION: Final = (
    r"(?:in front of|next to|on top of|in|on|at|inside|into|onto|to|under|near|by|beside|over|across|"
    r"through|outside|along|underneath|behind|above|beneath|among|between|around|from|with|of|off|past|toward|towards|against)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a text: its first character and the one after its last."""

    start: int
    end: int


def starts_sentence(text: str, at: int) -> bool:
    """Tell whether a sentence starts at ``at``."""
    before = text[:at].rstrip()
    return not before or before.endswith((".", "!", "?", '"', "”"))


def put(text: str, span: Span, words: str) -> str:
    """Return ``text`` with ``words`` at ``span``, capitalised at the start of a sentence."""
    made = sentence_case(words) if starts_sentence(text, span.start) else words
    return f"{text[: span.start]}{made}{text[span.end :]}"


def sentence_at(text: str, at: int) -> tuple[int, int]:
    """Return start and end of the sentence around ``at``, including its space."""
    start = 0
    for part in sentences(text):
        begin = text.index(part, start)
        end = begin + len(part)
        if begin <= at < end:
            after = re.match(r"\s*", text[end:])
            return begin, end + (after.end() if after else 0)
        start = end
    return 0, len(text)


def cut(text: str, start: int, end: int) -> str:
    """Return ``text`` without a span and the leftovers around it."""
    start, end = with_clause(text, start, end)
    before, after = text[:start].rstrip(), text[end:]
    after = re.sub(r"^\s*,(?=\s*[.,])", "", after)
    if before.endswith(",") and re.match(r"\s*[,.]", after):
        before = before.rstrip(",")
    joined = (
        f"{before} {after.lstrip()}"
        if not re.match(r"\s*[.,!?]", after)
        else f"{before}{after.lstrip()}"
    )
    return sentence_case(joined.lstrip(" ,")) if not before else joined


def tidy(text: str) -> str:
    """Return ``text`` with single spaces, no space before punctuation, and correct articles."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([.,!?])", r"\1", text)
    text = re.sub(r":\s*,", ":", re.sub(r"[,:]\s*\.", ".", text))
    text = re.sub(r"\.\s*\.", ".", text)
    if is_foreign(text):
        return text.strip()
    text = re.sub(
        r"(?<![\w-])([Aa])n? (?=[A-Za-z])", lambda m: f"{_article(m[1], text[m.end() :])} ", text
    )
    return text.strip()


def _article(said: str, following: str) -> str:
    from workbench.lexicon.words import article  # noqa: PLC0415

    word = article(following[:16])
    return word.capitalize() if said.isupper() else word
