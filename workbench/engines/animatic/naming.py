"""Finds the figures that a text names: how many of each, and in which colour."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from workbench.engines.animatic.colour import Colour
from workbench.engines.animatic.figures.drawing import colours
from workbench.engines.animatic.tables import lexicon, nouns
from workbench.engines.animatic.words import colour_names

__all__ = ["Noun", "named_in"]

_MOST_OF_A_KIND: Final = 7
_PLURAL_COUNT: Final = 3
_PEOPLE: Final = frozenset(
    {"people", "crowd", "everyone", "everybody", "family", "group", "team", "audience"}
)
_COLLECTIVES: Final = frozenset(
    {"line", "row", "school", "pack", "pride", "team", "fleet", "group"}
)
"""Collective nouns when followed by "of"; "line" in "line cook" is none."""
_KINDS: Final = frozenset({"bird", "fish", "insect", "bug", "plant", "tree", "flower", "branch"})
_TRADES: Final = (
    "ster",
    "ler",
    "ker",
    "yer",
    "ter",
    "ner",
    "per",
    "ist",
    "ian",
    "tor",
    "woman",
    "man",
)
_NO_TRADES: Final = frozenset(
    {"water", "winter", "shutter", "center", "enter", "scooter", "corner"}
)


@dataclass(frozen=True, slots=True)
class Noun:
    """A figure found in a text."""

    key: str
    words: str
    count: int
    colour: Colour | None
    at: int


def named_in(text: str, *, trades: bool = True) -> list[Noun]:
    """Return the figures that ``text`` names, each kind once, in order.

    ``trades``: without any figure, a word for a trade counts as a person.
    """
    words = [_owner(word) for word in re.findall(r"[a-z0-9'-]+", text.lower())]
    known, at, start = nouns(), 0, 0
    found: list[Noun] = []
    while at < len(words):
        for length in (4, 3, 2, 1):
            phrase = tuple(words[at : at + length])
            if len(phrase) == length and phrase in known and not _is_adjective(words, at, length):
                key, plural = known[phrase]
                before = words[start:at]
                noun = _noun(key, " ".join(phrase), before, at, plural=plural)
                if found and start == at:
                    found[-1] = _compound(found[-1], noun)
                else:
                    found.append(noun)
                at += length
                start = at
                break
        else:
            at += 1
    return _distinct(found or (_somebody(words) if trades else []))


def _owner(word: str) -> str:
    """Return ``word`` without its possessive ending: "violinist's" → "violinist"."""
    return word.removesuffix("'s").removesuffix("'") or word


def _compound(first: Noun, second: Noun) -> Noun:
    """Return the figure of two nouns in a row: a chess player is a player, a robin bird a robin."""
    kept = first if second.words in _KINDS else second
    return replace(kept, count=max(first.count, second.count), colour=first.colour or second.colour)


def _somebody(words: list[str]) -> list[Noun]:
    """Return a person for a word that names only a trade."""
    for at, word in enumerate(words):
        if len(word) > 5 and word.endswith(_TRADES) and word not in _NO_TRADES:
            return [Noun("person", word, 1, None, at)]
    return []


def _is_adjective(words: list[str], at: int, length: int) -> bool:
    """Tell whether a colour word precedes a noun: an orange cat is no orange."""
    return length == 1 and words[at] in colour_names() and at + 1 < len(words)


def _noun(key: str, phrase: str, before: list[str], at: int, *, plural: bool) -> Noun:
    numbers = lexicon()["numbers"]
    counts = [
        numbers[word]
        for word, after in zip(before, [*before[1:], ""], strict=False)
        if word in numbers and (word not in _COLLECTIVES or after == "of")
    ] + [int(w) for w in before if w.isdigit() and 1 <= int(w) <= 99]
    if not counts and phrase in numbers:
        counts = [numbers[phrase]]
    count = counts[-1] if counts else _PLURAL_COUNT if plural or phrase in _PEOPLE else 1
    named = [w for w in before if w in colour_names()]
    own = lexicon()["own_colours"].get(phrase) or lexicon()["own_colours"].get(phrase.rstrip("s"))
    name = colour_names()[named[-1]] if named else own
    colour = colours()[name] if name else None
    return Noun(key, phrase, max(1, min(count, _MOST_OF_A_KIND)), colour, at)


def _distinct(found: list[Noun]) -> list[Noun]:
    kept: list[Noun] = []
    for noun in found:
        if all(noun.key != other.key for other in kept):
            kept.append(noun)
        elif noun.words in lexicon()["numbers"]:
            continue
    return kept
