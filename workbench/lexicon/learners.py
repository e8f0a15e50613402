"""Corrects learners' English where only one reading is possible.

"An old man he sell balloons" becomes "An old man sells balloons", and "she don't know" becomes
"she doesn't know". Nothing is corrected if a modal verb, "let" or "make" may govern the verb.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import inflect, is_plural, lemma, lemmas
from workbench.lexicon.terms import word_list

__all__ = ["mended_grammar"]

_DOUBLED: Final = re.compile(
    r"(\b(?:the|an?|my|his|her|their|one|this|that) (?:[a-z]+ ){0,2}[a-z]+|(?:(?<=[,.;:] )|\A)(?:[a-z]+ )?[a-z]+)"
    r" (he|she|it|they) ([a-z]+)\b",
    re.IGNORECASE,
)
"""A subject repeated by a pronoun: "the man he throw"."""
_SINGULAR: Final = re.compile(r"\b(he|she|it) ([a-z]+)\b", re.IGNORECASE)
_NEGATED: Final = re.compile(
    r"\b((?:(?:the|an?|my|his|her|this|that) (?:[a-z]+ )?)?([a-z]+)) don['’]?t\b", re.IGNORECASE
)
_OPEN: Final = re.compile(
    r"\b(?:let|lets|make|makes|made|see|sees|watch|hear|help|helps|have|did|does|do|can|could|will|would|"
    r"shall|should|must|may|might|to|if|that|than|as|how|when|suggest|want)\b[^,.;:!?]{0,24}\Z",
    re.IGNORECASE,
)
"""Words that a bare verb may correctly follow: "let it fall"."""


def mended_grammar(text: str) -> str:
    """Return ``text`` without repeated subjects, and with verbs that agree with he, she and it."""
    text = _DOUBLED.sub(lambda m: _single(m, text), text)
    text = _NEGATED.sub(_negated, text)
    return _SINGULAR.sub(lambda m: _agreeing(m, text), text)


def _single(match: re.Match[str], text: str) -> str:
    subject, pronoun, verb = match.groups()
    form = _finite(verb, is_many=pronoun.lower() == "they")
    head = subject.rsplit(maxsplit=1)[-1].lower()
    is_many = is_plural(head)
    fits = "NOUN" in lemmas(head) and is_many == (pronoun.lower() == "they")
    is_bare = form != verb.lower() or is_many  # "at the end she presses" repeats no subject
    before = text[: match.start()].rsplit(maxsplit=1)[-1:] or [""]
    is_placed = before[0].lower() in word_list("prepositions")
    if (
        not (form and fits and is_bare)
        or is_placed
        or _OPEN.search(f"{text[: match.start()]}{subject}")
    ):
        return match[0]
    return f"{subject} {form}"


def _negated(match: re.Match[str]) -> str:
    head = match[2].lower()
    is_led = " " in match[1] and "NOUN" in lemmas(head) and not is_plural(head)
    return f"{match[1]} doesn't" if head in {"he", "she", "it"} or is_led else match[0]


def _agreeing(match: re.Match[str], text: str) -> str:
    form = _finite(match[2], is_many=False)
    is_bare = form and form != match[2].lower()
    if not is_bare or _OPEN.search(text[: match.start()]):
        return match[0]
    return f"{match[1]} {form}"


def _finite(verb: str, *, is_many: bool) -> str:
    """Return a verb in the present tense, singular or plural; empty if it may be no verb."""
    low = verb.lower()
    base = lemma(low, "VERB")
    if "VERB" not in lemmas(base) or low in english("uninflected"):
        return ""
    if low not in {base, inflect(base, "VBZ")} or base in _IRREGULAR:
        return ""
    if low == base and ({"ADJ", "ADV"} & set(lemmas(low)) or inflect(base, "VBD") == base):
        return ""  # "it slow", "she still"; "he put" may be the past
    return base if is_many else inflect(base, "VBZ")


_IRREGULAR: Final = frozenset(
    {"be", "have", "do", "can", "will", "shall", "may", "must", "need", "dare"}
)
