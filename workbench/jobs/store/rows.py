"""Converts rows of the jobs table to jobs."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from workbench.jobs.model import Job, JobState
from workbench.rendering import RenderRequest

__all__ = ["COLUMNS", "job_from_row", "moment"]

COLUMNS: Final = (
    "seq, job_id, batch_id, position, session_id, entry_index, parent_prompt, preview_of, "
    "preview_job_id, follows, request, queue, cost_key, state, priority, turn, attempt, cancel_requested, "
    "progress, stage, message, step, total_steps, device, gpu_id, created_at, started_at, "
    "finished_at, error, video_bytes, has_poster, has_audio, has_preview, video_gone, starred, "
    "note, checks, scores, scores_error, (SELECT json_group_array(other) FROM near_duplicates "
    "WHERE near_duplicates.job_id = jobs.job_id) AS near_duplicates, revision"
)

_SAME: Final = (
    "job_id", "batch_id", "position", "session_id", "entry_index", "priority", "progress", "stage",
    "message", "step", "total_steps", "device", "gpu_id", "attempt", "error", "preview_job_id",
    "parent_prompt", "revision", "preview_of", "video_bytes", "note", "follows",
)  # fmt: skip
"""Columns that a job has under the same name."""


def moment(seconds: float | None) -> datetime | None:
    """Return seconds since 1970 as a time in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=512)
def _request(text: str) -> RenderRequest:
    return RenderRequest.model_validate_json(text)


def job_from_row(
    row: sqlite3.Row,
    *,
    queue_position: int | None = None,
    wait_s: float | None = None,
    eta_s: float | None = None,
) -> Job:
    """Return the job of ``row`` (of :data:`COLUMNS`)."""
    state = JobState(row["state"])
    measured = state is JobState.COMPLETE and row["scores"] is not None
    created = moment(row["created_at"])
    assert created is not None  # noqa: S101  the column is NOT NULL
    return Job(
        **{name: row[name] for name in _SAME},
        state=state,
        request=_request(row["request"]),
        created_at=created,
        started_at=moment(row["started_at"]),
        finished_at=moment(row["finished_at"]),
        eta_s=eta_s if state is JobState.RUNNING else None,
        queue_position=queue_position if state is JobState.QUEUED else None,
        has_video=state is JobState.COMPLETE,
        has_poster=bool(row["has_poster"]) and state is JobState.COMPLETE,
        has_preview=bool(row["has_preview"]) and state is JobState.RUNNING,
        wait_s=wait_s if state is JobState.QUEUED else None,
        has_audio=bool(row["has_audio"]) and state is JobState.COMPLETE,
        video_gone=bool(row["video_gone"]),
        starred=bool(row["starred"]),
        scores=json.loads(row["scores"]) if measured else None,
        scores_error=row["scores_error"] if state is JobState.COMPLETE else "",
        checks=json.loads(row["checks"]) if row["checks"] and state is JobState.COMPLETE else None,
        near_duplicates=tuple(json.loads(row["near_duplicates"])) if measured else (),
    )
