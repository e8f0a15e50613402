"""Requests about who and what is seen: looks, kinds, numbers, positions, additions, removals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.actions.model import (
    Action,
    AddEntity,
    EditEntity,
    EditField,
    RemoveBeat,
    RemoveEntity,
)
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.clauses import NounPhrase, noun_phrase, verb_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.making import (
    add_entity,
    added_with_doing,
    article_for,
    kind_of,
    numeral_for,
)
from workbench.prompts.intents.references import Reference, is_person, is_singular, refer
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.scene_intents import stepped
from workbench.prompts.intents.slots import Filled, exact_terms, field_named
from workbench.prompts.intents.words import (
    NUMBERS,
    inflect,
    is_known,
    is_plural,
    lemma,
    place_named,
    subject_kind,
    with_article,
    word_list,
    words_of,
)
from workbench.scene import Aspect, Entity, EntityKind, Look, Scene

__all__ = ["INTENTS"]

_NO_SKIN: Final = (
    "People keep the colour that they have. Say what they wear instead, such as “a red jacket”."
)
_BODY: Final = frozenset({"skin", "face", "body"})
_SEASONS: Final = frozenset({"spring", "summer", "autumn", "fall", "winter"})


def _entities(found: Reference | None, context: Context) -> list[Entity]:
    if found is None:
        return []
    return [e for i in found.ids if (e := context.scene.entity(i)) is not None]


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
    return _looked(found, looks, match.score, context)


def _looked(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    if found.field:
        return _field_look(found, looks, score, context)
    if found.belonging:
        return _belonging_look(found, looks, score, context)
    actions: list[Action] = []
    for entity in _entities(found, context):
        if is_person(entity) and any(look.aspect is Aspect.COLOUR for look in looks):
            return Candidate(help=_NO_SKIN, score=score, intent="look")
        for look in map(_base, looks):
            text = look.text
            if any(own.text.lower() == text.lower() for own in entity.looks):
                continue
            actions.append(EditEntity(entity=entity.id, aspect=str(look.aspect), value=text))
    if not actions:
        return Candidate(already=True, score=score) if found.ids else None
    return Candidate(tuple(actions), score * (0.9 if found.part else 1.0), intent="look")


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
        return _field_change("setting", made, context, score)
    details = tuple(
        with_article(put(d)) if re.search(rf"\b{re.escape(head)}", d, re.IGNORECASE) else d
        for d in context.scene.details
    )
    return _field_change("details", details, context, score)


def _replaced_look(found: re.Match[str], looks: Sequence[Look], words: str) -> str:
    from workbench.prompts.intents.words import aspect_of  # noqa: PLC0415

    aspects = {look.aspect for look in looks}
    kept = [w for w in (found[2] or "").split() if aspect_of(w) not in aspects - {Aspect.OTHER}]
    lead = f"{found[1]} " if found[1] else ""
    return f"{lead}{' '.join([*kept, words, found[3]])}"


def _field_change(
    field: str, value: str | tuple[str, ...], context: Context, score: float
) -> Candidate | None:
    if value == getattr(context.scene, field):
        return Candidate(already=True, score=score)
    return Candidate((EditField(field=field, value=value),), score, intent="look")


def _belonging_look(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    owner = next(iter(_entities(found, context)), None)
    if owner is None:
        return None
    thing = found.belonging
    noun = lemma(thing.split()[-1], "NOUN")
    if is_person(owner) and noun in _BODY and any(k.aspect is Aspect.COLOUR for k in looks):
        return Candidate(help=_NO_SKIN, score=score)
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
    if exact_terms(match.text("look")):
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
    return _looked(Reference((target[0].id,)), looks, score, context)


def _retouch(match: Match, context: Context) -> Candidate | None:
    """Take "a red car" for the car that is there: its looks, and what it more nearly is."""
    thing: NounPhrase = match.value("thing")
    if thing.doing or (thing.position and not thing.looks):
        return None
    text = thing.phrase.lower()
    for entity in context.leads():
        worn = next(
            (k for k in entity.looks if re.search(rf"\b{re.escape(thing.noun)}\w*\b", k.text)), None
        )
        if worn is not None and thing.looks and worn.place == "after":
            found = Reference((entity.id,), belonging=thing.phrase)
            return _belonging_look(found, thing.looks, match.score, context)
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
                return _looked(Reference((entity.id,)), thing.looks, match.score * 0.9, context)
            return _looked(Reference((entity.id,)), thing.looks, match.score, context)
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
    if found.field:
        return _replace_in_field(found, thing, match.score, context)
    if found.belonging:
        return None
    entities = _entities(found, context)
    if not entities:
        return None
    text = match.text("thing").lower()
    if re.fullmatch(r"(?:an?|the)? ?\w+", text) and (
        exact_terms(text) or text.split()[-1] in _SEASONS
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
        if look.place == "before" or kind_of(thing.noun) is not _kind(entity)
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
    same = [e for e in leads if _kind(e) is kind] or list(leads)
    if len(same) != 1:
        return None
    slots = {**match.slots, "entity": Filled(Reference((same[0].id,)), 1.0, same[0].phrase)}
    return _replace(Match(match.rule, slots, match.groups, match.score), context)


def _kind(entity: Entity) -> EntityKind:
    return entity.kind if entity.kind is not EntityKind.OTHER else kind_of(entity.noun)


def _only_doing(entity: Entity, doing: str, scene: Scene) -> list[Action]:
    from workbench.actions.model import AddBeat, ChangeBeat  # noqa: PLC0415

    own = scene.beats_of(entity.id)
    if not own:
        return [AddBeat(text=doing, actor=entity.id)]
    return [ChangeBeat(beat=own[0].id, text=doing), *(RemoveBeat(beat=b.id) for b in own[1:])]


def _split_off(
    entity: Entity, thing: NounPhrase, score: float, context: Context
) -> Candidate | None:
    """Make one of several something else: "turn one of them into a cat"."""
    left = (entity.count or 2) - 1
    actions: list[Action] = [_counted(entity, left)]
    actions.append(add_entity(thing, context, is_definite=False))
    return Candidate(tuple(actions), score, intent="replace")


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
        return _field_change("setting", value, context, score)
    details = tuple(
        pattern.sub(with_article(new), d) if pattern.search(d) else d for d in scene.details
    )
    return _field_change("details", details, context, score)


def _swap_looks(match: Match, context: Context) -> Candidate | None:
    aspect = match.value("aspect")
    first, second = _pair(match, context)
    if first is None or second is None:
        return None
    if aspect == "position":
        return _swapped_positions(first, second, match.score)
    if aspect not in set(Aspect):
        return None
    one, other = first.look(Aspect(aspect)), second.look(Aspect(aspect))
    if not one and not other:
        return Candidate(help=f"Neither of them has a {aspect} to swap yet.", score=match.score)
    if aspect == "colour" and (is_person(first) or is_person(second)):
        return Candidate(help=_NO_SKIN, score=match.score)
    return Candidate(
        (
            EditEntity(entity=first.id, aspect=aspect, value=other),
            EditEntity(entity=second.id, aspect=aspect, value=one),
        ),
        match.score,
        intent="swap",
    )


def _pair(match: Match, context: Context) -> tuple[Entity | None, Entity | None]:
    named = [e for name in ("a", "b") for e in _entities(match.value(name), context)[:1]]
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
    beats = [*context.scene.beats_of(first.id), *context.scene.beats_of(second.id)]
    from workbench.actions.model import ChangeBeat  # noqa: PLC0415

    actions = tuple(
        ChangeBeat(beat=b.id, actor=second.id if b.actor == first.id else first.id) for b in beats
    )
    return Candidate(actions, match.score * 0.9, intent="swap") if actions else None


def _counted(entity: Entity, count: int) -> EditEntity:
    return EditEntity(
        entity=entity.id,
        aspect="count",
        value=count,
        determiner=article_for(entity.phrase) if count == 1 else numeral_for(count),
    )


def _count(match: Match, context: Context) -> Candidate | None:
    number: int = match.value("number")
    found: Reference | None = match.value("entity")
    if found is None:
        leads = [e for e in context.leads() if _countable(e)]
        spoken = [
            e for i in context.focus if (e := context.scene.entity(i)) is not None and _countable(e)
        ]
        targets = [e for e in leads if not is_singular(e)] or spoken[:1] or leads[:1]
    else:
        targets = [e for e in _entities(found, context) if _countable(e)]
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
    return Candidate((_counted(targets[0], number),), score, intent="count")


def _countable(entity: Entity) -> bool:
    head = entity.phrase.split(" of ")[0].split()[-1:] or [""]
    return head[0] not in word_list("mass") and entity.kind is not EntityKind.PHENOMENON


def _one_more(match: Match, context: Context) -> Candidate | None:
    found: Reference | None = match.value("entity")
    targets = _entities(found, context) if found else list(context.leads())[:1]
    if not targets or (found is not None and (found.belonging or found.score < 0.9)):
        return None
    if not _countable(targets[0]):
        return None
    return Candidate(
        (_counted(targets[0], (targets[0].count or 2) + 1),), match.score, intent="count"
    )


def _more(match: Match, context: Context) -> Candidate | None:
    what = match.text("any") or match.text("entity")
    if exact_terms(what) and not refer(what, context):
        return None
    found = match.value("entity") or refer(what, context)
    if found is not None and found.ids and not found.belonging:
        entity = _entities(found, context)[0]
        if _countable(entity) and found.score >= 0.85:
            determiner = "many"
            actions: tuple[Action, ...] = (
                EditEntity(entity=entity.id, aspect="count", value=None, determiner=determiner),
            )
            if is_singular(entity) and entity.count == 1:
                return Candidate((_counted(entity, 3),), match.score * 0.9, intent="count")
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
        entity = _entities(found, context)[0]
        if entity.count is not None and entity.count > 1:
            return Candidate((_counted(entity, entity.count - 1),), match.score, intent="count")
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


def _wear(match: Match, context: Context) -> Candidate | None:
    found: Reference | None = match.value("entity")
    thing: NounPhrase = match.value("clothing") or match.value("thing")
    words = set(thing.text.lower().split())
    said = match.slots.get("clothing") or match.slots["thing"]
    is_clothes = (
        bool(words & (word_list("clothing") - word_list("colors")))
        or thing.noun in word_list("clothing")
        or thing.noun in words_of("nouns", "belongings")
    )
    if not is_clothes:
        return None
    targets = (
        list(_entities(found, context))
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
            worn = next(
                (k for k in entity.looks if k.place == "after" and k.text.startswith("wearing")),
                None,
            )
            if worn is not None:
                actions.append(
                    EditEntity(
                        entity=entity.id,
                        aspect=str(worn.aspect),
                        value=f"{worn.text} and {piece}",
                        replaces=worn.text,
                    )
                )
            else:
                actions.append(
                    EditEntity(
                        entity=entity.id, aspect=str(Aspect.CLOTHING), value=f"wearing {piece}"
                    )
                )
    return Candidate(tuple(actions), match.score, intent="look")


def _have(match: Match, context: Context) -> Candidate | None:
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
    actions = []
    for entity in _entities(found, context):
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


def _add(match: Match, context: Context) -> Candidate | None:
    owner: Reference | None = match.value("entity")
    if owner is not None:
        return _have(match, context)
    things: tuple[NounPhrase, ...] = match.value("things")
    return _added(things, match.score, context, text=match.text("things"))


def _added(
    things: Sequence[NounPhrase], score: float, context: Context, *, text: str
) -> Candidate | None:
    actions: list[Action] = []
    for thing in things:
        if thing.noun in {"one", "thing", "something", "it"} or thing.noun in words_of(
            "misc", "unseen"
        ):
            return None
        is_definite = thing.determiner.lower() in {
            "the",
            "this",
            "that",
            "his",
            "her",
            "its",
            "their",
        }
        if is_definite and any(
            refer(f"{thing.determiner} {words}", context)
            for words in (thing.phrase, thing.phrase.split()[0])
        ):
            return None
        if thing.determiner.lower() in {"his", "her", "its"} and verb_phrase(thing.phrase):
            return None
        if thing.noun in _SEASONS or (
            _is_worn(thing) and refer(_place_of(thing.position), context)
        ):
            return None
        own = _same_as(thing, context)
        if (
            own is not None
            and not thing.position
            and not thing.doing
            and thing.determiner.lower() in NUMBERS
            and not thing.looks
        ):
            actions.append(_counted(own, (own.count or 1) + (thing.count or 1)))
            continue
        if own is not None and not thing.position and not thing.doing and not thing.looks:
            return Candidate(already=True, score=score * 0.9)
        action = add_entity(
            thing,
            context,
            is_definite=False,
            taken=len([a for a in actions if isinstance(a, AddEntity)]),
        )
        actions.append(action)
        actions += added_with_doing(thing, action)
    del text
    return Candidate(tuple(actions), score, intent="add") if actions else None


def _is_worn(thing: NounPhrase) -> bool:
    return bool(set(thing.phrase.lower().split()) & (word_list("clothing") - word_list("colors")))


def _place_of(position: str) -> str:
    return re.sub(r"^(?:on|in|around|over)\s+", "", position)


def _same_as(thing: NounPhrase, context: Context) -> Entity | None:
    return next(
        (
            e
            for e in context.scene.cast
            if e.noun == thing.noun and e.phrase.split()[-1:] == thing.phrase.split()[-1:]
        ),
        None,
    )


def _named(match: Match, context: Context) -> Candidate | None:
    """Take a bare noun phrase as a wish to see it."""
    things: tuple[NounPhrase, ...] = match.value("things")
    first = things[0]
    if any(refer(t.text, context) is not None and not (t.doing or t.position) for t in things):
        return None
    said = bool(first.determiner) or first.position or first.doing or len(things) > 1
    is_many = all(t.is_plural for t in things)
    factor = 1.0 if said else 0.9 if is_many else 0.8
    if (
        place_named(first.noun)
        and not (first.doing or first.position)
        and subject_kind(first.noun) is None
    ):
        factor *= 0.75
    if not context.leads() and first.doing:
        factor = 1.0
    return _added(things, match.score * factor, context, text=match.text("things"))


def _position(match: Match, _context: Context) -> Candidate | None:
    found: Reference = match.value("entity")
    if found.belonging or found.field or not found.ids:
        return None
    direction = match.groups.get("direction")
    where = match.value("where") or {
        "left": "on the left", "right": "on the right", "closer": "close to the camera",
        "back": "in the background", "forward": "in the foreground", "away": "far away",
        "up": "at the top", "down": "at the bottom",
    }.get(str(direction).lower(), "")  # fmt: skip
    if not where:
        return None
    if found.part:
        return Candidate(
            tuple(EditEntity(entity=i, aspect="position", value=f"{where}") for i in found.ids[:1]),
            match.score * 0.6,
        )
    actions = tuple(EditEntity(entity=i, aspect="position", value=where) for i in found.ids)
    return Candidate(actions, match.score, intent="position")


def _remove(match: Match, context: Context) -> Candidate | None:
    found: Reference | None = match.value("entity")
    what = match.text("entity") if found is not None else match.text("any")
    what = re.sub(r"^(?:any|all|the|of|that|those|these|some)\s+", "", what.strip())
    scene = context.scene
    if found is None:
        if re.search(r"\bcamera (?:movement|motion|shake)", what):
            return None
        said = exact_terms(what)
        held = [f for f, v in (said or {}).items() if getattr(scene, f) == v]
        if held:
            cleared = {"weather": "clear"}
            edits = tuple(EditField(field=f, value=cleared.get(f, "")) for f in held)
            return Candidate(edits, match.score, intent="remove")
        found = refer(what, context)
        if said and (found is None or not found.ids):
            return None
    if found is not None and (done := _removed(found, what, match.score, context)) is not None:
        return done
    parts = re.split(r"\s+(?:and|or|nor)\s+|\s*,\s*", what)
    if len(parts) > 1:
        return _remove_all(parts, match, context)
    return _barred(what, match.score, context)


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
        for entity in _entities(found, context):
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
    entities = _entities(found, context)
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
        return Candidate((_counted(entity, max(1, entity.count - gone)),), score, intent="remove")
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
    "look": _look,
    "look_not": _look,
    "look_bare": _look_bare,
    "belonging_look": _look,
    "retouch": _retouch,
    "wear": _wear,
    "have": _have,
    "replace": _replace,
    "replace_lead": _replace_lead,
    "swap_looks": _swap_looks,
    "swap_places": _swap_places,
    "count": _count,
    "one_more": _one_more,
    "more": _more,
    "fewer": _fewer,
    "remove": _remove,
    "add": _add,
    "named": _named,
    "position": _position,
}
