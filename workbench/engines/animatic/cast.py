"""The cast: turns the script's actors into figures that move, as sprites painted once per pose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from workbench.engines.animatic.camera import GROUND, Camera, Framing, View
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, scale
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.forms import FORMS
from workbench.engines.animatic.planes import Picture, Sprite, lay, sprite_of
from workbench.engines.animatic.script import Actor, Script
from workbench.engines.animatic.tables import figures, gaits
from workbench.engines.animatic.world import World
from workbench.engines.encoder import Image

__all__ = [
    "Motion",
    "Player",
    "acted",
    "figure_size",
    "footprint",
    "framing",
    "motion_of",
    "players_of",
]

_MOST_POSES: Final = 40
_FEWEST_POSES: Final = 8


@dataclass(frozen=True, slots=True)
class Motion:
    """How a figure moves: its gait, seconds to a cycle, units travelled per second."""

    gait: str
    cycle_s: float
    speed: float


def motion_of(spec: Mapping[str, Any], gait: str) -> Motion:
    """Return how the figure of ``spec`` does ``gait``."""
    kind = str(spec.get("kind", ""))
    table = gaits().get(kind if kind in gaits() else str(spec["form"]), {})
    entry = table.get(gait) or table.get("rest") or {"cycle_s": 3.0}
    name = gait if gait in table else "rest"
    if "as" in entry:
        name = entry["as"]
        entry = table[name]
    cycle_s = float(spec.get("cycle_s", entry["cycle_s"]))
    return Motion(
        entry.get("as_pose", name), cycle_s, entry.get("speed", 0.0) * float(spec["size"])
    )


class Player:
    """One figure on the stage."""

    def __init__(
        self, world: World, actor: Actor, place: tuple[float, float, float], *, offset: float = 0.0
    ) -> None:
        self.world, self.actor = world, actor
        spec = acted(actor)
        self.spec = spec
        self.form = FORMS[spec["form"]]
        self.front = _FACING.get(world.script.camera_angle, "side")
        self.look: Mapping[str, Any] = {**spec.get("look", {}), "words": actor.words}
        self.size = float(spec["size"])
        self.x, self.y, self.p = place
        self.offset = offset
        self.motion = motion_of(spec, actor.gait)
        self._poses: dict[int, Sprite] = {}
        self._box = _room(spec, actor, self.form.box)
        self._ink = Ink(_toner(world, self.p), actor.colour)
        nearest = max(
            camera.scale(self.p) for camera in world.path[:: max(1, len(world.path) // 12)]
        )
        self.px = max(8.0, world.frame_px * nearest * self.size)
        self._shadow: tuple[Sprite, float] | None = None
        self.speed = self.motion.speed
        self.grounded = self.form.footprint > 0 and y_is_ground(place[1])

    def at(self, t: float) -> tuple[float, float]:
        """Return where the figure stands at ``t`` seconds of the story, in units at its depth."""
        return self.x + self.speed * t, self.y

    def draw(
        self,
        picture: Picture,
        camera: Camera,
        t: float,
        poses: int,
        *,
        colour: bool,
        soften: int = 0,
    ) -> None:
        """Lay the figure and its shadow over ``picture``."""
        x, y = self.at(t)
        s = camera.scale(self.p)
        fx, fy = self.world.view.project(camera, self.p, x * self.p, y * self.p)
        unit = self.world.frame_px
        sprite = self._pose(t, poses, soften)
        grow = s * self.p * unit * self.size / self.px
        left, top = self._box[0] * self.px, self._box[1] * self.px
        if self.grounded:
            self._draw_shadow(picture, fx * unit, fy * unit, grow, colour=colour)
        lay(
            picture,
            sprite,
            scale=grow,
            x=fx * unit + left * grow,
            y=fy * unit + top * grow,
            colour=colour,
        )

    def _pose(self, t: float, poses: int, soften: int) -> Sprite:
        phase = (t / self.motion.cycle_s + self.offset) % 1.0
        index = int(phase * poses + 0.5) % poses
        key = index * 8 + soften
        if key not in self._poses:
            self._poses[key] = self._paint(index / poses, soften)
        return self._poses[key]

    def poses_wanted(self, frames_per_story_s: float) -> int:
        """Return how many poses of a cycle are worth painting at this rate."""
        return round(min(_MOST_POSES, max(_FEWEST_POSES, self.motion.cycle_s * frames_per_story_s)))

    def _paint(self, phase: float, soften: int) -> Sprite:
        x0, y0, x1, y1 = self._box
        canvas = Canvas(x0, y0, x1, y1, self.px)
        flat = self.world.look.squash
        pose = Pose(self.motion.gait, phase, self.front)
        if self.actor.rider:
            self._paint_rider(canvas, pose)
        else:
            self.form.paint(canvas, pose, self._ink, self.look)
        if self.actor.prop:
            self._paint_prop(canvas, pose)
        if soften:
            canvas.blur(0.022 * soften)
        turned = foreshortened(canvas.pixels, self.front, self.spec["form"])
        look = self.world.look
        if flat < 1:
            turned = squashed(turned, flat, canvas.row(0.0))
        return modelled(sprite_of(turned), self.world.air.side, self.px, look.modelling)

    def _paint_rider(self, canvas: Canvas, pose: Pose) -> None:
        """Paint mount and rider: legs behind the near side, body above the seat."""
        rider = acted(Actor(self.actor.rider, "", upright=self.actor.upright))
        x, y, share, gait = self.spec.get("seat") or _saddle(self.spec, pose)
        self.form.paint(canvas, pose, self._ink, self.look)
        seated = canvas.moved(x, y, share * float(rider["size"]) / 0.60)
        ink = Ink(self._ink.tone, None)
        FORMS["person"].paint(seated, Pose(gait, pose.phase), ink, rider["look"])

    def _paint_prop(self, canvas: Canvas, pose: Pose) -> None:
        spec = figures()[self.actor.prop]
        place = _HELD.get(self.actor.prop, (0.27, -0.52, 0.26))
        if self.motion.gait == "fight" and self.actor.prop == "ball":
            place = (0.62, 0.0, 0.22)
        bob = 0.012 * pose.swing(0, 2)
        lift = 0.25 if self.motion.gait in {"sit", "lie"} else 0.0
        held = canvas.moved(place[0] + lift * 0.3, place[1] + bob + lift, place[2])
        FORMS[spec["form"]].paint(held, Pose("rest", pose.phase), Ink(self._ink.tone), spec["look"])

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


def squashed(pixels: Image, share: float, foot: int) -> Image:
    """Return a painted figure at ``share`` of its height, its foot staying on its row."""
    height, width = pixels.shape[:2]
    low = cv2.resize(pixels, (width, max(2, int(height * share))), interpolation=cv2.INTER_AREA)
    result = np.zeros_like(pixels)
    top = max(0, int(foot * (1 - share)))
    rows = min(len(low), height - top)
    result[top : top + rows] = low[:rows]
    return result


def foreshortened(pixels: Image, front: str, form: str) -> Image:
    """Return a painted figure as seen from the front or rear: narrower, but for what is round."""
    if front == "side" or form in {"card", "firework", "drawing", "jelly", "crawler"}:
        return pixels
    share = 0.9 if form == "person" else 0.6
    height, width = pixels.shape[:2]
    narrow = max(2, int(width * share) // 2 * 2)
    left = (width - narrow) // 2
    turned = np.zeros_like(pixels)
    turned[:, left : left + narrow] = cv2.resize(
        pixels, (narrow, height), interpolation=cv2.INTER_AREA
    )
    if front == "rear":
        return np.ascontiguousarray(turned[:, ::-1])
    return turned


def modelled(sprite: Sprite, side: int, px: float, strength: float) -> Sprite:
    """Return ``sprite`` with a soft edge light from ``side`` and a soft shade opposite."""
    if sprite.keep is None or px < 40:
        return sprite
    step = max(1, round(px * 0.035 * (0.6 + 0.4 * strength)))
    opaque = cv2.bitwise_not(sprite.keep)
    size = 2 * step + 1
    body = cv2.blur(opaque, (size, size))
    lit = np.zeros_like(body)
    shaded = np.zeros_like(body)
    a, b = (slice(step, None), slice(None, -step))
    near, away = (b, a) if side > 0 else (a, b)
    lit[:-step, away] = body[step:, near]
    shaded[step:, near] = body[:-step, away]
    rim = cv2.multiply(cv2.bitwise_not(lit), opaque, scale=0.17 * strength / 255)
    core = cv2.multiply(cv2.bitwise_not(shaded), opaque, scale=0.22 * strength / 255)
    cv2.add(sprite.y, rim, dst=sprite.y)
    cv2.subtract(sprite.y, core, dst=sprite.y)
    return sprite


def acted(actor: Actor) -> Mapping[str, Any]:
    """Return the figure's table, or that of a person with the animal's head where it stands up."""
    spec: Mapping[str, Any] = figures()[actor.figure]
    if not actor.upright or spec["form"] not in {"quadruped", "bird"}:
        return spec
    look = spec["look"]
    coat, points = look.get("coat"), look.get("points", look.get("coat"))
    dark = look.get("limbs", False)
    clothed = {
        "animal": look.get("ears", "round"),
        "mask": look.get("mask", False),
        "skin": coat,
        "points": points,
        "top": points if dark else coat,
        "bottom": points if dark else look.get("belly", coat),
        "shoes": points,
        "head": 1.7,
        "build": 1.35,
        "carry": True,
    }
    return {"form": "person", "size": 0.52, "words": spec["words"], "look": clothed}


def figure_size(actor: Actor) -> float:
    """Return the height of ``actor`` in frame heights at a full shot, with its rider."""
    size = float(acted(actor)["size"])
    return size * 1.45 if actor.rider else size


def footprint(actor: Actor) -> float:
    """Return how much room across one figure of ``actor`` needs, in frame heights."""
    spec = acted(actor)
    width = {
        "quadruped": 1.9,
        "person": 0.62,
        "car": 3.3,
        "fish": 1.9,
        "snake": 2.2,
        "crawler": 2.0,
    }
    if "room" in spec:
        return float(spec["size"] * (spec["room"][2] - spec["room"][0]) * 0.92)
    return float(spec["size"]) * width.get(spec["form"], 1.2)


def y_is_ground(y: float) -> bool:
    """Tell whether something at height ``y`` stands on the ground."""
    return y > GROUND - 0.02


_FACING: Final = {"front view": "front", "rear view": "rear", "over-the-shoulder": "rear"}
_HELD: Final = {
    "umbrella": (0.16, -0.62, 0.95),
    "guitar": (0.10, -0.42, 0.52),
    "book": (0.27, -0.58, 0.22),
    "laptop": (0.30, -0.52, 0.26),
    "drum": (0.30, -0.30, 0.40),
    "ball": (0.36, -0.42, 0.24),
    "bag": (0.14, -0.36, 0.28),
    "clothes": (0.24, -0.62, 0.34),
    "table": (0.46, 0.0, 0.48),
    "couch": (0.1, 0.0, 0.42),
    "chair": (-0.1, 0.0, 0.62),
}


def _saddle(spec: Mapping[str, Any], pose: Pose) -> tuple[float, float, float, str]:
    """Return where a rider sits on an animal: place, the rider's height in the animal's, gait."""
    look = spec["look"]
    back = float(look.get("leg", 0.5)) + float(look.get("deep", 0.3)) * 0.86
    bob = 0.05 * pose.swing(0.1) if pose.gait == "gallop" else 0.01 * pose.swing(0, 2)
    return (
        -0.05,
        -back - bob + 0.30 * 0.60 / float(spec["size"]) * 0.9,
        0.60 / float(spec["size"]) * 0.9,
        "ride",
    )


def _room(
    spec: Mapping[str, Any], actor: Actor, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Return the room one figure needs, with what it holds and who sits on it."""
    x0, y0, x1, y1 = spec.get("room", box)
    if actor.rider:
        y0, x0, x1 = min(y0, -2.25), min(x0, -1.3), max(x1, 1.3)
        if spec["size"] < 0.2:
            y0 = -5.6
    if actor.prop:
        x1, y0 = max(x1, 0.85), min(y0, -1.65)
    return x0, y0, x1, y1


