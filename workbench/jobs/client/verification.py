"""Checks the index against the files by a stat; the files win."""

from __future__ import annotations

from dataclasses import replace

from workbench.jobs.model import Batch, Job, JobPage, JobState
from workbench.jobs.paths import JobPaths
from workbench.jobs.store import Index, Reader, Requests

__all__ = ["Verification"]


class Verification:
    """Corrects jobs, and the index, by their files."""

    def __init__(self, paths: JobPaths, index: Index, reader: Reader, requests: Requests) -> None:
        self._paths = paths
        self._index = index
        self._reader = reader
        self._requests = requests

    def of_job(self, job: Job) -> Job:
        """Return ``job`` corrected by its files: a complete job without its video has failed."""
        if job.state is JobState.COMPLETE and (fault := self._fault(job)):
            with self._index.write() as writer:
                self._requests.set_video_gone(writer, job.job_id, fault)
            return self._reader.job(job.job_id)
        if job.state is JobState.FAILED and job.video_gone and not self._fault(job):
            with self._index.write() as writer:
                self._requests.set_video_back(writer, job.job_id)
            return self._reader.job(job.job_id)
        return job

    def of_batch(self, batch: Batch) -> Batch:
        """Return ``batch`` with every job corrected by its files."""
        return replace(batch, jobs=tuple(self.of_job(job) for job in batch.jobs))

    def of_page(self, page: JobPage) -> JobPage:
        """Return ``page`` with every job corrected by its files."""
        return replace(page, jobs=tuple(self.of_job(job) for job in page.jobs))

    def _fault(self, job: Job) -> str:
        files = self._paths.job(job.job_id, job.batch_id)
        try:
            size = files.video.stat().st_size
        except FileNotFoundError:
            return "The video is gone: its file was removed. Retry to make it again."
        except OSError as error:
            return f"The video cannot be read: {error.strerror}."
        if job.video_bytes is not None and size != job.video_bytes:
            return "The video was changed or cut short since it was made. Retry to make it again."
        if not files.recipe.is_file():
            return "The video's recipe is gone: its file was removed. Retry to make both again."
        return ""
