"""A director's ideas for a scene: which apply, what each changes, and its wording."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import lemma, lemmas
from workbench.lexicon.tagging import verb_classes
from workbench.lexicon.terms import Place, subject_kind
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.facts import (
    LIVELY,
    Focus,
    facts_of,
    is_many,
    kind_seen,
    name_of,
    possessive,
    verb_of,
)
from workbench.prompts.composer.sayings import saying, time_phrase
from workbench.scene import Entity, EntityKind, Origin, Scene, terms

__all__ = ["AXES", "PREPOSITIONS", "Idea", "fields_of_axes", "ideas_for", "why_not"]

AXES: Final = {
    "camera": ("camera_movement", "shot_size", "camera_angle", "lens"),
    "moment": ("camera_movement", "shot_size", "pace"),
    "light": ("lighting", "time_of_day"),
    "time": ("time_of_day", "weather", "lighting"),
    "mood": ("mood", "lighting", "lens", "camera_movement", "camera_angle", "pace"),
    "style": ("style", "color_palette"),
    "palette": ("color_palette",),
    "pace": ("pace", "camera_movement"),
    "setting": ("setting",),
}
"""The axes of variation, and the fields that each may change."""
_BY_ITSELF: Final = ("camera", "moment", "light", "setting", "time", "pace")
"""The axes used when none is named; the look stays as it is."""
_NIGHT: Final = frozenset({"night", "midnight", "dusk", "evening", "blue hour"})
_WET: Final = frozenset(
    {"rain", "drizzle", "heavy rain", "thunderstorm", "snow", "fog", "blizzard", "hail"}
)
_SPECIAL: Final = 2
_AFTER_CAMERA: Final = frozenset({"light", "setting"})
_CAMERA: Final = frozenset({"camera_movement", "camera_angle", "shot_size"})
_AIRLESS: Final = frozenset({"underwater", "space", "planet"})
_HELD: Final = frozenset({EntityKind.OBJECT, EntityKind.FOOD, EntityKind.PLANT, EntityKind.VEHICLE})
_HANDED: Final = frozenset(
    {EntityKind.PERSON, EntityKind.ROBOT, EntityKind.BODY_PART, EntityKind.CROWD}
)
_ROOMS: Final = frozenset({"kitchen", "home", "cafe", "work"})
_GROUNDED: Final = frozenset({"street", "city", "road", "lot", "garden", "pier"})
PREPOSITIONS: Final = r"(?:in|on|at|off|between|inside|through|along|across|by|over|down|up|into|onto|outside|near|above|below|among)"


_FEW: Final = frozenset({"two", "three", "four"})
_FREE: Final = frozenset(
    {"time-lapse", "timelapse", "hyperlapse", "cut", "cuts", "static", "filmed"}
)
"""Filming words that do not fix the camera position."""
_SLOT: Final = re.compile(r"\{([\w']+)")
_FILLED: Final = re.compile(r"\{([\w']+)(:cap)?\}")


@dataclass(frozen=True, slots=True)
class Idea:
    """One idea, applied to a scene."""

    name: str
    axis: str
    values: Mapping[str, str]
    lead: str
    """Words to put before the user's own, without a comma; may be empty."""
    say: tuple[str, ...]
    place: str = ""
    """The phrase for another place, with its preposition; may be empty."""
    asks: int = 0
    """How specific its conditions are; the more specific idea ranks first."""


def fields_of_axes(axes: Collection[str]) -> tuple[str, ...]:
    """Return the fields that the named axes and fields cover, without repeats."""
    named = axes or tuple(AXES)
    return tuple(dict.fromkeys(field for name in named for field in AXES.get(name, (name,))))


def ideas_for(
    scene: Scene, axes: Collection[str], hold: Collection[str], rng: random.Random
) -> list[Idea]:
    """Return the ideas that suit ``scene``, the most diverse first.

    ``axes`` names axes or fields; without any, what the user said or edited is unchanged.
    """
    wanted = _axes_of(axes)
    free = set(fields_of_axes(axes))
    found: list[Idea] = []
    facts = frozenset(_facts(scene))
    for entry in load("ideas")["idea"]:
        if entry["axis"] in wanted and _suits(entry.get("needs", ""), facts):
            idea = _filled(entry, scene)
            if idea is not None and _may(idea, scene, axes, hold, free):
                found.append(idea)
    if "setting" in wanted and _may_move(scene, axes, hold):
        found += _places(scene)
    rng.shuffle(found)
    found.sort(key=lambda idea: -min(idea.asks, _SPECIAL))
    reserve = _terms(axes) if axes else _reserve(scene)
    plain = [idea for idea in reserve if _may(idea, scene, axes, hold, free)]
    rng.shuffle(plain)
    found = list(_spread(found, wanted))
    firsts = {_kind(idea): idea for idea in reversed(found)}.values()
    return [*(i for i in found if i in firsts), *(i for i in found if i not in firsts), *plain]