def framing(script: Script, view: View, size: float) -> Framing:
    """Return what of the cast the camera is to frame; ``size`` enlarges or reduces it."""
    if not script.actors:
        return Framing(0.5, 0.3, size)
    tall = max(figure_size(actor) for actor in script.actors)
    number = sum(actor.count for actor in script.actors)
    wide = sum(footprint(actor) * actor.count for actor in script.actors)
    wide *= 0.5 if number > 4 else 1.0
    near = (0.46 / tall) ** 0.7 if tall < 0.46 else 1.0
    near = size * min(near, 0.82 * view.aspect / max(0.1, wide))
    foot = GROUND - _height_of(script, script.actors[0], 0)
    return Framing(foot + tall, foot + tall * 0.5, near)


def players_of(world: World) -> list[Player]:
    """Return the figures of the script, placed on the stage, farthest first."""
    players: list[Player] = []
    cast = [actor for actor in world.script.actors for _ in range(actor.count)]
    widths = [footprint(actor) for actor in cast]
    rows = 2 if len(cast) > 4 else 1
    total = sum(widths) * (0.86 if len(cast) > 1 else 1) / rows
    x = -total / 2
    for index, (actor, width) in enumerate(zip(cast, widths, strict=True)):
        row = index % rows
        step = width * (0.86 if len(cast) > 1 else 1) / rows
        depth = 1.0 - 0.16 * row - (0.05 * (index % 2) if rows == 1 and len(cast) > 1 else 0)
        place = (x + step / 2, _height_of(world.script, actor, index), depth)
        players.append(Player(world, actor, place, offset=0.37 * index))
        x += step
    return sorted(players, key=lambda player: player.p)


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
    if script.backdrop in {"space", "underwater", "sky"} or flying or aloft:
        return -0.06 + 0.5 * size + stagger
    if spec["form"] in {"fish", "jelly"}:
        return 0.12 + 0.5 * size + stagger
    if kind == "vessel" and script.backdrop in {"ocean", "river", "lake", "beach", "skyline"}:
        return GROUND - 0.02
    return GROUND


def _toner(world: World, p: float) -> Callable[[Colour, float], Colour]:
    """Return how colours of a figure look: as all else, but for the light that falls on it."""
    share = world.look.figures
    # A figure in the dark is lit a little more than its surroundings, as a film crew would.
    dim = min(1.12, 0.12 + 0.88 * share) * (1 + 0.5 * world.air.darkness * min(1.0, share))

    def tone(colour: Colour, lit: float) -> Colour:
        if share >= 1 or lit <= 1:
            colour = scale(colour, dim)
        return world.air.tone(
            colour, min(1.0, p), lit=lit * share if lit <= 1 and share < 1 else lit
        )

    return tone


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
