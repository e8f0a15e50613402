"""Intents on events: adding, replacing and stopping actions, manner, running in reverse."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    RemoveBeat,
    RewriteSentence,
)
from workbench.lexicon.words import sentences
from workbench.prompts.intents.beats import acted, verb_of
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.clauses import Event, NounPhrase, noun_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.guards import is_sound
from workbench.prompts.intents.making import add_entity, kind_of
from workbench.prompts.intents.references import Reference, is_person, is_singular, named_in, refer
from workbench.prompts.intents.removal_intents import removed
from workbench.prompts.intents.wording import deed, moment, named, plain, stated
from workbench.prompts.intents.words import lemma, words_of
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import Beat, EntityKind, When

__all__ = ["WISHES", "reversed_beats"]

_PARTICLE_IT: Final = re.compile(r"\b(it|them)\b", re.IGNORECASE)
_ANYBODY: Final = frozenset(
    ["someone", "somebody", "something", "nobody", "no one", "everything", "everyone", "everybody"]
)


def _event(clause: Clause, context: Context) -> Candidate | None:
    """Add an action by an entity of the cast or a new one."""
    doing = deed(clause.slot("act"))
    when, said = moment(clause.slot("when"))
    name, act = plain(clause.slot("actor")), plain(clause.slot("act"))
    words = act.split()
    if (
        not name
        and len(words) > 1
        and not words[0].endswith(("s", "ing"))
        and _is_there(words[0], context)
    ):
        name, doing = words[0], stated(" ".join(words[1:]))
    if not doing:
        return None
    if said:
        doing = f"{doing} {said}"
    if verb_of(doing) in {"smell", "taste", "stink"}:
        return None
    must = bool(re.search(r"\b(?:should be|is now|are now)\b", clause.text, re.IGNORECASE))
    event = Event("", doing, when, must=must and when is When.TOGETHER and not said)
    told = _told(name, event, clause.sureness, context)
    if told is None or not is_sound(told, clause.text, context):
        return _verbatim(name, clause, context)
    return told


_FIRST: Final = frozenset(["i", "we", "my", "us"])
_EYES: Final = re.compile(
    r"\b(?:first[ -]person|pov|point of view|ego|dashcam|cockpit|my|we|i|our|camera)\b",
    re.IGNORECASE,
)


def _verbatim(name: str, clause: Clause, context: Context) -> Candidate | None:
    """State an event in the user's words if a pronoun names its actor."""
    low = name.lower()
    spoken = low in _FIRST and _EYES.search(context.prompt)
    meant = low in {"he", "she"} and any(
        is_person(e) or not is_singular(e) for e in context.scene.cast
    )
    if not spoken and not meant:
        return None
    said = " ".join(filter(None, (name, plain(clause.slot("act")), plain(clause.slot("when")))))
    return Candidate((AddBeat(text=said),), clause.sureness, intent="event")


def _is_there(noun: str, context: Context) -> bool:
    return any(lemma(noun.lower(), "NOUN") == one.noun for one in context.scene.cast)


_NEW: Final = re.compile(
    r"(?:another|an? (?:second|third|new|different|extra|other)|one more|some other)\s",
    re.IGNORECASE,
)


def _told(name: str, event: Event, score: float, context: Context) -> Candidate | None:
    """Return the candidate for ``event`` by ``name``, or by the default actor."""
    if not name:
        actor = _actor_of(context)
        return acted(Reference((actor,)), event, score, context) if actor else None
    is_new = name.lower() in _ANYBODY or _NEW.match(name)
    found = None if is_new else refer(name, context)
    if found is None or found.score < 0.8 or found.field:
        return _newcomer_acts(name, event, score, context)
    if found.belonging:
        event = Event(name, event.doing, event.when)
        return _belonging_acts(found, event, score, context)
    return acted(found, event, score, context)


def _actor_of(context: Context) -> str:
    """Return the id of the default actor: the entity in focus, or the first lead."""
    spoken = [i for i in context.focus if context.scene.entity(i) is not None]
    return next(iter([*spoken, *(e.id for e in context.leads())]), "")


