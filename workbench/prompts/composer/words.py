"""English words: tokens, lemmas, inflections, articles, number. Knows no lexicon of the project's.

Morphology is lemminflect's; it is imported on first use, for it takes a tenth of a second.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Final

__all__ = [
    "DETERMINERS",
    "article",
    "bare",
    "content_words",
    "inflect",
    "is_adjective",
    "is_noun",
    "is_plural",
    "is_verb",
    "join_list",
    "lemma",
    "lemmas",
    "load_morphology",
    "sentence_case",
    "sentences",
    "tokens",
]

DETERMINERS: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "his",
        "her",
        "its",
        "their",
        "my",
        "your",
        "our",
        "some",
        "any",
        "no",
        "each",
        "every",
        "another",
        "several",
        "many",
        "few",
        "both",
        "all",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "dozens",
        "hundreds",
        "countless",
        "various",
        "twelve",
    ]
)
_FUNCTION_WORDS: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "and",
        "or",
        "in",
        "on",
        "at",
        "by",
        "for",
        "with",
        "from",
        "into",
        "onto",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "there",
        "their",
        "his",
        "her",
        "he",
        "she",
        "they",
        "them",
        "him",
        "up",
        "out",
        "off",
        "so",
        "but",
        "while",
        "than",
        "then",
        "through",
        "over",
        "under",
        "i",
        "my",
        "me",
        "we",
        "our",
        "you",
        "your",
        "not",
        "no",
        "do",
        "does",
        "s",
        "t",
        "some",
        "who",
        "which",
    ]
)
_TOKEN: Final = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*", re.UNICODE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…。！？])[\"'”’)]*\s+|\n+")
_VOWEL_SOUND: Final = re.compile(
    r"^(?:[aeio]|u(?!ni(?!n|m)|s[aeiou]|r[aeiou]|t[aeiou]|k[ru]|biq|fo)|hour|honest|honou?r|heir"
    r"|x-|mri|mp|8|11\b|18\b|fbi|led\b|suv)",
    re.IGNORECASE,
)
_CONSONANT_SOUND: Final = re.compile(r"^(?:one\b|once|eu|ewe|uni(?!n|m))", re.IGNORECASE)
_SINGULAR_S: Final = frozenset(
    [
        "bus",
        "glass",
        "grass",
        "dress",
        "canvas",
        "moss",
        "princess",
        "waitress",
        "actress",
        "octopus",
        "cactus",
        "lens",
        "compass",
        "chess",
        "circus",
        "virus",
        "walrus",
        "platypus",
        "hippopotamus",
        "lotus",
        "hibiscus",
        "campus",
        "paris",
        "goddess",
        "boss",
        "class",
        "mars",
        "venus",
        "tennis",
        "always",
        "perhaps",
        "across",
        "this",
        "less",
        "kiss",
        "mass",
        "news",
        "christmas",
        "bass",
        "cross",
        "seamstress",
        "series",
        "species",
        "abyss",
        "mess",
        "business",
        "colosseus",
        "fortress",
        "mattress",
        "us",
        "james",
    ]
)
_PLURAL_ONLY: Final = frozenset(
    [
        "people",
        "men",
        "women",
        "children",
        "geese",
        "mice",
        "feet",
        "teeth",
        "scissors",
        "pants",
        "trousers",
        "jeans",
        "glasses",
        "sunglasses",
        "skis",
        "goggles",
        "headphones",
        "police",
        "cattle",
        "sheep",
        "deer",
        "fish",
        "binoculars",
        "pajamas",
        "crossroads",
    ]
)
_AMBIGUOUS_NUMBER: Final = frozenset(
    ["sheep", "deer", "fish", "salmon", "squid", "series", "species"]
)


@cache
def _morphology() -> Any:
    """Load the morphology and its tables, a quarter of a second in all.

    They are 100,000 objects that live as long as the process: counting them for garbage while
    they are made would cost half as much again.
    """
    counting = gc.isenabled()
    gc.disable()
    try:
        import lemminflect  # noqa: PLC0415  on first use only

        lemminflect.getAllLemmas("dogs")
        lemminflect.getInflection("dog", "NNS")
    finally:
        if counting:
            gc.enable()
    return lemminflect


def load_morphology() -> None:
    """Load the morphology now, so that the first prompt need not wait for it."""
    _morphology()


@lru_cache(maxsize=16_384)
def lemmas(word: str) -> dict[str, tuple[str, ...]]:
    """Return the dictionary lemmas of ``word`` by part of speech; empty for an unknown word."""
    found: dict[str, tuple[str, ...]] = _morphology().getAllLemmas(word.lower())
    return found


@lru_cache(maxsize=16_384)
def lemma(word: str, pos: str = "") -> str:
    """Return the lemma of ``word`` as ``pos`` (``NOUN``, ``VERB``, ``ADJ``), or the likeliest."""
    low = word.lower().replace("’", "'")
    known = lemmas(low)
    if pos:
        if pos in known:
            return known[pos][-1] if low == "leaves" else known[pos][0]
        if low.isascii() and low.isalpha():
            guessed: tuple[str, ...] = _morphology().getAllLemmasOOV(low, pos).get(pos, ())
            return guessed[0] if guessed else low
        return low
    for candidate in ("VERB", "NOUN", "ADJ", "ADV", "AUX"):
        if candidate in known:
            return known[candidate][0]
    return low


@lru_cache(maxsize=4_096)
def inflect(word: str, tag: str) -> str:
    """Return the lemma ``word`` in the Penn form ``tag``: ``VBZ``, ``VBG``, ``VBN``, ``NNS``."""
    if word == "be":
        return {"VBZ": "is", "VBP": "are", "VBG": "being", "VBD": "was", "VBN": "been"}.get(
            tag, word
        )
    found: tuple[str, ...] = _morphology().getInflection(word, tag)
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
    if low in _AMBIGUOUS_NUMBER or low in _SINGULAR_S:
        return False
    if low in _PLURAL_ONLY:
        return True
    if not low.endswith(("s", "i", "a")) or low.endswith("ss"):
        known = lemmas(low).get("NOUN", ())
        return bool(known) and low not in known and not low.endswith("ing")
    known = lemmas(low).get("NOUN", ())
    if known:
        return low not in known
    return low.endswith("s") and not low.endswith(("us", "is"))


def article(phrase: str) -> str:
    """Return ``a`` or ``an`` for the sound that ``phrase`` begins with."""
    if _CONSONANT_SOUND.match(phrase):
        return "a"
    return "an" if _VOWEL_SOUND.match(phrase) else "a"


def bare(word: str) -> str:
    """Return ``word`` in lower case without the punctuation around it."""
    return word.strip(".,;:!?\"'“”()").lower()


def tokens(text: str) -> list[str]:
    """Return the words of ``text`` in order, as written."""
    return _TOKEN.findall(text)


def sentences(text: str) -> list[str]:
    """Return the sentences of ``text``, each with its punctuation."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def content_words(text: str) -> list[str]:
    """Return the words of ``text`` that carry meaning, lower case, in order."""
    return [word for word in (t.lower() for t in tokens(text)) if word not in _FUNCTION_WORDS]


def sentence_case(text: str) -> str:
    """Return ``text`` with its first letter a capital."""
    return text[:1].upper() + text[1:]


def join_list(items: Iterable[str]) -> str:
    """Return ``items`` as prose: ``a, b and c``."""
    parts = list(items)
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
