"""Requests about what somebody or something is: another kind, other roles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from workbench.actions.model import Action, AddBeat, EditEntity, RemoveBeat, RewriteSentence
from workbench.lexicon.words import sentences
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.clauses import NounPhrase, verb_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import (
    NO_SKIN,
    counted,
    entities_of,
    field_change,
    kind_of_entity,
    wearer,
)
from workbench.prompts.intents.look_intents import belonging_look, looked
from workbench.prompts.intents.making import add_entity, article_for, kind_of
from workbench.prompts.intents.references import Reference, is_person, refer
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.slots import Filled, exact_terms
from workbench.prompts.intents.words import (
    inflect,
    is_plural,
    lemma,
    place_named,
    subject_kind,
    with_article,
    word_list,
    words_of,
)
from workbench.scene import Aspect, Entity, Scene

__all__ = ["INTENTS", "SEASONS"]


SEASONS: Final = frozenset({"spring", "summer", "autumn", "fall", "winter"})


def _retouch(match: Match, context: Context) -> Candidate | None:
    """Take "a red car" for the car that is there: its looks, and what it more nearly is."""
    thing: NounPhrase = match.value("thing")
    if thing.doing or (thing.position and not thing.looks):
        return None
    text = thing.phrase.lower()
    owner = wearer(context)
    is_own = thing.determiner.lower() in {"", "his", "her", "its", "their"}
    if (
        owner is not None
        and is_own
        and thing.looks
        and text.split()[-1] in words_of("nouns", "belongings")
        and refer(f"the {text}", context, only_cast=True) is None
    ):
        return belonging_look(
            Reference((owner.id,), belonging=thing.phrase), thing.looks, match.score, context
        )
    for entity in context.leads():
        worn = next(
            (k for k in entity.looks if re.search(rf"\b{re.escape(thing.noun)}\w*\b", k.text)), None
        )
        if worn is not None and thing.looks and worn.place == "after":
            found = Reference((entity.id,), belonging=thing.phrase)
            return belonging_look(found, thing.looks, match.score, context)
        whole = lemma(text.split(" of ")[-1].split()[-1], "NOUN") if " of " in text else ""
        if whole and whole == entity.noun:
            action = EditEntity(
                entity=entity.id, aspect="phrase", value=thing.phrase, noun=entity.noun,
                determiner=thing.determiner or article_for(thing.phrase),
            )  # fmt: skip
            one = EditEntity(entity=entity.id, aspect="count", value=None)
            return Candidate((one, action), match.score, intent="replace")
    for entity in context.scene.cast:
        same = entity.noun and thing.noun == entity.noun
        if not same or (thing.count not in {entity.count, None, 1}):
            continue
        if text == entity.phrase.lower() or text == entity.noun:
            if not thing.looks:
                return None
            if thing.determiner.lower() in {"a", "an", "another"}:
                return looked(Reference((entity.id,)), thing.looks, match.score * 0.9, context)
            return looked(Reference((entity.id,)), thing.looks, match.score, context)
        action = _named_anew(entity, thing)
        return Candidate((action, *_looks_of(entity, thing)), match.score * 0.95, intent="replace")
    return _refined(thing, match, context)


def _refined(thing: NounPhrase, match: Match, context: Context) -> Candidate | None:
    """Take "golden retriever" for the dog that is there: a bare name of the same kind of thing."""
    if thing.determiner or thing.position or thing.doing:
        return None
    last = thing.phrase.split()[-1].lower()
    for entity in context.leads():
        words = [lemma(w, "NOUN") for w in entity.phrase.lower().split()]
        if lemma(last, "NOUN") in words[:-1]:  # american football → american football player
            phrase = " ".join(
                " ".join([*(k.text for k in thing.looks), thing.phrase])
                if lemma(w, "NOUN") == lemma(last, "NOUN")
                else w
                for w in entity.phrase.split()
            )
            action = EditEntity(entity=entity.id, aspect="phrase", value=phrase, noun=entity.noun)
            return Candidate((action,), match.score * 0.9, intent="replace")
    kind = subject_kind(thing.noun)
    same = [e for e in context.leads() if kind and _same_kind(kind, subject_kind(e.noun))]
    if len(same) == 1 and not place_named(thing.noun):
        action = _named_anew(same[0], thing)
        return Candidate((action, *_looks_of(same[0], thing)), match.score * 0.92, intent="replace")
    return None


def _same_kind(one: str, other: str | None) -> bool:
    groups = ({"man", "woman", "person"}, {"vehicle", "watercraft", "aircraft"}, {"food", "drink"})
    return one == other or any(one in g and other in g for g in groups)


def _looks_of(entity: Entity, thing: NounPhrase) -> tuple[Action, ...]:
    return tuple(
        EditEntity(entity=entity.id, aspect=str(look.aspect), value=look.text)
        for look in thing.looks
        if not (is_person(entity) and look.aspect is Aspect.COLOUR and not thing.phrase)
    )


def _named_anew(entity: Entity, thing: NounPhrase) -> EditEntity:
    """Return the action that makes ``entity`` what ``thing`` names, in the number that it has."""
    phrase, determiner = thing.phrase, entity.determiner
    head = phrase.split(" of ")[0].split()[-1]
    if entity.count not in {1, None} and not is_plural(head) and thing.count == 1:
        phrase = re.sub(
            rf"\b{re.escape(head)}\b", inflect(lemma(head, "NOUN"), "NNS"), phrase, count=1
        )
    elif is_plural(head) and entity.count == 1:
        determiner = thing.determiner
    if determiner.lower() in {"a", "an", ""} and thing.count == 1 and entity.count == 1:
        first = next((k.text for k in thing.looks), phrase)
        determiner = "" if head in word_list("mass") else article_for(first)
    if thing.determiner.lower() in {"his", "her", "its", "their", "my", "some"}:
        determiner = thing.determiner
    return EditEntity(
        entity=entity.id,
        aspect="phrase",
        value=phrase,
        noun=thing.noun,
        determiner=determiner,
        entity_kind=kind_of(thing.noun),
    )


def _replace(match: Match, context: Context) -> Candidate | None:
    found: Reference = match.value("entity")
    thing: NounPhrase = match.value("thing")
    if found.field == "text":
        return _replace_in_text(found, thing, match.score, context)
    if found.field:
        return _replace_in_field(found, thing, match.score, context)
    if found.belonging:
        return None
    entities = entities_of(found, context)
    if not entities:
        return None
    text = match.text("thing").lower()
    if re.fullmatch(r"(?:an?|the)? ?\w+", text) and (
        exact_terms(text) or text.split()[-1] in SEASONS
    ):
        return None
    if not thing.determiner and len(text.split()) == 1:
        is_place = place_named(thing.noun) is not None and subject_kind(thing.noun) is None
        if is_place or (verb_phrase(text) is not None and not is_plural(text)):
            return None
    if thing.noun in words_of("misc", "unseen"):
        return None
    entity = entities[0]
    score = match.score * (0.97 if thing.determiner or thing.score > 0.95 else 0.9)
    if found.part or len(entities) > 1:
        score *= 0.85
    if (
        thing.noun == entity.noun
        and not thing.looks
        and thing.phrase.lower() == entity.phrase.lower()
    ):
        return None
    actions: list[Action] = []
    if found.part and entity.count and entity.count > 1:
        return _split_off(entity, thing, score, context)
    actions.append(_named_anew(entity, thing))
    if thing.count not in {entity.count, None} and thing.determiner and thing.count != 1:
        actions.append(
            EditEntity(
                entity=entity.id, aspect="count", value=thing.count, determiner=thing.determiner
            )
        )
    elif thing.count == 1 and thing.determiner.lower() in {"a", "an", "one"} and entity.count != 1:
        first = next((k.text for k in thing.looks), thing.phrase)
        single = EditEntity(
            entity=entity.id, aspect="phrase", value=thing.phrase, noun=thing.noun,
            determiner=article_for(first), entity_kind=kind_of(thing.noun),
        )  # fmt: skip
        actions = [single, EditEntity(entity=entity.id, aspect="count", value=1)]
    gone = [
        EditEntity(entity=entity.id, aspect=str(look.aspect), value="", replaces=look.text)
        for look in entity.looks
        if look.place == "before" or kind_of(thing.noun) is not kind_of_entity(entity)
    ]
    actions += gone
    actions += _looks_of(entity, thing)
    if thing.position:
        actions.append(EditEntity(entity=entity.id, aspect="position", value=thing.position))
    if thing.doing:
        actions += _only_doing(entity, thing.doing, context.scene)
    return Candidate(tuple(actions), score, intent="replace")


def _replace_lead(match: Match, context: Context) -> Candidate | None:
    """Take "a cat instead" as what the only lead becomes, or the lead of its kind."""
    thing: NounPhrase = match.value("thing")
    leads = context.leads()
    kind = kind_of(thing.noun)
    same = [e for e in leads if kind_of_entity(e) is kind] or list(leads)
    if len(same) != 1:
        return None
    slots = {**match.slots, "entity": Filled(Reference((same[0].id,)), 1.0, same[0].phrase)}
    return _replace(Match(match.rule, slots, match.groups, match.score), context)


def _only_doing(entity: Entity, doing: str, scene: Scene) -> list[Action]:
    from workbench.actions.model import ChangeBeat  # noqa: PLC0415

    own = scene.beats_of(entity.id)
    if not own:
        return [AddBeat(text=doing, actor=entity.id)]
    return [ChangeBeat(beat=own[0].id, text=doing), *(RemoveBeat(beat=b.id) for b in own[1:])]


def _split_off(
    entity: Entity, thing: NounPhrase, score: float, context: Context
) -> Candidate | None:
    """Make one of several something else: "turn one of them into a cat"."""
    left = (entity.count or 2) - 1
    actions: list[Action] = [counted(entity, left)]
    actions.append(add_entity(thing, context, is_definite=False))
    return Candidate(tuple(actions), score, intent="replace")


def _replace_in_text(
    found: Reference, thing: NounPhrase, score: float, context: Context
) -> Candidate | None:
    """Put other words for a thing that the prompt names, in the sentence that names it."""
    pattern = re.compile(
        rf"(?<![\w-])(?:(an?|the)\s+)?{re.escape(found.noun)}(?![\w-])", re.IGNORECASE
    )
    for sentence in sentences(context.prompt):
        said = pattern.search(sentence)
        if said is None:
            continue
        new = " ".join([*(k.text for k in thing.looks if k.place == "before"), thing.phrase])
        fresh = with_article(new) if said[1] and not is_plural(thing.phrase.split()[-1]) else new
        after = sentence[: said.start()] + fresh + sentence[said.end() :]
        return Candidate(
            (RewriteSentence(before=sentence, after=after),), score * 0.95, intent="replace"
        )
    return None


def _replace_in_field(
    found: Reference, thing: NounPhrase, score: float, context: Context
) -> Candidate | None:
    scene = context.scene
    new = " ".join([*(k.text for k in thing.looks if k.place == "before"), thing.phrase])
    pattern = re.compile(
        rf"\b(?:(?:an?|the)\s+)?(?:[\w'-]+\s+)*?{re.escape(found.noun)}\b", re.IGNORECASE
    )
    if found.field == "setting":
        head = scene.setting.split(" of ")[0].split()[-1:]
        is_head = head and lemma(head[0], "NOUN") == lemma(found.noun.split()[-1], "NOUN")
        value = (
            with_article(new)
            if is_head
            else re.sub(rf"\b{re.escape(found.noun)}\b", new, scene.setting, flags=re.IGNORECASE)
        )
        return field_change("setting", value, context, score)
    details = tuple(
        pattern.sub(with_article(new), d) if pattern.search(d) else d for d in scene.details
    )
    return field_change("details", details, context, score)


def _swap_looks(match: Match, context: Context) -> Candidate | None:
    aspect = match.value("aspect")
    first, second = _pair(match, context)
    if first is None or second is None:
        return None
    if aspect in {"position", "role"}:
        return _swap_places(match, context)
    if aspect not in set(Aspect):
        return None
    one, other = first.look(Aspect(aspect)), second.look(Aspect(aspect))
    if not one and not other:
        return Candidate(help=f"Neither of them has a {aspect} to swap yet.", score=match.score)
    if aspect == "colour" and (is_person(first) or is_person(second)):
        return Candidate(help=NO_SKIN, score=match.score)
    return Candidate(
        (
            EditEntity(entity=first.id, aspect=aspect, value=other),
            EditEntity(entity=second.id, aspect=aspect, value=one),
        ),
        match.score,
        intent="swap",
    )


def _pair(match: Match, context: Context) -> tuple[Entity | None, Entity | None]:
    named = [e for name in ("a", "b") for e in entities_of(match.value(name), context)[:1]]
    if len(named) == 2:
        return named[0], named[1]
    aspect = match.value("aspect")
    with_looks = [e for e in context.scene.cast if aspect in set(Aspect) and e.look(Aspect(aspect))]
    pool = with_looks if len(with_looks) == 2 else [e for e in context.scene.cast if e.position]
    if len(pool) != 2:
        pool = list(context.scene.cast[:2]) if len(context.scene.cast) >= 2 else []
    return (pool[0], pool[1]) if len(pool) == 2 else (None, None)


def _swapped_positions(first: Entity, second: Entity, score: float) -> Candidate | None:
    if not first.position and not second.position:
        return None
    return Candidate(
        (
            EditEntity(entity=first.id, aspect="position", value=second.position),
            EditEntity(entity=second.id, aspect="position", value=first.position),
        ),
        score,
        intent="swap",
    )


def _swap_places(match: Match, context: Context) -> Candidate | None:
    first, second = _pair(match, context)
    if first is None or second is None or first.id == second.id:
        return None
    if first.position or second.position:
        return _swapped_positions(first, second, match.score)
    named = _swapped_names(first, second, match.score)
    if named is not None:
        return named
    beats = [*context.scene.beats_of(first.id), *context.scene.beats_of(second.id)]
    from workbench.actions.model import ChangeBeat  # noqa: PLC0415

    actions = tuple(
        ChangeBeat(beat=b.id, actor=second.id if b.actor == first.id else first.id) for b in beats
    )
    return Candidate(actions, match.score * 0.9, intent="swap") if actions else None


def _swapped_names(first: Entity, second: Entity, score: float) -> Candidate | None:
    """Let two change roles: each takes the other's name and lasting looks; states stay."""
    if first.noun == second.noun:
        return None
    actions: list[Action] = []
    for one, other in ((first, second), (second, first)):
        name = EditEntity(
            entity=one.id,
            aspect="phrase",
            value=other.phrase,
            noun=other.noun,
            determiner=other.determiner,
            entity_kind=other.kind,
        )
        actions.append(name)
        actions.extend(
            EditEntity(entity=one.id, aspect=str(aspect), value=other.look(aspect))
            for aspect in (Aspect.COLOUR, Aspect.MATERIAL, Aspect.AGE, Aspect.BUILD)
            if one.look(aspect) != other.look(aspect)
        )
    return Candidate(tuple(actions), score, intent="swap")


INTENTS: Final[Mapping[str, Intent]] = {
    "retouch": _retouch,
    "replace": _replace,
    "replace_lead": _replace_lead,
    "swap_looks": _swap_looks,
    "swap_places": _swap_places,
}
