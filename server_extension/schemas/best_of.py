"""Request and response models of best-of-N runs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from server_extension.schemas.common import Body, Identifier, PromptText
from server_extension.schemas.videos import RenderOptions
from workbench.research.best_of import BestOf
from workbench.research.best_of_overview import overview

__all__ = [
    "AgreementObject",
    "BestOfObject",
    "BestOfRequest",
    "CandidateObject",
    "PairMember",
    "VoteRequest",
]


class BestOfRequest(Body):
    """A run to begin, or to go on with: the same request finds the same run."""

    prompts: Annotated[list[PromptText], Field(min_length=1, max_length=64)] = Field(
        description="Prompts; drafts use them in turn."
    )
    n: int = Field(16, ge=1, le=64, description="Number of drafts.")
    keep: int = Field(2, ge=1, le=64, description="Number of drafts to render in full.")
    budget: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="Total render time, such as `20 GPU-min`."
    )
    draft: RenderOptions | None = Field(
        None,
        description="Parameters of drafts, overriding the others; null means the profile `draft`.",
    )
    parameters: RenderOptions = Field(
        default_factory=RenderOptions, description="Parameters of the full renders."
    )
    critics: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=20)] = Field(
        ["asked_for"], description="Names of scores, or `asked_for` for the scene check."
    )
    stop_early: bool = Field(
        True,
        description="Whether to stop a draft halfway if its preview is blank or lacks the subject.",
    )
    revise: int = Field(
        0,
        ge=0,
        le=3,
        description="Maximum number of times to revise the prompt from the critique and try again.",
    )
    seed: int = Field(1, ge=0, le=2**53 - 300, description="The seed of the first draft.")
    session_id: Identifier | None = Field(None, description="The session of the renders.")
    name: str = Field("best-of", min_length=1, max_length=40)


class CandidateObject(BaseModel):
    """One draft and what became of it."""

    candidate: int
    prompt: str
    seed: int
    rounds: int = Field(description="Number of rounds it was rendered in.")
    is_whole: bool = Field(description="Whether it was rendered in full.")
    job_id: str | None = Field(description="Its latest job.")
    standing: float | None = Field(
        description="Rank in its latest judgement, 0 (worst) to 1 (best)."
    )
    place: int | None = Field(
        None, description="Its place by the person's votes and stars, from 1; null without any."
    )
    values: dict[str, float | None] = Field(description="Score by each critic; null if unknown.")
    dropped: str = Field(description="Why it was dropped; empty if it was not.")


class VoteRequest(Body):
    """Which of two candidates is better."""

    better: int = Field(ge=0, description="The number of a candidate.")
    worse: int = Field(ge=0)
    undecided: bool = Field(False, description="Undecided: neither is better.")


class AgreementObject(BaseModel):
    """How often a critic preferred what was preferred in votes."""

    critic: str
    foretold: float = Field(description="Share of the votes, 0 to 1; 0.5 is chance.")
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float
    votes: int = Field(description="Number of votes it was tested on.")


class PairMember(BaseModel):
    """One of two videos to compare."""

    candidate: int
    job_id: str


class BestOfObject(BaseModel):
    """A best-of-N run as it is now."""

    name: str = Field(description="Its state is at /api/best-of/{name}.")
    planned_at: str = Field(description="ISO 8601.")
    prompt: str
    done: bool
    state: Literal["running", "waiting", "done", "cancelled"] = Field(
        description="`waiting` means that no process is executing it; start it again to continue."
    )
    stage: str = Field(description="Such as `round 1 of 2`; empty before the first.")
    ended: int = Field(description="Renders of this round that have ended.")
    renders: int = Field(description="Renders of this round.")
    budget_s: float | None
    note: str = Field(description="Why it ended early or was not revised; empty otherwise.")
    revisions: list[str] = Field(description="The request behind each revision of the prompt.")
    votes: int = Field(description="Votes in this run, undecided ones included.")
    agreement: list[AgreementObject] = Field(
        description="Of each critic, with the votes and stars of all runs of the session."
    )
    pair: list[PairMember] = Field(description="The two videos to compare next; empty if none.")
    spent_s: float = Field(description="Total seconds of its renders, on all devices.")
    winners: list[str] = Field(description="The jobs rendered in full, best first.")
    candidates: list[CandidateObject]

    @classmethod
    def of(cls, run: BestOf) -> Self:
        """Return ``run`` as every client sees it."""
        return cls.model_validate(overview(run))
