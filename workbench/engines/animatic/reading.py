"""Reads a Scene into a Script: the cast, the place, and established terms for all else.

Knows words and tables, nothing of drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from workbench.engines.animatic.casting import cast_scene, form_of
from workbench.engines.animatic.places import find_backdrop, plain
from workbench.engines.animatic.script import Actor, Script
from workbench.engines.animatic.tables import figures, lexicon, viewpoints
from workbench.scene import Scene, camera_moves, canonical_term, vocabulary

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
"""Angles from which a way is seen along its length."""
_ON_TABLES: Final = 0.38
"""Height below which a thing is placed on a table."""
_WITH_TABLES: Final = frozenset({"kitchen", "office", "room", "studio"})
_SEA: Final = frozenset({"ocean", "beach", "lake", "river"})
_EYEPIECES: Final = frozenset({"microscope", "telescope"})
_NEVER_SEEN: Final = {"ego view": "person", "animal's view": "quadruped", "wrist camera": "arm"}
"""Viewpoint → the form of the camera's carrier."""


def read_scene(scene: Scene, seed: int) -> Script:
    """Return the script of ``scene``; every scene has one, however little it says."""
    terms = {name: find_term(name, getattr(scene, name)) for name in _TERM_FIELDS}
    casting = cast_scene(scene)
    if terms["viewpoint"] in _EYEPIECES and any(form_of(a) == "person" for a in casting.actors):
        # Somebody is seen who looks through it.
        terms["viewpoint"] = ""
    seen_by = viewpoints().get(terms["viewpoint"], {})
    for name in ("shot_size", "camera_angle", "lens"):
        terms[name] = terms[name] or seen_by.get(name, "")
    moves = _moves(scene.camera_movement) or tuple(seen_by.get("moves", ()))
    actors = _without_the_eye(casting.actors, terms["viewpoint"])
    backdrop, actors = _place(scene, actors, terms["camera_angle"], seen_by)
    if backdrop == "tabletop" and all(form_of(a) in {"drawing", "arm"} for a in actors):
        terms["camera_angle"] = terms["camera_angle"] or "high angle"
    if not terms["time_of_day"] and any(a.figure == "firework" for a in actors):
        terms["time_of_day"] = "night"
    return Script(
        actors=actors,
        backdrop=backdrop,
        seed=seed,
        camera_movement=moves[0] if moves else "",
        moves=moves,
        moments=casting.moments,
        frame=seen_by.get("frame", "") or _hands_of(scene, actors),
        effects=tuple(seen_by.get("effects", ())),
        not_drawn=casting.not_drawn,
        **terms,
    )


def find_term(field: str, text: str) -> str:
    """Return the established term of ``field`` that ``text`` says, or "" where there is none."""
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
    """Return the backdrop, and the actors that are to be seen in it."""
    backdrop = _backdrop(scene, actors, seen_by)
    if seen_by.get("backdrop") in _AHEAD:
        backdrop = str(seen_by["backdrop"])
    small = all(float(figures()[actor.figure]["size"]) < _ON_TABLES for actor in actors)
    if _hands_of(scene, actors) and backdrop in _WITH_TABLES and small:
        backdrop = "tabletop"
    if backdrop == "tabletop":
        if any(form_of(a) not in {"drawing", "arm", "card"} for a in actors):
            backdrop = "kitchen" if actors[0].figure == "chef" else "room"
        elif len(actors) > 1:
            # It is the table.
            actors = tuple(a for a in actors if a.figure != "table")
    along = camera_angle in _ALONG or seen_by.get("is_ahead", False)
    if f"{backdrop} ahead" in _AHEAD and along:
        backdrop = f"{backdrop} ahead"
    if backdrop == "car interior":
        actors = tuple(a for a in actors if form_of(a) != "car")
    if backdrop in _AHEAD and camera_angle not in _FROM_OUTSIDE and not seen_by:
        # One sits in it, so it is not to be seen.
        actors = tuple(a for a in actors if a.gait not in {"drive", "ride", "sit"})
    if backdrop in _SEA and actors and form_of(actors[0]) in {"fish", "jelly"}:
        backdrop = "underwater"
    return backdrop, actors


def _moves(movement: str) -> tuple[str, ...]:
    found = (find_term("camera_movement", move) for move in camera_moves(movement))
    return tuple(term for term in found if term)


@cache
def _phrases(field: str) -> dict[str, str]:
    table = vocabulary().get(field, {})
    return {plain(p): term for term, phrases in table.items() for p in (term, *phrases)}


def _hands_of(scene: Scene, actors: tuple[Actor, ...]) -> str:
    """Return the frame of hands if only hands are seen, without their owner."""
    lead = next((entity for entity in scene.cast if entity.is_lead), None)
    names = lexicon()["body"]["words"]
    is_hands = lead is not None and lead.phrase.lower() in names
    people = any(form_of(actor) == "person" for actor in actors)
    return "hands" if is_hands and not people else ""


def _without_the_eye(actors: tuple[Actor, ...], viewpoint: str) -> tuple[Actor, ...]:
    """Return ``actors`` without the first whose point of view the camera takes."""
    form = _NEVER_SEEN.get(viewpoint)
    eye = next((a for a in actors if form_of(a) == form and a.count == 1), None)
    if eye is None:
        return actors
    held = (Actor(eye.prop, eye.prop, colour=eye.prop_colour),) if eye.prop else ()
    return (*held, *(actor for actor in actors if actor is not eye))


def _backdrop(scene: Scene, actors: tuple[Actor, ...], seen_by: Mapping[str, Any]) -> str:
    floats = any(figures()[actor.figure].get("kind") == "vessel" for actor in actors)
    if place := find_backdrop(scene.setting):
        if not floats or place in _SEA:
            return place
        return find_backdrop(scene.setting, among=_SEA) or ("ocean" if place == "sky" else place)
    if not actors and (place := find_backdrop(scene.subject)):
        return place
    positions = " ".join(entity.position for entity in scene.cast)
    for text in (scene.action, " ".join(scene.details), scene.subject_details, positions):
        if place := find_backdrop(text):
            return "ocean" if floats and place == "sky" else place
    if "backdrop" in seen_by:
        return str(seen_by["backdrop"])
    return _home(actors) if actors else "studio" if scene.subject else "meadow"


def _home(actors: tuple[Actor, ...]) -> str:
    homes = lexicon()["homes"]
    actor = actors[0]
    spec = figures()[actor.figure]
    food = actor.prop and "food" in figures()[actor.prop].get("tags", ())
    if food:
        return "kitchen"
    if actor.upright or (spec["form"] == "person" and actor.gait in _INDOOR_GAITS):
        return "room"
    for name in (actor.figure, spec.get("kind", ""), spec["form"]):
        if name in homes:
            return str(homes[name])
    return "studio"
