"""Checks the packages that a model needs, and says how to install them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

__all__ = ["package_problem", "torchvision_for"]

_RELEASE: Final = re.compile(r"2\.(\d+)\.(\d+)")
_MINOR_AHEAD: Final = 15
"""torchvision 0.28 was built for torch 2.13: its minor version is that of torch plus 15."""


def package_problem(title: str, names: Iterable[str]) -> str:
    """Return why a model named ``title`` cannot run with these packages; empty if it can.

    Imports torchvision, which fails if it was built for another torch.
    """
    wanted = list(names)
    if missing := [name for name in wanted if find_spec(name) is None]:
        return f"{title} needs {', '.join(missing)}: pip install {' '.join(map(_pinned, missing))}"
    if "torchvision" not in wanted:
        return ""
    try:
        import_module("torchvision")
    except (ImportError, RuntimeError, OSError) as error:
        return (
            f"{title} needs torchvision, and the installed {_version('torchvision')} does not fit "
            f"torch {_version('torch')} ({error}): pip install {_pinned('torchvision')}, from "
            "where torch was installed from"
        )
    return ""


def torchvision_for(torch_version: str) -> str:
    """Return the torchvision that was built for a torch such as ``2.13.0`` or ``2.13.0+cpu``."""
    found = _RELEASE.match(torch_version)
    return f"0.{int(found[1]) + _MINOR_AHEAD}.{found[2]}" if found else ""


def _pinned(name: str) -> str:
    fitting = torchvision_for(_version("torch")) if name == "torchvision" else ""
    return f"{name}=={fitting}" if fitting else name


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(unknown)"
