"""A member of the cast through the whole film: its figures, moment by moment."""

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
    """One figure of an actor, at ``place`` (x, y, depth) in the middle of its path.

    The moments of the story are equally long; equal neighbouring ones are merged.
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
        self._lengths_s = [count * moment_s for _, count in runs]
        self._starts_s = [0.0, *accumulate(self._lengths_s)][:-1]
        self.parts = [
            Player(
                world,
                replace(state, later=()),
                (y, self.p),
                offset=offset,
                mirrored=mirrored,
                while_s=(begins, lasts),
            )
            for (state, _), begins, lasts in zip(runs, self._starts_s, self._lengths_s, strict=True)
        ]
        self._slower = 1.0

    @property
    def distance(self) -> float:
        """Distance travelled in the whole film, in units at its depth."""
        return sum(self._distances([part.speed for part in self.parts]))

    def slow_down(self, factor: float) -> None:
        """Scale its speed, and start half of its path before its place."""
        self._slower *= factor
        self.x -= self.distance / 2

    def clip(self, sight: Sight) -> None:
        """Limit painting to the part visible in ``sight``."""
        seen = sight.extent(self.p)
        for part in self.parts:
            part.clip(seen, self.x, self.x + self.distance)

    def travelled(self, t: float) -> float:
        """Return the distance travelled at ``t`` seconds of the story."""
        return self._until(t, [part.speed for part in self.parts])

    def approached(self, t: float) -> float:
        """Return the distance travelled towards or away from the camera at ``t``."""
        speeds = [part.motion.speed if part.towards else 0.0 for part in self.parts]
        return self._until(t, speeds)

    @property
    def front(self) -> str:
        """The side that it shows when it first approaches or leaves, else at the start."""
        return next((part.front for part in self.parts if part.towards), self.parts[0].front)

    @property
    def towards(self) -> bool:
        """Whether it ever approaches or leaves."""
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
        """Composite it over ``picture`` at story time ``t``; ``rate`` is poses per second."""
        part, x = self.at(t)
        poses = part.poses_wanted(rate)
        part.draw(picture, camera, x, t, poses=poses, colour=colour, soften=soften)

    def box(self, camera: Camera, t: float, rate: float) -> tuple[float, float, float, float]:
        """Return its box at ``t``: left, top, right, bottom in pixels."""
        part, x = self.at(t)
        return part.box(camera, x, t, poses=part.poses_wanted(rate))

    def at(self, t: float) -> tuple[Player, float]:
        """Return its player at ``t`` seconds of the story, and its x position."""
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
