"""Retention's queries: the oldest ended jobs, and their removal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.identifiers import Kind, is_identifier
from workbench.jobs.store.index import Writer

__all__ = ["Keeping", "Removable", "needed_jobs"]

_ENDED = "state IN ('complete', 'failed', 'cancelled') AND preview_of IS NULL"


@dataclass(frozen=True, slots=True)
class Removable:
    """An ended job without a star."""

    job_id: str
    batch_id: str | None
    preview_job_id: str | None
    prompt: str
    ended_at: float
    video_bytes: int


class Keeping:
    """Reads and removes ended jobs."""

    def totals(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Return the number of ended jobs, and the total size of their videos."""
        count, size = connection.execute(
            f"SELECT count(*), coalesce(sum(video_bytes), 0) FROM jobs WHERE {_ENDED}"  # noqa: S608
        ).fetchone()
        return int(count), int(size)

    def oldest(self, connection: sqlite3.Connection) -> Iterator[Removable]:
        """Yield ended jobs without a star that no unfinished job starts from, oldest first."""
        needed = needed_jobs(connection)
        rows = connection.execute(
            "SELECT job_id, batch_id, preview_job_id, prompt, "  # noqa: S608
            "coalesce(finished_at, created_at), coalesce(video_bytes, 0) "
            f"FROM jobs WHERE {_ENDED} AND NOT starred ORDER BY seq"
        )
        for row in rows:
            if row["job_id"] not in needed:
                yield Removable(*row)

    def old_segments(
        self, connection: sqlite3.Connection, before: float
    ) -> list[tuple[str, str | None]]:
        """Return the segments of rollouts made before then, as (job, batch).

        Starred ones, and those whose files an unfinished job names, are left out.
        """
        needed = needed_jobs(connection)
        rows = connection.execute(
            "SELECT job_id, batch_id FROM jobs WHERE state = 'complete' AND NOT starred "
            "AND finished_at < ? AND json_type(request, '$.options.rollout') IS NOT NULL",
            (before,),
        )
        return [(row[0], row[1]) for row in rows if row[0] not in needed]

    def named(self, connection: sqlite3.Connection, folder: str) -> set[str]:
        """Return every path in the options of jobs that contains ``folder``, a plain name."""
        rows = connection.execute(
            "SELECT DISTINCT atom FROM jobs, json_tree(request, '$.options') "
            "WHERE instr(request, ?1) AND instr(atom, ?1)",
            (folder,),
        )
        return {str(path) for (path,) in rows}

    def remove(self, writer: Writer, job: Removable) -> bool:
        """Delete an ended job and its preview; false if it is needed again."""
        if job.job_id in needed_jobs(writer.connection):
            return False
        gone = writer.execute(
            f"DELETE FROM jobs WHERE job_id = ? AND {_ENDED} AND NOT starred",  # noqa: S608
            (job.job_id,),
        )
        if not gone.rowcount:
            return False
        if job.preview_job_id is not None:
            writer.execute("DELETE FROM jobs WHERE job_id = ?", (job.preview_job_id,))
        writer.execute(
            "DELETE FROM batches WHERE batch_id = ? AND NOT EXISTS "
            "(SELECT 1 FROM jobs WHERE jobs.batch_id = batches.batch_id)",
            (job.batch_id,),
        )
        _ = writer.revision
        return True

    def reckoning(self, writer: Writer) -> str | None:
        """Return the text stored by :meth:`keep_reckoning`."""
        row = writer.execute("SELECT value FROM job_meta WHERE key = 'clock'").fetchone()
        return None if row is None else str(row[0])

    def keep_reckoning(self, writer: Writer, text: str) -> None:
        """Store the believed time of day for the next supervisor."""
        writer.execute("INSERT OR REPLACE INTO job_meta VALUES ('clock', ?)", (text,))


def needed_jobs(connection: sqlite3.Connection) -> set[str]:
    """Return the jobs whose files, or whose preview's, the options of unfinished jobs name."""
    rows = connection.execute(
        "SELECT DISTINCT atom FROM jobs, json_tree(request, '$.options') "
        "WHERE state IN ('queued', 'running') AND type = 'text' AND instr(atom, '/')"
    )
    named = {part for (path,) in rows for part in Path(path).parts if is_identifier(part, Kind.JOB)}
    owners = connection.execute(
        "SELECT preview_of FROM jobs WHERE preview_of IS NOT NULL "
        "AND job_id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(named)),),
    )
    return named | {owner for (owner,) in owners}
