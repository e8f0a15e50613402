"""Completes a scene: fills what nobody said with choices that go together. Writes no text."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.lexicon.words import tokens
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.facts import DARK, Ground, ground, words_of
from workbench.prompts.composer.whereabouts import settings_for
from workbench.scene import Origin, Scene

__all__ = ["choices", "complete"]

_ORDER: Final = (
    "subject",
    "setting",
    "time_of_day",
    "weather",
    "lighting",
    "color_palette",
    "camera_movement",
    "shot_size",
    "camera_angle",
    "lens",
    "mood",
    "style",
    "pace",
)

_PERHAPS_SAID: Final = frozenset(
    ["setting", "time_of_day", "weather", "lighting", "color_palette", "mood"]
)


def complete(scene: Scene, rng: random.Random, text: str = "", *, is_read: bool = True) -> Scene:
    """Return ``scene`` with its empty fields filled, marked as inferred.

    ``text`` is what the user wrote: its words settle a field where they can. Fields that would say
    nothing (weather indoors, a lens for a painting) stay empty. Locked fields are never filled, nor
    are those that what was not read (``is_read``) may well have said.
    """
    for name in _ORDER:
        if getattr(scene, name) or scene.is_locked(name):
            continue
        if not is_read and name in _PERHAPS_SAID:
            continue
        options = choices(name, scene, text)
        if options:
            scene = scene.edit({name: rng.choice(options)}, origin=Origin.INFERRED)
    return scene


def choices(name: str, scene: Scene, text: str = "") -> tuple[str, ...]:
    """Return the values of field ``name`` that fit the rest of ``scene``, the likeliest first."""
    at = ground(scene)
    found = _CHOOSERS[name](scene, at, frozenset(t.lower() for t in tokens(text)))
    return tuple(dict.fromkeys(found))


def _table(name: str) -> Mapping[str, Sequence[str]]:
    table: Mapping[str, Sequence[str]] = load("completions")[name]
    return table


def _pick(name: str, *keys: str) -> Sequence[str]:
    table = _table(name)
    return next((table[k] for k in keys if k in table), ())


def _subject(scene: Scene, _at: Ground, _words: frozenset[str]) -> Sequence[str]:
    """Choose who acts when the text says only what is done."""
    if not scene.action:
        return ()
    verb = scene.action.split()[0].lower()
    if verb in words_of("hands"):
        return ("a pair of hands",)
    seen_from = verb in words_of("travel") - words_of("on_foot")
    return () if seen_from or not verb.endswith("ing") else ("someone",)


def _time(scene: Scene, at: Ground, words: frozenset[str]) -> Sequence[str]:
    hints = load("completions")["hints"]
    if words & frozenset(hints["night"].split()):
        return ("night",) if "sky" in at.facts else ()
    if "sky" not in at.facts:
        return ()
    if scene.lighting == "low-key lighting" and scene.origin("lighting") is Origin.SAID:
        return ("night",)
    if words & frozenset(hints["day"].split()):
        return ("midday", "afternoon", "morning")
    if "gloomy" in at.facts:
        return ("afternoon", "morning")
    return _table("time_of_day")["open"]


def _weather(_scene: Scene, at: Ground, _words: frozenset[str]) -> Sequence[str]:
    return ("clear",) if "sky" in at.facts and at.place is not None else ()


def _lighting(scene: Scene, at: Ground, words: frozenset[str]) -> Sequence[str]:
    found = _light_for(scene, at, words)
    if at.kind == "scenery":  # a whole place has no outline for light from behind to draw
        return tuple(light for light in found if light != "backlit") or ("natural light",)
    return found


def _light_for(scene: Scene, at: Ground, words: frozenset[str]) -> Sequence[str]:
    kind = at.place.kind if at.place else ""
    dark = scene.time_of_day in DARK
    if words & {"campfire", "bonfire", "fireplace", "torch", "torches"} and (
        dark or kind == "home"
    ):
        return ("firelight",)
    if (
        "sum" not in words
        and words & {"dark", "dim", "dimly", "shadowy", "gloomy"}
        and "sky" not in at.facts
    ):
        return ("low-key lighting",)
    laid_out = kind == "surface" and at.kind in {"food", "drink", "object", "plant"}
    if (kind in {"underwater", "space", "stage", "cafe"} or laid_out) and not dark:
        return _pick("lighting", kind)
    if kind == "planet":
        return _pick("lighting", "space")
    if dark:
        if "sky" not in at.facts:
            return _pick("lighting", "night_indoor")
        return _pick(
            "lighting", "night_city" if kind in {"street", "city", "road", "lot"} else "night_open"
        )
    if "sky" not in at.facts:
        return _pick("lighting", "indoor")
    if "gloomy" in at.facts:
        return _pick("lighting", "gloomy")
    if scene.time_of_day in {"golden hour", "sunset", "sunrise"}:
        return _pick("lighting", "sunset")
    if scene.time_of_day in {"dusk", "dawn", "blue hour", "evening"}:
        return _pick("lighting", "dusk")
    return _pick("lighting", "midday")


def _palette(scene: Scene, at: Ground, _words: frozenset[str]) -> Sequence[str]:
    if scene.style in {"black and white", "film noir", "pencil sketch", "ink wash"}:
        return ()
    kind = at.place.kind if at.place else ""
    if scene.lighting == "neon light":
        return _pick("color_palette", "neon")
    if scene.lighting in {"candlelight", "firelight", "golden light"}:
        return _pick("color_palette", "candle")
    if kind in {"underwater", "space"}:
        return _pick("color_palette", kind)
    if scene.time_of_day in DARK:
        return _pick("color_palette", "night")
    if "snowy" in at.facts:
        return _pick("color_palette", "snow")
    if "gloomy" in at.facts:
        return _pick("color_palette", "gloomy")
    if "sky" not in at.facts:
        return _pick("color_palette", "indoor")
    if scene.time_of_day in {"golden hour", "sunset", "sunrise"}:
        return _pick("color_palette", "warm")
    return _pick("color_palette", "soft" if "dim" in at.facts else "midday")


def _movement(scene: Scene, at: Ground, _words: frozenset[str]) -> Sequence[str]:
    if scene.pace in {"frozen", "time-lapse"}:
        return ("static",)
    if scene.camera_angle == "point of view":
        return _pick("camera_movement", "point_of_view")
    if at.kind == "scenery":
        return _pick("camera_movement", "scenery" if "sky" in at.facts else "room")
    if at.kind == "building":
        return _pick("camera_movement", "building")
    if "moving" in at.facts:
        return _pick("camera_movement", "moving")
    if at.kind in {"food", "drink", "object", "crawler", "plant"}:
        return _pick("camera_movement", "small")
    return _pick("camera_movement", "still" if "still" in at.facts else "acting")


def _shot(scene: Scene, at: Ground, _words: frozenset[str]) -> Sequence[str]:
    if scene.camera_movement == "drone shot" or scene.camera_angle == "aerial view":
        return ("extreme wide shot",)
    if scene.lens == "macro lens":
        return ("extreme close-up",)
    if scene.camera_movement == "crane up":
        return ("wide shot",)
    people = _family(at.kind) == "person" and (at.cast.many or "moving" in at.facts)
    return _pick("shot_size", "people" if people else _family(at.kind), "any")


def _family(kind: str) -> str:
    return "person" if kind in {"man", "woman"} else kind


def _angle(scene: Scene, at: Ground, _words: frozenset[str]) -> Sequence[str]:
    if scene.camera_movement == "drone shot":
        return ("aerial view",)
    if scene.shot_size in {"close-up", "extreme close-up", "medium close-up"}:
        return ("eye level",)
    if scene.camera_movement in {"crane up", "tilt up"}:
        return ("eye level",)
    return _pick("camera_angle", _family(at.kind), "any")


def _lens(scene: Scene, at: Ground, _words: frozenset[str]) -> Sequence[str]:
    if "painted" in at.facts:
        return ()
    if scene.shot_size in {"extreme wide shot", "wide shot"}:
        return _pick("lens", "wide")
    if scene.shot_size == "extreme close-up":
        return _pick("lens", "macro")
    return _pick("lens", "close" if scene.shot_size.endswith("close-up") else "medium")


def _mood(scene: Scene, at: Ground, words: frozenset[str]) -> Sequence[str]:
    said = (
        frozenset(t.lower() for t in tokens(f"{scene.subject} {scene.action} {scene.setting}"))
        | words
    )
    for mood, listed in load("completions")["mood_words"].items():
        if said & frozenset(listed.split()):
            return (mood,)
    if scene.weather == "thunderstorm":
        return _pick("mood", "storm")
    if "gloomy" in at.facts:
        return _pick("mood", "gloomy")
    if scene.time_of_day in DARK:
        return _pick("mood", "night")
    kind = at.place.kind if at.place else ""
    if kind in {"space", "planet"}:
        return _pick("mood", "space")
    if at.kind == "scenery":
        return _pick("mood", "scenery" if "wild" in at.facts else "object")
    if at.kind in {"creature", "object"}:
        return _pick("mood", at.kind)
    if at.kind in {"vehicle", "aircraft"}:
        return _pick("mood", "machine_moving" if "moving" in at.facts else "machine")
    if at.kind == "watercraft":
        return _pick("mood", "vessel")
    if at.kind in {"bird", "aquatic", "crawler", "plant"}:
        return _pick("mood", "any")
    if "moving" in at.facts:
        return _pick("mood", "moving_animal" if at.kind == "mammal" else "moving")
    return _pick("mood", "any")


def _style(_scene: Scene, at: Ground, _words: frozenset[str]) -> Sequence[str]:
    if at.kind in {"mammal", "bird", "aquatic", "crawler"}:
        return _pick("style", "animal")
    if at.kind in {"man", "woman", "person"}:
        return _pick("style", "person")
    if at.kind == "creature":
        return _pick("style", "fantastic")
    return _pick("style", at.kind, "any")


def _pace(scene: Scene, at: Ground, words: frozenset[str]) -> Sequence[str]:
    if words & words_of("unhurried"):
        return ("slow",)
    if scene.mood in {"energetic", "tense"}:
        return _pick("pace", "lively") if "still" not in at.facts else ("real time",)
    if "moving" in at.facts:
        return _pick("pace", "moving")
    return _pick("pace", "scenery" if at.kind == "scenery" else "any")


_CHOOSERS: Final = {
    "subject": _subject,
    "setting": settings_for,
    "time_of_day": _time,
    "weather": _weather,
    "lighting": _lighting,
    "color_palette": _palette,
    "camera_movement": _movement,
    "shot_size": _shot,
    "camera_angle": _angle,
    "lens": _lens,
    "mood": _mood,
    "style": _style,
    "pace": _pace,
}
