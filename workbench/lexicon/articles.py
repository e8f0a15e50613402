"""Adds the article that an English noun phrase needs."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.languages import is_foreign
from workbench.lexicon.morphology import is_plural
from workbench.lexicon.nouns import head_of
from workbench.lexicon.terms import place_named, subject_kind, word_list
from workbench.lexicon.words import article

_ONE_EACH: Final = frozenset({"interior", "exterior", "inside", "outside", "edge", "top", "bottom"})
_FREE: Final = frozenset({"a", "an", *_ONE_EACH})
_POSSESSOR: Final = re.compile(r"(?:[A-Z][\w-]*\s+){0,3}[A-Z][\w-]*'s\s")
"""A possessive name, which takes no article: "Chaco Canyon's ruins"."""
__all__ = ["ONE_OF_ITS_NAME", "with_article"]

ONE_OF_ITS_NAME: Final = frozenset(
    ["river", "ocean", "sea", "desert", "canal", "tower", "bridge", "canyon", "coast", "mountains"]
)
"""Nouns that take "the" after a proper name: "the Danube river"."""

_PRONOUNS: Final = frozenset(
    ["someone", "somebody", "everyone", "everybody", "nobody", "something", "nothing", "everything"]
)


def with_article(phrase: str) -> str:
    """Return the noun phrase ``phrase`` with an article if it needs one."""
    words = phrase.split()
    if not words:
        return ""
    first, head = words[0].strip(",").lower(), head_of(phrase)
    if first in _PRONOUNS:
        return _decapitalized(phrase)
    if _POSSESSOR.match(phrase):
        return phrase
    if " of " in phrase and head_of(phrase.partition(" of ")[0]) in _ONE_EACH and first in _FREE:
        return f"the {phrase.removeprefix('a ').removeprefix('an ')}"
    if first in english("determiners"):
        phrase = _decapitalized(phrase)
    proper = words[0][:1].isupper() and not subject_kind(words[0]) and len(words) < 4
    if proper and first in word_list("capitals") and len(words) > 1:
        if words[-1].lower() in ONE_OF_ITS_NAME:
            return f"the {phrase}"
        proper = subject_kind(head) is None and place_named(head) is None
    if is_foreign(phrase) or (head in word_list("proper") and head == words[-1].lower()):
        return phrase
    single = " of " not in phrase and " and " not in phrase
    if first in {"a", "an"} and is_plural(head) and single and len(words) > 1:
        return " ".join(words[1:])
    if first in english("determiners") or first.isdigit() or proper or "'s" in words[0]:
        return _decapitalized(phrase) if first in english("determiners") else phrase
    if " of " in phrase:
        own = head_of(phrase.split(" of ", maxsplit=1)[0])
        head = own if own and own not in word_list("mass") else head
    if " and " in phrase:
        return _both_with_article(phrase)
    if not head or is_plural(head) or head in word_list("mass") or not head.isascii():
        return phrase
    return f"{article(phrase)} {phrase}"


def _both_with_article(phrase: str) -> str:
    """Return "a man and a woman" for "man and woman"; other phrases are returned unchanged."""
    first, _, second = phrase.partition(" and ")
    if subject_kind(head_of(first)) is None or head_of(first) in word_list("mass"):
        return phrase
    one = with_article(first)
    return f"{one} and {with_article(second)}" if one != first else phrase


def _decapitalized(phrase: str) -> str:
    return phrase[:1].lower() + phrase[1:]
