"""Scores and fingerprints of jobs; waits for those not measured yet."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import NotFound
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Job
from workbench.measures.records import read_record

__all__ = ["fingerprints", "measured"]


def measured(jobs: Sequence[Job], manager: JobManager) -> tuple[Job, ...]:
    """Return these jobs once every finished one has scores, or a reason why not."""
    return manager.measure([job.job_id for job in jobs])


def fingerprints(jobs: Sequence[Job], manager: JobManager) -> dict[str, bytes]:
    """Return the fingerprints of these jobs' finished videos, by job id."""
    found = {}
    for job in measured(jobs, manager):
        if job.scores is None:
            continue
        try:
            record = read_record(manager.scores_path(job.job_id))
        except NotFound:
            continue
        if record is not None:
            found[job.job_id] = record.fingerprint
    return found
