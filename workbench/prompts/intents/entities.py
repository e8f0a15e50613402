"""Entities that a reference means, and edits that several intents share."""

from __future__ import annotations

from typing import Final

from workbench.actions.model import EditEntity, EditField
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.clauses import NounPhrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.making import article_for, kind_of, numeral_for
from workbench.prompts.intents.references import Reference
from workbench.prompts.intents.words import word_list
from workbench.scene import Entity, EntityKind

__all__ = [
    "NO_SKIN",
    "countable",
    "counted",
    "entities_of",
    "field_change",
    "kind_of_entity",
    "same_as",
]


NO_SKIN: Final = (
    "People keep the colour that they have. Say what they wear instead, such as “a red jacket”."
)


def entities_of(found: Reference | None, context: Context) -> list[Entity]:
    """Return the entities that a reference means; empty if it means a field."""
    if found is None:
        return []
    return [e for i in found.ids if (e := context.scene.entity(i)) is not None]


def field_change(
    field: str, value: str | tuple[str, ...], context: Context, score: float
) -> Candidate | None:
    """Return the candidate that sets one field, or notes that it already has the value."""
    if value == getattr(context.scene, field):
        return Candidate(already=True, score=score)
    return Candidate((EditField(field=field, value=value),), score, intent="look")


def kind_of_entity(entity: Entity) -> EntityKind:
    """Return the kind of an entity, derived from its noun if it is not set."""
    return entity.kind if entity.kind is not EntityKind.OTHER else kind_of(entity.noun)


def counted(entity: Entity, count: int) -> EditEntity:
    """Return the action that sets the count of an entity."""
    return EditEntity(
        entity=entity.id,
        aspect="count",
        value=count,
        determiner=article_for(entity.phrase) if count == 1 else numeral_for(count),
    )


def countable(entity: Entity) -> bool:
    """Tell whether an entity can be counted."""
    head = entity.phrase.split(" of ")[0].split()[-1:] or [""]
    return head[0] not in word_list("mass") and entity.kind is not EntityKind.PHENOMENON


def same_as(thing: NounPhrase, context: Context) -> Entity | None:
    """Return the entity of the cast that a noun phrase names, or None."""
    return next(
        (
            e
            for e in context.scene.cast
            if e.noun == thing.noun and e.phrase.split()[-1:] == thing.phrase.split()[-1:]
        ),
        None,
    )
