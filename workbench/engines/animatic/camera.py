"""The virtual camera: its position, its movement, and the projection of each depth.

A pinhole camera over layers. A layer at parallax ``p`` is at distance ``1 / p``: 0 is the sky,
1 the subject, above 1 the foreground. World units are frame heights as they look at distance 1;
x runs right from the middle, y down from the horizon. With the camera at (x, y), a step ``k``
closer, focal length ``f``, a point P of a layer appears at ``s · (P − p · (x, y))`` from the
principal point, where ``s = f / (1 − k · p)``: the projection of a point at P / p, painted at p.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np

from workbench.engines.animatic.script import Script

__all__ = [
    "GROUND",
    "HORIZON",
    "Camera",
    "Framing",
    "Sight",
    "View",
    "film_path",
    "movements",
    "placed",
    "presets",
    "shaken",
]

HORIZON: Final = 0.46
"""The horizon's position in a level frame, in frame heights from the top."""

GROUND: Final = 0.40
"""How far below the horizon the ground lies at distance 1, before the camera rises or sinks."""

_NEAREST: Final = 0.12
_TAMED: Final = 0.65
_SMALLEST, _LARGEST = 0.2, 7.0
"""Range of the subject's scale at the end of several movements."""


@dataclass(frozen=True, slots=True)
class Camera:
    """The camera at one moment."""

    x: float = 0.0
    """Truck to the right, units."""
    y: float = 0.0
    """Lowered, units; negative is raised."""
    k: float = 0.0
    """Advance towards the subject: 0 at the start distance, 1 at the subject."""
    f: float = 1.0
    """Focal length, as a factor."""
    pan: float = 0.0
    """How far the picture is shifted to the right, frame heights."""
    tilt: float = 0.0
    """How far the picture is shifted down, frame heights."""
    roll: float = 0.0
    """Degrees, clockwise."""
    smear: float = 0.0
    """Sideways motion blur, frame heights."""

    def scale(self, p: float) -> float:
        """Return the scale of a layer at parallax ``p`` against how it is painted."""
        return self.f / max(_NEAREST, 1 - self.k * p)

    def sees(self, p: float) -> bool:
        """Tell whether a layer at parallax ``p`` is in front of the camera, and not too near."""
        return 1 - self.k * p >= _NEAREST


@dataclass(frozen=True, slots=True)
class View:
    """The frame that a camera looks through: ``aspect`` is width over height."""

    aspect: float

    def project(self, camera: Camera, p: float, x: float, y: float) -> tuple[float, float]:
        """Return where the point (x, y) of layer ``p`` appears, frame heights from the corner."""
        s = camera.scale(p)
        return (
            self.aspect / 2 + camera.pan + s * (x - p * camera.x),
            HORIZON + camera.tilt + s * (y - p * camera.y),
        )

    def box(self, camera: Camera, p: float) -> tuple[float, float, float, float]:
        """Return the visible part of layer ``p``: left, top, right, bottom in its units."""
        s = camera.scale(p)
        left = -(self.aspect / 2 + camera.pan) / s + p * camera.x
        top = -(HORIZON + camera.tilt) / s + p * camera.y
        return left, top, left + self.aspect / s, top + 1 / s


