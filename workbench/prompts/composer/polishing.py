"""Gives a clause the articles and capitals that English wants; touches nothing else."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.articles import ONE_OF_ITS_NAME, with_article
from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import is_adjective, is_noun, is_plural, is_verb
from workbench.lexicon.terms import capitalized, place_named, subject_kind, word_list
from workbench.lexicon.words import article, tokens
from workbench.prompts.composer.verbs import BE, verb_start

__all__ = ["lower_first", "polish"]

_UNIQUE: Final = frozenset(
    {"background", "foreground", "distance", "middle", "sky", "sea", "ocean"}
)
_LIMBS: Final = frozenset({"leg", "arm", "finger"})
_WORN: Final = frozenset({"wearing", "carrying", "holding"})
_COUNTABLE_PREPOSITIONS: Final = frozenset(
    [
        "in",
        "on",
        "at",
        "under",
        "near",
        "behind",
        "beside",
        "inside",
        "outside",
        "over",
        "through",
        "across",
        "along",
        "by",
        "against",
        "from",
        "into",
        "onto",
        "around",
        "with",
        "of",
        "atop",
    ]
)


def polish(text: str, *, opens: bool = True) -> str:
    """Return the clause with the articles that English wants; nothing else is touched."""
    words = text.split()
    if not words:
        return ""
    out: list[str] = []
    i = 0
    while i < len(words):
        out.append(words[i])
        if (
            words[i].lower() in _COUNTABLE_PREPOSITIONS | _WORN
            and words[i].lower() != "of"
            and i + 1 < len(words)
        ):
            phrase = _bare_phrase(words, i + 1)
            if phrase:
                out.append("the" if _is_unique(phrase) else article(phrase))
        i += 1
    out = _with_object_article(out)
    flat = " ".join(capitalized(w) for w in out)
    if opens:
        flat = _opened(flat)
    return (
        re.sub(r"\b([Aa])n? (?=(\w+))", lambda m: f"{m[1]}{article(m[2])[1:]} ", flat)
        if re.search(r"\b[Aa]n? \w", flat)
        else flat
    )


def _is_unique(phrase: str) -> bool:
    """Tell whether there is one such thing: "the background", "the Danube river"."""
    words = phrase.lower().split()
    named = len(words) > 1 and words[0] in word_list("proper") | word_list("capitals")
    return phrase in _UNIQUE or (named and words[-1] in ONE_OF_ITS_NAME)


def _with_object_article(words: list[str]) -> list[str]:
    """Return the clause with the article that a bare object wants: "grooming a dog"."""
    at, _ = verb_start(words)
    acts = at >= 0 and words[at].lower().endswith(("ing", "s")) and is_verb(words[at].lower())
    phrase = _bare_phrase(words, at + 1) if acts else ""
    first = phrase.split()[0].lower() if phrase else ""
    bare_colour = first in word_list("colors") and " " not in phrase
    if not phrase or first in word_list("adverbs") or bare_colour:
        return words
    return [*words[: at + 1], article(phrase), *words[at + 1 :]]


def _opened(text: str) -> str:
    words = text.split()
    at, finite = verb_start(words)
    if at == 0 or (at < 0 and words[0].lower() in word_list("locative")):
        return text
    end = (at - 1 if finite and words[at - 1].lower() in BE else at) if at > 0 else len(words)
    front = " ".join(words[:end])
    if not front.split()[0].isupper() and _is_common(front.split()[0]):
        front = f"{front[:1].lower()}{front[1:]}"
    return " ".join([with_article(front), *words[end:]])


def _is_common(word: str) -> bool:
    low = word.lower()
    known = subject_kind(low) or place_named(low) or is_noun(low) or is_adjective(low)
    return bool(known) and low not in word_list("proper") | word_list("capitals")


def _bare_phrase(words: list[str], start: int) -> str:
    """Return the bare noun phrase at ``start`` when its head is a known singular countable noun."""
    phrase: list[str] = []
    for word in words[start:]:
        low = word.lower().strip(".,;")
        if (
            low in english("determiners")
            or low in {"his", "her", "its", "their"}
            or low[:1].isdigit()
        ):
            return ""
        if (
            low in word_list("prepositions")
            or low in {"and", "or", "while", "is", "are"}
            or (low.endswith("ing") and phrase)
        ):
            break
        phrase.append(word)
        if word.endswith((",", ".", ";")):
            break
    if not phrase or len(phrase) > 4 or any(w[:1].isupper() for w in phrase):
        return ""
    head = phrase[-1].lower().strip(".,;")
    known = subject_kind(head) is not None or place_named(head) is not None
    known = known or head in word_list("garments") or head in _LIMBS
    if not known or is_plural(head) or head in word_list("mass") or head in word_list("adverbs"):
        return ""
    if not is_noun(head) and head.isascii():
        return ""
    if any(t.lower() in word_list("mass") and len(phrase) == 1 for t in tokens(head)):
        return ""
    return " ".join(phrase)


def lower_first(text: str) -> str:
    """Return ``text`` to follow in a sentence: its first letter small, unless it begins with a name."""
    first = text.split(maxsplit=1)[0] if text else ""
    if first.lower() in english("determiners") or (
        first.lower() != first and subject_kind(first) and not first.isupper()
    ):
        return text[:1].lower() + text[1:]
    return text
