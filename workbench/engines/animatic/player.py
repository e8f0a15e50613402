"""One figure on the stage in one state: sprites painted once per pose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from workbench.engines.animatic.acting import (
    acted,
    astride,
    held_where,
    motion_of,
    room_of,
    saddle,
    side_shown,
)
from workbench.engines.animatic.camera import GROUND, Camera
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix, scale
from workbench.engines.animatic.compositing import lay
from workbench.engines.animatic.figures.arm import held_at
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.forms import FORMS
from workbench.engines.animatic.planes import Picture, Sprite, cropped, sprite_of
from workbench.engines.animatic.script import Actor
from workbench.engines.animatic.shading import (
    UNTURNED,
    foreshortened,
    modelled,
    shadow_of,
    squashed,
)
from workbench.engines.animatic.tables import figures
from workbench.engines.animatic.world import World

__all__ = ["Painted", "Player", "y_is_ground"]

_CLOSE: Final = frozenset({"medium close-up", "close-up", "extreme close-up"})
_CLOSE_LIFT: Final = 0.3
"""Share of the rise and fall of things in close shots, which keeps them in the frame."""
_READ_BY_NIGHT: Final = 0.72
_MOONLIGHT: Final[Colour] = (0.52, 0.60, 0.78)
_SPARE: Final = 0.06
_MOST_POSES: Final = 28
_FEWEST_POSES: Final = 8


@dataclass(frozen=True, slots=True)
class Painted:
    """One pose: its sprite, and the sprite's corner relative to the figure's foot, in pixels."""

    sprite: Sprite
    left: float
    top: float


class Player:
    """One figure on the stage."""

    def __init__(
        self,
        world: World,
        actor: Actor,
        place: tuple[float, float],
        *,
        offset: float = 0.0,
        mirrored: bool = False,
        while_s: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.world, self.actor = world, actor
        self._while_s = while_s if while_s[1] else (0.0, world.seconds)
        spec = acted(actor)
        self.spec = spec
        self.form = FORMS[spec["form"]]
        self.front = side_shown(world.script, actor)
        self.look: Mapping[str, Any] = {
            **spec.get("look", {}),
            **dict(actor.look),
            "words": actor.words,
        }
        self.size = float(spec["size"])
        self.y, self.p = place
        self.offset, self._mirrored = offset, mirrored
        self.motion = motion_of(spec, actor.gait)
        self._poses: dict[int, Painted] = {}
        self._box = room_of(spec, actor, self.form.box)
        self._ink = Ink(_toner(world, self.p), actor.colour)
        nearest = world.sight.scales(self.p)[0]
        self.px = max(8.0, world.frame_px * nearest * self.size * min(1.0, self.p))
        self._shadow: tuple[Sprite, float] | None = None
        self.towards = self.front != "side" and self.motion.speed > 0
        # An approaching or leaving figure does not cross the frame: the world moves instead.
        self.speed = 0.0 if self.towards else self.motion.speed
        self.grounded = self.form.footprint > 0 and y_is_ground(place[0])

    def draw(
        self,
        picture: Picture,
        camera: Camera,
        x: float,
        t: float,
        *,
        poses: int,
        colour: bool,
        soften: int = 0,
    ) -> None:
        """Composite the figure and its shadow over ``picture``, standing at ``x``."""
        grow, across, down = self.spot(camera, x, t)
        painted = self.pose(t, poses, soften)
        if self.grounded:
            lifted = self._lifted(t) * grow
            self._draw_shadow(picture, across, down + lifted, grow, colour=colour)
        lay(
            picture,
            painted.sprite,
            scale=grow,
            x=across + painted.left * grow,
            y=down + painted.top * grow,
            colour=colour,
        )

    def box(
        self, camera: Camera, x: float, t: float, *, poses: int
    ) -> tuple[float, float, float, float]:
        """Return the box of the figure without its shadow: left, top, right, bottom in pixels."""
        grow, foot_x, foot_y = self.spot(camera, x, t)
        painted = self.pose(t, poses, 0)
        left, top = foot_x + painted.left * grow, foot_y + painted.top * grow
        return left, top, left + painted.sprite.width * grow, top + painted.sprite.height * grow

    def spot(self, camera: Camera, x: float, t: float) -> tuple[float, float, float]:
        """Return its scale at ``t`` against how it is painted, and its foot in pixels."""
        fx, fy = self.world.view.project(camera, self.p, x * self.p, self.y * self.p)
        unit = self.world.frame_px
        grow = camera.scale(self.p) * self.p * unit * self.size / self.px
        first, last = self.motion.size
        share = first + (last - first) * self._progress(t)
        return grow * share, fx * unit, fy * unit - self._lifted(t) * grow

    def _lifted(self, t: float) -> float:
        """Return its height above its place at ``t``, in painted pixels."""
        near = _CLOSE_LIFT if self.world.script.shot_size in _CLOSE else 1.0
        first, last = (near * height for height in self.motion.up)
        return (first + (last - first) * self._progress(t)) * self.px

    def _progress(self, t: float) -> float:
        """Return the eased progress of its moment at ``t``, 0 to 1."""
        begins, lasts = self._while_s
        share = min(1.0, max(0.0, (t - begins) / lasts)) if lasts else 0.0
        return share * share * (3 - 2 * share)

    def clip(self, seen: tuple[float, float, float, float], first: float, last: float) -> None:
        """Limit painting to what is ``seen`` of the layer on its way from ``first`` to ``last``."""
        turned = self.front != "side" and self.spec["form"] not in UNTURNED
        if self._mirrored or turned or self.world.look.squash < 1:
            return
        left, top, right, low = (edge / self.p for edge in seen)
        x0, y0, x1, y1 = self._box
        x0 = max(x0, (left - max(first, last)) / self.size - _SPARE)
        x1 = min(x1, (right - min(first, last)) / self.size + _SPARE)
        y0 = max(y0, (top - self.y) / self.size - _SPARE)
        y1 = min(y1, (low - self.y) / self.size + _SPARE)
        if x1 > x0 and y1 > y0:
            self._box = (x0, y0, x1, y1)

    def pose(self, t: float, poses: int, soften: int) -> Painted:
        """Return the painted pose at ``t`` seconds of the story, cached per pose."""
        phase = (t / self.motion.cycle_s + self.offset) % 1.0
        if self.motion.is_once:
            phase = min(0.99, self._progress(t))
        index = (
            min(int(phase * poses + 0.5), poses - 1)
            if self.motion.is_once
            else (int(phase * poses + 0.5) % poses)
        )
        key = index * 8 + soften
        if key not in self._poses:
            self._poses[key] = self._paint(index / poses, soften)
        return self._poses[key]

    def poses_wanted(self, frames_per_story_s: float) -> int:
        """Return the number of poses per cycle worth painting at this rate."""
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
        if self._mirrored:
            turned = np.ascontiguousarray(turned[:, ::-1])
        pixels, left, top = cropped(turned)
        left += round((-canvas.x1 if self._mirrored else canvas.x0) * self.px)
        top += round(canvas.y0 * self.px)
        sprite = modelled(sprite_of(pixels), self.world.air.side, self.px, look.modelling)
        return Painted(sprite, left, top)

    def _sits_on_nothing(self) -> bool:
        seated = self.spec["form"] == "person" and self.motion.gait == "sit"
        return seated and self.actor.prop not in {"chair", "couch"} and self.p > 0

    def _paint_seat(self, canvas: Canvas) -> None:
        """Paint a plain stool under a seated figure."""
        wood = (0.46, 0.33, 0.22)
        for x in (-0.19, 0.0):
            canvas.rectangle(x, -0.22, x + 0.025, 0.0, self._ink.half(wood))
        canvas.rectangle(-0.23, -0.235, 0.06, -0.20, self._ink.lit(wood))

    def _paint_rider(self, canvas: Canvas, pose: Pose) -> None:
        """Paint mount and rider, the nearer one last."""
        rider = acted(Actor(self.actor.rider, "", upright=self.actor.upright))
        x, y, share, gait = self.spec.get("seat") or saddle(self.spec, pose)
        x = x if pose.front == "side" else float(self.spec.get("beside", 0.0))
        share *= float(rider["size"]) / 0.60
        seat = canvas.moved(x, y, share)
        look = {**rider["look"], **dict(self.actor.rider_look), **astride(self.spec, share)}

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
        place = held_where(self.actor.prop)
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
    """Tell whether height ``y`` is ground level."""
    return y > GROUND - 0.02


def _toner(world: World, p: float) -> Callable[[Colour, float], Colour]:
    """Return the tone function of a figure: as the world's, with the light on figures."""
    share = world.look.figures
    # A figure in the dark is lit a little more than its surroundings, as a film crew would.
    dim = min(1.7, 0.12 + 0.88 * share) * (1 + 0.5 * world.air.darkness * min(1.0, share))

    # Keep enough of its own colour to stay readable.
    read = _READ_BY_NIGHT * world.air.darkness * min(1.0, share)

    @cache
    def tone(colour: Colour, lit: float) -> Colour:
        shown = scale(colour, dim) if share >= 1 or lit <= 1 else colour
        shown = world.air.tone(
            shown, min(1.0, p), lit=lit * share if lit <= 1 and share < 1 else lit
        )
        if lit > 1 or not read:
            return shown
        moonlit = mix(_MOONLIGHT, colour, 0.72)
        return mix(shown, world.air.sheer(scale(moonlit, 0.28 + 0.5 * lit)), read)

    return tone
