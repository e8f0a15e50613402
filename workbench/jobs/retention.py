"""Removes ended jobs beyond the retention settings: by age, number or total size.

Off by default. A starred job is always kept, as is one whose video an unfinished job starts from.
"""

from __future__ import annotations

import itertools
import logging
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.jobs.deletion import set_aside
from workbench.jobs.paths import JobPaths
from workbench.jobs.store import Index, Keeping, Removable
from workbench.settings import Settings

__all__ = ["Removal", "carry_out", "drop_frames", "drop_inputs", "plan_removals"]

_DAY_S: Final = 86_400.0
_LOG = logging.getLogger("workbench.jobs")


@dataclass(frozen=True, slots=True)
class Removal:
    """A job to remove, and why."""

    job: Removable
    reason: str


def plan_removals(
    settings: Settings, index: Index, *, now: float | None = None, limit: int | None = None
) -> list[Removal]:
    """Return at most ``limit`` jobs that the settings no longer keep at ``now``, oldest first."""
    days, most, size = settings.retention_days, settings.retention_jobs, settings.retention_bytes
    if days is None and most is None and size is None:
        return []
    keeping, now = Keeping(), time.time() if now is None else now
    removals: list[Removal] = []
    with index.read() as connection:
        count, size_now = keeping.totals(connection)
        for job in itertools.islice(keeping.oldest(connection), limit):
            if days is not None and now - job.ended_at > days * _DAY_S:
                reason = f"older than {days:g} days"
            elif most is not None and count > most:
                reason = f"more than {most} jobs are kept"
            elif size is not None and size_now > size and job.video_bytes:
                reason = f"the videos are larger than {size >> 20} MiB together"
            else:
                continue
            count -= 1
            size_now -= job.video_bytes
            removals.append(Removal(job, reason))
    return removals


def carry_out(paths: JobPaths, index: Index, removals: Sequence[Removal]) -> int:
    """Remove these jobs from the index and the disk; return how many."""
    keeping, gone = Keeping(), 0
    for job, reason in ((removal.job, removal.reason) for removal in removals):
        with index.write() as writer:
            if not keeping.remove(writer, job):
                continue
            set_aside(paths, job)  # renamed first: a half-removed folder looks like a broken job
        shutil.rmtree(paths.deleted / job.job_id, ignore_errors=True)
        if job.batch_id is not None:
            _drop_empty_batch(paths.batch_record(job.batch_id))
        gone += 1
        _LOG.info("job removed", extra={"job": job.job_id, "reason": reason})
    return gone


def _drop_empty_batch(record: Path) -> None:
    if not record.exists() and not any(path.is_dir() for path in record.parent.glob("*")):
        shutil.rmtree(record.parent, ignore_errors=True)


def drop_frames(paths: JobPaths, index: Index, settings: Settings, now: float) -> int:
    """Remove the lossless frames of segments older than ``frames_days``; return how many bytes.

    A world can no longer be forked there; its videos, and the small latents of a model, stay.
    """
    if settings.frames_days is None:
        return 0
    with index.read() as connection:
        old = Keeping().old_segments(connection, now - settings.frames_days * _DAY_S)
    freed = 0
    for job_id, batch_id in old:
        file = paths.job(job_id, batch_id).channel("frames")
        with suppress(FileNotFoundError):
            size = file.stat().st_size
            file.unlink()
            freed += size
            _LOG.info("lossless frames removed", extra={"job": job_id, "bytes": size})
    return freed


def drop_inputs(paths: JobPaths, index: Index, now: float) -> None:
    """Remove uploads that are more than a day old and that no job uses."""
    before = now - _DAY_S
    old = []
    for path in paths.inputs.glob("*"):
        with suppress(FileNotFoundError):  # another process tidies too
            if path.stat().st_mtime < before:
                old.append(path)
    if not old:
        return
    with index.read() as connection:
        # Compared by name, which is unique: a folder may have several paths.
        named = {Path(path).name for path in Keeping().named(connection, paths.inputs.name)}
    for path in old:
        if path.name not in named:
            path.unlink(missing_ok=True)
            _LOG.info("input removed", extra={"input": path.stem})
