"""Requests to remove something, or to keep it out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.actions.model import Action, EditEntity, EditField, RemoveEntity
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.clauses import noun_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import counted, entities_of
from workbench.prompts.intents.references import Reference, refer
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.slots import exact_terms
from workbench.prompts.intents.words import is_known, lemma
from workbench.scene import Scene

__all__ = ["INTENTS"]


def _remove(match: Match, context: Context) -> Candidate | None:
    found: Reference | None = match.value("entity")
    what = match.text("entity") if found is not None else match.text("any")
    what = re.sub(r"^(?:any|all|the|of|that|those|these|some)\s+", "", what.strip())
    scene = context.scene
    if found is None:
        if re.search(r"\bcamera (?:movement|motion|shake)", what):
            return None
        said = exact_terms(what)
        cleared = _camera_cleared(what, scene)
        if cleared:
            return Candidate(cleared, match.score, intent="remove")
        held = [f for f, v in (said or {}).items() if getattr(scene, f) == v]
        if held:
            emptied = {"weather": "clear"}
            edits = tuple(EditField(field=f, value=emptied.get(f, "")) for f in held)
            return Candidate(edits, match.score, intent="remove")
        found = refer(what, context) or refer(f"the {what}", context)
        if said and (found is None or not found.ids):
            return None
    if found is not None and (done := _removed(found, what, match.score, context)) is not None:
        return done
    what = re.sub(
        r"\s+(?:stuff|things|anywhere|at all|please|lol|in it|visible|showing)$", "", what
    )
    parts = re.split(r"\s+(?:and|or|nor|no)\s+|\s*,\s*(?:no\s+)?", what)
    if len(parts) > 1:
        return _remove_all(parts, match, context)
    return _barred(what, match.score, context)


def _camera_cleared(what: str, scene: Scene) -> tuple[Action, ...]:
    """Return how to clear the camera fields that name ``what``: "lose the drone"."""
    words = set(what.lower().split()) - {"the", "a", "an"}
    return tuple(
        EditField(field=f, value="")
        for f in ("viewpoint", "camera_movement", "camera_angle")
        if words and words <= set(re.findall(r"[\w'-]+", str(getattr(scene, f)).lower()))
    )


def _remove_all(parts: Sequence[str], match: Match, context: Context) -> Candidate | None:
    actions: list[Action] = []
    barred: list[str] = []
    for part in parts:
        bare = re.sub(r"^(?:the|any|all|that)\s+", "", part)
        if exact_terms(bare):
            return None
        found = refer(bare, context)
        done = _removed(found, bare, match.score, context) if found is not None else None
        if done is not None and done.actions:
            actions += done.actions
            continue
        clean = _barred(bare, match.score, context)
        if clean is None:
            return None
        barred.append(bare)
    if barred:
        listed = [x.strip() for x in context.scene.negative_prompt.split(",") if x.strip()]
        actions.append(EditField(field="negative_prompt", value=", ".join([*listed, *barred])))
    return Candidate(tuple(actions), match.score, intent="remove") if actions else None


def _removed(found: Reference, what: str, score: float, context: Context) -> Candidate | None:
    scene = context.scene
    if found.belonging:
        noun = lemma(found.belonging.split()[-1], "NOUN")
        for entity in entities_of(found, context):
            for look in entity.looks:
                if re.search(rf"\b{re.escape(noun)}\w*\b", look.text, re.IGNORECASE):
                    action = EditEntity(
                        entity=entity.id, aspect=str(look.aspect), value="", replaces=look.text
                    )
                    return Candidate((action,), score, intent="remove")
        return None
    if found.field == "details":
        left = tuple(d for d in scene.details if found.noun not in d.lower())
        return Candidate((EditField(field="details", value=left),), score, intent="remove")
    if found.field == "setting":
        head = scene.setting.split(" of ")[0].split()[-1:]
        if head and lemma(head[0], "NOUN") == lemma(found.noun.split()[-1], "NOUN"):
            return Candidate((EditField(field="setting", value=""),), score, intent="remove")
        return None
    entities = entities_of(found, context)
    if not entities:
        return None
    entity = entities[0]
    if (
        found.part
        and entity.count
        and entity.count > 1
        and not found.part.startswith(("both", "all"))
    ):
        gone = 2 if found.part.startswith("two") else 1
        return Candidate((counted(entity, max(1, entity.count - gone)),), score, intent="remove")
    own = [e for e in scene.cast if e.id not in found.ids]
    if not own and not scene.setting and len(entities) == len(scene.cast):
        name = entity.noun or what
        return Candidate(
            help=f"Without the {name} nothing is left to see. Say what should be there instead: “replace the {name} with …”.",
            score=score,
        )
    return Candidate(tuple(RemoveEntity(entity=e.id) for e in entities), score, intent="remove")


def _barred(what: str, score: float, context: Context) -> Candidate | None:
    """Add what is to be avoided to the negative prompt: a clean noun phrase of known words."""
    thing = noun_phrase(what)
    words = what.split()
    if (
        thing is None
        or thing.doing
        or len(words) > 4
        or thing.score < 0.75
        or thing.determiner in {"his", "her"}
    ):
        return None
    if not all(is_known(w) for w in words):
        return None
    listed = [x.strip() for x in context.scene.negative_prompt.split(",") if x.strip()]
    bare = re.sub(r"^(?:an?|the|any)\s+", "", what)
    if bare in listed:
        return Candidate(already=True, score=score)
    action = EditField(field="negative_prompt", value=", ".join([*listed, bare]))
    return Candidate((action,), score * 0.85, intent="avoid")


INTENTS: Final[Mapping[str, Intent]] = {
    "remove": _remove,
}
