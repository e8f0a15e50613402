"""Requests stated in the user's own words, as sentences of the prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    EditField,
    LookValue,
    RewriteSentence,
)
from workbench.prompts.composer.composer import scene_of
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.contradictions import own_sentences, settled
from workbench.prompts.intents.faithfulness import EVIDENCE, NO_VALUE
from workbench.prompts.intents.making import kind_of
from workbench.prompts.intents.replacing import reworded
from workbench.prompts.intents.requests import without_politeness
from workbench.prompts.intents.soundness import finite_at
from workbench.prompts.intents.stating import statement
from workbench.prompts.intents.talk import fixed_statement, is_talk
from workbench.prompts.intents.words import (
    lemma,
    noun_in_text,
)
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import EntityKind, Scene

__all__ = [
    "choices_for",
    "fixed_wish",
    "stated",
    "who_is_meant",
]

_EGO: Final = re.compile(
    r"\b(?:first[ -]person|pov|point of view|ego|dash ?cam|cockpit|wrist cam\w*|head cam\w*|front camera|"
    r"windscreen|my hands|body ?cam|go ?pro|helmet cam\w*)\b",
    re.IGNORECASE,
)


# statements


def fixed_wish(text: str, context: Context) -> Candidate | None:
    """Return the candidate for a request with a fixed sentence, such as a loop, or None."""
    bare = without_politeness(text)
    if (cleared := _CLEARING.fullmatch(bare)) is not None:
        return _emptied(cleared["what"], context)
    if (other := _WHAT_ABOUT.fullmatch(text.strip(" ?!."))) is not None:
        return _instead_of_last(other["new"], context)
    fixed = fixed_statement(text)
    if not fixed:
        return None
    beat = AddBeat(text=fixed[:1].lower() + fixed[1:].rstrip("."), told=fixed)
    is_there = fixed in context.prompt
    return Candidate(() if is_there else (beat,), 0.95, already=is_there, intent="statement")


_CLEARING: Final = re.compile(
    r"(?:empty|clear)(?: out)? (?:the |this )?(?P<what>[\w-]+)", re.IGNORECASE
)
_WHAT_ABOUT: Final = re.compile(
    r"(?:(?:meh|hm+|no|nah|ok|or|well|and)[ ,.]+)*(?:what|how) about (?P<new>(?:some |an? )?(?:[a-z-]+ )?[a-z-]+)(?: instead| then)?",
    re.IGNORECASE,
)


def _emptied(what: str, context: Context) -> Candidate | None:
    """Remove whoever is at a place: "empty the street"."""
    place = re.compile(
        rf"\b(?:in|on|from|along|at|across|through|fill\w*|crowd\w*) (?:\w+ )?{re.escape(what)}\b",
        re.IGNORECASE,
    )
    own = own_sentences(context)
    there = [s for s in own[1:] if place.search(s)]
    if not there or not noun_in_text(what, context.prompt):
        return None
    gone = tuple(RewriteSentence(before=s, after="") for s in there)
    told = f"The {what} is empty."
    return Candidate((*gone, AddBeat(text=_plain(told), told=told)), 0.95, intent="remove")


def _instead_of_last(new: str, context: Context) -> Candidate | None:
    """Replace the entity in focus with something of the same kind."""
    head = new.rsplit(maxsplit=1)[-1].lower()
    kind = kind_of(lemma(head, "NOUN"))
    meant = [e for i in context.focus if (e := context.scene.entity(i)) is not None]
    same = [
        e
        for e in [*meant, *context.scene.cast]
        if e.kind is kind and e.kind is not EntityKind.OTHER
    ]
    if not same or noun_in_text(head, context.prompt):
        return None
    actions = reworded(same[0].phrase, new, context)
    return Candidate(actions, 0.85, intent="replace") if actions else None


_NEXT_ORDER: Final = re.compile(
    r"(?:,\s*(?:and |then |but )?|\s+and (?:also |then )?)(?=(?:make|give|put|add|have|let|show|keep|turn|slow|speed|move|place) (?:the|a|an|his|her|its|their|him|them|it|some|two)\b)",
    re.IGNORECASE,
)
"""The start of another command in the same sentence."""


def stated(
    text: str, clauses: Sequence[Clause], context: Context, spoken: str = ""
) -> Candidate | None:
    """Return the candidate that adds ``text`` as a sentence; None if it is not about the picture.

    ``spoken`` is the pronoun that began the sentence before it.
    """
    is_ego = bool(_EGO.search(context.prompt))
    first = next((c for c in clauses if c.text in text or text in c.text), None)
    is_denied = bool(re.match(NO_VALUE["camera_movement"], text, re.IGNORECASE))
    is_filmed = (
        not is_denied
        and _is_camera(without_politeness(text))
        and ((first is not None and first.label in _FILMED) or bool(_FILMING.match(text)))
    )
    who = "" if is_filmed else spoken or who_is_meant(context)
    orders = _NEXT_ORDER.split(text)

    def said(words: str) -> str:
        return statement(words, context.prompt, who=who, is_ego=is_ego, is_filmed=is_filmed)

    if finite_at(text.lower().split()) < 0 and _STYLED.match(text):
        style = without_politeness(text)
        return Candidate((EditField(field="style", value=style),), 0.8, intent="style")
    each = [said(one) for one in orders]
    halves = (text, text.rpartition(", ")[0], text.partition(", ")[2])
    tried = ((said(one), one) for one in halves if one)
    is_each = len(each) > 1 and all(each)
    told, kept = (" ".join(each), text) if is_each else next((t for t in tried if t[0]), ("", ""))
    if not told:
        return None
    left = text.replace(kept, "").strip(" ,")
    help_ = (
        f"“{left}” stays out of the prompt: I could not tell it as a part of the picture."
        if left and not is_talk(left)
        else ""
    )
    if is_filmed and not _FILMED_CLAUSE.match(told):
        value = told[:1].lower() + told[1:].rstrip(".")
        value = re.sub(r"^(?:the |a )?camera (?=\w+ing |moves |goes )", "", value)
        edit = EditField(field="camera_movement", value=value)
        return Candidate((edit,), 0.8, help=help_, intent="camera")
    made = settled(told, context)
    actions = sorted(made.actions, key=lambda one: not isinstance(one, RewriteSentence))
    is_rewritten = any(isinstance(a, RewriteSentence) for a in actions)
    if made.told and is_rewritten:  # the rewritten text may name the actor differently
        actions.append(AddBeat(text=_plain(made.told), told=made.told))
    elif made.told:
        actions += _structured(made.told, context)
    return Candidate(tuple(actions), 0.8, help=help_, intent="statement")


_STYLED: Final = re.compile(
    r"(?:in |full |back to )*(?:colou?r|black and white|b ?& ?w|monochrome)\b(?! (?:of|the)).*|"
    r"(?:washed|faded|more |less )?[\w ,-]*\blike (?:an? |those |the |some )?(?:old )?[\w ]*(?:film|super ?8|photo\w*|autochromes?|polaroids?|postcards?|vhs|painting|cartoon|movie)s?\b.*",
    re.IGNORECASE,
)
"""Words without a verb that describe the style: "colour, but faded like an old film"."""
_FILMING: Final = re.compile(
    r"(?:then |and |please )*(?:(?:start|begin|open|end)(?:s|ing)? (?:on|at|in|close|low|high|wide|with|from|behind|really)|pan|tilt|zoom|dolly|orbit|crane|(?:static|fixed|locked) (?:camera|shot)|"
    r"(?:push|pull|fly|glide) (?:in|out|back|backwards?|forwards?|over|through|up|down|past))\b",
    re.IGNORECASE,
)
"""The beginning of a request that directs the camera."""
_FILMED: Final = frozenset(["camera", "shot", "viewpoint"])


_FILMED_CLAUSE: Final = re.compile(r"the camera (?:is|stays|sits|stands)\b", re.IGNORECASE)


def _is_camera(told: str) -> bool:
    lead = " ".join(told.split()[:5])
    return bool(EVIDENCE["camera_movement"].search(lead) or EVIDENCE["shot_size"].search(lead))


def who_is_meant(context: Context) -> str:
    """Return the default actor: the entity in focus, or the only lead; empty if unclear."""
    leads = context.leads()
    spoken = [e for i in context.focus if (e := context.scene.entity(i)) is not None]
    one = next(iter([*spoken, *leads]), None)
    if one is None or not (spoken or len(leads) == 1):
        return ""
    return f"the {one.phrase.split(' of ')[0]}" if not one.phrase[:1].isupper() else one.phrase


def _structured(told: str, context: Context) -> list[Action]:
    """Return the actions that add a sentence verbatim, with its entities and beats."""
    read = scene_of(told[:1].lower() + told[1:] if told[:2] != "I " else told)
    ids: dict[str, str] = {}
    actions: list[Action] = []
    fresh = context.scene.next_entity_id()
    for entity in read.cast:
        same = [e for e in context.scene.cast if e.noun and e.noun == entity.noun]
        is_known = len(same) == 1 and (
            entity.determiner.lower() == "the" or entity.phrase == same[0].phrase
        )
        if is_known and entity.determiner.lower() not in {"another", "a", "an"}:
            ids[entity.id] = same[0].id
        elif kind_of(entity.noun) is not EntityKind.OTHER and f"{entity.phrase}" in told:
            ids[entity.id] = fresh
            looks = tuple(
                LookValue(aspect=k.aspect, text=k.text, place=k.place) for k in entity.looks
            )
            actions.append(
                AddEntity(
                    phrase=entity.phrase, noun=entity.noun, count=entity.count,
                    determiner=entity.determiner, entity_kind=entity.kind, looks=looks, id=fresh,
                )
            )  # fmt: skip
            fresh = f"e{int(fresh[1:]) + 1}"
    if not read.beats or any(b.actor not in ids for b in read.beats):
        return [
            *actions,
            AddBeat(text=_plain(told), targets=tuple(dict.fromkeys(ids.values())), told=told),
        ]
    made = [
        AddBeat(
            text=b.text, actor=ids[b.actor], when=b.when, told=told,
            targets=tuple(ids[t] for t in b.targets if t in ids),
        )
        for b in read.beats
    ]  # fmt: skip
    return [*actions, *made]


def _plain(told: str) -> str:
    return told[:1].lower() + told[1:].rstrip(".")


# vague requests

_IDEAS: Final = (
    ("shot_size", "closer on {}"), ("lighting", "low golden light from one side"),
    ("camera_movement", "slow push in"), ("pace", "slow motion"), ("style", "35mm film with grain"),
    ("weather", "a light mist"),
)  # fmt: skip


def choices_for(context: Context) -> str:
    """Return the answer to a vague request: a question with three suggestions for the scene."""
    scene: Scene = context.scene
    lead = next((f"the {e.phrase}" for e in context.leads()), "it")
    open_ones = [said for field, said in _IDEAS if not getattr(scene, field)]
    three = [one.format(lead) for one in (open_ones or [said for _, said in _IDEAS])[:3]]
    shown = ", ".join(f"“{one}”" for one in three)
    return (
        f"What should be different? For example {shown}; or say “other ideas” for variations. "
        "Nothing was changed yet."
    )
