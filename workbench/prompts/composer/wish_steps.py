"""Wishes that name a direction or an established look: "darker", "closer", "less foggy"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from workbench.lexicon.articles import with_article
from workbench.lexicon.morphology import lemma
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.wish_terms import (
    Values,
    exact_term,
)
from workbench.scene import Scene, canonical_term, terms

__all__ = ["by_comparative", "by_less", "by_reveal", "by_season", "by_step", "by_table"]


@cache
def _compiled(section: str) -> tuple[tuple[re.Pattern[str], Mapping[str, Any]], ...]:
    entries: Sequence[Mapping[str, Any]] = load("requests")[section]
    return tuple((re.compile(rf"(?:{e['when']})\Z", re.IGNORECASE), e) for e in entries)


def by_step(wish: str, scene: Scene) -> Values | None:
    """Understand "closer", "much slower", "less foggy": a step along a field's axis."""
    for pattern, entry in _compiled("step"):
        match = pattern.match(wish) or pattern.match(_without_article(wish))
        if match is None:
            continue
        field = entry["field"]
        groups = match.groupdict()
        size = 2 if any(v for k, v in groups.items() if k.startswith("much")) else 1
        ladder = entry.get("ladder")
        if ladder:
            return _step_ladder(scene, entry, size)
        steps = terms(field)
        if field == "pace":
            steps = steps if scene.pace == "time-lapse" else steps[:-1]
        here = getattr(scene, field)
        start = steps.index(here) if here in steps else steps.index(_MIDDLE[field])
        at = min(max(start + entry["by"] * size, 0), len(steps) - 1)
        if field == "pace" and at == 0 and entry["by"] < 0:
            at = 1
        return {field: steps[at]}
    return None


_MIDDLE: Final = {"shot_size": "medium shot", "pace": "real time", "time_of_day": "midday"}


def _step_ladder(scene: Scene, entry: Mapping[str, Any], size: int) -> Values:
    ladder: list[str] = entry["ladder"]
    field, by = entry["field"], entry["by"]
    here = getattr(scene, field)
    if here not in ladder:
        start = {"fog": "fog", "rain": "rain", "snow": "snow", "cloud": "overcast"}[entry["of"]]
        return {field: start} if by < 0 else {}
    at = ladder.index(here) + by * size
    return {field: ladder[min(max(at, 0), len(ladder) - 1)]}


def by_table(wish: str, _scene: Scene) -> Values | None:
    """Understand wishes that a table of phrases maps to one value: "darker", "follow him"."""
    for pattern, entry in _compiled("set"):
        if pattern.match(wish) or pattern.match(_without_article(wish)):
            return {entry["field"]: entry["value"]}
    return None


def _without_article(wish: str) -> str:
    return re.sub(r"^an? ", "", wish)


def by_season(wish: str, _scene: Scene) -> Values | None:
    """Understand "make it winter", "in autumn": a season, as the weather that shows it."""
    match = re.match(
        r"(?:make it |set it |now |put it |change it to |turn it (?:in)?to |feel |look |like )*(?:in |during )?(?:the )?(winter|autumn|fall)\Z",
        wish,
    )
    if match is None:
        return None
    return {"weather": "snow" if match[1] == "winter" else "falling leaves"}


def by_less(wish: str, scene: Scene) -> Values | None:
    """Understand "less joyful", "not so tense": away from the mood that is set."""
    match = re.match(
        r"(?:make it\s+)?(?:a bit\s+|much\s+|a lot\s+)?(?:less|not (?:so|too|as|that))\s+([\w-]+)\Z",
        wish,
    )
    term = canonical_term("mood", match[1]) if match else None
    if term is None:
        return None
    if scene.mood != term:
        return {}
    return {"mood": "energetic" if term == "calm" else "calm"}


def by_comparative(wish: str, _scene: Scene) -> Values | None:
    """Understand "funnier", "make it a bit windier": toward what the adjective says."""
    match = re.match(
        r"(?:(?:make|have) (?:it|this|the \w+) |a bit |a little |much |even |way |look |feel )*([a-z]+er)\Z",
        wish,
    )
    base = lemma(match[1], "ADJ") if match else ""
    if not match or base == match[1]:
        return None
    return exact_term(base)


def by_reveal(wish: str, scene: Scene) -> Values | None:
    """Understand "zoom out to reveal a castle": a movement, and what it shows."""
    match = re.match(r"(.+?)\s+(?:to|and)\s+(?:reveal|show|see|find)\s+(.+)\Z", wish)
    if match is None:
        return None
    moved = exact_term(match[1]) or by_table(match[1], scene)
    if not moved or "camera_movement" not in moved:
        return None
    return {**moved, "details": (*scene.details, with_article(match[2]))}
