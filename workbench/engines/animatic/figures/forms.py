"""The forms of figures, each with its painter and bounding box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.figures.arm import paint_arm
from workbench.engines.animatic.figures.birds import paint_bird
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.crawlers import paint_crawler, paint_insect, paint_snake
from workbench.engines.animatic.figures.drawing import paint_drawing
from workbench.engines.animatic.figures.person import paint_person
from workbench.engines.animatic.figures.quadruped import paint_quadruped
from workbench.engines.animatic.figures.signs import paint_card, paint_firework
from workbench.engines.animatic.figures.swimmers import paint_fish, paint_jelly
from workbench.engines.animatic.figures.wheeled import paint_car

__all__ = ["FORMS", "Form"]

Painter = Callable[[Canvas, Pose, Ink, Mapping[str, Any]], None]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its painter and the room it needs, in heights of the figure."""

    paint: Painter
    box: Box
    """Left, top, right, bottom around the point it stands on."""
    footprint: float = 0.5
    """Width of the shadow."""
    place: str = "ground"
    """Its place: ``ground``, ``air``, ``water`` or ``perch``."""


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "person": Form(paint_person, (-0.62, -1.4, 0.66, 0.08), 0.42),
        "quadruped": Form(paint_quadruped, (-1.3, -1.6, 1.3, 0.08), 1.0),
        "bird": Form(paint_bird, (-0.95, -1.45, 0.75, 0.08), 0.4, "air"),
        "fish": Form(paint_fish, (-1.15, -1.05, 0.95, 0.05), 0.9, "water"),
        "jelly": Form(paint_jelly, (-0.75, -1.08, 0.75, 0.12), 0.5, "water"),
        "insect": Form(paint_insect, (-0.72, -1.1, 0.45, 0.1), 0.4, "air"),
        "crawler": Form(paint_crawler, (-1.35, -0.9, 1.35, 0.06), 0.9),
        "snake": Form(paint_snake, (-1.3, -0.6, 1.3, 0.12), 1.8),
        "car": Form(paint_car, (-1.85, -1.12, 1.85, 0.06), 3.2),
        "drawing": Form(paint_drawing, (-0.85, -1.12, 0.85, 0.08), 0.9),
        "firework": Form(paint_firework, (-0.7, -1.25, 0.7, 0.2), 0.0, "air"),
        "arm": Form(paint_arm, (-0.95, -1.35, 1.0, 0.04), 1.5),
        "card": Form(paint_card, (-0.62, -1.08, 0.62, 0.06), 0.9),
    }
)
