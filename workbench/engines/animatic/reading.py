"""Reads a Scene into a Script: which figures, doing what, where, in which established terms.

Understands short plain phrases through the figures' words and ``lexicon.toml``; what it does not
know becomes a card with the words on it. Knows nothing of drawing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from workbench.engines.animatic.figures.drawing import colours
from workbench.engines.animatic.naming import Noun, named_in
from workbench.engines.animatic.script import Actor, Script
from workbench.engines.animatic.tables import figures, gaits, lexicon
from workbench.engines.animatic.words import colour_names
from workbench.scene import Scene, canonical_term, vocabulary

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
    "camera_movement",
    "lens",
    "pace",
)
_MOST_ACTORS: Final = 3
_HUMAN_GAITS: Final = frozenset({"work", "dance", "pedal", "ride", "drive"})
_RIDERS: Final = frozenset({"rider", "cowboy", "knight", "jockey", "cyclist", "biker"})
_INDOOR_GAITS: Final = frozenset({"sit", "lie", "sleep", "work"})
_AHEAD: Final = frozenset({"road ahead", "railway ahead"})
_FROM_OUTSIDE: Final = frozenset({"front view", "rear view"})
_ALONG: Final = _FROM_OUTSIDE | {"point of view"}
"""Angles from which a way is seen along its length."""
_DRUNK: Final = frozenset({"cup", "glass", "bottle"})
_SEA: Final = frozenset({"ocean", "beach", "lake", "river"})
_MOUNTS: Final = frozenset(
    {
        "horse",
        "elephant",
        "camel",
        "zebra",
        "cow",
        "bicycle",
        "motorcycle",
        "skateboard",
        "boat",
        "canoe",
        "deer",
    }
)


def read_scene(scene: Scene, seed: int) -> Script:
    """Return the script of ``scene``; every scene has one, however little it says."""
    script = Script(
        actors=(),
        backdrop="studio",
        seed=seed,
        **{name: find_term(name, getattr(scene, name)) for name in _TERM_FIELDS},
    )
    actors = _actors(scene)
    backdrop = _backdrop(scene, actors)
    if f"{backdrop} ahead" in _AHEAD and script.camera_angle in _ALONG:
        backdrop = f"{backdrop} ahead"
    if backdrop in _AHEAD and script.camera_angle not in _FROM_OUTSIDE:
        # One sits in it, so it is not to be seen.
        actors = tuple(a for a in actors if a.gait not in {"drive", "ride", "sit"})
    if backdrop in _SEA and actors and _form(actors[0]) in {"fish", "jelly"}:
        backdrop = "underwater"
    return replace(script, actors=actors, backdrop=backdrop)


def find_term(field: str, text: str) -> str:
    """Return the established term of ``field`` that ``text`` says, or "" where there is none."""
    if not text:
        return ""
    if whole := canonical_term(field, text):
        return whole
    spoken = f" {_plain(text)} "
    found = [phrase for phrase in _phrases(field) if f" {phrase} " in spoken]
    return _phrases(field)[max(found, key=len)] if found else ""


def find_backdrop(text: str) -> str:
    """Return the backdrop that ``text`` names, by its longest phrase, or ""."""
    spoken = f" {_plain(text)} "
    found = [phrase for phrase in _places() if f" {phrase} " in spoken or f" {phrase}s " in spoken]
    if not found:
        return ""
    return _places()[max(found, key=lambda phrase: (len(phrase.split()), len(phrase)))]


@cache
def _phrases(field: str) -> dict[str, str]:
    table = vocabulary().get(field, {})
    return {_plain(p): term for term, phrases in table.items() for p in (term, *phrases)}


@cache
def _places() -> dict[str, str]:
    return {_plain(p): name for name, phrases in lexicon()["backdrops"].items() for p in phrases}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9é]+", " ", text.lower()).strip()


def _actors(scene: Scene) -> tuple[Actor, ...]:
    found = named_in(scene.subject)
    gait = _gait(scene.action)
    doing = [n for n in named_in(scene.action) if n.words not in lexicon()["idle"]["nouns"]]
    if not found:
        if not scene.subject or find_backdrop(scene.subject):
            return ()
        if not doing:
            return (Actor("card", scene.subject),)
        found, doing = doing[:1], doing[1:]
    actors = [Actor(n.key, n.words, n.count, _suited(n.key, gait), n.colour) for n in found]
    actors[0] = _coloured(actors[0], scene.subject_details)
    if _form(actors[0]) == "arm":
        # It always has something to move, and what else is said to lie there is that.
        things = [a for a in actors[1:] if _form(a) == "drawing"] or [Actor("cube", "cube")]
        thing = replace(actors[0], prop=things[0].figure, prop_colour=things[0].colour)
        actors = [thing, *[a for a in actors[1:] if a is not things[0]]]
    plays = bool(re.search(r"\bplay", scene.action.lower())) and not doing
    actors = _mounted(actors, gait, scene.subject.lower())
    return tuple(_with_company(actors, doing, gait, plays=plays)[:_MOST_ACTORS])


def _with_company(
    actors: list[Actor], doing: Sequence[Noun], gait: str, *, plays: bool = False
) -> list[Actor]:
    """Put who is said to ride something on it, things into hands, and other things beside."""
    lead = actors[0]
    for noun in doing[:1]:
        spec = figures()[noun.key]
        if (
            noun.key in _MOUNTS
            and gait in {"ride", "pedal", "gallop", "drive", "sit", "sail", "swim", "jump", "run"}
            and not lead.rider
        ):
            mount_gait = {"ride": "run"}.get(gait, gait)
            mount = Actor(noun.key, noun.words, 1, _suited(noun.key, mount_gait), noun.colour)
            return [replace(mount, rider=lead.figure, upright=_form(lead) != "person"), *actors[1:]]
        if noun.key == lead.figure:
            continue
        if spec["form"] == "drawing" and "kind" not in spec and _can_hold(lead, gait, noun.key):
            actors[0] = _holding(lead, noun)
        else:
            actors.append(
                Actor(noun.key, noun.words, min(noun.count, 2), _suited(noun.key, ""), noun.colour)
            )
    if gait == "work" and _form(lead) == "quadruped" and plays and not actors[0].prop:
        # An animal at play runs about; only with something in its paws does it stand up.
        actors[0] = replace(lead, gait=_suited(lead.figure, "run"))
    elif _form(actors[0]) == "quadruped" and gait in _HUMAN_GAITS and not actors[0].rider:
        actors[0] = replace(actors[0], upright=True, gait=gait)
    return actors


def _holding(actor: Actor, noun: Noun) -> Actor:
    """Return ``actor`` with the thing in its hand; an animal stands up to hold one."""
    return replace(
        actor,
        prop=noun.key,
        prop_colour=noun.colour,
        upright=_form(actor) not in {"person", "arm"},
    )


def _mounted(actors: list[Actor], gait: str, spoken: str) -> list[Actor]:
    """Seat whoever rides: who is said to, whose trade it is, who is said to be on something."""
    mounts = [a for a in actors if a.figure in _MOUNTS]
    people = [a for a in actors if _form(a) == "person"]
    on = any(
        re.search(rf"\bon (?:\w+ ){{1,2}}{re.escape(mount.words)}", spoken) for mount in mounts
    )
    riders = [a for a in people if on or gait in {"ride", "pedal"} or a.words in _RIDERS]
    if mounts and riders:
        seated = replace(mounts[0], rider=riders[0].figure)
        return [seated, *[a for a in actors if a not in {mounts[0], riders[0]}]]
    return actors


def _can_hold(actor: Actor, gait: str, thing: str) -> bool:
    if _form(actor) in {"person", "arm"}:
        return True
    if _form(actor) != "quadruped":
        return False
    return gait in {"work", "sit", "dance", "wave"} or (gait == "eat" and thing in _DRUNK)


def _form(actor: Actor) -> str:
    return str(figures()[actor.figure]["form"])


def _coloured(actor: Actor, details: str) -> Actor:
    if actor.colour is not None:
        return actor
    spoken = [word for word in _plain(details).split() if word in colour_names()]
    return replace(actor, colour=colours()[colour_names()[spoken[0]]]) if spoken else actor


def _gait(action: str) -> str:
    """Return the gait of the first verb that is known; "" where none is."""
    spoken = _plain(action)
    best: tuple[int, int, str] | None = None
    for gait, stems in lexicon()["gaits"].items():
        for stem in stems:
            match = re.search(rf"\b{re.escape(stem)}", spoken)
            if match:
                rank = (match.start(), -len(stem), gait)
                best = rank if best is None or rank < best else best
    return best[2] if best else ""


def _suited(key: str, gait: str) -> str:
    """Return ``gait`` as this figure would do it, or what it does when nothing is said."""
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
    if not gait or form in fallback:
        return str(
            spec.get("gait") or fallback.get(str(form)) or ("stand" if form == "person" else "rest")
        )
    return "walk" if "walk" in table and gait in {"run", "trot"} else "rest"


def _backdrop(scene: Scene, actors: tuple[Actor, ...]) -> str:
    if place := find_backdrop(scene.setting):
        return place
    if not actors and (place := find_backdrop(scene.subject)):
        return place
    for text in (scene.action, " ".join(scene.details), scene.subject_details):
        if place := find_backdrop(text):
            return place
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
