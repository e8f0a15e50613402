"""Scene checks: whether a video shows what was asked for."""

from __future__ import annotations

import asyncio

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, operation
from server_extension.schemas.videos import SceneCheckObject
from workbench.errors import NotFound

__all__ = ["CheckHandler"]


class CheckHandler(ApiHandler):
    """GET and POST /api/video/check/{job_id}."""

    @operation(
        Operation(
            "Read a video's scene check, answer by answer", answer=SceneCheckObject, errors=(404,)
        )
    )
    async def get(self, job_id: str) -> None:
        """Return the last check; asks nothing."""
        check = await asyncio.to_thread(self.studio.jobs.scene_check, job_id)
        if check is None:
            raise NotFound("file", job_id, f"The video of the job {job_id} has not been checked.")
        self.answer(SceneCheckObject.of(check))

    @operation(
        Operation(
            "Check whether a finished video shows what was asked for",
            answer=SceneCheckObject,
            errors=(404, 503),
        )
    )
    async def post(self, job_id: str) -> None:
        """Ask the questions that are still open, and return all answers."""
        check = await self.on_studio(self.studio.check(job_id))
        self.status_cache.forget(job_id)
        self.answer(SceneCheckObject.of(check))
