"""Default depths: puts crowds and the fittings of a house behind the actors."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Final

from workbench.engines.animatic.script import Actor, Place
from workbench.engines.animatic.tables import figures

__all__ = ["set_back"]

_FITTINGS: Final = frozenset(
    {"door", "window", "curtain", "bookshelf", "painting", "stairs", "mirror", "locker"}
)
"""Figures that stand at a wall unless they are the subject."""
_OPENINGS: Final = frozenset({"door", "window"})
_LIVING: Final = frozenset({"person", "quadruped"})
_BUILT: Final = frozenset({"building", "tower"})
_ENLARGED: Final = 1.5
"""Scale of a building beside living figures, before perspective."""
_CROWD: Final = 4
"""Minimum people in a crowd behind the lead."""
_MOST_FITTINGS: Final = 2


def set_back(actors: Sequence[Actor], leads: Container[str]) -> tuple[Actor, ...]:
    """Return ``actors`` with crowds and the fittings of a house behind the others.

    ``leads`` are the subjects of the scene. Doors and windows of a vehicle are dropped.
    """
    about_things = all(_form(actor) == "drawing" for actor in actors if actor.figure in leads)
    actors = tuple(_behind(actor, leads, about_things=about_things) for actor in actors)
    if any(_form(actor) in _LIVING for actor in actors):
        actors = tuple(_beyond(actor) for actor in actors)
    shown = {key for actor in actors for key in figures()[actor.figure].get("shows", ())}
    actors = tuple(a for a in actors if a.figure not in shown or a.figure in leads)
    others = [actor for actor in actors if actor.figure not in _FITTINGS]
    has_own = any(figures()[a.figure].get("kind") or _form(a) == "car" for a in others)
    kept: list[Actor] = []
    for actor in actors:
        if actor.figure not in _FITTINGS or actor.figure in leads or not others:
            kept.append(actor)
        elif not (has_own and actor.figure in _OPENINGS):
            place = actor.place if actor.place != Place() else Place(depth="behind")
            kept.append(replace(actor, count=min(actor.count, _MOST_FITTINGS), place=place))
    return tuple(kept)


def _beyond(actor: Actor) -> Actor:
    """Return ``actor``; a building without a stated place is set behind and enlarged."""
    is_building = figures()[actor.figure].get("kind") in _BUILT
    if actor.place != Place() or not is_building:
        return actor
    return replace(actor, place=Place(depth="behind"), scale=_ENLARGED)


def _behind(actor: Actor, leads: Container[str], *, about_things: bool) -> Actor:
    """Return ``actor``, set back if it is a crowd, or people beside a leading thing."""
    least = 2 if about_things else _CROWD
    is_crowd = _form(actor) == "person" and actor.count >= least
    if actor.place != Place() or actor.figure in leads or not is_crowd:
        return actor
    return replace(actor, place=Place(depth="behind"))


def _form(actor: Actor) -> str:
    return str(figures()[actor.figure]["form"])
