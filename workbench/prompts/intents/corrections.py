"""Corrections: "no, actually green", "I meant the man", "not that one, the other"."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    EditEntity,
)
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.clauses import noun_phrase, verb_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.making import article_for, kind_of, numeral_for
from workbench.prompts.intents.references import is_person, refer
from workbench.prompts.intents.slots import exact_terms, looks_in
from workbench.prompts.intents.words import number_in, words_of
from workbench.scene import Aspect

__all__ = ["candidates"]


def candidates(text: str, context: Context, plain: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates that read ``text`` as a new value for what the last request changed."""
    turn = context.last
    first = text.split(maxsplit=1)[0].lower() if text else ""
    if turn is None or exact_terms(text) or "," in text or first in words_of("verbs", "commands"):
        return []
    del plain
    found: list[Candidate] = []
    for action in reversed(turn.actions):
        made = _corrected(text, action, context)
        if made is not None:
            found.append(made)
            break
    return found


def _corrected(text: str, action: Action, context: Context) -> Candidate | None:
    if isinstance(action, EditEntity):
        return _other_value(text, action, context) or _other_entity(text, action, context)
    if isinstance(action, AddEntity):
        return _other_newcomer(text, action, context)
    if isinstance(action, AddBeat | ChangeBeat):
        return _other_beat(text, action, context)
    return None


def _other_value(text: str, action: EditEntity, context: Context) -> Candidate | None:
    entity = context.scene.entity(action.entity)
    if entity is None:
        return None
    if action.aspect == "count":
        number = number_in(text.split(maxsplit=1)[0])
        if number is None:
            return None
        determiner = article_for(entity.phrase) if number == 1 else numeral_for(number)
        edit = action.model_copy(update={"value": number, "determiner": determiner})
        return Candidate((edit,), 0.97, intent="correction")
    if action.aspect == "phrase":
        thing = noun_phrase(text)
        if thing is None or refer(text, context) is not None:
            return None
        first = next((k.text for k in thing.looks), thing.phrase)
        edit = EditEntity(
            entity=entity.id, aspect="phrase", value=thing.phrase, noun=thing.noun,
            determiner=article_for(first) if thing.count == 1 else thing.determiner,
            entity_kind=kind_of(thing.noun),
        )  # fmt: skip
        return Candidate((edit,), 0.96, intent="correction")
    looks = looks_in(text)
    if looks is None or len(looks[0]) != 1:
        return None
    look = looks[0][0]
    if look.aspect is Aspect.COLOUR and is_person(entity) and action.aspect == "colour":
        return None
    value = action.value if isinstance(action.value, str) else ""
    replaced = value
    words = value.split()
    if len(words) > 1 and look.place == "before":  # "wearing a red hat" → "wearing a green hat"
        from workbench.prompts.intents.words import aspect_of, with_article  # noqa: PLC0415

        core = [look.text if aspect_of(w) is look.aspect else w for w in words]
        if core == words:
            return None
        new = " ".join(core)
        for one in (" a ", " an "):
            if one in f" {new}":
                lead, _, rest = new.partition(one.strip() + " ")
                new = f"{lead}{with_article(rest)}"
                break
        edit = action.model_copy(update={"value": new, "replaces": replaced})
        return Candidate((edit,), 0.97, intent="correction")
    edit = EditEntity(
        entity=entity.id, aspect=str(look.aspect), value=look.text,
        replaces=replaced if str(look.aspect) == action.aspect else "",
    )  # fmt: skip
    return Candidate((edit,), 0.97, intent="correction")


def _other_entity(text: str, action: EditEntity, context: Context) -> Candidate | None:
    """Move the last change to the entity that was meant: "I meant the man"."""
    meant = refer(text, context)
    if meant is None or not meant.ids or meant.belonging or meant.ids[0] == action.entity:
        return None
    if action.aspect in {"phrase", "count"}:
        return None
    value = str(action.value or "")
    back = action.model_copy(update={"value": "", "replaces": value})
    other = action.model_copy(update={"entity": meant.ids[0], "replaces": ""})
    entity = context.scene.entity(meant.ids[0])
    if entity is not None and is_person(entity) and action.aspect == "colour":
        return None
    return Candidate((back, other), 0.96, intent="correction")


def _other_newcomer(text: str, action: AddEntity, context: Context) -> Candidate | None:
    entity = context.scene.entity(action.id)
    if entity is None:
        return None
    as_value = EditEntity(entity=entity.id, aspect="phrase", value=entity.phrase)
    number = number_in(text)
    if number is not None:
        as_value = EditEntity(entity=entity.id, aspect="count", value=entity.count)
    looks = looks_in(text)
    if looks is not None and len(looks[0]) == 1:
        if looks[0][0].aspect is Aspect.COLOUR and is_person(entity):
            return None
        edit = EditEntity(entity=entity.id, aspect=str(looks[0][0].aspect), value=looks[0][0].text)
        return Candidate((edit,), 0.97, intent="correction")
    return _other_value(text, as_value, context)


def _other_beat(text: str, action: AddBeat | ChangeBeat, context: Context) -> Candidate | None:
    doing = verb_phrase(text)
    if doing is None:
        return None
    beats = [b for b in context.scene.beats if b.text == action.text]
    if not beats:
        return None
    return Candidate(
        (ChangeBeat(beat=beats[-1].id, text=doing[0]),), 0.95 * doing[1] + 0.03, intent="correction"
    )
