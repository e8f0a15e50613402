"""Intents on looks: colours, materials, states, clothes, parts and belongings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.actions.model import (
    Action,
    AddBeat,
    EditEntity,
    RewriteSentence,
)
from workbench.lexicon.words import sentences
from workbench.prompts.intents.beats import acted
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.clauses import Event, NounPhrase, noun_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.entities import NO_SKIN, entities_of, field_change
from workbench.prompts.intents.making import add_entity, article_for, kind_of
from workbench.prompts.intents.references import Reference, is_person, refer
from workbench.prompts.intents.wording import deed, looks_said, named, plain, stated
from workbench.prompts.intents.words import (
    aspect_of,
    determiners,
    is_verb,
    lemma,
    noun_in_text,
    with_article,
    word_list,
    words_of,
)
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import Aspect, Entity, EntityKind, Look

__all__ = ["WISHES", "belonging_look", "described", "looked", "reworded", "sentence_about"]


_BODY: Final = frozenset({"skin", "face", "body"})


def sentence_about(thing: NounPhrase, doing: str, context: Context) -> tuple[Action, ...]:
    """Return the actions that add ``thing``, which the prompt implies, and make it do ``doing``."""
    added = add_entity(thing, context, is_definite=True)
    if added.determiner.lower() in {"a", "an"} and thing.determiner == "":
        added = added.model_copy(update={"determiner": "the"})
    return added, AddBeat(text=doing, actor=added.id)


def _base(look: Look) -> Look:
    """Return the look with its adjective in the base form: "bigger" → "big"."""
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


def looked(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Return the candidate that gives ``looks`` to what ``found`` refers to."""
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
            text, replaced = _worn_with(entity, look)
            if any(own.text.lower() == text.lower() for own in entity.looks):
                continue
            if replaced:
                edit = EditEntity(
                    entity=entity.id, aspect=str(look.aspect), value=text, replaces=replaced
                )
                actions.append(edit)
                continue
            actions.append(EditEntity(entity=entity.id, aspect=str(look.aspect), value=text))
    if not actions:
        return Candidate(already=True, score=score) if found.ids else None
    return Candidate(tuple(actions), score * (0.9 if found.part else 1.0), intent="look")


def _worn_with(entity: Entity, look: Look) -> tuple[str, str]:
    """Return a look merged with current clothing, and the look that it replaces."""
    now = next((k.text for k in entity.looks if k.text.startswith("wearing")), "")
    if not now or not look.text.startswith("wearing "):
        return look.text, ""
    noun = lemma(re.split(r"\s(?:with|in|of)\s", look.text)[0].split()[-1], "NOUN")
    if re.search(rf"\b{re.escape(noun)}\w*\b", now):
        return look.text, now
    return f"{now} and {look.text.removeprefix('wearing ')}", now


