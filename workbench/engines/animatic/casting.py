"""Casts a scene: the figure of each entity, its action in each moment, and its place.

Reports what has no figure. Knows nothing of drawing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from workbench.engines.animatic.appearance import appearance_of, is_look, stated_colour
from workbench.engines.animatic.arrangement import set_back
from workbench.engines.animatic.lettering import lettered
from workbench.engines.animatic.naming import Noun, named_in
from workbench.engines.animatic.places import find_backdrop, place_of
from workbench.engines.animatic.roles import (
    SHOWN_OTHERWISE,
    is_filming,
    is_modifier,
    is_part,
    is_robotics,
    is_shown_otherwise,
    is_worn_by_another,
)
from workbench.engines.animatic.script import Actor, Place
from workbench.engines.animatic.tables import figures, gaits, held, lexicon
from workbench.lexicon.terms import subject_kind
from workbench.scene import Beat, Entity, EntityKind, Scene

__all__ = ["Casting", "cast_scene", "form_of"]

_LARGE: Final = 0.5
"""Minimum height of a merely mentioned thing that is placed in the background."""
_MOST_KINDS: Final = 6
_HUMAN_GAITS: Final = frozenset({"work", "dance", "pedal", "ride", "drive", "pour"})
_AT_REST: Final = frozenset({"sit", "lie", "sleep", "rest", "stand"})
_HANDLES: Final = frozenset({"pour", "eat", "work"})
"""Gaits that handle a thing, whatever the preposition."""
_HOLDS: Final = re.compile(r"\b(?:holding|carrying|with|playing|clutching|waving|pulling) (.+)")
_ON: Final = re.compile(r"\b(?:on|in|inside|aboard|atop|astride)\b")
_APART: Final = re.compile(
    r"\b(?:under|beside|near|past|across|behind|along|towards?|through|around|by|from|over|against"
    r"|outside|before|at|among|between|beneath|above|below|off)\b"
)
"""Words before a thing that is passed by or beside the actor, not held."""
_RIDERS: Final = frozenset({"rider", "cowboy", "knight", "jockey", "cyclist", "biker"})
_DRUNK: Final = frozenset({"cup", "glass", "bottle"})
_MOUNTS: Final = frozenset(
    {"horse", "elephant", "camel", "zebra", "cow", "bicycle", "motorcycle", "skateboard", "boat",
     "canoe", "deer"}
)  # fmt: skip
_MOUNTED: Final = frozenset({"ride", "pedal", "gallop", "drive", "sit", "sail", "swim", "jump"})
_RIDES: Final = frozenset({"ride", "pedal", "gallop", "drive", "sail"})
"""Gaits that imply riding a mount."""
_OWN_MOTIONS: Final = frozenset({"drape", "pop", "wisp", "flicker"})
"""Motions of a drawing that no action replaces."""
_NEAR: Final = 3
_WHERE: Final = frozenset(
    [
        "into",
        "in",
        "onto",
        "on",
        "to",
        "from",
        "at",
        "over",
        "with",
        "off",
        "under",
        "out",
        "through",
    ]
)
_LASTING: Final = frozenset({"tip", "shrink", "grow", "rise", "fall"})
"""Gaits whose end state lasts until another action."""
_TRANSITIVE: Final = re.compile(
    r"\b(?:drop|lift|roll|tip|knock|push|throw|spin|slid|swing|shak|turn|grow|fill|mov)\w*"
    r" (?:an?|the|one|two|its|his|her|it|them) ?"
)
"""Transitive verbs: what drops a can does not fall itself."""
_LIQUIDS: Final = frozenset({"water", "ink", "paint"})
"""Liquids, which the place or a vessel shows unless the scene is about them."""
_UNHELD: Final = frozenset(
    {"door", "window", "curtain", "bookshelf", "stairs", "elevator", "locker"}
)
_SOME: Final = 3
"""Number of figures for a plural without a number."""
_SOMEBODY: Final = {"man": "man", "woman": "woman", "person": "person"}
"""Kind of a noun → the default figure."""


@dataclass(frozen=True, slots=True)
class Casting:
    """The actors of a scene."""

    actors: tuple[Actor, ...]
    moments: int
    not_drawn: tuple[str, ...]


@dataclass
class _Part:
    """An entity's noun with a figure, and its action in each moment."""

    entity: Entity
    base: Actor
    actions: list[tuple[str, tuple[Noun, ...]]] = field(default_factory=list)
    """For each moment the action, and the figures of its objects."""


