"""How well each measure detects known truth: measured by ``python -m benchmarks.measures --write``.

A measure is shown as a number only if its evidence reaches the bound: see :func:`is_proven`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

__all__ = ["FOUND_RATE", "LEAST_CORRELATION", "evidence", "is_proven"]

LEAST_CORRELATION: Final = 0.9
"""Minimum correlation with the truth, over clips with known truth."""
FOUND_RATE: Final = 0.95
"""Minimum recall, and minimum precision, for faults."""


@cache
def evidence() -> Mapping[str, Mapping[str, float]]:
    """Return the evidence by measure: ``correlation``, or ``found`` and ``right``, 0 to 1."""
    text = resources.files("workbench.measures").joinpath("evidence.toml").read_text("utf-8")
    found: dict[str, dict[str, float]] = tomllib.loads(text)
    return found


def is_proven(name: str) -> bool:
    """Return whether the measure ``name`` reached the bound; False for one without evidence."""
    shown = evidence().get(name, {})
    if "correlation" in shown:
        return shown["correlation"] >= LEAST_CORRELATION
    return min(shown.get("found", 0.0), shown.get("right", 0.0)) >= FOUND_RATE
