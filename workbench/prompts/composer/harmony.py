"""Keeps a scene free of contradictions after a change: what was asked stays, the rest gives way."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from workbench.lexicon.words import tokens
from workbench.prompts.composer.casting import place_of
from workbench.prompts.composer.completing import choices
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.facts import ground
from workbench.prompts.composer.ranges import plausible
from workbench.scene import Origin, Scene

__all__ = ["clashes", "harmonize"]

_OF_THE_PLACE: Final = ("weather", "time_of_day", "lighting", "camera_movement")
"""Fields that are chosen for a place, in the order in which they are chosen."""
_PLACING: Final = frozenset({"subject", "action", "setting"})
_AIRLESS: Final = frozenset({"underwater", "space", "planet"})


@dataclass(frozen=True, slots=True)
class _Rule:
    """When ``field`` holds one of ``values``, ``other`` may not hold one of ``bars`` (None: any)."""

    field: str
    values: frozenset[str]
    other: str
    bars: frozenset[str] | None
    is_soft: bool

    def is_broken_by(self, scene: Scene) -> bool:
        """Tell whether ``scene`` holds what this rule bars."""
        if getattr(scene, self.field) not in self.values:
            return False
        value = getattr(scene, self.other)
        return bool(value) and (self.bars is None or value in self.bars)


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            rule["field"],
            frozenset(rule["values"]),
            rule["other"],
            None if rule["bars"] == ["*"] else frozenset(rule["bars"]),
            rule.get("soft", False),
        )
        for rule in load("conflicts")["rule"]
    )


@cache
def _rules_of(field: str) -> tuple[_Rule, ...]:
    return tuple(rule for rule in _rules() if rule.field == field)


def clashes(scene: Scene) -> tuple[tuple[str, str], ...]:
    """Return the pairs of fields of ``scene`` that contradict each other."""
    return tuple((rule.field, rule.other) for rule in _rules() if rule.is_broken_by(scene))


def harmonize(scene: Scene, changed: Collection[str], rng: random.Random) -> Scene:
    """Return ``scene`` with what contradicts the ``changed`` fields replaced or cleared.

    Changed and locked fields stay; a field that gives way gets a value that fits, as inferred, and
    may make others give way in turn. What was inferred for a subject, an action or a place that
    have changed, and does not fit them now, is inferred anew.
    """
    settled = set(changed)
    if settled & _PLACING:
        scene = _resettled(scene, settled, rng)
    waiting = list(settled)
    while waiting:
        for rule in _rules_of(waiting.pop()):
            if rule.other in settled or not _must_yield(scene, rule):
                continue
            scene = _chosen_anew(scene, rule.other, rule.bars, rng)
            settled.add(rule.other)
            waiting.append(rule.other)
    return scene


def _must_yield(scene: Scene, rule: _Rule) -> bool:
    if not rule.is_broken_by(scene):
        return False
    origin = scene.origin(rule.other)
    return origin is Origin.INFERRED if rule.is_soft else origin is not Origin.LOCKED


def _chosen_anew(
    scene: Scene, name: str, bars: Collection[str] | None, rng: random.Random
) -> Scene:
    """Return ``scene`` with another value of ``name`` that fits, or none where all are barred."""
    emptied = scene.edit({name: ""}, origin=Origin.INFERRED)
    options = [] if bars is None else [v for v in choices(name, emptied) if v not in bars]
    return emptied.edit({name: rng.choice(options)}, origin=Origin.INFERRED) if options else emptied


def _resettled(scene: Scene, settled: set[str], rng: random.Random) -> Scene:
    """Return ``scene`` with an inferred setting that fits who does what, and what hangs on a place."""
    if "setting" not in settled and scene.origin("setting") is Origin.INFERRED:
        moved = _moved(scene, rng)
        if moved is not scene:
            scene = moved
            settled.add("setting")
    if "setting" not in settled:
        return scene
    for name in _OF_THE_PLACE:
        value = getattr(scene, name)
        if name in settled or not value or scene.origin(name) is not Origin.INFERRED:
            continue
        if not _suits_place(name, value, scene):
            scene = _chosen_anew(scene, name, (value,), rng)
            settled.add(name)
    return scene


def _suits_place(name: str, value: str, scene: Scene) -> bool:
    if name == "time_of_day":
        place = ground(scene).place
        return place is None or place.kind not in _AIRLESS
    return value in plausible(name, scene)


def _moved(scene: Scene, rng: random.Random) -> Scene:
    """Return ``scene`` in another setting where it cannot be in its own; itself where it can."""
    rule = next(
        (r for r in load("conflicts")["place"] if not _can_be(r, scene, scene.setting)), None
    )
    if rule is None:
        return scene
    emptied = scene.edit({"setting": ""}, origin=Origin.INFERRED)
    own = [s for s in choices("setting", emptied) if _can_be(rule, emptied, s)]
    options = own or rule["instead"]
    return (
        emptied.edit({"setting": rng.choice(options)}, origin=Origin.INFERRED) if options else scene
    )


def _can_be(rule: Mapping[str, Any], scene: Scene, setting: str) -> bool:
    """Tell whether, as far as ``rule`` knows, ``scene`` can be in ``setting``."""
    acts = {t.lower() for t in tokens(scene.action)} & set(rule.get("actions", "").split())
    place = place_of(setting)
    if place is None or not (acts or ground(scene).kind in rule.get("kinds", ())):
        return True
    allowed = rule.get("where")
    return place.kind in allowed if allowed else place.kind not in rule.get("not_where", ())
