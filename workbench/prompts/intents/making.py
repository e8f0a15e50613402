"""Builds the actions that add an entity to a scene, with article, number and kind."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from workbench.actions.model import Action, AddBeat, AddEntity, LookValue
from workbench.cast import next_id, numeral
from workbench.prompts.intents.clauses import NounPhrase, noun_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.words import (
    NUMBERS,
    is_plural,
    subject_kind,
    with_article,
    word_list,
    words_of,
)
from workbench.scene import Entity, EntityKind, Scene

__all__ = ["add_entity", "added_with_doing", "article_for", "kind_of", "numeral_for", "told_apart"]

_KINDS = {
    "man": EntityKind.PERSON, "woman": EntityKind.PERSON, "person": EntityKind.PERSON,
    "mammal": EntityKind.ANIMAL, "bird": EntityKind.ANIMAL, "aquatic": EntityKind.ANIMAL,
    "crawler": EntityKind.ANIMAL, "creature": EntityKind.ANIMAL, "robot": EntityKind.ROBOT,
    "vehicle": EntityKind.VEHICLE, "aircraft": EntityKind.VEHICLE,
    "watercraft": EntityKind.VEHICLE, "food": EntityKind.FOOD, "drink": EntityKind.FOOD,
    "plant": EntityKind.PLANT, "building": EntityKind.STRUCTURE, "object": EntityKind.OBJECT,
    "hands": EntityKind.BODY_PART, "natural": EntityKind.PHENOMENON,
    "scenery": EntityKind.PHENOMENON,
}  # fmt: skip


@lru_cache(maxsize=2_048)
def kind_of(noun: str) -> EntityKind:
    """Return the kind of entity that ``noun`` names."""
    if noun in words_of("nouns", "people_of_group") - {"people", "pedestrians", "shoppers"}:
        return EntityKind.CROWD
    if noun in words_of("nouns", "people"):
        return EntityKind.PERSON
    kind = subject_kind(noun)
    return EntityKind.OTHER if kind is None else _KINDS.get(kind, EntityKind.OTHER)


def told_apart(scene: Scene) -> Scene:
    """Return ``scene`` with the looks of its entities split from their phrases.

    A cast made from flat fields has both in one phrase: "brown dog".
    """
    cast = tuple(_told_apart(entity) for entity in scene.cast)
    return scene if cast == scene.cast else scene.model_copy(update={"cast": cast})


@lru_cache(maxsize=512)
def _told_apart(entity: Entity) -> Entity:
    if " " not in entity.phrase or any(look.place == "before" for look in entity.looks):
        return entity
    named = noun_phrase(entity.phrase)
    if named is None or not named.looks or named.position or named.doing:
        return entity
    if any(look.place == "after" for look in named.looks):
        return entity
    return replace(
        entity, phrase=named.phrase, noun=named.noun, looks=(*named.looks, *entity.looks)
    )


def article_for(words: str) -> str:
    """Return the article for ``words``: "a" or "an"."""
    return "an" if with_article(f"{words} thing").startswith("an ") else "a"


def numeral_for(count: int) -> str:
    """Return a number as written before a noun."""
    return numeral(count)


def add_entity(
    thing: NounPhrase, context: Context, *, is_definite: bool, taken: int = 0
) -> AddEntity:
    """Return the action that adds ``thing``; ``taken`` is how many new ids are already in use."""
    ids = [e.id for e in context.scene.cast] + [
        name for beat in context.scene.beats for name in (beat.actor, *beat.targets)
    ]
    fresh = next_id("e", ids)
    fresh = f"e{int(fresh[1:]) + taken}"
    determiner = thing.determiner
    head = thing.phrase.split(" of ")[0].split()[-1].lower()
    bare = " ".join([*(k.text for k in thing.looks if k.place == "before"), thing.phrase])
    if determiner.isdigit():
        determiner = numeral(int(determiner))
    elif not determiner and thing.phrase[:1].isupper():
        pass  # a name
    elif (
        not determiner
        and not is_plural(head)
        and head not in word_list("mass")
        and not _is_pronoun(head)
    ):
        determiner = "the" if is_definite else article_for(bare)
    elif determiner.lower() in {"a", "an", "the", "some"} and not is_plural(head):
        determiner = (
            "the"
            if determiner.lower() == "the"
            else "some"
            if determiner.lower() == "some"
            else article_for(bare)
        )
    elif determiner.lower() == "some":
        determiner = "some"
    count = thing.count
    if _is_pronoun(head):
        determiner, count = "", 1
    elif determiner.lower() in NUMBERS:
        count = NUMBERS[determiner.lower()]
    return AddEntity(
        phrase=thing.phrase,
        noun=thing.noun,
        count=count,
        determiner=determiner,
        entity_kind=kind_of(thing.noun),
        looks=tuple(LookValue(aspect=k.aspect, text=k.text, place=k.place) for k in thing.looks),
        position=thing.position,
        id=fresh,
    )


def added_with_doing(thing: NounPhrase, action: AddEntity) -> list[Action]:
    """Return the beat of an added entity's action, if it has one."""
    return [AddBeat(text=thing.doing, actor=action.id)] if thing.doing else []


def _is_pronoun(word: str) -> bool:
    return bool(re.fullmatch(r"(?:some|any|every|no)(?:one|body|thing)", word))
