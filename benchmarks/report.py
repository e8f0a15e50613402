"""Prints a benchmark's figures: the machine, then one line per figure with its target."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Figure", "percentile", "print_report"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; ``target`` is None if there is none."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = True
    """Whether smaller is better."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def print_report(title: str, figures: Sequence[Figure]) -> None:
    """Print ``figures`` as a Markdown table, ready for docs/benchmarks.md."""
    print(f"## {title}\n\n{datetime.now(UTC):%Y-%m-%d}, {_machine()}\n")
    print("| figure | measured | target | |\n|---|---|---|---|")
    for figure in figures:
        sign = "≤" if figure.at_most else "≥"
        target = "–" if figure.target is None else f"{sign} {figure.target:g} {figure.unit}"
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        print(f"| {figure.name} | {figure.value:.4g} {figure.unit} | {target} | {verdict} |")
    print()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _machine() -> str:
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} cores ({name}), Python {platform.python_version()}"
