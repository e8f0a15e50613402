"""Renders: queue one or many, list, cancel or retry them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, Parameter, operation
from server_extension.schemas.videos import (
    BatchAnswer,
    BatchRequest,
    JobsAnswer,
    PriorityRequest,
    RenderOptions,
    SingleAnswer,
    SingleRequest,
)
from workbench.errors import FieldProblem, InvalidRequest
from workbench.jobs.model import JobState, Priority, ScoreBounds
from workbench.measures.scorers import score_names
from workbench.measures.scores import SCORE_NAMES
from workbench.presentation import BatchObject, JobObject

__all__ = [
    "BatchCancelHandler",
    "BatchHandler",
    "BatchRetryHandler",
    "CancelHandler",
    "JobsHandler",
    "PriorityHandler",
    "RetryHandler",
    "SingleHandler",
]

_PRIORITIES: Final = MappingProxyType(
    {
        "interactive": Priority.INTERACTIVE,
        "batch": Priority.BATCH,
        "background": Priority.BACKGROUND,
    }
)
_FILTERS: Final = MappingProxyType(
    {
        "pending": JobState.QUEUED,
        "processing": JobState.RUNNING,
        "complete": JobState.COMPLETE,
        "failed": JobState.FAILED,
        "cancelled": JobState.CANCELLED,
    }
)
_PAGE_LIMIT: Final = 500


class SingleHandler(ApiHandler):
    """POST /api/video/single_inference."""

    @operation(
        Operation(
            "Render one prompt",
            SingleRequest,
            SingleAnswer,
            status=201,
            errors=(404, 409, 429, 503),
        )
    )
    async def post(self) -> None:
        """Queue one render."""
        asked = self.parse(SingleRequest)
        job = await self.on_studio(
            self.studio.render(
                asked.prompt,
                session_id=asked.session_id,
                priority=_priority(asked, Priority.INTERACTIVE),
                parameters=asked,
                idempotency_key=asked.idempotency_key,
            )
        )
        shown = self.present.job(job)
        self.answer(
            SingleAnswer(
                job_id=job.job_id,
                status=shown.status,
                status_url=self.present.status_url(job),
                job=shown,
            ),
            201,
        )


class BatchHandler(ApiHandler):
    """POST /api/video/batch_inference."""

    @operation(
        Operation(
            "Render several prompts as one batch",
            BatchRequest,
            BatchAnswer,
            status=201,
            errors=(404, 409, 429, 503),
        )
    )
    async def post(self) -> None:
        """Queue a batch."""
        asked = self.parse(BatchRequest)
        batch = await self.on_studio(
            self.studio.render_batch(
                asked.prompts,
                name=asked.name,
                session_id=asked.session_id,
                priority=_priority(asked, Priority.BATCH),
                parameters=asked,
                idempotency_key=asked.idempotency_key,
            )
        )
        shown = self.present.batch(batch)
        self.answer(
            BatchAnswer(
                batch_id=batch.batch_id,
                status=shown.status,
                status_url=self.present.batch_status_url(batch),
                job_ids=[job.job_id for job in batch.jobs],
                jobs=shown.jobs,
            ),
            201,
        )


class CancelHandler(ApiHandler):
    """POST /api/video/cancel/{job_id}."""

    @operation(Operation("Cancel a job", answer=JobObject, errors=(404, 409)))
    async def post(self, job_id: str) -> None:
        """Cancel a job that has not ended."""
        self.answer_changed(await asyncio.to_thread(self.studio.jobs.cancel, job_id))


class RetryHandler(ApiHandler):
    """POST /api/video/retry/{job_id}."""

    @operation(Operation("Retry a failed job", answer=JobObject, errors=(404, 409, 429, 503)))
    async def post(self, job_id: str) -> None:
        """Queue a new attempt under the same id."""
        self.answer_changed(await asyncio.to_thread(self.studio.jobs.retry, job_id))


class BatchCancelHandler(ApiHandler):
    """POST /api/video/batch_cancel/{batch_id}."""

    @operation(
        Operation("Cancel the unfinished jobs of a batch", answer=BatchObject, errors=(404,))
    )
    async def post(self, batch_id: str) -> None:
        """Cancel every job of the batch that has not ended."""
        self.answer_changed(await asyncio.to_thread(self.studio.jobs.cancel_batch, batch_id))


class BatchRetryHandler(ApiHandler):
    """POST /api/video/batch_retry/{batch_id}."""

    @operation(
        Operation("Retry a batch's failed jobs", answer=BatchObject, errors=(404, 409, 429, 503))
    )
    async def post(self, batch_id: str) -> None:
        """Queue a new attempt of each."""
        self.answer_changed(await asyncio.to_thread(self.studio.jobs.retry_failed, batch_id))


class PriorityHandler(ApiHandler):
    """POST /api/video/priority/{job_id}."""

    @operation(
        Operation(
            "Change the priority of a queued job", PriorityRequest, JobObject, errors=(404, 409)
        )
    )
    async def post(self, job_id: str) -> None:
        """Set the priority."""
        asked = self.parse(PriorityRequest)
        job = await asyncio.to_thread(
            self.studio.jobs.set_priority, job_id, _PRIORITIES[asked.priority]
        )
        self.answer_changed(job)


class JobsHandler(ApiHandler):
    """GET /api/video/jobs."""

    @operation(
        Operation(
            "List jobs, newest first or by a score",
            answer=JobsAnswer,
            query=(
                Parameter("status", {"type": "string", "enum": list(_FILTERS)}),
                Parameter("q", {"type": "string", "maxLength": 500}, "Words of the prompt."),
                Parameter(
                    "limit",
                    {"type": "integer", "minimum": 1, "maximum": _PAGE_LIMIT, "default": 50},
                ),
                Parameter("cursor", {"type": "string"}, "The ``cursor`` of the previous page."),
                Parameter("session_id", {"type": "string"}),
                Parameter(
                    "sort",
                    {"type": "string", "maxLength": 64},
                    "A score's name, from the lowest; with `-` from the highest. Jobs without it "
                    "are left out. `min_` and `max_` work with an installed scorer's name too.",
                ),
                *(
                    Parameter(f"{end}_{name}", {"type": "number"})
                    for name in SCORE_NAMES
                    for end in ("min", "max")
                ),
            ),
        )
    )
    async def get(self) -> None:
        """Return one page."""
        status = self.query("status")
        if status is not None and status not in _FILTERS:
            raise _invalid("status", f"must be one of {', '.join(_FILTERS)}")
        names = await asyncio.to_thread(score_names, self.studio.settings)
        page = await asyncio.to_thread(
            self.studio.jobs.jobs,
            state=_FILTERS[status] if status else None,
            query=self.query("q") or "",
            session_id=self.query("session_id"),
            sort=self._sort(names),
            bounds=self._bounds(names),
            limit=self._limit(),
            cursor=self.query("cursor"),
        )
        jobs = [self.present.job(job) for job in page.jobs]
        self.answer(JobsAnswer.model_construct(jobs=jobs, cursor=page.cursor, total=page.total))

    def _sort(self, names: Sequence[str]) -> str:
        sort = self.query("sort") or ""
        if sort and sort.removeprefix("-") not in names:
            raise _invalid("sort", f"must be one of {', '.join(names)}, with or without `-`")
        return sort

    def _bounds(self, names: Sequence[str]) -> dict[str, ScoreBounds]:
        bounds = {n: (self._number(f"min_{n}"), self._number(f"max_{n}")) for n in names}
        return {name: both for name, both in bounds.items() if both != (None, None)}

    def _number(self, name: str) -> float | None:
        text = self.query(name)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise _invalid(name, "must be a number")
        return value

    def _limit(self) -> int:
        text = self.query("limit") or "50"
        if not (text.isascii() and text.isdecimal() and len(text) < 6) or not (
            1 <= int(text) <= _PAGE_LIMIT
        ):
            raise _invalid("limit", f"must be a whole number from 1 to {_PAGE_LIMIT}")
        return int(text)


def _invalid(field: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"{field} {problem}.", (FieldProblem(field, problem),))


def _priority(asked: RenderOptions, default: Priority) -> Priority:
    return _PRIORITIES[asked.priority] if asked.priority else default
