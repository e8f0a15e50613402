"""The jobs of one session as they change, handed to the widget's loop in small bundles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from workbench.jobs.manager import JobManager
from workbench.jobs.model import Changes, Job
from workbench.widgets.loop import LoopThread

__all__ = ["JobFeed"]

_PAGE: Final = 500
_BUNDLE_S: Final = 0.04
"""Changes that come within this time are told together: 25 pictures a second are enough."""


class JobFeed:
    """Tells of every change to the jobs of the session that is open.

    The manager calls back on a thread of its own; ``tell`` is called on the loop.
    """

    def __init__(
        self, jobs: JobManager, loop: LoopThread, tell: Callable[[Iterable[Job]], None]
    ) -> None:
        self._jobs = jobs
        self._loop = loop
        self._tell = tell
        self._session_id: str | None = None
        self._stop: Callable[[], None] | None = None
        self._pending: dict[str, Job] = {}

    async def follow(self, session_id: str | None) -> list[Job]:
        """Tell of this session's jobs from now on, and return them as they are, newest first."""
        self._session_id = session_id
        self._pending.clear()
        if session_id is None:
            return []
        if self._stop is None:
            self._stop = await asyncio.to_thread(self._jobs.watch, self._heard)
        return await asyncio.to_thread(_all_jobs, self._jobs, session_id)

    def close(self) -> None:
        """Stop watching."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    def _heard(self, changes: Changes) -> None:
        self._loop.call(self._collect, changes)

    def _collect(self, changes: Changes) -> None:
        ours = {job.job_id: job for job in changes.jobs if job.session_id == self._session_id}
        if ours and not self._pending:
            asyncio.get_running_loop().call_later(_BUNDLE_S, self._flush)
        self._pending.update(ours)

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        if pending:
            self._tell(pending.values())


def _all_jobs(jobs: JobManager, session_id: str) -> list[Job]:
    page = jobs.jobs(session_id=session_id, limit=_PAGE)
    found = list(page.jobs)
    while page.cursor is not None:
        page = jobs.jobs(session_id=session_id, limit=_PAGE, cursor=page.cursor)
        found.extend(page.jobs)
    return found
