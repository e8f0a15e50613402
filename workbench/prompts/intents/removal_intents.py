"""Intents to remove something, or to keep it out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from workbench.actions.model import Action, EditEntity, EditField, RemoveEntity, RewriteSentence
from workbench.lexicon.words import sentences
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import counted, entities_of
from workbench.prompts.intents.references import Reference, refer
from workbench.prompts.intents.scene_intents import less_of
from workbench.prompts.intents.slots import exact_terms
from workbench.prompts.intents.wording import plain
from workbench.prompts.intents.words import determiners, is_verb, lemma, noun_in_text
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import Scene

__all__ = ["WISHES", "removed"]

_EVERY: Final = re.compile(
    r"(?:any|all(?: the| of the)?|the|of the|that|those|these|some|no|every|an?)\s+(?=\S)",
    re.IGNORECASE,
)
_SEEN: Final = re.compile(
    r"\s+(?:visible|showing|anywhere|at all|in (?:the )?(?:it|frame|shot|picture|scene|video))$",
    re.IGNORECASE,
)
_JOINT: Final = re.compile(r"\s*,\s*(?:and\s+|or\s+|no\s+)?|\s+(?:and|or|nor|no|n)\s+")


def _remove(clause: Clause, context: Context) -> Candidate | None:
    """Remove what the prompt has; add the rest to the negative prompt."""
    what = clause.slot("entity")
    behind = clause.text.partition(what)[2].strip() if what else ""
    act = _act_told(f"{plain(what)} {behind}", clause.sureness, context) if behind else None
    return act or removed(plain(what), clause.sureness, context)


def _negative(clause: Clause, context: Context) -> Candidate | None:
    return removed(plain(clause.slot("value")), clause.sureness, context)


def removed(text: str, score: float, context: Context) -> Candidate | None:
    """Remove each item of ``text``, or add it to the negative prompt if it is not there."""
    actions: list[Action] = []
    barred: list[str] = []
    left: list[str] = []
    alone = _ONLY.search(text)
    if alone is not None:
        left.append(f"only {alone['what'] or alone['rest']}")
        text = text[: alone.start()]
    whole = refer(text, context) if text else None
    parts = (
        [text] if whole is not None and whole.ids and " and " not in text else _JOINT.split(text)
    )
    for part in parts:
        what = re.sub(
            r"^(?:without|no|not|avoid|don't show|any)\s+", "", plain(part), flags=re.IGNORECASE
        )
        what = re.sub(r"^(?:nobody|no one)(?= \w+ing\b)", "people", _SEEN.sub("", what))
        what = _THING.sub("", what)
        if not what or _SAID.search(what):
            continue
        is_listed = re.match(
            r"(?:an?|the|his|her|its|their|any|no|all|those|these)\b", part.strip(), re.IGNORECASE
        )
        if actions and not is_listed and not noun_in_text(what, context.prompt):
            left.append(what)
            continue
        if _EXCEPT.search(what):
            return Candidate(help=_EXCEPTED, score=score)
        done = _gone(what, score, context)
        if done is not None and (done.help or done.actions):
            if done.help:
                return done
            actions += done.actions
        elif (act := _act_told(what, score, context)) is not None:
            actions += act.actions
        elif (cut := _cut_words(_EVERY.sub("", what, count=1), score, context)) is not None:
            if cut.help:
                return cut
            actions += cut.actions
        else:
            barred.append(_EVERY.sub("", what, count=1))
    if barred:
        listed = [x.strip() for x in context.scene.negative_prompt.split(",") if x.strip()]
        fresh = [one for one in barred if one not in listed]
        if fresh:
            value = ", ".join([*listed, *fresh])
            actions.append(EditField(field="negative_prompt", value=value))
    return (
        Candidate(tuple(actions), score, already=not actions, intent="remove", left=tuple(left))
        if actions or barred
        else None
    )


def _gone(what: str, score: float, context: Context) -> Candidate | None:
    """Return the candidate that removes something from the scene; None if it is not there."""
    scene = context.scene
    bare = _EVERY.sub("", what, count=1)
    found = refer(what, context) or refer(f"the {bare}", context)
    said = exact_terms(bare)
    held = {f: v for f, v in (said or {}).items() if getattr(scene, f) == v}
    if held and (found is None or not found.ids):
        return less_of(held, score, context, is_gone=True)
    cleared = _camera_cleared(bare, scene)
    if cleared:
        return Candidate(cleared, score, intent="remove")
    if found is not None and found.field == "text":
        return _cut_out(found.noun, score, context)
    return _removed(found, bare, score, context) if found is not None else None


_ONLY: Final = re.compile(
    r",\s*(?:(?P<what>[^,]+) only|(?:only|just) (?P<rest>[^,]+))$", re.IGNORECASE
)
"""What alone remains: "…, only the dog"."""
_DOER: Final = re.compile(
    r"(?:the |that |those |these )?(?P<who>[\w-]+) (?:who (?:is |are )?|that (?:is |are )?)?(?P<act>\w+(?:ing|s)\b.*)",
    re.IGNORECASE,
)


def _act_told(what: str, score: float, context: Context) -> Candidate | None:
    """Remove the sentence that describes an action: "the guy coming back"."""
    found = _DOER.fullmatch(what)
    if found is None or not is_verb(found["act"].split()[0].lower()):
        return None
    act = {lemma(w, "VERB") for w in found["act"].lower().split()} - determiners()
    told = sentences(context.prompt)[1:]
    same = [s for s in told if act <= {lemma(w, "VERB") for w in re.findall(r"[\w'-]+", s.lower())}]
    if len(same) != 1:
        return None
    return Candidate((RewriteSentence(before=same[0], after=""),), score, intent="remove")


_THING: Final = re.compile(r"(?<=\w) (?:thing|stuff|bit|part|effect)s?$", re.IGNORECASE)
_SAID: Final = re.compile(
    r"(?<![\w'-])(?:i|i'll|i'm|i'd|we|my|client|clients|doesn't want|don't want)(?![\w'-])",
    re.IGNORECASE,
)
"""Talk within a list of things to remove."""
_EXCEPT: Final = re.compile(
    r"\b(?:except|apart from|other than|but (?:its|his|her|the))\b", re.IGNORECASE
)
_EXCEPTED: Final = "A negative prompt knows no exceptions. Say what is seen instead, such as “only its own tracks are in the snow”."


def _cut_words(what: str, score: float, context: Context) -> Candidate | None:
    """Cut words from the prompt; None if it lacks or already negates them."""
    named = re.compile(rf"(?<![\w-]){re.escape(what)}(?![\w-])", re.IGNORECASE)
    told = [s for s in sentences(context.prompt) if named.search(s)]
    denied = re.compile(rf"\b(?:no|without|not|never|n't)\b[^.]*{re.escape(what)}", re.IGNORECASE)
    told = [s for s in told if not denied.search(s)]
    if not told:
        return None
    actions: list[Action] = []
    for sentence in told:
        pieces = re.split(r"(,\s*)", sentence.rstrip("."))
        left = [n for n in range(0, len(pieces), 2) if not named.search(pieces[n])]
        if len(sentence.split()) <= len(what.split()) + _ALONE and len(told) < len(
            sentences(context.prompt)
        ):
            actions.append(RewriteSentence(before=sentence, after=""))
        elif 0 in left:
            kept = ", ".join(pieces[n] for n in left)
            actions.append(RewriteSentence(before=sentence, after=f"{kept}."))
        else:
            cut = _cut_out(what.rsplit(maxsplit=1)[-1], score, replace(context, prompt=sentence))
            if cut is None or any(
                isinstance(a, RewriteSentence) and named.search(a.after) for a in cut.actions
            ):
                return Candidate(
                    help=f"“{what}” stands in “{sentence}”, and cannot be cut out of it surely. "
                    "Say the sentence as it should be: “… instead of …”.",
                    score=score,
                )
            actions += cut.actions
    return Candidate(tuple(actions), score, intent="remove")


_ALONE: Final = 5
"""Maximum other words of a sentence that is removed as a whole."""


def _cut_out(noun: str, score: float, context: Context) -> Candidate | None:
    """Cut a thing from the sentence that names it, with its preposition and modifiers."""
    pattern = re.compile(
        rf"\s*,?\s*(?:\b(?:and|with|in front of|next to|over|under|behind|near|on|in|at|beside|by|through|around|holding|wearing)\s+)?"
        rf"(?:\b(?:an?|the|his|her|its|their|some|two|three|several)\s+)?(?:(?!and\b|with\b|in\b|on\b|of\b)[\w'-]+\s+){{0,2}}?\b{re.escape(noun)}(?![\w-])",
        re.IGNORECASE,
    )  # fmt: skip
    for sentence in sentences(context.prompt):
        said = pattern.search(sentence)
        if said is None or said.start() == 0:
            continue
        after = f"{sentence[: said.start()]}{sentence[said.end() :]}"
        return Candidate((RewriteSentence(before=sentence, after=after),), score, intent="remove")
    return None


def _camera_cleared(what: str, scene: Scene) -> tuple[Action, ...]:
    """Return the actions that clear the camera fields that name ``what``: "lose the drone"."""
    words = set(what.lower().split()) - {"the", "a", "an"}
    return tuple(
        EditField(field=f, value="")
        for f in ("viewpoint", "camera_movement", "camera_angle")
        if words and words <= set(re.findall(r"[\w'-]+", str(getattr(scene, f)).lower()))
    )


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
    if found.part and entity.count is None and not found.part.startswith(("both", "all")):
        told = f"The prompt does not say how many there are: {entity.text}. Say “three {entity.phrase}” first."
        return Candidate(help=told, score=score)
    if (
        found.part
        and entity.count
        and entity.count > 1
        and not found.part.startswith(("both", "all"))
    ):
        gone = 2 if found.part.startswith("two") else 1
        return Candidate((counted(entity, max(1, entity.count - gone)),), score, intent="remove")
    own = [e for e in scene.cast if e.id not in found.ids]
    leads = {one.id for one in scene.cast if one.is_lead}
    is_all = leads <= set(found.ids) and len(sentences(context.prompt)) == 1
    if (not own or is_all) and not scene.setting:
        name = entity.noun or what
        return Candidate(
            help=f"Without the {name} nothing is left to see. Say what should be there instead: “replace the {name} with …”.",
            score=score,
        )
    return Candidate(tuple(RemoveEntity(entity=e.id) for e in entities), score, intent="remove")


WISHES: Final[Mapping[str, Wish]] = {"remove": _remove, "negative": _negative}
