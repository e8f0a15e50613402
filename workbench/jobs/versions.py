"""The installed versions of the workbench and of the libraries that it uses."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["installed_version"]


@cache
def installed_version(distribution: str = "world-model-workbench") -> str:
    """Return the installed version of ``distribution``; empty if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
