"""The job manager as every process uses it: writes requests to the index, reads state from it.

Renders nothing and owns no device: that is left to the supervisor, which it starts if needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workbench.engines.completion import Completion
from workbench.errors import Conflict, InvalidRequest, NotFound
from workbench.jobs.client.contact import Contact
from workbench.jobs.client.deleting import Deleting
from workbench.jobs.client.inventory import inventory
from workbench.jobs.client.judgements import Judgements
from workbench.jobs.client.results import Results
from workbench.jobs.client.submission import Submitting
from workbench.jobs.client.verification import Verification
from workbench.jobs.cluster.status import ClusterStatus, read_cluster_status
from workbench.jobs.devices import Nvml
from workbench.jobs.model import (
    Batch,
    ChangedIds,
    Changes,
    Device,
    Job,
    JobPage,
    JobState,
    ScoreBounds,
    SupervisorStatus,
)
from workbench.jobs.paths import JobPaths
from workbench.jobs.retention import Removal, carry_out, drop_inputs, plan_removals
from workbench.jobs.store import Listing, Reader, Requests
from workbench.jobs.store.recovery import open_store
from workbench.measures.scorers import score_names
from workbench.measures.scores import SCORE_NAMES
from workbench.settings import Settings

__all__ = ["JobManager"]


class JobManager(Submitting, Results, Judgements, Deleting):
    """The jobs of one outputs/ folder. Thread-safe; creating one is cheap and starts nothing.

    Methods raise ``NotFound`` for an id that does not exist, ``Conflict`` for a step that a job's
    state does not allow, ``Busy`` when the queue is full, ``DiskFull`` below the disk reserve.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._paths = JobPaths(settings.outputs)
        self._index = open_store(settings)
        self._reader = Reader(self._index)
        self._requests = Requests(settings.max_queued_jobs)
        self._completion = Completion(settings)
        self._verification = Verification(self._paths, self._index, self._reader, self._requests)
        self._contact = Contact(settings, self._paths, self._index, self._reader, self._requests)
        self._nvml = Nvml()

    # reading

    def job(self, job_id: str) -> Job:
        """Return one job, checked against its files."""
        return self._verification.of_job(self._contact.look_after(self._reader.job(job_id)))

    def batch(self, batch_id: str) -> Batch:
        """Return one batch with its jobs in prompt order, checked against their files."""
        batch = self._verification.of_batch(self._reader.batch(batch_id))
        for job in batch.jobs:
            if not job.state.final:
                self._contact.look_after(job)
                break
        return batch

    def jobs(
        self,
        *,
        state: JobState | None = None,
        query: str = "",
        session_id: str | None = None,
        sort: str = "",
        bounds: Mapping[str, ScoreBounds] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return one page of jobs, newest first; ``query`` is words of the prompt or an id.

        ``sort`` is the name of a score: only jobs that have it, lowest first, or highest first with
        ``-`` before the name. ``bounds`` keeps jobs whose scores are within: name to lowest and
        highest value. Raises ``InvalidRequest`` for an unknown score.
        """
        limits = dict(bounds or {})
        for name in [*([sort.removeprefix("-")] if sort else []), *limits]:
            if name not in SCORE_NAMES and name not in score_names(self._settings):
                choice = ", ".join(score_names(self._settings))
                raise InvalidRequest(f"There is no score {name!r}; choose one of {choice}.")
        listing = Listing(state, query.strip(), session_id, sort, limits)
        return self._verification.of_page(self._reader.jobs(listing, limit=limit, cursor=cursor))

    def batches(self, *, limit: int = 20, session_id: str | None = None) -> tuple[Batch, ...]:
        """Return the newest batches, of one session if one is given."""
        return self._reader.batches(limit=limit, session_id=session_id)

    def changes(self, since: int, *, limit: int | None = None) -> Changes:
        """Return the jobs that changed after revision ``since``, at most about ``limit``.

        Pass the answer's revision to the next call.
        """
        return self._reader.changes(since, limit)

    def watch(self, callback: Callable[[Changes], None]) -> Callable[[], None]:
        """Call ``callback`` with every change, in the manager's own thread.

        Returns a function that unsubscribes. One thread serves all callbacks, so they must be quick.
        """
        return self._contact.watch(callback)

    def watch_ids(self, callback: Callable[[ChangedIds], None]) -> Callable[[], None]:
        """Call ``callback`` as :meth:`watch` does, with the ids of what changed alone."""
        return self._contact.watch_ids(callback)

    def wait(self, job_ids: Sequence[str], timeout_s: float | None = None) -> tuple[Job, ...]:
        """Return these jobs once all have ended.

        Raises ``TimeoutError`` when that takes longer, and ``SupervisorUnavailable`` when no
        supervisor can be started to render them.
        """
        ids = list(job_ids)
        jobs = self._reader.jobs_by_id(ids)
        ended = 0
        for is_change in self._contact.looks(timeout_s):
            ended += self._reader.count_ended(ids, ended)
            if ended == len(ids):
                jobs = self._reader.jobs_by_id(ids)
                if all(job.state.final for job in jobs):
                    return tuple(self._verification.of_job(job) for job in jobs)
                ended = 0  # one was queued again
            if not is_change:
                self._contact.look_after(self._reader.job(ids[ended]))
                self._contact.check()
        jobs = self._reader.jobs_by_id(ids)
        unfinished = sum(not job.state.final for job in jobs)
        raise TimeoutError(f"{unfinished} of {len(jobs)} jobs have not ended.")

    # control

    def cancel(self, job_id: str) -> Job:
        """Cancel a queued job at once, a running one at its next step; leave an ended one alone."""
        self._cancel([job_id])
        return self._reader.job(job_id)

    def cancel_batch(self, batch_id: str) -> Batch:
        """Cancel every job of a batch that has not ended."""
        self._cancel(self._reader.children(batch_id))
        return self._reader.batch(batch_id)

    def retry(self, job_id: str) -> Job:
        """Queue a failed or cancelled job again, under the same id."""
        job = self.job(job_id)
        with self._index.write() as writer:
            self._requests.retry(writer, job_id)
            self._mark_again(job)
        self._contact.tell(work=True)
        return self._reader.job(job_id)

    def retry_failed(self, batch_id: str) -> Batch:
        """Queue every failed job of a batch again; raises ``Conflict`` when none has failed."""
        failed = [job for job in self.batch(batch_id).jobs if job.state is JobState.FAILED]
        if not failed:
            raise Conflict("No job of this batch has failed.")
        with self._index.write() as writer:
            self._requests.retry_all(writer, [job.job_id for job in failed])
            for job in failed:
                self._mark_again(job)
        self._contact.tell(work=True)
        return self._reader.batch(batch_id)

    def set_priority(self, job_id: str, priority: int) -> Job:
        """Change a queued job's priority; it goes behind its session's others of that priority."""
        with self._index.write() as writer:
            self._requests.set_priority(writer, job_id, priority)
        self._contact.tell()
        return self._reader.job(job_id)

    def reorder(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Reorder queued jobs among their own places in the queue."""
        with self._index.write() as writer:
            self._requests.reorder(writer, job_ids)
        self._contact.tell()
        return self._reader.jobs_by_id(list(job_ids))

    def pause(self, device: str | None = None) -> None:
        """Stop giving jobs to ``device`` (or a machine of the cluster, or all); running jobs continue."""
        self._set_paused(device, paused=True)

    def resume(self, device: str | None = None) -> None:
        """Resume ``device``, or the whole queue."""
        self._set_paused(device, paused=False)

    def paused(self) -> frozenset[str]:
        """Return the names of paused devices; '' means the whole queue."""
        return self._reader.paused()

    # devices and the supervisor

    def devices(self) -> tuple[Device, ...]:
        """Return every device and its activity; unknown readings are None."""
        said = self._reader.devices() if self.supervisor() else {}
        return inventory(self._settings, self._nvml, said, self._reader.paused(), self.cluster())

    def cluster(self) -> ClusterStatus | None:
        """Return the state of the cluster; None if none was chosen."""
        if not self._settings.cluster:
            return None
        return read_cluster_status(self._paths.cluster, self._settings.cluster, self.supervisor())

    def supervisor(self) -> SupervisorStatus | None:
        """Return the supervisor that holds this outputs/ folder; None when there is none."""
        return self._contact.supervisor()

    def ensure_supervisor(self) -> None:
        """Start a supervisor when there is none and wait until it answers.

        Raises ``SupervisorUnavailable`` when that takes more than a few seconds.
        """
        self._contact.ensure()

    def warm_up(self) -> None:
        """Start a supervisor and its first worker in the background.

        Call it when a render is likely. Raises ``SupervisorUnavailable`` when
        no process can be started.
        """
        self._contact.tell(work=True)

    def answers(self) -> bool:
        """Tell whether the supervisor answers within two seconds."""
        return self._contact.answers()

    @property
    def index_path(self) -> Path:
        """The index in use."""
        return self._index.path

    def index_fault(self) -> str:
        """Return what is wrong with the index, or an empty string."""
        return self._index.fault()

    # life

    def tidy(self, *, dry_run: bool = False) -> list[Removal]:
        """Remove and return jobs beyond the retention settings; ``dry_run`` only returns them."""
        removals = plan_removals(self._settings, self._index)
        if not dry_run:
            carry_out(self._paths, self._index, removals)
            drop_inputs(self._paths, self._index, time.time())
            self._contact.tell()
        return removals

    def rebuild(self) -> int:
        """Rebuild the index from the job folders and return the number of jobs.

        Running jobs start again.
        """
        self._index.refill()
        self._contact.tell(work=True)
        return self._reader.jobs(Listing(), limit=1, cursor=None).total

    def close(self) -> None:
        """Close the index and the connection to the supervisor; renders continue."""
        self._contact.close()
        self._index.close()

    def _set_paused(self, device: str | None, *, paused: bool) -> None:
        known = {name for one in self.devices() for name in (one.name, one.host) if name}
        if device is not None and device not in known:
            raise NotFound("device", device)
        with self._index.write() as writer:
            self._requests.set_paused(writer, device or "", paused)
        self._contact.tell(work=not paused)

    def _cancel(self, job_ids: Sequence[str]) -> None:
        with self._index.write() as writer:
            ended = self._requests.cancel(writer, job_ids)
        self._mark_cancelled(self._reader.jobs_by_id(ended))
        self._contact.tell(work=True)
