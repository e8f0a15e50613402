"""A measure's results against the ground truth: detection rates and correlations, stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.report import Figure
from workbench.measures import evidence as evidence_module
from workbench.measures.evidence import FOUND_RATE, LEAST_CORRELATION

__all__ = ["REACHED", "Tally", "correlation", "write_evidence"]

REACHED: dict[str, dict[str, float]] = {}
"""The results of each score in this run."""


def write_evidence(reached: Mapping[str, Mapping[str, float]]) -> None:
    """Write ``evidence.toml``, which decides what is shown."""
    lines = ["# Written by python -m benchmarks.measures --write: what each score reached.\n"]
    for score, values in sorted(reached.items()):
        lines += [f"\n[{score}]\n", *(f"{name} = {value:.4f}\n" for name, value in values.items())]
    path = Path(evidence_module.__file__).with_name("evidence.toml")
    path.write_text("".join(lines), "utf-8")


@dataclass(slots=True)
class Tally:
    """Counts actual faults against found ones."""

    there: int = 0
    hit: int = 0
    found: int = 0
    wrong_of: list[int] = field(default_factory=list)

    def add(self, there: set[int], found: set[int], slack: int = 0) -> None:
        """Count the faults of one clip, by their frames; ``slack`` frames aside is a hit."""
        hits = {t for t in there if any(abs(f - t) <= slack for f in found)}
        wrong = [f for f in found if not any(abs(f - t) <= slack for t in there)]
        self.there += len(there)
        self.hit += len(hits)
        self.found += len(found)
        self.wrong_of.append(len(wrong))

    def figures(self, name: str, score: str = "") -> list[Figure]:
        """Return both rates; they are stored as evidence of ``score``."""
        right = 1 - sum(self.wrong_of) / max(1, self.found)
        if score:
            REACHED[score] = {"found": self.hit / self.there, "right": right}
        return [
            Figure(
                f"{name}: found of {self.there}",
                self.hit / self.there,
                "",
                FOUND_RATE,
                at_most=False,
            ),
            Figure(f"{name}: right of {self.found} found", right, "", FOUND_RATE, at_most=False),
        ]


def correlation(
    name: str, truth: Iterator[float] | Sequence[float], found: object, score: str = ""
) -> Figure:
    """Return the correlation of the findings with the truth, stored as evidence of ``score``."""
    values = np.array([list(truth), np.asarray(found)])
    value = float(np.corrcoef(values)[0, 1])
    if score:
        REACHED[score] = {"correlation": value}
    title = f"{name}: correlation over {values.shape[1]} clips"
    return Figure(title, value, "", LEAST_CORRELATION, at_most=False)
