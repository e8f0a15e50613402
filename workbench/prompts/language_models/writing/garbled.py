"""Detects text that is no language: typed at random, or decoded with the wrong encoding."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.languages import is_english, language_of
from workbench.lexicon.morphology import lemmas
from workbench.lexicon.words import tokens
from workbench.prompts.language_models.writing.scripts import script_of

__all__ = ["is_garbled"]

_FEWEST_PAIRS: Final = 30
"""Pairs of neighbouring letters from which their places on a keyboard can be counted."""
_SAME_ROW: Final = 0.75
"""Share of pairs on one row of a keyboard above which a text was typed at random.

Texts of any language have at most 0.61 (Arabic), mostly 0.3.
"""
_SIDE_BY_SIDE: Final = 0.45
"""The same of pairs at most two keys apart; texts of any language have at most 0.33."""
_REACH: Final = 2
_UTF8: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{1,2}|[\xf0-\xf4][\x80-\xbf]{2,3}"
)
"""A character of several bytes, or most of one whose rest was lost."""
_MISREAD: Final = (
    ("cp1252", 1, 0.9), ("cp1252", 3, 0.5), ("cp1251", 3, 0.5),
    ("gbk", 10, 0.9), ("shift_jis", 10, 0.9), ("cp949", 10, 0.9),
)  # fmt: skip
"""Encodings, with the characters of UTF-8 and the share of the bytes from which a text was misread.

Two-byte encodings look like UTF-8 in parts, and are compared where the script is theirs.
"""
_EAST_ASIAN: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH", "HANGUL"})
_ACCENTED: Final = re.compile(r"[À-ÿ]")
_HALF_READ: Final = re.compile(r"[a-zà-ÿ]Ã(?!\w)")
"""An "à" at the end of a word, whose second byte was read as a space."""
_IMPOSSIBLE: Final = re.compile(
    r"\b(?:an?|the|its|their|my|your) (?:an?|the|of|in|on|with|and|at|to|from|into|his|her|its|their"
    r"|is|are|as|by|for|but|or|then|while)\b",
    re.IGNORECASE,
)
"""An English article before a word that none stands before, as in words in random order."""
_MOST_SLIPS: Final = 2
_LOST: Final = "\N{REPLACEMENT CHARACTER}"
_MOST_LOST: Final = 2


def is_garbled(text: str, idea: str) -> bool:
    """Tell whether ``text`` is random letters or words, or was decoded with the wrong encoding."""
    if _is_typed_at_random(text) or _is_in_no_dictionary(text, idea) or _is_misread(text):
        return True
    return len(_IMPOSSIBLE.findall(text)) > _MOST_SLIPS


def _is_typed_at_random(text: str) -> bool:
    """Tell whether the letters follow the rows of a keyboard: "asdkfj qwoeiru"."""
    places = _keys()
    pairs = [
        (places[first], places[second])
        for first, second in pairwise(text.lower())
        if first in places and second in places
    ]
    if len(pairs) < _FEWEST_PAIRS:
        return False
    distances = [
        min((abs(at - second[row]) for row, at in first.items() if row in second), default=None)
        for first, second in pairs
    ]
    on_a_row = [distance for distance in distances if distance is not None]
    side_by_side = sum(distance <= _REACH for distance in on_a_row)
    return len(on_a_row) > _SAME_ROW * len(pairs) or side_by_side > _SIDE_BY_SIDE * len(pairs)


@cache
def _keys() -> Mapping[str, Mapping[int, int]]:
    """Return the places of each letter: its column by the number of the row."""
    folder = resources.files("workbench.prompts").joinpath("data")
    rows: Sequence[str] = tomllib.loads(folder.joinpath("keyboards.toml").read_text("utf-8"))[
        "rows"
    ]
    found: dict[str, dict[int, int]] = {}
    for number, row in enumerate(rows):
        for column, letter in enumerate(row):
            found.setdefault(letter, {})[number] = column
    return found


def _is_in_no_dictionary(text: str, idea: str) -> bool:
    """Tell whether an answer to an English idea has almost no word of any language."""
    words = [w for w in tokens(text) if w.isascii() and w.isalpha() and w.islower() and len(w) > 2]
    if len(words) < 3 or not is_english(idea) or language_of(text):
        return False
    known = sum(bool(lemmas(word)) or word in english("function_words") for word in words)
    return 2 * known < len(words)


def _is_misread(text: str) -> bool:
    """Tell whether the text is UTF-8 read in another encoding, even twice: "cafÃ©"."""
    if text.count(_LOST) > _MOST_LOST or _HALF_READ.search(text):
        return True
    letters = [c for c in text if c.isalpha()]
    if 2 * len(_ACCENTED.findall(text)) > len(letters) > 0:
        return True  # Cyrillic read as Western European: "Ïðèâåò"
    strange = re.sub(r"[\x00-\x7f]+", " ", text)
    is_asian = 2 * sum(script_of(c) in _EAST_ASIAN for c in strange) > len(strange)
    return any(
        _is_utf8(_bytes(strange, name), fewest, least)
        for name, fewest, least in _MISREAD
        if is_asian or name.startswith("cp125")
    )


def _is_utf8(data: bytes, fewest: int, least: float) -> bool:
    """Tell whether ``data`` holds ``fewest`` characters of UTF-8, and little else."""
    found = [m[0] for m in _UTF8.finditer(data)]
    return len(found) >= fewest and sum(map(len, found)) > least * len(data.replace(b" ", b""))


def _bytes(text: str, encoding: str) -> bytes:
    """Return the bytes that were read as ``text``; control characters stand for themselves."""
    return b"".join(_byte(c, encoding) for c in text)


@cache
def _byte(character: str, encoding: str) -> bytes:
    if ord(character) < 256 and encoding == "cp1252":
        return character.encode("latin-1")
    return character.encode(encoding, errors="replace")
