"""Finds the acting verb of a clause. Knows word forms and a few lists, no meanings."""

from __future__ import annotations

from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import (
    inflect,
    is_adjective,
    is_noun,
    is_plural,
    is_verb,
    lemma,
    lemmas,
)
from workbench.lexicon.terms import ANIMATE, subject_kind, word_list
from workbench.lexicon.words import bare

__all__ = ["BE", "is_animate", "verb_start"]

BE: Final = frozenset(["is", "are", "was", "were", "be", "being", "am", "'s"])
_SEPARATORS: Final = frozenset(("and", "or", "while", "when", "as", "then", "but"))
_PAST: Final = frozenset(
    [
        "showcased",
        "bathed",
        "stood",
        "sat",
        "lay",
        "led",
        "ran",
        "swam",
        "flew",
        "rose",
        "fell",
        "grew",
        "shone",
        "threw",
        "caught",
        "hung",
        "wore",
        "held",
        "sang",
        "drove",
        "rode",
        "spoke",
        "wrote",
        "drew",
        "swept",
        "crept",
        "leapt",
        "slept",
        "beckoned",
        "spanned",
        "tucked",
        "went",
        "came",
        "took",
        "whispered",
        "offered",
    ]
)
_HAD: Final = frozenset(
    {"fun", "dinner", "lunch", "breakfast", "coffee", "tea", "drinks", "brunch"}
)
"""What somebody is having when having is what he does."""
_LEAFY: Final = frozenset({"fallen", "falling", "green", "golden", "dry", "dead"})
_OBJECT_STARTS: Final = frozenset(["its", "his", "her", "their", "the", "a", "an", "itself", "as"])


def verb_start(words: list[str]) -> tuple[int, bool]:
    """Return the index of the acting verb in ``words`` (-1: none) and whether it is finite."""
    for i, word in enumerate(words):
        low = bare(word)
        following = bare(words[i + 1]) if i + 1 < len(words) else ""
        previous = bare(words[i - 1]) if i else ""
        if low in BE and i and following:
            return i + 1, True
        if _acts(low, i, previous, following) and not _in_with_phrase(words, i):
            compound = previous in word_list("before_acting") and (
                subject_kind(previous) is None or is_animate(words[: i - 1])
            )
            return (i - 1 if compound else i), False
        if i and _is_finite(low, previous, following, words[:i]):
            return i, True
        if i and low in word_list("wearing") and _nounish(previous):
            return _after_details(words, i)
        if i and _is_state(low, previous, following):
            return i, False
    return -1, False


def is_animate(words: list[str]) -> bool:
    """Tell whether any of ``words`` names somebody who can act."""
    return any(subject_kind(bare(w)) in ANIMATE for w in words)


def _after_details(words: list[str], start: int) -> tuple[int, bool]:
    for i in range(start + 1, len(words)):
        low = bare(words[i])
        following = bare(words[i + 1]) if i + 1 < len(words) else ""
        if _acts(low, i, bare(words[i - 1]), following):
            return i, False
        if low in BE and following.endswith("ing"):
            return i + 1, True
    return -1, False


def _in_with_phrase(words: list[str], i: int) -> bool:
    """Tell whether the verb at ``i`` belongs to a with-phrase: "a village with torches burning"."""
    before = [bare(w) for w in words[:i]]
    if "with" not in before[1:]:
        return False
    at = before.index("with")
    return not _names_actor(before[:at])


def _names_actor(words: list[str]) -> bool:
    """Tell whether a noun phrase names somebody who can act, whatever stands before its noun."""
    ends = (i for i, w in enumerate(words) if i and w in word_list("prepositions"))
    own = words[: next(ends, len(words))]
    quantity = own and lemma(own[-1], "NOUN") in word_list("quantity")
    return is_animate(words) if quantity or " ".join(words).count(" and ") else is_animate(own[-1:])


