"""Turns a parsed clause into a candidate, unless it is uncertain or makes no sense."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from workbench.prompts.intents import (
    addition_intents,
    event_intents,
    identity_intents,
    keeping,
    look_intents,
    number_intents,
    removal_intents,
    scene_intents,
    session_intents,
)
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.guards import is_sound
from workbench.prompts.intents.requests import (
    written_out,
)
from workbench.prompts.intents.strange_words import is_mostly_strange
from workbench.prompts.intents.words import determiners, words_of
from workbench.prompts.parsing.clauses import Clause

__all__ = ["SUBORDINATE", "THRESHOLD", "WISHES", "wished"]

THRESHOLD: Final = 0.5
"""Minimum confidence of a clause."""


_MILD: Final = 0.45


_HARMLESS: Final = frozenset(
    ["style", "palette", "light", "mood", "era", "camera", "shot", "viewpoint", "sound", "keep"]
)
"""Labels that change only how the scene is shown; a lower confidence suffices for them."""


_KEEPS: Final = re.compile(
    r"\b(?:stays?|keep|same|leave|remains?|untouched|as (?:is|before|it was))\b", re.IGNORECASE
)


_HELPED: Final = 0.3
"""Minimum confidence of a safe clause: a term, "keep", or one answered with help."""


WISHES: Final[Mapping[str, Wish]] = {
    **look_intents.WISHES,
    **identity_intents.WISHES,
    **number_intents.WISHES,
    **addition_intents.WISHES,
    **removal_intents.WISHES,
    **event_intents.WISHES,
    **scene_intents.WISHES,
    **session_intents.WISHES,
    **keeping.WISHES,
}


SUBORDINATE: Final = re.compile(
    r"\b(?:when|until|till|while|before|after|as|if|once|where|from|only)[\s,]*$", re.IGNORECASE
)


_SENSES: Final = re.compile(r"\b(?:smells?|tastes?|stinks?|scent)\b", re.IGNORECASE)


_NO_SENSE: Final = "A video shows neither smell nor taste. Say what is seen of it instead, such as steam that rises."


def wished(clause: Clause, context: Context) -> Candidate | None:
    """Return the candidate for a clause; None if it is uncertain or makes no sense here."""
    is_kept = clause.label == "keep" and _KEEPS.search(clause.text)
    least = (
        _HELPED
        if is_kept or scene_intents.is_established(clause) or clause.label in {"vague", "rewrite"}
        else _MILD
        if clause.label in _HARMLESS
        else THRESHOLD
    )
    if _SENSES.search(clause.text):
        return Candidate(help=_NO_SENSE, score=clause.sureness)
    if clause.label == "rewrite" and not _OF_TEXT.search(clause.text):
        return None
    if clause.sureness < least or is_mostly_strange(clause.text) or _is_cut_wrong(clause):
        return None
    if clause.label == "size" and _GROWS.fullmatch(clause.text):
        clause = replace(clause, label="look")  # "make it smaller" refers to what is seen
    clause = replace(
        clause,
        text=written_out(clause.text),
        slots=tuple(
            replace(slot, text=re.sub(r"(?<=\w)(?:'s| is| are)$", "", written_out(slot.text)))
            for slot in clause.slots
        ),
    )
    candidate = WISHES[clause.label](clause, context)
    if candidate is None or not is_sound(candidate, clause.text, context):
        return None
    return candidate


_OF_TEXT: Final = re.compile(
    r"\b(?:rewrite|rephrase|reword|prompt|sentence|paragraph|wording|description|write|words|joke|poem|typos?|grammar)\b(?! on)",
    re.IGNORECASE,
)


_GROWS: Final = re.compile(
    r"(?:make|have) (?:it|him|her|them|the \w+) (?:a bit |much |way |even )*(?:bigger|smaller|larger)",
    re.IGNORECASE,
)


_MODAL: Final = re.compile(
    r"\b(?:should|must|shouldn't|mustn't|needs? to|has to|have to)\b", re.IGNORECASE
)


def _is_cut_wrong(clause: Clause) -> bool:
    """Tell whether a naming slot contains a verb: the clause was then split in the wrong place."""
    if SUBORDINATE.search(clause.text):
        return True
    for slot in clause.slots:
        low = slot.text.lower()
        if slot.name in {"entity", "actor"} and low in words_of("verbs", "commands"):
            return True
        if slot.name in _NAMING and (_MODAL.search(low) or low in determiners() - _ALONE):
            return True
        if slot.name in _NAMING - {"place"} and _OBJECT.search(low):
            return True
    return False


_NAMING: Final = frozenset(["entity", "actor", "new", "place", "a", "b"])


_OBJECT: Final = re.compile(r"\w+ (?!of )\w+ (?:him|it|them|he|she|they)$")


_ALONE: Final = frozenset(
    ["his", "her", "this", "that", "these", "those", "both", "all", "each", "one"]
)
