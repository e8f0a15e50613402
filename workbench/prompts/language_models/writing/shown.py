"""The words of a text, in forms in which the words of an idea are looked up in it.

Inflected languages are compared by word stems, unspaced scripts character by character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from workbench.lexicon.languages import language_of
from workbench.lexicon.morphology import lemma, lemmas
from workbench.lexicon.terms import subject_kind
from workbench.lexicon.words import tokens
from workbench.prompts.language_models.writing.scripts import is_unspaced

__all__ = ["Shown", "flat", "forms_of"]

_LONG_TEXT, _MOST_OF_TEXT = 150, 0.6
"""Characters of a text from which evidence is only a part of it, and the maximum share of that."""
_STEM: Final = 0.6
"""Share of a word, from its start, that its inflected forms keep."""
_SHORTEST_STEM: Final = 4
_LONG_WORD: Final = 9
"""Letters above which a word is searched by its parts."""
_PART: Final = 5
"""Letters of a part."""
_LIVING: Final = frozenset({"mammal", "bird", "aquatic", "crawler", "plant"})
_ANYBODY: Final = frozenset({"person", "people", "human", "humans", "someone"})
_PEOPLE: Final = frozenset({"person", "man", "woman"})
"""Words that anybody answers to, and the kinds of those who do."""
_WITHOUT_UMLAUT: Final = str.maketrans("äöü", "aou")
"""German word forms change their vowel: "Katze", "Kätzchen"."""
_ARTICLES: Final = re.compile(r"^(?:وال|بال|كال|فال|لل|ال)(?=\w{3})")


class Shown:
    """The words of a text, in forms for lookup."""

    def __init__(self, text: str, *, is_inflected: bool) -> None:
        self._flat = flat(text)
        self._is_inflected = is_inflected
        words = (part for token in tokens(self._flat) for part in {token, *token.split("-")})
        self._words = frozenset(map(_without_article, words))
        self._forms = frozenset(form for word in self._words for form in forms_of(word))

    @staticmethod
    @lru_cache(maxsize=64)
    def of(text: str, idea: str) -> Shown:
        """Return the words of ``text``, as inflected as those of ``idea`` may be."""
        return Shown(text, is_inflected=bool(language_of(idea) or language_of(text)))

    def holds(self, words: str) -> bool:
        """Tell whether the text has exactly ``words``."""
        return words in self._flat

    def is_most_of(self, words: str) -> bool:
        """Tell whether ``words`` are too much of a long text to say what in it shows something."""
        return len(self._flat) > _LONG_TEXT and len(words) > _MOST_OF_TEXT * len(self._flat)

    def has(self, word: str) -> bool:
        """Tell whether the text has ``word`` in some form, or half of an unspaced run."""
        if is_unspaced(word):
            held = sum(character in self._flat for character in word)
            return word in self._flat or 2 * held >= len(word)
        word = word.translate(_WITHOUT_UMLAUT)  # as in the text
        if forms_of(word) & self._forms:
            return True
        bare = _without_article(word)
        if len(bare) > _LONG_WORD and any(
            len(one) >= _PART and (bare.endswith(one) or bare.startswith(one))
            for one in self._words
        ):
            return True  # a part of a compound: "goalkeeper", "keeper"
        if not self._is_inflected:
            root = lemma(bare, "VERB") if lemmas(bare) else bare
            is_person = subject_kind(bare) == "person" and bare in _ANYBODY
            return (is_person and self._has_people()) or (
                len(root) >= _PART and any(one.startswith(root) for one in self._words)
            )
        if len(bare) > _LONG_WORD and any(one[:_PART] == bare[:_PART] for one in self._words):
            return True
        stem = bare[: max(_SHORTEST_STEM, round(_STEM * len(bare)))]
        return any(
            one.startswith(stem) or (len(one) >= _SHORTEST_STEM and bare.startswith(one))
            for one in self._words
        )

    def has_kind_of(self, nouns: Collection[str]) -> bool:
        """Tell whether the text has a kitten for a cat: a noun of the same kind of living being."""
        kinds = {subject_kind(noun) for noun in nouns} & _LIVING
        return any(subject_kind(one) in kinds for one in self._words)

    def _has_people(self) -> bool:
        return any(subject_kind(one) in _PEOPLE for one in self._words)


def forms_of(word: str) -> frozenset[str]:
    """Return ``word`` as it is and in its basic forms."""
    low = word.lower().removesuffix("'s").removesuffix("’s")
    return frozenset({low, lemma(low, "NOUN"), lemma(low, "VERB"), lemma(low, "ADJ")})


def _without_article(word: str) -> str:
    return _ARTICLES.sub("", word)


def flat(text: str) -> str:
    """Return ``text`` as it is compared: in lower case, with single spaces and without umlauts."""
    low = " ".join(unicodedata.normalize("NFKC", text).lower().replace("’", "'").split())
    return low.translate(_WITHOUT_UMLAUT)
