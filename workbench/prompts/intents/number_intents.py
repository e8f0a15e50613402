"""Requests about how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workbench.actions.model import Action, EditEntity
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.clauses import noun_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import countable, counted, entities_of
from workbench.prompts.intents.making import add_entity, added_with_doing
from workbench.prompts.intents.references import Reference, is_singular, refer
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.slots import exact_terms, field_named
from workbench.prompts.intents.words import is_known, is_plural, subject_kind, word_list

__all__ = ["INTENTS"]


def _swap_numbers(match: Match, context: Context) -> Candidate | None:
    """Understand "15 instead of 12" for whatever there are twelve of."""
    same = [e for e in context.scene.cast if e.count == match.value("old") and countable(e)]
    if len(same) != 1:
        return None
    return Candidate((counted(same[0], match.value("number")),), match.score, intent="count")


def _count(match: Match, context: Context) -> Candidate | None:
    number: int = match.value("number")
    found: Reference | None = match.value("entity")
    if found is None:
        leads = [e for e in context.leads() if countable(e)]
        spoken = [
            e for i in context.focus if (e := context.scene.entity(i)) is not None and countable(e)
        ]
        targets = [e for e in leads if not is_singular(e)] or spoken[:1] or leads[:1]
    else:
        targets = [e for e in entities_of(found, context) if countable(e)]
    words = match.text("number").lower()
    if not targets or (found is None and words in {"a", "an"}):
        return None
    if found is not None and found.part:
        return None
    if words in {"a", "an"} and targets[0].count == 1:
        return None
    if targets[0].count == number:
        return Candidate(already=True, score=match.score)
    score = match.score if found is None or words not in {"a", "an"} else match.score * 0.75
    return Candidate((counted(targets[0], number),), score, intent="count")


def _one_more(match: Match, context: Context) -> Candidate | None:
    found: Reference | None = match.value("entity")
    targets = entities_of(found, context) if found else list(context.leads())[:1]
    if not targets or (found is not None and (found.belonging or found.score < 0.9)):
        return None
    if not countable(targets[0]):
        return None
    return Candidate(
        (counted(targets[0], (targets[0].count or 2) + 1),), match.score, intent="count"
    )


def _more(match: Match, context: Context) -> Candidate | None:
    what = match.text("any") or match.text("entity")
    if exact_terms(what) and not refer(what, context):
        return None
    found = match.value("entity") or refer(what, context)
    if found is not None and found.ids and not found.belonging:
        entity = entities_of(found, context)[0]
        if countable(entity) and found.score >= 0.85:
            determiner = "many"
            actions: tuple[Action, ...] = (
                EditEntity(entity=entity.id, aspect="count", value=None, determiner=determiner),
            )
            if is_singular(entity) and entity.count == 1:
                return Candidate((counted(entity, 3),), match.score * 0.9, intent="count")
            return Candidate(actions, match.score, intent="count")
        return Candidate(
            (EditEntity(entity=entity.id, aspect="count", value=None, determiner="a lot of"),),
            match.score * 0.9,
            intent="count",
        )
    thing = noun_phrase(what)
    if thing is None or thing.score < 0.6:
        return None
    is_many = is_plural(thing.phrase.split(" of ")[0].split()[-1])
    if not is_many and thing.noun not in word_list("mass") and not _is_mass_like(thing.noun):
        return None
    action = add_entity(thing, context, is_definite=False)
    lead = "many more" if found is not None else "many"
    action = action.model_copy(
        update={"determiner": lead if is_many else "a lot of", "count": None}
    )
    return Candidate((action, *added_with_doing(thing, action)), match.score * 0.92, intent="add")


def _is_mass_like(noun: str) -> bool:
    return subject_kind(noun) in {
        "natural",
        "scenery",
        "food",
        "drink",
        "plant",
        None,
    } and is_known(noun)


def _fewer(match: Match, context: Context) -> Candidate | None:
    what = match.text("any")
    if exact_terms(what) or field_named(what):
        return None
    found = refer(what, context)
    if found is not None and found.ids and not found.belonging and not found.part:
        entity = entities_of(found, context)[0]
        if entity.count is not None and entity.count > 1:
            return Candidate((counted(entity, entity.count - 1),), match.score, intent="count")
        few = "a few" if is_plural(entity.phrase.split(" of ")[0].split()[-1]) else "a little"
        edit = EditEntity(entity=entity.id, aspect="count", value=None, determiner=few)
        return Candidate((edit,), match.score, intent="count")
    thing = noun_phrase(what)
    if thing is None or thing.score < 0.7:
        return None
    few = "only a few" if is_plural(thing.phrase.split(" of ")[0].split()[-1]) else "only a little"
    action = add_entity(thing, context, is_definite=False).model_copy(
        update={"determiner": few, "count": None}
    )
    return Candidate((action,), match.score * 0.9, intent="add")


INTENTS: Final[Mapping[str, Intent]] = {
    "count": _count,
    "one_more": _one_more,
    "swap_numbers": _swap_numbers,
    "more": _more,
    "fewer": _fewer,
}
