"""The atmosphere of a scene: effects of time, weather and lighting on sky, colours and shadows."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from workbench.engines.animatic.colour import Colour, Grade, hex_colour, luma, mix
from workbench.engines.animatic.look import Look
from workbench.engines.animatic.script import Script

__all__ = ["Atmosphere", "Orb", "atmosphere_of", "skies"]


@dataclass(frozen=True, slots=True)
class Orb:
    """The sun or moon: position from the middle of the horizon, radius and colour."""

    x: float
    y: float
    r: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """Light and air, as painters need them. Shares run from 0 to 1."""

    sky: tuple[Colour, Colour, Colour]
    """Colours at the top, in the middle and at the horizon, before grading."""
    light: Colour
    shade: Colour
    haze: Colour
    haziness: float
    sun: Orb | None
    sunshine: float
    moon: Orb | None
    stars: float
    windows: float
    shadow: float
    side: int
    cloud: float
    veil: float
    wet: float
    snow: float
    dust: float
    autumn: float
    gust: float
    fall: str
    lightning: bool
    grade: Grade

    def tone(self, colour: Colour, p: float = 1.0, *, lit: float = 1.0) -> Colour:
        """Return ``colour`` as it looks at parallax ``p``: lit, hazed and graded.

        ``lit`` below 1 is in shade; above 1 it emits light and is not darkened at night.
        """
        if lit > 1:
            shown = mix(colour, self.haze, self._air(p) * 0.35)
            return self.grade(shown)
        falling = mix(self.shade, self.light, lit)
        shown = (colour[0] * falling[0], colour[1] * falling[1], colour[2] * falling[2])
        return self.grade(mix(shown, self.haze, self._air(p)))

    def sheer(self, colour: Colour) -> Colour:
        """Return ``colour`` graded only, for things that emit light."""
        return self.grade(colour)

    @property
    def darkness(self) -> float:
        """Darkness: 0 by day, near 1 at midnight."""
        return max(0.0, min(1.0, 1.15 - 1.2 * luma(self.light)))

    def _air(self, p: float) -> float:
        far = max(0.0, 1 - p)
        return min(0.97, self.haziness * float(far**1.25) + self.veil * 0.5 * min(1.0, far + 0.3))


@cache
def skies() -> Mapping[str, Any]:
    """Return the tables of ``skies.toml``."""
    text = resources.files("workbench.engines.animatic").joinpath("skies.toml").read_text("utf-8")
    return tomllib.loads(text)


def atmosphere_of(script: Script, look: Look) -> Atmosphere:
    """Return the atmosphere of ``script`` with its ``look``."""
    light = look.lighting
    times = skies()["time_of_day"]
    time = times[script.time_of_day or light.get("time", "afternoon")]
    weather = skies()["weather"].get(script.weather, {"cloud": 0.35})
    grey = weather.get("grey", 0.0)
    dim = weather.get("dim", 1.0)
    haze = hex_colour(time["haze"][0])
    sky = [_greyed(hex_colour(text), grey, dim) for text in time["sky"]]
    dark = weather.get("dark", 0.0)
    sky = [mix(colour, (0.08, 0.09, 0.13), dark) for colour in sky]
    if dust := weather.get("dust", 0.0):
        sand = _lit((0.86, 0.66, 0.42), hex_colour(time["light"]))
        sky, haze = [mix(c, sand, 0.75 * dust) for c in sky], mix(haze, sand, 0.85 * dust)
    sun = _orb(time.get("sun"))
    return Atmosphere(
        sky=(sky[0], sky[1], sky[2]),
        light=_greyed(hex_colour(time["light"]), grey * 0.5, 0.25 + 0.75 * dim),
        shade=_greyed(hex_colour(time["shade"]), grey * 0.4, 0.4 + 0.6 * dim),
        haze=mix(_greyed(haze, grey * 0.8, dim), (0.08, 0.09, 0.13), dark * 0.8),
        haziness=min(1.0, time["haze"][1] + weather.get("haze", 0.0)),
        sun=sun,
        sunshine=weather.get("sun", 1.0) if sun else 0.0,
        moon=_orb(time.get("moon")),
        stars=time.get("stars", 0.0) * max(0.0, 1 - weather.get("cloud", 0.3)),
        windows=min(1.0, max(look.windows, time.get("windows", 0.0) + (0.5 if dim < 0.6 else 0.0))),
        shadow=time["shadow"] * weather.get("shadow", 1.0) * light.get("shadow", 1.0),
        side=light.get("side", time.get("side", 1)),
        cloud=weather.get("cloud", 0.3),
        veil=weather.get("veil", 0.0),
        wet=weather.get("wet", 0.0),
        snow=weather.get("snow", 0.0),
        dust=weather.get("dust", 0.0),
        autumn=weather.get("autumn", 0.0),
        gust=weather.get("gust", 0.0),
        fall=weather.get("fall", ""),
        lightning=weather.get("lightning", False),
        grade=look.grade,
    )


def _orb(table: Mapping[str, Any] | None) -> Orb | None:
    if table is None:
        return None
    return Orb(table["x"], table["y"], table["r"], hex_colour(table["colour"]))


def _greyed(colour: Colour, grey: float, dim: float) -> Colour:
    bright = luma(colour)
    dull = mix(colour, (bright * 0.97, bright, bright * 1.03), grey)
    return dull[0] * dim, dull[1] * dim, dull[2] * dim


def _lit(colour: Colour, light: Colour) -> Colour:
    return colour[0] * light[0], colour[1] * light[1], colour[2] * light[2]
