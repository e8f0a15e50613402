"""English morphology: lemmas, inflections, number.

Known words are looked up in a sorted table (made by ``benchmarks/dictionary.py``). Unknown words use
lemminflect's rules, which are imported on first use.
"""

from __future__ import annotations

import gzip
import sys
from bisect import bisect_left
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from workbench.lexicon.datafiles import english

__all__ = [
    "inflect",
    "is_adjective",
    "is_noun",
    "is_plural",
    "is_verb",
    "lemma",
    "lemmas",
    "load_rules",
]

DICTIONARY: Final = Path(__file__).parent / "data" / "dictionary.txt.gz"
_PARTS: Final = {"n": "NOUN", "p": "PROPN", "v": "VERB", "a": "ADJ", "r": "ADV", "x": "AUX"}
_BASES: Final = {"NOUN": ("NN",), "ADJ": ("JJ",), "ADV": ("RB",), "VERB": ("VB", "VBP")}
_BE: Final = {"VBZ": "is", "VBP": "are", "VBG": "being", "VBD": "was", "VBN": "been"}
_LIE: Final = {"VBD": "lay", "VBN": "lain"}


@cache
def _table() -> bytes:
    return gzip.decompress(DICTIONARY.read_bytes())


@cache
def _library() -> Any:
    import lemminflect  # noqa: PLC0415  imports numpy

    return lemminflect


def load_rules() -> None:
    """Load the rules for unknown words now, so that the first lookup is not slow."""
    _library().getAllLemmasOOV("wug", "NOUN")


@lru_cache(maxsize=16_384)
def _row(word: str) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return the lemmas of ``word`` by part of speech, and its forms by Penn tag."""
    table, sought = _table(), word.encode() + b"\t"

    def line_at(place: int) -> bytes:
        start = table.rfind(b"\n", 0, place) + 1
        return table[start : table.find(b"\n", place)]

    at = bisect_left(range(len(table)), sought, key=line_at)
    if not table.startswith(sought, at):
        return {}, {}
    _, said, shapes = table[at : table.find(b"\n", at)].decode().split("\t")
    lemmas = {_PARTS[item[0]]: tuple(item[2:].split("/")) for item in said.split()}
    forms = {item[:3]: tuple(item[4:].split("/")) for item in shapes.split()}
    for part, own in lemmas.items():
        if word in own:
            forms |= dict.fromkeys(_BASES.get(part, ()), (word,))
    return lemmas, forms


def lemmas(word: str) -> dict[str, tuple[str, ...]]:
    """Return the dictionary lemmas of ``word`` by part of speech; empty for an unknown word."""
    return _row(word.lower())[0]


@lru_cache(maxsize=16_384)
def lemma(word: str, pos: str = "") -> str:
    """Return the lemma of ``word`` as ``pos`` (``NOUN``, ``VERB``, ``ADJ``), or the most likely one."""
    low = word.lower().replace("’", "'")
    known = lemmas(low)
    if pos in known:
        return known[pos][-1] if low == "leaves" else known[pos][0]
    if pos:
        # Do not guess if the dictionary has the word as another part of speech: pasta → past.
        return _guessed(low, pos) if not known else low
    for candidate in ("VERB", "NOUN", "ADJ", "ADV", "AUX"):
        if candidate in known:
            return known[candidate][0]
    return low


def _guessed(low: str, pos: str) -> str:
    """Return the lemma that the rules give for an unknown word."""
    closed = ("function_words", "determiners", "uninflected")
    if not (low.isascii() and low.isalpha()) or any(low in english(name) for name in closed):
        return low
    if pos == "NOUN" and not low.endswith("s"):
        return low
    guessed: tuple[str, ...] = _library().getAllLemmasOOV(low, pos).get(pos, ())
    return guessed[0] if guessed else low


@lru_cache(maxsize=4_096)
def inflect(word: str, tag: str) -> str:
    """Return the lemma ``word`` in the Penn form ``tag``: ``VBZ``, ``VBG``, ``VBN``, ``NNS``."""
    if word == "be":
        return _BE.get(tag, word)
    if word.lower() == "lie" and tag in _LIE:
        return _LIE[tag]
    forms = _row(word)[1]
    found: tuple[str, ...] = forms.get(tag) or (forms.get("VBD", ()) if tag == "VBN" else ())
    if not found:
        found = _library().getInflection(word, tag)
    return sys.intern(found[0]) if found else word


def is_verb(word: str) -> bool:
    """Tell whether the dictionary knows ``word`` as a verb form."""
    return "VERB" in lemmas(word)


def is_noun(word: str) -> bool:
    """Tell whether the dictionary knows ``word`` as a noun."""
    return "NOUN" in lemmas(word) or "PROPN" in lemmas(word)


def is_adjective(word: str) -> bool:
    """Tell whether the dictionary knows ``word`` as an adjective."""
    return "ADJ" in lemmas(word)


@lru_cache(maxsize=8_192)
def is_plural(noun: str) -> bool:
    """Tell whether the noun form ``noun`` is a plural."""
    low = noun.lower()
    if low in english("same_in_plural") or low in english("singular_s"):
        return False
    if low in english("plural_only"):
        return True
    known = lemmas(low).get("NOUN", ())
    if not low.endswith(("s", "i", "a")) or low.endswith("ss"):
        return bool(known) and low not in known and not low.endswith("ing")
    if known:
        return low not in known
    return low.endswith("s") and not low.endswith(("us", "is"))
