"""Corrects typing errors. A word that may be a real one is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Final

from workbench.lexicon.datafiles import load
from workbench.lexicon.learners import mended_grammar
from workbench.lexicon.morphology import inflect, is_adjective, lemma, lemmas
from workbench.lexicon.terms import capitalized, place_named, subject_kind, word_list
from workbench.lexicon.words import article

__all__ = ["mended"]

_WORD: Final = re.compile(r"(?<![\w'’/&-])[a-z0-9]+(?:/o|/)?(?![\w'’-])", re.IGNORECASE)
_ITS: Final = re.compile(
    r"\bits(?=\s+(?:(?:an?|the|not|so|too|just|still|all|always|never|really|very|been|going)\b"
    r"|(?P<state>[a-z]+)\s*(?:[,.;!?]|\Z)))"
)
_SHORTEST: Final = 6
"""Minimum letters of a word for restoring a missing one."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_ALSO_COMMON: Final = frozenset({"china", "bund", "venus", "florence"})
"""Proper names that are also common nouns: in lower case they stay so."""
_ALWAYS_SMALL: Final = frozenset({"w", "im", "ar", "vr", "whit", "bc", "bg"})


_OF_PLACES: Final = ("an", "ese")
"""Endings of adjectives made from place names."""


_ARTICLE: Final = re.compile(r"\b(an?) ([a-z]{3,})(?!-)\b")
"""An article and the word that decides its form: "a apple"."""


def mended(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return ``text`` corrected, and each misspelling with its correction.

    Shorthand ("w/", "dont", "pov") is expanded without being reported.
    """
    slips: list[tuple[str, str]] = []
    for shape, better in _shapes():
        text = shape.sub(better, text)
    text = _ITS.sub(lambda m: "it's" if not m["state"] or _is_state(m["state"]) else m[0], text)

    def mend(match: re.Match[str]) -> str:
        word = match[0]
        low = word.lower()
        if (sure := _sure().get(low)) and (word == low or low not in _ALWAYS_SMALL):
            return f"{sure[:1].upper()}{sure[1:]}" if word[:1].isupper() else sure
        if word == low and low in word_list("proper") - _ALSO_COMMON:
            return capitalized(word)
        better = _better(word) if word == low and word.isalpha() else None
        if better is None:
            return word
        slips.append((word, better))
        return better

    text = mended_grammar(_WORD.sub(mend, text))
    return _ARTICLE.sub(lambda m: f"{article(m[2])} {m[2]}", text), tuple(slips)


def _is_state(word: str) -> bool:
    """Tell whether a word is an adjective and not a noun: "its empty" is "it's empty"."""
    return is_adjective(word) and "NOUN" not in lemmas(word) and subject_kind(word) is None


@cache
def _sure() -> Mapping[str, str]:
    table: Mapping[str, str] = load("slips")["words"]
    return table


@cache
def _shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    slips = load("slips")
    phrases = {rf"\b{re.escape(phrase)}\b": better for phrase, better in slips["phrases"].items()}
    table: Mapping[str, str] = {**phrases, **slips["shapes"]}
    return tuple((re.compile(shape, re.IGNORECASE), better) for shape, better in table.items())


@lru_cache(maxsize=2_048)
def _better(word: str) -> str | None:
    """Return the only known word that ``word`` can be a misspelling of, or None."""
    if len(word) < 4 or lemmas(word) or subject_kind(word) or place_named(word):
        return None
    if word.endswith(_OF_PLACES):
        return None  # "tuscan", "venetian": dictionaries lack many of these
    for slips in (_swapped_or_doubled(word), _left_out(word)):
        near = {c for c in slips if _is_known(c)}
        if near:
            return near.pop() if len(near) == 1 else None
    return None


def _is_known(word: str) -> bool:
    """Tell whether the lexicon has the word or the verb it is a form of."""
    if word in _known():
        return True
    base = lemma(word, "VERB")
    is_verb = base != word and base in _known() and "VERB" in lemmas(base)
    return is_verb and word in {inflect(base, tag) for tag in ("VBG", "VBZ", "VBD")}


@cache
def _known() -> frozenset[str]:
    tables = ("subjects", "places", "verbs", "aspects")
    return frozenset(word for name in tables for word in _words_in(load(name)) if word.isalpha())


def _words_in(table: Mapping[str, object]) -> Iterator[str]:
    for value in table.values():
        if isinstance(value, str):
            yield from re.split(r"[\s|-]+", value)
        elif isinstance(value, dict):
            yield from _words_in(value)


def _swapped_or_doubled(word: str) -> Iterator[str]:
    """Yield ``word`` with two neighbouring letters swapped, or one doubled or undoubled."""
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if word[at] == word[at + 1]:
            yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at] + word[at:]


def _left_out(word: str) -> Iterator[str]:
    """Yield ``word`` with one letter inserted."""
    if len(word) >= _SHORTEST:
        for at in range(1, len(word) + 1):
            yield from (word[:at] + letter + word[at:] for letter in _LETTERS)
