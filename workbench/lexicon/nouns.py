"""Noun phrases: the head noun, and the kind of place it names. Knows nothing of clauses."""

from __future__ import annotations

from workbench.lexicon.morphology import lemma
from workbench.lexicon.terms import Place, place_named, word_list
from workbench.lexicon.words import bare

__all__ = ["head_of", "place_in"]


def head_of(phrase: str) -> str:
    """Return the head noun of the noun phrase ``phrase``; empty if there is none.

    A quantity is skipped for what it counts: the head of "a group of horses" is "horses".
    """
    words = [bare(w) for w in phrase.split()]
    cut = len(words)
    for i, word in enumerate(words):
        if i and (
            _ends_noun(word, words, i) or (word == "full" and words[i + 1 : i + 2] == ["of"])
        ):
            cut = i
            break
    head = words[cut - 1] if cut else ""
    if cut < len(words) and words[cut] == "of" and lemma(head, "NOUN") in word_list("quantity"):
        return head_of(" ".join(words[cut + 1 :])) or head
    return head


def place_in(phrase: str) -> Place | None:
    """Return the kind of place that the noun phrase ``phrase`` names, or None."""
    own = head_of(phrase.split(" of ", maxsplit=1)[0])
    return _pair_place(phrase) or place_named(own) or place_named(head_of(phrase))


def _pair_place(phrase: str) -> Place | None:
    words = [bare(w) for w in phrase.split()]
    head = head_of(phrase)
    if head in words and (at := words.index(head)) > 0:
        return place_named(f"{words[at - 1]}-{head}")
    return None


def _ends_noun(word: str, words: list[str], i: int) -> bool:
    if word in word_list("prepositions") or word in {"who", "that", "which"}:
        return True
    if word not in word_list("details_lead"):
        return False
    following = words[i + 1] if i + 1 < len(words) else ""
    return not word.endswith("ed") or following in word_list("prepositions")
