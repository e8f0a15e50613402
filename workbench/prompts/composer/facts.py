"""What is true of a scene: the ground on which clauses are chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from workbench.lexicon.morphology import lemma
from workbench.lexicon.nouns import head_of
from workbench.lexicon.terms import (
    ANIMATE,
    Place,
    place_named,
    subject_kind,
    word_list,
)
from workbench.lexicon.words import tokens
from workbench.prompts.composer.bank import Cast
from workbench.prompts.composer.casting import cast, place_of
from workbench.prompts.composer.datafiles import load
from workbench.scene import Scene

__all__ = ["DARK", "Ground", "ground", "words_of"]

DARK: Final = frozenset({"midnight", "night"})
"""The times of day without sun."""
_DIM: Final = frozenset({"dusk", "blue hour", "dawn", "evening"})
_WET: Final = frozenset({"drizzle", "rain", "heavy rain", "thunderstorm"})
_GLOOMY: Final = _WET | {"overcast", "fog", "mist", "blizzard", "dust storm", "hail", "snow"}
_PAINTED: Final = frozenset(
    (
        "anime",
        "cartoon",
        "claymation",
        "stop motion",
        "pixel art",
        "low poly",
        "voxel",
        "watercolour",
        "oil painting",
        "impressionism",
        "expressionism",
        "ukiyo-e",
        "ink wash",
        "pencil sketch",
        "comic book",
        "papercut",
        "3D animation",
    )
)
_FULL_NAME: Final = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+")
"""Somebody's name, as far as one can tell where no lexicon knows either word."""
_FAMILIES: Final = {
    "object": frozenset({"object", "food", "drink", "plant"}),
    "vehicle": frozenset({"vehicle", "aircraft", "watercraft"}),
}
_WILD: Final = frozenset(
    [
        "forest",
        "field",
        "desert",
        "beach",
        "sea",
        "lake",
        "mountain",
        "snow",
        "sky",
        "underwater",
        "space",
        "planet",
    ]
)
_ASLEEP: Final = frozenset(
    ["sleeping", "asleep", "napping", "dozing", "snoozing", "dreaming", "sleeps"]
)


@dataclass(frozen=True, slots=True)
class Ground:
    """A scene's facts, the kinds of its subject and its place, and the cast to fill clauses with."""

    facts: frozenset[str]
    kind: str
    """Kind of subject; ``any`` where it is unknown or mixed, ``scenery`` for a place alone."""
    place: Place | None
    cast: Cast


@cache
def words_of(section: str) -> frozenset[str]:
    """Return the words of ``section`` in the completions file."""
    return frozenset(str(load("completions")[section]["words"]).split())


@lru_cache(maxsize=1_024)
def _kind_of(subject: str) -> str:
    parts = [p for p in re.split(r",\s*|\s+and\s+(?:a\s+|an\s+|the\s+)?", subject) if p]
    kinds = {_noun_kind(part) for part in parts}
    if kinds <= {"man", "woman", "person"} and kinds:
        return kinds.pop() if len(kinds) == 1 else "person"
    for family, members in _FAMILIES.items():
        if kinds and kinds <= members:
            return kinds.pop() if len(kinds) == 1 else family
    return kinds.pop() if len(kinds) == 1 else "any"


def _noun_kind(phrase: str) -> str:
    words = [t.lower() for t in tokens(phrase)]
    head = head_of(phrase)
    if set(words) & word_list("cooked") and subject_kind(head) in {"aquatic", "bird", "mammal"}:
        return "food"
    if head in words and (at := words.index(head)) > 0:
        pair = subject_kind(f"{words[at - 1]}-{head}")
        if pair:
            return pair
    if kind := subject_kind(head):
        return kind
    place = place_named(head)
    if place is not None and place.kind not in {"surface", "perch", "vehicle", "home"}:
        return "scenery"
    return "person" if _FULL_NAME.fullmatch(phrase) else "any"


def ground(scene: Scene) -> Ground:
    """Return what holds in ``scene``."""
    return _ground(
        scene.subject,
        scene.action,
        scene.setting,
        scene.time_of_day,
        scene.weather,
        scene.style in _PAINTED,
    )


@lru_cache(maxsize=2_048)
def _ground(
    subject: str, action: str, setting: str, time_of_day: str, weather: str, is_painted: bool
) -> Ground:
    alone = not subject or subject == setting
    kind = "scenery" if alone else _kind_of(subject)
    place = place_of(setting)
    if place is None and alone and subject:
        place = place_named(head_of(subject))
    facts = {kind, f"place:{place.kind if place else 'any'}"}
    if kind in ANIMATE:
        facts.add("animate")
    facts |= _motion(action, kind)
    facts |= _sky(place, time_of_day, weather)
    facts.add("painted" if is_painted else "filmed")
    return Ground(frozenset(facts), kind, place, cast(subject, setting, kind, place))


def _has_object(action: str) -> bool:
    """Tell whether something is flown, not flies: "flying a kite"."""
    following = tokens(action.lower())[1:2]
    return bool(following) and (
        following[0] in {"a", "an", "the", "his", "her", "their", "its"}
        or subject_kind(following[0]) is not None
    )


@cache
def _moving_bases() -> frozenset[str]:
    return frozenset(lemma(word, "VERB") for word in words_of("moving"))


def _motion(action: str, kind: str) -> set[str]:
    verbs = {t.lower() for t in tokens(action)[:2]} | {
        t.lower() for t in tokens(action) if t.endswith("ing")
    }
    if not action:
        return {"still"} if kind in ANIMATE or kind == "any" else {"still", "idle"}
    facts = set()
    if "flying" in verbs and _has_object(action):
        return {"acting"}
    if verbs & words_of("airborne") or (kind == "aircraft" and verbs & words_of("moving")):
        facts.add("airborne")
    if verbs & words_of("moving") or {lemma(v, "VERB") for v in verbs} & _moving_bases():
        return facts | {"moving", "acting"}
    if verbs & _ASLEEP:
        return facts | {"still", "asleep"}
    if verbs & words_of("feeling"):
        facts.add("feeling")
    if verbs & words_of("still"):
        return facts | {"still"}
    return facts | {"acting"}


def _sky(place: Place | None, time_of_day: str, weather: str) -> set[str]:
    facts = set()
    if place is None or place.sky == "open":
        facts.add("sky")
    else:
        facts.add("indoor")
    if place is not None:
        if place.kind not in {"sea", "lake", "underwater", "beach"}:
            facts.add("dry")
        if place.kind in {"sea", "lake", "underwater"}:
            facts.add("water")
        if place.kind not in {"underwater", "sea", "lake"}:
            facts.add("out_of_water")
        if place.kind == "snow":
            facts.add("snowy")
        if place.kind in {"surface", "perch"}:
            facts.add("surface")
        if place.kind in _WILD:
            facts.add("wild")
    facts.add("dark" if time_of_day in DARK else "day")
    if time_of_day in _DIM:
        facts.add("dim")
    if weather in _WET:
        facts.add("wet")
    if weather in _GLOOMY:
        facts.add("gloomy")
    if weather in {"snow", "blizzard"}:
        facts.add("snowy")
    return facts
