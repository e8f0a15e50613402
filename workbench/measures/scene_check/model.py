"""What came of a scene check: an answer to each question, and a verdict for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CheckAnswer", "SceneCheck", "Verdict"]


class Verdict(StrEnum):
    """Whether a video shows what was asked for."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "cannot tell"


class CheckAnswer(BaseModel):
    """One question and its answer."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="The scene field it belongs to.")
    question: str
    wanted: str = Field(description="What the scene asks for, in a few words.")
    verdict: Verdict
    at_s: float | None = Field(
        None, description="Time in seconds at which it is best seen; null if unknown."
    )
    source: str = Field(
        "", description="Name of the vision model, `measured`, or empty if unanswered."
    )


class SceneCheck(BaseModel):
    """Whether one video shows what its scene asks for."""

    model_config = ConfigDict(frozen=True)

    video: str = Field(description="SHA-256 of the video.")
    answers: tuple[CheckAnswer, ...] = ()
    model: str = Field("", description="Name of the vision model; empty if none was asked.")
    looked_at: str = Field(
        "", description="What the vision model last received: `video`, `pictures`, or empty."
    )
    problem: str = Field("", description="Why the vision model gave no answers; empty on success.")
    prompt_tokens: int = Field(0, description="Total tokens sent to the model.")
    completion_tokens: int = Field(0, description="Total tokens of its answers.")
    duration_s: float = Field(0.0, description="Total seconds it took to answer.")
    requests: int = Field(0, description="Number of requests to the endpoint.")

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdict of each field: yes or no if all its answers are, unknown if none is known."""
        by_field: dict[str, list[Verdict]] = {}
        for answer in self.answers:
            by_field.setdefault(answer.field, []).append(answer.verdict)
        return {field: _together(given) for field, given in by_field.items()}

    @property
    def found(self) -> int:
        """Number of things asked for that the video shows."""
        return sum(answer.verdict is Verdict.YES for answer in self.answers)

    @property
    def missing(self) -> tuple[CheckAnswer, ...]:
        """What it shows partly or not."""
        return tuple(a for a in self.answers if a.verdict in {Verdict.NO, Verdict.PARTLY})

    @property
    def unknown(self) -> int:
        """Number of things asked for of which nobody can tell."""
        return sum(answer.verdict is Verdict.UNKNOWN for answer in self.answers)

    @property
    def summary(self) -> str:
        """Return it in one line: ``9 of 11 asked for; missing: two foxes, night``."""
        parts = [f"{self.found} of {len(self.answers)} asked for"]
        if self.missing:
            parts.append(f"missing: {', '.join(_named(answer) for answer in self.missing)}")
        if self.unknown:
            parts.append(f"{self.unknown} unknown")
        return "; ".join(parts)

    @property
    def overview(self) -> dict[str, Any]:
        """Return it in short, as plain data: what a card shows."""
        return {
            "summary": self.summary,
            "asked_for": len(self.answers),
            "found": self.found,
            "unknown": self.unknown,
            "missing": [_named(answer) for answer in self.missing],
            "request": self.request,
            "verdicts": {field: str(verdict) for field, verdict in self.verdicts.items()},
            "model": self.model,
            "looked_at": self.looked_at,
            "problem": self.problem,
        }

    @property
    def request(self) -> str:
        """The tuning request for what is missing; empty where nothing is."""
        wanted = ", ".join(answer.wanted for answer in self.missing)
        return f"make sure that this shows: {wanted}" if wanted else ""


def _named(answer: CheckAnswer) -> str:
    return f"{answer.wanted} (partly)" if answer.verdict is Verdict.PARTLY else answer.wanted


def _together(given: Sequence[Verdict]) -> Verdict:
    known = {verdict for verdict in given if verdict is not Verdict.UNKNOWN}
    if not known:
        return Verdict.UNKNOWN
    return known.pop() if len(known) == 1 else Verdict.PARTLY
