"""The look of a film: the sum of its lighting, mood, palette, style, lens and angle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.engines.animatic.camera import presets
from workbench.engines.animatic.colour import Grade
from workbench.engines.animatic.script import Script
from workbench.engines.animatic.tables import looks

__all__ = ["Look", "look_of"]


@dataclass(frozen=True, slots=True)
class Look:
    """The look of the whole film."""

    grade: Grade
    effects: tuple[str, ...]
    """Names with numbers, in order of application."""
    lighting: Mapping[str, Any]
    figures: float
    """Light on figures: 1 as on everything else, 0 none."""
    texture: float
    modelling: float
    """Strength of soft light and shade on figures."""
    mono: bool
    soft: float
    """Depth of field: blur of the far background, frame heights."""
    rack: bool
    twos: int
    """Frames per drawing."""
    shake: float
    sparse: bool
    windows: float
    squash: float
    """Height of figures, foreshortened by a high camera."""
    size: float
    """Scale of the cast."""


def look_of(script: Script) -> Look:
    """Return the look of ``script``."""
    table = looks()
    parts = [
        table[field].get(getattr(script, field), {})
        for field in ("lighting", "mood", "color_palette", "style")
    ]
    lighting, mood, palette, style = parts
    lens = presets()["lens"].get(script.lens, {})
    angle = presets()["camera_angle"].get(script.camera_angle, {})
    shot = presets()["shot_size"].get(script.shot_size, {})
    soft = shot.get("soft", 0.0) + lens.get("soft", 0.0)
    return Look(
        grade=Grade([part.get("grade", {}) for part in parts]),
        effects=(
            *lighting.get("effects", ()),
            *mood.get("effects", ()),
            *palette.get("effects", ()),
            *lens.get("effects", ()),
            *style.get("effects", ()),
            *angle.get("effects", ()),
            *script.effects,
        ),
        lighting=lighting,
        figures=lighting.get("figures", 1.0),
        texture=style.get("texture", 0.35 if style.get("flat") else 1.0),
        modelling=style.get("modelling", 0.45 if style.get("flat") else 1.0),
        mono=style.get("mono", False),
        soft=0.0 if lens.get("soft", 0.0) < 0 else soft,
        rack=bool(lens.get("rack")),
        twos=style.get("twos", 1),
        shake=style.get("shake", 0.0),
        sparse=style.get("sparse", False),
        windows=style.get("windows", 0.0),
        squash=angle.get("squash", 1.0),
        size=mood.get("size", 1.0),
    )