def _belonging_acts(
    found: Reference, event: Event, score: float, context: Context
) -> Candidate | None:
    owner = context.scene.entity(found.ids[0])
    if owner is None:
        return None
    thing = found.belonging
    noun = lemma(thing.split()[-1], "NOUN")
    determiner = _possessive(event.actor) or "the"
    added = AddEntity(
        phrase=thing,
        noun=noun,
        count=None if thing.endswith("s") and not thing.endswith("ss") else 1,
        determiner=determiner,
        entity_kind=EntityKind.BODY_PART,
        id=context.scene.next_entity_id(),
    )
    beat = AddBeat(text=event.doing, actor=added.id, targets=(owner.id,), when=event.when)
    return Candidate((added, beat), score * 0.97, intent="event")


def _possessive(actor: str) -> str:
    first = actor.split(maxsplit=1)[0].lower()
    if first in {"his", "her", "its", "their"}:
        return first
    owned = re.match(r"(.+?(?:'s|s'))\s", actor)
    return owned[1] if owned else ""


def _newcomer_acts(actor: str, event: Event, score: float, context: Context) -> Candidate | None:
    """Add a new entity and its action."""
    low = actor.lower()
    if (
        low in words_of("misc", "pronouns") - {"one"}
        or low in _FIRST | {"you"}
        or low
        in {
            "the other",
            "this one",
            "that one",
        }
    ):
        return None
    if low in _ANYBODY:
        added = AddEntity(
            phrase=low, noun=low, determiner="",
            entity_kind=EntityKind.PERSON if low in {"someone", "somebody"} else EntityKind.OTHER,
            id=context.scene.next_entity_id(),
        )  # fmt: skip
    else:
        thing = (
            noun_phrase(actor) or (_pair_of(actor) if " and " in actor else None) or named(actor)
        )
        added = add_entity(thing, context, is_definite=_is_definite(thing))
    doing = _with_names(event.doing, context)
    beat = AddBeat(text=doing, actor=added.id, targets=named_in(doing, context), when=event.when)
    return Candidate((added, beat), score, intent="event")


def _pair_of(actor: str) -> NounPhrase | None:
    """Return "hair and skirt" as one plural noun phrase."""
    first, *others = actor.split(" and ")
    one, other = noun_phrase(first), noun_phrase(others[-1]) if others else None
    if one is None or other is None:
        return None
    rest = " and ".join([one.text.removeprefix(one.determiner).strip(), *others])
    determiner = one.determiner or "the"
    return NounPhrase(actor, rest, other.noun, None, determiner)


def _is_definite(named: NounPhrase) -> bool:
    """Tell whether a bare noun takes "the": "tether snaps"."""
    kind = kind_of(named.noun)
    return kind not in {EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.VEHICLE, EntityKind.ROBOT}


def _with_names(doing: str, context: Context) -> str:
    """Return ``doing`` with "it" resolved, for a sentence with a new actor."""

    def name(found: re.Match[str]) -> str:
        meant = refer(found[1].lower(), context)
        entity = context.scene.entity(meant.ids[0]) if meant and meant.ids else None
        if entity is None or (found[1].lower() == "it") is not is_singular(entity):
            return found[0]
        return f"the {entity.phrase.split(' of ')[0]}"

    return _PARTICLE_IT.sub(name, doing, count=1)


def _instead(clause: Clause, context: Context) -> Candidate | None:
    """Replace an action with another."""
    doing, old = deed(clause.slot("act")), deed(clause.slot("old"))
    if not doing:
        return None
    name = plain(clause.slot("actor"))
    if not old and not re.search(r"\b(?:instead|rather|not|change)\b", clause.text, re.IGNORECASE):
        return _event(clause, context)
    beat = _beat_meant(name, old, context)
    if beat is not None:
        return Candidate((ChangeBeat(beat=beat.id, text=doing),), clause.sureness, intent="event")
    return _told(name, Event("", doing), clause.sureness, context)


def _beat_meant(name: str, doing: str, context: Context) -> Beat | None:
    """Return the beat of ``name`` that matches ``doing``, or its only one if ``doing`` is empty."""
    scene = context.scene
    found = refer(name, context) if name else None
    own: Sequence[Beat] = scene.beats
    if name and (found is None or not found.ids or found.part):
        return None
    if found is not None and found.ids:
        own = scene.beats_of(found.ids[0]) or [b for b in scene.beats if not b.actor]
    if doing:
        verb = verb_of(doing)
        same = [b for b in own if verb_of(b.text) == verb] or [
            b for b in own if verb in {lemma(w, "VERB") for w in b.text.lower().split()}
        ]
        shared = [b for b in own if _nouns(b.text) & _nouns(doing)]
        return next(iter([*same, *shared]), None)
    return own[0] if len(own) == 1 or (own and found is not None) else None


