"""Relative steps of a field: closer, slower, later; more or less of a vocabulary term."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from workbench.prompts.intents.slots import exact_terms
from workbench.prompts.intents.words import (
    data,
    lemma,
)
from workbench.scene import Scene, terms

__all__ = ["graded", "stepped"]

_MIDDLE: Final = {"shot_size": "medium shot", "pace": "real time", "time_of_day": "midday"}


_LESS: Final[Mapping[str, Mapping[str, str]]] = {
    "weather": {
        "heavy rain": "rain", "thunderstorm": "rain", "rain": "drizzle", "drizzle": "clear",
        "blizzard": "snow", "snow": "clear", "fog": "mist", "mist": "clear", "overcast": "partly cloudy",
        "partly cloudy": "clear", "wind": "clear", "dust storm": "clear", "hail": "clear",
    },
}  # fmt: skip


_FAMILY: Final = {
    "rain": {"rain", "drizzle", "heavy rain", "thunderstorm"}, "snow": {"snow", "blizzard"},
    "fog": {"fog", "mist"}, "mist": {"fog", "mist"}, "thunderstorm": {"thunderstorm", "dust storm"},
    "overcast": {"overcast", "partly cloudy"}, "partly cloudy": {"overcast", "partly cloudy"},
}  # fmt: skip


_STRONGER: Final = {
    "rain": "heavy rain", "drizzle": "rain", "snow": "blizzard", "mist": "fog", "partly cloudy": "overcast",
    "clear": "clear",
}  # fmt: skip


def graded(named: Mapping[str, str], change: str, scene: Scene) -> Mapping[str, str]:
    """Return the values of ``named`` after ``change``: "more", "less" or "gone"."""
    made: dict[str, str] = {}
    for field, value in named.items():
        now = str(getattr(scene, field))
        family = _FAMILY.get(value, {value})
        if change == "more":
            more = _STRONGER.get(now if now in family else value, value)
            made[field] = more if more != now else f"strong {now}"
        elif field == "weather":
            made[field] = (
                "clear" if change == "gone" or now not in family else _LESS[field].get(now, "clear")
            )
        elif now in family:
            made[field] = ""
    return made


def stepped(text: str, scene: Scene) -> Mapping[str, str] | None:
    """Return the field values of a relative request: "darker", "much closer", "less foggy"."""
    text = re.sub(r"^(?:it|this|everything|camera)\s+(?:should be\s+|is\s+|be\s+)?", "", text)
    bare = re.sub(r"^an? ", "", text)
    for pattern, entry in _compiled("step"):
        found = pattern.fullmatch(text) or pattern.fullmatch(bare)
        if found is not None:
            return _step(found, entry, scene)
    for pattern, entry in _compiled("set"):
        if pattern.fullmatch(text) or pattern.fullmatch(bare):
            return {entry["field"]: entry["value"]}
    return _comparative(text)


@cache
def _compiled(section: str) -> Sequence[tuple[re.Pattern[str], Mapping[str, Any]]]:
    return tuple(
        (re.compile(rf"(?:{e['when']})", re.IGNORECASE), e) for e in data("steps")[section]
    )


def _step(found: re.Match[str], entry: Mapping[str, Any], scene: Scene) -> Mapping[str, str] | None:
    field = str(entry["field"])
    size = 2 if any(v for k, v in found.groupdict().items() if k.startswith("much")) else 1
    here = str(getattr(scene, field))
    ladder = entry.get("ladder")
    if ladder:
        if here not in ladder:
            start = {"fog": "fog", "rain": "rain", "snow": "snow", "cloud": "overcast"}[entry["of"]]
            return {field: start} if entry["by"] < 0 else {field: here}
        at = ladder.index(here) + entry["by"] * size
        return {field: ladder[min(max(at, 0), len(ladder) - 1)]}
    steps = terms(field)
    if field == "pace" and scene.pace != "time-lapse":
        steps = steps[:-1]
    start_at = steps.index(here) if here in steps else steps.index(_MIDDLE[field])
    at = min(max(start_at + entry["by"] * size, 0), len(steps) - 1)
    if field == "pace" and at == 0 and entry["by"] < 0:
        at = 1
    return {field: steps[at]}


def _comparative(text: str) -> Mapping[str, str] | None:
    found = re.fullmatch(
        r"(?:(?:make|have) (?:it|this|the \w+) |a bit |a little |much |even |way |look |feel )*([a-z]+er)",
        text,
    )
    base = lemma(found[1], "ADJ") if found else ""
    if not found or base == found[1]:
        return None
    return exact_terms(base)
