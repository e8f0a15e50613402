"""The grammar of a main clause: who, doing what, where. Knows words and lexicons, not prompts.

A clause is read left to right: the noun phrase before the first acting verb is the subject, the
verb and what it governs is the action, and the phrase that answers "where?" is the setting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import inflect, is_verb, lemma
from workbench.lexicon.nouns import head_of, place_in
from workbench.lexicon.terms import ANIMATE, place_named, subject_kind, word_list
from workbench.lexicon.words import bare
from workbench.prompts.composer.verbs import BE, verb_start

__all__ = ["Clause", "read_clause"]

_DROPPED: Final = frozenset(
    ["in", "on", "at", "inside", "within", "atop", "upon", "throughout", "aboard"]
)
"""Prepositions that a setting does without: "in a park" is the setting "a park"."""
_PARTICLES: Final = frozenset({"up", "down", "out", "off"})
_INDOOR_ONLY: Final = frozenset({"to", "from", "out", "off", "toward", "towards"})
_ABOARD: Final = frozenset(["in", "on", "inside", "aboard", "within"])
_NEVER_WHERE: Final = frozenset({"it", "them", "him", "her", "itself", "themselves", "me", "us"})
_RELATION: Final = re.compile(r"\bon the (left|right|top|bottom) (?:side )?of .+", re.IGNORECASE)
_SIDE_BY_SIDE: Final = frozenset(
    {"object", "food", "drink", "vehicle", "aircraft", "mammal", "plant", ""}
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
    relation: str = ""
    """Where the subject stands beside another thing: "on the left of a dog"."""


@lru_cache(maxsize=2_048)
def read_clause(text: str) -> Clause:
    """Return what the main clause ``text`` says. Never raises: what is not understood is subject."""
    words = text.split()
    if not words:
        return Clause()
    at, finite = verb_start(words)
    if at < 0:
        return _without_verb(words)
    begin = at - 1 if finite and at and bare(words[at - 1]) in BE else at
    subject, details, front_setting = _noun_part(words[:begin])
    action, setting = _predicate(words[at:])
    return Clause(
        subject=subject,
        details=details,
        action=action,
        setting=setting or front_setting,
        verb=words[at],
        finite=finite,
    )


def _without_verb(words: list[str]) -> Clause:
    if bare(words[0]) in word_list("locative") and (
        len(words) > 1 or place_named(bare(words[0])) is not None
    ):
        return Clause(setting=_place_phrase(words))
    acting = _acting_adjective(words)
    if acting is not None:
        verb = words[acting]
        subject, details, setting = _noun_part([*words[:acting], *words[acting + 1 :]])
        return Clause(subject=subject, details=details, setting=setting, action=verb)
    subject, details, setting = _noun_part(words)
    match = _RELATION.search(" ".join(words))
    if match and (subject_kind(head_of(setting)) or "") in _SIDE_BY_SIDE:
        return Clause(subject=subject, details=details, relation=match[0])
    return Clause(subject=subject, details=details, setting=setting)


def _acting_adjective(words: list[str]) -> int | None:
    """Return the index of an adjective that tells what somebody does: "a sleeping cat"."""
    for i, word in enumerate(words[:3]):
        if i and bare(words[i - 1]) in word_list("prepositions"):
            return None
        if bare(word) in word_list("describing"):
            head = head_of(" ".join(words[i + 1 :]))
            return i if subject_kind(head) in ANIMATE else None
    return None


def _noun_part(words: list[str]) -> tuple[str, str, str]:
    """Split a noun phrase with what hangs on it: the phrase, its details, and where it is."""
    for i, word in enumerate(words):
        low = bare(word)
        if not i:
            continue
        if low in word_list("details_lead"):
            details, setting = _details_and_setting(words[i:])
            return _join(words[:i]), details, setting
        if low not in word_list("locative") and low not in word_list("path"):
            continue
        following = bare(words[i + 1]) if i + 1 < len(words) else ""
        if following.endswith("ing") and is_verb(following) and not _names_thing(words, i + 1):
            continue
        if low in {"next", "out"} and following not in {"to", "of"}:
            continue
        if (low, following) == ("under", "construction") and i + 2 < len(words):
            continue
        rest = words[i:]
        if low == "in" and _dressed(rest):
            details, setting = _details_and_setting(rest)
            return _join(words[:i]), details, setting
        return _join(words[:i]), "", _place_phrase(rest)
    return _join(words), "", ""


def _names_thing(words: list[str], i: int) -> bool:
    """Tell whether the -ing word at ``i`` belongs to a noun: "parking lot", "melting ice"."""
    low = bare(words[i])
    following = bare(words[i + 1]) if i + 1 < len(words) else ""
    if low in word_list("not_acting") or place_named(low) is not None or not following:
        return True
    return following not in english("determiners") and following not in word_list("prepositions")


def _details_and_setting(words: list[str]) -> tuple[str, str]:
    for i in range(1, len(words)):
        if bare(words[i]) not in word_list("locative") or i + 1 >= len(words):
            continue
        phrase = _phrase_from(words, i)
        if (
            place_in(" ".join(phrase[1:]))
            and not _dressed(phrase)
            and bare(words[0]) != "surrounded"
        ):
            return _join(words[:i]), _place_phrase(words[i:])
    return _join(words), ""


def _dressed(words: list[str]) -> bool:
    worn = {bare(w) for w in words[1:6]} & word_list("clothing")
    return bool(worn) and place_in(" ".join(_phrase_from(words, 0)[1:])) is None


def _predicate(words: list[str]) -> tuple[str, str]:
    """Split a verb phrase into the action and where it happens."""
    acting = inflect(lemma(bare(words[0]), "VERB"), "VBG")
    for i in range(1, len(words)):
        low, previous = bare(words[i]), bare(words[i - 1])
        if low in {"while", "and"} and i + 1 < len(words) and bare(words[i + 1]).endswith("ing"):
            acting = bare(words[i + 1])
        if low == "with" and i > 1:
            cut = _with_scene(words, i)
            if cut is not None:
                return cut
        phrase = _phrase_from(words, i)
        if not _may_place(phrase, previous, acting):
            continue
        found = _placed(words, i, phrase)
        if found is not None:
            return found
    return _join(words), ""


def _with_scene(words: list[str], i: int) -> tuple[str, str] | None:
    """Cut "with city lights behind it" off the action: a with-phrase about something else."""
    if bare(words[-1]) in _NEVER_WHERE:
        return _join(words[:i]), ""
    return None


def _may_place(phrase: list[str], previous: str, acting: str) -> bool:
    low = bare(phrase[0])
    if len(phrase) < 2 or (low not in word_list("locative") and low not in word_list("path")):
        return False
    if previous in word_list("prepositions") - _PARTICLES:
        return False
    governed = word_list("governed")
    if acting in word_list("transfer") and low in {"on", "in", "onto", "into", "over"}:
        place = place_in(" ".join(phrase[1:]))
        if place is None or place.kind in {"surface", "perch", "vehicle"}:
            return False
    if low in {"on", "in"} and place_in(" ".join(phrase[1:])) is not None:
        return True
    return f"{acting}:{low}" not in governed and f"{previous}:{low}" not in governed


def _placed(words: list[str], i: int, phrase: list[str]) -> tuple[str, str] | None:
    """Return action and setting when the phrase at ``i`` answers "where?", else None."""
    low = bare(words[i])
    head = head_of(" ".join(phrase[1:]))
    place = place_in(" ".join(phrase[1:]))
    if place is not None and place.kind == "vehicle" and low not in _ABOARD:
        return None
    if low in word_list("path") - word_list("locative"):
        if place is None or (low in _INDOOR_ONLY and place.sky != "open"):
            return None
        led = words[i:] if low == "over" and place.sky == "none" else words[i + 1 :]
        return _join(words[: i + len(phrase)]), _join(led)
    if low == "around" and place and words[i - 1 : i]:
        return _join(words[: i + len(phrase)]), _join(words[i + 1 :])
    if (low == "in" and _dressed(phrase)) or (low in {"by", "as"} and place is None):
        return None
    if low == "against" or head in word_list("not_where") or head in _NEVER_WHERE:
        return None
    return _join(words[:i]), _place_phrase(_trimmed(words[i:]))


def _trimmed(words: list[str]) -> list[str]:
    """Return the phrase without a tail that says more than where: "under floodlights", "as it rains"."""
    for i in range(1, len(words)):
        if bare(words[i]) in {"while", "as", "when"}:
            return words[:i]
        following = bare(words[i + 1]) if i + 1 < len(words) else ""
        if bare(words[i]) == "and" and following.endswith("ing") and is_verb(following):
            return words[:i]
        if bare(words[i]) in word_list("prepositions") - {"of"}:
            head = head_of(" ".join(_phrase_from(words, i)[1:]))
            if head in word_list("not_where") or head in _NEVER_WHERE:
                return words[:i]
    return words


def _phrase_from(words: list[str], start: int) -> list[str]:
    """Return the prepositional phrase that begins at ``start``, of-phrases included."""
    end = start + 1
    while end < len(words):
        low = bare(words[end])
        if low in word_list("prepositions") - {"of"} or low in {"while", "as", "and"}:
            break
        end += 1
    return words[start:end]


def _place_phrase(words: list[str]) -> str:
    lead = bare(words[0])
    if lead == "next" and len(words) > 1 and bare(words[1]) == "to":
        return _join(words)
    if [bare(w) for w in words[:3]] == ["on", "top", "of"] and len(words) > 3:
        return _join(words[3:])
    if lead == "in" and [bare(w) for w in words[1:3]] == ["front", "of"]:
        return _join(words)
    if len(words) == 1:
        return _join(words)
    kept = lead not in _DROPPED and (lead not in word_list("path") or lead == "around")
    if lead in {"over", "above"} and (place := place_in(_join(words[1:]))) is not None:
        kept = place.sky == "none"
    return _join(words if kept else words[1:])


def _join(words: list[str]) -> str:
    return " ".join(words).strip(" .,;:")
