"""Relative sizes of the figures of one cast.

A figure alone is drawn large. Beside a larger one it is smaller, by their heights in metres with a
softened ratio, so that an ant beside a girl is small but visible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from workbench.engines.animatic.script import Actor
from workbench.engines.animatic.tables import figures

__all__ = ["SOFTENED", "metres_of", "proportioned"]

SOFTENED: Final = 0.62
"""Exponent on the true ratio of two heights."""
_LEAST: Final = 0.075
"""Minimum height of a figure beside others, in frame heights at a full shot."""
_WIDE: Final = 2.0
"""Width over height from which a flat thing may be lower than the minimum."""
_BY_FORM: Final[Mapping[str, float]] = {
    "person": 1.7,
    "quadruped": 0.8,
    "bird": 0.3,
    "fish": 0.25,
    "jelly": 0.4,
    "insect": 0.03,
    "crawler": 0.04,
    "snake": 0.15,
    "car": 1.5,
    "drawing": 0.3,
    "arm": 1.2,
}
"""Default height in metres by form."""
_SCENERY: Final = 3.0
"""Height in metres from which a figure is scenery, beside which nothing is scaled down."""


def proportioned(actors: Sequence[Actor]) -> tuple[Actor, ...]:
    """Return ``actors`` with small ones scaled down beside the largest living or movable one."""
    compared = [
        actor
        for actor in actors
        if _is_compared(actor)
        and metres_of(actor.figure) < _SCENERY
        and not actor.place.depth
        and actor.scale == 1
    ]
    if len({actor.figure for actor in compared}) < 2:
        return tuple(actors)
    largest = max(compared, key=lambda actor: metres_of(actor.figure))
    return tuple(_beside(actor, largest) if actor in compared else actor for actor in actors)


@cache
def metres_of(figure: str) -> float:
    """Return the real height of a figure, in metres."""
    spec: Mapping[str, Any] = figures()[figure]
    return float(spec.get("metres", _BY_FORM.get(str(spec["form"]), 1.0)))


def _beside(actor: Actor, largest: Actor) -> Actor:
    spec, size = figures()[actor.figure], float(figures()[actor.figure]["size"])
    true = metres_of(actor.figure) / metres_of(largest.figure)
    room = spec.get("room", (-0.5, -1, 0.5, 0))
    least = _LEAST / max(1.0, (room[2] - room[0]) / _WIDE)
    wanted = float(figures()[largest.figure]["size"]) * true**SOFTENED
    scale = min(1.0, max(wanted, least) / size)
    return replace(actor, scale=scale, later=tuple(replace(a, scale=scale) for a in actor.later))


def _is_compared(actor: Actor) -> bool:
    spec = figures()[actor.figure]
    return (
        actor.figure != "card"
        and spec["form"] != "firework"
        and spec.get("kind") not in {"sky", "water"}
    )
