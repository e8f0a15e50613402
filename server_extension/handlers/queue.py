"""The queue: its order, pauses, starred jobs and notes."""

from __future__ import annotations

import asyncio

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, operation
from server_extension.schemas.videos import (
    JobsAnswer,
    NoteRequest,
    PauseRequest,
    QueueAnswer,
    ReorderRequest,
    StarRequest,
)
from workbench.presentation import JobObject

__all__ = ["NoteHandler", "PauseHandler", "ReorderHandler", "ResumeHandler", "StarHandler"]


class PauseHandler(ApiHandler):
    """POST /api/video/pause."""

    @operation(
        Operation("Pause a device or the whole queue", PauseRequest, QueueAnswer, errors=(404,))
    )
    async def post(self) -> None:
        """Pause; running jobs continue."""
        asked = self.parse(PauseRequest)
        await asyncio.to_thread(self.studio.jobs.pause, asked.device)
        self.answer(_queue(await asyncio.to_thread(self.studio.jobs.paused)))


class ResumeHandler(ApiHandler):
    """POST /api/video/resume."""

    @operation(
        Operation("Resume a device or the whole queue", PauseRequest, QueueAnswer, errors=(404,))
    )
    async def post(self) -> None:
        """Resume."""
        asked = self.parse(PauseRequest)
        await asyncio.to_thread(self.studio.jobs.resume, asked.device)
        self.answer(_queue(await asyncio.to_thread(self.studio.jobs.paused)))


class ReorderHandler(ApiHandler):
    """POST /api/video/reorder."""

    @operation(
        Operation("Put queued jobs in this order", ReorderRequest, JobsAnswer, errors=(404, 409))
    )
    async def post(self) -> None:
        """Reorder."""
        asked = self.parse(ReorderRequest)
        jobs = await asyncio.to_thread(self.studio.jobs.reorder, asked.job_ids)
        shown = [self.present.job(job) for job in jobs]
        self.status_cache.forget(*asked.job_ids)
        self.answer(JobsAnswer.model_construct(jobs=shown, cursor=None, total=len(shown)))


class StarHandler(ApiHandler):
    """POST /api/video/star/{job_id}."""

    @operation(
        Operation(
            "Star a job: it is kept whatever the retention settings say",
            StarRequest,
            JobObject,
            errors=(404,),
        )
    )
    async def post(self, job_id: str) -> None:
        """Star or unstar."""
        asked = self.parse(StarRequest)
        job = await asyncio.to_thread(self.studio.jobs.star, job_id, starred=asked.starred)
        self.answer_changed(job)


class NoteHandler(ApiHandler):
    """POST /api/video/note/{job_id}."""

    @operation(Operation("Set a job's note", NoteRequest, JobObject, errors=(404,)))
    async def post(self, job_id: str) -> None:
        """Replace the note."""
        asked = self.parse(NoteRequest)
        self.answer_changed(await asyncio.to_thread(self.studio.jobs.note, job_id, asked.note))


def _queue(paused: frozenset[str]) -> QueueAnswer:
    return QueueAnswer(paused="" in paused, paused_devices=sorted(paused - {""}))
