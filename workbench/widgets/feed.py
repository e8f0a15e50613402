"""Passes the changed jobs of one session to the widget's loop in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Changes, Job, JobState
from workbench.widgets.loop import WidgetTasks

__all__ = ["JobFeed", "all_jobs"]

_PAGE: Final = 500
_BUNDLE_S: Final = 0.04
"""Changes within this interval are passed on together: 25 updates a second are enough."""


class JobFeed:
    """Reports every change to the jobs of the open session.

    The manager calls back on its own thread; ``tell`` runs on the loop.
    """

    def __init__(
        self,
        jobs: JobManager,
        tasks: WidgetTasks,
        tell: Callable[[Iterable[Job]], None],
        forget: Callable[[Iterable[str]], None],
    ) -> None:
        self._jobs = jobs
        self._tasks = tasks
        self._tell = tell
        self._forget = forget
        self._session_id: str | None = None
        self._also: set[str] = set()
        self._stop: Callable[[], None] | None = None
        self._pending: dict[str, Job] = {}

    async def follow(self, session_id: str | None) -> list[Job]:
        """Report this session's jobs from now on, and return them, newest first."""
        self._session_id = session_id
        self._pending.clear()
        if session_id is None:
            return []
        await self._watch()
        return await asyncio.to_thread(all_jobs, self._jobs, session_id)

    async def add(self, job_id: str) -> None:
        """Report this job too, whatever session it belongs to."""
        self._also.add(job_id)
        await self._watch()

    def drop(self, job_id: str) -> None:
        """Stop reporting this job."""
        self._also.discard(job_id)
        self._pending.pop(job_id, None)

    def close(self) -> None:
        """Stop watching."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    async def _watch(self) -> None:
        if self._stop is None:
            self._stop = await asyncio.to_thread(self._jobs.watch, self._heard)

    def _heard(self, changes: Changes) -> None:
        self._tasks.call(self._collect, changes)

    def _collect(self, changes: Changes) -> None:
        if changes.deleted:
            for job_id in changes.deleted:
                self._pending.pop(job_id, None)
            self._forget(changes.deleted)
        ours = {job.job_id: job for job in changes.jobs if self._is_ours(job)}
        if ours and not self._pending:
            asyncio.get_running_loop().call_later(_BUNDLE_S, self._flush)
        self._pending.update(ours)

    def _is_ours(self, job: Job) -> bool:
        in_session = self._session_id is not None and job.session_id == self._session_id
        return in_session or job.job_id in self._also

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        if pending:
            self._tell(pending.values())


def all_jobs(jobs: JobManager, session_id: str, state: JobState | None = None) -> list[Job]:
    """Return a session's jobs, newest first; with ``state``, only those in that state."""
    page = jobs.jobs(session_id=session_id, state=state, limit=_PAGE)
    found = list(page.jobs)
    while page.cursor is not None:
        page = jobs.jobs(session_id=session_id, state=state, limit=_PAGE, cursor=page.cursor)
        found.extend(page.jobs)
    return found
