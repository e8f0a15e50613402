"""Reads the composer's data files: once per process, never changed. Knows nothing of what they mean."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

__all__ = ["english", "load"]


@cache
def load(name: str) -> Mapping[str, Any]:
    """Return the data file ``name`` (without ``.toml``)."""
    folder = resources.files("workbench.prompts.composer").joinpath("data")
    return MappingProxyType(tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8")))


@cache
def english(name: str) -> frozenset[str]:
    """Return the word list ``name`` of ``english.toml``; items are split at white space."""
    return frozenset(str(load("english")[name]).split())
