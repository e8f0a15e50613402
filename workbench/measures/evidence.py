"""How well each measure finds what is known: measured by ``python -m benchmarks.measures --write``.

A measure is shown as a number only where its evidence reaches the bound: see :func:`is_proven`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

__all__ = ["FOUND_RATE", "LEAST_CORRELATION", "evidence", "is_proven"]

LEAST_CORRELATION: Final = 0.9
"""With the truth, over clips whose truth is known."""
FOUND_RATE: Final = 0.95
"""Share of the faults that are found, and share of the findings that are faults."""


@cache
def evidence() -> Mapping[str, Mapping[str, float]]:
    """Return what each measure reached: its ``correlation``, or ``found`` and ``right``, 0 to 1."""
    text = resources.files("workbench.measures").joinpath("evidence.toml").read_text("utf-8")
    found: dict[str, dict[str, float]] = tomllib.loads(text)
    return found


def is_proven(name: str) -> bool:
    """Return whether the measure ``name`` reached the bound; False for one without evidence."""
    shown = evidence().get(name, {})
    if "correlation" in shown:
        return shown["correlation"] >= LEAST_CORRELATION
    return min(shown.get("found", 0.0), shown.get("right", 0.0)) >= FOUND_RATE
