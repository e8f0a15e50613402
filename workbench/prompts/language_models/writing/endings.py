"""Detects texts that are cut off, in the languages of ideas."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from workbench.lexicon.languages import is_english, language_of
from workbench.lexicon.morphology import lemmas
from workbench.lexicon.words import sentences, tokens
from workbench.prompts.language_models.writing.scripts import (
    END_MARKS,
    is_unspaced,
    statements,
)

__all__ = ["has_no_start", "is_cut_off", "leading_words"]

_CLOSING: Final = "\"'”’)»«“」』） "
_PAIRS: Final = (("“", "”"), ("«", "»"), ("「", "」"), ("『", "』"), ("(", ")"), ("（", "）"))
_TRAILING: Final = ("...", "…", "。。。")
_LONG_WORDS: Final = 15
"""Maximum words of a text without any full stop; a longer one counts as cut off."""
_SHORTEST_NAME: Final = 4
"""Minimum letters of an unknown word that may end a short text: "kettlebell"."""
_BEFORE_NOUN: Final = re.compile(r"\b(?:the|an?|its|her|his|their|two|three) \w+$", re.IGNORECASE)
_PARTICLE: Final = re.compile(
    r"\b(?:zoom|push|fade|dolly|dollie|move|close|pass|drift|roll|walk|fly|flie|come|carry|carrie|go"
    r"|turn|switch|look|pull)(?:s|es|ing|ed)? (?:in|on|by|over|through)$",
    re.IGNORECASE,
)
"""A verb with its particle: "zooms in"."""
_STOP: Final = re.compile(r"[.!?。！？।]\s*\S")
_FEWEST_CAPITALS: Final = 2
"""Sentences that begin with a capital from which the first one begins with one too."""
_SENTENCE_MARK: Final = re.compile(
    r"(?:[.!?。！？।؟…]|(?<=\w) ?[;；])[\s\"'”’)»«“」』）]+|[。！？；][”」』）]*"
)
_COMMA: Final = re.compile(r"[,،、，;；]")
_LONGEST_NOTE, _LONGEST_TITLE, _LONGEST_RUN = 4, 3, 6
"""Maximum words of a note among others and alone, and characters where words are not separated."""
_MEASURE: Final = re.compile(r"\d ?(?:[^\W\d_]{1,3}|[°%]\w?)?$")
"""A number with its unit: "24 fps"."""
_DANGLING: Final = re.compile(
    r"\b(?:and|but|as|while|when|until|before|after|where|then) (?:the|an?|its|her|his|their) \w+$"
    r"|, (?:the|its|her|his|their) \w+$"
    r"|\b(?:the|its|her|his|their) \w+ (?:\w{3,}ly|then|now|still)$"
    r"|\b(?:because|and|but|as|while|when|where|if|so|until|which|that) (?:just |far |right )?"
    r"(?:behind|beside|under|over|above|below|beneath|in|on|at|near|inside|beyond|through|around|across|with|for|from|to) "
    r"(?:it|him|her|them|us|itself|himself|herself|themselves)$",
    re.IGNORECASE,
)
"""The start of a clause at a text's end: "and the cam", "the camera slowly"."""


def is_cut_off(text: str, *, is_whole: bool = False) -> bool:
    """Tell whether ``text`` is cut off; a missing full stop behind a list of notes does not count.

    ``is_whole`` says that its writer is known to have ended it: then no missing full stop counts,
    only a quotation, bracket or phrase that is left open.
    """
    whole = text.rstrip()
    if _is_left_open(whole):
        return True
    bare = whole.rstrip(_CLOSING)
    if bare.endswith((",", ";", ":", "-", "–", "—", "(", "،", "、", "，", "；", "：", "「")):
        return True
    is_quoted = whole != bare and not whole.endswith(")")
    language = language_of(bare) or "English"
    if _NUMBER_LEFT.search(bare):
        return True
    if bare.endswith(tuple(END_MARKS)):
        is_trailing = bare.endswith(_TRAILING)
        stem = bare.rstrip(END_MARKS + " ")
        kind = "unfinished" if is_trailing else "never_last"
        return not is_quoted and _ends_in_small_word(stem, language, kind)
    is_open = _ends_in_small_word(bare, language, "unfinished") and not _PARTICLE.search(bare)
    if is_open and not is_quoted:
        return True
    is_dangling = bool(_DANGLING.search(bare) or _ADVERB_LAST.search(bare))
    if is_english(bare) and is_dangling and len(sentences(bare)) > 1:
        return True
    found = tokens(bare)
    last = found[-1].lower() if found else ""
    kinds = lemmas(last)
    if is_english(bare) and set(kinds) == {"ADJ"} and _BEFORE_NOUN.search(bare):
        return True
    if is_whole or _has_suffix(bare, language, "finished"):
        return False
    is_word = bool(kinds) or not last.isascii() or found[-1][:1].isupper() or last.isdigit()
    if _ends_in_notes(bare):
        is_letters = len(last) < _SHORTEST_NAME and last.isalpha() and not _MEASURE.search(bare)
        return is_english(bare) and not is_word and is_letters
    if _STOP.search(bare):
        return True
    is_long = len(bare.split()) > _LONG_WORDS
    if is_unspaced(bare) or not is_english(bare):
        return is_long
    return not is_word and (is_long or len(last) < _SHORTEST_NAME)


