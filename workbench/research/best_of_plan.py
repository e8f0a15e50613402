"""The plan of a best-of-N run, as its file holds it: what is asked, and each round so far.

Knows numbers of candidates and ids of jobs; renders and judges nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import InvalidRequest
from workbench.measures.critics import halvings

__all__ = ["Plan", "Round", "cost_ratio"]


@dataclass(slots=True)
class Round:
    """One round: its candidates, best first, and what came of them."""

    candidates: list[int]
    values_of: dict[str, Any]
    """The render parameters."""
    is_whole: bool
    jobs: dict[int, str] = field(default_factory=dict)
    waves: int = 0
    """How many groups have been queued."""
    values: dict[int, dict[str, float | None]] = field(default_factory=dict)
    """Candidate → critic → value."""
    standings: dict[int, float] = field(default_factory=dict)

    @property
    def left(self) -> list[int]:
        """The candidates without a job."""
        return [candidate for candidate in self.candidates if candidate not in self.jobs]


@dataclass(slots=True)
class Plan:
    """What is asked, and everything that has been done."""

    asked: dict[str, Any]
    planned_at: str
    rounds: list[Round] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)
    is_done: bool = False

    @classmethod
    def read(cls, path: Path) -> Plan | None:
        """Return the plan at ``path``; None if there is none. Raises ``InvalidRequest``."""
        try:
            document = json.loads(path.read_bytes())
            rounds = [_round(**values) for values in document.pop("rounds")]
            dropped = _by_number(document.pop("dropped"))
            return cls(**document, rounds=rounds, dropped=dropped)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"The plan {path} cannot be read. Remove it to begin anew."
            raise InvalidRequest(problem) from error

    def write(self, path: Path) -> None:
        """Write the plan aside, then rename it to ``path``."""
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        with aside.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1, ensure_ascii=False, default=str)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)

    @property
    def job_ids(self) -> list[str]:
        """The jobs of all rounds."""
        return [job_id for one in self.rounds for job_id in one.jobs.values()]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many candidates each round has."""
        n, keep = self.asked["n"], min(self.asked["keep"], self.asked["n"])
        steps = (self.asked[p].get("num_inference_steps") for p in ("draft", "parameters"))
        return halvings(n, keep) if all(steps) and n > keep else (n, keep)

    def prompt(self, candidate: int) -> str:
        """Return the prompt of a candidate."""
        prompts: list[str] = self.asked["prompts"]
        return prompts[candidate % len(prompts)]

    def values_of(self, number: int) -> dict[str, Any]:
        """Return the render parameters of a round; steps grow evenly by ratio."""
        parameters, draft = self.asked["parameters"], self.asked["draft"]
        last = len(self.sizes) - 1
        if number == last:
            return dict(parameters)
        found = {**parameters, **draft}
        first, whole = (p.get("num_inference_steps") for p in (draft, parameters))
        if first and whole:
            found["num_inference_steps"] = round(first * (whole / first) ** (number / last))
        return found


def _round(**values: Any) -> Round:
    for name in ("jobs", "values", "standings"):
        values[name] = _by_number(values[name])
    return Round(**values)


def _by_number(values: Mapping[str, Any]) -> dict[int, Any]:
    return {int(number): value for number, value in values.items()}


def cost_ratio(before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    """Return how much more a render with ``after`` costs than one with ``before``, as far as known."""
    names = ("num_inference_steps", "width", "height", "num_frames")
    ratio = 1.0
    for name in names:
        if before.get(name) and after.get(name):
            ratio *= after[name] / before[name]
    return ratio
