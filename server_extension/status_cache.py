"""Cached status answers: a poll costs a lookup, not a query, and may wait for a change.

An answer is kept until its job changes (as reported by the watcher or this server) or expires:
queue positions and estimates move without the job changing. The handler authorises every request
before it reads the cache.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from os.path import exists
from typing import Final

from pydantic import BaseModel

from server_extension.presentation import Presenter
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Batch, ChangedIds, Job, JobState

__all__ = ["StatusAnswer", "StatusCache"]

_KEPT_S: Final = 2.0
_KEPT_ENDED_S: Final = 60.0
_FILES_CHECKED_S: Final = 2.0
"""A deleted video is noticed by the first poll after this time."""
_MOST_BYTES: Final = 64 << 20
_MOST_FORGOTTEN: Final = 8_192
_MOST_WAITING: Final = 4_096
"""Most polls that wait at the same time; further polls are answered at once."""

_Read = Callable[[str], tuple[BaseModel, tuple[Job, ...]]]


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """A status answer as it is sent."""

    body: bytes
    etag: str
    videos: tuple[str, ...]
    """The finished videos that it names; the answer is stale if one is missing."""
    good_until: float
    checked_until: float
    """When to check the videos again."""


class _Waiting:
    """Waiting polls, by the job or batch that they wait for. They wait on one event loop."""

    def __init__(self) -> None:
        self.count = 0
        self._events: dict[str, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def changes(self, identifier: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set at each change of ``identifier``."""
        self._loop = asyncio.get_running_loop()
        event = asyncio.Event()
        self._events.setdefault(identifier, set()).add(event)
        self.count += 1
        try:
            yield event
        finally:
            self.count -= 1
            others = self._events[identifier]
            others.discard(event)
            if not others:
                del self._events[identifier]

    def wake(self, identifiers: tuple[str | None, ...]) -> None:
        """Wake the polls that wait for any of ``identifiers``; from any thread."""
        if self._loop is None or not any(one in self._events for one in identifiers):
            return
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._wake, identifiers)

    def _wake(self, identifiers: tuple[str | None, ...]) -> None:
        for identifier in identifiers:
            for event in self._events.get(identifier or "", ()):
                event.set()


class StatusCache:
    """The status answers of one server. Used from its event loop and its worker threads."""

    def __init__(
        self, jobs: JobManager, present: Presenter, *, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._jobs = jobs
        self._present = present
        self._most_bytes = most_bytes
        self._answers: OrderedDict[str, StatusAnswer] = OrderedDict()
        self._size_bytes = 0
        self._guard = threading.Lock()
        self._generation = 0
        self._forgotten: dict[str, int] = {}
        """Identifier → generation of its latest change."""
        self._floor = 0
        """Identifiers not in ``_forgotten`` count as changed at this generation."""
        self._stop: Callable[[], None] | None = None
        self._waiting = _Waiting()

    @property
    def size_bytes(self) -> int:
        """Bytes of all answers kept."""
        return self._size_bytes

    @property
    def waiting(self) -> int:
        """Number of polls that wait for a change."""
        return self._waiting.count

    async def job(self, job_id: str, *, known: str = "", wait_s: float = 0.0) -> StatusAnswer:
        """Return the answer for a job; raises ``NotFound``.

        While its ETag is ``known``, wait for the job to change, for ``wait_s`` at most.
        """
        return await self._newer(job_id, self._read_job, known, wait_s)

    async def batch(self, batch_id: str, *, known: str = "", wait_s: float = 0.0) -> StatusAnswer:
        """Return the answer for a batch, as :meth:`job` does for a job."""
        return await self._newer(batch_id, self._read_batch, known, wait_s)

    def forget(self, *identifiers: str | None) -> None:
        """Drop the answers for changed jobs and batches, and wake the polls that wait for them."""
        with self._guard:
            self._generation += 1
            if len(self._forgotten) >= _MOST_FORGOTTEN:
                self._forgotten.clear()
                self._floor = self._generation
            for identifier in identifiers:
                if identifier is not None:
                    self._drop(identifier)
                    self._forgotten[identifier] = self._generation
        self._waiting.wake(identifiers)

    def close(self) -> None:
        """Stop watching for changes."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    async def _newer(self, identifier: str, read: _Read, known: str, wait_s: float) -> StatusAnswer:
        answer = await self._answer(identifier, read)
        if wait_s <= 0 or answer.etag != known or self._waiting.count >= _MOST_WAITING:
            return answer
        with self._waiting.changes(identifier) as changed, suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                # Ask again at once: it may have changed before the wait began.
                while (answer := await self._answer(identifier, read)).etag == known:
                    await changed.wait()
                    changed.clear()
        return answer

    async def _answer(self, identifier: str, read: _Read) -> StatusAnswer:
        answer = self._answers.get(identifier)
        now = time.monotonic()
        if answer is not None and now < answer.good_until and now < answer.checked_until:
            return answer
        return await asyncio.to_thread(self._renew, identifier, read)

    def _renew(self, identifier: str, read: _Read) -> StatusAnswer:
        generation = self._watch()
        answer = self._answers.get(identifier)
        now = time.monotonic()
        if answer is not None and now < answer.good_until and all(map(exists, answer.videos)):
            answer = replace(answer, checked_until=now + _FILES_CHECKED_S)
            self._keep(identifier, answer, generation)
            return answer
        shown, jobs = read(identifier)
        body = shown.model_dump_json().encode()
        ended = all(job.state.final for job in jobs)
        answer = StatusAnswer(
            body,
            f'"{hash(body) & 0xFFFFFFFFFFFFFFFF:x}"',
            tuple(self._videos(jobs)),
            now + (_KEPT_ENDED_S if ended else _KEPT_S),
            now + _FILES_CHECKED_S,
        )
        if not any(job.video_gone for job in jobs):  # restoring a file sends no notification
            self._keep(identifier, answer, generation)
        return answer

    def _read_job(self, job_id: str) -> tuple[BaseModel, tuple[Job, ...]]:
        job = self._jobs.job(job_id)
        return self._present.job(job), (job,)

    def _read_batch(self, batch_id: str) -> tuple[BaseModel, tuple[Job, ...]]:
        batch: Batch = self._jobs.batch(batch_id)
        return self._present.batch(batch), batch.jobs

    def _videos(self, jobs: tuple[Job, ...]) -> list[str]:
        done = [job.job_id for job in jobs if job.state is JobState.COMPLETE]
        return [str(self._jobs.video_path(job_id)) for job_id in done]

    def _watch(self) -> int:
        with self._guard:
            if self._stop is None:
                self._stop = self._jobs.watch_ids(self._changed)
            return self._generation

    def _changed(self, changes: ChangedIds) -> None:
        self.forget(*changes.ids)

    def _keep(self, identifier: str, answer: StatusAnswer, generation: int) -> None:
        with self._guard:
            if self._forgotten.get(identifier, self._floor) > generation:
                return  # it changed while the answer was made
            self._drop(identifier)
            if len(answer.body) > self._most_bytes:
                return
            self._answers[identifier] = answer
            self._size_bytes += len(answer.body)
            while self._size_bytes > self._most_bytes:
                self._drop(next(iter(self._answers)))

    def _drop(self, identifier: str) -> None:
        dropped = self._answers.pop(identifier, None)
        if dropped is not None:
            self._size_bytes -= len(dropped.body)
