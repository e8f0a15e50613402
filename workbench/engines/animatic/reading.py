"""Converts a Scene to a Script: the cast, the place, and established terms for all else.

Knows words and tables, nothing of drawing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from workbench.engines.animatic.casting import cast_scene, form_of
from workbench.engines.animatic.places import find_backdrop, plain
from workbench.engines.animatic.proportions import metres_of, proportioned
from workbench.engines.animatic.script import Actor, Place, Script
from workbench.engines.animatic.tables import figures, lexicon, viewpoints
from workbench.scene import EntityKind, Scene, camera_moves, canonical_term, vocabulary

__all__ = ["find_backdrop", "find_term", "read_scene"]

_TERM_FIELDS: Final = (
    "time_of_day",
    "weather",
    "lighting",
    "mood",
    "style",
    "color_palette",
    "shot_size",
    "camera_angle",
    "lens",
    "pace",
    "viewpoint",
)
_INDOOR_GAITS: Final = frozenset({"sit", "lie", "sleep", "work"})
_AHEAD: Final = frozenset({"road ahead", "railway ahead"})
_FROM_OUTSIDE: Final = frozenset({"front view", "rear view"})
_ALONG: Final = _FROM_OUTSIDE | {"point of view"}
"""Angles that look along a road or corridor."""
_ON_TABLES: Final = 0.38
"""Maximum height of a thing that is placed on a table."""
_WITH_TABLES: Final = frozenset({"kitchen", "office", "room", "studio"})
_LIVING: Final = frozenset({"person", "quadruped"})
_HOUSEHOLD: Final = frozenset(
    {"door", "window", "couch", "armchair", "bed", "table", "lamp", "candle", "candleflame", "vase", "clock",
     "mirror", "curtain", "blinds", "bookshelf", "piano", "laptop", "oven", "fridge", "sink", "pillow",
     "towel", "washingmachine", "radio", "recordplayer", "typewriter", "vacuumcleaner", "lightbulb"}
)  # fmt: skip
"""Things that imply a home."""
_FURNISHED: Final[Mapping[str, frozenset[str]]] = {
    "corridor": frozenset({"locker"}),
    "warehouse": frozenset({"bookshelf", "rack"}),
    "supermarket": frozenset({"bookshelf", "goodsshelf"}),
    "gym": frozenset({"bleachers"}),
    "market": frozenset({"stall"}),
}
"""Place → figures that its backdrop includes."""
_ABOARD: Final = frozenset({"car interior", "carriage"})
_CARRIERS: Final = frozenset({"vehicle", "train", "car"})
_DECKS: Final = frozenset({"ship", "galleon"})
_ON_DECK: Final = 0.26
"""Scale of people on a ship."""
_WITH_A_TABLE: Final = frozenset(
    {"kitchen", "room", "cafe", "office", "classroom", "workshop", "laboratory", "tent"}
)
_LAID_M: Final = 0.42
"""Maximum height in metres of a thing that is laid on a table."""
_NO_PLACES: Final = re.compile(
    r"\b(?:water|waves?|sand|ice|bed|stage|station|plate|sunset|leaf|flowers?|bed|tub|stairs?|roofs?|slope|reception|bank|study|fog|mist|wind|storm|lightning|port|overcast)\b"
)
"""Words that name a place in a setting, but not in an action."""
_OUTSIDE: Final = re.compile(r"\boutside (?:of )?(?:an?|the|my|our|his|her) \w+")
_ROBOTS: Final = frozenset({"robot", "cartrobot", "robotdog"})
_ROBOT: Final = re.compile(r"\b(?:robot|humanoid|android)", re.IGNORECASE)
_WHEELED: Final = re.compile(
    r"\b(?:delivery|transport|wheeled|mobile|warehouse|quadruped)", re.IGNORECASE
)
_GLASS: Final = ("windscreen", "windshield")
_OFF_EARTH: Final = frozenset({"space", "planet surface"})
_SEA: Final = frozenset({"ocean", "beach", "lake", "river"})
_EYEPIECES: Final = frozenset({"microscope", "telescope"})
_NEVER_SEEN: Final = {"ego view": "person", "animal's view": "quadruped", "wrist camera": "arm"}
"""Viewpoint → the form that carries the camera and so is invisible."""


def read_scene(scene: Scene, seed: int) -> Script:
    """Return the script of ``scene``; every scene has one, even an empty one."""
    terms = {name: find_term(name, getattr(scene, name)) for name in _TERM_FIELDS}
    casting = cast_scene(scene)
    if falls := _weather_that_leads(scene):
        # Weather shows it, so it needs no card.
        terms["weather"] = terms["weather"] or falls
        actors = tuple(actor for actor in casting.actors if actor.figure != "card")
        casting = replace(casting, actors=actors, not_drawn=())
    if terms["viewpoint"] in _EYEPIECES and any(form_of(a) == "person" for a in casting.actors):
        # A visible person looks through it.
        terms["viewpoint"] = ""
    seen_by = viewpoints().get(terms["viewpoint"], {})
    for name in ("shot_size", "camera_angle", "lens"):
        terms[name] = terms[name] or seen_by.get(name, "")
    moves = _moves(scene.camera_movement) or tuple(seen_by.get("moves", ()))
    actors = _without_the_eye(casting.actors, terms["viewpoint"])
    backdrop, actors = _place(scene, actors, terms["camera_angle"], seen_by)
    if backdrop == "tabletop" and all(form_of(a) in {"drawing", "arm"} for a in actors):
        terms["camera_angle"] = terms["camera_angle"] or "high angle"
    if backdrop == "studio" and _is_of_the_kitchen(actors):
        backdrop = "tabletop"
    if not terms["time_of_day"] and any(a.figure == "firework" for a in actors):
        terms["time_of_day"] = "night"
    return Script(
        actors=actors,
        backdrop=backdrop,
        seed=seed,
        camera_movement=moves[0] if moves else "",
        moves=moves,
        moments=casting.moments,
        frame=_robotic(scene, seen_by.get("frame", ""))
        or _hands_of(scene, actors)
        or _inside_of(scene),
        effects=tuple(seen_by.get("effects", ())),
        not_drawn=casting.not_drawn,
        **terms,
    )


def find_term(field: str, text: str) -> str:
    """Return the established term of ``field`` in ``text``, or "" if there is none."""
    if not text:
        return ""
    if whole := canonical_term(field, text):
        return whole
    spoken = f" {plain(text)} "
    found = [phrase for phrase in _phrases(field) if f" {phrase} " in spoken]
    return _phrases(field)[max(found, key=len)] if found else ""


def _place(
    scene: Scene, actors: tuple[Actor, ...], camera_angle: str, seen_by: Mapping[str, Any]
) -> tuple[str, tuple[Actor, ...]]:
    """Return the backdrop, and the visible actors."""
    backdrop = _backdrop(scene, actors, seen_by)
    if seen_by.get("backdrop") in _AHEAD or seen_by.get("frame") == "gripper":
        backdrop = str(seen_by["backdrop"])
    small = all(float(figures()[actor.figure]["size"]) < _ON_TABLES for actor in actors)
    if _hands_of(scene, actors) and backdrop in _WITH_TABLES and small:
        backdrop = "tabletop"
    if backdrop == "tabletop":
        if any(form_of(a) not in {"drawing", "arm", "card"} for a in actors):
            backdrop = "kitchen" if actors[0].figure == "chef" else "room"
        elif len(actors) > 1:
            # The backdrop is the table.
            actors = tuple(a for a in actors if a.figure != "table")
    along = camera_angle in _ALONG or seen_by.get("is_ahead", False)
    if f"{backdrop} ahead" in _AHEAD and along:
        backdrop = f"{backdrop} ahead"
    if shown := _FURNISHED.get(backdrop):
        # The backdrop includes them.
        actors = tuple(replace(a, count=0) if a.figure in shown else a for a in actors)
    if backdrop == "road ahead":
        actors = tuple(part for actor in actors for part in _lining(actor))
    if backdrop in _SEA:
        actors = _aboard(actors)
    if backdrop in _ABOARD:
        actors = tuple(a for a in actors if figures()[a.figure].get("kind") not in _CARRIERS)
        actors = tuple(a for a in actors if form_of(a) != "car")
    if backdrop in _AHEAD and camera_angle not in _FROM_OUTSIDE and not seen_by:
        # The camera is inside it.
        actors = tuple(a for a in actors if a.gait not in {"drive", "ride", "sit"})
    if backdrop in _SEA and actors and form_of(actors[0]) in {"fish", "jelly"}:
        backdrop = "underwater"
    return backdrop, proportioned(_on_a_table(actors, backdrop))


def _on_a_table(actors: tuple[Actor, ...], backdrop: str) -> tuple[Actor, ...]:
    """Return ``actors`` with small things on a table, if people are indoors."""
    people = any(form_of(actor) == "person" for actor in actors)
    if backdrop not in _WITH_A_TABLE or not people:
        return actors
    laid = [
        a for a in actors if a.place == Place() and a.gait in {"rest", "shake"} and _is_small(a)
    ]
    if not laid:
        return actors
    placed = [
        replace(actor, place=Place(upon="table")) if actor in laid else actor for actor in actors
    ]
    known = any(actor.figure == "table" for actor in actors)
    return (*placed, *(() if known else (Actor("table", "table"),)))


def _lining(actor: Actor) -> tuple[Actor, ...]:
    """Return several vehicles as two actors, one on each side of the road."""
    if form_of(actor) != "car" or actor.count == 1 or actor.place != Place():
        return (actor,)
    right = actor.count // 2
    left = replace(actor, count=actor.count - right, place=Place(side=-1))
    return left, replace(actor, count=right, place=Place(side=1))


def _aboard(actors: tuple[Actor, ...]) -> tuple[Actor, ...]:
    """Return ``actors`` with people at sea on the deck of their ship."""
    ship = next((a.figure for a in actors if a.figure in _DECKS), "")
    if not ship:
        return actors
    return tuple(
        replace(a, place=Place(upon=ship), scale=_ON_DECK, count=min(a.count, 4))
        if form_of(a) == "person"
        and a.place in {Place(), Place(depth="behind")}
        and a.gait != "swim"
        else a
        for a in actors
    )


def _is_of_the_kitchen(actors: tuple[Actor, ...]) -> bool:
    """Tell whether all actors are small and one is food: then they stand on a table."""
    tags = {tag for actor in actors for tag in figures()[actor.figure].get("tags", ())}
    return "food" in tags and all(_is_small(actor) for actor in actors)


def _is_small(actor: Actor) -> bool:
    spec = figures()[actor.figure]
    return spec["form"] == "drawing" and "kind" not in spec and metres_of(actor.figure) < _LAID_M


def _moves(movement: str) -> tuple[str, ...]:
    found = (find_term("camera_movement", move) for move in camera_moves(movement))
    return tuple(term for term in found if term)


@cache
def _phrases(field: str) -> dict[str, str]:
    table = vocabulary().get(field, {})
    return {plain(p): term for term, phrases in table.items() for p in (term, *phrases)}


def _hands_of(scene: Scene, actors: tuple[Actor, ...]) -> str:
    """Return the frame of hands if only hands are visible, without their owner."""
    lead = next((entity for entity in scene.cast if entity.is_lead), None)
    names = lexicon()["body"]["words"]
    is_hands = lead is not None and {lead.phrase.lower(), lead.noun} & set(names)
    people = any(form_of(actor) == "person" for actor in actors)
    return "hands" if is_hands and not people else ""


def _weather_that_leads(scene: Scene) -> str:
    """Return the weather that is the subject of a scene: hail, rain, fog; "" if none is."""
    lead = next((entity for entity in scene.cast if entity.is_lead), None)
    return find_term("weather", lead.noun) if lead is not None else ""


def _robotic(scene: Scene, frame: str) -> str:
    """Return ``frame`` with a robot's hands if the viewer is a robot."""
    said = [entity.name for entity in scene.cast if entity.is_lead]
    said += [look.text for entity in scene.cast if entity.is_lead for look in entity.looks]
    if frame == "hands" and any(_ROBOT.search(text) for text in said):
        wheeled = any(entity.is_lead and _WHEELED.search(entity.name) for entity in scene.cast)
        return "none" if wheeled else "robot hands"
    return frame


