"""The cast: turns the script's actors into figures that move, as sprites painted once per pose."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from workbench.engines.animatic.acting import (
    HELD,
    acted,
    astride,
    figure_size,
    footprint,
    motion_of,
    room_of,
    saddle,
    side_shown,
)
from workbench.engines.animatic.camera import GROUND, Camera, Framing, View
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, scale
from workbench.engines.animatic.compositing import lay
from workbench.engines.animatic.figures.arm import held_at
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.forms import FORMS
from workbench.engines.animatic.planes import Picture, Sprite, cropped, sprite_of
from workbench.engines.animatic.script import Actor, Script
from workbench.engines.animatic.shading import foreshortened, modelled, shadow_of, squashed
from workbench.engines.animatic.tables import figures
from workbench.engines.animatic.world import World

__all__ = ["Painted", "Player", "framing", "players_of"]

_MOST_POSES: Final = 28
_FEWEST_POSES: Final = 8


@dataclass(frozen=True, slots=True)
class Painted:
    """One pose: its sprite, and where in the figure's room that begins, in pixels."""

    sprite: Sprite
    left: int
    top: int


class Player:
    """One figure on the stage."""

    def __init__(
        self, world: World, actor: Actor, place: tuple[float, float, float], *, offset: float = 0.0
    ) -> None:
        self.world, self.actor = world, actor
        spec = acted(actor)
        self.spec = spec
        self.form = FORMS[spec["form"]]
        self.front = side_shown(world.script, actor)
        self.look: Mapping[str, Any] = {**spec.get("look", {}), "words": actor.words}
        self.size = float(spec["size"])
        self.x, self.y, self.p = place
        self.offset = offset
        self.motion = motion_of(spec, actor.gait)
        self._poses: dict[int, Painted] = {}
        self._box = room_of(spec, actor, self.form.box)
        self._ink = Ink(_toner(world, self.p), actor.colour)
        nearest = world.sight.scales(self.p)[0]
        self.px = max(8.0, world.frame_px * nearest * self.size * min(1.0, self.p))
        self._shadow: tuple[Sprite, float] | None = None
        self.towards = self.front != "side" and self.motion.speed > 0
        # Who comes or goes crosses no picture: the world comes or goes instead.
        self.speed = 0.0 if self.towards else self.motion.speed
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
        painted = self.pose(t, poses, soften)
        grow = s * self.p * unit * self.size / self.px
        left, top = self._box[0] * self.px + painted.left, self._box[1] * self.px + painted.top
        if self.grounded:
            self._draw_shadow(picture, fx * unit, fy * unit, grow, colour=colour)
        lay(
            picture,
            painted.sprite,
            scale=grow,
            x=fx * unit + left * grow,
            y=fy * unit + top * grow,
            colour=colour,
        )

    def pose(self, t: float, poses: int, soften: int) -> Painted:
        """Return how the figure looks at ``t`` seconds of the story, painted once for each pose."""
        phase = (t / self.motion.cycle_s + self.offset) % 1.0
        index = int(phase * poses + 0.5) % poses
        key = index * 8 + soften
        if key not in self._poses:
            self._poses[key] = self._paint(index / poses, soften)
        return self._poses[key]

    def poses_wanted(self, frames_per_story_s: float) -> int:
        """Return how many poses of a cycle are worth painting at this rate."""
        return round(min(_MOST_POSES, max(_FEWEST_POSES, self.motion.cycle_s * frames_per_story_s)))

    def _paint(self, phase: float, soften: int) -> Painted:
        x0, y0, x1, y1 = self._box
        canvas = Canvas(x0, y0, x1, y1, self.px)
        flat = self.world.look.squash
        pose = Pose(self.motion.gait, phase, self.front)
        if self.actor.rider:
            self._paint_rider(canvas, pose)
        else:
            if self._sits_on_nothing():
                self._paint_seat(canvas)
            self.form.paint(canvas, pose, self._ink, self.look)
        if self.actor.prop:
            self._paint_prop(canvas, pose)
        if soften:
            canvas.blur(0.022 * soften)
        turned = foreshortened(canvas.pixels, self.front, self.spec["form"])
        look = self.world.look
        if flat < 1:
            turned = squashed(turned, flat, canvas.row(0.0))
        pixels, left, top = cropped(turned)
        sprite = modelled(sprite_of(pixels), self.world.air.side, self.px, look.modelling)
        return Painted(sprite, left, top)

    def _sits_on_nothing(self) -> bool:
        seated = self.spec["form"] == "person" and self.motion.gait == "sit"
        return seated and self.actor.prop not in {"chair", "couch"} and self.p > 0

    def _paint_seat(self, canvas: Canvas) -> None:
        """Paint a plain stool: nobody sits on air."""
        wood = (0.46, 0.33, 0.22)
        for x in (-0.19, 0.0):
            canvas.rectangle(x, -0.22, x + 0.025, 0.0, self._ink.half(wood))
        canvas.rectangle(-0.23, -0.235, 0.06, -0.20, self._ink.lit(wood))

    def _paint_rider(self, canvas: Canvas, pose: Pose) -> None:
        """Paint mount and rider, whichever is nearer to the camera last."""
        rider = acted(Actor(self.actor.rider, "", upright=self.actor.upright))
        x, y, share, gait = self.spec.get("seat") or saddle(self.spec, pose)
        x = x if pose.front == "side" else float(self.spec.get("beside", 0.0))
        share *= float(rider["size"]) / 0.60
        seat = canvas.moved(x, y, share)
        look = {**rider["look"], **astride(self.spec, share)}

        def seated() -> None:
            ink = Ink(self._ink.tone, None)
            FORMS["person"].paint(seat, Pose(gait, pose.phase, pose.front), ink, look)

        if pose.front != "side" and self.spec["form"] == "quadruped":
            self.form.paint(canvas, pose, self._ink, {**self.look, "seated": seated})
            return
        behind = pose.front == "front" or self.spec.get("kind") == "vessel"
        if behind:
            seated()
        self.form.paint(canvas, pose, self._ink, self.look)
        if not behind:
            seated()

    def _paint_prop(self, canvas: Canvas, pose: Pose) -> None:
        spec = figures()[self.actor.prop]
        place = HELD.get(self.actor.prop, (0.27, -0.52, 0.26))
        if self.motion.gait == "fight" and self.actor.prop == "ball":
            place = (0.62, 0.0, 0.22)
        if self.spec["form"] == "arm":
            place = held_at(pose)
        bob = 0.012 * pose.swing(0, 2) if self.spec["form"] != "arm" else 0.0
        lift = 0.25 if self.motion.gait in {"sit", "lie"} else 0.0
        held = canvas.moved(place[0] + lift * 0.3, place[1] + bob + lift, place[2])
        FORMS[spec["form"]].paint(
            held,
            Pose("rest", pose.phase),
            Ink(self._ink.tone, self.actor.prop_colour),
            spec["look"],
        )

    def _draw_shadow(
        self, picture: Picture, x: float, y: float, grow: float, *, colour: bool
    ) -> None:
        strength = self.world.air.shadow
        if strength < 0.03:
            return
        if self._shadow is None:
            self._shadow = shadow_of(self.form.footprint * self.px, strength, self.world.air.shade)
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
            again=True,
        )


