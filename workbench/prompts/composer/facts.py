"""What is true of a scene, and what to call those in it: the ground on which clauses are chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from workbench.prompts.composer.bank import Cast
from workbench.prompts.composer.datafiles import english, load
from workbench.prompts.composer.grammar import head_of, place_in
from workbench.prompts.composer.languages import is_foreign
from workbench.prompts.composer.lexicon import (
    ANIMATE,
    Place,
    capitalized,
    find_terms,
    place_named,
    subject_kind,
    word_list,
)
from workbench.prompts.composer.morphology import is_adjective, is_noun, is_plural, lemma
from workbench.prompts.composer.words import tokens
from workbench.scene import Scene

__all__ = ["DARK", "Ground", "ground", "preposition", "words_of"]

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
_PRONOUNS: Final = {
    "man": ("he", "his", "him"),
    "woman": ("she", "her", "her"),
    "person": ("they", "their", "them"),
}
_NAMED_OTHERWISE: Final = {"underwater": "the water", "indoors": "the room", "outdoors": "the open"}
_SOMEBODY: Final = frozenset({"someone", "somebody"})
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
_WITH_THE: Final = frozenset(
    [
        "river",
        "ocean",
        "sea",
        "desert",
        "tower",
        "canal",
        "bridge",
        "palace",
        "bund",
        "canyon",
        "mountains",
        "hotel",
        "museum",
    ]
)
_PARTS: Final = frozenset(
    [
        "edge",
        "middle",
        "top",
        "bottom",
        "side",
        "corner",
        "foot",
        "end",
        "heart",
        "center",
        "centre",
        "part",
        "kind",
        "kinds",
        "type",
    ]
)
"""Nouns that are named by what they are a part of."""
_NO_ARTICLE: Final = frozenset(
    [
        "space",
        "nature",
        "town",
        "home",
        "school",
        "work",
        "downtown",
        "underwater",
        "heaven",
        "indoors",
        "outdoors",
        "bed",
    ]
)
_ASLEEP: Final = frozenset(
    ["sleeping", "asleep", "napping", "dozing", "snoozing", "dreaming", "sleeps"]
)
_QUANTITIES: Final = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "several",
        "few",
        "many",
        "both",
        "various",
    ]
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
    if head in words and (at := words.index(head)) > 0:
        pair = subject_kind(f"{words[at - 1]}-{head}")
        if pair:
            return pair
    return subject_kind(head) or "any"


@lru_cache(maxsize=1_024)
def ground(scene: Scene) -> Ground:
    """Return what holds in ``scene``."""
    alone = not scene.subject or scene.subject == scene.setting
    kind = "scenery" if alone else _kind_of(scene.subject)
    place = _place_of(scene.setting)
    if place is None and alone and scene.subject:
        place = place_named(head_of(scene.subject))
    facts = {kind, f"place:{place.kind if place else 'any'}"}
    if kind in ANIMATE:
        facts.add("animate")
    facts |= _motion(scene.action, kind)
    facts |= _sky(scene, place)
    return Ground(frozenset(facts), kind, place, _cast(scene, kind, place))


def _place_of(setting: str) -> Place | None:
    if not setting:
        return None
    words = [t.lower() for t in tokens(setting)]
    if {"interior", "inside", "indoor", "indoors"} & set(words):
        return Place("hall", "in", "none")
    if found := place_in(setting):
        return found
    return next((p for w in reversed(words) if (p := place_named(w))), None)


def _motion(action: str, kind: str) -> set[str]:
    verbs = {t.lower() for t in tokens(action)[:2]} | {
        t.lower() for t in tokens(action) if t.endswith("ing")
    }
    if not action:
        return {"still"} if kind in ANIMATE or kind == "any" else {"still", "idle"}
    facts = set()
    if verbs & words_of("airborne") or (kind == "aircraft" and verbs & words_of("moving")):
        facts.add("airborne")
    bases = {lemma(v, "VERB") for v in verbs}
    if verbs & words_of("moving") or bases & {lemma(w, "VERB") for w in words_of("moving")}:
        return facts | {"moving", "acting"}
    if verbs & _ASLEEP:
        return facts | {"still", "asleep"}
    if verbs & words_of("still"):
        return facts | {"still"}
    return facts | {"acting"}


def _sky(scene: Scene, place: Place | None) -> set[str]:
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
    facts.add("dark" if scene.time_of_day in DARK else "day")
    if scene.time_of_day in _DIM:
        facts.add("dim")
    if scene.weather in _WET:
        facts.add("wet")
    if scene.weather in _GLOOMY:
        facts.add("gloomy")
    if scene.weather in {"snow", "blizzard"}:
        facts.add("snowy")
    facts.add("painted" if scene.style in _PAINTED else "filmed")
    return facts


def _cast(scene: Scene, kind: str, where: Place | None) -> Cast:
    place = _definite(scene.setting, limit=1) if scene.setting else "the surroundings"
    there = f"{preposition(scene.setting, where, named=True)} {place}"
    if scene.subject.lower() in _SOMEBODY:
        named = "the figure"
        return Cast(named, "they", "their", "them", place, there, named)
    named = _styleless(scene.subject)
    subj = _definite(named, limit=3) if named else ""
    if scene.subject == scene.setting or not subj:
        subj = place if scene.setting else "the scene"
    if scene.subject == scene.setting and scene.subject:
        place = subj
    if place == subj:
        there = f"{preposition(scene.setting, where, named=True)} {place}"
    many = _many(scene.subject or scene.setting)
    short = _short(named) if named else subj
    if many:
        return Cast(subj, "they", "their", "them", place, there, short, many=True)
    it, its, him = _PRONOUNS.get(kind, ("it", "its", "it"))
    return Cast(subj, it, its, him, place, there, short)


def _styleless(subject: str) -> str:
    """Return the subject without words of style: "a pixel art knight" → "a knight"."""
    name = subject
    for term in reversed(find_terms(subject)):
        if term.field == "style" and term.end < len(subject):
            name = f"{name[: term.start]}{name[term.end :].lstrip()}"
    return name if len(name.split()) > 1 else subject


def _short(subject: str) -> str:
    """Return the subject's name after its first mention: "the dog", "the two"."""
    parts = [p for p in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", subject) if p]
    if len(parts) == 1:
        return _definite(subject, limit=1)
    if len(parts) == 2 and not any(_many(p) for p in parts):
        return "the two"
    return _definite(parts[0], limit=1) if _many(parts[0]) else "the group"


def preposition(setting: str, where: Place | None, *, named: bool = False) -> str:
    """Return the preposition for being at ``setting``: "on" a hillside, "at" the edge of a town."""
    head = head_of(setting.split(" of ", maxsplit=1)[0]) if setting else ""
    if named and head in _PARTS:
        return where.prep if where else "in"
    by_noun: Mapping[str, str] = load("places_by_noun")
    for word, nouns in by_noun.items():
        if head in nouns.split():
            return word
    return where.prep if where else "in"


def _many(phrase: str) -> bool:
    words = [t.lower() for t in tokens(phrase)]
    core = phrase.split(" of ", maxsplit=1)[0] if " of " in phrase else phrase
    if re.search(r"\band\b", core) and not phrase.lower().startswith("black and white"):
        return True
    return is_plural(head_of(phrase)) or bool(words and words[0] in _QUANTITIES)


@lru_cache(maxsize=2_048)
def _definite(phrase: str, *, limit: int) -> str:
    """Return a short name for the noun phrase: "the old dog", "the horse and the rider"."""
    if " and " in phrase and len(phrase.split()) <= 7:
        parts = [
            _definite(p, limit=2) for p in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", phrase) if p
        ]
        return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    words = phrase.split()
    if phrase.lower() in _NAMED_OTHERWISE:
        return _NAMED_OTHERWISE[phrase.lower()]
    if words and words[0].lower() in word_list("prepositions"):
        words = words[1:]
    own, _, whole = " ".join(words).partition(" of ")
    if whole and head_of(own) in _PARTS:
        return _definite(whole, limit=limit)
    head = head_of(" ".join(words))
    bare = [w.strip(',.;:"()') for w in words]
    at = next((i for i, w in enumerate(bare) if w.lower() == head), len(bare) - 1)
    start = next(
        (
            i
            for i in range(at, -1, -1)
            if i == 0 or bare[i - 1].lower() in word_list("prepositions")
        ),
        0,
    )
    core = bare[start : at + 1]
    quantity = ""
    while core and core[0].lower() in english("determiners"):
        if core[0].lower() in _QUANTITIES:
            quantity = core[0].lower()
        if core[0].lower() in {"my", "our", "your"}:
            core = core[1:]
            continue
        if core[0].lower() in {"his", "her", "their", "its", "my", "your"} and len(core) > 1:
            return (
                " ".join(core[-limit - 1 :]).lower()
                if len(core) <= limit + 1
                else f"{core[0].lower()} {' '.join(core[-2:])}"
            )
        core = core[1:]
    if not core:
        return phrase
    proper = (core[0][:1].isupper() and subject_kind(core[-1]) is None) or (
        core[-1][:1].isupper() and len(core) <= 2
    )
    core = [capitalized(word) for word in core]
    if is_foreign(phrase) or not any("a" <= c.lower() <= "ɏ" for c in core[-1]):
        return "the subject"
    if proper and core[-1].lower() in _WITH_THE:
        return f"the {' '.join(core)}"
    if proper:
        return " ".join(core)
    if limit == 1 and len(core) > 1 and _is_compound(core[-2].lower(), core[-1].lower()):
        limit = 2
    if core[-1].lower() in word_list("proper"):
        return " ".join(w[:1].upper() + w[1:] for w in core[-1:])
    core = core[-limit:]
    if quantity in {"few", "several", "many", "various"}:
        quantity = ""
    name = " ".join([quantity, *core]).strip()
    if proper or (
        core[-1].lower() in _NO_ARTICLE and place_named(core[-1]) is not None and len(core) == 1
    ):
        return name
    return f"the {name}"


def _is_compound(first: str, head: str) -> bool:
    """Tell whether ``first`` belongs to the noun, as in "traffic light", not merely describes it."""
    if subject_kind(f"{first}-{head}"):
        return True
    return first not in word_list("colors") and is_noun(first) and not is_adjective(first)