def has_no_start(text: str) -> bool:
    """Tell whether ``text`` begins in the middle of a word or sentence, and its others do not."""
    first = next(iter(text.split()), "")
    capitals = sum(one[0].isupper() for one in statements(text))
    return first.islower() and first[0].isalpha() and capitals >= _FEWEST_CAPITALS


def _ends_in_notes(text: str) -> bool:
    """Tell whether the last sentence is a list of short notes: "wide lens, soft light, 4K"."""
    tail = _SENTENCE_MARK.split(text)[-1]
    notes = [note.split() for note in _COMMA.split(tail) if note.strip()]
    if is_unspaced(text):
        return len(notes) > 1 and all(len("".join(note)) <= _LONGEST_RUN for note in notes)
    joints = leading_words(language_of(text) or "English")
    is_short = all(len(note) <= _LONGEST_NOTE and note[0] not in joints for note in notes)
    is_behind = not _STOP.search(text) or text[: -len(tail)].rstrip().endswith((";", "；"))
    is_title = len(notes) == 1 and len(notes[0]) <= _LONGEST_TITLE and is_behind
    return bool(_MEASURE.search(tail)) or (is_short and (len(notes) > 1 or is_title))


_ADVERB_LAST: Final = re.compile(
    r"\b(?:behind|beneath|beside|almost|barely|just|nearly)$"
    r"|(?<!, )\b(?:slowly|suddenly|gently|softly|quietly|carefully|briefly)$"
    r"|\bbetween (?:the|its|her|his|their) \w+(?<!s)$",
    re.IGNORECASE,
)
"""What cannot end a long text: "the highest balloon slowly, almost", "between the fin"."""
_NUMBER_LEFT: Final = re.compile(
    r"\b(?:just|only|about|around|nearly|almost|takes?|lasts?|reads?|than) \d+\.$", re.IGNORECASE
)
"""A number whose decimals or unit are missing: "the whole stop takes just 2."."""


def leading_words(language: str) -> frozenset[str]:
    """Return the words of ``language`` that precede others: articles, prepositions, pronouns."""
    return frozenset(_endings()["unfinished"].get(language, "").split())


def _is_left_open(text: str) -> bool:
    """Tell whether a quotation or bracket is opened and never closed."""
    straight = [m.start() for m in re.finditer(r'(?<!\d)"', text)]
    if len(straight) % 2 and re.search(r'(?:^|\s)"\w[^"]*$', text):
        return True
    pairs = [pair for pair in _PAIRS if pair[0] != "“" or "„" not in text]
    return any(
        text.count(first) > text.count(last) and text.rfind(first) > text.rfind(last)
        for first, last in pairs
    )


def _ends_in_small_word(text: str, language: str, kind: str) -> bool:
    """Tell whether ``text`` ends in a word that must be followed by another."""
    found = tokens(text)
    last = found[-1].lower() if found else ""
    small = _endings()[kind]
    if last in small.get(language, "").split():
        return True
    if kind == "never_last":
        return False
    pronouns = _endings()["subjects"].get(language, "").split()
    if last in pronouns and re.search(rf"[,،]\s*{re.escape(last)}$", text.lower()):
        return True
    return _has_suffix(text, language, "suffixes")


def _has_suffix(text: str, language: str, kind: str) -> bool:
    suffixes: str = _endings()[kind].get(language, "")
    return bool(suffixes) and bool(re.search(rf"(?:{suffixes})$", text))


@cache
def _endings() -> Mapping[str, Any]:
    folder = resources.files("workbench.prompts").joinpath("data")
    return tomllib.loads(folder.joinpath("endings.toml").read_text("utf-8"))