def cast_scene(scene: Scene) -> Casting:
    """Return the actors of ``scene``, leads first."""
    groups = scene.moments() or ((),)
    entities = sorted(scene.cast, key=lambda entity: not entity.is_lead)
    parts: list[_Part] = []
    lost: list[Entity] = []
    for entity in entities:
        if is_worn_by_another(entity, scene):
            continue
        if is_filming(entity, scene) or entity.phrase.lower().startswith("ego "):
            continue
        if entity.noun in _LIQUIDS and not entity.is_lead:
            continue
        nouns = _nouns(entity, alone=len(entities) == 1)
        if entity.noun == "arm" and is_robotics(scene):
            nouns = [Noun("robotarm", entity.phrase, 1, None, 0)]
        if not nouns and not is_shown_otherwise(entity):
            lost.append(entity)
        parts += [_Part(entity, _base(entity, noun)) for noun in nouns if _is_new(noun, parts)]
    if not parts:
        parts, lost = _without_figure(scene, lost)
    for part in parts:
        part.actions = list(_actions(part, parts, groups))
    parts = _seated(parts, scene)
    leads = {part.base.figure for part in parts if part.entity.is_lead}
    performed = _with_ground(_performed(parts, groups)[:_MOST_KINDS])
    actors = lettered(set_back(performed, leads), scene)
    names = (entity.phrase or entity.noun for entity in lost)
    return Casting(actors, len(groups), tuple(dict.fromkeys(names)))


def form_of(actor: Actor) -> str:
    """Return the form in which the figure of ``actor`` is drawn."""
    return str(figures()[actor.figure]["form"])


def _nouns(entity: Entity, *, alone: bool) -> list[Noun]:
    """Return the figures in an entity's name; a lead may name several."""
    if entity.kind in {EntityKind.BODY_PART, EntityKind.TEXT} or is_part(entity):
        return []
    if not entity.is_lead and entity.noun in lexicon()["body"]["owned"]:
        return []
    may_be_a_trade = entity.kind is EntityKind.PERSON or (entity.kind is EntityKind.OTHER and alone)
    found = named_in(entity.name, trades=may_be_a_trade)
    if entity.is_lead and len(found) > 1 and not entity.noun:
        return found
    owned = lexicon()["body"]["owned"] if not entity.is_lead else ()
    found = [n for n in found if n.words not in owned and not is_modifier(n, entity)]
    if not found and (figure := _SOMEBODY.get(subject_kind(entity.noun) or "")):
        # A trade or relation without a figure of its own is still a person.
        numbers = lexicon()["numbers"]
        named = next((numbers[w] for w in entity.phrase.lower().split() if w in numbers), _SOME)
        count = entity.count or named
        return [Noun(figure, entity.phrase, max(1, min(count, _MOST_KINDS)), None, 0)]
    heads = [noun for noun in found if entity.noun and entity.noun in noun.words.split()]
    return found if entity.is_lead else heads[:1] or found[-1:]


def _with_ground(actors: list[Actor]) -> list[Actor]:
    """Return ``actors`` and the thing that one of them is on, unless another entity names it."""
    known = {actor.figure for actor in actors}
    under = {actor.place.upon for actor in actors} - known - {""}
    things = [key for key in sorted(under) if _is_plain_thing(key)]
    return [*actors, *(Actor(key, key) for key in things)]


