"""The parser's input features for each word: vector, affixes, and flags from the lexicon."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import is_plural, lemma, lemmas
from workbench.lexicon.tagging import tagged
from workbench.lexicon.terms import find_terms, place_named, subject_kind, word_list
from workbench.prompts.parsing.clauses import Word
from workbench.prompts.parsing.vectors import vectors

__all__ = ["AFFIXES", "FLAGS", "Features", "features_of"]

AFFIXES: Final = 4_096
"""Rows of the hashed prefix and suffix table."""
_KINDS: Final = (
    "man", "woman", "person", "hands", "mammal", "bird", "aquatic", "crawler", "creature", "robot",
    "vehicle", "aircraft", "watercraft", "food", "drink", "plant", "building", "scenery",
    "natural", "object",
)  # fmt: skip
_FIELDS: Final = (
    "viewpoint", "shot_size", "camera_angle", "camera_movement", "lens", "time_of_day", "weather",
    "lighting", "mood", "style", "color_palette", "pace",
)  # fmt: skip
_LISTS: Final = ("colors", "clothing", "prepositions", "seasons", "quantity", "posture", "adverbs")
_TAGS: Final = ".DANVGPITXEORCSWQ"
_PARTS: Final = ("NOUN", "PROPN", "VERB", "ADJ", "ADV", "AUX")
_SHAPES: Final = ("digit", "mark", "capital", "upper", "hyphen", "quote", "known", "vector")
_PLACED: Final = ("first", "last", "in_prompt", "named_in_prompt", "plural", "quoted", "function")
FLAGS: Final[Mapping[str, int]] = {
    name: at
    for at, name in enumerate(
        [
            *(f"tag {t}" for t in _TAGS), *(f"kind {k}" for k in _KINDS), "place",
            *(f"{at} {f}" for f in _FIELDS for at in "BI"), *(f"list {n}" for n in _LISTS),
            *(f"part {p}" for p in _PARTS), *_SHAPES, *_PLACED,
        ]
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Features:
    """The input features of ``n`` words."""

    words: Sequence[str]
    """In lower case, digits as ``0``."""
    vectors: NDArray[np.float32]
    """``(n, DIMENSIONS)``"""
    affixes: NDArray[np.int64]
    """``(n, 4)``: rows of the prefix and suffix table."""
    flags: NDArray[np.float32]
    """``(n, len(FLAGS))`` of zeros and ones."""


def features_of(text: str, words: Sequence[Word], prompt: str) -> Features:
    """Return the input features of the words of the request ``text`` about ``prompt``."""
    index, table = vectors()
    count = len(words)
    rows = np.zeros((count, table.shape[1]), np.float32)
    flags = np.zeros((count, len(FLAGS)), np.float32)
    affixes = np.zeros((count, 4), np.int64)
    in_prompt = _lemmas_in(prompt)
    tags = {token.start: token.tag for token in tagged(text)}
    quoted = False
    for at, word in enumerate(words):
        low = word.text.lower().replace("’", "'")
        row = _row(low, index)
        if row is not None:
            rows[at] = table[row]
            flags[at, FLAGS["vector"]] = 1
        affixes[at] = _affixes(low)
        for flag in _known_of(low):
            flags[at, flag] = 1
        tag = tags.get(word.start)
        if tag:
            flags[at, FLAGS[f"tag {tag}"]] = 1
        if word.text[:1].isupper():
            flags[at, FLAGS["upper" if word.text.isupper() and len(low) > 1 else "capital"]] = 1
        if low == '"':
            quoted = not quoted
        if quoted:
            flags[at, FLAGS["quoted"]] = 1
        if low.isalpha() and low not in english("function_words"):
            if low in in_prompt or lemma(low, "NOUN") in in_prompt:
                flags[at, FLAGS["named_in_prompt"]] = 1
            elif lemma(low, "VERB") in in_prompt:
                flags[at, FLAGS["in_prompt"]] = 1
    if count:
        flags[0, FLAGS["first"]] = 1
        flags[-1, FLAGS["last"]] = 1
    _mark_terms(text, words, flags)
    spelled = [re.sub(r"\d", "0", w.text.lower().replace("’", "'")) for w in words]
    return Features(spelled, rows * np.float32(1.6 / 203.0), affixes, flags)


def _row(low: str, index: Mapping[str, int]) -> int | None:
    if low in index:
        return index[low]
    base = low.removesuffix("'s")
    for form in (base, lemma(base), base.rpartition("-")[2], base.replace("'", "")):
        if form in index:
            return index[form]
    return None


@lru_cache(maxsize=8_192)
def _affixes(low: str) -> tuple[int, ...]:
    return tuple(
        zlib.crc32(part.encode()) % AFFIXES
        for part in (f"<{low[:3]}", f"{low[-2:]}>", f"{low[-3:]}>", f"{low[-4:]}>")
    )


@lru_cache(maxsize=8_192)
def _known_of(low: str) -> tuple[int, ...]:
    """Return the flags of a word that do not depend on context."""
    found: list[str] = []
    if low[0].isdigit():
        found.append("digit")
    elif not low[0].isalnum():
        found.append("quote" if low in {'"', "“", "”"} else "mark")
    else:
        known = lemmas(low)
        found += [f"part {p}" for p in known if p in _PARTS]
        found += ["known"] if known else []
        kind = subject_kind(low)
        found += [f"kind {kind}"] if kind in _KINDS else []
        found += ["place"] if place_named(low) else []
        found += [f"list {name}" for name in _LISTS if low in word_list(name)]
        found += ["hyphen"] if "-" in low else []
        found += ["plural"] if is_plural(low) else []
        found += ["function"] if low in english("function_words") else []
    return tuple(FLAGS[name] for name in found)


@lru_cache(maxsize=64)
def _lemmas_in(prompt: str) -> frozenset[str]:
    said = {word.lower() for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", prompt)}
    said -= english("function_words")
    return frozenset({f for w in said for f in (w, lemma(w, "NOUN"), lemma(w, "VERB"))})


def _mark_terms(text: str, words: Sequence[Word], flags: NDArray[np.float32]) -> None:
    for term in find_terms(text):
        place = "B"
        for at, word in enumerate(words):
            if term.start <= word.start < term.end:
                flags[at, FLAGS[f"{place} {term.field}"]] = 1
                place = "I"
