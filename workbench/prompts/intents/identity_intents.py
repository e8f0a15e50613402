"""Intents on what an entity is: replacing it, swapping two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from workbench.actions.model import (
    Action,
    AddBeat,
    ChangeBeat,
    EditEntity,
    RemoveBeat,
    RewriteSentence,
)
from workbench.lexicon.words import sentences
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.clauses import NounPhrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import (
    NO_SKIN,
    counted,
    entities_of,
    field_change,
    kind_of_entity,
)
from workbench.prompts.intents.look_intents import looked
from workbench.prompts.intents.making import add_entity, article_for, kind_of
from workbench.prompts.intents.noun_phrases import without_head
from workbench.prompts.intents.references import Reference, is_person, refer
from workbench.prompts.intents.slots import looks_in
from workbench.prompts.intents.wording import named, plain
from workbench.prompts.intents.words import (
    inflect,
    is_plural,
    lemma,
    subject_kind,
    with_article,
    word_list,
    words_of,
)
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import Aspect, Entity, EntityKind, Scene

__all__ = ["WISHES", "becomes"]


def _looks_of(entity: Entity, thing: NounPhrase) -> tuple[Action, ...]:
    return tuple(
        EditEntity(entity=entity.id, aspect=str(look.aspect), value=look.text)
        for look in thing.looks
        if not (is_person(entity) and look.aspect is Aspect.COLOUR and not thing.phrase)
    )


def _named_anew(entity: Entity, thing: NounPhrase) -> EditEntity:
    """Return the action that turns ``entity`` into ``thing`` and keeps its number."""
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


def _replace(clause: Clause, context: Context) -> Candidate | None:
    """Replace an entity or words of the prompt."""
    return becomes(plain(clause.slot("old")), plain(clause.slot("new")), clause.sureness, context)


def becomes(old: str, new: str, score: float, context: Context) -> Candidate | None:
    """Turn what ``old`` names, or the lead, into what ``new`` names."""
    if not new:
        return None
    thing = named(new)
    found = refer(old, context) if old else _lead_like(thing, context)
    if found is None:
        return _replace_words(old, new, score, context)
    if found.field == "text":
        return _replace_in_text(found, thing, score, context)
    if found.field:
        return _replace_in_field(found, thing, score, context)
    entities = entities_of(found, context)
    if found.belonging or not entities:
        return _replace_words(old, new, score, context)
    looks = looks_in(new)
    if looks is not None and looks[1] >= 0.95 and subject_kind(thing.noun) is None:
        return looked(found, looks[0], score, context)
    entity = entities[0]
    if found.part and entity.count and entity.count > 1:
        return _split_off(entity, thing, score, context)
    actions: list[Action] = [_named_anew(entity, thing)]
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
    actions += [
        EditEntity(entity=entity.id, aspect=str(look.aspect), value="", replaces=look.text)
        for look in entity.looks
        if look.place == "before" or kind_of(thing.noun) is not kind_of_entity(entity)
    ]
    actions += _looks_of(entity, thing)
    if thing.position:
        actions.append(EditEntity(entity=entity.id, aspect="position", value=thing.position))
    if thing.doing:
        actions += _only_doing(entity, thing.doing, context.scene)
    return Candidate(tuple(actions), score, intent="replace")


def _lead_like(thing: NounPhrase, context: Context) -> Reference | None:
    """Return the lead that ``thing`` replaces: the one of its kind, or the only one."""
    leads = context.leads()
    kind = kind_of(thing.noun)
    same = [e for e in leads if kind_of_entity(e) is kind]
    if not same and kind is not EntityKind.OTHER:
        same = [e for e in context.scene.cast if kind_of_entity(e) is kind]
    same = same or list(leads)
    return Reference((same[0].id,), score=0.85) if len(same) == 1 else None


def _replace_words(old: str, new: str, score: float, context: Context) -> Candidate | None:
    """Replace ``old`` with ``new`` in the text of the prompt."""
    bare = re.sub(r"^(?:an?|the|his|her|its|their|all|that)\s+", "", old, flags=re.IGNORECASE)
    if not bare:
        return None
    pattern = re.compile(rf"(?<![\w-])(?:(an?|the)\s+)?{re.escape(bare)}(?![\w-])", re.IGNORECASE)
    for sentence in sentences(context.prompt):
        said = pattern.search(sentence)
        if said is not None:
            after = sentence[: said.start()] + with_article(new) + sentence[said.end() :]
            edit = RewriteSentence(before=sentence, after=after)
            return Candidate((edit,), score, intent="replace")
    if bare.lower() in words_of("misc", "pronouns"):
        return None
    if any(e.noun == named(new).noun for e in context.scene.cast):
        return Candidate(already=True, score=score)
    thing = replace(named(new), position=f"in place of {with_article(old)}")
    return Candidate((add_entity(thing, context, is_definite=False),), score, intent="replace")


def _only_doing(entity: Entity, doing: str, scene: Scene) -> list[Action]:
    own = scene.beats_of(entity.id)
    if not own:
        return [AddBeat(text=doing, actor=entity.id)]
    return [ChangeBeat(beat=own[0].id, text=doing), *(RemoveBeat(beat=b.id) for b in own[1:])]


def _split_off(
    entity: Entity, thing: NounPhrase, score: float, context: Context
) -> Candidate | None:
    """Turn one of several into something else: "turn one of them into a cat"."""
    left = (entity.count or 2) - 1
    actions: list[Action] = [counted(entity, left)]
    actions.append(add_entity(thing, context, is_definite=False))
    return Candidate(tuple(actions), score, intent="replace")


def _replace_in_text(
    found: Reference, thing: NounPhrase, score: float, context: Context
) -> Candidate | None:
    """Replace a thing that the prompt names, in the first sentence that names it."""
    pattern = re.compile(
        rf"(?<![\w-])(?:(an?|the)\s+)?{re.escape(found.noun)}(?![\w-])", re.IGNORECASE
    )
    for sentence in sentences(context.prompt):
        said = pattern.search(sentence)
        if said is None:
            continue
        new = " ".join([*(k.text for k in thing.looks if k.place == "before"), thing.phrase])
        fresh = with_article(new) if said[1] and not is_plural(thing.phrase.split()[-1]) else new
        rest = without_head(sentence, said.end(), new)[said.end() :]
        after = sentence[: said.start()] + fresh + rest
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


_PAIRED: Final = {
    "colour": "colour", "colours": "colour", "color": "colour", "colors": "colour",
    "material": "material", "materials": "material",
}  # fmt: skip


def _swap(clause: Clause, context: Context) -> Candidate | None:
    """Swap a look, the places or the roles of two entities."""
    what = re.sub(r"^(?:the|their|both)\s+", "", plain(clause.slot("what")).lower())
    first, second = _pair(clause, context)
    score = clause.sureness
    if first is None or second is None or first.id == second.id:
        return _have_swapped(clause)
    aspect = _PAIRED.get(what, "")
    if aspect:
        return _swapped_looks(first, second, aspect, score)
    worn = [
        next((k for k in e.looks if k.place == "after" and _shares(k.text, what)), None)
        for e in (first, second)
    ]
    if what and all(worn):
        one, other = (k for k in worn if k is not None)
        return Candidate(
            (
                EditEntity(entity=first.id, aspect=str(one.aspect), value=other.text, replaces=one.text),
                EditEntity(entity=second.id, aspect=str(other.aspect), value=one.text, replaces=other.text),
            ),
            score,
            intent="swap",
        )  # fmt: skip
    if what and what not in words_of("closed", "places"):
        return _have_swapped(clause)
    return _swapped_places(first, second, score, context)


def _have_swapped(clause: Clause) -> Candidate | None:
    """State the swap in a sentence, for two that the scene does not know well enough."""
    one, other, what = (plain(clause.slot(name)) for name in ("a", "b", "what"))
    if not one or not other or {one.lower(), other.lower()} & words_of("misc", "pronouns"):
        return None
    beat = AddBeat(text=f"{one} and {other} have swapped {what or 'places'}")
    return Candidate((beat,), clause.sureness, intent="swap")


def _shares(text: str, what: str) -> bool:
    return bool(
        {lemma(w, "NOUN") for w in text.lower().split()} & {lemma(w, "NOUN") for w in what.split()}
    )


def _swapped_looks(first: Entity, second: Entity, aspect: str, score: float) -> Candidate | None:
    one, other = first.look(Aspect(aspect)), second.look(Aspect(aspect))
    if not one and not other:
        return Candidate(help=f"Neither of them has a {aspect} to swap yet.", score=score)
    if aspect == "colour" and (is_person(first) or is_person(second)):
        return Candidate(help=NO_SKIN, score=score)
    return Candidate(
        (
            EditEntity(entity=first.id, aspect=aspect, value=other),
            EditEntity(entity=second.id, aspect=aspect, value=one),
        ),
        score,
        intent="swap",
    )


def _pair(clause: Clause, context: Context) -> tuple[Entity | None, Entity | None]:
    named_ones = [
        e
        for name in ("a", "b")
        if (said := plain(clause.slot(name)))
        for e in entities_of(refer(said, context), context)[:2]
    ]
    cast = context.scene.cast
    if len(named_ones) < 2 and clause.slot("a") and clause.slot("b"):
        return None, None
    if len(named_ones) < 2:
        placed = [e for e in cast if e.position]
        named_ones = placed if len(placed) == 2 else list(cast[:2])
    return (named_ones[0], named_ones[1]) if len(named_ones) >= 2 else (None, None)


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


def _swapped_places(
    first: Entity, second: Entity, score: float, context: Context
) -> Candidate | None:
    if first.position or second.position:
        return _swapped_positions(first, second, score)
    exchanged = _swapped_names(first, second, score)
    if exchanged is not None:
        return exchanged
    beats = [*context.scene.beats_of(first.id), *context.scene.beats_of(second.id)]
    actions = tuple(
        ChangeBeat(beat=b.id, actor=second.id if b.actor == first.id else first.id) for b in beats
    )
    return Candidate(actions, score, intent="swap") if actions else None


def _swapped_names(first: Entity, second: Entity, score: float) -> Candidate | None:
    """Swap the roles of two: each takes the other's name and lasting looks; states stay."""
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


WISHES: Final[Mapping[str, Wish]] = {"replace": _replace, "swap": _swap}
