"""The grammar of a main clause: who, doing what, where. Knows words and lexicons, not prompts.

A clause is read left to right: the noun phrase before the first acting verb is the subject, the
verb and what it governs is the action, and the phrase that answers "where?" is the setting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from workbench.prompts.composer.lexicon import (
    ANIMATE,
    place_named,
    subject_kind,
    word_list,
)
from workbench.prompts.composer.words import (
    DETERMINERS,
    inflect,
    is_adjective,
    is_noun,
    is_plural,
    is_verb,
    lemma,
    lemmas,
)

__all__ = ["Clause", "head_of", "read_clause", "verb_start"]

_BE: Final = frozenset(["is", "are", "was", "were", "be", "being", "am", "'s"])
_DROPPED_PREPOSITIONS: Final = frozenset(
    ["in", "on", "at", "inside", "within", "atop", "upon", "throughout", "aboard"]
)
_SEPARATORS: Final = frozenset(("and", "or", "while", "when", "as", "then", "but"))
_PAST: Final = frozenset(
    [
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
    ]
)


@dataclass(frozen=True, slots=True)
class Clause:
    """What a main clause says; every part is a phrase as it was written."""

    subject: str = ""
    details: str = ""
    """Clothing and what else follows the subject: "in a red coat", "with a crooked smile"."""
    action: str = ""
    setting: str = ""
    verb: str = ""
    """The acting verb as written; empty where nothing acts."""
    finite: bool = False
    """Whether the clause is a sentence already ("a dog runs", "a dog is running")."""
    verb_at: int = -1
    """Index of the verb among the clause's words; -1 where there is none."""
    relation: str = ""
    """Where the subject stands beside another thing: "on the left of a dog"."""
    extra: tuple[str, ...] = field(default=())


@lru_cache(maxsize=2_048)
def read_clause(text: str) -> Clause:
    """Return what the main clause ``text`` says. Never raises: what is not understood is subject."""
    words = text.split()
    if not words:
        return Clause()
    at, finite = verb_start(words)
    if at < 0:
        return _without_verb(words)
    begin = at - 1 if finite and at and words[at - 1].lower() in _BE else at
    front = words[:begin]
    subject, details, front_setting = _noun_part(front)
    action, setting = _predicate(words[at:])
    return Clause(
        subject=subject,
        details=details,
        action=action,
        setting=setting or front_setting,
        verb=words[at],
        finite=finite,
        verb_at=at,
    )


def verb_start(words: list[str]) -> tuple[int, bool]:
    """Return the index of the acting verb in ``words`` (-1: none) and whether it is finite."""
    for i, word in enumerate(words):
        low = _bare(word)
        following = _bare(words[i + 1]) if i + 1 < len(words) else ""
        previous = _bare(words[i - 1]) if i else ""
        if low in _BE and i and following:
            return i + 1, True
        if _acts(low, i, previous, following, words):
            return i, False
        if i and _is_finite(low, previous, following, words[:i]):
            return i, True
        if i and low in word_list("wearing") and _nounish(previous):
            return _after_details(words, i)
        if i and _is_state(low, previous, following):
            return i, False
    return -1, False


def _after_details(words: list[str], start: int) -> tuple[int, bool]:
    for i in range(start + 1, len(words)):
        low = _bare(words[i])
        following = _bare(words[i + 1]) if i + 1 < len(words) else ""
        if _acts(low, i, _bare(words[i - 1]), following, words):
            return i, False
        if low in _BE and following.endswith("ing"):
            return i + 1, True
    return -1, False


def _acts(low: str, i: int, previous: str, following: str, words: list[str]) -> bool:
    if not low.endswith("ing") or low in word_list("not_acting") or len(low) < 5:
        return False
    if not is_verb(low) and is_noun(low):
        return False
    if low in word_list("details_lead"):
        return False
    if low in word_list("compound_ing") and following in word_list("compound_heads"):
        return False
    if i == 0:
        return not (low in word_list("describing") and _nounish(following))
    if previous in word_list("prepositions") - {"while", "when", "as"}:
        return previous in {"for", "of", "by", "without"} and False
    if previous in DETERMINERS:
        return False
    if is_adjective(previous) and not is_noun(previous) and following and _nounish(following):
        return following in DETERMINERS
    return not (
        previous in _SEPARATORS
        and following
        and low in word_list("describing")
        and _nounish(following)
    )