def _part_looks(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Describe one of several in its own sentence: "The left arm is white."."""
    entity = next(iter(entities_of(found, context)), None)
    if entity is None:
        return None
    if is_person(entity) and any(look.aspect is Aspect.COLOUR for look in looks):
        return Candidate(help=NO_SKIN, score=score)
    said = " and ".join(look.text for look in looks)
    text = said if said.startswith(("wearing", "holding", "carrying")) else f"being {said}"
    text = re.sub(r"^being with\b", "having", text)
    action = AddBeat(text=text, actor=entity.id, part=found.part)
    return Candidate((action,), score, intent="event")


def _mentioned_look(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Describe a thing that the prompt names but that is not in the cast."""
    noun = lemma(found.noun, "NOUN")
    if kind_of(noun) is EntityKind.PERSON and any(k.aspect is Aspect.COLOUR for k in looks):
        return Candidate(help=NO_SKIN, score=score)
    words = " ".join(_base(look).text for look in looks if look.place == "before")
    after = " ".join(look.text for look in looks if look.place == "after")
    pattern = re.compile(
        rf"\b(?:(an?|the|his|her|its|their|two|three|some)\s+)?((?:(?!(?:and|with|in|on|of|to|at|by|from)\b)[\w'-]+\s+){{0,2}}?)({re.escape(found.noun)})(?![\w-])",
        re.IGNORECASE,
    )  # fmt: skip
    for sentence in sentences(context.prompt):
        said = pattern.search(sentence)
        if said is None:
            continue
        put = _replaced_look(said, looks, words) if words else said[0]
        put = re.sub(r"^an?\s+(.*)", lambda m: with_article(m[1]), put, flags=re.IGNORECASE)
        put = f"{put} {after}".strip()
        fresh = (
            sentence[: said.start()]
            + (put[:1].upper() + put[1:] if said.start() == 0 else put)
            + sentence[said.end() :]
        )
        return Candidate((RewriteSentence(before=sentence, after=fresh),), score, intent="look")
    return None


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
    aspects = {look.aspect for look in looks}
    kept = [w for w in (found[2] or "").split() if aspect_of(w) not in aspects - {Aspect.OTHER}]
    lead = f"{found[1]} " if found[1] else ""
    return f"{lead}{' '.join([*kept, words, found[3]])}"


def belonging_look(
    found: Reference, looks: Sequence[Look], score: float, context: Context
) -> Candidate | None:
    """Return the candidate for the look of a part or belonging of an entity: "with grey hair"."""
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
    """Change the colour within a look: "wearing a blue dress" → "… a red dress"."""
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


def look(clause: Clause, context: Context) -> Candidate | None:
    """Give looks to the entity that the clause names, or to the one in focus."""
    value, name = clause.slot("value"), plain(clause.slot("entity"))
    score = clause.sureness
    if not value:
        thing = named(name)
        value = " and ".join(k.text for k in thing.looks if k.place == "before")
        name = f"the {thing.phrase}"
        if not value and aspect_of(plain(clause.slot("entity"))) is not None:
            value, name = plain(clause.slot("entity")), ""
        if not value:
            return None
    if re.search(r"\b(?:stays?|remains?|keeps?|still)\b", clause.text) and noun_in_text(
        value, context.prompt
    ):
        return Candidate(already=True, score=score)
    if clause.slot("old"):
        done = reworded(clause.slot("old"), value, name, context, score)
        if done is not None:
            return done
    value = _with_verb(value, clause.text)
    found = refer(name, context) if name else _spoken_of(context)
    if found is None or found.score < 0.8:
        return _stated_of(name, value, context, score)
    owner = next(iter(entities_of(found, context)), None)
    before = clause.text[: max(0, clause.text.find(value))].rstrip().lower()
    if owner is not None and is_person(owner) and before.endswith(" in"):
        value = f"in {value}"
    looks = looks_said(
        value,
        is_person=owner is not None and is_person(owner),
        is_given=bool(re.search(r"\b(?:give|hand|lend|gets?)\b", clause.text, re.IGNORECASE)),
    )
    if looks and found.field == "setting" and any(one.place == "after" for one in looks):
        return _stated_of(name, value, context, score)
    if looks and not (found.belonging and any(one.place == "after" for one in looks)):
        done = looked(found, looks, score, context)
        if done is not None:
            return done
    if owner is None or found.belonging:
        return _stated_of(name, value, context, score)
    if (told := _acts(value, clause, found, context)) is not None:
        return told
    doing = stated(value)
    if not doing:
        return None
    if is_person(owner) and aspect_of(doing.removeprefix("being ")) is Aspect.COLOUR:
        return Candidate(help=NO_SKIN, score=score)
    beat = AddBeat(text=doing, actor=owner.id, part=found.part)
    return Candidate((beat,), score, intent="look")


def _acts(value: str, clause: Clause, found: Reference, context: Context) -> Candidate | None:
    """Read "have the dog sleep", "she should be singing" as an action."""
    first = value.split(maxsplit=1)[0].lower()
    is_bare = bool(re.match(r"(?:please )?(?:make|have|let|get)\b", clause.text, re.IGNORECASE))
    is_acting = first.endswith("ing") and first not in word_list("not_acting")
    if not is_verb(first) or not (
        is_acting or (is_bare and aspect_of(first) in {None, Aspect.OTHER})
    ):
        return None
    event = Event("", deed(value), must=bool(re.search(r"\bshould be\b|\bis\b", clause.text)))
    return acted(found, event, clause.sureness, context)


_LEADING_VERB: Final = re.compile(
    r"\b(?P<verb>needs?|wears?|wearing|has|have|had|got|holds?|holding|carries|carrying)\s+$",
    re.IGNORECASE,
)


def _with_verb(value: str, text: str) -> str:
    """Return the value with the verb before it: "wears", "holds"."""
    found = _LEADING_VERB.search(text[: max(0, text.find(value))])
    if found is None:
        return value
    verb = "has" if found["verb"].lower().startswith("need") else found["verb"]
    return f"{verb} {value}"


def described(text: str, context: Context) -> Candidate | None:
    """Read a bare "white fox" as looks of the fox in the cast."""
    thing = noun_phrase(plain(text))
    if thing is None or not thing.looks or thing.position or thing.doing:
        return None
    same = [e for e in context.scene.cast if e.noun and e.noun == thing.noun]
    if len(same) != 1 or thing.determiner.lower() not in {"", "a", "an", "the"}:
        return None
    return looked(Reference((same[0].id,)), thing.looks, 0.92, context)


def _spoken_of(context: Context) -> Reference | None:
    """Return the default target of a clause: the entity in focus, or the only lead."""
    spoken = [i for i in context.focus if context.scene.entity(i) is not None]
    leads = [one.id for one in context.leads()]
    chosen = spoken[:1] or (leads if len(leads) == 1 else [])
    return Reference((chosen[0],), score=0.85) if chosen else None


def _stated_of(name: str, value: str, context: Context, score: float) -> Candidate | None:
    """Describe something that is not in the cast in its own sentence."""
    if not name or name.lower() in words_of("misc", "pronouns"):
        return None
    thing, doing = named(name), stated(value)
    if not doing:
        return None
    if kind_of(thing.noun) is EntityKind.PERSON and aspect_of(plain(value)) is Aspect.COLOUR:
        return Candidate(help=NO_SKIN, score=score)
    return Candidate(sentence_about(thing, doing, context), score, intent="look")


def reworded(old: str, new: str, name: str, context: Context, score: float) -> Candidate | None:
    """Replace ``old`` with ``new`` in the sentence of the prompt that says it of ``name``."""
    bare = re.sub(r"^(?:an?|the|so|too|very)\s+", "", plain(old), flags=re.IGNORECASE)
    fresh = re.sub(r"^(?:be|to be|more|in)\s+", "", plain(new), flags=re.IGNORECASE)
    pattern = re.compile(rf"\b(?:(an?)\s+)?{re.escape(bare)}(?![\w-])", re.IGNORECASE)
    heads = {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", name.lower())} - determiners()
    if not bare or aspect_of(fresh.split()[-1]) is None or len(fresh.split()) > 3:
        return None
    for sentence in sentences(context.prompt):
        said = pattern.search(sentence)
        if said is None:
            continue
        near = re.findall(r"[\w'-]+", sentence[said.start() :].lower())[: 3 + len(bare.split())]
        if heads and not heads & {lemma(w, "NOUN") for w in near}:
            continue
        rest = sentence[said.end() :]
        words = f"{article_for(fresh)} {fresh}" if said[1] else fresh
        after = sentence[: said.start()] + words + rest
        after = after[:1].upper() + after[1:] if sentence[:1].isupper() else after
        return Candidate((RewriteSentence(before=sentence, after=after),), score, intent="look")
    return None


WISHES: Final[Mapping[str, Wish]] = {"look": look}