def _inside_of(scene: Scene) -> str:
    """Return the frame of a car if the camera looks through its windscreen."""
    said = plain(" ".join([scene.setting, scene.action, *scene.details]))
    return "hood" if any(f"{word} " in f"{said} " for word in _GLASS) else ""


def _without_the_eye(actors: tuple[Actor, ...], viewpoint: str) -> tuple[Actor, ...]:
    """Return ``actors`` without the first whose point of view the camera takes."""
    form = _NEVER_SEEN.get(viewpoint)
    eyes = (a for a in actors if form_of(a) == form or (form and a.figure in _ROBOTS))
    eye = next((a for a in eyes if a.count == 1), None)
    if eye is None:
        return actors
    held = (Actor(eye.prop, eye.prop, colour=eye.prop_colour),) if eye.prop else ()
    return (*held, *(actor for actor in actors if actor is not eye))


def _backdrop(scene: Scene, actors: tuple[Actor, ...], seen_by: Mapping[str, Any]) -> str:
    if _OUTSIDE.search(scene.setting.lower()):
        return "city street"
    floats = any(figures()[actor.figure].get("kind") == "vessel" for actor in actors)
    if place := find_backdrop(scene.setting):
        if not floats or place in _SEA:
            return place
        return find_backdrop(scene.setting, among=_SEA) or ("ocean" if place == "sky" else place)
    if not actors and (place := find_backdrop(scene.subject)):
        return place
    lead = next((entity for entity in scene.cast if entity.is_lead), None)
    if lead is not None and lead.kind is EntityKind.STRUCTURE:
        drawn = {actor.words for actor in actors}
        if lead.noun not in drawn and (place := find_backdrop(lead.name)):
            return place
    home = _home(actors) if actors else ""
    if home in _OFF_EARTH:
        return home
    positions = " ".join(entity.position for entity in scene.cast)
    for text in (" ".join(scene.details), scene.action, scene.subject_details, positions):
        place = find_backdrop(_NO_PLACES.sub(" ", text))
        if _OUTSIDE.search(text):
            return "city street"
        if place and place not in _OFF_EARTH and not (floats and place not in _SEA):
            return place
    if "backdrop" in seen_by:
        return str(seen_by["backdrop"])
    if floats:
        return "ocean"
    return home or ("studio" if scene.subject else "meadow")


def _home(actors: tuple[Actor, ...]) -> str:
    homes = lexicon()["homes"]
    actor = actors[0]
    spec = figures()[actor.figure]
    food = actor.prop and "food" in figures()[actor.prop].get("tags", ())
    if food:
        return "kitchen"
    if spec["form"] == "person" and actor.figure in homes:
        return str(homes[actor.figure])
    if actor.upright or (spec["form"] == "person" and actor.gait in _INDOOR_GAITS):
        return "room"
    if spec["form"] in _LIVING and (inside := _indoors_by_things(actors[1:])):
        return inside
    for name in (actor.figure, spec.get("kind", ""), spec["form"]):
        if name in homes:
            return str(homes[name])
    return "studio"


def _indoors_by_things(others: tuple[Actor, ...]) -> str:
    """Return the room implied by the things around people and pets; "" if none is."""
    tags = {tag for actor in others for tag in figures()[actor.figure].get("tags", ())}
    if "food" in tags:
        return "kitchen"
    return "room" if any(actor.figure in _HOUSEHOLD for actor in others) else ""
