"""Reads the composer's data files, each once per process. Knows nothing of what they mean."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

__all__ = ["folder_texts", "load"]

_FOLDER: Final = Path(__file__).parent / "data"


def folder_texts(name: str) -> tuple[str, ...]:
    """Return the text files of the data folder ``name``, sorted by name."""
    return tuple(path.read_text("utf-8") for path in sorted((_FOLDER / name).glob("*.txt")))


@cache
def load(name: str) -> Mapping[str, Any]:
    """Return the data file ``name`` (without ``.toml``)."""
    return MappingProxyType(tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8")))
