"""Places that the camera moves into: a corridor, and the road or track ahead.

All share one vanishing point. Nearer parts cover farther ones, and as the camera advances, each
ring of the corridor and each row of trees grows according to its distance.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

from workbench.engines.animatic.acting import acted, motion_of
from workbench.engines.animatic.backdrops import trees
from workbench.engines.animatic.backdrops.ground import fill_below, mountains, skyline
from workbench.engines.animatic.backdrops.land import GRASS, LEAF, covered
from workbench.engines.animatic.backdrops.sky import sky_layers
from workbench.engines.animatic.camera import GROUND
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World

__all__ = ["PASSAGES", "corridor", "railway_ahead", "road_ahead"]

PASSAGES: Final = frozenset({"corridor", "road ahead", "railway ahead"})
"""Backdrops that the camera moves into unless the camera is static."""

_DEPTHS: Final = (0.11, 0.155, 0.22, 0.31, 0.45, 0.64, 0.92, 1.5)
_HALF: Final = 0.66
_CEILING: Final = -0.56
_FAR_OUT: Final = 9.0
_SPARE: Final = 0.06
_ROAD: Final = 0.95
_DASH: Final = 1.3
"""Spacing of the dashes on the road, in distances to the subject."""
_PHASES: Final = 8
_ROWS: Final = (0.10, 0.15, 0.22, 0.32, 0.47, 0.68, 1.0)
_GAUGE: Final = 0.095
_SLEEPERS: Final = 0.26
"""Spacing of the sleepers, in distances to the subject."""


def corridor(world: World) -> list[Layer]:
    """Return a long corridor with doors and lamps, and a bright end."""
    floor = GROUND + 0.02
    canvas = world.canvas(_DEPTHS[0])
    canvas.gradient(
        ((-0.1, world.tone((0.94, 0.93, 0.9), 0.8)), (0.1, world.tone((0.78, 0.77, 0.76), 0.8)))
    )
    canvas.rectangle(-0.028, -0.04, 0.028, floor * _DEPTHS[0], world.tone((0.42, 0.3, 0.2), 0.8))
    end = world.layer(canvas, _DEPTHS[0], solid=-99)
    rings = [_ring(world, index, floor) for index in range(len(_DEPTHS) - 1)]
    return [end, *rings]


def _ring(world: World, index: int, floor: float) -> Layer:
    """Return one section of the corridor: all outside its farther opening."""
    p, q = _DEPTHS[index], _DEPTHS[index + 1]
    # Paint outwards as far as the next ring ever leaves it uncovered.
    bare = q * max(c.scale(q) / c.scale(p) for c in world.sight.cameras) * 1.04
    bare += _SPARE
    whole = world.canvas(p)
    box = [whole.x0, whole.y0, whole.x1, whole.y1]
    if index < len(_DEPTHS) - 2:
        box[0], box[2] = max(box[0], -_HALF * bare), min(box[2], _HALF * bare)
        box[1], box[3] = max(box[1], _CEILING * bare), min(box[3], floor * bare)
    canvas = Canvas(box[0], box[1], box[2], box[3], whole.px)
    light = 0.62 + 0.3 * (index % 2)
    far = 0.5 + 0.5 * p

    def tone(colour: Colour, lit: float) -> Colour:
        return world.tone(colour, min(1.0, far), lit=lit * light)

    corners = [(-_HALF, floor), (_HALF, floor), (_HALF, _CEILING), (-_HALF, _CEILING)]
    wall: Colour = (0.80, 0.76, 0.68)
    sides: list[tuple[Colour, float]] = [((0.46, 0.40, 0.35), 0.75), (wall, 0.62)]
    sides += [((0.88, 0.87, 0.84), 0.9), (wall, 0.95)]
    for side, (colour, lit) in enumerate(sides):
        a, b = corners[side], corners[(side + 1) % 4]
        near = [(b[0] * _FAR_OUT, b[1] * _FAR_OUT), (a[0] * _FAR_OUT, a[1] * _FAR_OUT)]
        canvas.polygon([(a[0] * p, a[1] * p), (b[0] * p, b[1] * p), *near], tone(colour, lit))
    for x in (-_HALF / 3, _HALF / 3):
        seam = [(x * p, floor * p), (x * _FAR_OUT, floor * _FAR_OUT)]
        canvas.line(seam, 0.006 * p, tone((0.34, 0.29, 0.26), 0.6))
    for side in (-1, 1):
        if any(actor.figure == "locker" for actor in world.script.actors):
            _lockers(canvas, side, (p, q), floor, tone)
        else:
            _wall(canvas, side, (p, q), floor, tone, door=index % 2 == (side > 0))
    if index % 2:
        lamp = [(x * d, (_CEILING + 0.01) * d) for x, d in _strip_of(0.15, p, q)]
        canvas.polygon(lamp, world.tone((1.0, 0.97, 0.88), 1.0, lit=1.5))
    return world.layer(canvas, p)


def _strip_of(half: float, p: float, q: float) -> list[tuple[float, float]]:
    a, b = p + (q - p) * 0.25, p + (q - p) * 0.75
    return [(-half, a), (half, a), (half, b), (-half, b)]


def _wall(
    canvas: Canvas,
    side: int,
    depths: tuple[float, float],
    floor: float,
    tone: Callable[[Colour, float], Colour],
    *,
    door: bool,
) -> None:
    p, q = depths

    def at(distance: float, y: float) -> tuple[float, float]:
        return side * _HALF * distance, y * distance

    canvas.polygon(
        [at(p, floor), at(_FAR_OUT, floor), at(_FAR_OUT, floor - 0.05), at(p, floor - 0.05)],
        tone((0.36, 0.32, 0.30), 0.6),
    )
    near, far = p + (q - p) * 0.72, p + (q - p) * 0.2
    if door:
        frame = [at(far, floor), at(near, floor), at(near, -0.20), at(far, -0.20)]
        canvas.polygon(frame, tone((0.30, 0.24, 0.20), 0.6))
        a, b = far + (near - far) * 0.08, near - (near - far) * 0.08
        panel = [at(a, floor), at(b, floor), at(b, -0.18), at(a, -0.18)]
        canvas.polygon(panel, tone((0.46, 0.56, 0.58), 0.8))
        knob = at(a + (b - a) * 0.2, 0.13)
        canvas.ellipse(*knob, 0.014 * p, 0.02 * p, tone((0.86, 0.78, 0.5), 0.9))
    else:
        picture = [at(far, 0.05), at(near, 0.05), at(near, -0.16), at(far, -0.16)]
        canvas.polygon(picture, tone((0.30, 0.24, 0.20), 0.7))
        a, b = far + (near - far) * 0.12, near - (near - far) * 0.12
        sight = [at(a, 0.03), at(b, 0.03), at(b, -0.14), at(a, -0.14)]
        canvas.polygon(sight, tone((0.50, 0.64, 0.70), 0.9))


def _lockers(
    canvas: Canvas,
    side: int,
    depths: tuple[float, float],
    floor: float,
    tone: Callable[[Colour, float], Colour],
) -> None:
    """Paint a row of lockers along one section of a wall."""
    p, q = depths
    edges = [p + (q - p) * share for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for number, (a, b) in enumerate(pairwise(edges)):
        x0, x1 = side * _HALF * 0.94 * a, side * _HALF * 0.94 * b
        face = [(x0, floor * a), (x1, floor * b), (x1, -0.22 * b), (x0, -0.22 * a)]
        canvas.polygon(face, tone((0.20, 0.50, 0.54), 0.8 - 0.12 * (number % 2)))
        canvas.line([(x0, floor * a), (x0, -0.22 * a)], 0.008 * a, tone((0.10, 0.22, 0.25), 0.6))
        for y in (-0.16, -0.13):
            slit = [(x0 + (x1 - x0) * u, y * (a + (b - a) * u)) for u in (0.25, 0.75)]
            canvas.line(slit, 0.006 * a, tone((0.08, 0.16, 0.18), 0.5))


def road_ahead(world: World) -> list[Layer]:
    """Return a straight road to the horizon that keeps coming, with trees passing on both sides."""
    return _way_ahead(world, _road, _ROAD * 1.35)


def railway_ahead(world: World) -> list[Layer]:
    """Return a straight track to the horizon between trees."""
    return _way_ahead(world, _track, 0.62)


def _way_ahead(
    world: World, paint: Callable[[World, Canvas, float], None], clear: float
) -> list[Layer]:
    way = _runs(world)
    return [
        *sky_layers(world),
        mountains(world, 0.04, (0.40, 0.48, 0.60), height=0.15, snow=0.4),
        _plain(world),
        *(_moment(world, paint, phase, way) for phase in range(_PHASES if way else 1)),
        *(_row(world, p, clear) for p in _ROWS),
    ]


def _runs(world: World) -> int:
    """Return the motion of the ground: 1 towards the camera, −1 away, 0 none."""
    actors = world.script.actors
    if not actors:
        return 1
    if not motion_of(acted(actors[0]), actors[0].gait).speed:
        return 0
    return -1 if world.script.camera_angle == "front view" else 1


def _plain(world: World) -> Layer:
    canvas = world.canvas(0.0, top=-0.02)
    green = covered(world, GRASS)
    edge = skyline(world, canvas.x0, canvas.x1)
    edge[:, 1] *= 0.004
    far = world.tone(mix(green, (0.8, 0.82, 0.6), 0.35), 0.3)
    fill_below(world, canvas, edge, far, world.tone(green, 1.0, lit=0.75), 0.5)
    return world.layer(canvas, 0.0, solid=0.02, texture=0.12)


def _moment(
    world: World, paint: Callable[[World, Canvas, float], None], phase: int, way: int
) -> Layer:
    """Return the road or track with its marks at this phase of their cycle."""
    canvas = world.canvas(0.0, top=-0.01)
    paint(world, canvas, phase / _PHASES)

    def shown(t: float) -> bool:
        return int(t * _PHASES * 2.4) * way % _PHASES == phase

    return world.layer(canvas, 0.0, shown=shown if way else None)


def _flat(
    world: World, left: float, right: float, first: float, last: float
) -> list[tuple[float, float]]:
    """Return the outline of a piece of level ground, from its sides and distances."""
    ground = GROUND - world.path[0].y
    near, far = 1 / first, 1 / last
    return [
        (left * far, ground * far),
        (right * far, ground * far),
        (right * near, ground * near),
        (left * near, ground * near),
    ]


def _road(world: World, canvas: Canvas, moved: float) -> None:
    tar, white = covered(world, (0.29, 0.30, 0.33), 0.5), (0.93, 0.92, 0.88)
    # A vehicle ahead keeps to the middle lane.
    verge, lanes = _ROAD * 1.12, (-0.3, 0.3) if world.script.actors else (0.0,)
    canvas.polygon(_flat(world, -verge, verge, 0.2, 60), world.tone((0.60, 0.56, 0.48)))
    canvas.polygon(_flat(world, -_ROAD, _ROAD, 0.2, 60), world.tone(tar, 0.95, lit=0.8))
    for x in (-_ROAD * 0.93, _ROAD * 0.93):
        edge = _flat(world, x - 0.02, x + 0.02, 0.2, 40)
        canvas.polygon(edge, world.tone(white, 0.95, lit=0.85))
    for number in range(14):
        start = (number - moved) * _DASH
        if start + 0.6 < 0.25:
            continue
        yellow = world.tone((0.95, 0.76, 0.26), max(0.4, 1 - 0.05 * start), lit=0.9)
        for x in lanes:
            dash = _flat(world, x - 0.022, x + 0.022, max(0.2, start), start + 0.6)
            canvas.polygon(dash, yellow)


def _track(world: World, canvas: Canvas, moved: float) -> None:
    gravel, wood = covered(world, (0.54, 0.51, 0.48), 0.7), (0.36, 0.28, 0.22)
    canvas.polygon(_flat(world, -0.3, 0.3, 0.2, 60), world.tone(gravel, 0.9, lit=0.6))
    canvas.polygon(_flat(world, -0.24, 0.24, 0.2, 60), world.tone(gravel, 0.9, lit=0.85))
    for number in range(48, 0, -1):
        start = (number - moved) * _SLEEPERS
        if start > 0.2:
            tone = world.tone(wood, max(0.4, 1 - 0.05 * start), lit=0.65)
            canvas.polygon(_flat(world, -0.17, 0.17, start, start + 0.09), tone)
    for x in (-_GAUGE, _GAUGE):
        rail = _flat(world, x - 0.013, x + 0.013, 0.2, 60)
        canvas.polygon(rail, world.tone((0.40, 0.36, 0.34), 0.9, lit=0.6))
        shine = _flat(world, x - 0.006, x + 0.006, 0.2, 60)
        canvas.polygon(shine, world.tone((0.80, 0.82, 0.86), 0.9, lit=0.95))


def _row(world: World, p: float, clear: float) -> Layer:
    """Return trees and bushes at one distance on both sides, ``clear`` of the road or track."""
    foot = world.ground_at(p)
    canvas = world.canvas(p, top=foot - 0.75 * p - 0.06, bottom=foot + 0.03)
    random = world.random
    for side in (-1, 1):
        x = clear * p + float(random.uniform(0, 0.3)) * p
        end = canvas.x1 if side > 0 else -canvas.x0
        while x < end + 0.2:
            tall = float(random.uniform(0.34, 0.62)) * p
            paint = trees.broadleaf if random.random() < 0.7 else trees.bush
            size = tall if paint is trees.broadleaf else tall * 0.22
            paint(world, canvas, (side * x, foot + 0.01 * p), size, p, LEAF)
            x += float(random.uniform(0.5, 1.1)) * (0.45 + p * 0.5) * min(1.0, p + 0.4)
    return world.layer(canvas, p)
