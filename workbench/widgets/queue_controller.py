"""The queue on a page: lists and controls the renders of every session that it may see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Literal

from workbench.errors import NotFound
from workbench.jobs.model import Job, JobState, Priority
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View, job_view

__all__ = ["QueueController"]

_WAITING_LISTED: Final = 500
_FAILED_LISTED: Final = 30


class QueueController:
    """Lists and controls renders beyond the open session. Every method runs on the loop.

    ``known`` are the sessions that a browser remembers: a private screen sees only those.
    """

    def __init__(self, studio: Studio, *, private: bool = False) -> None:
        self._jobs = studio.jobs
        self._private = private

    @command
    async def queue(self, known: list[str]) -> View:
        """Return the running jobs, the waiting ones in order, and the latest failures."""
        return await asyncio.to_thread(self._look, known)

    @command
    async def cancel_queued(self, jobs: list[str], known: list[str]) -> None:
        """Cancel these renders."""
        for job in await asyncio.to_thread(self._allowed, jobs, known):
            await asyncio.to_thread(self._jobs.cancel, job.job_id)

    @command
    async def retry_queued(self, jobs: list[str], known: list[str]) -> None:
        """Retry failed or cancelled renders."""
        for job in await asyncio.to_thread(self._allowed, jobs, known):
            await asyncio.to_thread(self._jobs.retry, job.job_id)

    @command
    async def order_queued(self, jobs: list[str], known: list[str]) -> None:
        """Put waiting renders in this order; they exchange places with each other only."""
        own = await asyncio.to_thread(self._allowed, jobs, known)
        await asyncio.to_thread(self._jobs.reorder, [job.job_id for job in own])

    @command
    async def priority_queued(
        self, jobs: list[str], known: list[str], to: Literal["interactive", "batch", "background"]
    ) -> None:
        """Give waiting renders another priority."""
        for job in await asyncio.to_thread(self._allowed, jobs, known):
            await asyncio.to_thread(self._jobs.set_priority, job.job_id, Priority[to.upper()])

    def _look(self, known: Sequence[str]) -> View:
        found = {
            state: self._jobs.jobs(state=state, limit=limit)
            for state, limit in (
                (JobState.RUNNING, _WAITING_LISTED),
                (JobState.QUEUED, _WAITING_LISTED),
                (JobState.FAILED, _FAILED_LISTED),
            )
        }
        seen = {
            str(state): [job for job in page.jobs if self._may_see(job, known)]
            for state, page in found.items()
        }
        seen["queued"].sort(key=_turn)
        more = found[JobState.QUEUED].total - len(found[JobState.QUEUED].jobs)
        views: View = {state: [job_view(job) for job in jobs] for state, jobs in seen.items()}
        return {**views, "more": 0 if self._private else more}

    def _allowed(self, job_ids: Sequence[str], known: Sequence[str]) -> list[Job]:
        jobs = [self._jobs.job(job_id) for job_id in job_ids]
        for job in jobs:
            if not self._may_see(job, known):
                raise NotFound("job", job.job_id)
        return jobs

    def _may_see(self, job: Job, known: Sequence[str]) -> bool:
        return not self._private or job.session_id in known


def _turn(job: Job) -> tuple[bool, int, int]:
    return job.queue_position is None, job.queue_position or 0, job.position
