"""Backdrops: the place of a scene as layers, from the sky to the foreground."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from workbench.engines.animatic.backdrops import land, town
from workbench.engines.animatic.world import Layer, World

__all__ = ["BACKDROPS", "paint_backdrop"]

BACKDROPS: Final[Mapping[str, Callable[[World], list[Layer]]]] = MappingProxyType(
    {
        "city street": town.city_street,
        "meadow": land.meadow,
    }
)


def paint_backdrop(world: World) -> list[Layer]:
    """Return the layers of the script's backdrop, farthest first."""
    return BACKDROPS[world.script.backdrop](world)