def y_is_ground(y: float) -> bool:
    """Tell whether something at height ``y`` stands on the ground."""
    return y > GROUND - 0.02


def framing(script: Script, view: View, size: float) -> Framing:
    """Return what of the cast the camera is to frame; ``size`` enlarges or reduces it."""
    if not script.actors:
        return Framing(0.5, 0.3, size)
    tall = max(figure_size(actor) for actor in script.actors)
    number = sum(actor.count for actor in script.actors)
    wide = sum(footprint(a, side_shown(script, a)) * a.count for a in script.actors)
    wide *= 0.5 if number > 4 else 1.0
    near = (0.46 / tall) ** 0.7 if tall < 0.46 else 1.0
    near = size * min(near, 0.82 * view.aspect / max(0.1, wide))
    foot = GROUND - _height_of(script, script.actors[0], 0)
    people = any(acted(actor)["form"] == "person" or actor.rider for actor in script.actors)
    # A close-up of somebody is one of the head; of anything else, of as much as fills the frame.
    head = foot + tall * (1.0 if people else 0.62)
    return Framing(head, foot + tall * 0.5, near, math.inf if people else 1.05 / tall)


def players_of(world: World) -> list[Player]:
    """Return the figures of the script, placed on the stage, farthest first."""
    players: list[Player] = []
    cast = [actor for actor in world.script.actors for _ in range(actor.count)]
    widths = [footprint(actor, side_shown(world.script, actor)) for actor in cast]
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
    if spec["form"] == "firework":
        return -0.2 + 0.5 * size
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
    dim = min(1.7, 0.12 + 0.88 * share) * (1 + 0.5 * world.air.darkness * min(1.0, share))

    @cache
    def tone(colour: Colour, lit: float) -> Colour:
        if share >= 1 or lit <= 1:
            colour = scale(colour, dim)
        return world.air.tone(
            colour, min(1.0, p), lit=lit * share if lit <= 1 and share < 1 else lit
        )

    return tone
