"""Loads and caches the lexicon's data files. Knows nothing of what they mean."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

__all__ = ["english", "load", "text_of"]

_FOLDER: Final = Path(__file__).parent / "data"


def text_of(name: str) -> str:
    """Return the text of the data file ``name``."""
    return (_FOLDER / name).read_text("utf-8")


@cache
def load(name: str) -> Mapping[str, Any]:
    """Return the parsed data file ``name`` (without ``.toml``), read-only and cached."""
    return MappingProxyType(tomllib.loads(text_of(f"{name}.toml")))


@cache
def english(name: str) -> frozenset[str]:
    """Return the word list ``name`` of ``english.toml``; items are separated by white space."""
    return frozenset(str(load("english")[name]).split())