def _is_finite(low: str, previous: str, following: str, before: list[str]) -> bool:
    if previous in word_list("prepositions") or previous in DETERMINERS:
        return False
    if low in word_list("verbal_s"):
        if following == "of" or not _nounish(previous):
            return False
        animate = _animate(before)
        opens = not following or _opens_phrase(following)
        return animate or opens
    if low in _PAST and following and not _nounish(following):
        return True
    base = lemma(low, "VERB")
    if low == base and is_plural(previous) and inflect(base, "VBZ") in word_list("verbal_s"):
        return not following or _opens_phrase(following) or _animate(before)
    if low == "get" or low == "gets":
        return True
    past_tense = (
        low.endswith("ed") and "VERB" in lemmas(low) and low not in word_list("details_lead")
    )
    return past_tense and following in {
        "its",
        "his",
        "her",
        "their",
        "the",
        "a",
        "an",
        "itself",
        "as",
    }


def _is_state(low: str, previous: str, following: str) -> bool:
    if low in word_list("details_lead") or not _nounish(previous):
        return False
    participle = low.endswith(("ed", "en", "wn", "ught", "ung", "ilt", "uck")) and "VERB" in lemmas(
        low
    )
    if not participle or (is_noun(low) and low not in {"left", "caught"}):
        return False
    return not following or following in word_list("prepositions") or following in {"away", "down"}


def _nounish(word: str) -> bool:
    if not word or word in word_list("prepositions") or word in DETERMINERS or word in _SEPARATORS:
        return False
    if word in word_list("adverbs"):
        return False
    return is_noun(word) or not lemmas(word) or is_adjective(word)


def _opens_phrase(word: str) -> bool:
    return word in word_list("prepositions") or word in DETERMINERS or word in word_list("adverbs")


def _animate(words: list[str]) -> bool:
    return any(subject_kind(_bare(w)) in ANIMATE for w in words)


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'“”()").lower()


def _without_verb(words: list[str]) -> Clause:
    subject, details, setting = _noun_part(words)
    relation = ""
    if match := re.search(
        r"\b(?:on|at) the (left|right|top|bottom|side|back|front) (?:side )?of .+",
        " ".join(words),
        re.IGNORECASE,
    ):
        relation = match[0]
        if match[1].lower() in {"left", "right", "top", "bottom"} and subject_kind(
            head_of(setting)
        ) in {
            "object",
            "food",
            "vehicle",
            "aircraft",
            "mammal",
            "plant",
            "building",
            "furniture",
            None,
        }:
            return Clause(subject=subject, details=details, relation=relation)
    return Clause(subject=subject, details=details, setting=setting)


def _noun_part(words: list[str]) -> tuple[str, str, str]:
    """Split a noun phrase with what hangs on it: the phrase, its details, and where it is."""
    for i, word in enumerate(words):
        low = _bare(word)
        if low in word_list("details_lead") and i:
            details, setting = _details_and_setting(words[i:])
            return _join(words[:i]), details, setting
        if i and (low in word_list("locative") or low in word_list("path")):
            if (
                low in {"next", "out"}
                and i + 1 < len(words)
                and _bare(words[i + 1]) not in {"to", "of"}
            ):
                continue
            rest = words[i:]
            if low == "in" and _dressed(rest):
                details, setting = _details_and_setting(rest)
                return _join(words[:i]), details, setting
            return _join(words[:i]), "", _place_phrase(rest)
    return _join(words), "", ""


def _details_and_setting(words: list[str]) -> tuple[str, str]:
    for i in range(1, len(words)):
        low = _bare(words[i])
        if low in word_list("locative") and i + 1 < len(words):
            phrase = _phrase_from(words, i)
            if (
                place_named(head_of(" ".join(phrase[1:])))
                and not _dressed(phrase)
                and _bare(words[0]) != "surrounded"
            ):
                return _join(words[:i]), _place_phrase(words[i:])
    return _join(words), ""


