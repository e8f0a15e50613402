"""Status answers kept ready in memory: a poll costs a look-up, not a query.

An answer is kept until the watcher tells of a change to its job, this server itself changes it, or
it has grown old (queue places and estimates move without the job changing).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from os.path import exists
from typing import Final

from pydantic import BaseModel

from server_extension.presentation import Presenter
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Batch, Changes, Job, JobState

__all__ = ["Answer", "StatusBoard"]

_KEPT_S: Final = 2.0
_KEPT_ENDED_S: Final = 60.0
_MOST_ANSWERS: Final = 4_096


@dataclass(frozen=True, slots=True)
class Answer:
    """A status answer as it is sent."""

    body: bytes
    etag: str
    videos: tuple[str, ...]
    """The finished videos that it speaks of: it holds only while they are there."""
    good_until: float

    @property
    def holds(self) -> bool:
        """Whether it may still be sent."""
        return time.monotonic() < self.good_until and all(map(exists, self.videos))


class StatusBoard:
    """The status answers of one server. Used from its event loop and its worker threads."""

    def __init__(self, jobs: JobManager, present: Presenter) -> None:
        self._jobs = jobs
        self._present = present
        self._answers: dict[str, Answer] = {}
        self._guard = threading.Lock()
        self._generation = 0
        self._forgotten: dict[str, int] = {}
        """By identifier, the generation in which its answer was last made untrue."""
        self._floor = 0
        """What is not in there was made untrue at this generation, for all that is known."""
        self._stop: Callable[[], None] | None = None

    def ready(self, identifier: str) -> Answer | None:
        """Return the answer that is at hand for a job or batch, or None when it must be made."""
        answer = self._answers.get(identifier)
        return answer if answer is not None and answer.holds else None

    def job(self, job_id: str) -> Answer:
        """Ask the manager for a job and keep the answer; raises ``NotFound``."""
        generation = self._watch()
        job = self._jobs.job(job_id)
        return self._keep(job_id, self._present.job(job), (job,), generation)

    def batch(self, batch_id: str) -> Answer:
        """Ask the manager for a batch and keep the answer; raises ``NotFound``."""
        generation = self._watch()
        batch: Batch = self._jobs.batch(batch_id)
        return self._keep(batch_id, self._present.batch(batch), batch.jobs, generation)

    def forget(self, *identifiers: str | None) -> None:
        """Drop answers that this server has just made untrue."""
        with self._guard:
            self._generation += 1
            if len(self._forgotten) >= _MOST_ANSWERS:
                self._forgotten.clear()
                self._floor = self._generation
            for identifier in identifiers:
                if identifier is not None:
                    self._answers.pop(identifier, None)
                    self._forgotten[identifier] = self._generation

    def close(self) -> None:
        """Cease to watch."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    def _watch(self) -> int:
        with self._guard:
            if self._stop is None:
                self._stop = self._jobs.watch(self._changed)
            return self._generation

    def _changed(self, changes: Changes) -> None:
        for job in changes.jobs:
            self.forget(job.job_id, job.batch_id, job.preview_of)

    def _keep(
        self, identifier: str, shown: BaseModel, jobs: tuple[Job, ...], generation: int
    ) -> Answer:
        body = shown.model_dump_json().encode()
        ended = all(job.state.final for job in jobs)
        videos = tuple(
            str(self._jobs.video_path(job.job_id)) for job in jobs if job.state is JobState.COMPLETE
        )
        answer = Answer(
            body,
            f'"{hash(body) & 0xFFFFFFFFFFFFFFFF:x}"',
            videos,
            time.monotonic() + (_KEPT_ENDED_S if ended else _KEPT_S),
        )
        if any(job.video_gone for job in jobs):
            return answer  # not kept: nobody tells when a file is put back
        with self._guard:
            # Others may have changed while it was made, but not what it speaks of.
            if self._forgotten.get(identifier, self._floor) <= generation:
                if len(self._answers) >= _MOST_ANSWERS:
                    self._answers.clear()
                self._answers[identifier] = answer
        return answer
