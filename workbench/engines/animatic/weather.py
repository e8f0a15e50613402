"""Weather in front of the scene: rain, snow, hail, wind, dust, leaves, mist, lightning."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import cv2
import numpy as np

from workbench.engines.animatic.backdrops.halls import INDOORS
from workbench.engines.animatic.camera import Camera
from workbench.engines.animatic.colour import luma
from workbench.engines.animatic.planes import Picture
from workbench.engines.animatic.world import World
from workbench.engines.pixels import Image

__all__ = ["Weather"]

_INDOORS: Final = frozenset(
    {
        "room",
        "kitchen",
        "office",
        "stage",
        "space",
        "underwater",
        "studio",
        "tabletop",
        "car interior",
        "corridor",
        *INDOORS,
    }
)
_FIXED: Final = 16
_SHORE: Final = 0.68
"""Where splashes begin, as a share of the frame's height."""


@cache
def _table() -> Mapping[str, Any]:
    text = resources.files("workbench.engines.animatic").joinpath("weather.toml").read_text("utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Particles that repeat across the frame and scroll through it."""

    light: Image | None
    dark: Image | None
    hue: Image | None
    down: float
    across: float


class Weather:
    """The weather of one film: sheets of particles, splashes, mist and flashes."""

    def __init__(self, world: World) -> None:
        self._height = world.frame_px
        self._width = round(world.view.aspect * world.frame_px) // 2 * 2
        self._random = np.random.default_rng([world.script.seed, 3])
        inside = world.script.backdrop in _INDOORS and world.script.backdrop != "studio"
        recipe = _table().get(world.air.fall, {}) if not inside else {}
        dim = 0.55 + 0.45 * luma(world.air.light)
        self._sheets = [self._sheet(entry, dim) for entry in recipe.get("sheets", ())]
        self._splashes = self._splash_sheets(int(recipe.get("splashes", 0)))
        self._mist = self._mist_of(world) if world.air.veil > 0.1 and not inside else None
        self._lightning = world.air.lightning
        self._bolts = [self._bolt() for _ in range(2)] if self._lightning and not inside else []
        self._seed = world.script.seed

    def draw(self, picture: Picture, camera: Camera, t: float, story: float) -> None:
        """Composite the weather over ``picture`` at ``t`` s of film, ``story`` s of the story."""
        if self._mist is not None:
            keep, light = self._mist
            shift = (story * 0.06 + 0.2 * camera.x) * self._height
            _scroll(picture.y, keep, shift, 0, _multiply)
            _scroll(picture.y, light, shift, 0, cv2.add)
        for sheet in self._sheets:
            across = (story * sheet.across - 0.5 * camera.x) * self._height
            down = story * sheet.down * self._height
            if sheet.light is not None:
                _scroll(picture.y, sheet.light, across, down, cv2.add)
            if sheet.dark is not None:
                _scroll(picture.y, sheet.dark, across, down, cv2.subtract)
            if sheet.hue is not None:
                _scroll(picture.v, sheet.hue, across / 2, down / 2, cv2.add)
                _scroll(picture.u, sheet.hue, across / 2, down / 2, cv2.subtract)
        if self._splashes:
            rings = self._splashes[int(story * 12) % len(self._splashes)]
            region = picture.y[picture.height - len(rings) :]
            cv2.add(region, rings, dst=region)
        if self._lightning:
            self._flash(picture, t)

    def _sheet(self, entry: Mapping[str, Any], dim: float) -> _Sheet:
        sheet: Image = np.zeros((self._height, self._width), np.uint8)
        paint = {"streak": self._streak, "gust": self._gust, "leaf": self._leaf}.get(
            entry["kind"], self._flake
        )
        level = abs(entry["light"]) * (dim if entry["light"] > 0 else 1.0)
        for _ in range(int(entry["number"])):
            x, y = self._random.random(2) * (self._width, self._height)
            variation = float(self._random.random())
            turn = float(self._random.random())
            # Particles wrap around at the right and lower edges.
            long = (1.5 * entry["size"] + 0.03) * self._height
            for dx in (0, -self._width) if x + 2 * long > self._width else (0,):
                for dy in (0, -self._height) if y + long > self._height else (0,):
                    paint(sheet, x + dx, y + dy, entry, level * (0.6 + 0.4 * variation), turn)
        if entry["kind"] in {"flake", "mote", "gust"}:
            soft = max(
                3,
                int(entry["size"] * self._height * (0.5 if entry["kind"] != "gust" else 0.02)) | 1,
            )
            sheet = cv2.GaussianBlur(sheet, (soft, soft), 0)
        if entry["light"] > 0:
            return _Sheet(sheet, None, None, entry["down"], entry["across"])
        hue = None
        if "hue" in entry:
            size = (self._width // 2, self._height // 2)
            half = cv2.resize(sheet, size, interpolation=cv2.INTER_AREA)
            hue = cv2.convertScaleAbs(half, alpha=0.55 * entry["hue"])
        return _Sheet(None, sheet, hue, entry["down"], entry["across"])

    def _streak(
        self, sheet: Image, x: float, y: float, entry: Mapping[str, Any], level: float, turn: float
    ) -> None:
        long = entry["size"] * self._height * (0.6 + 0.7 * turn)
        slant = entry["across"] / entry["down"]
        ends = [
            (round(x * _FIXED), round(y * _FIXED)),
            (round((x + slant * long) * _FIXED), round((y + long) * _FIXED)),
        ]
        cv2.line(sheet, ends[0], ends[1], level, max(1, self._height // 480), cv2.LINE_AA, 4)

    def _flake(
        self, sheet: Image, x: float, y: float, entry: Mapping[str, Any], level: float, turn: float
    ) -> None:
        r = max(1.0, entry["size"] * self._height * (0.7 + 0.6 * turn))
        cv2.circle(
            sheet,
            (round(x * _FIXED), round(y * _FIXED)),
            round(r * _FIXED),
            min(255, level * 1.25),
            -1,
            cv2.LINE_AA,
            4,
        )

    def _gust(
        self, sheet: Image, x: float, y: float, entry: Mapping[str, Any], level: float, turn: float
    ) -> None:
        long, sway = entry["size"] * self._height * (0.5 + turn), 0.02 * self._height
        ts = np.linspace(0, 1, 14)
        line = np.stack([x + ts * long, y + sway * np.sin(5 * ts + 6 * turn)], 1)
        cv2.polylines(
            sheet,
            [np.rint(line * _FIXED).astype(np.int32)],
            False,
            level,
            max(1, self._height // 300),
            cv2.LINE_AA,
            4,
        )

    def _leaf(
        self, sheet: Image, x: float, y: float, entry: Mapping[str, Any], level: float, turn: float
    ) -> None:
        r = max(1.5, entry["size"] * self._height)
        axes = (round(r * _FIXED), round(r * 0.45 * _FIXED))
        cv2.ellipse(
            sheet,
            (round(x * _FIXED), round(y * _FIXED)),
            axes,
            360 * turn,
            0,
            360,
            level,
            -1,
            cv2.LINE_AA,
            4,
        )

    def _splash_sheets(self, number: int) -> list[Image]:
        """Return a few sheets of small rings where drops have just landed."""
        sheets = []
        for _ in range(4 if number else 0):
            sheet = np.zeros((self._height - int(_SHORE * self._height), self._width), np.uint8)
            for x, y in self._random.random((number, 2)):
                r = max(2, int((0.004 + 0.008 * y) * self._height))
                at = (int(x * self._width), int(y * sheet.shape[0]))
                cv2.ellipse(sheet, at, (r, max(1, r // 3)), 0, 0, 360, 70, 1, cv2.LINE_AA)
            sheets.append(sheet)
        return sheets

    def _mist_of(self, world: World) -> tuple[Image, Image]:
        """Return the share of the picture that mist keeps, and the light that it adds."""
        cells = (9, 4)
        coarse = self._random.random((cells[1], cells[0]), np.float32)
        around = np.concatenate([coarse, coarse[:, :1]], 1)
        smooth = cv2.resize(around, (self._width, self._height), interpolation=cv2.INTER_CUBIC)
        rows = np.linspace(0, 1, self._height, dtype=np.float32)[:, None]
        low = np.exp(-(((rows - 0.62) / 0.3) ** 2))
        cover = np.clip(
            world.air.veil * (0.5 + 0.9 * np.clip(smooth, 0, 1)) * (0.45 + 0.75 * low), 0, 0.85
        )
        bright = 16 + 219 * luma(world.tone(world.air.haze, 0.0))
        return _bytes(255 * (1 - cover)), _bytes(bright * cover)

    def _bolt(self) -> Image:
        sheet = np.zeros((self._height, self._width), np.uint8)
        x, y = float(self._random.uniform(0.15, 0.85)) * self._width, 0.0
        points = [(x, y)]
        while y < 0.46 * self._height:
            x += float(self._random.normal(0, 0.03)) * self._height
            y += float(self._random.uniform(0.015, 0.05)) * self._height
            points.append((x, y))
        fixed = np.rint(np.asarray(points) * _FIXED).astype(np.int32)
        thick = max(1, self._height // 200)
        cv2.polylines(sheet, [fixed], False, 255, thick, cv2.LINE_AA, 4)
        glow = cv2.blur(sheet, (thick * 12 | 1, thick * 12 | 1))
        return cv2.add(sheet, cv2.convertScaleAbs(glow, alpha=1.6))

    def _flash(self, picture: Picture, t: float) -> None:
        """Draw a double flash about every 1.5 seconds of film."""
        period = 1.45
        since = (t + 0.9 + 0.37 * (self._seed % 3)) % period
        strength = (
            max(0.0, 1 - since / 0.12)
            if since < 0.16
            else max(0.0, 1 - (since - 0.2) / 0.2)
            if since > 0.2
            else 0.0
        )
        if strength > 0.05:
            cv2.convertScaleAbs(
                picture.y, dst=picture.y, alpha=1 + 0.8 * strength, beta=26 * strength
            )
            if self._bolts and since < 0.3:
                bolt = self._bolts[int((t + 0.9) / period) % len(self._bolts)]
                cv2.add(picture.y, bolt, dst=picture.y)


def _scroll(target: Image, sheet: Image, right: float, down: float, combine: Any) -> None:
    """Combine ``sheet``, scrolled with wrap-around, with ``target``."""
    height, width = target.shape
    x, y = round(right) % width, round(down) % height
    for ty, sy, h in ((0, height - y, y), (y, 0, height - y)):
        for tx, sx, w in ((0, width - x, x), (x, 0, width - x)):
            if w > 0 and h > 0:
                region = target[ty : ty + h, tx : tx + w]
                combine(region, sheet[sy : sy + h, sx : sx + w], dst=region)


def _multiply(first: Image, second: Image, *, dst: Image) -> None:
    cv2.multiply(first, second, dst=dst, scale=1 / 255)


def _bytes(values: Image) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)
