"""Guards on candidates: what an action must not put into a scene.

Rules check the form of words, guards the resulting content. A candidate that fails is dropped, and
its words are reported as not understood.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.actions.model import Action, AddBeat, AddEntity, ChangeBeat, EditEntity, EditField
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.references import is_person, is_singular
from workbench.prompts.intents.words import is_known, lemma, words_of
from workbench.scene import Entity, terms

__all__ = ["has_sound_fields", "is_question", "is_sound"]

_WORD: Final = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_QUESTION: Final = re.compile(
    r"(?:how (?:many|much|long|big|far|old|is|are|does|do)|what|why|who|whose|which|where|when (?:is|are|does|do)|"
    r"can (?:you|one) (?:see|hear) (?:his|her|their|the|any) \w+(?= *\?)|do (?:you|we|i) (?:see|hear|know)|"
    r"(?:is|are|does|do|did|will|has|was|were) (?:the|there|it|he|she|they|this|that|his|her|any|anyone))\b[^?]*\?\W*",
    re.IGNORECASE,
)
_ONE_OF: Final = re.compile(
    r"\bone of\b|\bthe (?!same\b)(?:\w+ )?(?:one|other)\b(?! by one)|\bthe other (?=\w)|"
    r"^(?:only |just |and |then |make |let |have )*one (?!more\b|by one\b|after\b|take\b|shot\b)(?=\w)",
    re.IGNORECASE,
)


def is_question(text: str) -> bool:
    """Tell whether ``text`` only asks: "can you see his face?", not "can you make it red?"."""
    return bool(_QUESTION.fullmatch(text.strip()))


def is_sound(candidate: Candidate, text: str, context: Context) -> bool:
    """Tell whether everything that a candidate puts into the scene makes sense there."""
    if is_question(text) and _changes(candidate):
        return False
    return all(_is_sound(action, text, context) for action in candidate.actions)


def has_sound_fields(candidate: Candidate) -> bool:
    """Tell whether every field value is valid: a setting is a place, a viewpoint a view."""
    return all(
        _is_field_sound(action.field, action.value)
        for action in candidate.actions
        if isinstance(action, EditField) and isinstance(action.value, str)
    )


def _changes(candidate: Candidate) -> bool:
    kinds = (AddEntity, EditEntity, EditField, AddBeat, ChangeBeat)
    return any(isinstance(action, kinds) for action in candidate.actions)


def _is_sound(action: Action, text: str, context: Context) -> bool:
    if isinstance(action, AddEntity):
        looks = " ".join(look.text for look in action.looks)
        return is_seen(action.phrase) and _is_clean(f"{looks} {action.position}")
    if isinstance(action, EditEntity):
        return _is_edit_sound(action, text, context)
    if isinstance(action, AddBeat):
        entity = context.scene.entity(action.actor) if action.actor else None
        if entity is not None and not action.part and _means_one_of(entity, text):
            return False
        return (entity is None or _may_act(entity, text)) and _is_deed(action.text)
    if isinstance(action, ChangeBeat):
        return _is_deed(action.text)
    if isinstance(action, EditField) and isinstance(action.value, str):
        return _is_field_sound(action.field, action.value)
    return True


def is_seen(phrase: str) -> bool:
    """Tell whether a noun phrase names something that a video can show."""
    words = [w.lower() for w in _WORD.findall(phrase)]
    if not words or not _is_clean(phrase) or ":" in phrase:
        return False
    head = words[words.index("of") - 1] if "of" in words[1:] else words[-1]
    return not {head, lemma(head, "NOUN")} & (
        words_of("misc", "unseen") | words_of("misc", "abstract") | words_of("misc", "pronouns")
    )


def _is_clean(text: str) -> bool:
    """Tell whether ``text`` has no words addressed to the tool."""
    words = [w.lower() for w in _WORD.findall(text)]
    return not set(words) & words_of("misc", "spoken")


def _means_one_of(entity: Entity, text: str) -> bool:
    """Tell whether ``text`` means one of several, while ``entity`` is all of them."""
    return not is_singular(entity) and bool(_ONE_OF.search(text))


def _may_act(entity: Entity, text: str) -> bool:
    """Tell whether the pronoun that begins ``text`` can refer to ``entity``."""
    first = text.lower().split(maxsplit=1)[0]
    if first in {"he", "she"}:
        return is_singular(entity) and not re.match(
            r"(?:a|the) (?:couple|pair|group)\b", entity.text
        )
    return True


def _is_edit_sound(action: EditEntity, text: str, context: Context) -> bool:
    entity = context.scene.entity(action.entity)
    value = action.value if isinstance(action.value, str) else ""
    if entity is None or not value:
        return True
    if action.aspect == "phrase":
        if value != entity.phrase and _is_whole_for_part(value, entity):
            return False
        return value.lower() == entity.phrase.lower() or is_seen(value)
    if not _is_clean(value) or value.lower() in _PRAISE:
        return False
    return action.aspect == "position" or not _means_one_of(entity, text)


_PRAISE: Final = frozenset(
    {"good", "great", "perfect", "nice", "fine", "better", "cool", "much", "many"}
)


def _is_whole_for_part(value: str, entity: Entity) -> bool:
    """Tell whether a body part would replace a person."""
    return is_person(entity) and value.lower().split()[-1] in words_of("closed", "body") | words_of(
        "nouns", "belongings"
    )


def _is_deed(doing: str) -> bool:
    """Tell whether ``doing`` is an action in words about the scene."""
    words = [w.lower() for w in _WORD.findall(doing)]
    return bool(words) and _is_clean(doing)


def _is_field_sound(field: str, value: str) -> bool:
    if field == "style":
        words = [w for w in _WORD.findall(value.lower()) if w.isalpha()]
        if len(words) > 2 and value.islower() and not any(map(is_known, words)):
            return False
        return _is_clean(value) and not re.search(r"\d\s?(?:k|p|fps|hz)\b", value, re.IGNORECASE)
    if field == "viewpoint":
        return not value or value in terms("viewpoint") or bool(_VIEW.search(value))
    if field == "negative_prompt":
        return _is_clean(value) and all(map(_is_barred_thing, value.split(",")))
    return field != "setting" or _is_clean(value)


_VIEW: Final = re.compile(
    r"\b(?:view|pov|perspective|eyes?|cam|cockpit|seat|selfie|camera on)\b(?!.*\b(?:light|source|key)\b)",
    re.IGNORECASE,
)
"""Words that mark a viewpoint."""
_MOST_BARRED: Final = 6
"""Maximum words per item of a negative prompt."""


def _is_barred_thing(text: str) -> bool:
    """Tell whether ``text`` is an item of a negative prompt, not a sentence."""
    words = [w.lower() for w in _WORD.findall(text)]
    return len(words) <= _MOST_BARRED and not set(words) & _SAYING


_SAYING: Final = frozenset(
    [
        "i",
        "you",
        "we",
        "it",
        "he",
        "she",
        "they",
        "my",
        "your",
        "is",
        "are",
        "be",
        "been",
        "was",
        "to",
        "whose",
        "who",
        "which",
        "that",
        "don't",
        "doesn't",
        "please",
        "make",
    ]
)