def _is_new(noun: Noun, parts: Sequence[_Part]) -> bool:
    return all(noun.key != p.base.figure or noun.words != p.base.words for p in parts)


def _base(entity: Entity, noun: Noun) -> Actor:
    said = ", ".join(filter(None, (entity.name, entity.details)))
    colour = noun.colour or stated_colour(entity, noun.key)
    actor = Actor(noun.key, noun.words, noun.count, colour=colour, place=place_of(entity))
    if form_of(actor) != "person":
        return actor
    look = appearance_of(said)
    # A garment's colour is not the person's.
    actor = replace(actor, look=look, colour=None if look else colour)
    if not entity.details or not (held := _HOLDS.search(said)):
        return actor
    things = [
        n
        for n in _named_in_action(held[1])
        if figures()[n.key]["form"] == "drawing" and not is_look(n.words)
    ]
    return _holding(actor, things[0]) if things else actor


def _without_figure(scene: Scene, lost: list[Entity]) -> tuple[list[_Part], list[Entity]]:
    """Return the actors when no entity has a figure: those named by the action, or a card."""
    lead = next((entity for entity in scene.cast if entity.is_lead), None)
    if lead is None or not lead.phrase or find_backdrop(lead.name):
        return [], lost
    doing = _named_in_action(" ".join(beat.text for beat in scene.beats))
    if is_part(lead):
        return [_Part(lead, _base(lead, noun)) for noun in doing[:2]], lost
    if lead.kind in SHOWN_OTHERWISE:
        return [], lost
    if doing:
        return [_Part(lead, _base(lead, doing[0]))], lost
    return [_Part(lead, Actor("card", lead.name))], lost


def _actions(
    part: _Part, parts: Sequence[_Part], groups: Sequence[Sequence[Beat]]
) -> Iterator[tuple[str, tuple[Noun, ...]]]:
    """Yield the action of ``part`` in each moment; a lead without an action joins the first."""
    first = parts[0].entity
    beats = [[b for b in group if (b.actor or first.id) == part.entity.id] for group in groups]
    if not any(beats) and part.entity.is_lead:
        beats = [[b for b in group if (b.actor or first.id) == first.id] for group in groups]
    for group in beats:
        text = " and ".join(beat.text for beat in group)
        targets = {name for beat in group for name in beat.targets}
        aimed = tuple(
            Noun(p.base.figure, p.base.words, p.base.count, p.base.colour, 0)
            for p in parts
            if p.entity.id in targets and p is not part
        )
        known = {noun.key for noun in aimed}
        others = (noun for noun in _named_in_action(text) if noun.key not in known)
        yield text, (*aimed, *others)


def _named_in_action(text: str) -> list[Noun]:
    return [n for n in named_in(text) if n.words not in lexicon()["idle"]["nouns"]]


def _seated(parts: list[_Part], scene: Scene) -> list[_Part]:
    """Seat riders by a stated ride, by their trade, or by being on something."""
    spoken = scene.subject.lower()
    mounts = [p for p in parts if p.base.figure in _MOUNTS and p.entity.is_lead]
    people = [p for p in parts if form_of(p.base) == "person"]
    boardable = [p for p in parts if p.base.figure in _MOUNTS]
    on = any(
        re.search(rf"\bon (?:\w+ ){{1,2}}{re.escape(mount.base.words)}", spoken) for mount in mounts
    )
    rides = _gait(scene.action) in {"ride", "pedal"}
    riders = [p for p in people if on or rides or p.base.words in _RIDERS]
    seats = [p for p in people if p.base.place.upon in {m.base.figure for m in boardable}]
    if seats:
        mounts = [m for m in boardable if m.base.figure == seats[0].base.place.upon]
        riders = seats[:1]
    if not mounts or not riders:
        return parts
    mount, rider = mounts[0], riders[0]
    mount.base = replace(mount.base, rider=rider.base.figure, rider_look=rider.base.look)
    if not any(text for text, _ in mount.actions):
        mount.actions = rider.actions
    return [mount, *(p for p in parts if p is not mount and p is not rider)]


