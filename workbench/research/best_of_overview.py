"""The public form of a best-of-N run: plain data for REST and the screen."""

from __future__ import annotations

from typing import Any

from workbench.research.best_of import BestOf

__all__ = ["overview"]


def overview(run: BestOf) -> dict[str, Any]:
    """Return the progress of ``run``, what was dropped and why, and the votes."""
    plan = run.plan
    here = plan.rounds[-1] if plan.rounds else None
    jobs = run.jobs(list(here.jobs.values())) if here else ()
    pair = run.pair()
    return {
        "name": run.name,
        "planned_at": plan.planned_at,
        "prompt": plan.asked["prompts"][0],
        "done": plan.is_done,
        "state": _state(run),
        "stage": plan.title if here else "",
        "ended": sum(job.state.final for job in jobs),
        "renders": len(here.candidates) if here else plan.asked["n"],
        "spent_s": run.spent_s,
        "budget_s": plan.asked["budget_s"],
        "note": plan.note,
        "revisions": [one.request for one in plan.revisions],
        "winners": [video.job_id for video in run.winners],
        "candidates": run.report(),
        "votes": len(run.votes) + len(run.undecided),
        "agreement": [
            {
                "critic": one.critic,
                "foretold": one.foretold,
                "low": one.low,
                "high": one.high,
                "votes": one.of,
            }
            for one in run.agreement()
        ],
        "pair": [{"candidate": c, "job_id": job_id} for c, job_id in pair or ()],
    }


def _state(run: BestOf) -> str:
    if run.is_cancelled:
        return "cancelled"
    if run.is_done:
        return "done"
    return "running" if run.is_followed else "waiting"