def _reserve(scene: Scene) -> Iterator[Idea]:
    """Yield plain terms for unset fields, for a scene with too few ideas."""
    said = _said(scene)
    pace = ("pace",) if scene.beats and not said & _known("paces") else ()
    fields = (*pace, *(() if said & english("camera_words") else ("lens",)))
    plain: list[str] = load("ideas")["plain"]["terms"]
    yield from (idea for idea in _terms(fields) if set(idea.values.values()) <= set(plain))


def _kind(idea: Idea) -> tuple[str, ...]:
    """Return the key by which ideas are alike: the same light, the same camera position."""
    values = idea.values
    if idea.axis in {"light", "time"}:
        return "light", values.get("time_of_day", ""), values.get("weather", "")
    if idea.axis == "camera":
        return idea.axis, values.get("camera_angle", ""), values.get("lens", "")
    return (idea.axis, values.get("pace", ""))


def _terms(axes: Collection[str]) -> Iterator[Idea]:
    """Yield the established terms of the named axes; a requested axis needs no evidence."""
    for axis in axes:
        field = axis if axis not in AXES else AXES[axis][0]
        for term in terms(field):
            lead = time_phrase(term) if field == "time_of_day" else ""
            say = () if lead else (saying(field, term),)
            yield Idea(term.capitalize(), axis, {field: term}, lead.capitalize(), say)


def _axes_of(axes: Collection[str]) -> tuple[str, ...]:
    if not axes:
        return _BY_ITSELF
    by_field = [a for f in axes if f not in AXES for a, fields in AXES.items() if f in fields]
    return tuple(dict.fromkeys([*(axis for axis in axes if axis in AXES), *by_field]))


def _may(
    idea: Idea, scene: Scene, axes: Collection[str], hold: Collection[str], free: set[str]
) -> bool:
    """Tell whether the idea changes something, and only what may change."""
    users = {Origin.SAID, Origin.EDITED}
    changed = [name for name, value in idea.values.items() if getattr(scene, name) != value]
    if not changed or any(scene.is_locked(name) or name in hold for name in changed):
        return False
    if axes and any(name not in free for name in changed):
        return False
    if not axes and any(scene.origin(name) in users for name in changed):
        return False
    is_lit = idea.axis in {"light", "time"} and not axes
    if is_lit and _said(scene) & english("light_words"):
        return False
    return (
        not (_CAMERA & set(changed)) or bool(axes and not scene.viewpoint) or not _is_fixed(scene)
    )


def _is_fixed(scene: Scene) -> bool:
    """Tell whether the user has fixed the camera position, so that no idea may move it."""
    said = {Origin.SAID, Origin.EDITED, Origin.LOCKED}
    held = any(scene.origin(name) in said and getattr(scene, name) for name in _CAMERA)
    return bool(scene.viewpoint) or held or bool(_said(scene) & (english("camera_words") - _FREE))


def _said(scene: Scene) -> frozenset[str]:
    """Return the words of a scene, and its word pairs, that come from the user."""
    inferred = (n for n in (*_CAMERA, "lens", "lighting") if scene.origin(n) is Origin.INFERRED)
    return _words_without(scene, tuple(inferred))


@lru_cache(maxsize=64)  # equal scenes may differ in provenance, so the fields are part of the key
def _words_without(scene: Scene, fields: tuple[str, ...]) -> frozenset[str]:
    bare = scene.edit(dict.fromkeys(fields, ""), force=True) if fields else scene
    return frozenset(facts_of(bare).words)


def _may_move(scene: Scene, axes: Collection[str], hold: Collection[str]) -> bool:
    if scene.is_locked("setting") or "setting" in hold:
        return False
    return bool(axes) or (not scene.setting and len(scene.cast) < 3 and len(scene.beats) < 3)


