"""Where the cast stands: rows, sides, depths, on top of what; and what of it the camera frames."""

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
from workbench.engines.animatic.tables import figures, lexicon
from workbench.engines.animatic.world import World

__all__ = ["framing", "staged"]

_DEPTHS: Final = {"front": 1.22, "behind": 0.66, "far": 0.42}
_ABOVE: Final = 0.8
_MIDDLE: Final = 0.02
_ASIDE: Final = 0.27
"""Distance from the middle of a figure on one side, in frame widths."""
_SPREAD: Final = (0.3, -0.3, 0.16, -0.16, 0.42, -0.42, 0.0)
"""Where figures in front or behind stand if no side is stated."""
_TOPS: Final = {"table": 0.98, "couch": 0.48, "chair": 0.5, "cube": 1.0, "rock": 0.8, "car": 0.95}
"""How high something can be stood on, in its own heights; 0.9 by default."""


def framing(script: Script, view: View, size: float) -> Framing:
    """Return what of the cast the camera is to frame; ``size`` enlarges or reduces it."""
    main = _main(script.actors)
    if not main:
        return Framing(0.5, 0.3, size)
    tall = max(figure_size(actor) for actor in main)
    number = sum(actor.count for actor in main)
    wide = sum(footprint(a, side_shown(script, a)) * a.count for a in main)
    wide *= 0.5 if number > 4 else 1.0
    near = (0.46 / tall) ** 0.7 if tall < 0.46 else 1.0
    near = size * min(near, 0.82 * view.aspect / max(0.1, wide))
    # What is poured from is held above.
    pours = any(actor.gait == "pour" and actor.place.upon for actor in script.actors)
    near *= 0.55 if pours else 1.0
    foot = GROUND - _height_of(script, main[0], 0)
    people = any(acted(actor)["form"] == "person" or actor.rider for actor in main)
    # A close-up of somebody is one of the head; of anything else, of as much as fills the frame.
    head = foot + tall * (1.0 if people else 0.62)
    most = math.inf if people else (0.55 if pours else 1.05) / tall
    return Framing(head, foot + tall * 0.5, near, most)


def staged(world: World) -> list[Performance]:
    """Return the cast of the script, placed on the stage, farthest first."""
    actors = world.script.actors
    numbers = {id(actor): index for index, actor in enumerate(actors)}
    placed: list[tuple[Actor, Performance]] = []

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
                place(actor, under.x + 0.16 * index, y, under.p + 0.002, count)
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
    """Return ``actor`` in clothes of its own where several would look alike."""
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
    """Return the figures side by side, in one row or two: who, where across, how deep."""
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
    return made


def _width_seen(world: World, p: float) -> float:
    """Return how wide the picture is at parallax ``p``, in the middle of the film."""
    return world.view.aspect / world.path[len(world.path) // 2].scale(p)


def _top(under: Performance) -> float:
    """Return the height at which something stands that is on ``under``."""
    player = under.parts[0]
    share = _TOPS.get(player.actor.figure, 0.9)
    if player.spec["form"] == "quadruped":
        share = 0.75
    return player.y - share * float(figures()[player.actor.figure]["size"])


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
