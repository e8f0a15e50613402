"""Designs variations: each changes a small, known set of fields, and the set spreads far.

Candidates are drawn over the scene's axes and chosen greedily, the one farthest from all that are
chosen first (max-min distance). Subject and action stay.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Final

from workbench.prompts.composer.composer import NAME, rng_for
from workbench.prompts.composer.editing import carry, reworded
from workbench.prompts.composer.harmony import clashes, harmonize
from workbench.prompts.composer.ranges import plausible
from workbench.prompts.model import Variation
from workbench.scene import Origin, Scene, terms

__all__ = ["AXES", "distance", "fields_of_axes", "vary"]

AXES: Final = {
    "camera": ("camera_movement", "shot_size", "camera_angle"),
    "light": ("lighting", "color_palette"),
    "time": ("time_of_day", "weather"),
    "mood": ("mood",),
    "style": ("style",),
    "pace": ("pace", "lens"),
    "setting": ("setting",),
}
"""What can be varied, and the fields of each axis."""
_WEIGHT: Final = {
    "setting": 3.0,
    "time_of_day": 2.0,
    "style": 2.0,
    "weather": 1.5,
    "lighting": 1.5,
    "camera_movement": 1.5,
    "mood": 1.0,
    "color_palette": 1.0,
    "shot_size": 1.0,
    "camera_angle": 1.0,
    "pace": 0.8,
    "lens": 0.6,
}
_WEIGHED: Final = itemgetter(*_WEIGHT)
_THE_USERS: Final = frozenset({Origin.SAID, Origin.EDITED})
_REPAIRS: Final = frozenset(
    [
        "lighting",
        "color_palette",
        "lens",
        "camera_angle",
        "shot_size",
        "weather",
        "time_of_day",
        "camera_movement",
    ]
)
"""Fields that may change along with others, so that the scene stays free of contradictions."""
_FEWEST, _MOST = 2, 4
"""Fields that one variation changes."""
_MANY_CANDIDATES, _FEW_CANDIDATES = 30, 4
"""Candidates drawn before the first choice, and before each further one."""
_REWORDINGS: Final = 60
"""Tries at other words for a scene of which nothing may change."""


def vary(
    parents: Sequence[tuple[str, Scene]],
    count: int,
    *,
    axes: Sequence[str] = (),
    hold: Sequence[str] = (),
    seed: int = 0,
    avoid: Collection[str] = (),
) -> list[Variation]:
    """Return ``count`` variations of ``parents``, shared out evenly; all distinct.

    ``axes`` names axes or fields to vary (all by default); ``hold`` fields that stay. No text
    equals a parent's or one of ``avoid``.
    """
    if not parents or count <= 0:
        return []
    rng = rng_for(seed, [p for p, _ in parents], tuple(axes), tuple(hold))
    plans = [
        _Plan(
            prompt, scene, _free(scene, fields_of_axes(axes), frozenset(hold)), frozenset(hold), {}
        )
        for prompt, scene in parents
    ]
    taken = {p for p, _ in parents} | set(avoid)
    chosen: list[Variation] = []
    scenes = [scene for _, scene in parents]
    for number in range(count):
        parent = number % len(parents)
        made = _next(plans[parent], parent, scenes, taken, rng)
        chosen.append(made)
        taken.add(made.prompt)
        scenes.append(made.scene)
    return chosen


def distance(one: Scene, other: Scene) -> float:
    """Return how far apart two scenes are: the weights of the fields in which they differ."""
    pairs = zip(_WEIGHT.items(), _WEIGHED(one.__dict__), _WEIGHED(other.__dict__), strict=True)
    return sum(
        w * _apart(name, mine, theirs) for (name, w), mine, theirs in pairs if mine != theirs
    )


def _apart(name: str, mine: str, theirs: str) -> float:
    steps = _steps(name)
    if mine in steps and theirs in steps:
        return 0.4 + 0.6 * abs(steps[mine] - steps[theirs]) / (len(steps) - 1)
    return 1.0


@cache
def _steps(name: str) -> Mapping[str, int]:
    """Return the place of each term along the axis of ``name``; empty for a field without one."""
    along = terms(name) if name in {"shot_size", "pace", "time_of_day"} else ()
    return {term: number for number, term in enumerate(along)}


def fields_of_axes(axes: Sequence[str]) -> tuple[str, ...]:
    """Return the fields that ``axes``, axes or fields by name, stand for; all that vary for none."""
    if not axes:
        return tuple(name for names in AXES.values() for name in names)
    return tuple(dict.fromkeys(name for axis in axes for name in AXES.get(axis, (axis,))))


@dataclass(slots=True)
class _Plan:
    """What one parent's variations are drawn from."""

    prompt: str
    scene: Scene
    free: tuple[str, ...]
    hold: frozenset[str]
    pool: dict[Scene, tuple[int, float]]
    """Candidates not yet chosen: how many scenes each was held against, and the nearest one."""


