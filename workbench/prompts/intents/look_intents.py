"""Requests about looks: colours, materials, states, clothes, parts and belongings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.actions.model import Action, AddBeat, AddEntity, EditEntity, LookValue
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.clauses import NounPhrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import NO_SKIN, entities_of, field_change
from workbench.prompts.intents.making import kind_of
from workbench.prompts.intents.references import Reference, is_person
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.scene_intents import stepped
from workbench.prompts.intents.slots import exact_terms
from workbench.prompts.intents.words import is_plural, lemma, with_article, word_list, words_of
from workbench.scene import Aspect, Entity, EntityKind, Look

__all__ = ["INTENTS", "belonging_look", "have", "looked"]


_BODY: Final = frozenset({"skin", "face", "body"})


def _base(look: Look) -> Look:
    """Return the look with its adjective in the plain degree: "bigger" → "big"."""
    if look.place == "after":
        return look
    words = look.text.split()
    low = words[-1].lower()
    if (
        low.endswith("er")
        and look.aspect is not Aspect.COLOUR
        and look.aspect is not Aspect.MATERIAL
    ):
        base = lemma(low, "ADJ")
        if base != low:
            words[-1] = base
    return Look(look.aspect, " ".join(words), look.place)


def _look(match: Match, context: Context) -> Candidate | None:
    found: Reference = match.value("entity")
    looks: tuple[Look, ...] = match.value("look")
    if all(stepped(look.text.lower(), context.scene) for look in looks) and not found.belonging:
        return None  # "make it closer" is about the camera
    return looked(found, looks, match.score, context)


def looked(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Return how the looks are given to what a reference means."""
    if found.field == "text":
        return _mentioned_look(found, looks, score, context)
    if found.field:
        return _field_look(found, looks, score, context)
    if found.belonging:
        return belonging_look(found, looks, score, context)
    if found.part:
        return _part_looks(found, looks, score, context)
    actions: list[Action] = []
    for entity in entities_of(found, context):
        if is_person(entity) and any(look.aspect is Aspect.COLOUR for look in looks):
            return Candidate(help=NO_SKIN, score=score, intent="look")
        for look in map(_base, looks):
            text = look.text
            if any(own.text.lower() == text.lower() for own in entity.looks):
                continue
            actions.append(EditEntity(entity=entity.id, aspect=str(look.aspect), value=text))
    if not actions:
        return Candidate(already=True, score=score) if found.ids else None
    return Candidate(tuple(actions), score * (0.9 if found.part else 1.0), intent="look")


