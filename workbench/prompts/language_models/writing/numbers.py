"""Compares the numbers of an idea with those of the words that are said to show them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

__all__ = ["changed_numbers"]

_NUMBER: Final = re.compile(r"(?<![\w.,:])(?:[^\W\d_]+|\d+)(?![\w:]|[.,]\d)")
"""A whole number; decades, decimals, times and sizes ("90s", "9.5", "4K") are compared by nobody."""
_FRACTION: Final = re.compile(r"\d[.,:]\d")
_MOST_WORDS: Final = 14
"""Words of a claim in which one number is that of the thing shown."""
_AGE: Final = re.compile(r"\b(?:about|aged?|around|of)$", re.IGNORECASE)
"""What stands before another number than that of the thing: "a boy of about six"."""


def changed_numbers(covers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the numbers that ``said`` names and ``shown_as`` replaces by another, as written."""
    changed: list[str] = []
    for one in covers:
        said, shown = (str(one.get(name, "")) for name in ("said", "shown_as"))
        if _FRACTION.search(said):
            continue
        asked, given = _numbers(said), _numbers(shown)
        if len(asked) == len(given) == 1 and len(shown.split()) < _MOST_WORDS:
            (word, value), (_, other) = asked[0], given[0]
            changed += [word] if value != other else []
    return changed


def _numbers(text: str) -> list[tuple[str, int]]:
    """Return the numbers above one in ``text``, in digits or in words, as written and as values."""
    found = [
        (word, int(word) if word.isdecimal() else _words().get(word.lower(), 0))
        for match in _NUMBER.finditer(text)
        if (word := match[0]) and not _AGE.search(text[: match.start()].rstrip())
    ]
    return [(word, value) for word, value in found if value > 1]


@cache
def _words() -> Mapping[str, int]:
    folder = resources.files("workbench.prompts").joinpath("data")
    table = tomllib.loads(folder.joinpath("guard.toml").read_text("utf-8"))["numbers"]
    return {word: int(value) for value, words in table.items() for word in words.split()}
