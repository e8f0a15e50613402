"""Colour words and the named colours that they mean."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

__all__ = ["colour_names"]

_MATERIALS = frozenset(
    [
        "wood",
        "bark",
        "leaf",
        "moss",
        "glass",
        "water",
        "steel",
        "iron",
        "stone",
        "brick",
        "plaster",
        "roof",
        "slate",
        "skin",
        "bread",
        "cheese",
        "meat",
        "tomato",
        "chocolate",
        "coffee",
        "flame",
        "ember",
        "lamp",
        "neon",
        "sky",
        "ice",
        "paper",
        "screen",
        "rubber",
        "cream",
        "copper",
    ]
)


@cache
def colour_names() -> Mapping[str, str]:
    """Return word → name in the table of colours, without materials."""
    folder = resources.files("workbench.engines.animatic")
    table = tomllib.loads(folder.joinpath("colours.toml").read_text("utf-8"))
    plain = {name: name for name in table["colours"] if name not in _MATERIALS}
    return {**plain, **table["colours_of_words"]}