def _next(
    plan: _Plan,
    index: int,
    scenes: Sequence[Scene],
    taken: Collection[str],
    rng: random.Random,
) -> Variation:
    """Return the candidate farthest from all of ``scenes`` as a variation."""
    wanted = _FEW_CANDIDATES if plan.pool else _MANY_CANDIDATES
    chosen = set(scenes)
    for _ in range(wanted):
        plan.pool.setdefault(_candidate(plan.scene, plan.free, plan.hold, rng), (0, math.inf))
    for candidate, (counted, nearest) in tuple(plan.pool.items()):
        if candidate in chosen:
            del plan.pool[candidate]
            continue
        apart = [nearest, *(distance(candidate, s) for s in scenes[counted:])]
        plan.pool[candidate] = (len(scenes), min(apart))
    for candidate in sorted(plan.pool, key=lambda c: -plan.pool[c][1]):
        text = carry(plan.prompt, plan.scene, candidate, rng)
        if text not in taken:
            changes = plan.scene.changes_to(candidate)
            return Variation(text, candidate, index, changes, NAME)
    return _stretched(plan, index, taken, rng)


def _free(scene: Scene, fields: Sequence[str], hold: frozenset[str]) -> tuple[str, ...]:
    """Return the fields that may vary: not held, not locked and, where enough is left, not said."""
    open_fields = [f for f in fields if f not in hold and not scene.is_locked(f)]
    unsaid = [f for f in open_fields if scene.origin(f) not in _THE_USERS]
    return tuple(unsaid if len(unsaid) >= 4 else open_fields)


def _candidate(
    scene: Scene, free: Sequence[str], hold: frozenset[str], rng: random.Random
) -> Scene:
    guarded = scene.lock(*(f for f in hold if getattr(scene, f)))
    standing = set(clashes(guarded))
    wanted = min(rng.randint(_FEWEST, 3), len(free))
    made = guarded
    changed: frozenset[str] = frozenset()
    for name in rng.sample(list(free), len(free)):
        if len(changed) >= wanted:
            break
        options = [v for v in plausible(name, made) if v != getattr(made, name)]
        if not options:
            continue
        trial = made.edit({name: rng.choice(options)}, origin=Origin.INFERRED)
        trial = harmonize(trial, {*changed, name}, rng)
        differing = guarded.differing(trial)
        if (
            len(differing) <= _MOST
            and standing.issuperset(clashes(trial))
            and differing - changed <= _REPAIRS.union(free)
        ):
            made, changed = trial, differing
    return made.with_origins_of(scene, hold)


def _stretched(plan: _Plan, index: int, taken: Collection[str], rng: random.Random) -> Variation:
    """Return a variation when plausible ones have run out: any terms of any free fields.

    Where one is taken, or no field is free, other words are found for the same scene.
    """
    prompt, scene = plan.prompt, plan.scene
    pool = [f for f in plan.free if terms(f)]
    for width in (2, 3, 4, 5, 6) if pool else ():
        for _ in range(60):
            values = {f: rng.choice(terms(f)) for f in rng.sample(pool, min(width, len(pool)))}
            made = scene.edit(values, origin=Origin.INFERRED)
            if made == scene:
                continue
            text = carry(prompt, scene, made, rng)
            text = reworded(text, made, rng) if text in taken else text
            if text not in taken:
                return Variation(text, made, index, scene.changes_to(made), NAME)
    text = prompt
    for _ in range(_REWORDINGS):
        if text not in taken:
            break
        text = reworded(prompt, scene, rng)
    number = 2
    while text in taken:
        text = f"{prompt} Take {number}."
        number += 1
    return Variation(text, scene, index, (), NAME)