def _dressed(words: list[str]) -> bool:
    return (
        bool({_bare(w) for w in words[1:6]} & word_list("clothing"))
        and place_named(head_of(" ".join(_phrase_from(words, 0)[1:]))) is None
    )


def _predicate(words: list[str]) -> tuple[str, str]:
    """Split a verb phrase into the action and where it happens."""
    verb = lemma(_bare(words[0]), "VERB")
    acting = inflect(verb, "VBG")
    for i in range(1, len(words)):
        low = _bare(words[i])
        previous = _bare(words[i - 1])
        if low in {"while", "and"} and i + 1 < len(words) and _bare(words[i + 1]).endswith("ing"):
            acting = _bare(words[i + 1])
        if low not in word_list("locative") and low not in word_list("path"):
            continue
        if i + 1 >= len(words) or previous in word_list("prepositions") - {
            "up",
            "down",
            "out",
            "off",
        }:
            continue
        if f"{acting}:{low}" in word_list("governed") or f"{previous}:{low}" in word_list(
            "governed"
        ):
            continue
        phrase = _phrase_from(words, i)
        head = head_of(" ".join(phrase[1:]))
        place = place_named(head)
        if low in word_list("path") - word_list("locative") or (low == "around" and place):
            if place is None or (
                low in {"to", "from", "out", "off", "toward", "towards"} and place.sky != "open"
            ):
                continue
            return _join(words), _join(words[i + 1 :])
        if low == "in" and _dressed(phrase):
            continue
        if low in {"by", "as"} and place is None:
            continue
        if low in {"against"} or not _answers_where(head, low):
            continue
        return _join(words[:i]), _place_phrase(words[i:])
    return _join(words), ""


def _answers_where(head: str, preposition: str) -> bool:
    if preposition not in {"in", "on", "at", "over", "behind"}:
        return True
    low = head.lower()
    body = {
        "hand",
        "hands",
        "arms",
        "mouth",
        "jaws",
        "lap",
        "head",
        "back",
        "hind",
        "feet",
        "shoulder",
        "shoulders",
        "face",
        "eyes",
        "finger",
        "circle",
        "circles",
        "pieces",
        "half",
        "line",
        "queue",
        "love",
        "style",
        "tune",
        "unison",
        "time",
        "phone",
        "radio",
        "camera",
    }
    return low not in body


def _phrase_from(words: list[str], start: int) -> list[str]:
    """Return the prepositional phrase that begins at ``start``, of-phrases included."""
    end = start + 1
    while end < len(words):
        low = _bare(words[end])
        if low in word_list("prepositions") - {"of"} or low in {"while", "as", "and"}:
            break
        end += 1
    return words[start:end]


def _place_phrase(words: list[str]) -> str:
    lead = _bare(words[0])
    if lead == "next" and len(words) > 1 and _bare(words[1]) == "to":
        return _join(words)
    if lead == "on" and len(words) > 3 and _bare(words[1]) == "top" and _bare(words[2]) == "of":
        return _join(words[3:])
    return _join(words[1:] if lead in _DROPPED_PREPOSITIONS or lead in word_list("path") else words)


def head_of(phrase: str) -> str:
    """Return the head noun of the noun phrase ``phrase``; the empty string for none.

    A quantity gives way to what it counts: the head of "a group of horses" is "horses".
    """
    words = [_bare(w) for w in phrase.split()]
    cut = len(words)
    for i, word in enumerate(words):
        if i and (
            word in word_list("prepositions")
            or word in {"who", "that", "which"}
            or word in word_list("details_lead")
        ):
            cut = i
            break
    head = words[cut - 1] if cut else ""
    if cut < len(words) and words[cut] == "of" and lemma(head, "NOUN") in word_list("quantity"):
        return head_of(" ".join(words[cut + 1 :])) or head
    return head


def _join(words: list[str]) -> str:
    return " ".join(words).strip(" .,;:")