def _spread(found: list[Idea], wanted: Collection[str]) -> Iterator[Idea]:
    """Yield the ideas so that the axes alternate, the camera twice as often as the others."""
    turns = {axis: [idea for idea in found if idea.axis == axis] for axis in wanted}
    while any(turns.values()):
        for axis, ideas in turns.items():
            yield from ideas[:1]
            del ideas[:1]
            if axis != "camera" and (more := turns.get("camera")) and axis in _AFTER_CAMERA:
                yield more.pop(0)


def why_not(axis: str, scene: Scene, hold: Collection[str]) -> str:
    """Return why ``axis`` cannot vary in ``scene``, as a message."""
    fields = AXES.get(axis, (axis,))
    locked = [name for name in fields if scene.is_locked(name) or name in hold]
    if locked:
        held = ", ".join(name.replace("_", " ") for name in locked)
        return f"{axis} cannot vary: {held} is locked."
    if scene.viewpoint and _CAMERA & set(fields):
        return f"{axis} cannot vary: the {scene.viewpoint} fixes the camera."
    return f"{axis} cannot vary: nothing in the scene gives a reason for another {axis}."


# Facts ------------------------------------------------------------------------------------------


def _facts(scene: Scene) -> Iterator[str]:
    """Yield the facts of the scene, named as the ideas' conditions name them."""
    lead = next((e for e in scene.cast if e.is_lead), None)
    facts = facts_of(scene)
    place = facts.place
    is_place = lead is not None and lead.noun and re.search(rf"\b{lead.noun}\b", scene.setting)
    if is_place and place is not None and place.sky == "none" and place.kind not in _AIRLESS:
        place = Place(place.kind, place.prep, "open")  # a house is seen from outside
    verbs = facts.known("verbs", Focus())
    classes = {verb[1:] for verb in verbs if verb.startswith("@")}
    targets = [e for beat in scene.beats for t in beat.targets if (e := scene.entity(t))]
    cues = {
        cue
        for cue, words in load("ideas")["cues"].items()
        if set(words.split()) & facts.words.keys()
    }
    kinds = {e.kind for e in scene.cast}
    own = _own_classes(scene, lead)
    is_crowded = (
        EntityKind.CROWD in kinds or sum(e.kind is EntityKind.PERSON for e in scene.cast) > 1
    )
    yield from cues - {"inside"} - (set() if is_crowded else {"party"})
    roams = lead is not None and (
        lead.kind in {EntityKind.ANIMAL, EntityKind.VEHICLE}
        or (lead.kind in LIVELY and "travel" in classes and "handle" not in classes)
    )
    roams = roams and subject_kind(lead.noun if lead else "") != "aquatic"
    is_out = place.sky == "open" if place is not None else roams and "inside" not in cues
    if lead is not None:
        yield from _facts_of_lead(lead)
    yield from classes & {"travel", "physics"}
    if "handle" in classes and _held(scene) and lead is not None and lead.kind in _HANDED:
        yield "handle"
    yield from (fact for fact, holds in (
        ("two", lead is not None and _partner(scene, lead) is not None),
        ("several", lead is not None and _partner(scene, lead) is not None),
        ("beats", bool(scene.beats)),
        ("moments", len(scene.moments()) > 1),
        ("fast", bool(classes & {"travel", "physics", "fight", "dance"})),
        ("process", bool({"melt", "grow", "bloom", "rot", "rust", "bud", "build", "freeze", "wilt"}
                         & verbs.keys())),
        ("placed", place is not None),
        ("alive", lead is not None and lead.kind in LIVELY and lead.kind != EntityKind.ROBOT),
        ("goes", "travel" in own and lead is not None and lead.kind in {*LIVELY, EntityKind.VEHICLE}),
        ("room", place is not None and place.kind in _ROOMS and place.sky == "none"),
        ("cabin", place is not None and place.kind == "vehicle" and not _known("boats") & facts.words.keys()),
        ("indoor", place is not None and place.sky == "none" and place.kind not in _AIRLESS),
        ("outdoor", is_out), ("open", is_out and (place is not None or "travel" in classes)),
        ("theatre", place is not None and place.kind == "stage"),
        ("rides", _rides(scene, lead, classes)),
        ("road", lead is not None and subject_kind(lead.noun) == "vehicle"
         and lead.noun not in _known("rails")),
        ("bound", lead is not None and _partner(scene, lead) in targets),
        ("kitchen", place is not None and place.kind == "kitchen"),
        ("face", "face" in own), ("moving", bool(classes & {"travel", "physics", "handle", "fight"})),
        ("impact", _strikes(scene)),
        ("chain", "physics" in classes and len(scene.beats) > 1
         and bool(_known("chains") & facts.words.keys())),
        ("airless", place is not None and place.kind in _AIRLESS),
        ("street", place is not None and place.kind in {"street", "city", "lot"}),
        ("ground", place is not None and place.kind in _GROUNDED),
        ("landscape", not scene.beats and place is not None and place.sky == "open"),
        ("any", True),
        ("night", scene.time_of_day in _NIGHT),
        ("wet", scene.weather in _WET),
        ("ego", scene.viewpoint == "ego view"), ("fixed", _is_fixed(scene)),
        ("thing", EntityKind.FOOD in kinds and not LIVELY & kinds),
        ("glassy", lead is not None and lead.noun in _known("glassy")),
        ("abstract", place is None and kinds <= {EntityKind.OTHER} and not scene.beats),
        (scene.viewpoint.replace(" ", "-"), bool(scene.viewpoint)),
        ("work", place is not None and place.kind == "work"),
        ("screen", bool({"screen", "phone", "computer", "neon", "lamp", "candle", "fire"} & facts.words.keys())),
    ) if holds)  # fmt: skip