def _acts(low: str, i: int, previous: str, following: str) -> bool:
    if not low.endswith("ing") or len(low) < 5:
        return False
    if low in word_list("not_acting"):
        animate = subject_kind(previous) in ANIMATE
        return animate and is_verb(low) and following in english("determiners")
    if low == "having" and following in _HAD and subject_kind(previous) in ANIMATE:
        return True
    if (not is_verb(low) and is_noun(low)) or low in word_list("details_lead"):
        return False
    named = low in word_list("compound_ing") and following in word_list("compound_heads")
    if named and subject_kind(previous) not in ANIMATE:
        return False
    if "-" in low and _nounish(following):
        return False
    describes = low in word_list("describing") and _nounish(following)
    if i == 0:
        return not describes
    if previous in word_list("prepositions") - {"while", "when", "as"}:
        return False
    if previous in english("determiners"):
        return False
    if is_adjective(previous) and not is_noun(previous) and _nounish(following):
        return following in english("determiners")
    return not (previous in _SEPARATORS and describes)


def _is_finite(low: str, previous: str, following: str, before: list[str]) -> bool:
    if previous in word_list("prepositions") or previous in english("determiners"):
        return False
    if low == "leaves" and (
        previous.endswith("ing")
        or subject_kind(previous) == "plant"
        or previous in _LEAFY | word_list("seasons")
    ):
        return False
    if low in word_list("verbal_s"):
        if following == "of" or not _nounish(previous):
            return False
        return is_animate(before) or not following or _opens_phrase(following)
    if low.endswith("s") and subject_kind(previous) in ANIMATE and not is_plural(previous):
        base = lemma(low, "VERB")
        object_follows = following in english("determiners") or (
            _nounish(following) and following != "of"
        )
        if is_verb(low) and low == inflect(base, "VBZ") and (object_follows or not is_noun(low)):
            return True
    if _names_one(before) and is_verb(low) and not _nounish(following):
        # "a penguin slides": after "a", what ends like a plural is the verb.
        return low == inflect(lemma(low, "VERB"), "VBZ") or low in _PAST
    if low in _PAST and following and not _nounish(following):
        return True
    if low in _PAST and not is_noun(low):
        return True
    if (
        is_plural(previous)
        and low == lemma(low, "VERB")
        and inflect(low, "VBZ") in word_list("verbal_s")
        and (not following or _opens_phrase(following) or is_animate(before))
    ):
        return True
    if low in {"get", "gets"}:
        return True
    past = low.endswith("ed") and "VERB" in lemmas(low) and low not in word_list("details_lead")
    return past and following in _OBJECT_STARTS


def _names_one(words: list[str]) -> bool:
    """Tell whether ``words`` are one thing and no more: "a", perhaps adjectives, a noun."""
    low = [bare(w) for w in words]
    noun = low[-1]
    alone = low[0] in {"a", "an"} and not set(low) & word_list("prepositions")
    return alone and is_noun(noun) and not is_adjective(noun) and not is_plural(noun)


def _is_state(low: str, previous: str, following: str) -> bool:
    if low in word_list("details_lead") or not _nounish(previous):
        return False
    if low == "set" and following in {"up", "against"}:
        return True
    shaped = low.endswith(("ed", "en", "wn", "ught", "ung", "ilt", "uck", "ept"))
    if not shaped or "VERB" not in lemmas(low) or (is_noun(low) and low not in {"left", "caught"}):
        return False
    return (
        not following
        or following in word_list("prepositions")
        or following in {"away", "down", "together"}
    )


def _nounish(word: str) -> bool:
    if (
        not word
        or word in word_list("prepositions")
        or word in english("determiners")
        or word in _SEPARATORS
    ):
        return False
    if word in word_list("adverbs"):
        return False
    return is_noun(word) or not lemmas(word) or is_adjective(word)


def _opens_phrase(word: str) -> bool:
    return (
        (word.endswith("ly") and not is_noun(word))
        or word in word_list("prepositions")
        or word in english("determiners")
        or word in word_list("adverbs")
    )
