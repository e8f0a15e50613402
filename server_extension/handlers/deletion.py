"""Deleting and restoring jobs, batches and sessions, and the space that videos take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, Parameter, operation
from server_extension.schemas.deletion import (
    DeletedAnswer,
    SessionStorage,
    StorageAnswer,
    UndeleteRequest,
)
from server_extension.schemas.videos import JobsAnswer

__all__ = [
    "DeleteBatchHandler",
    "DeleteJobHandler",
    "DeleteSessionHandler",
    "StorageHandler",
    "UndeleteHandler",
]

_QUERY: Final = (Parameter("starred", {"type": "boolean"}, "Delete what has a star, too."),)


class _DeleteHandler(ApiHandler):
    async def delete_by(self, step: Callable[..., tuple[str, ...]], identifier: Any) -> None:
        """Delete, and answer with what was deleted."""
        starred = self.query("starred") == "true"
        gone = await asyncio.to_thread(step, identifier, starred=starred)
        self.status_cache.forget(*gone)
        self.answer(DeletedAnswer(job_ids=list(gone), undo_s=self.workbench_settings.undo_s))


class DeleteJobHandler(_DeleteHandler):
    """DELETE /api/video/jobs/{job_id}."""

    @operation(
        Operation(
            "Delete an ended or waiting job; it can be restored for a while",
            answer=DeletedAnswer,
            errors=(404, 409),
            query=_QUERY,
        )
    )
    async def delete(self, job_id: str) -> None:
        """Delete a job."""
        await self.delete_by(self.studio.jobs.delete, [job_id])


class DeleteBatchHandler(_DeleteHandler):
    """DELETE /api/video/batches/{batch_id}."""

    @operation(
        Operation(
            "Delete all jobs of a batch; they can be restored for a while",
            answer=DeletedAnswer,
            errors=(404, 409),
            query=_QUERY,
        )
    )
    async def delete(self, batch_id: str) -> None:
        """Delete a batch."""
        await self.delete_by(self.studio.jobs.delete_batch, batch_id)


class DeleteSessionHandler(_DeleteHandler):
    """DELETE /api/session/{session_id}."""

    @operation(
        Operation(
            "Delete a session with its renders; it can be restored for a while",
            answer=DeletedAnswer,
            errors=(404, 409),
            query=_QUERY,
        )
    )
    async def delete(self, session_id: str) -> None:
        """Delete a session."""
        await self.delete_by(self.studio.delete_session, session_id)


class UndeleteHandler(ApiHandler):
    """POST /api/video/undelete."""

    @operation(
        Operation(
            "Bring deleted jobs or a deleted session back",
            UndeleteRequest,
            JobsAnswer,
            errors=(404,),
        )
    )
    async def post(self) -> None:
        """Restore what was deleted."""
        asked = self.parse(UndeleteRequest)
        jobs = list(await asyncio.to_thread(self.studio.jobs.undelete, asked.job_ids))
        if asked.session_id is not None:
            jobs += await asyncio.to_thread(self.studio.undelete_session, asked.session_id)
        shown = [self.present.job(job) for job in jobs]
        self.answer(JobsAnswer.model_construct(jobs=shown, cursor=None, total=len(shown)))


class StorageHandler(ApiHandler):
    """GET /api/storage."""

    @operation(Operation("See the disk space used by videos, per session", answer=StorageAnswer))
    async def get(self) -> None:
        """Return the space that videos take."""
        found = await asyncio.to_thread(self.studio.jobs.storage)
        self.answer(
            StorageAnswer(
                job_count=found.job_count,
                video_bytes=found.video_bytes,
                deleted_bytes=found.deleted_bytes,
                sessions=[
                    SessionStorage(session_id=one, job_count=count, video_bytes=size)
                    for one, (count, size) in found.by_session.items()
                ],
            )
        )
