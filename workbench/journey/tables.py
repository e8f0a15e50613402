"""Batches and sessions as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from workbench.errors import NotFound, Unavailable
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Batch, Job, JobState
from workbench.journey.measuring import measured
from workbench.measures.scores import SCORE_NAMES
from workbench.prompts.model import Entry
from workbench.scene import SCENE_FIELDS
from workbench.studio import Studio

__all__ = ["batch_rows", "changes_of", "data_frame", "session_rows", "video_paths"]


def batch_rows(batch: Batch, studio: Studio, *, scores: bool) -> list[dict[str, Any]]:
    """Return one row per job, in prompt order, with scores if asked for."""
    changes = changes_of(batch, studio)
    jobs = measured(batch.jobs, studio.jobs) if scores else batch.jobs
    rows = []
    for job in jobs:
        row = _job_row(job, changes[job.position])
        if scores:
            found = job.scores or {}
            row |= {**dict.fromkeys(SCORE_NAMES), **found}
            row["near_duplicates"] = list(job.near_duplicates)
        rows.append({**row, "error": job.error or job.scores_error})
    return rows


def session_rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return one row per prompt, oldest first, with every scene field as a column."""
    return [
        {
            "index": entry.index,
            "kind": str(entry.kind),
            "prompt": entry.prompt,
            "parent": entry.parent,
            "changes": [change.sentence for change in entry.changes],
            "request": entry.request,
            "provider": entry.provider,
            "is_fallback": entry.is_fallback,
            "created_at": entry.created_at,
            "job_ids": list(entry.job_ids),
            **{name: _plain(getattr(entry.scene, name)) for name in SCENE_FIELDS},
        }
        for entry in entries
    ]


def data_frame(rows: Sequence[Mapping[str, Any]], index: str) -> Any:
    """Return rows as a ``pandas.DataFrame`` by ``index``; raises ``Unavailable`` without pandas."""
    try:
        import pandas as pd  # noqa: PLC0415  optional, and a second to import
    except ImportError as error:
        raise Unavailable(
            "Tables need pandas: pip install 'world-model-workbench[research]'. "
            "to_table() gives the same rows without it."
        ) from error
    frame = pd.DataFrame(list(rows))
    return frame.set_index(index) if len(frame) else frame


def video_paths(jobs: Sequence[Job], manager: JobManager) -> dict[str, Any]:
    """Return the finished videos by job id."""
    found = {}
    for job in jobs:
        if job.state is JobState.COMPLETE:
            try:
                found[job.job_id] = manager.video_path(job.job_id)
            except NotFound:
                continue
    return found


def changes_of(batch: Batch, studio: Studio) -> list[list[str]]:
    """Return each job's changes from its parent prompt, as sentences."""
    entries: dict[int, Entry] = {}
    if batch.session_id is not None:
        try:
            history = studio.sessions.history(batch.session_id)
        except NotFound:
            history = ()
        entries = {entry.index: entry for entry in history}
    told = []
    for job in batch.jobs:
        entry = entries.get(-1 if job.entry_index is None else job.entry_index)
        told.append([change.sentence for change in entry.changes] if entry else [])
    return told


def _job_row(job: Job, changes: Sequence[str]) -> dict[str, Any]:
    request = job.request
    return {
        "position": job.position,
        "job_id": job.job_id,
        "prompt": request.prompt,
        "changes": list(changes),
        "state": str(job.state),
        "seed": request.seed,
        "engine": request.engine,
        "model": request.model,
        "width": request.width,
        "height": request.height,
        "num_frames": request.num_frames,
        "fps": request.fps,
        "device": job.device,
        "attempt": job.attempt,
        "queued_s": _seconds(job.created_at, job.started_at),
        "render_s": _seconds(job.started_at, job.finished_at),
        "created_at": job.created_at,
        "starred": job.starred,
        "note": job.note,
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return max(0.0, (end - start).total_seconds())


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
