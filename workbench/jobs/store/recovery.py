"""Rebuilds the index from the job folders if it was deleted or damaged."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from workbench.engines.completion import CompleteRequest
from workbench.engines.registry import create_engine
from workbench.errors import WorkbenchError
from workbench.jobs.model import JobState, Priority
from workbench.jobs.paths import JobFiles, JobPaths
from workbench.jobs.records import (
    finished,
    read_ended,
    read_judgement,
    read_submission,
)
from workbench.jobs.requirements import describe
from workbench.jobs.store import Index, NewJob, Requests, Restored, Writer
from workbench.measures.records import read_record
from workbench.measures.scene_check.records import read_check
from workbench.rendering import RenderRequest
from workbench.settings import Settings

__all__ = ["open_store", "rebuild"]

_SAME_REVISION: Final = 500
"""Jobs per revision: changes are read by whole revisions."""
_LOG = logging.getLogger("workbench.jobs")


def open_store(settings: Settings) -> Index:
    """Open the index of ``settings.outputs``; a new one is filled from the job folders."""
    paths = JobPaths(settings.outputs)
    return Index(settings.index_path, lambda writer: rebuild(writer, paths, settings))


def rebuild(writer: Writer, paths: JobPaths, settings: Settings) -> int:
    """Fill a new index with every job found in the folders; return how many."""
    requests = Requests(settings.max_queued_jobs)
    known: dict[str, NewJob] = {}
    for record in paths.records():
        try:
            submission = read_submission(record)
        except (OSError, ValueError) as error:
            _LOG.warning("record not read", extra={"path": str(record), "error": str(error)})
            continue
        batch = submission.batch_id, submission.name, submission.session_id, submission.created_at
        requests.restore_batch(writer, *batch)
        known.update((job.job_id, job) for job in submission.jobs)
    for job_id, batch_id, files in paths.jobs():
        if job_id not in known and (job := _from_recipe(job_id, batch_id, files, settings)):
            known[job_id] = job
    for job in known.values():  # the batches whose record is missing
        requests.restore_batch(writer, job.batch_id, "", job.session_id, job.created_at)
    for number, job in enumerate(sorted(known.values(), key=lambda job: job.job_id[2:])):
        if number % _SAME_REVISION == 0:
            writer.next_revision()
        requests.restore(writer, job, _state(paths.job(job.job_id, job.batch_id)))
    return len(known)


def _state(files: JobFiles) -> Restored:
    said = read_judgement(files)
    return replace(_life(files), starred=said.starred, note=said.note)


def _life(files: JobFiles) -> Restored:
    made = finished(files)
    tried = files.attempts_made()
    if not made.fault:
        digest = (made.recipe or {})["outcome"].get("sha256") or ""
        measured = read_record(files.scores)
        if measured and measured.video != digest:
            measured = None
        checked = read_check(files.check, digest)
        return Restored(
            JobState.COMPLETE,
            attempt=max([made.attempt, *tried]),
            finished_at=made.finished_at,
            video_bytes=made.video_bytes,
            has_poster=files.poster.exists(),
            has_audio=made.has_audio,
            scores=json.dumps(measured.scores.by_name) if measured else None,
            checks=json.dumps(checked.overview) if checked else None,
            near_duplicates=measured.near_duplicates if measured else (),
        )
    ended = read_ended(files)
    attempt = max([made.attempt, *tried, ended.attempt if ended else 0])
    if ended is not None and ended.state in {JobState.FAILED, JobState.CANCELLED}:
        return Restored(
            JobState(ended.state),
            attempt=attempt,
            finished_at=ended.finished_at,
            error=ended.error,
        )
    if files.video.exists() and ended is None and not tried:
        error = f"The video that was found cannot be trusted: {made.fault}."
        return Restored(JobState.FAILED, attempt=attempt, error=error)
    return Restored(JobState.QUEUED, attempt=attempt)


def _from_recipe(
    job_id: str, batch_id: str | None, files: JobFiles, settings: Settings
) -> NewJob | None:
    """Return the job of a folder without a submission record, from its recipe."""
    try:
        recipe: dict[str, Any] = json.loads(files.recipe.read_text("utf-8"))
        request = RenderRequest.model_validate(recipe["request"])
        created_at = datetime.fromisoformat(recipe["created_at"]).timestamp()
    except (OSError, ValueError, KeyError, TypeError) as error:
        _LOG.warning("job folder not read", extra={"path": str(files.folder), "error": str(error)})
        return None
    try:
        needs_gpu = create_engine(request.engine, settings).needs_gpu
    except WorkbenchError:
        needs_gpu = True
    return describe(
        CompleteRequest(request, needs_gpu),
        job_id=job_id,
        batch_id=batch_id,
        session_id=recipe.get("session_id"),
        parent_prompt=recipe.get("parent_prompt") or "",
        priority=Priority.BATCH,
        created_at=created_at,
    )
