"""The worlds of the open session: where a video can be left, and what goes on from there."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field, ValidationError

from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.identifiers import is_identifier
from workbench.jobs.model import Job
from workbench.rollouts import Branch, RolloutParameters, segment_of, takes_told
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View
from workbench.widgets.renders import Renders

__all__ = ["RolloutController"]

Seconds = Annotated[float, Field(gt=0, le=3_600)]


class RolloutController:
    """The rollouts of one screen's session. Every method runs on the loop."""

    def __init__(self, studio: Studio, renders: Renders) -> None:
        self._studio = studio
        self._renders = renders

    @command
    async def outlook(self, job: str) -> View:
        """Return where a video can be left, by which of its frames a fork keeps, and the cost.

        ``why_not`` is a sentence where it cannot go on. ``again`` says whether it is made again first,
        ``again_bytes`` how many bytes its lossless frames take at most.
        """
        return await asyncio.to_thread(self._looked, job)

    @command
    async def go_on(
        self,
        job: str,
        at_s: Seconds | None = None,
        prompt: Annotated[str, Field(max_length=20_000)] = "",
        actions: Annotated[str, Field(max_length=4_000)] = "",
        seconds: Seconds | None = None,
        seed: Annotated[int, Field(ge=0)] | None = None,
    ) -> View:
        """Queue a branch that leaves a video at a second, or at its end; return its first job."""
        if is_identifier(actions.strip()):  # of a job that this screen may not see
            told = "Say where the camera goes in keys or words."
            raise InvalidRequest(told, (FieldProblem("actions", told),))
        asked = {
            "actions": actions.strip() or None,
            "prompts": (prompt.strip(),) if prompt.strip() else (),
            "seconds": seconds,
            "seed": seed,
        }
        try:
            parameters = RolloutParameters.model_validate(asked)
        except ValidationError as error:
            problems = tuple(
                FieldProblem(str(one["loc"][0]), one["msg"].removeprefix("Value error, "))
                for one in error.errors()
            )
            told = "; ".join(f"{one.field}: {one.problem}" for one in problems)
            raise InvalidRequest(f"{told}.", problems) from error
        made, jobs = await asyncio.to_thread(self._left, job, at_s, parameters)
        self._renders.tell(jobs)
        return {"job": made.batch.jobs[0].job_id}

    @command
    async def takes(self, job: str) -> list[str]:
        """Return how often a segment was made and how far each take drifts, in sentences."""
        return await asyncio.to_thread(self._told, job)

    def _looked(self, job_id: str) -> View:
        job = self._own(job_id)
        found = self._studio.rollouts.outlook(job)
        request = job.request
        pixels = (request.width or 0) * (request.height or 0) * (request.num_frames or 0)
        return {
            "why_not": found.why_not,
            "least": found.least,
            "every": found.every,
            "most": min(found.most, request.num_frames or 1),
            "reason": found.reason,
            "overlap": found.overlap,
            "again": found.again,
            "again_bytes": 3 * pixels,
            "needs_actions": found.needs_actions,
        }

    def _left(
        self, job_id: str, at_s: float | None, asked: RolloutParameters
    ) -> tuple[Branch, list[Job]]:
        made = self._studio.rollouts.leave(self._own(job_id).job_id, at_s, asked)
        parent = self._studio.rollouts.branch(made.place.parent)
        return made, [*parent.batch.jobs, *made.batch.jobs]

    def _told(self, job_id: str) -> list[str]:
        job = self._own(job_id)
        if "rollout" not in job.request.options:
            return []
        return takes_told(segment_of(self._studio.jobs.recipe(job.job_id).request))

    def _own(self, job_id: str) -> Job:
        if not self._renders.knows(job_id):
            raise NotFound("job", job_id)
        return self._studio.jobs.job(job_id)
