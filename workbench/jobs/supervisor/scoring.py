"""Has finished videos measured, one at a time, and stores the scores.

Knows the index and the one process that measures; that process may die or hang at any moment, and
affects no render.
"""

from __future__ import annotations

import logging
import selectors
import time
from collections import Counter
from typing import Final

from workbench.jobs.devices import Slot
from workbench.jobs.messages import Leave, Measure, Measured, NoWorker, Ready, WorkerLost
from workbench.jobs.paths import JobPaths
from workbench.jobs.store import DueVideo, Index, ScoreBook
from workbench.jobs.supervisor.worker_pool import WorkerPool
from workbench.jobs.supervisor.worker_slots import Event
from workbench.settings import Settings

__all__ = ["Scoring"]

_SLOT: Final = Slot("scores", "cpu", None, None, "scores", ())
_TRIES: Final = 2
_START_AGAIN_S: Final = 5.0
_LOG = logging.getLogger("workbench.jobs")


class _Scorers(WorkerPool):
    worker_module = "workbench.jobs.worker.scorer"


class Scoring:
    """The supervisor's side of scoring: what is measured next, and the result."""

    def __init__(
        self,
        index: Index,
        paths: JobPaths,
        settings: Settings,
        selector: selectors.BaseSelector,
    ) -> None:
        self._index = index
        self._paths = paths
        self._settings = settings
        self._pool = _Scorers(selector)
        self._book = ScoreBook()
        self._unheard: list[Event] = []
        self._alive = False
        self._ready = False
        self._current: DueVideo | None = None
        self._since = 0.0
        """When its current activity began; seconds on the monotonic clock."""
        self._start_after = 0.0
        self._seen: tuple[int, int, int] | None = None
        self._seen_asked: tuple[int, int, int] | None = None
        """The same, for videos whose scores are requested."""
        self._held_since: float | None = None
        self._lost: Counter[tuple[str, int]] = Counter()
        """How often the scorer died over a video."""

    @property
    def busy(self) -> bool:
        """Whether a video is being measured."""
        return self._current is not None

    def hear(self, slot_name: str) -> None:
        """Read the scorer's messages, if ``slot_name`` is the scorer's."""
        self._pool.hear(slot_name)

    def step(self, *, has_idle_core: bool = True) -> None:
        """Process events and start measuring the next video.

        Without an idle core, only videos that a client waits for are measured, and occasionally
        another one.
        If the index cannot be written the error propagates and nothing has changed.
        """
        now = time.monotonic()
        self._unheard += self._pool.events()
        while self._unheard:
            self._note(self._unheard[0], now)
            self._unheard.pop(0)
        if self._current is not None:
            if now - self._since > self._settings.scores_timeout_s:
                self._pool.end(_SLOT.name, at_once=True)
            return
        if (
            self._alive
            and not self._ready
            and now - self._since > self._settings.worker_start_timeout_s
        ):
            self._pool.end(_SLOT.name, at_once=True)
        if self._ready or now > self._start_after:
            self._begin_next(now, asked_only=self._holds_back(now, has_idle_core=has_idle_core))
        if self._ready and not self.busy and now - self._since > self._settings.idle_unload_s:
            self._pool.tell(_SLOT.name, Leave())
            self._ready = False

    def close(self) -> None:
        """End the scorer; the next supervisor measures what it was measuring."""
        self._pool.close()

    def _holds_back(self, now: float, *, has_idle_core: bool) -> bool:
        """Return whether renders need the cores more than videos that no client waits for."""
        if has_idle_core:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = now
        since = self._held_since
        return since is not None and now - since < self._settings.scores_held_s

    def _begin_next(self, now: float, *, asked_only: bool) -> None:
        version = self._index.version()
        if version in (self._seen, self._seen_asked if asked_only else None):
            return
        with self._index.read() as connection:
            due = self._book.next_due(
                connection, asked_only=asked_only or not self._settings.scores
            )
        if due is None and asked_only:
            self._seen_asked = version
        elif due is None:
            self._seen = version
        elif not self._alive:
            self._alive = self._pool.start(_SLOT) is not None
            self._since = now
        elif self._ready:
            self._current, self._since, self._held_since = due, now, None
            self._pool.tell(_SLOT.name, self._order(due))

    def _order(self, due: DueVideo) -> Measure:
        def folder(job_id: str) -> str:
            return str(self._paths.job(job_id, due.batch_id).folder)

        siblings = {job_id: folder(job_id) for job_id in due.siblings}
        return Measure(due.job_id, due.attempt, folder(due.job_id), siblings)

    def _note(self, event: Event, now: float) -> None:
        match event:
            case Event(message=Ready()):
                self._ready, self._since = True, now
            case Event(message=Measured() as found):
                self._keep(found)
                self._current, self._since = None, now
            case Event(message=WorkerLost(reason=reason)):
                self._note_lost(reason, now)
                self._stop_relying(now)
            case Event(message=NoWorker(reason=reason)):
                _LOG.warning("no scorer", extra={"reason": reason})
                self._stop_relying(now)
            case _:
                pass

    def _stop_relying(self, now: float) -> None:
        """Record that there is no scorer; after a failed start, wait before the next."""
        if not self._ready:
            self._start_after = now + _START_AGAIN_S
        self._alive, self._ready, self._current = False, False, None
        self._seen = self._seen_asked = None

    def _keep(self, found: Measured) -> None:
        with self._index.write() as writer:
            if found.error:
                self._book.give_up(writer, found.job_id, found.attempt, found.error)
            else:
                self._book.keep(
                    writer, found.job_id, found.attempt, found.scores, found.near_duplicates
                )

    def _note_lost(self, reason: str, now: float) -> None:
        """Retry a video whose scorer died, once."""
        if self._current is None:
            return
        late = now - self._since > self._settings.scores_timeout_s
        reason = "it took too long" if late else reason
        job_id, attempt = self._current.job_id, self._current.attempt
        _LOG.warning("scorer lost", extra={"job": job_id, "reason": reason})
        self._lost[job_id, attempt] += 1
        if late or self._lost[job_id, attempt] >= _TRIES:
            told = f"The video cannot be measured: {reason}."
            with self._index.write() as writer:
                self._book.give_up(writer, job_id, attempt, told)
