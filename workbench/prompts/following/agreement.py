"""Agreement with a changed entity: pronouns, later mentions, verbs."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.morphology import inflect, is_plural, lemma
from workbench.lexicon.words import sentence_case
from workbench.prompts.following.spans import Span
from workbench.scene import Entity, EntityKind, Scene

__all__ = ["agreeing", "is_many", "renamed_later", "with_pronouns"]

_HIS: Final = {"he": "she", "his": "her", "him": "her", "himself": "herself"}

_HERS: Final = {"she": "he", "herself": "himself"}


def with_pronouns(text: str, span: Span, old: Entity, new: Entity, after: Scene) -> str:
    """Return ``text`` with the pronouns of a person whose gender has changed.

    They stay if they could refer to anybody else.
    """
    words = {w.lower() for w in new.phrase.split()}
    people = [e for e in after.cast if e.kind is EntityKind.PERSON]
    is_female = bool(words & {"woman", "girl", "lady", "grandmother", "mother", "queen"})
    is_male = bool(words & {"man", "boy", "guy", "grandfather", "father", "king"})
    if len(people) != 1 or not (is_female or is_male) or old.phrase == new.phrase:
        return text
    forms = _HIS if is_female else _HERS

    def other(found: re.Match[str]) -> str:
        made = forms[found[0].lower()]
        return sentence_case(made) if found[0][0].isupper() else made

    rest = re.sub(rf"\b(?:{'|'.join(forms)})\b", other, text[span.end :], flags=re.IGNORECASE)
    if is_male:
        rest = re.sub(r"\bher (?=[a-z])", "his ", rest)
    return text[: span.end] + rest


def is_many(entity: Entity) -> bool:
    """Tell whether ``entity`` is plural, by its count or its words."""
    if entity.count is None:
        return is_plural(entity.name.split(" of ")[0].split()[-1]) if entity.name else False
    return entity.count != 1


def renamed_later(text: str, at: int, old: Entity, new: Entity) -> str:
    """Return ``text`` with later mentions of the entity in its new noun and number."""
    head_old, head_new = _head(old), _head(new)
    if head_old.lower() == head_new.lower():
        return text
    rest = text[at:]
    single, many = old.noun, inflect(old.noun, "NNS") if old.noun else ""
    forms = [w for w in dict.fromkeys((head_old, old.phrase, single, many)) if w]
    pattern = re.compile(
        rf"\b(?P<the>the|The|this|This|that|That)\s+(?:{'|'.join(re.escape(f) for f in sorted(forms, key=len, reverse=True))})(?P<s>'s|')?(?![\w-])"
    )
    return text[:at] + pattern.sub(lambda m: f"{m['the']} {head_new}{m['s'] or ''}", rest)


def _head(entity: Entity) -> str:
    words = entity.name.split(" of ")[0].split()
    return words[-1] if words else entity.phrase


def agreeing(text: str, at: int, *, many: bool, is_verb: bool = False) -> str:
    """Return ``text`` with the verb after ``at`` in the number of its subject.

    ``is_verb`` tells that a verb certainly follows; otherwise a word that may be a noun stays.
    """
    found = re.match(r"\s+([A-Za-z]+)\b", text[at:])
    if found is None:
        return text
    verb = found[1]
    low = verb.lower()
    pairs = {"is": "are", "was": "were", "has": "have"}
    other = {v: k for k, v in pairs.items()}
    fresh = pairs.get(low) if many else other.get(low)
    if fresh is None:
        base = lemma(low, "VERB")
        single = inflect(base, "VBZ") if base else low
        if many and low == single and low != base:
            fresh = base
        elif not many and low == base and single != base and (is_verb or lemma(low, "NOUN") != low):
            fresh = single
    return text if fresh is None else text[:at] + text[at:].replace(verb, fresh, 1)
