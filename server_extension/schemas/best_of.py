"""Request and response models of best-of-N runs."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field

from server_extension.schemas.common import Body, PromptText
from server_extension.schemas.videos import RenderOptions
from workbench.research.best_of import BestOf

__all__ = ["BestOfObject", "BestOfRequest", "CandidateObject"]


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
    seed: int = Field(1, ge=0, le=2**53 - 100, description="The seed of the first draft.")
    name: str = Field("best-of", min_length=1, max_length=40)


class CandidateObject(BaseModel):
    """One draft and what became of it."""

    candidate: int
    prompt: str
    seed: int
    rounds: int = Field(description="Number of rounds that it was rendered in.")
    job_id: str | None = Field(description="Its last job.")
    standing: float | None = Field(description="0 (worst) to 1 (best) in its last judgement.")
    values: dict[str, float | None] = Field(description="What each critic said; null is unknown.")
    dropped: str = Field(description="Why it was dropped; empty for those that were not.")


class BestOfObject(BaseModel):
    """A best-of-N run as it is now."""

    name: str = Field(description="Read it again at /api/best-of/{name}.")
    done: bool
    spent_s: float = Field(description="Seconds that its renders took, on all devices together.")
    winners: list[str] = Field(description="The jobs rendered whole, the best first.")
    candidates: list[CandidateObject]

    @classmethod
    def of(cls, run: BestOf) -> Self:
        """Return ``run`` as every client sees it."""
        return cls(
            name=run.name,
            done=run.is_done,
            spent_s=run.spent_s,
            winners=[video.job_id for video in run.winners],
            candidates=[CandidateObject(**row) for row in run.report()],
        )
