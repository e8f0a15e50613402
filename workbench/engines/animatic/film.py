"""The film: everything painted once, then frame after frame laid together and handed on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from workbench.engines.animatic.atmosphere import atmosphere_of
from workbench.engines.animatic.backdrops import paint_backdrop
from workbench.engines.animatic.camera import Camera, View, film_path, placed, presets
from workbench.engines.animatic.cast import Player, figures, players_of, story_speed
from workbench.engines.animatic.colour import Grade
from workbench.engines.animatic.label import Label
from workbench.engines.animatic.planes import Picture, lay
from workbench.engines.animatic.script import Script
from workbench.engines.animatic.weather import Weather
from workbench.engines.animatic.world import Layer, World

__all__ = ["Film"]

_STAGE: Final = 1.0


class Film:
    """A script made ready to be drawn at one size and rate; frames come in order or at random."""

    def __init__(
        self, script: Script, width: int, height: int, num_frames: int, fps: float
    ) -> None:
        self.width, self.height, self.num_frames, self.fps = width, height, num_frames, fps
        self.script = script
        self.speed = story_speed(script.pace)
        view = View(width / height)
        air = atmosphere_of(script, Grade([]), {})
        size = max((figures()[a.figure]["size"] for a in script.actors), default=0.5)
        start = placed(script, size, size * 0.55)
        path = film_path(script, start, num_frames, fps)
        shot = presets()["shot_size"].get(script.shot_size, {})
        lens = presets()["lens"].get(script.lens, {})
        soft = shot.get("soft", 0.0) + lens.get("soft", 0.0)
        self.world = World(script, air, view, path, height, soft=soft)
        players = players_of(self.world)
        self.path = self._followed(path, players)
        self.world.path = self.path
        self.players = players
        self.layers = paint_backdrop(self.world)
        self.weather = Weather(self.world)
        self.label = Label(self.height)
        self.colour = True

    def frames(self) -> Iterator[Picture]:
        """Yield every frame in order."""
        for index in range(self.num_frames):
            yield self.frame(index)

    def frame(self, index: int) -> Picture:
        """Return the frame at ``index``."""
        camera, t = self.path[index], index / self.fps * self.speed
        picture = Picture(self.width, self.height)
        behind = [layer for layer in self.layers if layer.p <= _STAGE]
        before = [layer for layer in self.layers if layer.p > _STAGE]
        self._lay_all(picture, behind, camera, t)
        rate = self.fps / max(0.05, self.speed)
        for player in self.players:
            player.draw(picture, camera, t, player.poses_wanted(rate), colour=self.colour)
        self._lay_all(picture, before, camera, t)
        self.weather.draw(picture, camera, index / self.fps, t)
        self.label.draw(picture)
        return picture

    def _lay_all(self, picture: Picture, layers: list[Layer], camera: Camera, t: float) -> None:
        places = [self._place(layer, camera, t) for layer in layers]
        hidden_from = self.height
        untils: list[int] = []
        for layer, (scale, _, y) in zip(reversed(layers), reversed(places), strict=True):
            untils.append(hidden_from)
            if (
                layer.sprite.solid < layer.sprite.height
                and y + layer.sprite.height * scale >= self.height
            ):
                solid = int(np.ceil(y + layer.sprite.solid * scale)) + 3
                hidden_from = min(hidden_from, max(0, solid))
        for layer, (scale, x, y), until in zip(layers, places, reversed(untils), strict=True):
            lay(picture, layer.sprite, scale=scale, x=x, y=y, until=until, colour=self.colour)

    def _place(self, layer: Layer, camera: Camera, t: float) -> tuple[float, float, float]:
        dx, dy = layer.drift(t) if layer.drift else (0.0, 0.0)
        x, y = self.world.view.project(camera, layer.p, layer.x + dx, layer.y + dy)
        scale = camera.scale(layer.p) * self.height / layer.px
        return scale, x * self.height, y * self.height

    def _followed(self, path: list[Camera], players: list[Player]) -> list[Camera]:
        """Return ``path`` following the leading figure as far as the movement says.

        Where the camera does not follow, the figures are slowed to stay in the frame.
        """
        table = presets()["camera_movement"]
        follow = table.get(self.script.camera_movement, table["default"]).get("follow", 0.0)
        travelling = [player for player in players if player.speed]
        if not travelling:
            return path
        lead = travelling[-1]
        duration = self.num_frames / self.fps * self.speed
        seen = self.width / self.height / path[len(path) // 2].scale(1.0)
        free = lead.speed * (1 - follow) * duration
        slower = min(1.0, 0.62 * seen / max(1e-6, free)) if free else 1.0
        for player in travelling:
            player.speed *= slower
            player.x -= player.speed * duration * 0.5
        return [
            replace(
                camera,
                x=camera.x + follow * lead.speed * (index / self.fps * self.speed - duration / 2),
            )
            for index, camera in enumerate(path)
        ]
