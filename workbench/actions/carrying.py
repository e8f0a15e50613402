"""Applies scene actions to a scene. Knows nothing of prompt text or sessions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    EditEntity,
    EditField,
    Lock,
    RemoveBeat,
    RemoveEntity,
    Unlock,
)
from workbench.errors import FieldProblem, InvalidRequest
from workbench.lexicon.morphology import inflect, is_plural, lemma
from workbench.lexicon.terms import word_list
from workbench.scene import LIST_FIELDS, SCENE_FIELDS, Aspect, Beat, Entity, Look, Scene

__all__ = ["carry_out", "held_by_locks"]

_SINGLE: Final = frozenset({Aspect.COLOUR, Aspect.MATERIAL, Aspect.AGE, Aspect.BUILD})
"""Aspects with at most one look per entity: a new look replaces the old one."""
_ORDER: Final = {Aspect.AGE: 1, Aspect.COLOUR: 2, Aspect.MATERIAL: 3}
_NOT_CONTENT: Final = frozenset(
    ["a", "an", "the", "with", "wearing", "in", "and", "of", "some", "his", "her", "its", "their"]
)


def carry_out(actions: Iterable[Action], scene: Scene) -> Scene:
    """Return ``scene`` with ``actions`` applied in order; actions of other kinds are skipped.

    Locked fields keep their values. Raises ``InvalidRequest`` for an unknown entity, beat or
    field.
    """
    for action in actions:
        scene = _carried_out(action, scene)
    return scene


def held_by_locks(action: Action, scene: Scene) -> tuple[str, ...]:
    """Return the locked fields of ``scene`` that block ``action``."""
    if isinstance(action, EditField):
        touched: tuple[str, ...] = (action.field,)
        if action.field in {"subject", "subject_details"}:
            touched = (action.field, "cast")
        elif action.field == "action":
            touched = (action.field, "beats")
    elif isinstance(action, AddBeat | ChangeBeat | RemoveBeat):
        touched = ("action", "beats")
    elif isinstance(action, EditEntity | RemoveEntity):
        entity = scene.entity(action.entity)
        is_lead = entity is not None and entity.is_lead
        is_look = isinstance(action, EditEntity) and action.aspect not in {"phrase", "count"}
        touched = ("cast", *(("subject_details" if is_look else "subject",) if is_lead else ()))
        if (
            is_look
            and is_lead
            and isinstance(action, EditEntity)
            and action.aspect in {"colour", "material", "age", "build"}
        ):
            touched = (*touched, "subject")
    elif isinstance(action, AddEntity):
        touched = ("cast", "details")
    else:
        return ()
    return tuple(name for name in touched if scene.is_locked(name))


def _carried_out(action: Action, scene: Scene) -> Scene:
    match action:
        case EditField():
            return _with_field(action, scene)
        case AddEntity():
            return _with_entity(action, scene)
        case EditEntity():
            return scene.with_entity(_edited(action, _entity_of(action.entity, scene)))
        case RemoveEntity():
            _entity_of(action.entity, scene)
            return scene.without_entity(action.entity)
        case AddBeat():
            beat = Beat(
                id=action.id or scene.next_beat_id(),
                text=action.text,
                actor=action.actor,
                targets=action.targets,
                when=action.when,
                part=action.part,
                told=action.told,
            )
            return scene.with_beat(beat)
        case ChangeBeat():
            return scene.with_beat(_changed(action, scene))
        case RemoveBeat():
            _beat_of(action.beat, scene)
            return scene.without_beat(action.beat)
        case Lock():
            return scene.lock(*_known_fields(action.fields))
        case Unlock():
            return scene.unlock(*_known_fields(action.fields))
        case _:
            return scene


def _with_field(action: EditField, scene: Scene) -> Scene:
    _known_fields((action.field,))
    value: Any = action.value
    if action.field in LIST_FIELDS:
        value = (value,) if isinstance(value, str) and value else tuple(value)
    elif not isinstance(value, str):
        problem = "takes one text"
        raise InvalidRequest(
            f"The field {action.field} {problem}.", (FieldProblem(action.field, problem),)
        )
    return scene.edit({action.field: value})


def _with_entity(action: AddEntity, scene: Scene) -> Scene:
    entity = Entity(
        id=action.id or scene.next_entity_id(),
        phrase=action.phrase,
        noun=action.noun or action.phrase.split(" of ")[0].split()[-1].lower(),
        count=action.count,
        kind=action.entity_kind,
        looks=tuple(Look(look.aspect, look.text, look.place) for look in action.looks),
        position=action.position,
        determiner=action.determiner,
        is_lead=not any(one.is_lead for one in scene.cast),
    )
    return scene.with_entity(entity)


def _edited(action: EditEntity, entity: Entity) -> Entity:
    value = action.value
    if action.aspect == "phrase":
        phrase = str(value or entity.phrase)
        return replace(
            entity,
            phrase=phrase,
            noun=action.noun or phrase.split(" of ", maxsplit=1)[0].rsplit(maxsplit=1)[-1].lower(),
            kind=entity.kind if action.entity_kind is None else action.entity_kind,
            determiner=entity.determiner if action.determiner is None else action.determiner,
        )
    if action.aspect == "count":
        count = value if isinstance(value, int) else None
        return replace(
            entity,
            phrase=_in_number(entity.phrase, many=count != 1),
            count=count,
            determiner=entity.determiner if action.determiner is None else action.determiner,
        )
    if action.aspect == "position":
        return replace(entity, position=str(value or ""))
    try:
        aspect = Aspect(action.aspect)
    except ValueError as error:
        names = ", ".join(["phrase", "count", "position", *Aspect])
        problem = f"is none of {names}"
        raise InvalidRequest(
            f"The aspect {action.aspect!r} {problem}.", (FieldProblem("aspect", problem),)
        ) from error
    return _with_look(entity, aspect, str(value or ""), action.replaces)


def _in_number(phrase: str, *, many: bool) -> str:
    """Return a noun phrase with its head in the plural or the singular."""
    words = phrase.split(" of ", maxsplit=1)[0].split()
    if not words:
        return phrase
    head = words[-1]
    single = lemma(head, "NOUN")
    if is_plural(head) is many or (many and head.lower() in word_list("mass")):
        return phrase
    fresh = inflect(single, "NNS") if many else single
    return " ".join([*words[:-1], fresh]) + phrase[len(" ".join(words)) :]


def _with_look(entity: Entity, aspect: Aspect, text: str, replaces: str) -> Entity:
    place = "after" if _stands_after(text) else "before"
    if aspect in _SINGLE and not replaces:
        edited = entity.with_look(aspect, text, place=place)  # type: ignore[arg-type]
        return replace(edited, looks=_in_order(edited.looks))
    new = [Look(aspect, text, place)] if text else []  # type: ignore[arg-type]
    if replaces:
        at = next((i for i, look in enumerate(entity.looks) if look.text == replaces), None)
        if at is not None:
            return replace(entity, looks=(*entity.looks[:at], *new, *entity.looks[at + 1 :]))
    if not new:
        return entity.with_look(aspect, "")
    kept = tuple(look for look in entity.looks if not _gives_way(look, new[0]))
    return replace(entity, looks=_in_order((*kept, *new)))


def _in_order(looks: tuple[Look, ...]) -> tuple[Look, ...]:
    """Return looks in English order: build, age and state before colour and material."""
    return tuple(sorted(looks, key=lambda look: _ORDER.get(look.aspect, 0)))


def _gives_way(old: Look, new: Look) -> bool:
    """Tell whether ``new`` replaces ``old``: it repeats it or names the same item."""
    if old.aspect is not new.aspect or old.place != new.place:
        return False
    if old.place == "before":
        return old.text.lower() == new.text.lower()
    return bool(_last_word(old.text) & _last_word(new.text))


def _last_word(text: str) -> set[str]:
    words = [w for w in re.findall(r"[\w'-]+", text.lower()) if w not in _NOT_CONTENT]
    return {words[-1]} if words else set()


def _stands_after(text: str) -> bool:
    first = text.split(maxsplit=1)[0].lower() if text else ""
    return (
        first
        in {"with", "wearing", "in", "made", "dressed", "holding", "carrying", "covered", "full"}
        and " " in text
    )


def _changed(action: ChangeBeat, scene: Scene) -> Beat:
    beat = _beat_of(action.beat, scene)
    return replace(
        beat,
        told="" if action.text else beat.told,
        text=action.text or beat.text,
        actor=beat.actor if action.actor is None else action.actor,
        when=beat.when if action.when is None else action.when,
    )


def _entity_of(entity_id: str, scene: Scene) -> Entity:
    entity = scene.entity(entity_id)
    if entity is None:
        problem = f"the scene has no entity {entity_id!r}"
        raise InvalidRequest(f"T{problem[1:]}.", (FieldProblem("entity", problem),))
    return entity


def _beat_of(beat_id: str, scene: Scene) -> Beat:
    beat = next((one for one in scene.beats if one.id == beat_id), None)
    if beat is None:
        problem = f"the scene has no beat {beat_id!r}"
        raise InvalidRequest(f"T{problem[1:]}.", (FieldProblem("beat", problem),))
    return beat


def _known_fields(fields: Iterable[str]) -> tuple[str, ...]:
    named = tuple(fields)
    unknown = [name for name in named if name not in SCENE_FIELDS]
    if unknown:
        problem = f"is none of {', '.join(SCENE_FIELDS)}"
        raise InvalidRequest(
            f"A scene has no field {unknown[0]!r}.",
            tuple(FieldProblem(n, problem) for n in unknown),
        )
    return named
