"""Detects words that are not English, and words without content."""

from __future__ import annotations

from workbench.lexicon.datafiles import english
from workbench.prompts.intents.requests import (
    written_out,
)
from workbench.prompts.intents.words import is_known, words_of
from workbench.prompts.parsing.clauses import words_in

__all__ = ["is_mostly_strange", "means_something"]


def _strange_in(text: str) -> list[str]:
    """Return the words of ``text`` that no dictionary or vector table has."""
    words = [w.text.lower() for w in words_in(text) if w.text.isalpha() and len(w.text) > 2]
    from workbench.prompts.parsing.vectors import vectors  # noqa: PLC0415  imports numpy

    known = vectors()[0]
    return [
        w
        for w in words
        if w not in known
        and not is_known(w)
        and written_out(w) == w
        and w not in words_of("closed", "talk")
    ]


def is_mostly_strange(text: str) -> bool:
    """Tell whether most words are not English: another language, or random typing."""
    words = [w for w in words_in(text) if w.text.isalpha()]
    strange = _strange_in(text)
    if any(len(w) > 3 and not set(w) & set("aeiouy") for w in strange):
        return True
    return len(strange) > 1 and len(strange) * 2 >= len(words)


def means_something(word: str) -> bool:
    """Tell whether a word is a content word."""
    low = word.lower()
    return (
        low[:1].isalnum()
        and low not in english("function_words")
        and low not in words_of("closed", "talk")
    )
