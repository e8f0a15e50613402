"""Mends plain typing slips in words that no dictionary knows; leaves every other word alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.datafiles import load as load_words
from workbench.lexicon.morphology import inflect, is_verb, lemma, lemmas
from workbench.prompts.composer.datafiles import load
from workbench.scene import vocabulary

__all__ = ["mended"]

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_SHORTEST: Final = 5
"""Shorter words have too many neighbours to be sure of."""
_CLOSED: Final = frozenset(
    [
        "about",
        "above",
        "across",
        "after",
        "again",
        "against",
        "almost",
        "alone",
        "along",
        "already",
        "also",
        "although",
        "always",
        "among",
        "another",
        "anybody",
        "anyone",
        "anything",
        "around",
        "because",
        "become",
        "before",
        "behind",
        "below",
        "beneath",
        "beside",
        "besides",
        "between",
        "beyond",
        "could",
        "during",
        "either",
        "enough",
        "every",
        "everybody",
        "everyone",
        "everything",
        "except",
        "forever",
        "here",
        "hers",
        "herself",
        "himself",
        "however",
        "inside",
        "instead",
        "itself",
        "might",
        "mine",
        "maybe",
        "myself",
        "neither",
        "never",
        "nobody",
        "nothing",
        "often",
        "other",
        "others",
        "ourselves",
        "outside",
        "perhaps",
        "quite",
        "rather",
        "shall",
        "should",
        "since",
        "somebody",
        "someone",
        "something",
        "sometimes",
        "somewhere",
        "still",
        "such",
        "their",
        "theirs",
        "them",
        "themselves",
        "there",
        "these",
        "those",
        "though",
        "through",
        "throughout",
        "together",
        "toward",
        "towards",
        "twice",
        "under",
        "underneath",
        "unless",
        "until",
        "unlike",
        "upon",
        "very",
        "what",
        "whatever",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "whose",
        "within",
        "without",
        "would",
        "yours",
        "yourself",
        "eleven",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "hundred",
        "thousand",
        "million",
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
    ]
)
_COMMON: Final = {
    "teh": "the", "hte": "the", "adn": "and", "nad": "and", "wiht": "with", "wtih": "with",
    "thier": "their", "nigth": "night", "inthe": "in the", "beutiful": "beautiful",
    "beatiful": "beautiful", "moutain": "mountain", "recieve": "receive",
}  # fmt: skip


def mended(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return ``text`` with its typing slips mended, and each slip with what it was taken for."""
    slips: list[tuple[str, str]] = []

    def mend(match: re.Match[str]) -> str:
        better = _better(match[0])
        if better is None:
            return match[0]
        slips.append((match[0], better))
        return better

    return re.sub(r"\b[a-z]{3,}\b", mend, text), tuple(slips)


@lru_cache(maxsize=2_048)
def _better(word: str) -> str | None:
    if word in _COMMON:
        return _COMMON[word]
    if len(word) < _SHORTEST or word in _CLOSED or word in english("determiners"):
        return None
    if lemmas(word) or word in _known():
        return None
    near = {c for c in _neighbours(word) if c[:1] == word[0] and c in _known()}
    return near.pop() if len(near) == 1 else None


@cache
def _known() -> frozenset[str]:
    words: set[str] = set()
    for name in ("subjects", "places"):
        for table in load_words(name).values():
            listed = table if isinstance(table, str) else table["nouns"]
            words.update(w for entry in listed.split() for w in entry.split("-"))
    words |= {inflect(w, "NNS") for w in words}
    for listed in load_words("grammar").values():
        words.update(str(listed).split())
    for section in ("moving", "still", "hands", "travel"):
        words.update(load("completions")[section]["words"].split())
    for table in vocabulary().values():
        for term, phrases in table.items():
            words.update(w for phrase in (term, *phrases) for w in phrase.lower().split())
    verbs = {lemma(w, "VERB") for w in words if w.endswith("ing") and is_verb(w)}
    return frozenset(words | {inflect(v, tag) for v in verbs for tag in ("VBG", "VBZ", "VBD")})


def _neighbours(word: str) -> Iterator[str]:
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    for left, right in splits:
        if right:
            yield left + right[1:]
        if len(right) > 1:
            yield left + right[1] + right[0] + right[2:]
        for letter in _LETTERS:
            yield left + letter + right
            if right:
                yield left + letter + right[1:]