class Sight:
    """The extent visible along a path, computed from a few of its cameras."""

    def __init__(self, view: View, path: Sequence[Camera]) -> None:
        step = max(1, len(path) // 24)
        self.cameras = [*path[::step], path[-1]]
        self._aspect = view.aspect
        table = np.array([(c.x, c.y, c.k, c.f, c.pan, c.tilt) for c in self.cameras])
        self._x, self._y, self._k, self._f, self._pan, self._tilt = table.T

    def scales(self, p: float) -> tuple[float, float]:
        """Return the maximum and minimum scale of a layer at parallax ``p``."""
        scale = self._scale(p)
        return float(scale.max()), float(scale.min())

    def extent(self, p: float) -> tuple[float, float, float, float]:
        """Return all of layer ``p`` that is ever visible: left, top, right, bottom in its units."""
        scale = self._scale(p)
        left = -(self._aspect / 2 + self._pan) / scale + p * self._x
        top = -(HORIZON + self._tilt) / scale + p * self._y
        right, low = left + self._aspect / scale, top + 1 / scale
        return float(left.min()), float(top.min()), float(right.max()), float(low.max())

    def _scale(self, p: float) -> Any:
        return self._f / np.maximum(_NEAREST, 1 - self._k * p)


@cache
def presets() -> Mapping[str, Any]:
    """Return the table of shot sizes, angles, movements and lenses from ``camera.toml``."""
    text = resources.files("workbench.engines.animatic").joinpath("camera.toml").read_text("utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True, slots=True)
class Framing:
    """What the camera must frame: heights above the ground, in units."""

    head: float
    middle: float
    near: float = 1.0
    """Scale of the cast relative to the usual framing."""
    most: float = math.inf
    """Maximum scale, except in an extreme close-up."""
    follow: float = 0.0
    """Minimum share by which the camera adapts its height to the cast, 0 to 1."""


def placed(script: Script, framing: Framing, *, focal: float | None = None) -> Camera:
    """Return the camera for the script's shot size, angle and lens.

    With ``focal`` (in frame heights) it uses that lens, with the subject at the same size.
    """
    table = presets()
    shot = table["shot_size"][script.shot_size or "full shot"]
    lens = table["lens"].get(script.lens, {})
    angle = table["camera_angle"].get(script.camera_angle, {})
    size = framing.near * shot["size"] * angle.get("size", 1.0) * lens.get("size", 1.0)
    size = min(size, framing.most * (1.7 if script.shot_size == "extreme close-up" else 1.0))
    f = lens.get("focal", 1.0) if focal is None else focal
    anchor = framing.head * 0.92 + (framing.middle - framing.head * 0.92) * shot["whole"]
    # The height that puts the anchor where the shot wants it, with a fixed horizon.
    y = ((GROUND - anchor) - (shot["at"] - HORIZON) / size) * max(shot["follow"], framing.follow)
    lower = angle.get("lower", 0.0) / max(1.0, size)
    # A raised camera looks down, a lowered one up, which keeps the cast in place in the frame.
    return Camera(y=y + lower, k=1 - f / size, f=f, tilt=angle.get("tilt", 0.0) + size * lower)


def film_path(script: Script, start: Camera, num_frames: int, fps: float) -> list[Camera]:
    """Return the camera of every frame: ``start``, moved as the script says.

    Several movements divide the time; each continues where the previous one ended.
    """
    moves = movements(script)
    path: list[Camera] = []
    before = start
    for number, movement in enumerate(moves):
        first, last = (round(num_frames * n / len(moves)) for n in (number, number + 1))
        begun = _moved(start, movement, 0.0, first / fps, script.seed)
        for index in range(first, last):
            # The last movement ends with the last frame, others with the next one's first.
            share = (index - first) / max(1, last - first - (last == num_frames))
            camera = _moved(start, movement, share, index / fps, script.seed)
            path.append(_joined(camera, begun, before, share) if number else camera)
        before = path[-1] if path else start
    return path


def movements(script: Script) -> list[Mapping[str, Any]]:
    """Return the table of each of the script's camera movements, in order."""
    table = presets()["camera_movement"]
    return [table.get(name, table["default"]) for name in script.moves or (script.camera_movement,)]


def _joined(camera: Camera, begun: Camera, before: Camera, share: float) -> Camera:
    """Return ``camera`` for a movement that ``begun`` at the end of ``before``.

    Height and distance are kept; pan and truck return to the middle.
    """
    back = 1 - _ease(share, "smooth")
    # A later movement goes less far, to keep the subject in the frame.
    size = _size(before) * (_size(camera) / _size(begun)) ** _TAMED
    f = before.f / begun.f * camera.f
    return replace(
        camera,
        x=camera.x + back * (before.x - begun.x),
        pan=camera.pan + back * (before.pan - begun.pan),
        y=camera.y + before.y - begun.y,
        tilt=camera.tilt + before.tilt - begun.tilt,
        f=f,
        k=1 - f / min(_LARGEST, max(_SMALLEST, size)),
    )


def _size(camera: Camera) -> float:
    """Return the scale of the subject."""
    return camera.f / (1 - camera.k)


def _moved(start: Camera, movement: Mapping[str, Any], share: float, t: float, seed: int) -> Camera:
    along = _ease(share, movement.get("ease", "smooth"))
    size = start.f / (1 - start.k)
    changes: dict[str, float] = {}
    for name in ("x", "y", "pan", "tilt"):
        if name in movement:
            first, last = movement[name]
            span = first + (last - first) * along
            changes[name] = getattr(start, name) + (span / size if name in {"x", "y"} else span)
    if "closer" in movement:
        first, last = movement["closer"]
        near = size * (first + (last - first) * along)
        changes["k"] = 1 - start.f / near
    if "focal" in movement:
        first, last = movement["focal"]
        changes["f"] = start.f * (first + (last - first) * along)
    moved = replace(start, **changes)
    if "turn" in movement:
        # Orbit: the camera trucks and turns to keep the subject in place.
        first, last = movement["turn"]
        x = first + (last - first) * along
        moved = replace(moved, x=moved.x + x / size, pan=moved.pan + x)
    if movement.get("smear"):
        speed = _ease(min(1, share + 0.01), "whip") - _ease(max(0, share - 0.01), "whip")
        moved = replace(moved, smear=speed * movement["smear"])
    if shake := movement.get("shake", 0.0):
        moved = shaken(moved, shake, t, seed)
    return moved


def shaken(camera: Camera, amount: float, t: float, seed: int) -> Camera:
    """Add hand-held sway: a few incommensurable sines, like a slow random walk."""
    a, b = (seed % 97) * 0.13, (seed % 89) * 0.17
    sway_x = math.sin(5.3 * t + a) + 0.6 * math.sin(9.1 * t + b) + 0.35 * math.sin(17.7 * t + a)
    sway_y = math.sin(6.1 * t + b) + 0.6 * math.sin(10.7 * t + a) + 0.35 * math.sin(19.3 * t + b)
    return replace(
        camera, pan=camera.pan + amount * sway_x, tilt=camera.tilt + amount * 0.8 * sway_y
    )


def _ease(share: float, how: str) -> float:
    if how == "linear":
        return share
    if how == "whip":
        return 1 / (1 + math.exp(-18 * (share - 0.5)))
    # Mostly constant speed, with eased ends, like a fluid head moved by hand.
    soft = share * share * (3 - 2 * share)
    return 0.55 * share + 0.45 * soft
