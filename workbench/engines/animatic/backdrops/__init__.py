"""Backdrops: the place of a scene as layers, from the sky to the foreground."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from workbench.engines.animatic.backdrops import (
    beyond,
    cabin,
    depths,
    halls,
    indoors,
    land,
    passages,
    tended,
    theatre,
    town,
    water,
    works,
)
from workbench.engines.animatic.world import Layer, World

__all__ = ["BACKDROPS", "paint_backdrop"]

BACKDROPS: Final[Mapping[str, Callable[[World], list[Layer]]]] = MappingProxyType(
    {
        "city street": town.city_street,
        "skyline": town.skyline,
        "forest": land.forest,
        "meadow": land.meadow,
        "mountains": land.mountain_pass,
        "desert": land.desert,
        "beach": water.beach,
        "ocean": water.ocean,
        "underwater": depths.underwater,
        "river": water.river,
        "lake": water.lake,
        "snowfield": land.snowfield,
        "space": beyond.space,
        "planet surface": beyond.planet_surface,
        "room": indoors.room,
        "kitchen": indoors.kitchen,
        "office": indoors.office,
        "stage": theatre.stage,
        "stadium": works.stadium,
        "road": works.road,
        "railway": works.railway,
        "garden": tended.garden,
        "farm": tended.farm,
        "ruins": tended.ruins,
        "sky": beyond.open_sky,
        "corridor": passages.corridor,
        "road ahead": passages.road_ahead,
        "railway ahead": passages.railway_ahead,
        "studio": indoors.studio,
        "tabletop": indoors.tabletop,
        "car interior": cabin.car_interior,
        **halls.HALLS,
    }
)


def paint_backdrop(world: World) -> list[Layer]:
    """Return the layers of the script's backdrop, farthest first."""
    return BACKDROPS[world.script.backdrop](world)
