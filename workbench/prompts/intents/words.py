"""Word lookups for the rules. Re-exports what this package uses of the lexicon."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from workbench.lexicon.articles import with_article
from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import (
    inflect,
    is_adjective,
    is_noun,
    is_plural,
    is_verb,
    lemma,
    lemmas,
)
from workbench.lexicon.terms import (
    ANIMATE,
    find_terms,
    place_named,
    subject_kind,
    word_list,
)
from workbench.scene import Aspect

__all__ = [
    "ANIMATE",
    "NUMBERS",
    "aspect_of",
    "data",
    "determiners",
    "find_terms",
    "inflect",
    "is_adjective",
    "is_known",
    "is_known_noun",
    "is_noun",
    "is_plural",
    "is_verb",
    "lemma",
    "lemmas",
    "noun_in_text",
    "number_in",
    "place_named",
    "plural_of",
    "progressive",
    "subject_kind",
    "with_article",
    "word_list",
    "words_of",
]

_FOLDER: Final = Path(__file__).parent / "data"

NUMBERS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "a": 1, "an": 1, "one": 1, "single": 1, "two": 2, "both": 2, "three": 3, "four": 4,
        "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
        "twelve": 12, "dozen": 12, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100,
    }
)  # fmt: skip


@cache
def data(name: str) -> Mapping[str, Any]:
    """Return the parsed data file ``name`` (without ``.toml``), read-only and cached."""
    return MappingProxyType(tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8")))


@cache
def words_of(section: str, name: str) -> frozenset[str]:
    """Return a word list of ``words.toml``."""
    return frozenset(str(data("words")[section][name]).split())


@cache
def determiners() -> frozenset[str]:
    """Return the words that may begin a noun phrase."""
    return english("determiners")


@cache
def _aspects() -> Mapping[str, Aspect]:
    found = dict.fromkeys(word_list("colors"), Aspect.COLOUR)
    for name in ("material", "age", "build", "state"):
        for word in str(data("words")["looks"][name]).split():
            found.setdefault(word, Aspect(name))
    found |= dict.fromkeys(("wood", "stone", "paper"), Aspect.MATERIAL)
    return found


@lru_cache(maxsize=4_096)
def aspect_of(word: str) -> Aspect | None:
    """Return the aspect of looks that ``word`` describes, or None."""
    low = word.lower()
    known = _aspects().get(low)
    if known is not None:
        return known
    if low.endswith(("-coloured", "-colored")):
        return Aspect.COLOUR
    if low.endswith(("er", "ier")) and (base := lemma(low, "ADJ")) != low:
        return _aspects().get(base, Aspect.OTHER if is_adjective(base) else None)
    if is_adjective(low) and (not is_verb(low) or low.endswith(("ed", "en"))):
        return Aspect.OTHER
    return None


def number_in(word: str) -> int | None:
    """Return the number that ``word`` names, or None."""
    return int(word) if word.isdigit() and len(word) < 5 else NUMBERS.get(word.lower())


@lru_cache(maxsize=4_096)
def is_known_noun(word: str) -> bool:
    """Tell whether the lexicon or the dictionary has ``word`` as a noun, singular or plural."""
    return subject_kind(word) is not None or place_named(word) is not None or is_noun(word)


@lru_cache(maxsize=8_192)
def is_known(word: str) -> bool:
    """Tell whether any dictionary has ``word``."""
    low = word.lower()
    return (
        bool(lemmas(low))
        or low in english("function_words")
        or low in word_list("prepositions")
        or is_known_noun(low)
    )


def plural_of(noun: str) -> str:
    """Return the plural of the singular ``noun``."""
    return inflect(noun, "NNS")


def progressive(phrase: str) -> str:
    """Return a verb phrase with its verb in the -ing form: "waves at him" → "waving at him"."""
    words = phrase.split()
    lead: list[str] = []
    while len(words) > 1 and words[0].lower().endswith("ly"):
        lead.append(words.pop(0))
    verb = words[0].lower()
    if verb in {"not", "n't"} and len(words) > 1:
        return " ".join([*lead, "not", progressive(" ".join(words[1:]))])
    if verb in {"is", "are", "be", "was", "were"}:
        if len(words) > 1 and words[1].lower().endswith("ing"):
            return " ".join([*lead, *words[1:]])
        return " ".join([*lead, "being", *words[1:]])
    if verb.endswith("ing") and lemma(verb, "VERB") != verb:
        return " ".join([*lead, *words])
    base = lemma(verb, "VERB")
    rest = list(words[1:])
    for i in range(1, len(rest)):
        # A verb after "and" takes the form of the first: "approach and grasp".
        low = rest[i].lower()
        form = inflect(lemma(low, "VERB"), "VBZ") if verb != base else lemma(low, "VERB")
        joined = rest[i - 1].lower() in {"and", "then", "or"}
        if joined and is_verb(low) and low == form and _acts(rest, i):
            rest[i] = inflect(lemma(low, "VERB"), "VBG")
    return " ".join([*lead, inflect(base, "VBG"), *rest])


def _acts(words: Sequence[str], i: int) -> bool:
    """Tell whether the word at ``i``, after "and", is a verb: "wakes up and barks"."""
    before = words[i - 2].lower() if i > 1 else ""
    after = words[i + 1].lower() if i + 1 < len(words) else ""
    leads = determiners() | word_list("prepositions") | {"him", "it", "them", "up", "away"}
    return after in leads or before.endswith("ly") or before in word_list("prepositions") or i < 2


def noun_in_text(what: str, text: str) -> bool:
    """Tell whether ``text`` has every content word of ``what``, singular or plural."""
    have = {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", text.lower())}
    want = {
        lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", what.lower()) if w not in determiners()
    }
    return bool(want) and want <= have
