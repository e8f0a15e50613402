"""English text: tokens, sentences, articles. Knows nothing of subjects, places or verbs."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.datafiles import english

__all__ = [
    "article",
    "bare",
    "content_words",
    "sentence_case",
    "sentences",
    "tokens",
]

_MARKS: Final = (
    r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
    r"\u0e31-\u0e4e\u0eb1-\u0ecd\u1000-\u109f\u1780-\u17d3"
)
"""Vowel signs and other marks that occur inside words but are not letters."""
_LETTER: Final = rf"(?:[^\W_]|[{_MARKS}])"
_TOKEN: Final = re.compile(rf"[^\W_]{_LETTER}*(?:['’\-][^\W_]{_LETTER}*)*", re.UNICODE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…。！？])[\"'”’)]*\s+|\n+")
_VOWEL_SOUND: Final = re.compile(
    r"^(?:[aeio]|u(?!ni(?!n|m)|s[aeiou]|r[aeiou]|t[aeiou]|k[ru]|biq|fo)|hour|honest|honou?r|heir"
    r"|x-|mri|mp|8|11\b|18\b|fbi|led\b|suv)",
    re.IGNORECASE,
)
_CONSONANT_SOUND: Final = re.compile(
    r"^(?:one\b|once|eu|ewe|uni(?!n|m)|u[ksrv]\b|usb|usa|ufo|url)", re.IGNORECASE
)


def article(phrase: str) -> str:
    """Return ``a`` or ``an``, by the sound that ``phrase`` begins with."""
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
    """Return the words of ``text`` that are not function words, in lower case and in order."""
    return [
        word for word in (t.lower() for t in tokens(text)) if word not in english("function_words")
    ]


def sentence_case(text: str) -> str:
    """Return ``text`` with its first letter capitalized."""
    return text[:1].upper() + text[1:]
