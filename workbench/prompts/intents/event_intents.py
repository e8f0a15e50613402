"""Requests about what happens: events, acting, stopping, doing something else, running backwards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    EditField,
    RemoveBeat,
)
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.clauses import Event, NounPhrase, noun_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.making import add_entity, kind_of
from workbench.prompts.intents.references import Reference, is_person, is_singular, named_in, refer
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.slots import exact_terms
from workbench.prompts.intents.words import aspect_of, determiners, is_known, lemma, words_of
from workbench.scene import Aspect, Beat, EntityKind, When

__all__ = ["INTENTS"]

_PARTICLE_IT: Final = re.compile(r"\b(it|them)\b", re.IGNORECASE)
_UNSEEN: Final = frozenset({"smell", "taste", "stink"})
_NO_SENSE: Final = "A video shows neither smell nor taste. Say what is seen of it instead, such as steam that rises."
_ANYBODY: Final = frozenset({"someone", "somebody", "something", "nobody", "no one", "everything"})
_CAMERA: Final = re.compile(
    r"(?:the )?(?:camera|shot|frame|scene|view|image|video|clip)\b", re.IGNORECASE
)


def _event(match: Match, context: Context) -> Candidate | None:
    event: Event = match.value("event")
    if _CAMERA.match(event.actor) or _verb(event.actor) in words_of("misc", "unseen"):
        return None
    if _is_state_wish(event):
        return None
    if _verb(event.doing) in {"wear", "have"} or _verb(event.actor) in {
        "client",
        "customer",
        "boss",
    }:
        return None
    if _verb(event.doing) in _UNSEEN:
        return Candidate(help=_NO_SENSE, score=match.score)
    actor = event.actor.strip()
    low = actor.lower()
    found = None if low in _ANYBODY else refer(actor, context)
    if found is not None and found.ids and not found.belonging and not found.field:
        return _acted(found, event, match.score, context)
    if found is not None and found.belonging:
        return _belonging_acts(found, event, match.score, context)
    return _newcomer_acts(actor, event, match.score, context)


def _is_state_wish(event: Event) -> bool:
    """Tell whether the event only says weather or time: "it is raining", "night falls"."""
    whole = f"{event.actor} {event.doing}".lower()
    if event.actor.lower() in {"it", "sun", "the sun", "night", "rain", "snow", "fog"}:
        return exact_terms(event.doing) is not None or exact_terms(whole) is not None
    return False


def _acted(found: Reference, event: Event, score: float, context: Context) -> Candidate | None:
    """Somebody of the cast does something."""
    scene = context.scene
    entity = scene.entity(found.ids[0])
    if entity is None:
        return None
    doing = event.doing
    if ", " in doing or re.search(r"\band (?:he|she|it|they|the|a|an|one) ", doing):
        score *= 0.86
    own = scene.beats_of(entity.id)
    if not own and entity.is_lead and len(context.leads()) == 1:
        own = tuple(b for b in scene.beats if not b.actor)
    if any(b.text.lower() == doing.lower() for b in own):
        return Candidate(already=True, score=score)
    targets = tuple(i for i in named_in(doing, context) if i != entity.id)
    replaced = _replaced_by(doing, own) if not found.part and event.when is When.TOGETHER else None
    if event.must and len(own) == 1 and not found.part:
        replaced = own[0]
    if replaced is not None:
        return Candidate((ChangeBeat(beat=replaced.id, text=doing),), score, intent="event")
    actors = found.ids if len(found.ids) > 1 and not found.part else found.ids[:1]
    beats = tuple(
        AddBeat(text=doing, actor=one, targets=targets, when=event.when, part=found.part)
        for one in actors
    )
    return Candidate(beats, score, intent="event")


def _replaced_by(doing: str, own: Sequence[Beat]) -> Beat | None:
    """Return the beat that cannot go on beside ``doing``: who sleeps does not run."""
    verb = _verb(doing)
    if verb not in words_of("verbs", "exclusive"):
        return None
    group = {
        "eat",
        "drink",
        "cook",
        "read",
        "sing",
        "paint",
        "work",
        "play",
        "fight",
        "argue",
        "talk",
    }
    for beat in own:
        now = _verb(beat.text)
        if now == verb or (
            now in words_of("verbs", "exclusive") and (now in group) == (verb in group)
        ):
            return beat
    return None


def _verb(doing: str) -> str:
    words = [w for w in doing.lower().split() if not w.endswith("ly")]
    return lemma(words[0], "VERB") if words else ""


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
    """Somebody or something that was not there does something."""
    if actor.lower() in {"it", "he", "she", "they", "one", "the other", "this one", "that one"}:
        return None
    actions: list[Action] = []
    if actor.lower() in _ANYBODY:
        added = AddEntity(
            phrase=actor.lower(), noun=actor.lower(), determiner="",
            entity_kind=EntityKind.PERSON if actor.lower() in {"someone", "somebody"} else EntityKind.OTHER,
            id=context.scene.next_entity_id(),
        )  # fmt: skip
    else:
        named = noun_phrase(actor)
        if named is None and " and " in actor:
            named = _pair_of(actor)
        if named is None:
            return None
        if exact_terms(actor) and not named.determiner and kind_of(named.noun) is EntityKind.OTHER:
            score *= 0.95
        added = add_entity(named, context, is_definite=_is_definite(named))
    doing = _with_names(event.doing, context)
    if ", " in doing or re.search(r"\band (?:he|she|it|they|the|a|an|one) ", doing):
        score *= 0.86
    actions = [
        added,
        AddBeat(
            text=doing,
            actor=added.id,
            targets=named_in(doing, context),
            when=event.when,
        ),
    ]
    factor = 1.0 if context.scene.cast or context.scene.setting else 0.97
    return Candidate(tuple(actions), score * factor, intent="event")


def _pair_of(actor: str) -> NounPhrase | None:
    """Return "hair and skirt" as one noun phrase in the plural."""
    first, *others = actor.split(" and ")
    one, other = noun_phrase(first), noun_phrase(others[-1]) if others else None
    if one is None or other is None:
        return None
    rest = " and ".join([one.text.removeprefix(one.determiner).strip(), *others])
    determiner = one.determiner or "the"
    return NounPhrase(actor, rest, other.noun, None, determiner)


def _is_definite(named: NounPhrase) -> bool:
    """Tell whether a bare noun means the one that everybody expects: "tether snaps"."""
    kind = kind_of(named.noun)
    return kind not in {EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.VEHICLE, EntityKind.ROBOT}


def _with_names(doing: str, context: Context) -> str:
    """Return ``doing`` with "it" as the thing that is meant, for a sentence with a new actor."""

    def name(found: re.Match[str]) -> str:
        meant = refer(found[1].lower(), context)
        entity = context.scene.entity(meant.ids[0]) if meant and meant.ids else None
        if entity is None or (found[1].lower() == "it") is not is_singular(entity):
            return found[0]
        return f"the {entity.phrase.split(' of ')[0]}"

    return _PARTICLE_IT.sub(name, doing, count=1)


def _act(match: Match, context: Context) -> Candidate | None:
    found: Reference = match.value("entity")
    if not found.ids or found.belonging or found.field:
        return None
    if (
        _verb(match.value("doing")) in {"look", "feel", "seem", "appear"}
        and len(match.text("doing").split()) < 3
    ):
        return None
    if (said := exact_terms(match.value("doing"))) is not None:
        return _as_term(said, match.score, context)
    if _verb(match.value("doing")) in _UNSEEN:
        return Candidate(help=_NO_SENSE, score=match.score)
    event = Event("", match.value("doing"))
    return _acted(found, event, match.score, context)


def _as_term(said: Mapping[str, str], score: float, context: Context) -> Candidate:
    """Take "make it pour" for the weather that it says."""
    actions = tuple(
        EditField(field=f, value=v) for f, v in said.items() if getattr(context.scene, f) != v
    )
    return Candidate(actions, score, already=not actions, intent="term")


_ADDRESSED: Final = (["it"], ["this"], ["that"], ["me"], ["us"], ["you"], ["them"])
"""Objects after which a bare verb speaks to the tool: "love it", "show me"."""


def _do(match: Match, context: Context) -> Candidate | None:
    """Take a bare verb phrase as what the lead does."""
    doing: str = match.value("doing")
    words = match.text("doing").lower().split()
    is_bare = not words[0].endswith("ing")
    is_told = is_bare and words[0] != lemma(words[0], "VERB")
    if is_bare and (_verb(doing) in words_of("verbs", "commands") or words[1:2] in _ADDRESSED):
        return None
    if is_bare and (
        exact_terms(" ".join(words[1:])) or (len(words) == 1 and words[0].endswith("s"))
    ):
        return None
    if (said := exact_terms(doing)) is not None:
        return _as_term(said, match.score, context)
    leads = context.leads()
    spoken = [e for i in context.focus[:1] if (e := context.scene.entity(i)) is not None]
    actors = [e for e in leads if kind_of(e.noun) in _LIVELY or e.kind in _LIVELY] or list(leads)
    if spoken and (kind_of(spoken[0].noun) in _LIVELY):
        actors = spoken
    if not actors:
        return None
    if is_told and spoken:
        actors = spoken
    ids = tuple(e.id for e in actors)
    is_lively = kind_of(actors[0].noun) in _LIVELY or actors[0].kind in _LIVELY
    score = match.score * (1.0 if is_lively or is_told else 0.8)
    part = context.part if spoken and actors == spoken else ""
    return _acted(Reference(ids, part=part), Event("", doing), score, context)


_LIVELY: Final = frozenset(
    {EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.ROBOT, EntityKind.VEHICLE, EntityKind.CROWD}
)


_ALSO_DONE: Final = frozenset(
    [
        "go",
        "take",
        "bring",
        "turn",
        "stop",
        "hold",
        "look",
        "move",
        "open",
        "close",
        "play",
        "start",
        "drop",
        "put",
        "throw",
    ]
)
"""Commands that somebody in the scene may carry out as well."""


def _state(match: Match, context: Context) -> Candidate | None:
    """Take "he is left handed" as it is said: the safe way for what no other rule reads."""
    found: Reference = match.value("entity")
    said: str = match.value("any")
    words = said.lower().split()
    if not found.ids or found.belonging or len(words) > 7 or "," in said:
        return None
    if words[0] in determiners() | {"not", "there", "it"} or not all(is_known(w) for w in words):
        return None
    entity = context.scene.entity(found.ids[0])
    if entity is None or (is_person(entity) and any(aspect_of(w) is Aspect.COLOUR for w in words)):
        return None
    beat = AddBeat(text=f"being {said}", actor=entity.id, part=found.part)
    return Candidate((beat,), match.score, intent="event")


def _do_instead(match: Match, context: Context) -> Candidate | None:
    doing = match.value("doing")
    event: Event | None = match.value("event")
    if doing is None and event is not None:
        doing = event.doing
    if doing is None or _verb(doing) in words_of("verbs", "commands") - _ALSO_DONE:
        return None
    old: str | None = match.value("old")
    found: Reference | None = match.value("entity") or (
        refer(event.actor, context) if event else None
    )
    beats = context.scene.beats
    if found is not None and found.ids:
        own = context.scene.beats_of(found.ids[0]) or beats
    else:
        own = beats
    if old is not None:
        same = [b for b in own if _verb(b.text) == _verb(old)]
        if not same:
            return None
        own = tuple(same)
    if not own:
        actor = found.ids[0] if found and found.ids else next((e.id for e in context.leads()), "")
        return Candidate((AddBeat(text=doing, actor=actor),), match.score * 0.95, intent="event")
    return Candidate((ChangeBeat(beat=own[0].id, text=doing),), match.score, intent="event")


def _stop_doing(match: Match, context: Context) -> Candidate | None:
    doing: str = match.value("doing")
    found: Reference | None = match.value("entity")
    own = context.scene.beats
    if found is not None and found.ids:
        own = tuple(b for b in own if b.actor in {*found.ids, ""})
    same = [b for b in own if _verb(b.text) == _verb(doing)]
    if not same:
        return None
    return Candidate(tuple(RemoveBeat(beat=b.id) for b in same), match.score, intent="remove")


def _reverse(match: Match, context: Context) -> Candidate | None:
    """Run what happens backwards: each beat "in reverse", and the beats from last to first."""
    beats = context.scene.beats
    if not beats:
        return Candidate(help="Nothing happens yet that could run backwards.", score=match.score)
    actions: list[Action] = []
    for beat in beats:
        text = beat.text.removesuffix(" in reverse")
        if text != beat.text:
            actions.append(ChangeBeat(beat=beat.id, text=text))
        else:
            actions.append(ChangeBeat(beat=beat.id, text=f"{text} in reverse"))
    return Candidate(tuple(actions), match.score, intent="event")


INTENTS: Final[Mapping[str, Intent]] = {
    "event": _event,
    "act": _act,
    "do": _do,
    "do_instead": _do_instead,
    "state": _state,
    "stop_doing": _stop_doing,
    "reverse": _reverse,
}