def _is_reached(text: str, words: str) -> bool:
    """Tell whether ``text`` names a thing as a goal or place: "dropped into a jar"."""
    before = text.lower().partition(words)[0].split()[-_NEAR:]
    return bool(_WHERE & set(before))


def _undergone(part: _Part, group: Sequence[Beat]) -> str:
    """Return the gait of a thing that is acted on: a knocked vase tips over."""
    done = [beat.text for beat in group if part.entity.id in beat.targets]
    done = [text for text in done if not _is_reached(text, part.base.words)]
    gaits_done = (_gait(text, "done_gaits") for text in done)
    return next((gait for gait in gaits_done if gait), "")


def _performed(parts: Sequence[_Part], groups: Sequence[Sequence[Beat]]) -> list[Actor]:
    """Return the actor of each part through all moments, and their accessories."""
    actors: list[Actor] = []
    company: list[Actor] = []
    used: set[str] = set()
    for part in parts:
        states: list[Actor] = []
        for (text, doing), group in zip(part.actions, groups, strict=True):
            if not text and _is_plain_thing(part.base.figure) and (gait := _undergone(part, group)):
                states.append(replace(part.base, gait=gait))
                continue
            if states and states[-1].gait in _LASTING and not _gait(text, "thing_gaits"):
                states.append(states[-1])
                continue
            if not text and states:
                states.append(states[-1])
                continue
            state, beside = _acting(part.base, text, doing)
            taken = {state.prop, state.figure} - {part.base.figure}
            used.update(noun.key for noun in doing if noun.key in taken)
            company += beside
            states.append(state)
        later = tuple(states[1:]) if any(state != states[0] for state in states) else ()
        actors.append(replace(states[0], later=later))
    kept = [
        actor
        for actor, part in zip(actors, parts, strict=True)
        if part.entity.is_lead or part.base.figure not in used
    ]
    shared: set[str] = set()
    for at, actor in enumerate(kept):
        # A prop that stands on the ground is shared: only the first actor keeps it.
        if actor.prop and held().get(actor.prop, (0, 1, 0))[1] == 0:
            kept[at] = replace(actor, prop="") if actor.prop in shared else actor
            shared.add(actor.prop)
    known = {actor.figure for actor in kept} | used | {part.base.figure for part in parts}
    for actor in company:
        if actor.figure not in known and len(kept) < _MOST_KINDS:
            known.add(actor.figure)
            kept.append(actor)
    return kept


