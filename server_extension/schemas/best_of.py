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
        description="Drafts take them in turn."
    )
    n: int = Field(16, ge=1, le=64, description="Number of drafts.")
    keep: int = Field(2, ge=1, le=64, description="How many are rendered whole.")
    budget: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="Time of all renders together, such as `20 GPU-min`."
    )
    draft: RenderOptions | None = Field(
        None, description="Parameters of a draft, over the others; null is the profile `draft`."
    )
    parameters: RenderOptions = Field(
        default_factory=RenderOptions, description="Parameters of the whole renders."
    )
    critics: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=20)] = Field(
        ["asked_for"], description="Names of scores, and `asked_for`, the scene check."
    )
    stop_early: bool = Field(
        True,
        description="Stop a draft past its middle if its preview shows nothing, or not the subject.",
    )
    revise: int = Field(
        0, ge=0, le=3, description="How often to revise the prompt from the critique and try again."
    )
    seed: int = Field(1, ge=0, le=2**53 - 300, description="The seed of the first draft.")
    session_id: Identifier | None = Field(
        None, description="The session that the renders belong to."
    )
    name: str = Field("best-of", min_length=1, max_length=40)


class CandidateObject(BaseModel):
    """One draft and what became of it."""

    candidate: int
    prompt: str
    seed: int
    rounds: int = Field(description="Number of rounds that it was rendered in.")
    is_whole: bool = Field(description="Whether it got a whole render.")
    job_id: str | None = Field(description="Its last job.")
    standing: float | None = Field(description="0 (worst) to 1 (best) in its last judgement.")
    values: dict[str, float | None] = Field(description="What each critic said; null is unknown.")
    dropped: str = Field(description="Why it was dropped; empty for those that were not.")


class VoteRequest(Body):
    """Which of two candidates is better."""

    better: int = Field(ge=0, description="The number of a candidate.")
    worse: int = Field(ge=0)
    undecided: bool = Field(False, description="Nobody can say which is better.")


class AgreementObject(BaseModel):
    """How often a critic preferred what was preferred in votes."""

    critic: str
    foretold: float = Field(description="Share of the votes, 0 to 1; 0.5 is chance.")
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float
    votes: int = Field(description="Number of votes that it decides.")


class PairMember(BaseModel):
    """One of two videos to compare."""

    candidate: int
    job_id: str


class BestOfObject(BaseModel):
    """A best-of-N run as it is now."""

    name: str = Field(description="Read it again at /api/best-of/{name}.")
    planned_at: str = Field(description="ISO 8601.")
    prompt: str
    done: bool
    state: Literal["running", "waiting", "done", "cancelled"] = Field(
        description="`waiting`: no process carries it out; begin it again to go on."
    )
    stage: str = Field(description="Such as `round 1 of 2`; empty before the first.")
    ended: int = Field(description="Renders of this round that have ended.")
    renders: int = Field(description="Renders of this round.")
    budget_s: float | None
    note: str = Field(description="Why it ended early or was not revised; else empty.")
    revisions: list[str] = Field(description="What each revision of the prompt asked for.")
    votes: int = Field(description="Votes in this run, undecided ones included.")
    agreement: list[AgreementObject] = Field(
        description="Of each critic, with the votes of all runs of the session."
    )
    pair: list[PairMember] = Field(description="The two videos to compare next; else empty.")
    spent_s: float = Field(description="Seconds that its renders took, on all devices together.")
    winners: list[str] = Field(description="The jobs rendered whole, the best first.")
    candidates: list[CandidateObject]

    @classmethod
    def of(cls, run: BestOf) -> Self:
        """Return ``run`` as every client sees it."""
        return cls.model_validate(overview(run))
