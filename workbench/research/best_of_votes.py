"""What a person said about a best-of-N run's candidates: votes, and stars as votes.

Knows the plan and the states of its jobs; stores nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from workbench.jobs.model import Job, JobState
from workbench.measures.rankings import bradley_terry
from workbench.research.best_of_plan import Plan

__all__ = ["Votes", "places", "star_votes", "strengths"]

Votes = Sequence[tuple[int, int]]
"""Pairs of candidates: better, worse."""


def star_votes(plan: Plan, jobs: Iterable[Job], said: Collection[frozenset[int]]) -> Votes:
    """Return a vote for each starred video over every unstarred one of its round.

    Pairs in ``said`` were voted on, which counts instead.
    """
    made = {job.job_id: job for job in jobs if job.state is JobState.COMPLETE}
    found: dict[tuple[int, int], None] = {}
    for one in plan.rounds:
        shown = {c: made[job_id].starred for c, job_id in one.jobs.items() if job_id in made}
        for better in (c for c, starred in shown.items() if starred):
            for worse in (c for c, starred in shown.items() if not starred):
                if frozenset((better, worse)) not in said:
                    found[better, worse] = None
    return list(found)


def strengths(votes: Votes) -> dict[int, float]:
    """Return the Bradley–Terry strength of every candidate in ``votes``; 0 is average."""
    among = [str(c) for c in dict.fromkeys(c for pair in votes for c in pair)]
    ranked = bradley_terry(among, [(str(better), str(worse)) for better, worse in votes])
    return {int(one.item): one.strength for one in ranked}


def places(found: dict[int, float]) -> dict[int, int]:
    """Return the place of each candidate by strength, from 1; equal ones share a place."""
    rounded = {c: round(strength, 6) for c, strength in found.items()}
    return {c: 1 + sum(o > own for o in rounded.values()) for c, own in rounded.items()}
