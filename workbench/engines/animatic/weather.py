"""What falls and blows: rain, snow, hail, dust, leaves, and the lightning's flash."""

from __future__ import annotations

import cv2
import numpy as np

from workbench.engines.animatic.camera import Camera
from workbench.engines.animatic.planes import Picture
from workbench.engines.animatic.world import World
from workbench.engines.encoder import Image

__all__ = ["Weather"]


class Weather:
    """The weather of one film, as sheets of particles that scroll through the frame."""

    def __init__(self, world: World) -> None:
        self._sheets = []
        px = world.frame_px
        width = round(world.view.aspect * px) // 2 * 2
        kind = world.air.fall
        random = np.random.default_rng([world.script.seed, 3])
        if kind in {"drizzle", "rain", "heavy rain"}:
            density = {"drizzle": 0.35, "rain": 0.8, "heavy rain": 1.7}[kind]
            for depth, (length, speed) in enumerate(((0.05, 1.5), (0.09, 2.3))):
                sheet = _streaks(
                    random, width, px, round(150 * density), length, 0.16, 34 + 22 * depth
                )
                self._sheets.append((sheet, speed, 0.16 * speed))
        elif kind in {"snow", "blizzard"}:
            count, wind = (170, 0.03) if kind == "snow" else (420, 0.8)
            for size, speed in ((0.0026, 0.09), (0.0042, 0.15), (0.008, 0.26)):
                sheet = _flakes(random, width, px, round(count * 0.004 / size), size)
                self._sheets.append((sheet, speed * (3 if wind > 0.5 else 1), wind))

    def draw(self, picture: Picture, camera: Camera, t: float, story: float) -> None:
        """Lay the weather of this moment over ``picture``; ``story`` is the story's time."""
        del camera, t
        for sheet, down, across in self._sheets:
            _scroll_add(
                picture.y, sheet, story * across * picture.height, story * down * picture.height
            )


def _streaks(
    random: np.random.Generator,
    width: int,
    px: int,
    count: int,
    length: float,
    slant: float,
    light: int,
) -> Image:
    sheet = np.zeros((px, width), np.uint8)
    for x, y, k in zip(
        random.random(count) * width, random.random(count) * px, random.random(count), strict=True
    ):
        long = length * px * (0.6 + 0.8 * k)
        for wrap_x in (0, -width):
            for wrap_y in (0, -px):
                a = (round((x + wrap_x) * 16), round((y + wrap_y) * 16))
                b = (round((x + wrap_x + slant * long) * 16), round((y + wrap_y + long) * 16))
                cv2.line(sheet, a, b, light * (0.5 + 0.5 * k), max(1, px // 480), cv2.LINE_AA, 4)
    return sheet


def _flakes(random: np.random.Generator, width: int, px: int, count: int, size: float) -> Image:
    sheet = np.zeros((px, width), np.uint8)
    for x, y, k in zip(
        random.random(count) * width, random.random(count) * px, random.random(count), strict=True
    ):
        r = max(6, round(size * px * (0.7 + 0.6 * k) * 16))
        cv2.circle(sheet, (round(x * 16), round(y * 16)), r, 120 + 90 * k, -1, cv2.LINE_AA, 4)
    soft = max(1, int(size * px * 0.5)) | 1
    return cv2.blur(sheet, (soft, soft))


def _scroll_add(target: Image, sheet: Image, right: float, down: float) -> None:
    """Add ``sheet``, scrolled around, to ``target``."""
    height, width = target.shape
    x, y = round(right) % width, round(down) % height
    for ty, sy, h in ((0, height - y, y), (y, 0, height - y)):
        for tx, sx, w in ((0, width - x, x), (x, 0, width - x)):
            if w > 0 and h > 0:
                region = target[ty : ty + h, tx : tx + w]
                cv2.add(region, sheet[sy : sy + h, sx : sx + w], dst=region)
