"""The forms that figures take: which painter draws each, in how much room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.person import paint_person
from workbench.engines.animatic.figures.quadruped import paint_quadruped
from workbench.engines.animatic.figures.wheeled import paint_car

__all__ = ["FORMS", "Form"]

Painter = Callable[[Canvas, Pose, Ink, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Form:
    """One way of drawing: its painter and the room it needs, in heights of the figure."""

    paint: Painter
    box: tuple[float, float, float, float]
    """Left, top, right, bottom about the point it stands on."""
    footprint: float = 0.5
    """Width of the shadow."""
    grounded: bool = True


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "person": Form(paint_person, (-0.6, -1.3, 0.6, 0.06), 0.42),
        "quadruped": Form(paint_quadruped, (-1.25, -1.5, 1.25, 0.06), 1.0),
        "car": Form(paint_car, (-1.85, -1.12, 1.85, 0.06), 3.2),
    }
)
