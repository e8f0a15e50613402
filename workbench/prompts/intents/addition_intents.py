"""Intents to add entities and to position them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from workbench.actions.model import Action, AddBeat, AddEntity, EditEntity
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.clauses import NounPhrase, noun_phrases
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import counted, entities_of, same_as
from workbench.prompts.intents.look_intents import looked, sentence_about
from workbench.prompts.intents.making import add_entity, added_with_doing
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.scene_intents import more_of
from workbench.prompts.intents.slots import exact_terms
from workbench.prompts.intents.wording import deed, named, plain
from workbench.prompts.intents.words import (
    NUMBERS,
    is_verb,
    place_named,
    with_article,
    word_list,
    words_of,
)
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import Aspect, Look

__all__ = ["WISHES", "shown"]


def _add(clause: Clause, context: Context) -> Candidate | None:
    """Add what the clause names, with its place and action."""
    text = re.sub(r"^(?:also|just|in|maybe|like|me|us)\s+(?=\S)", "", plain(clause.slot("new")))
    if not text:
        return None
    said = exact_terms(text)
    if said and not clause.slot("act") and set(said) <= {"weather", "lighting", "time_of_day"}:
        return more_of(said, text, clause.sureness, context)
    things = list(noun_phrases(text)) or [named(text)]
    if re.match(r"(?:a lot |way |even )?more\b", clause.text, re.IGNORECASE):
        things = [
            replace(t, determiner="many") if t.is_plural and not t.determiner else t for t in things
        ]
    where, doing = plain(clause.slot("place")), deed(clause.slot("act"))
    worn = _put_on(text, where, clause, context)
    if worn is not None:
        return worn
    actions: list[Action] = []
    for at, thing in enumerate(things):
        made = _added(thing, where, context, at)
        if made is None:
            return Candidate(already=True, score=clause.sureness)
        actions += made
        added = next((a for a in made if isinstance(a, AddEntity)), None)
        if doing and added is not None and at == len(things) - 1:
            actions.append(AddBeat(text=doing, actor=added.id))
    return Candidate(tuple(actions), clause.sureness, intent="add")


def _put_on(text: str, where: str, clause: Clause, context: Context) -> Candidate | None:
    """Read "put a scarf on him" as clothing."""
    found = re.match(r"(?:on|around|for|over) (.+)", where, re.IGNORECASE)
    owner = refer(found[1], context) if found is not None else None
    clothes = word_list("clothing") - word_list("colors")
    if owner is None or not owner.ids or text.rsplit(maxsplit=1)[-1].lower() not in clothes:
        return None
    piece = Look(Aspect.CLOTHING, f"wearing {with_article(text)}", "after")
    return looked(owner, (piece,), clause.sureness, context)


def _added(thing: NounPhrase, where: str, context: Context, taken: int) -> list[Action] | None:
    """Return the actions that add one thing; None if the scene already has it."""
    if thing.noun in {"thing", "it"} or thing.phrase.lower() in words_of("misc", "pronouns"):
        return None
    is_bare = not (where or thing.position or thing.doing or thing.looks)
    own = same_as(thing, context)
    is_another = re.match(
        r"(?:second|third|fourth|other|extra|further)\b", thing.phrase, re.IGNORECASE
    )
    if own is not None and is_bare and is_another is None:
        determiner = thing.determiner.lower()
        if determiner in {"another", "one more"} or determiner in NUMBERS.keys() - {"a", "an"}:
            more = 1 if determiner == "another" else thing.count or 1
            return [counted(own, (own.count or 1) + more)]
        return None
    some = thing.determiner.lower() == "some" and thing.is_plural
    thing = replace(
        thing,
        position=" ".join(filter(None, (thing.position, where))),
        determiner="" if some else thing.determiner,
    )
    action = add_entity(thing, context, is_definite=False, taken=taken)
    return [action, *added_with_doing(thing, action)]


def shown(text: str, context: Context) -> Candidate | None:
    """Read a bare noun phrase as a request to add it: "seagulls in the distance"."""
    if re.search(r"\b(?:has|have|is|are|was|were|be|should)\b", text, re.IGNORECASE):
        return None
    things = noun_phrases(plain(text))
    known = [t for t in things if t.score >= 0.9 and (t.determiner or t.is_plural)]
    owned = {"the", "his", "her", "its", "their", "this", "that", "my"}
    last = text.rsplit(maxsplit=1)[-1].lower()
    if any(t.position for t in things) and last.endswith("s") and is_verb(last):
        return None
    if not things or len(known) < len(things) or any(t.determiner.lower() in owned for t in things):
        return None
    there = any(refer(t.text, context) for t in things if t.determiner.lower() != "another")
    if there or any(place_named(t.noun) for t in things) or exact_terms(text):
        return None
    if any(t.noun in words_of("nouns", "belongings") for t in things) and context.leads():
        return None  # a part of an entity, not a new one
    if any(t.noun in words_of("misc", "unseen") | words_of("misc", "abstract") for t in things):
        return None
    actions = [a for at, t in enumerate(things) for a in _added(t, "", context, at) or ()]
    return Candidate(tuple(actions), 0.75, intent="add") if actions else None


def _position(clause: Clause, context: Context) -> Candidate | None:
    """Set the position of an entity."""
    where, name = plain(clause.slot("place")), plain(clause.slot("entity"))
    where = _WHERES.get(where.lower(), where)
    if not where:
        return None
    found = refer(name, context) if name else None
    score = clause.sureness
    is_place = bool(_PLACE.match(where))
    if name == "" and context.leads():
        targets = list(context.leads())[:1]
    else:
        targets = entities_of(found, context) if found is not None and found.score >= 0.8 else []
    if not targets or (found is not None and (found.belonging or found.field)):
        if not name or name.lower() in words_of("misc", "pronouns"):
            return None
        return Candidate(
            sentence_about(named(name), f"being {where}", context), score, intent="position"
        )
    if not is_place or (found is not None and found.part):
        part = found.part if found is not None else ""
        beat = AddBeat(text=f"being {where}", actor=targets[0].id, part=part)
        return Candidate((beat,), score, intent="position")
    actions = tuple(EditEntity(entity=e.id, aspect="position", value=where) for e in targets)
    return Candidate(actions, score, intent="position")


_PLACE: Final = re.compile(
    r"(?:right |just |directly |all |somewhere |further |far |half |back |close |way |high |low |up |down |out )*"
    r"(?:on|in|at|to|by|near|next|behind|before|beside|under|over|above|below|between|among|around|across|against|"
    r"inside|outside|along|off|opposite|front|atop|beneath|underneath|toward|towards|away|apart|together|into|onto|"
    r"left|right|with|from|through|ahead|overhead|nearby|everywhere)\b",
    re.IGNORECASE,
)
_WHERES: Final = {
    "left": "on the left", "right": "on the right", "closer": "close to the camera",
    "to the left": "on the left", "to the right": "on the right", "back": "in the background",
    "forward": "in the foreground", "further back": "in the background", "away": "far away",
    "further away": "far away", "farther away": "far away", "up": "at the top",
    "down": "at the bottom", "front": "in front", "center": "in the centre", "middle": "in the middle",
    "to the background": "in the background", "to the foreground": "in the foreground",
    "into the background": "in the background", "into the foreground": "in the foreground",
    "to the front": "in front", "to the middle": "in the middle", "to the back": "in the back",
    "closer to the camera": "close to the camera",
}  # fmt: skip


WISHES: Final[Mapping[str, Wish]] = {"add": _add, "position": _position}
