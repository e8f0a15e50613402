"""A member of the cast through the whole film: one figure after another, moment by moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, groupby

from workbench.engines.animatic.camera import Camera, Sight
from workbench.engines.animatic.planes import Picture
from workbench.engines.animatic.player import Player
from workbench.engines.animatic.script import Actor
from workbench.engines.animatic.world import World

__all__ = ["Performance"]


class Performance:
    """One figure of an actor, at ``place`` (x, y, depth) at the middle of its way.

    The moments of the story are equally long; neighbouring ones in which it does the same are one.
    """

    def __init__(
        self,
        world: World,
        actor: Actor,
        place: tuple[float, float, float],
        *,
        offset: float = 0.0,
        mirrored: bool = False,
    ) -> None:
        states = (actor, *actor.later)
        moment_s = world.seconds / len(states)
        runs = [(state, len(list(run))) for state, run in groupby(states)]
        self.x, y, self.p = place
        self.parts = [
            Player(world, replace(state, later=()), (y, self.p), offset=offset, mirrored=mirrored)
            for state, _ in runs
        ]
        self._lengths_s = [count * moment_s for _, count in runs]
        self._starts_s = [0.0, *accumulate(self._lengths_s)][:-1]
        self._slower = 1.0

    @property
    def distance(self) -> float:
        """How far it travels in the whole film, in units at its depth."""
        return sum(self._distances([part.speed for part in self.parts]))

    def slow_down(self, factor: float) -> None:
        """Travel more slowly, and begin half the way before its place."""
        self._slower *= factor
        self.x -= self.distance / 2

    def clip(self, sight: Sight) -> None:
        """Paint only what ``sight`` ever sees of it."""
        seen = sight.extent(self.p)
        for part in self.parts:
            part.clip(seen, self.x, self.x + self.distance)

    def travelled(self, t: float) -> float:
        """Return how far it has come at ``t`` seconds of the story."""
        return self._until(t, [part.speed for part in self.parts])

    def approached(self, t: float) -> float:
        """Return how far it has come towards or away from the camera at ``t``."""
        speeds = [part.motion.speed if part.towards else 0.0 for part in self.parts]
        return self._until(t, speeds)

    @property
    def front(self) -> str:
        """Which side it shows when it first comes or goes, or else at first."""
        return next((part.front for part in self.parts if part.towards), self.parts[0].front)

    @property
    def towards(self) -> bool:
        """Whether it ever comes or goes."""
        return any(part.towards for part in self.parts)

    def draw(
        self,
        picture: Picture,
        camera: Camera,
        t: float,
        rate: float,
        *,
        colour: bool,
        soften: int = 0,
    ) -> None:
        """Lay it over ``picture`` at ``t`` seconds of the story; ``rate`` is poses a second."""
        part, x = self.at(t)
        poses = part.poses_wanted(rate)
        part.draw(picture, camera, x, t, poses=poses, colour=colour, soften=soften)

    def box(self, camera: Camera, t: float, rate: float) -> tuple[float, float, float, float]:
        """Return where it is at ``t``: left, top, right, bottom in pixels."""
        part, x = self.at(t)
        return part.box(camera, x, t, poses=part.poses_wanted(rate))

    def at(self, t: float) -> tuple[Player, float]:
        """Return what it is at ``t`` seconds of the story, and where it stands across."""
        part = self.parts[max(0, bisect_right(self._starts_s, t) - 1)]
        return part, self.x + self.travelled(t)

    def _distances(self, speeds: Sequence[float]) -> list[float]:
        return [
            speed * self._slower * length
            for speed, length in zip(speeds, self._lengths_s, strict=True)
        ]

    def _until(self, t: float, speeds: Sequence[float]) -> float:
        at = max(0, bisect_right(self._starts_s, t) - 1)
        whole = sum(self._distances(speeds)[:at])
        return whole + speeds[at] * self._slower * (t - self._starts_s[at])
