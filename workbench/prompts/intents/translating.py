"""Translates known terms of requests in other languages; the rest needs a language model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from workbench.lexicon.languages import is_foreign, unread_words
from workbench.prompts.intents.words import data, is_known

__all__ = ["OTHER_LANGUAGE", "bounded", "english_of", "is_dense", "is_other_language", "is_strange"]

OTHER_LANGUAGE: Final = (
    "I read English, and of other languages a few sure terms such as night, rain, vertical or undo. "
    "A language model reads the rest: connect one with WORKBENCH_LANGUAGE_PROVIDER, or say it in English."
)
"""The help for a request in another language."""


def is_strange(text: str) -> bool:
    """Tell whether ``text`` has a word that is not English."""
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    return any(not is_known(word) for word in words)


def is_other_language(text: str) -> bool:
    """Tell whether ``text`` is not English: another script, or mostly unknown words."""
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    strange = [w for w in words if not is_known(w)]
    if len(strange) * 3 < len(words):
        return False
    if unread_words(text) or is_foreign(text):
        return True
    accents = sum(not w.isascii() for w in words)
    fillers = frozenset().union(*_fillers().values())
    small = sum(word in fillers for word in set(strange))
    share = len(strange) / max(1, len(words))
    return ((accents > 0 or small > 1) and share >= 0.5) or (small > 0 and share > 0.6)


_SECONDS: Final = re.compile(
    r"(?<!\w)(\d{1,3}) ?(?:sekunden?|segundos?|secondes?|secondi|secondo|秒钟?|秒間?|초|सेकंड)(?: (?:lang|de largo|de long|de duração))?"
)
"""A length in the languages that the phrases cover."""


def english_of(text: str) -> str | None:
    """Return ``text`` in English, or None if any part of it is unknown."""
    left = f" {text.lower().strip(' .,!?。！？、，')} "
    found: list[tuple[int, str]] = []
    for phrase, pattern, english in _phrases():
        match = pattern.search(left) if phrase in left else None
        if match is not None:
            found.append((match.start(), english))
            left = (
                f"{left[: match.start()]}{'·' * (match.end() - match.start())}{left[match.end() :]}"
            )
    # Settings written the same in every language: "9:16", "8 s".
    numbers = re.search(r"(?<![\w:])(\d{1,2}:\d{1,2}|\d+ ?(?:s|sec|fps|p))(?!\w)", left)
    if numbers is None:
        numbers = _SECONDS.search(left)
    if numbers is not None:
        said = numbers[1] if numbers.re is not _SECONDS else f"{numbers[1]} seconds"
        found.append((numbers.start(), said))
        left = left.replace(numbers[0], "")
    rest = re.sub(r"[·\s\W\d_]+", " ", left).strip()
    for filler in _fillers().values():
        if all(_is_filled(word, filler) for word in rest.split()):
            return ", ".join(english for _, english in sorted(found)) or None
    return None


def _is_filled(word: str, filler: frozenset[str]) -> bool:
    if word in filler:
        return True
    if not is_dense(word):
        return False
    for known in sorted(filler, key=len, reverse=True):
        word = word.replace(known, "")
    return not word


def is_dense(text: str) -> bool:
    """Tell whether ``text`` uses a script written without spaces."""
    return bool(re.search(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", text))


@cache
def _phrases() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    table: Mapping[str, str] = data("languages")["phrases"]
    pairs = [(phrase, english) for english, row in table.items() for phrase in row.split("|")]
    return tuple(
        (phrase, re.compile(bounded(phrase)), english)
        for phrase, english in sorted(dict.fromkeys(pairs), key=lambda pair: -len(pair[0]))
    )


def bounded(phrase: str) -> str:
    """Return a pattern for ``phrase`` as whole words, or anywhere in scripts without spaces."""
    return re.escape(phrase) if is_dense(phrase) else rf"(?<!\w){re.escape(phrase)}(?!\w)"


@cache
def _fillers() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(row.split()) for name, row in data("languages")["filler"].items()}
