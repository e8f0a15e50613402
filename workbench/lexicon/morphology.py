"""English morphology: lemmas, inflections, number. The dictionary and the rules are lemminflect's.

Its dictionary is read in place, in the two sorted tables of the package: loading it whole makes
100,000 objects, which takes a process's first prompt a quarter of a second. Its rules, for words
that no dictionary has, bring numpy with them and are imported when such a word is met.
"""

from __future__ import annotations

import gzip
import importlib.util
import sys
from bisect import bisect_left
from collections.abc import Iterator
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

_COLUMNS: Final = {
    "noun": ("NNS",),
    "adj": ("JJR", "JJS"),
    "adv": ("RBR", "RBS"),
    "verb": ("VBD", "VBN", "VBG", "VBZ"),
}
"""The Penn tags of a row's forms, by its category."""
_BASES: Final = {"noun": ("NN",), "adj": ("JJ",), "adv": ("RB",), "verb": ("VB", "VBP")}
_AUXILIARIES: Final = frozenset(["be", "can", "dare", "may", "must", "ought", "shall", "will"])
"""Verbs of whose forms the library knows better than its table."""


class _Table:
    """One of the package's tables: lines of ``word,category,…`` in the order of their words."""

    def __init__(self, name: str) -> None:
        self._text = gzip.decompress((_resources() / f"{name}_lu.csv.gz").read_bytes())
        self._overrides: dict[str, dict[str, tuple[str, ...]]] = {}
        for line in (_resources() / f"{name}_overrides.csv").read_text("utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                word, kind, form = line.strip().split(",")
                self._overrides.setdefault(word, {})[kind] = (form,)

    def rows(self, word: str) -> Iterator[list[str]]:
        """Return what stands behind ``word``, line by line."""
        sought = word.encode()
        at = bisect_left(range(len(self._text)), sought, key=self._word_at)
        while self._text.startswith(sought + b",", at):
            end = self._text.find(b"\n", at)
            yield self._text[at + len(sought) + 1 : end].decode().split(",")
            at = end + 1

    def overrides(self, word: str) -> dict[str, tuple[str, ...]]:
        """Return what the package corrects in the table, by part of speech or tag."""
        return self._overrides.get(word, {})

    def _word_at(self, place: int) -> bytes:
        start = self._text.rfind(b"\n", 0, place) + 1
        return self._text[start : self._text.find(b",", start)]


@cache
def _resources() -> Path:
    found = importlib.util.find_spec("lemminflect")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("lemminflect is not installed")
    return Path(found.origin).parent / "resources"


@cache
def _table(name: str) -> _Table:
    return _Table(name)


@cache
def _library() -> Any:
    import lemminflect  # noqa: PLC0415  brings numpy

    return lemminflect


def load_rules() -> None:
    """Load the rules for unknown words now, so that the first of them need not wait."""
    _library().getAllLemmasOOV("wug", "NOUN")


@lru_cache(maxsize=16_384)
def lemmas(word: str) -> dict[str, tuple[str, ...]]:
    """Return the dictionary lemmas of ``word`` by part of speech; empty for an unknown word."""
    low = word.lower()
    found = {
        category.upper(): tuple(forms.split("/")) for category, forms in _table("lemma").rows(low)
    }
    return found | _table("lemma").overrides(low)


@lru_cache(maxsize=4_096)
def _inflections(word: str) -> dict[str, tuple[str, ...]]:
    """Return the dictionary's forms of a lemma by Penn tag; none where the library must be asked."""
    if word in _AUXILIARIES or not word.islower():
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for category, *columns in _table("infl").rows(word):
        forms = dict(zip(_COLUMNS[category], columns, strict=False))
        found |= {tag: tuple(f.split("/")) for tag, f in forms.items() if f}
        found |= dict.fromkeys(_BASES[category], (word,))
    return found | _table("infl").overrides(word)


@lru_cache(maxsize=16_384)
def lemma(word: str, pos: str = "") -> str:
    """Return the lemma of ``word`` as ``pos`` (``NOUN``, ``VERB``, ``ADJ``), or the likeliest."""
    low = word.lower().replace("’", "'")
    known = lemmas(low)
    if pos in known:
        return known[pos][-1] if low == "leaves" else known[pos][0]
    if pos:
        # Of a word that the dictionary has as something else, a guess is nonsense: pasta → past.
        return _guessed(low, pos) if not known else low
    for candidate in ("VERB", "NOUN", "ADJ", "ADV", "AUX"):
        if candidate in known:
            return known[candidate][0]
    return low


def _guessed(low: str, pos: str) -> str:
    """Return what the rules take for the lemma of an unknown word."""
    closed = ("function_words", "determiners", "uninflected")
    if not (low.isascii() and low.isalpha()) or any(low in english(name) for name in closed):
        return low
    guessed: tuple[str, ...] = _library().getAllLemmasOOV(low, pos).get(pos, ())
    return guessed[0] if guessed else low


@lru_cache(maxsize=4_096)
def inflect(word: str, tag: str) -> str:
    """Return the lemma ``word`` in the Penn form ``tag``: ``VBZ``, ``VBG``, ``VBN``, ``NNS``."""
    if word == "be":
        return {"VBZ": "is", "VBP": "are", "VBG": "being", "VBD": "was", "VBN": "been"}.get(
            tag, word
        )
    found: tuple[str, ...] = _inflections(word).get(tag) or _library().getInflection(word, tag)
    if word.lower() == "lie" and tag in {"VBD", "VBN"}:
        return "lay" if tag == "VBD" else "lain"
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
    if not low.endswith(("s", "i", "a")) or low.endswith("ss"):
        known = lemmas(low).get("NOUN", ())
        return bool(known) and low not in known and not low.endswith("ing")
    known = lemmas(low).get("NOUN", ())
    if known:
        return low not in known
    return low.endswith("s") and not low.endswith(("us", "is"))
