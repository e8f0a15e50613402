"""The placement of every sprite in one frame: position, depth and name.

Used by the channels, not by the drawing itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.engines.animatic.camera import Camera
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.planes import Sprite

__all__ = ["Placement", "names_of", "placements"]

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Placement:
    """One sprite in one frame."""

    key: Hashable
    """Identifies the thing across frames."""
    name: str
    is_entity: bool
    sprite: Sprite
    onto: Matrix
    """3×3: from a pixel of the sprite to one of the frame."""
    moves: Matrix
    """3×3: from the thing's own coordinates, which move with it, to a pixel of the frame."""
    distance: float
    """Distance to its plane along the stage's axis, in stage units; infinite for the sky."""


def names_of(film: Film) -> list[str]:
    """Return the names of the film's figures, farthest first, numbered within a kind."""
    words = [one.parts[0].actor.words or one.parts[0].actor.figure for one in film.players]
    many = Counter(words)
    seen: Counter[str] = Counter()
    names = []
    for word in words:
        seen[word] += 1
        names.append(f"{word} {seen[word]}" if many[word] > 1 else word)
    return names


def placements(film: Film, index: int) -> list[Placement]:
    """Return everything visible in the frame at ``index``, farthest first."""
    return list(_placements(film, index))


def _placements(film: Film, index: int) -> Iterator[Placement]:
    camera, beyond, t = film.moment(index)
    frame = _to_frame(film, index)
    place = film.script.backdrop
    yield from _layers(film, "behind", place, beyond, t, frame)
    for number, (player, name) in enumerate(zip(film.players, names_of(film), strict=True)):
        if not film.shows(camera, player.p):
            continue
        part, x = player.at(t)
        grow, across, down = part.spot(camera, x, t)
        painted = part.pose(t, part.poses_wanted(film.pose_rate), 0)
        own = frame @ _affine(grow, across, down)
        onto = own @ _affine(1.0, painted.left, painted.top) @ _CORNER
        key = ("figure", number, id(part))
        yield Placement(
            key,
            name,
            True,
            painted.sprite,
            onto,
            own,
            _distance(camera, part.p),
        )
    yield from _layers(film, "before", f"{place} in front", beyond, t, frame)


def _layers(
    film: Film, side: str, name: str, camera: Camera, t: float, frame: Matrix
) -> Iterator[Placement]:
    for number, layer in enumerate(film.layers(side)):
        if (layer.shown is not None and not layer.shown(t)) or not film.shows(camera, layer.p):
            continue
        onto = frame @ _affine(*film.place(layer, camera, t)) @ _CORNER
        yield Placement(
            (side, number),
            name,
            False,
            layer.sprite,
            onto,
            onto,
            _distance(camera, layer.p),
        )


def _to_frame(film: Film, index: int) -> Matrix:
    """Return the matrix from a point of the composited picture to a pixel of the frame."""
    shot = film.shot(index)
    enlarged = film.height / film.drawn_height
    matrix = _FROM_CORNER
    if shot is not None and shot.warp is not None:
        matrix = np.linalg.inv(shot.warp) @ matrix
    if enlarged == 1:
        return np.asarray(matrix)
    grown = np.diag([enlarged, enlarged, 1.0])
    return np.asarray(_FROM_CORNER @ grown @ _CORNER @ matrix)


def _distance(camera: Camera, p: float) -> float:
    """Return the distance from the camera to the plane at parallax ``p``."""
    return camera.f / camera.scale(p) / p if p > 0 else math.inf


def _affine(scale: float, x: float, y: float) -> Any:
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1.0]])


_CORNER = _affine(1.0, 0.5, 0.5)
"""From the index of a pixel to its middle."""
_FROM_CORNER = _affine(1.0, -0.5, -0.5)
