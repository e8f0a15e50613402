"""The plan of a best-of-N run, as stored in its file: the request, and each round so far.

Knows candidate numbers and job ids; renders and judges nothing.
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

__all__ = ["Plan", "Revision", "Round", "cost_ratio"]


@dataclass(slots=True)
class Round:
    """One round: its candidates, best first, and their results."""

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
    generation: int = 0
    """Number of revisions of the prompt that led to it."""

    @property
    def left(self) -> list[int]:
        """The candidates without a job."""
        return [candidate for candidate in self.candidates if candidate not in self.jobs]


@dataclass(slots=True)
class Revision:
    """A prompt revised from the critique of a video, for another generation of drafts."""

    prompt: str
    request: str
    """The request to the session."""
    job_id: str
    """The video that the critique is about."""


@dataclass(slots=True)
class Plan:
    """The request, and everything that has been done."""

    asked: dict[str, Any]
    planned_at: str
    rounds: list[Round] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)
    is_done: bool = False
    revisions: list[Revision] = field(default_factory=list)
    looks: dict[str, str] = field(default_factory=dict)
    """Job → the verdict on its preview, so that no model is asked twice; empty from the moment that
    it is asked, so a draft whose look is cut short by a kill goes on."""
    tokens: int = 0
    """Tokens that a vision model used for previews."""
    session_id: str | None = None
    """The session that its revisions are made in."""
    revisions_begun: int = 0
    """Number of revisions requested so far, so that none is requested twice."""
    winners: list[int] | None = None
    """The candidates rendered whole, best first, as of its end."""
    note: str = ""
    """Why it ended early, or without a revision; else empty."""

    @classmethod
    def read(cls, path: Path) -> Plan | None:
        """Return the plan at ``path``; None if there is none. Raises ``InvalidRequest``."""
        try:
            document = json.loads(path.read_bytes())
            rounds = [_round(**values) for values in document.pop("rounds")]
            dropped = _by_number(document.pop("dropped"))
            revisions = [Revision(**values) for values in document.pop("revisions", ())]
            return cls(**document, rounds=rounds, dropped=dropped, revisions=revisions)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"The plan {path} cannot be read. Remove it to start again."
            raise InvalidRequest(problem) from error

    def write(self, path: Path) -> None:
        """Write the plan to a temporary file, then rename it to ``path``."""
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
        """Number of candidates of each round."""
        n, keep = self.asked["n"], min(self.asked["keep"], self.asked["n"])
        steps = (self.asked[p].get("num_inference_steps") for p in ("draft", "parameters"))
        return halvings(n, keep) if all(steps) and n > keep else (n, keep)

    @property
    def count(self) -> int:
        """Number of candidates in all generations so far."""
        n: int = self.asked["n"]
        return n * (1 + len(self.revisions))

    @property
    def number(self) -> int:
        """The number of the last round in its generation, from 0; -1 before there is one."""
        generation = len(self.revisions)
        return sum(one.generation == generation for one in self.rounds) - 1

    @property
    def whole_jobs(self) -> dict[int, str]:
        """The jobs of all candidates that are rendered whole."""
        return {c: job for one in self.rounds if one.is_whole for c, job in one.jobs.items()}

    def survivors(self, preferred: Mapping[int, float]) -> list[int]:
        """Return the candidates rendered whole and not dropped: by ``preferred``, then by critics."""
        left = [c for c in self.whole_jobs if c not in self.dropped]
        told = {c: s for one in self.rounds if one.is_whole for c, s in one.standings.items()}
        return sorted(left, key=lambda c: (-preferred.get(c, 0.0), -told.get(c, 0.0)))

    @property
    def fresh(self) -> list[int]:
        """The candidates of the newest generation."""
        return list(range(self.count - self.asked["n"], self.count))

    @property
    def title(self) -> str:
        """Its progress in words: ``round 1 of 2``."""
        return f"{self.round_name} of {len(self.sizes)}"

    @property
    def round_name(self) -> str:
        """The last round in words: ``round 1``, or ``revision 1, round 1``."""
        said = f"round {self.number + 1}"
        return f"revision {len(self.revisions)}, {said}" if self.revisions else said

    def prompt(self, candidate: int) -> str:
        """Return the prompt of a candidate."""
        generation = candidate // int(self.asked["n"])
        if generation:
            return self.revisions[generation - 1].prompt
        prompts: list[str] = self.asked["prompts"]
        return prompts[candidate % len(prompts)]

    def values_of(self, number: int) -> dict[str, Any]:
        """Return the render parameters of a round; steps grow geometrically."""
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
    """Return the estimated cost of a render with ``after`` relative to one with ``before``."""
    names = ("num_inference_steps", "width", "height", "num_frames")
    ratio = 1.0
    for name in names:
        if before.get(name) and after.get(name):
            ratio *= after[name] / before[name]
    return ratio
