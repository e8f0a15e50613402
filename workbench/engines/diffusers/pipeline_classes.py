"""Which pipeline classes the installed diffusers has, read without importing it."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["lacks_class"]


def lacks_class(name: str) -> bool:
    """Return whether the installed diffusers has no class of that name; False if none is named.

    False as well where diffusers is not installed: loading says so.
    """
    return bool(name and (known := _exported()) and f'"{name}"' not in known)


@cache
def _exported() -> str:
    """Return the text in which diffusers lists what it exports; empty if it is not installed."""
    spec = find_spec("diffusers")
    return "" if spec is None or not spec.origin else Path(spec.origin).read_text("utf-8")