def _acting(base: Actor, text: str, doing: Sequence[Noun]) -> tuple[Actor, list[Actor]]:
    """Return ``base`` doing what ``text`` says, and other things beside it.

    Seats riders and puts held things into hands.
    """
    gait = _gait(text)
    lead = replace(base, gait=_suited(base.figure, gait))
    if _is_plain_thing(base.figure) and gait != "pour":
        keeps = figures()[base.figure]["look"].get("motion") in _OWN_MOTIONS
        keeps = keeps or bool(_TRANSITIVE.search(text))
        lead = replace(lead, gait="" if keeps else _gait(text, "thing_gaits"))
        if lead.gait == "rise" and "food" in figures()[base.figure].get("tags", ()):
            # Bread does not float.
            lead = replace(lead, gait="grow")
        lead = replace(lead, gait=lead.gait or "rest")
    if form_of(lead) == "person" and (face := _face_in(text)):
        lead = replace(lead, look=tuple(sorted({**dict(lead.look), **face}.items())))
    if form_of(lead) == "quadruped" and gait in _AT_REST and (below := _lain_on(text, doing)):
        return replace(lead, place=Place(upon=below)), []
    if gait == "pour" and doing and "spout" in figures()[base.figure]["look"]:
        return replace(lead, place=Place(upon=doing[0].key)), []
    own = lexicon()["comes_with"].get(base.words)
    if own and not base.rider and gait in {"", "ride", "pedal", "gallop", "run", "drive", "go"}:
        mount = Actor(own, own, gait=_suited(own, gait or "drive"), rider=base.figure)
        return replace(mount, rider_look=base.look, place=base.place), []
    if form_of(lead) == "arm":
        return _with_load(lead, doing)
    if form_of(lead) == "person" and gait == "fly" and doing:
        # A person who flies a kite stays on the ground.
        lead = replace(lead, gait="stand")
    own_prop = lexicon()["trade_props"].get(base.words.split()[-1]) if base.words else None
    if own_prop and form_of(lead) == "person" and not lead.prop and not doing:
        lead = replace(lead, prop=own_prop)
    doing = sorted(doing, key=lambda noun: not (noun.key in _MOUNTS and _is_upon(text, noun)))
    plays = bool(re.search(r"\bplay", text.lower())) and not doing
    beside: list[Actor] = []
    for noun in doing[:1]:
        spec = figures()[noun.key]
        can_mount = form_of(lead) in {"person", "quadruped"} and not lead.rider
        if noun.key in _MOUNTS and can_mount and _mounts(text, gait, spec):
            mount_gait = {"ride": "run"}.get(gait, gait)
            mount = Actor(noun.key, noun.words, 1, _suited(noun.key, mount_gait), noun.colour)
            is_animal = form_of(lead) != "person"
            mount = replace(mount, rider=lead.figure, rider_look=lead.look)
            return replace(mount, upright=is_animal, place=lead.place), []
        if noun.key == lead.figure:
            continue
        is_thing = spec["form"] == "drawing" and "kind" not in spec and noun.key not in _UNHELD
        if form_of(lead) == "person" and is_look(noun.words) and _is_worn(text, noun):
            continue
        is_apart = gait not in _HANDLES and _is_apart(text, noun)
        if is_thing and _can_hold(lead, gait, noun.key) and not is_apart:
            lead = _holding(lead, noun)
        else:
            suited = _suited(noun.key, "")
            beside.append(Actor(noun.key, noun.words, min(noun.count, 2), suited, noun.colour))
    beside += [
        Actor(n.key, n.words, 1, _suited(n.key, ""), n.colour, place=Place(depth="behind"))
        for n in doing[1:3]
        if n.key != lead.figure and float(figures()[n.key]["size"]) >= _LARGE
    ]
    if gait == "work" and form_of(lead) == "quadruped" and plays and not lead.prop:
        # A playing animal runs about; it stands up only to hold something.
        lead = replace(lead, gait=_suited(lead.figure, "run"))
    elif form_of(lead) == "quadruped" and gait in _HUMAN_GAITS and not lead.rider:
        lead = replace(lead, upright=True, gait=gait)
    return lead, beside


def _face_in(text: str) -> dict[str, Any]:
    """Return the facial expression of an action: laughing, crying."""
    return {key: value for key, value in appearance_of(text) if key in {"mouth", "tears", "eyes"}}


def _lain_on(text: str, doing: Sequence[Noun]) -> str:
    """Return the figure on which ``text`` says someone rests; "" if none."""
    for noun in doing:
        is_thing = figures()[noun.key]["form"] == "drawing"
        if is_thing and re.search(
            rf"\b(?:on|atop|onto) (?:\w+ ){{0,2}}{re.escape(noun.words)}", text
        ):
            return noun.key
    return ""


def _is_upon(text: str, noun: Noun) -> bool:
    """Tell whether ``text`` puts its actor on ``noun``."""
    return bool(re.search(rf"\b(?:on|in|atop|aboard) (?:\w+ ){{0,2}}{re.escape(noun.words)}", text))


