"""The files of deleted jobs: set aside, put back, and removed for good."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from workbench.jobs.paths import JobPaths
from workbench.jobs.records import Submission, read_submission, write_submission
from workbench.jobs.store import Deleted, Deletions, Index, Removable

__all__ = ["forget_deleted", "put_back", "set_aside"]

_RECORD: Final = "submission.json"


def set_aside(paths: JobPaths, job: Deleted | Removable) -> None:
    """Move a deleted job's folder, its preview's and its part of the batch's record aside."""
    aside = paths.deleted / job.job_id
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for job_id, folder in _folders(paths, job):
        with suppress(FileNotFoundError):
            folder.rename(aside / job_id)
    if job.batch_id is None:
        return
    record = paths.batch_record(job.batch_id)
    with suppress(FileNotFoundError, ValueError):
        asked = read_submission(record)
        ours = {job.job_id, job.preview_job_id}
        gone = tuple(one for one in asked.jobs if one.job_id in ours)
        left = tuple(one for one in asked.jobs if one.job_id not in ours)
        write_submission(aside / _RECORD, replace(asked, jobs=gone))
        if left:
            write_submission(record, replace(asked, jobs=left))
        else:
            record.unlink()
            with suppress(OSError):  # it still contains other files
                record.parent.rmdir()


def put_back(paths: JobPaths, job: Deleted) -> None:
    """Move a deleted job's files to where they were."""
    aside = paths.deleted / job.job_id
    if job.batch_id is not None:
        with suppress(FileNotFoundError):
            _put_record_back(paths.batch_record(job.batch_id), aside / _RECORD)
    for job_id, folder in _folders(paths, job):
        with suppress(FileNotFoundError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            (aside / job_id).rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def forget_deleted(paths: JobPaths, index: Index, before: float) -> None:
    """Permanently remove what was deleted before this time."""
    deletions = Deletions()
    with index.read() as connection:
        old = deletions.expired(connection, before)
    for folder in paths.deleted.glob("*"):
        # A folder without a row was left by a lost index.
        with suppress(FileNotFoundError):
            if folder.name in old or folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)
    if old:
        with index.write() as writer:
            deletions.forget(writer, old)


def _put_record_back(record: Path, kept: Path) -> None:
    gone = read_submission(kept)
    record.parent.mkdir(parents=True, exist_ok=True)
    try:
        here: Submission | None = read_submission(record)
    except (FileNotFoundError, ValueError):
        here = None
    jobs = sorted((*gone.jobs, *(here.jobs if here else ())), key=lambda job: job.position)
    write_submission(record, replace(here or gone, jobs=tuple(jobs)))


def _folders(paths: JobPaths, job: Deleted | Removable) -> list[tuple[str, Path]]:
    ids = [job.job_id, *([job.preview_job_id] if job.preview_job_id else [])]
    return [(job_id, paths.job(job_id, job.batch_id).folder) for job_id in ids]
