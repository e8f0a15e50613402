"""The script that a Scene becomes: figures, a backdrop and vocabulary terms. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.engines.animatic.colour import Colour

__all__ = ["Actor", "Place", "Script"]


@dataclass(frozen=True, slots=True)
class Place:
    """The stated position of a figure in the picture."""

    side: int = 0
    """-1 on the left, 1 on the right, 0 unstated."""
    depth: str = ""
    """``front``, ``behind`` or ``far``; empty: where the action is."""
    is_above: bool = False
    upon: str = ""
    """The figure that it stands or lies on."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One kind of figure on the stage."""

    figure: str
    """Its key in the table of figures; ``card`` if it has no figure."""
    words: str
    """The words of the scene that it represents."""
    count: int = 1
    gait: str = "rest"
    colour: Colour | None = None
    rider: str = ""
    """The figure that sits on it, if any."""
    rider_look: tuple[tuple[str, Any], ...] = ()
    """The rider's stated looks."""
    prop: str = ""
    """The figure that it holds, if any."""
    prop_colour: Colour | None = None
    upright: bool = False
    """Whether an animal stands and acts like a person."""
    look: tuple[tuple[str, Any], ...] = ()
    """Its stated looks, as keys and values for its painter."""
    place: Place = Place()
    scale: float = 1.0
    """Its scale relative to its size when alone."""
    later: tuple[Actor, ...] = ()
    """The actor in the moments after the first; empty if unchanged."""


@dataclass(frozen=True, slots=True)
class Script:
    """A scene for the stage; fields named as in Scene hold established terms or ""."""

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
    viewpoint: str = ""
    moves: tuple[str, ...] = ()
    """The camera's movements, one after another; ``camera_movement`` is the first."""
    moments: int = 1
    """Number of equally long moments."""
    frame: str = ""
    """What is in front of the lens: ``hands``, ``wheel``, ``hood``, ``gripper`` and so on."""
    effects: tuple[str, ...] = ()
    """Effects of the viewpoint, named as in ``looks.toml``."""
    not_drawn: tuple[str, ...] = ()
    """Names in the scene without a figure."""