def _own_classes(scene: Scene, lead: Entity | None) -> set[str]:
    """Return the classes of what the lead itself does."""
    done = [beat for beat in scene.beats if lead is not None and beat.actor == lead.id]
    return {name for beat in done for name in verb_classes(verb_of(beat.text))}


def _strikes(scene: Scene) -> bool:
    """Tell whether a thing strikes another or breaks."""
    for beat in scene.beats:
        actor = scene.entity(beat.actor)
        is_thing = actor is not None and actor.kind in _HELD
        if is_thing and verb_of(beat.text) in _known("impacts"):
            return True
    return False


@cache
def _known(name: str) -> frozenset[str]:
    return frozenset(load("ideas")["known"][name].split())


def _rides(scene: Scene, lead: Entity | None, classes: Collection[str]) -> bool:
    """Tell whether the lead is a vehicle that travels, not one at work."""
    is_one = lead is not None and kind_seen(lead) is EntityKind.VEHICLE
    return is_one and ("travel" in classes or not scene.beats)


def _facts_of_lead(lead: Entity) -> Iterator[str]:
    kind = kind_seen(lead)
    yield from ["flying", "drones"] if lead.noun in _known("drones") else [str(kind)]
    if lead.kind in LIVELY:
        yield "lively"
    if lead.noun in _known("children"):
        yield "child"
    ways = {"bird": ["flying"], "aquatic": ["water"], "crawler": ["small"]}
    yield from ways.get(subject_kind(lead.noun) or "", [])
    if kind in {EntityKind.FOOD, EntityKind.PLANT, EntityKind.OBJECT}:
        yield "thing"


def _partner(scene: Scene, lead: Entity) -> Entity | None:
    """Return the other character who acts or is acted on."""
    acting: set[str] = set()
    for beat in scene.beats:
        verb = verb_of(beat.text)  # "throws a tuna", "share a fish": no partner
        is_handled = "handle" in verb_classes(verb) or verb in _known("had")
        acting |= {beat.actor, *(() if is_handled else beat.targets)}
    others = (e for e in scene.cast if e.id != lead.id and e.kind in LIVELY)
    return next((e for e in others if e.id in acting), None)


def _suits(needs: str, facts: frozenset[str]) -> bool:
    return all(
        need[1:] not in facts if need.startswith("!") else need in facts for need in needs.split()
    )


# Words ------------------------------------------------------------------------------------------


