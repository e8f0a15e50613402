"""Places the cast: rows, sides, depths and supports; and what the camera frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from workbench.engines.animatic.acting import acted, figure_size, footprint, motion_of, side_shown
from workbench.engines.animatic.camera import GROUND, Framing, View
from workbench.engines.animatic.figures.drawing import colours, pours_at
from workbench.engines.animatic.performance import Performance
from workbench.engines.animatic.script import Actor, Script
from workbench.engines.animatic.tables import lexicon
from workbench.engines.animatic.world import World

__all__ = ["framing", "staged"]

_DEPTHS: Final = {"front": 1.22, "behind": 0.66, "far": 0.42}
_ABOVE: Final = 0.8
_MIDDLE: Final = 0.02
_ASIDE: Final = 0.27
"""Distance from the middle of a figure on one side, in frame widths."""
_LAID: Final = (0.0, 0.15, -0.15, 0.24, -0.24, 0.08, -0.08)
"""Positions of things on their support, from its middle."""
_STAYS: Final = frozenset({"sleep", "lie", "sit"})
_SPREAD: Final = (0.3, -0.3, 0.16, -0.16, 0.42, -0.42, 0.0)
"""Positions of figures in front or behind without a stated side."""
_CLOSE: Final = frozenset({"medium close-up", "close-up", "extreme close-up"})
_BROAD: Final = 0.9
"""Maximum share of the frame width of the broadest thing in a close-up."""
_SMALL: Final = 0.3
"""Height of a thing, in frame heights, below which the camera is lowered to it."""
_TOPS: Final = {
    "table": 0.98,
    "couch": 0.48,
    "chair": 0.5,
    "cube": 1.0,
    "rock": 0.8,
    "car": 0.95,
    "ship": 0.5,
    "galleon": 0.4,
}
"""Height of the standing surface, in heights of the figure; 0.9 by default."""


def framing(script: Script, view: View, size: float) -> Framing:
    """Return what the camera frames of the cast; ``size`` scales it."""
    main = _main(script.actors)
    if not main:
        return Framing(0.5, 0.3, size)
    tall = max(figure_size(actor) for actor in main)
    number = sum(actor.count for actor in main)
    wide = sum(footprint(a, side_shown(script, a)) * a.count for a in main)
    wide *= 0.5 if number > 4 else 1.0
    heads = [figure_size(a) for a in main if acted(a)["form"] == "person" or a.rider]
    subject = max(heads) if heads and acted(main[0])["form"] == "person" else tall
    near = (0.46 / subject) ** 0.7 if subject < 0.46 else 1.0
    near = size * min(near, 0.82 * view.aspect / max(0.1, wide))
    # A pouring vessel is held above.
    pours = any(actor.gait == "pour" and actor.place.upon for actor in script.actors)
    near *= 0.55 if pours else 1.0
    foot = GROUND - _height_of(script, main[0], 0)
    people = bool(heads)
    # A close-up of a person frames the head; of anything else, as much as fills the frame.
    head = foot + (max(heads) if people else tall * 0.62)
    if main[0].rider and "seat" in acted(main[0]):
        seat = acted(main[0])["seat"]
        head = foot + float(acted(main[0])["size"]) * (float(seat[2]) - float(seat[1]))
    most = math.inf
    if not people:
        broad = max(footprint(actor, side_shown(script, actor)) for actor in main)
        most = min((0.55 if pours else 1.05) / tall, _BROAD * view.aspect / broad)
        if number > 1:
            closer = 1.7 if script.shot_size == "extreme close-up" else 1.0
            most = min(most, _BROAD * view.aspect / wide / closer)
    small = all(acted(a)["form"] == "drawing" and "kind" not in acted(a) for a in main)
    follow = 1.0 if small and tall < _SMALL and foot < _SMALL else 0.0
    return Framing(head, foot + tall * 0.5, near, most, follow)


def staged(world: World) -> list[Performance]:
    """Return the cast of the script, placed on the stage, farthest first."""
    actors = world.script.actors
    numbers = {id(actor): index for index, actor in enumerate(actors)}
    placed: list[tuple[Actor, Performance]] = []

    laid: dict[Performance, int] = {}

    main = _main(actors)
    faces = _face_each_other(world.script, main)

    def place(actor: Actor, x: float, y: float, p: float, index: int) -> None:
        mirrored = faces and actor in main and x > _MIDDLE
        one = Performance(
            world, _varied(actor, index), (x, y, p), offset=0.37 * index, mirrored=mirrored
        )
        placed.append((actor, one))

    for index, (actor, x, p) in enumerate(_row(world, main)):
        place(actor, x, _height_of(world.script, actor, index), p, index)
    for actor in actors:
        if actor in main:
            continue
        for index in range(actor.count):
            count = index + numbers[id(actor)]
            under = next((p for a, p in placed if a.figure == actor.place.upon), None)
            if under is not None:
                if actor.gait == "pour":
                    size = float(acted(actor)["size"])
                    x, _ = pours_at(acted(actor)["look"])
                    place(actor, under.x - x * size, GROUND, under.p + 0.002, count)
                    continue
                y = _top(under)
                there = laid[under] = laid.get(under, -1) + 1
                x = under.x + (_LAID[there % len(_LAID)] if actor.gait not in _STAYS else 0.0)
                place(actor, x, y, under.p + 0.002, count)
                continue
            p = _DEPTHS.get(actor.place.depth, _ABOVE if actor.place.is_above else 1.0)
            where = actor.place.side * _ASIDE or _SPREAD[count % len(_SPREAD)]
            if actor.place.is_above and not actor.place.side:
                where *= 0.4
            x = (where + 0.09 * index) * _width_seen(world, p) / p
            y = _height_of(world.script, actor, index)
            if actor.place.is_above:
                y = min(y, -0.2 + 0.5 * float(acted(actor)["size"]))
            place(actor, x, y, p, count)
    return sorted((performance for _, performance in placed), key=lambda one: one.p)


def _varied(actor: Actor, index: int) -> Actor:
    """Return ``actor`` in different clothes if several would look alike."""
    if not index or actor.count < 2 or actor.colour or acted(actor)["form"] != "person":
        return actor
    crowd = lexicon()["crowd"]
    own = {key: colours()[names[(index * 7) % len(names)]] for key, names in crowd.items()}
    if actor.upright or not _wears_anything(actor):
        return actor
    look = tuple(sorted({**own, **dict(actor.look)}.items()))
    return replace(actor, look=look, later=tuple(replace(one, look=look) for one in actor.later))


def _wears_anything(actor: Actor) -> bool:
    """Tell whether clothes may vary: not for robots, astronauts or uniforms."""
    return actor.figure in {"person", "man", "woman", "girl", "child"}


def _face_each_other(script: Script, main: Sequence[Actor]) -> bool:
    """Tell whether two figures that stay in place face each other."""
    if sum(actor.count for actor in main) != 2:
        return False
    states = [state for actor in main for state in (actor, *actor.later)]
    return all(
        side_shown(script, state) == "side"
        and acted(state)["form"] in {"person", "quadruped"}
        and not motion_of(acted(state), state.gait).speed
        for state in states
    )


def _main(actors: Sequence[Actor]) -> tuple[Actor, ...]:
    """Return the actors in the middle of the action, or all."""
    known = {actor.figure for actor in actors}
    aside = [
        actor
        for actor in actors
        if actor.place.depth or actor.place.is_above or actor.place.upon in known - {actor.figure}
    ]
    return tuple(actor for actor in actors if actor not in aside) or tuple(actors)


def _row(world: World, actors: Sequence[Actor]) -> list[tuple[Actor, float, float]]:
    """Return the figures in one or two rows: actor, position across, depth."""
    in_order = sorted(actors, key=lambda actor: actor.place.side)
    cast = [actor for actor in in_order for _ in range(actor.count)]
    widths = [footprint(actor, side_shown(world.script, actor)) for actor in cast]
    rows = 2 if len(cast) > 4 else 1
    total = sum(widths) * (0.86 if len(cast) > 1 else 1) / rows
    x = -total / 2
    made = []
    for index, (actor, width) in enumerate(zip(cast, widths, strict=True)):
        row = index % rows
        step = width * (0.86 if len(cast) > 1 else 1) / rows
        depth = 1.0 - 0.16 * row - (0.05 * (index % 2) if rows == 1 and len(cast) > 1 else 0)
        at = x + step / 2
        if side := actor.place.side:
            least = _ASIDE * _width_seen(world, depth) / depth
            at = side * max(abs(at), least)
        made.append((actor, at, depth))
        x += step
    return _about_the_lead(world.script, actors, made)


def _about_the_lead(
    script: Script, actors: Sequence[Actor], row: list[tuple[Actor, float, float]]
) -> list[tuple[Actor, float, float]]:
    """Return ``row`` with the lead in the middle for a close shot."""
    if not row:
        return row
    lead = actors[0]
    is_close = script.shot_size in _CLOSE and acted(lead)["form"] == "person"
    if not is_close or all(acted(actor)["form"] == "person" for actor in actors):
        return row
    middle = next((x for actor, x, _ in row if actor is lead), 0.0)
    return [(actor, x - middle, depth) for actor, x, depth in row]


def _width_seen(world: World, p: float) -> float:
    """Return the visible width at parallax ``p`` in the middle of the film."""
    return world.view.aspect / world.path[len(world.path) // 2].scale(p)


def _top(under: Performance) -> float:
    """Return the height at which something on ``under`` stands."""
    player = under.parts[0]
    share = _TOPS.get(player.actor.figure, 0.9)
    if player.spec["form"] == "quadruped":
        share = 0.75
    return player.y - share * player.size


def _height_of(script: Script, actor: Actor, index: int) -> float:
    """Return the height at which ``actor`` stands, flies or swims: its foot, in units."""
    spec = acted(actor)
    size, kind = float(spec["size"]), spec.get("kind", "")
    flying = spec["form"] in {"bird", "insect"} and actor.gait in {"fly", "glide"}
    aloft = (
        (kind in {"aircraft", "sky"} and actor.gait != "rest")
        or kind == "sky"
        or spec["form"] == "firework"
    )
    stagger = 0.11 * ((index % 3) - 1) if index else 0.0
    if spec["form"] == "firework":
        return -0.2 + 0.5 * size
    if script.backdrop == "car interior":
        return GROUND - 0.13
    if script.backdrop in {"space", "underwater", "sky"} or flying or aloft:
        return -0.06 + 0.5 * size + stagger
    if spec["form"] in {"fish", "jelly"}:
        return 0.12 + 0.5 * size + stagger
    if kind == "vessel" and script.backdrop in {"ocean", "river", "lake", "beach", "skyline"}:
        return GROUND - 0.02
    return GROUND
