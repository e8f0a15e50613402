"""The script that a Scene becomes: figures, a backdrop and vocabulary terms. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.engines.animatic.colour import Colour

__all__ = ["Actor", "Script"]


@dataclass(frozen=True, slots=True)
class Actor:
    """One kind of figure on the stage."""

    figure: str
    """Its key in the figures' table; ``card`` for what cannot be drawn."""
    words: str
    """The words of the scene that it stands for."""
    count: int = 1
    gait: str = "rest"
    colour: Colour | None = None
    rider: str = ""
    """The figure that sits on it, if any."""
    prop: str = ""
    """The figure that it holds, if any."""
    prop_colour: Colour | None = None
    upright: bool = False
    """Whether an animal stands and acts like a person."""


@dataclass(frozen=True, slots=True)
class Script:
    """A scene as the stage needs it; the fields named as in Scene hold established terms or ""."""

    actors: tuple[Actor, ...]
    backdrop: str
    seed: int = 0
    time_of_day: str = ""
    weather: str = ""
    lighting: str = ""
    mood: str = ""
    style: str = ""
    color_palette: str = ""
    shot_size: str = ""
    camera_angle: str = ""
    camera_movement: str = ""
    lens: str = ""
    pace: str = ""
