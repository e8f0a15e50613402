"""Rollouts: start a world, read a branch, fork it."""

from __future__ import annotations

import asyncio

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, operation
from server_extension.schemas.rollouts import (
    ForkRequest,
    RolloutObject,
    RolloutRequest,
    SegmentObject,
)
from workbench.errors import NotFound
from workbench.frame_rates import whole_if_whole
from workbench.jobs.model import Job
from workbench.rendering import Take
from workbench.rollouts import Branch, RolloutParameters, segment_of

__all__ = ["ForkHandler", "RolloutHandler", "RolloutsHandler"]


class _RolloutHandler(ApiHandler):
    def show(self, branch: Branch) -> RolloutObject:
        """Return the public form of ``branch``; reads recipes."""
        shown = self.present.batch(branch.batch)
        urls = {job.job_id: job for job in shown.jobs}
        return RolloutObject(
            batch_id=branch.batch.batch_id,
            status=shown.status,
            progress=shown.progress,
            parent=branch.place.parent or None,
            fork_s=branch.place.fork / branch.fps,
            duration_s=branch.num_frames / branch.fps,
            num_frames=branch.num_frames,
            fps=whole_if_whole(branch.fps),
            segments=[
                SegmentObject(
                    job_id=job.job_id,
                    status=urls[job.job_id].status,
                    prompt=job.request.prompt,
                    seed=job.request.seed,
                    start_s=start / branch.fps,
                    end_s=end / branch.fps,
                    overlap_frames=segment_of(job.request).overlap,
                    video_url=urls[job.job_id].video_url,
                    takes=self._takes(job),
                )
                for job, start, end in branch.spans
            ],
        )

    def _takes(self, job: Job) -> list[Take]:
        if not job.has_video:
            return []
        try:
            return list(segment_of(self.studio.jobs.recipe(job.job_id).request).takes)
        except NotFound:
            return []


class RolloutsHandler(_RolloutHandler):
    """POST /api/rollouts."""

    @operation(
        Operation(
            "Roll out a video: from its start, then continue; or leave it at a time",
            RolloutRequest,
            RolloutObject,
            status=201,
            errors=(404, 409, 429, 503),
        )
    )
    async def post(self) -> None:
        """Queue the segments of a new world."""
        asked = self.parse(RolloutRequest)

        def begin() -> RolloutObject:
            rollouts, parameters = self.studio.rollouts, _parameters(asked)
            key = asked.idempotency_key
            if asked.at_s is None:
                return self.show(rollouts.start(asked.job_id, parameters, idempotency_key=key))
            left = rollouts.leave(asked.job_id, asked.at_s, parameters, idempotency_key=key)
            return self.show(left)

        self.answer(await asyncio.to_thread(begin), 201)


class RolloutHandler(_RolloutHandler):
    """GET /api/rollouts/{batch_id}."""

    @operation(Operation("Read one branch of a world", answer=RolloutObject, errors=(404,)))
    async def get(self, batch_id: str) -> None:
        """Return the current state of the branch."""

        def read() -> RolloutObject:
            return self.show(self.studio.rollouts.branch(batch_id))

        self.answer(await asyncio.to_thread(read))


class ForkHandler(_RolloutHandler):
    """POST /api/rollouts/{batch_id}/fork."""

    @operation(
        Operation(
            "Branch off a world at a given time, or continue from its end",
            ForkRequest,
            RolloutObject,
            status=201,
            errors=(404, 409, 429, 503),
        )
    )
    async def post(self, batch_id: str) -> None:
        """Queue the segments of a branch."""
        asked = self.parse(ForkRequest)

        def fork() -> RolloutObject:
            branch = self.studio.rollouts.fork(
                batch_id,
                asked.at_s,
                _parameters(asked),
                idempotency_key=asked.idempotency_key,
            )
            return self.show(branch)

        self.answer(await asyncio.to_thread(fork), 201)


def _parameters(asked: RolloutParameters) -> RolloutParameters:
    return RolloutParameters(
        **{name: getattr(asked, name) for name in RolloutParameters.model_fields}
    )