def _filled(entry: Mapping[str, Any], scene: Scene) -> Idea | None:
    """Return the idea with its slots filled in; None where a slot's value is uncertain."""
    lead = next((e for e in scene.cast if e.is_lead), None)
    other = _partner(scene, lead) if lead else None
    name = name_of(lead) if lead else "the scene"
    text = " ".join([entry["name"], entry["lead"], *entry["say"]])
    asked = set(_SLOT.findall(text))
    unsure = {
        "a": lead is not None and not _is_named(lead),
        "a's": lead is not None and not _is_named(lead),
        "last": bool(scene.beats) and not _told(scene, -1),
        "first": bool(scene.beats) and not _told(scene, 0),
    }
    if any(unsure.get(slot) for slot in asked):
        return None
    slots = {
        "a": name,
        "a's": f"{name}'" if name.endswith("s") else f"{name}'s",
        "other": name_of(other) if other else "the rest",
        "place": re.sub(r"^(?:an?|the)\s+", "the ", scene.setting) or "the place",
        "last": _told(scene, -1),
        "first": _told(scene, 0),
        "t": _target(scene),
        "its": possessive(lead),
    }
    many = is_many(lead)

    def fill(text: str) -> str:
        text = re.sub(r"\[([^|\]]+)\|([^\]]+)\]", lambda m: m[2] if many else m[1], text)
        return _FILLED.sub(
            lambda m: f"{slots[m[1]][:1].upper()}{slots[m[1]][1:]}" if m[2] else slots[m[1]],
            text,
        )

    title = fill(entry["name"])
    return Idea(
        f"{title[:1].upper()}{title[1:]}",
        entry["axis"],
        entry["sets"],
        fill(entry["lead"]),
        tuple(fill(sentence) for sentence in entry["say"]),
        asks=sum(
            need[0] != "!" and need not in _known("broad")
            for need in entry.get("needs", "").split()
        ),
    )


def _is_named(entity: Entity) -> bool:
    """Tell whether an entity's name is certain."""
    words = {word for word in name_of(entity).lower().split() if word not in {"the", *_FEW}}
    is_known = entity.kind is not EntityKind.OTHER or set(lemmas(entity.noun)) == {"NOUN"}
    return is_known and not words & (english("no_article_before") | english("determiners"))


def _told(scene: Scene, at: int) -> str:
    """Return a beat as a phrase with its actor, "the deer standing there"; empty if uncertain."""
    beats = scene.beats
    if not beats:
        return "it happens"
    beat = beats[at]
    actor = scene.entity(beat.actor)
    doing = beat.text.split(maxsplit=1)[0] if beat.text else ""
    is_doing = doing.endswith("ing") and "VERB" in lemmas(lemma(doing.lower(), "VERB"))
    if actor is None or actor.kind is EntityKind.BODY_PART or beat.part:
        return ""
    if not is_doing or not _is_named(actor):
        return ""
    return f"{name_of(actor)} {beat.text}"


def _target(scene: Scene) -> str:
    held = _held(scene)
    return name_of(held[0]) if held else "the work"


def _held(scene: Scene) -> list[Entity]:
    """Return the objects of the beats."""
    done = [beat for beat in scene.beats if "handle" in verb_classes(verb_of(beat.text))]
    ids = [target for beat in done for target in beat.targets]
    return [e for e in map(scene.entity, ids) if e and e.kind in _HELD]


@cache
def _stand_ins() -> Mapping[str, tuple[str, ...]]:
    return {kind: tuple(names) for kind, names in load("ideas")["places"].items()}


def _places(scene: Scene) -> list[Idea]:
    """Return other suitable places: of the same kind as the present one, or fitting the cast."""
    place = facts_of(scene).place
    lead = next((e for e in scene.cast if e.is_lead), None)
    kind = place.kind if place else ""
    verbs = facts_of(scene).known("verbs", Focus())
    if place is None and _rides(scene, lead, {v[1:] for v in verbs if v[0] == "@"}):
        kind = "road"
    found = []
    for phrase in _stand_ins().get(kind, ()) or (() if place else _places_for(scene)):
        bare = re.sub(rf"^{PREPOSITIONS}\s+", "", phrase)
        if bare != scene.setting:
            title = re.sub(r"^(?:an?|the)\s+", "", bare)
            name = f"{title[:1].upper()}{title[1:]}"
            found.append(Idea(name, "setting", {"setting": bare}, "", (), phrase, _SPECIAL))
    return found


def _places_for(scene: Scene) -> tuple[str, ...]:
    """Return places for a scene without one, chosen by its cast."""
    words = facts_of(scene).words.keys()
    entries = load("ideas")["place_for"]
    fits = (entry["places"] for entry in entries if words & set(entry["words"].split()))
    return tuple(next(fits, ()))
