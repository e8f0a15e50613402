"""Reads the index: jobs, batches, listings, changes. Writes nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence

from workbench.errors import NotFound
from workbench.jobs.model import Batch, ChangedIds, Changes, Job, JobPage, JobState
from workbench.jobs.processes import Identity
from workbench.jobs.store.forecast import Forecast
from workbench.jobs.store.index import Index
from workbench.jobs.store.ledger import DeviceRow
from workbench.jobs.store.listing import Listing
from workbench.jobs.store.rows import COLUMNS, job_from_row, moment

__all__ = ["Reader"]

_EXPECTED = (
    "SELECT max(seconds) FROM durations WHERE cost_key = ? "
    "AND EXISTS (SELECT 1 FROM devices WHERE state = 'idle') "
    "AND NOT EXISTS (SELECT 1 FROM jobs WHERE state IN ('queued', 'running') "
    "AND preview_of IS NULL)"
)
_STATE = "SELECT state FROM jobs WHERE job_id = ?"
_RECENT_MODELS = (
    "SELECT model_key FROM jobs WHERE state = ? AND preview_of IS NULL ORDER BY seq DESC LIMIT 8"
)


class Reader:
    """Reads the index as one process sees it; thread-safe."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._forecast: tuple[tuple[int, int, int], Forecast] | None = None

    def job(self, job_id: str) -> Job:
        """Return one job; raises ``NotFound``."""
        return self.jobs_by_id([job_id])[0]

    def jobs_by_id(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Return these jobs, in this order; raises ``NotFound`` for the first missing one."""
        with self._index.read() as connection:
            rows: dict[str, sqlite3.Row] = {}
            for start in range(0, len(job_ids), 500):
                part = job_ids[start : start + 500]
                marks = ",".join("?" * len(part))
                statement = f"SELECT {COLUMNS} FROM jobs WHERE job_id IN ({marks})"  # noqa: S608
                rows.update((row["job_id"], row) for row in connection.execute(statement, part))
            for job_id in job_ids:
                if job_id not in rows:
                    raise NotFound("job", job_id)
            return self._jobs(connection, (rows[job_id] for job_id in job_ids))

    def count_ended(self, job_ids: Sequence[str], start: int = 0) -> int:
        """Return how many jobs from ``start`` on have ended, up to the first that has not.

        Reads only as far as that one. Raises ``NotFound`` for a missing one.
        """
        with self._index.read() as connection:
            for count, job_id in enumerate(job_ids[start:]):
                row = connection.execute(_STATE, (job_id,)).fetchone()
                if row is None:
                    raise NotFound("job", job_id)
                if not JobState(row[0]).final:
                    return count
        return len(job_ids) - start

    def batch(self, batch_id: str) -> Batch:
        """Return one batch with its jobs; raises ``NotFound``."""
        with self._index.read() as connection:
            row = connection.execute(
                "SELECT * FROM batches WHERE batch_id = ?", (batch_id,)
            ).fetchone()
            if row is None:
                raise NotFound("batch", batch_id)
            return self._batch(connection, row)

    def batches(self, *, limit: int, session_id: str | None) -> tuple[Batch, ...]:
        """Return the newest batches, of one session if one is given."""
        with self._index.read() as connection:
            rows = connection.execute(
                "SELECT * FROM batches WHERE :session IS NULL OR session_id = :session "
                "ORDER BY created_at DESC LIMIT :limit",
                {"session": session_id, "limit": limit},
            ).fetchall()
            return tuple(self._batch(connection, row) for row in rows)

    def jobs(self, listing: Listing, *, limit: int, cursor: str | None) -> JobPage:
        """Return one page of a listing; raises ``InvalidRequest`` for an invalid cursor."""
        with self._index.read() as connection:
            order, following = listing.page(connection, cursor, limit)
            marks = ",".join("?" * len(order))
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM jobs WHERE seq IN ({marks})",  # noqa: S608
                order,
            )
            found = {row["seq"]: row for row in rows}
            jobs = self._jobs(connection, (found[seq] for seq in order))
            return JobPage(jobs, following, listing.count(connection))

    def changes(self, since: int, limit: int | None = None) -> Changes:
        """Return the jobs that changed after revision ``since``, oldest change first.

        With a ``limit``, about that many: jobs that changed together stay together.
        """
        with self._index.read() as connection:
            (newest,) = connection.execute(
                "SELECT value FROM job_meta WHERE key = 'revision'"
            ).fetchone()
            last = (
                connection.execute(
                    "SELECT revision FROM jobs WHERE revision > ? ORDER BY revision LIMIT 1 OFFSET ?",
                    (since, max(0, limit - 1)),
                ).fetchone()
                if limit is not None
                else None
            )
            revision = int(newest if last is None else last[0])
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM jobs WHERE revision > ? AND revision <= ? "  # noqa: S608
                "ORDER BY revision",
                (since, revision),
            ).fetchall()
            gone = connection.execute(
                "SELECT job_id FROM deleted_jobs WHERE revision > ? AND revision <= ?",
                (since, revision),
            ).fetchall()
            return Changes(revision, self._jobs(connection, rows), tuple(row[0] for row in gone))

    def changed_ids(self, since: int) -> ChangedIds:
        """Return the ids of what changed after revision ``since``."""
        with self._index.read() as connection:
            (revision,) = connection.execute(
                "SELECT value FROM job_meta WHERE key = 'revision'"
            ).fetchone()
            rows = connection.execute(
                "SELECT job_id, batch_id, preview_of FROM jobs WHERE revision > ? "
                "UNION ALL SELECT job_id, NULL, NULL FROM deleted_jobs WHERE revision > ?",
                (since, since),
            ).fetchall()
        return ChangedIds(int(revision), frozenset(i for row in rows for i in row if i))

    def children(self, batch_id: str) -> list[str]:
        """Return the ids of a batch's jobs, in order; raises ``NotFound``."""
        self.batch_exists(batch_id)
        with self._index.read() as connection:
            rows = connection.execute(
                "SELECT job_id FROM jobs WHERE batch_id = ? AND preview_of IS NULL "
                "ORDER BY position",
                (batch_id,),
            )
            return [row[0] for row in rows]

    def batch_exists(self, batch_id: str) -> None:
        """Raise ``NotFound`` if the batch does not exist."""
        with self._index.read() as connection:
            question = "SELECT 1 FROM batches WHERE batch_id = ?"
            if connection.execute(question, (batch_id,)).fetchone() is None:
                raise NotFound("batch", batch_id)

    def unfinished(self) -> bool:
        """Tell whether any job is queued or running."""
        with self._index.read() as connection:
            row = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'queued') OR "
                "EXISTS (SELECT 1 FROM jobs WHERE state = 'running')"
            ).fetchone()
            return bool(row[0])

    def devices(self) -> dict[str, DeviceRow]:
        """Return the supervisor's last report of each device."""
        with self._index.read() as connection:
            rows = connection.execute("SELECT * FROM devices").fetchall()
        return {
            row["name"]: DeviceRow(
                row["name"],
                row["state"],
                row["detail"],
                row["job_id"],
                Identity(row["worker_pid"], row["worker_started"], row["worker_boot"])
                if row["worker_pid"] is not None
                else None,
            )
            for row in rows
        }

    def paused(self) -> frozenset[str]:
        """Return the names of paused devices; '' stands for the whole queue."""
        with self._index.read() as connection:
            return frozenset(row[0] for row in connection.execute("SELECT device FROM pauses"))

    def expected_s(self, cost_key: str, model_key: str) -> float | None:
        """Return how long a render submitted now takes; None if unknown or if it would wait.

        Known if an equal job was done before, a worker is idle, no other render runs or waits, and
        one of the last finished jobs used the model, so that it is loaded.
        """
        with self._index.read() as connection:
            (seconds,) = connection.execute(_EXPECTED, (cost_key,)).fetchone()
            if seconds is None or not model_key:
                return None if seconds is None else float(seconds)
            recent = connection.execute(_RECENT_MODELS, (JobState.COMPLETE,))
            return float(seconds) if model_key in {row[0] for row in recent} else None

    def _batch(self, connection: sqlite3.Connection, row: sqlite3.Row) -> Batch:
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM jobs WHERE batch_id = ? AND preview_of IS NULL "  # noqa: S608
            "ORDER BY position",
            (row["batch_id"],),
        ).fetchall()
        created = moment(row["created_at"])
        assert created is not None  # noqa: S101  the column is NOT NULL
        jobs = self._jobs(connection, rows)
        return Batch(row["batch_id"], row["name"], row["session_id"], created, jobs)

    def _jobs(self, connection: sqlite3.Connection, rows: Iterable[sqlite3.Row]) -> tuple[Job, ...]:
        now = time.time()
        jobs = []
        for row in rows:
            if row["state"] not in {JobState.QUEUED, JobState.RUNNING}:
                jobs.append(job_from_row(row))
                continue
            forecast = self._current_forecast(connection)
            position, wait_s = forecast.place(row["job_id"], now)
            eta_s = forecast.remaining_s(row["cost_key"], row["device"], row, now)
            jobs.append(job_from_row(row, queue_position=position, wait_s=wait_s, eta_s=eta_s))
        return tuple(jobs)

    def _current_forecast(self, connection: sqlite3.Connection) -> Forecast:
        version = self._index.version()
        if self._forecast is None or self._forecast[0] != version:
            self._forecast = version, Forecast.read(connection)
        return self._forecast[1]
