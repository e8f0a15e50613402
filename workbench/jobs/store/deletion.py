"""Deleted jobs: moved out of the tables unchanged, kept for a while, and restored on request."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import Conflict, NotFound
from workbench.jobs.store.index import Writer
from workbench.jobs.store.keeping import needed_jobs

__all__ = ["Deleted", "Deletions"]

_ENDED: Final = frozenset({"complete", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deleted job, with what locates its files."""

    job_id: str
    batch_id: str | None
    preview_job_id: str | None
    session_id: str | None
    video_bytes: int


class Deletions:
    """Deletes ended jobs, restores them, and forgets them."""

    def delete(self, writer: Writer, job_id: str, *, starred: bool) -> Deleted:
        """Remove an ended job, with its preview, from the tables.

        Raises ``NotFound``, and ``Conflict`` for one that has not ended, that an unfinished job
        starts from, or that is starred unless ``starred`` is true.
        """
        row = _row(writer, job_id)
        if row is None or row["preview_of"] is not None:
            raise NotFound("job", job_id)
        if row["state"] not in _ENDED:
            raise Conflict(f"The job {job_id} is {row['state']}; cancel it before deleting it.")
        if row["starred"] and not starred:
            raise Conflict(f"The job {job_id} is starred; confirm the deletion of starred jobs.")
        if job_id in needed_jobs(writer.connection):
            raise Conflict(f"A queued render starts from the job {job_id}; cancel it first.")
        preview = row["preview_job_id"] and _row(writer, row["preview_job_id"])
        batch = writer.execute(
            "SELECT * FROM batches WHERE batch_id = ?", (row["batch_id"],)
        ).fetchone()
        kept = json.dumps({"job": _plain(row), "preview": _plain(preview), "batch": _plain(batch)})
        writer.execute(
            "INSERT OR REPLACE INTO deleted_jobs VALUES (?, ?, ?, ?, ?, ?)",
            (job_id, row["session_id"], kept, row["video_bytes"] or 0, writer.now, writer.revision),
        )
        writer.execute("DELETE FROM jobs WHERE job_id IN (?, ?)", (job_id, row["preview_job_id"]))
        writer.execute(
            "DELETE FROM batches WHERE batch_id = ? AND NOT EXISTS "
            "(SELECT 1 FROM jobs WHERE jobs.batch_id = batches.batch_id)",
            (row["batch_id"],),
        )
        return _deleted(row)

    def restore(self, writer: Writer, job_id: str) -> Deleted:
        """Restore a deleted job; raises ``NotFound`` once it is forgotten."""
        found = writer.execute(
            "DELETE FROM deleted_jobs WHERE job_id = ? RETURNING kept", (job_id,)
        ).fetchone()
        if found is None:
            raise NotFound("job", job_id, f"The job {job_id} can no longer be restored.")
        kept = json.loads(found["kept"])
        if kept["batch"] is not None:
            _insert(writer, "batches", kept["batch"], "OR IGNORE")
        for row in filter(None, (kept["job"], kept["preview"])):
            self._put_back(writer, row)
        return _deleted(kept["job"])

    def expired(self, connection: sqlite3.Connection, before: float) -> list[str]:
        """Return the jobs that were deleted before this time."""
        rows = connection.execute("SELECT job_id FROM deleted_jobs WHERE deleted_at < ?", (before,))
        return [row["job_id"] for row in rows]

    def forget(self, writer: Writer, job_ids: Sequence[str]) -> None:
        """Forget these deleted jobs."""
        writer.connection.executemany(
            "DELETE FROM deleted_jobs WHERE job_id = ?", [(job_id,) for job_id in job_ids]
        )

    def living_of_session(self, connection: sqlite3.Connection, session_id: str) -> list[str]:
        """Return the jobs of a session that are not deleted."""
        rows = connection.execute(
            "SELECT job_id FROM jobs WHERE session_id = ? AND preview_of IS NULL", (session_id,)
        )
        return [row["job_id"] for row in rows]

    def of_session(
        self, connection: sqlite3.Connection, session_id: str, since: float
    ) -> list[str]:
        """Return the jobs of a session that were deleted since then."""
        rows = connection.execute(
            "SELECT job_id FROM deleted_jobs WHERE session_id = ? AND deleted_at >= ?",
            (session_id, since),
        )
        return [row["job_id"] for row in rows]

    def sizes(
        self, connection: sqlite3.Connection
    ) -> tuple[dict[str | None, tuple[int, int]], int]:
        """Return jobs and bytes of videos by session, and the bytes of deleted ones."""
        rows = connection.execute(
            "SELECT session_id, count(*), coalesce(sum(video_bytes), 0) FROM jobs "
            "WHERE preview_of IS NULL GROUP BY session_id"
        )
        by_session = {row[0]: (int(row[1]), int(row[2])) for row in rows}
        (deleted,) = connection.execute(
            "SELECT coalesce(sum(video_bytes), 0) FROM deleted_jobs"
        ).fetchone()
        return by_session, int(deleted)

    def _put_back(self, writer: Writer, row: dict[str, Any]) -> None:
        taken = writer.execute("SELECT 1 FROM jobs WHERE seq = ?", (row["seq"],)).fetchone()
        scores = row["scores"]
        seq = None if taken else row["seq"]
        _insert(writer, "jobs", {**row, "seq": seq, "scores": None, "revision": writer.revision})
        writer.execute("UPDATE jobs SET scores = ? WHERE job_id = ?", (scores, row["job_id"]))


def _row(writer: Writer, job_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = writer.execute(
        "SELECT * FROM jobs WHERE job_id = ?", (job_id,)
    ).fetchone()
    return row


def _plain(row: sqlite3.Row | None) -> dict[str, Any] | None:
    return dict(row) if row else None


def _insert(writer: Writer, table: str, row: dict[str, Any], how: str = "") -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    writer.execute(f"INSERT {how} INTO {table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608  names are the table's own


def _deleted(row: sqlite3.Row | dict[str, Any]) -> Deleted:
    return Deleted(
        job_id=row["job_id"],
        batch_id=row["batch_id"],
        preview_job_id=row["preview_job_id"],
        session_id=row["session_id"],
        video_bytes=row["video_bytes"] or 0,
    )
