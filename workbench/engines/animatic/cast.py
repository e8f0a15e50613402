"""The cast: turns the script's actors into figures that move, as sprites painted once per pose."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import cv2
import numpy as np

from workbench.engines.animatic.camera import GROUND, Camera
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.forms import FORMS
from workbench.engines.animatic.planes import Picture, Sprite, lay, sprite_of
from workbench.engines.animatic.script import Actor
from workbench.engines.animatic.world import World

__all__ = ["Player", "figures", "players_of"]

_MOST_POSES: Final = 40
_FEWEST_POSES: Final = 8


@cache
def figures() -> Mapping[str, Any]:
    """Return the table of figures from ``figures.toml``."""
    return _table("figures.toml")


@cache
def _gaits() -> Mapping[str, Any]:
    return _table("gaits.toml")


def _table(name: str) -> Mapping[str, Any]:
    folder = resources.files("workbench.engines.animatic.figures")
    return tomllib.loads(folder.joinpath(name).read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Motion:
    """How a figure moves: its gait, seconds to a cycle, units travelled per second."""

    gait: str
    cycle_s: float
    speed: float


def motion_of(form: str, gait: str, size: float) -> Motion:
    """Return how a figure of ``form`` and ``size`` units does ``gait``."""
    table = _gaits().get(form, {})
    entry = table.get(gait) or table.get("rest") or {"cycle_s": 3.0}
    name = gait if gait in table else "rest"
    if "as" in entry:
        name = entry["as"]
        entry = table[name]
    return Motion(name, entry["cycle_s"], entry.get("speed", 0.0) * size)


class Player:
    """One figure on the stage."""

    def __init__(
        self, world: World, actor: Actor, place: tuple[float, float, float], *, offset: float = 0.0
    ) -> None:
        self.world, self.actor = world, actor
        spec = figures()[actor.figure]
        self.form = FORMS[spec["form"]]
        self.look: Mapping[str, Any] = {**spec.get("look", {}), "words": actor.words}
        self.size = float(spec["size"])
        self.x, self.y, self.p = place
        self.offset = offset
        self.motion = motion_of(spec["form"], actor.gait, self.size)
        self._poses: dict[int, Sprite] = {}
        self._box = spec.get("box", self.form.box)
        self._ink = Ink(_toner(world, self.p), actor.colour)
        nearest = max(
            camera.scale(self.p) for camera in world.path[:: max(1, len(world.path) // 12)]
        )
        self.px = max(8.0, world.frame_px * nearest * self.size)
        self._shadow: tuple[Sprite, float] | None = None
        self.speed = self.motion.speed

    def at(self, t: float) -> tuple[float, float]:
        """Return where the figure stands at ``t`` seconds of the story, in units at its depth."""
        return self.x + self.speed * t, self.y

    def draw(self, picture: Picture, camera: Camera, t: float, poses: int, *, colour: bool) -> None:
        """Lay the figure and its shadow over ``picture``."""
        x, y = self.at(t)
        s = camera.scale(self.p)
        fx, fy = self.world.view.project(camera, self.p, x * self.p, y * self.p)
        unit = self.world.frame_px
        sprite = self._pose(t, poses)
        grow = s * self.p * unit * self.size / self.px
        left, top = self._box[0] * self.px, self._box[1] * self.px
        if self.form.grounded:
            self._draw_shadow(picture, fx * unit, fy * unit, grow, colour=colour)
        lay(
            picture,
            sprite,
            scale=grow,
            x=fx * unit + left * grow,
            y=fy * unit + top * grow,
            colour=colour,
        )

    def _pose(self, t: float, poses: int) -> Sprite:
        phase = (t / self.motion.cycle_s + self.offset) % 1.0
        index = int(phase * poses + 0.5) % poses
        if index not in self._poses:
            self._poses[index] = self._paint(index / poses)
        return self._poses[index]

    def poses_wanted(self, frames_per_story_s: float) -> int:
        """Return how many poses of a cycle are worth painting at this rate."""
        return round(min(_MOST_POSES, max(_FEWEST_POSES, self.motion.cycle_s * frames_per_story_s)))

    def _paint(self, phase: float) -> Sprite:
        x0, y0, x1, y1 = self._box
        canvas = Canvas(x0, y0, x1, y1, self.px)
        self.form.paint(canvas, Pose(self.motion.gait, phase), self._ink, self.look)
        return modelled(sprite_of(canvas.pixels), self.world.air.side, self.px)

    def _draw_shadow(
        self, picture: Picture, x: float, y: float, grow: float, *, colour: bool
    ) -> None:
        strength = self.world.air.shadow
        if strength < 0.03:
            return
        if self._shadow is None:
            self._shadow = _shadow(self.form.footprint * self.px, strength, self.world.air.shade)
        sprite, half = self._shadow
        drop = 0.02 * self.px * grow
        lean = -0.12 * self.px * grow * self.world.air.side
        lay(
            picture,
            sprite,
            scale=grow,
            x=x + lean - half * grow,
            y=y - sprite.height * grow / 2 + drop,
            colour=colour,
        )


def modelled(sprite: Sprite, side: int, px: float) -> Sprite:
    """Return ``sprite`` with a soft edge light from ``side`` and a soft shade opposite."""
    if sprite.keep is None or px < 40:
        return sprite
    step = max(1, round(px * 0.035))
    opaque = cv2.bitwise_not(sprite.keep)
    size = 2 * step + 1
    body = cv2.blur(opaque, (size, size))
    lit = np.zeros_like(body)
    shaded = np.zeros_like(body)
    a, b = (slice(step, None), slice(None, -step))
    near, away = (b, a) if side > 0 else (a, b)
    lit[:-step, away] = body[step:, near]
    shaded[step:, near] = body[:-step, away]
    rim = cv2.multiply(cv2.subtract(255, lit), opaque, scale=0.17 / 255)
    core = cv2.multiply(cv2.subtract(255, shaded), opaque, scale=0.22 / 255)
    cv2.add(sprite.y, rim, dst=sprite.y)
    cv2.subtract(sprite.y, core, dst=sprite.y)
    return sprite


def players_of(world: World) -> list[Player]:
    """Return the figures of the script, placed on the stage, farthest first."""
    players: list[Player] = []
    actors = [actor for actor in world.script.actors for _ in range(min(actor.count, 7))]
    for index, actor in enumerate(actors):
        middle = (len(actors) - 1) / 2
        x = (index - middle) * 0.42
        depth = 1.0 - 0.08 * (index % 3)
        players.append(Player(world, actor, (x, GROUND, depth), offset=0.37 * index))
    return sorted(players, key=lambda player: player.p)


def _toner(world: World, p: float) -> Callable[[Colour, float], Colour]:
    return lambda colour, lit: world.air.tone(colour, min(1.0, p), lit=lit)


def _shadow(width: float, strength: float, shade: Colour) -> tuple[Sprite, float]:
    """Return a soft shadow ``width`` pixels across, and half its sprite's width."""
    w = max(8, int(width * 1.5)) // 2 * 2
    h = max(6, int(width * 0.26)) // 2 * 2
    across = np.linspace(-1, 1, w, dtype=np.float32)[None]
    down = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    fall = np.clip(1.15 - np.sqrt(across**2 + down**2) * 1.2, 0, 1)
    alpha = fall * fall * (3 - 2 * fall) * 255 * min(1.0, strength * 1.5)
    dark = [c * 0.25 for c in shade]
    pixels = cv2.merge([alpha * dark[2], alpha * dark[1], alpha * dark[0], alpha]).astype(np.uint8)
    return sprite_of(pixels), w / 2


def story_speed(pace: str) -> float:
    """Return how many seconds of the story pass in one second of film."""
    speed: float = {
        "frozen": 0.0,
        "super slow motion": 0.1,
        "slow motion": 0.3,
        "slow": 0.6,
        "fast": 1.7,
        "time-lapse": 3.2,
    }.get(pace, 1.0)
    return speed if math.isfinite(speed) else 1.0
