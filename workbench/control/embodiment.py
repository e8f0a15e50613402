"""The robot bodies that Cosmos 3 knows, and the width of their actions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

__all__ = ["Embodiment", "embodiments"]


@dataclass(frozen=True, slots=True)
class Embodiment:
    """A robot body that Cosmos 3 knows."""

    name: str
    """The model's ``domain_name``."""
    domain: int
    """The model's number for it; several embodiments may share one."""
    width: int
    """Numbers in one action."""
    blocks: tuple[str, ...]
    """Blocks of an action: ``pose`` (translation 3, rotation 6), ``gripper``, ``fingertips``."""


@cache
def embodiments() -> Mapping[str, Embodiment]:
    """Return the embodiments by name."""
    text = Path(__file__).with_name("embodiments.toml").read_text("utf-8")
    return MappingProxyType(
        {
            name: Embodiment(name, row["domain"], row["width"], tuple(row["blocks"]))
            for name, row in tomllib.loads(text).items()
        }
    )
