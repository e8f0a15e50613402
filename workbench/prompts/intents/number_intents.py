"""Intents on number and amount: count, more, fewer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from workbench.actions.model import EditEntity
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import countable, counted, entities_of
from workbench.prompts.intents.making import add_entity, added_with_doing
from workbench.prompts.intents.references import is_singular, refer
from workbench.prompts.intents.scene_intents import less_of, more_of
from workbench.prompts.intents.slots import exact_terms
from workbench.prompts.intents.wording import named, plain
from workbench.prompts.intents.words import is_plural, number_in
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import Entity

__all__ = ["WISHES"]


def _count(clause: Clause, context: Context) -> Candidate | None:
    """Set the count of an entity, or add it in that number."""
    said, name = plain(clause.slot("number")), plain(clause.slot("entity"))
    number = _number(said)
    score = clause.sureness
    found = _counted(name, context)
    if found is None:
        if not name or (number is None and said.lower() not in _SOME | {"another"}):
            return None
        action = add_entity(named(f"{said} {_bare(name)}"), context, is_definite=False)
        return Candidate((action,), score, intent="count")
    if said.lower() in {"another", "one more", "one extra", "an extra"}:
        return Candidate((counted(found, (found.count or 1) + 1),), score, intent="count")
    if number is None and said.lower() not in _SOME:
        return None
    if number is None:
        edit = EditEntity(entity=found.id, aspect="count", value=None, determiner=said.lower())
        return Candidate((edit,), score, intent="count")
    if found.count == number:
        return Candidate(already=True, score=score)
    return Candidate((counted(found, number),), score, intent="count")


_SOME: Final = frozenset(
    ["many", "several", "a few", "few", "only a few", "some", "lots of", "a lot of", "dozens of", "hundreds of",
     "thousands of", "countless", "a bunch of", "a crowd of"]
)  # fmt: skip


def _counted(name: str, context: Context) -> Entity | None:
    """Return the entity that a number refers to: the one named, or a countable one in focus."""
    bare = _bare(name)
    if bare and bare.lower() not in {"them", "of them", "these", "those", "total", "in total"}:
        found = refer(bare, context) or refer(f"the {bare}", context)
        named_ones = (
            entities_of(found, context) if found is not None and not found.belonging else []
        )
        return next((e for e in named_ones if countable(e)), None)
    leads = [e for e in context.leads() if countable(e)]
    spoken = [
        e for i in context.focus if (e := context.scene.entity(i)) is not None and countable(e)
    ]
    return next(iter([*(e for e in leads if not is_singular(e)), *spoken, *leads]), None)


def _bare(name: str) -> str:
    return re.sub(
        r"^(?:of|the|more|any|these|those|such|so many|that many)\s+(?=\S)", "", name.strip()
    )


def _number(said: str) -> int | None:
    words = [
        w
        for w in said.lower().split()
        if w not in {"of", "the", "about", "around", "exactly", "only", "just", "like"}
    ]
    if words[:2] == ["a", "couple"]:
        return 2
    if words[:2] == ["a", "dozen"]:
        return 12
    if words[:1] in (["a"], ["one"]) and len(words) == 2:
        return number_in(words[1])
    return number_in(words[0]) if len(words) == 1 else None


def _more(clause: Clause, context: Context) -> Candidate | None:
    """Increase the count of an entity, or add many of it."""
    name = re.sub(
        r"^(?:(?:way|many|much|a lot|lots|some|even|a few|more|of|the|any|extra|additional|so many|tons)\s+)+(?=\S)",
        "", plain(clause.slot("entity")), flags=re.IGNORECASE,
    )  # fmt: skip
    if not name:
        return None
    score = clause.sureness
    said = exact_terms(name)
    found = refer(name, context)
    if said and (found is None or not found.ids):
        return more_of(said, name, score, context)
    entity = (
        next(iter(entities_of(found, context)), None) if found and not found.belonging else None
    )
    if entity is not None and countable(entity) and found is not None and found.score >= 0.85:
        if is_singular(entity) and entity.count == 1:
            return Candidate((counted(entity, 3),), score, intent="count")
        is_mass = entity.count is None and is_singular(entity)
        much = "a lot of" if is_mass else "many"
        edit = EditEntity(entity=entity.id, aspect="count", value=None, determiner=much)
        return Candidate((edit,), score, intent="count")
    if entity is not None:
        edit = EditEntity(entity=entity.id, aspect="count", value=None, determiner="a lot of")
        return Candidate((edit,), score, intent="count")
    thing = named(name)
    is_many = is_plural(thing.phrase.split(" of ")[0].split()[-1])
    action = add_entity(thing, context, is_definite=False)
    lead = "a lot of" if not is_many else "many more" if found is not None else "many"
    action = action.model_copy(update={"determiner": lead, "count": None})
    return Candidate((action, *added_with_doing(thing, action)), score, intent="add")


def _fewer(clause: Clause, context: Context) -> Candidate | None:
    """Reduce the count of an entity, or add only a few of it."""
    name = re.sub(
        r"^(?:(?:fewer|less|so many|so much|all|the|of|that many|too many)\s+)+(?=\S)",
        "",
        plain(clause.slot("entity")),
        flags=re.IGNORECASE,
    )
    score = clause.sureness
    if not name:
        return None
    found = refer(name, context)
    said = exact_terms(name)
    if said and (found is None or not found.ids):
        return less_of(said, score, context)
    entity = next(iter(entities_of(found, context)), None)
    is_several = entity is not None and not (entity.count == 1 and is_singular(entity))
    if entity is not None and is_several and found and not found.belonging and not found.part:
        if entity.count is not None and entity.count > 1:
            return Candidate((counted(entity, max(1, entity.count // 2)),), score, intent="count")
        few = "a few" if is_plural(entity.phrase.split(" of ")[0].split()[-1]) else "a little"
        edit = EditEntity(entity=entity.id, aspect="count", value=None, determiner=few)
        return Candidate((edit,), score, intent="count")
    thing = named(name)
    few = "only a few" if is_plural(thing.phrase.split(" of ")[0].split()[-1]) else "only a little"
    action = add_entity(thing, context, is_definite=False).model_copy(
        update={"determiner": few, "count": None}
    )
    return Candidate((action,), score, intent="add")


WISHES: Final[Mapping[str, Wish]] = {"count": _count, "more": _more, "fewer": _fewer}