def _part_looks(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Say how one of several looks, in a sentence of its own: "The left arm is white."."""
    entity = next(iter(entities_of(found, context)), None)
    if entity is None:
        return None
    if is_person(entity) and any(look.aspect is Aspect.COLOUR for look in looks):
        return Candidate(help=NO_SKIN, score=score)
    said = " and ".join(look.text for look in looks)
    text = said if said.startswith(("wearing", "holding", "carrying")) else f"being {said}"
    action = AddBeat(text=text, actor=entity.id, part=found.part)
    return Candidate((action,), score, intent="event")


def _mentioned_look(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Say how a thing looks that the prompt names and that is no member of the cast yet."""
    noun = lemma(found.noun, "NOUN")
    if kind_of(noun) is EntityKind.PERSON and any(k.aspect is Aspect.COLOUR for k in looks):
        return Candidate(help=NO_SKIN, score=score)
    action = AddEntity(
        phrase=found.noun,
        noun=noun,
        count=None if is_plural(found.noun) else 1,
        determiner="the",
        entity_kind=kind_of(noun),
        looks=tuple(
            LookValue(aspect=k.aspect, text=k.text, place=k.place) for k in map(_base, looks)
        ),
        id=context.scene.next_entity_id(),
    )
    return Candidate((action,), score * 0.95, intent="look")


def _field_look(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Put an adjective before a noun of the setting or of a detail."""
    if any(look.place == "after" for look in looks):
        return None
    words = " ".join(_base(look).text for look in looks)
    head = found.noun.split()[-1]

    def put(text: str) -> str:
        pattern = re.compile(
            rf"\b(?:(an?)\s+)?((?:[\w'-]+\s+)*?)({re.escape(head)}\w*)\b", re.IGNORECASE
        )
        made = pattern.sub(lambda m: _replaced_look(m, looks, words), text, count=1)
        return re.sub(r"^(an?)\s+(?=\w)", lambda _: "", made) if made != text else text

    if found.field == "setting":
        made = with_article(put(context.scene.setting))
        return field_change("setting", made, context, score)
    details = tuple(
        with_article(put(d)) if re.search(rf"\b{re.escape(head)}", d, re.IGNORECASE) else d
        for d in context.scene.details
    )
    return field_change("details", details, context, score)


def _replaced_look(found: re.Match[str], looks: Sequence[Look], words: str) -> str:
    from workbench.prompts.intents.words import aspect_of  # noqa: PLC0415

    aspects = {look.aspect for look in looks}
    kept = [w for w in (found[2] or "").split() if aspect_of(w) not in aspects - {Aspect.OTHER}]
    lead = f"{found[1]} " if found[1] else ""
    return f"{lead}{' '.join([*kept, words, found[3]])}"


def belonging_look(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Return how a part or belonging looks, said with its owner: "with grey hair"."""
    owner = next(iter(entities_of(found, context)), None)
    if owner is None:
        return None
    thing = found.belonging
    noun = lemma(thing.split()[-1], "NOUN")
    if is_person(owner) and noun in _BODY and any(k.aspect is Aspect.COLOUR for k in looks):
        return Candidate(help=NO_SKIN, score=score)
    words = " ".join(_base(look).text for look in looks if look.place == "before")
    after = " ".join(look.text for look in looks if look.place == "after")
    for look in owner.looks:
        if re.search(rf"\b{re.escape(noun)}\w*\b", look.text, re.IGNORECASE):
            return _recoloured(owner, look, noun, looks, words, score)
    piece = f"{words} {thing}".strip()
    if after:
        piece = f"{piece} {after}"
    is_worn = noun in word_list("clothing") or thing.split()[-1] in word_list("clothing")
    lead = "wearing" if is_worn and is_person(owner) else "with"
    text = f"{lead} {with_article(piece)}"
    aspect = Aspect.CLOTHING if lead == "wearing" else Aspect.OTHER
    action = EditEntity(entity=owner.id, aspect=str(aspect), value=text)
    return Candidate((action,), score, intent="look")


def _recoloured(
    owner: Entity, look: Look, noun: str, looks: Sequence[Look], words: str, score: float
) -> Candidate | None:
    """Change the colour of a piece that a look names: "wearing a blue dress" → "… a red dress"."""
    from workbench.prompts.intents.words import aspect_of  # noqa: PLC0415

    aspects = {one.aspect for one in looks}

    def swap(found: re.Match[str]) -> str:
        before = found[2].split()
        kept = [w for w in before if aspect_of(w) is None or aspect_of(w) not in aspects]
        core = " ".join([*kept, words, found[3]]).strip()
        return (
            with_article(core)
            if found[1] and found[1].lower() in {"a", "an"}
            else (f"{found[1]} {core}" if found[1] else core)
        )

    pattern = re.compile(
        rf"(?:\b(an?|the|his|her|its|their)\s+)?((?:(?!with\b|wearing\b|and\b|in\b)[\w'-]+\s+)*?)(\b{re.escape(noun)}\w*)\b",
        re.IGNORECASE,
    )
    text = pattern.sub(swap, look.text, count=1)
    if text == look.text:
        return Candidate(already=True, score=score)
    action = EditEntity(entity=owner.id, aspect=str(look.aspect), value=text, replaces=look.text)
    return Candidate((action,), score, intent="look")


def _look_bare(match: Match, context: Context) -> Candidate | None:
    """Take an adjective alone as a look of the only lead, or of what was spoken of last."""
    looks: tuple[Look, ...] = match.value("look")
    if exact_terms(match.text("look")) or any(
        exact_terms(look.text) or stepped(look.text.lower(), context.scene) for look in looks
    ):
        return None
    leads = list(context.leads())
    spoken = [e for i in context.focus[:1] if (e := context.scene.entity(i)) is not None]
    target = (spoken or leads)[:1]
    if not target or (len(leads) > 1 and not spoken):
        return None
    if is_person(target[0]) and any(look.aspect is Aspect.COLOUR for look in looks):
        return None
    is_sure = all(look.aspect is not Aspect.OTHER for look in looks) or len(leads) == 1
    score = match.score * (1.1 if is_sure else 0.85)
    return looked(Reference((target[0].id,)), looks, score, context)


def _look_for_look(match: Match, context: Context) -> Candidate | None:
    """Understand "blue instead of red" for whatever is red."""
    old: tuple[Look, ...] = match.value("old")
    looks: tuple[Look, ...] = match.value("look")
    said = {look.text.lower() for look in old}
    same = [e for e in context.scene.cast if said & {k.text.lower() for k in e.looks}]
    if len(same) != 1:
        return None
    return looked(Reference((same[0].id,)), looks, match.score, context)


def _wear(match: Match, context: Context) -> Candidate | None:
    found: Reference | None = match.value("entity")
    thing: NounPhrase = match.value("clothing") or match.value("thing")
    words = set(thing.text.lower().split())
    said = match.slots.get("clothing") or match.slots["thing"]
    is_clothes = _ends_in_clothing(thing) or (
        bool(words & (word_list("clothing") - word_list("colors")))
        or thing.noun in word_list("clothing")
        or thing.noun in words_of("nouns", "belongings")
    )
    if not is_clothes:
        return None
    targets = (
        list(entities_of(found, context))
        if found
        else [
            e
            for e in context.leads()
            if kind_of(e.noun) in {EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.ROBOT}
            or is_person(e)
        ][:1]
    )
    if not targets or (found is not None and found.belonging):
        return None
    piece = with_article(re.sub(r"^(?:the|some)\s+", "", said.text.strip()))
    if found is not None and found.part:
        worn = (Look(Aspect.CLOTHING, f"wearing {piece}", "after"),)
        return _part_looks(found, worn, match.score, context)
    noun = thing.noun
    actions: list[Action] = []
    for entity in targets:
        for look in entity.looks:
            if look.place == "after" and re.search(rf"\b{re.escape(noun)}\w*\b", look.text):
                actions.append(
                    EditEntity(
                        entity=entity.id,
                        aspect=str(look.aspect),
                        value=f"wearing {piece}",
                        replaces=look.text,
                    )
                )
                break
        else:
            now = next(
                (k for k in entity.looks if k.place == "after" and k.text.startswith("wearing")),
                None,
            )
            if now is not None:
                actions.append(
                    EditEntity(
                        entity=entity.id,
                        aspect=str(now.aspect),
                        value=f"{now.text} and {piece}",
                        replaces=now.text,
                    )
                )
            else:
                actions.append(
                    EditEntity(
                        entity=entity.id, aspect=str(Aspect.CLOTHING), value=f"wearing {piece}"
                    )
                )
    return Candidate(tuple(actions), match.score, intent="look")


def have(match: Match, context: Context) -> Candidate | None:
    """Give somebody something: worn, held, or as a part."""
    found: Reference = match.value("entity")
    thing: NounPhrase = match.value("has") or match.value("thing")
    said = match.slots.get("has") or match.slots["thing"]
    if found.belonging or found.field:
        return None
    if set(thing.text.lower().split()) & (word_list("clothing") - word_list("colors")):
        inner = Match(match.rule, {**match.slots, "thing": said}, match.groups, match.score)
        worn = _wear(inner, context)
        if worn is not None:
            return worn
    piece = with_article(said.text.strip())
    if found.part:
        return _part_looks(
            found, (Look(Aspect.OTHER, f"holding {piece}", "after"),), match.score, context
        )
    actions = []
    for entity in entities_of(found, context):
        look = next(
            (
                k
                for k in entity.looks
                if k.place == "after" and re.search(rf"\b{re.escape(thing.noun)}\w*\b", k.text)
            ),
            None,
        )
        verb = (
            "holding"
            if kind_of(entity.noun) is EntityKind.PERSON
            and thing.noun not in words_of("nouns", "belongings")
            else "with"
        )
        actions.append(
            EditEntity(
                entity=entity.id,
                aspect=str(Aspect.OTHER),
                value=f"{verb} {piece}",
                replaces=look.text if look else "",
            )
        )
    return Candidate(tuple(actions), match.score, intent="look") if actions else None


def _ends_in_clothing(thing: NounPhrase) -> bool:
    last = thing.phrase.split()[-1].lower()
    return any(len(w) > 2 and last.endswith(w) for w in word_list("garments"))


INTENTS: Final[Mapping[str, Intent]] = {
    "look": _look,
    "look_not": _look,
    "look_bare": _look_bare,
    "belonging_look": _look,
    "wear": _wear,
    "have": have,
    "look_for_look": _look_for_look,
}