def _mounts(text: str, gait: str, mount: Mapping[str, Any]) -> bool:
    """Tell whether ``text`` puts its actor on the figure of ``mount``."""
    is_on = bool(_ON.search(text)) and gait in {*_MOUNTED, ""}
    return is_on or gait in _RIDES or (gait == "swim" and mount.get("kind") == "vessel")


def _is_apart(text: str, noun: Noun) -> bool:
    """Tell whether ``noun`` follows a word that excludes holding it."""
    before = text.lower().partition(noun.words)[0].split()[-4:]
    return bool(_APART.search(" ".join(before)))


def _is_worn(text: str, noun: Noun) -> bool:
    """Tell whether ``text`` names a garment as worn: "in a fur hat", not "folding a shirt"."""
    before = text.lower().partition(noun.words)[0].split()[-4:]
    return bool({"with", "in", "wearing", "wears"} & set(before))


def _with_load(arm: Actor, doing: Sequence[Noun]) -> tuple[Actor, list[Actor]]:
    """Return a robot arm with its load; it always has one."""
    things = [n for n in doing if figures()[n.key]["form"] == "drawing"]
    load = things[0] if things else Noun("cube", "cube", 1, None, 0)
    beside = [Actor(n.key, n.words, 1, "rest", n.colour) for n in things[1:2]]
    return replace(arm, prop=load.key, prop_colour=load.colour), beside


def _holding(actor: Actor, noun: Noun) -> Actor:
    """Return ``actor`` with the thing in its hand; an animal stands up to hold one."""
    stands_up = form_of(actor) not in {"person", "arm"}
    return replace(actor, prop=noun.key, prop_colour=noun.colour, upright=stands_up)


def _can_hold(actor: Actor, gait: str, thing: str) -> bool:
    if form_of(actor) in {"person", "arm"}:
        return True
    if form_of(actor) != "quadruped":
        return False
    return gait in {"work", "sit", "dance", "wave"} or (gait == "eat" and thing in _DRUNK)


def _is_plain_thing(figure: str) -> bool:
    """Tell whether a figure is a thing without gaits of its own."""
    spec = figures()[figure]
    return spec["form"] == "drawing" and spec.get("kind") not in gaits()


def _gait(action: str, table: str = "gaits") -> str:
    """Return the gait of the first known verb; "" if there is none."""
    spoken = re.sub(r"[^a-z0-9é]+", " ", action.lower()).strip()
    best: tuple[int, int, str] | None = None
    for gait, stems in lexicon()[table].items():
        for stem in stems:
            match = re.search(rf"\b{re.escape(stem)}", spoken)
            if match:
                rank = (match.start(), -len(stem), gait)
                best = rank if best is None or rank < best else best
    return best[2] if best else ""


def _suited(key: str, gait: str) -> str:
    """Return the variant of ``gait`` for this figure, or its default."""
    spec = figures()[key]
    form = spec.get("kind") if spec.get("kind") in gaits() else spec["form"]
    table = gaits().get(form, {})
    if form == "bird" and gait in {"", "run", "gallop", "throw", "jump"}:
        return str(spec.get("gait", "fly")) if not spec["look"].get("ground") else "walk"
    if form == "bird" and gait == "fly":
        return str(spec.get("gait", "fly")) if not spec["look"].get("ground") else "fly"
    if gait in table:
        return gait
    fallback = {
        "vessel": "sail",
        "aircraft": "fly",
        "insect": "fly",
        "car": "drive",
        "vehicle": "drive",
    }
    if gait == "go":
        gait = next((one for one in ("walk", "drive") if one in table), "")
        if gait:
            return gait
    if not gait or form in fallback:
        return str(
            spec.get("gait") or fallback.get(str(form)) or ("stand" if form == "person" else "rest")
        )
    return "walk" if "walk" in table and gait in {"run", "trot"} else "rest"
