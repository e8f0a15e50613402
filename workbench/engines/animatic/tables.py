"""The tables of figures and words, read once from their files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

__all__ = ["figures", "gaits", "held", "lexicon", "looks", "nouns", "viewpoints"]

_FIGURE_FILES: Final = (
    "people", "animals", "vehicles", "buildings", "nature", "things", "household",
    "clothing", "kitchenware", "workshop", "fixtures", "creatures", "devices", "distinct", "furnishings",
)  # fmt: skip
_IRREGULAR: Final = MappingProxyType(
    {
        "man": "men",
        "woman": "women",
        "child": "children",
        "person": "persons",
        "mouse": "mice",
        "goose": "geese",
        "wolf": "wolves",
        "calf": "calves",
        "leaf": "leaves",
        "knife": "knives",
        "loaf": "loaves",
        "shelf": "shelves",
        "ox": "oxen",
        "foot": "feet",
        "elf": "elves",
    }
)


@cache
def figures() -> Mapping[str, Any]:
    """Return every figure by its key."""
    table: dict[str, Any] = {}
    for name in _FIGURE_FILES:
        table.update(_read("workbench.engines.animatic.figures", f"{name}.toml"))
    return MappingProxyType(table)


@cache
def gaits() -> Mapping[str, Any]:
    """Return how each form moves: form → gait → cycle and speed."""
    return _read("workbench.engines.animatic.figures", "gaits.toml")


@cache
def lexicon() -> Mapping[str, Any]:
    """Return the words for gaits, numbers and backdrops."""
    return _read("workbench.engines.animatic", "lexicon.toml")


@cache
def looks() -> Mapping[str, Any]:
    """Return the effects of lighting, mood, palette and style on the picture."""
    return _read("workbench.engines.animatic", "looks.toml")


@cache
def held() -> Mapping[str, Any]:
    """Return how things are held: figure → x, y and size."""
    return _read("workbench.engines.animatic.figures", "held.toml")


@cache
def viewpoints() -> Mapping[str, Any]:
    """Return the effect of each viewpoint on shot, camera, frame and place."""
    return _read("workbench.engines.animatic", "viewpoints.toml")


@cache
def nouns() -> Mapping[tuple[str, ...], tuple[str, bool]]:
    """Return phrase → (figure, whether it is a plural), for every word of every figure."""
    known: dict[tuple[str, ...], tuple[str, bool]] = {}
    for key, spec in figures().items():
        for phrase in spec["words"]:
            words = tuple(re.findall(r"[a-z0-9'-]+", phrase))
            known.setdefault((*words[:-1], _plural(words[-1])), (key, True))
    for key, spec in figures().items():
        for phrase in spec["words"]:
            known[tuple(re.findall(r"[a-z0-9'-]+", phrase))] = (key, False)
    return known


def _plural(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if re.search(r"(s|x|z|ch|sh)$", word):
        return f"{word}es"
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    if word.endswith("o") and word not in {"photo", "piano", "flamingo", "rhino", "hippo"}:
        return f"{word}es"
    return f"{word}s"


def _read(package: str, name: str) -> Mapping[str, Any]:
    return tomllib.loads(resources.files(package).joinpath(name).read_text("utf-8"))