def _nouns(doing: str) -> set[str]:
    return {lemma(w, "NOUN") for w in re.findall(r"[\w'-]{4,}", doing.lower())[1:]}


_NEGATION: Final = re.compile(
    r"n't\b|\b(?:\w+nt|not|no|never|without|stops?|nobody|none|cut|lose|kill|out|quit|less|avoid|nothing|neither)\b",
    re.IGNORECASE,
)


def _stop(clause: Clause, context: Context) -> Candidate | None:
    """Remove an action."""
    if not _NEGATION.search(clause.text):
        return _event(clause, context)
    name = plain(clause.slot("actor"))
    doing = deed(clause.slot("act")).removeprefix("not ")
    score = clause.sureness
    beat = _beat_meant(name, doing, context)
    if beat is not None:
        return Candidate((RemoveBeat(beat=beat.id),), score, intent="remove")
    if not doing:
        return None
    if name.lower() in {"nobody", "no one", "none of them"}:
        return _told(name, Event("", doing), score, context)
    if name and doing.startswith("being "):
        return removed(name, score, context)
    gone = _without_words(name, doing, context)
    if gone is not None:
        return Candidate((gone,), score, intent="remove")
    return _told(name, Event("", f"not {doing}"), score, context)


def _without_words(name: str, doing: str, context: Context) -> Action | None:
    """Return the edit that removes the short sentence on this action, or None."""
    del name
    verb = verb_of(doing)
    for sentence in sentences(context.prompt)[1:]:
        words = [w.lower() for w in re.findall(r"[\w'-]+", sentence)]
        if len(words) < 12 and verb in {lemma(w, "VERB") for w in words}:
            return RewriteSentence(before=sentence, after="")
    return None


def _how(clause: Clause, context: Context) -> Candidate | None:
    """Set the manner of an action."""
    name, act, value = (
        plain(clause.slot("actor")),
        deed(clause.slot("act")),
        plain(clause.slot("value")),
    )
    is_meant = name or act or len(value.split()) < 4
    if not value or not is_meant or value.lower().startswith("too "):
        return None
    beat = _beat_meant(name, act, context)
    score = clause.sureness
    if beat is not None:
        text = _with_manner(beat.text, value)
        return Candidate((ChangeBeat(beat=beat.id, text=text),), score, intent="event")
    if act:
        return _told(name, Event("", f"{act} {value}"), score, context)
    if not name:
        return None
    return _told(name, Event("", f"moving {value}"), score, context)


_MANNERS: Final = frozenset(
    ["slowly", "quickly", "fast", "faster", "slower", "gently", "calmly", "happily", "carefully", "quietly", "loudly"]
)  # fmt: skip


def _with_manner(doing: str, value: str) -> str:
    """Return ``doing`` with its manner replaced by ``value``."""
    words = [w for w in doing.split() if w.lower().strip(",") not in _MANNERS] or doing.split()
    if value.lower().endswith("ly") and " " not in value:
        return (
            " ".join([words[0], *words[1:], value]) if len(words) < 5 else " ".join([value, *words])
        )
    return f"{' '.join(words)} {value}"


def reversed_beats(score: float, context: Context) -> Candidate:
    """Reverse the action: every beat runs "in reverse"."""
    beats = context.scene.beats
    if not beats:
        return Candidate(help="Nothing happens yet that could run backwards.", score=score)
    actions = tuple(
        ChangeBeat(
            beat=beat.id,
            text=beat.text.removesuffix(" in reverse")
            if beat.text.endswith(" in reverse")
            else f"{beat.text} in reverse",
        )
        for beat in beats
    )
    return Candidate(actions, score, intent="event")


WISHES: Final[Mapping[str, Wish]] = {
    "event": _event,
    "instead": _instead,
    "stop": _stop,
    "how": _how,
}
