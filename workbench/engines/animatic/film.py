"""The film: layers are painted once, then composited frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.control import CameraPath
from workbench.engines.animatic.atmosphere import atmosphere_of
from workbench.engines.animatic.backdrops import paint_backdrop
from workbench.engines.animatic.backdrops.halls import ROOM_END, ROOMS
from workbench.engines.animatic.backdrops.passages import PASSAGES
from workbench.engines.animatic.camera import (
    Camera,
    Sight,
    View,
    film_path,
    movements,
    placed,
    shaken,
)
from workbench.engines.animatic.compositing import hides_from, lay
from workbench.engines.animatic.effects import Effect, make_effects, parted
from workbench.engines.animatic.effects.plan import Plan
from workbench.engines.animatic.foreground import foreground
from workbench.engines.animatic.label import Label
from workbench.engines.animatic.look import Look, look_of
from workbench.engines.animatic.merging import merged
from workbench.engines.animatic.planes import Picture
from workbench.engines.animatic.script import Script
from workbench.engines.animatic.staging import framing, staged
from workbench.engines.animatic.steering import Shot, Stage, Steering, focal_of, warped
from workbench.engines.animatic.weather import Weather
from workbench.engines.animatic.world import Layer, World

__all__ = ["Film", "steering_of"]

_STAGE: Final = 1.0
_STORY_SPEED: Final = {
    "frozen": 0.0,
    "super slow motion": 0.12,
    "slow motion": 0.35,
    "slow": 0.65,
    "fast": 1.7,
    "time-lapse": 4.0,
}
"""Seconds of the story in one second of film."""
_BENDING: Final = frozenset({"fisheye", "ripple", "roll", "weave"})
_RACK_BLUR: Final = 0.016
_INTO: Final = 0.55
_STANDING: Final = frozenset({"static", "pan left", "pan right", "dolly out", "zoom out"})
_PASSED: Final = 0.42
"""How far the world approaches behind a walking lead, as a share of the distance to them."""


class Film:
    """A script prepared for drawing at one size and rate; frames in order or at random.

    The camera follows the path ``steered``, if given, instead of the script's movements: from where
    the script places it, through the path's lens. With ``apart`` every layer keeps its own depth,
    even without visible parallax. Steered films of one length have equal frames as long as their
    paths agree. A film ``planned`` to be longer is the beginning of that longer film: its figures
    move at the pace of the whole. A steered film can be :meth:`extended`.
    """

    def __init__(
        self,
        script: Script,
        width: int,
        height: int,
        num_frames: int,
        fps: float,
        *,
        steered: CameraPath | None = None,
        apart: bool = False,
        planned: int | None = None,
    ) -> None:
        self.width, self.height, self.num_frames, self.fps = width, height, num_frames, fps
        self._planned = planned or num_frames
        self.script = script
        # A style without fine detail is drawn at half the size and enlarged: a quarter of the work.
        self.look = look_of(script) if steered is None else _plain(look_of(script))
        coarse, fine = parted(self.look.effects)
        self._enlarge = bool(coarse) and width % 4 == 0 and height % 4 == 0
        self._fine: list[Effect] = []
        if self._enlarge:
            self._fine = make_effects(fine, Plan(width, height, script.seed))
            width, height = width // 2, height // 2
        self._size = (width, height)
        self.speed = _STORY_SPEED.get(script.pace, 1.0)
        view = View(width / height)
        self.steering: Steering | None = None
        self._shots: list[Shot] = []
        stage: Stage | None = None
        path = self._commanded(view) if steered is None else []
        if steered is not None:
            self.steering = steering_of(script, width, height, num_frames, fps, steered)
            self._shots = self.steering.shots()
            start = self.steering.start
            stage = Stage(view, start, self.steering.reach)
            path = [start]
        self.world = World(
            script,
            atmosphere_of(script, self.look),
            view,
            path,
            height,
            self.look,
            self._planned / fps * self.speed,
        )
        self.world.follow(path, stage)
        self.players = staged(self.world)
        self.path = self._followed(path) if stage is None else self._stayed(path[0])
        sight = stage or Sight(view, self.path)
        for player in self.players:
            player.clip(sight)
        self._backdrop_path = self._passed(self.path) if stage is None else self.path
        self.world.follow(path if stage else self._backdrop_path, stage)
        apart = apart or stage is not None
        layers = paint_backdrop(self.world)
        if self.look.sparse:
            layers = [layer for layer in layers if layer.p <= _STAGE]
        behind = [layer for layer in layers if layer.p <= _STAGE]
        before = [layer for layer in layers if layer.p > _STAGE]
        self._behind = merged(self.world, behind, apart=apart)
        self._before = merged(self.world, before, apart=apart)
        self._weather = Weather(self.world)
        self._frame = foreground(self.world)
        plan = Plan(width, height, script.seed, fine=not self._enlarge)
        self._effects = make_effects(coarse if self._enlarge else self.look.effects, plan)
        self._label = Label(self.width, self.height, script.not_drawn)
        self.pose_rate = fps / max(0.1, self.speed) / self.look.twos

    def frames(self) -> Iterator[Picture]:
        """Yield every frame in order."""
        for index in range(self.num_frames):
            yield self.frame(index)

    def extended(self, pose: npt.NDArray[np.float64]) -> bool:
        """Add a frame to a steered film, seen from ``pose`` (4×4, relative to the path's start).

        False where that is beyond the stage: nothing is added then.
        """
        shot = None if self.steering is None else self.steering.shot(pose)
        if shot is None:
            return False
        self._shots.append(shot)
        self.path.append(shot.camera)
        self.num_frames += 1
        return True

    def frame(self, index: int) -> Picture:
        """Return the frame at ``index``."""
        camera, beyond, t = self.moment(index)
        shot = self.shot(index)
        picture = Picture(*(shot.size if shot else self._size))
        self._lay_all(picture, self._behind, beyond, t)
        soften = self._rack(picture, index) if self.look.rack else 0
        colour = not self.look.mono
        for player in self.players:
            if self.shows(camera, player.p):
                player.draw(picture, camera, t, self.pose_rate, colour=colour, soften=soften)
        self._lay_all(picture, self._before, beyond, t)
        if shot is not None and shot.warp is not None:
            picture = warped(picture, shot.warp, self._size)
        if self.look.mono:
            picture.planes[picture.height :] = 128
        self._weather.draw(picture, camera, index / self.fps, t)
        if self._frame is not None:
            self._frame.draw(picture, index / self.fps)
        if abs(camera.smear) > 0.004:
            _smear(picture, camera.smear)
        for effect in self._effects:
            effect.apply(picture, index)
        if self._enlarge:
            picture = _enlarged(picture)
            for effect in self._fine:
                effect.apply(picture, index)
        self._label.draw(picture)
        return picture

    def boxes(self) -> npt.NDArray[np.float64]:
        """Return where each figure is in each frame, farthest first: shape (frames, figures, 4).

        Left, top, right, bottom as shares of width and height; beyond 0 to 1 outside the picture.
        For an unsteered film; a steered film has its boxes among its channels.
        """
        width, height = self._size
        size = np.array([width, height, width, height], dtype=np.float64)
        found = np.zeros((self.num_frames, len(self.players), 4))
        for index in range(self.num_frames):
            camera, _, t = self.moment(index)
            for place, player in enumerate(self.players):
                found[index, place] = player.box(camera, t, self.pose_rate)
        return found / size

    def _lay_all(self, picture: Picture, layers: list[Layer], camera: Camera, t: float) -> None:
        layers = [layer for layer in layers if layer.shown is None or layer.shown(t)]
        layers = [layer for layer in layers if self.shows(camera, layer.p)]
        places = [self.place(layer, camera, t) for layer in layers]
        hidden_from = picture.height
        untils: list[int] = []
        for layer, (scale, x, y) in zip(reversed(layers), reversed(places), strict=True):
            untils.append(hidden_from)
            row = hides_from(layer.sprite, picture.width, scale, x)
            if row is not None and y + layer.sprite.height * scale >= picture.height:
                solid = int(np.ceil(y + row * scale)) + 3
                hidden_from = min(hidden_from, max(0, solid))
        for layer, (scale, x, y), until in zip(layers, places, reversed(untils), strict=True):
            lay(
                picture,
                layer.sprite,
                scale=scale,
                x=x,
                y=y,
                until=until,
                colour=not self.look.mono,
                again=True,
            )

    def moment(self, index: int) -> tuple[Camera, Camera, float]:
        """Return the camera of a frame, the backdrop's camera, and the story time in seconds."""
        t = index // self.look.twos * self.look.twos / self.fps * self.speed
        return self.path[index], self._backdrop_path[index], t

    def shot(self, index: int) -> Shot | None:
        """Return the commanded camera of a frame; None if none was commanded."""
        return self._shots[index] if self._shots else None

    def shows(self, camera: Camera, p: float) -> bool:
        """Tell whether anything at parallax ``p`` is drawn; a commanded camera may pass layers."""
        return not self._shots or camera.sees(p)

    def layers(self, side: str) -> list[Layer]:
        """Return the layers ``behind`` the figures, or those ``before`` them, farthest first."""
        return self._behind if side == "behind" else self._before

    @property
    def bends(self) -> list[str]:
        """The effects that warp the finished picture."""
        return [name for text in self.look.effects if (name := text.split()[0]) in _BENDING]

    @property
    def unit(self) -> float:
        """The distance from the first camera to the subject, in units of the stage."""
        return 1 - self.path[0].k

    @property
    def drawn_height(self) -> int:
        """Rows of the picture before a coarse style is enlarged."""
        return self._size[1]

    def place(self, layer: Layer, camera: Camera, t: float) -> tuple[float, float, float]:
        """Return the scale of ``layer`` against how it is painted, and its corner in pixels."""
        dx, dy = layer.drift(t) if layer.drift else (0.0, 0.0)
        x, y = self.world.view.project(camera, layer.p, layer.x + dx, layer.y + dy)
        unit = self._size[1]
        # Plain numbers: they are rounded often, which numpy does slowly.
        return float(camera.scale(layer.p) * unit / layer.px), float(x * unit), float(y * unit)

    def _rack(self, picture: Picture, index: int) -> int:
        """Pull the focus from the background to the figures; return the remaining blur of these."""
        share = index / max(1, self._planned - 1)
        pulled = min(1.0, max(0.0, (share - 0.3) / 0.4))
        size = int(pulled * _RACK_BLUR * picture.height) * 2 + 1
        if size > 1:
            cv2.blur(picture.y, (size, size), dst=picture.y)
            half = size // 4 * 2 + 1
            for plane in (picture.u, picture.v):
                cv2.blur(plane, (half, half), dst=plane)
        return round(3 * (1 - pulled))

    def _commanded(self, view: View) -> list[Camera]:
        """Return the commanded camera of every frame."""
        script, fps = self.script, self.fps
        start = placed(script, framing(script, view, self.look.size))
        path = film_path(script, start, self.num_frames, fps)
        if self.look.shake:
            path = [shaken(c, self.look.shake, i / fps, script.seed) for i, c in enumerate(path)]
        return path

    def _stayed(self, start: Camera) -> list[Camera]:
        """Return the commanded path; slows the figures to stay in view of its ``start``."""
        travelling = [player for player in self.players if player.distance]
        if travelling:
            seen = self.width / self.height / start.scale(1.0)
            slower = min(1.0, 0.62 * seen / travelling[-1].distance)
            for player in travelling:
                player.slow_down(slower)
        return [shot.camera for shot in self._shots]

    def _followed(self, path: list[Camera]) -> list[Camera]:
        """Return ``path`` following the leading figure as closely as the movement says.

        If the camera does not follow, the figures are slowed to stay in the frame.
        """
        moves = movements(self.script)
        # Per step between frames: how closely the camera follows.
        follow = [
            moves[min(len(moves) - 1, i * len(moves) // self.num_frames)].get("follow", 0.0)
            for i in range(self.num_frames)
        ]
        travelling = [player for player in self.players if player.distance]
        if not travelling:
            return path
        lead = travelling[-1]
        seen = self.width / self.height / path[len(path) // 2].scale(1.0)
        free = lead.distance * (1 - sum(follow) / len(follow))
        slower = min(1.0, 0.62 * seen / free) if free else 1.0
        for player in travelling:
            player.slow_down(slower)
        come = [lead.travelled(i / self.fps * self.speed) for i in range(self.num_frames)]
        steps = [f * (b - a) for f, a, b in zip(follow, come, come[1:], strict=False)]
        trucked = [0.0, *accumulate(steps)]
        middle = trucked[-1] / 2
        return [replace(c, x=c.x + x - middle) for c, x in zip(path, trucked, strict=True)]

    def _passed(self, path: list[Camera]) -> list[Camera]:
        """Return ``path`` relative to the backdrop.

        A camera that leads or follows someone keeps its distance; the backdrop approaches or
        recedes.
        """
        lead = next((player for player in reversed(self.players) if player.towards), None)
        seconds = self.num_frames / self.fps * self.speed
        if lead is not None:
            whole = lead.approached(seconds)
            way = (1 if lead.front == "rear" else -1) * _PASSED * min(1.0, whole)
            times = (i / self.fps * self.speed for i in range(self.num_frames))
            last = lead.approached((self.num_frames - 1) / self.fps * self.speed)
            shares = [lead.approached(t) / last if last else 0.5 for t in times]
        elif self.script.backdrop in PASSAGES and self._goes_on():
            way = _INTO * min(1.0, seconds / 3)
            shares = [i / max(1, self.num_frames - 1) for i in range(self.num_frames)]
        else:
            return path
        return [
            replace(camera, k=camera.k + way * (1 - camera.k) * (share - 0.5))
            for camera, share in zip(path, shares, strict=True)
        ]

    def _goes_on(self) -> bool:
        """Tell whether the camera moves into a passage."""
        is_driven = self.script.frame in {"hood", "wheel"}
        return is_driven or self.script.camera_movement not in _STANDING


def steering_of(
    script: Script, width: int, height: int, num_frames: int, fps: float, path: CameraPath
) -> Steering:
    """Return how the film of a script follows ``path``; nothing is painted."""
    view, focal = View(width / height), focal_of(path, width, height)
    frame = framing(script, view, _plain(look_of(script)).size)
    start = placed(script, frame, focal=focal)
    end = ROOM_END if script.backdrop in ROOMS else 0.0
    return Steering(path, start, width, height, num_frames, fps, end=end)


def _plain(look: Look) -> Look:
    """Return ``look`` without effects that warp the picture or shake the camera."""
    straight = tuple(text for text in look.effects if text.split()[0] not in _BENDING)
    return replace(look, effects=straight, shake=0.0)


def _smear(picture: Picture, amount: float) -> None:
    """Blur sideways by ``amount`` frame heights."""
    size = min(picture.width // 2, int(abs(amount) * picture.height)) | 1
    cv2.blur(picture.y, (size, 1), dst=picture.y)
    for plane in (picture.u, picture.v):
        cv2.blur(plane, (size // 2 | 1, 1), dst=plane)


def _enlarged(picture: Picture) -> Picture:
    """Return ``picture`` at twice its size."""
    large = Picture(picture.width * 2, picture.height * 2)
    for source, target in ((picture.y, large.y), (picture.u, large.u), (picture.v, large.v)):
        cv2.resize(source, target.shape[::-1], dst=target, interpolation=cv2.INTER_LINEAR)
    return large
