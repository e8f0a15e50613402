"""The supervisor's writes: claims, progress, results, devices, durations.

Each function is one step of a write transaction that the caller opened. A step that names an
attempt does nothing unless that attempt is the current one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from workbench.jobs.model import JobState
from workbench.jobs.processes import Identity
from workbench.jobs.store.index import Writer

__all__ = ["QUEUES", "Attempt", "Claim", "DeviceRow", "Ledger", "RunningRow"]

_MAX_PASSED_OVER: Final = 8
"""How often a job may be passed over for one whose model is loaded."""
QUEUES: Final = ("cpu", "slow", "gpu")
_MEAN_OVER: Final = 8
"""Weight of a new duration: one in this many."""
_INTERRUPTIONS_PER_CRASH: Final = 4
"""Interruptions after which a job fails: one that kills its supervisor must end too."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job assigned to a device, and its attempt."""

    job_id: str
    batch_id: str | None
    session_id: str | None
    parent_prompt: str
    request: str
    model_key: str
    cost_key: str
    created_at: float
    attempt: int


_CLAIMED: Final = tuple(field.name for field in fields(Claim) if field.name != "attempt")


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """The supervisor's last report of a device."""

    name: str
    state: str
    detail: str = ""
    job_id: str | None = None
    worker: Identity | None = None


@dataclass(frozen=True, slots=True)
class RunningRow:
    """A job that is running according to the index."""

    job_id: str
    batch_id: str | None
    attempt: int
    cancel_requested: bool


Attempt = Claim | RunningRow


class Ledger:
    """The writes of the supervisor."""

    def __init__(self, max_attempts: int) -> None:
        self._max_attempts = max_attempts
        self._said: list[DeviceRow] | None = None

    def next_model(self, writer: Writer, queues: Sequence[str]) -> str | None:
        """Return the model key of the next job in ``queues``; None if none is waiting."""
        head = _head(writer, queues)
        return None if head is None else str(head["model_key"])

    def claim(
        self, writer: Writer, queues: Sequence[str], device: str, gpu_id: int | None, loaded: str
    ) -> Claim | None:
        """Assign the best job in ``queues`` to ``device``, which has ``loaded`` as its model."""
        row = _head(writer, queues)
        if row is None:
            return None
        if loaded and row["model_key"] != loaded and row["passed_over"] < _MAX_PASSED_OVER:
            row = _same_model(writer, row, queues, loaded) or row
        (attempt,) = writer.execute(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, device = ?, gpu_id = ?, "
            "started_at = ?, finished_at = NULL, progress = 0, stage = '', message = '', "
            "step = 0, total_steps = 0, has_preview = 0, error = '', revision = ? "
            "WHERE seq = ? RETURNING attempt",
            (device, gpu_id, writer.now, writer.revision, row["seq"]),
        ).fetchone()
        writer.execute(
            "INSERT INTO turns VALUES (?, ?) ON CONFLICT (priority) "
            "DO UPDATE SET turn = max(turn, excluded.turn)",
            (row["priority"], row["turn"]),
        )
        return Claim(**{name: row[name] for name in _CLAIMED}, attempt=attempt)

    def report(
        self,
        writer: Writer,
        job_id: str,
        attempt: int,
        *,
        stage: str,
        step: int,
        total: int,
        message: str,
        preview: bool,
    ) -> None:
        """Store a render's progress, which never decreases within an attempt."""
        progress = 99.0 * min(step, total) / total if total > 0 and stage != "loading" else 0.0
        writer.execute(
            "UPDATE jobs SET stage = ?, step = ?, total_steps = ?, "
            "message = CASE WHEN cancel_requested THEN 'cancelling' ELSE ? END, "
            "progress = max(progress, ?), has_preview = max(has_preview, ?), revision = ? "
            "WHERE job_id = ? AND state = 'running' AND attempt = ?",
            (stage, step, total, message, progress, preview, writer.revision, job_id, attempt),
        )

    def complete(
        self,
        writer: Writer,
        attempt: Attempt,
        *,
        video_bytes: int,
        has_poster: bool,
        has_audio: bool,
    ) -> None:
        """End a job whose files are in place."""
        writer.execute(
            "UPDATE jobs SET state = 'complete', progress = 100, stage = '', message = '', "
            "error = '', finished_at = max(?, started_at), video_bytes = ?, has_poster = ?, "
            "has_audio = ?, has_preview = 0, "
            "checks = NULL, scores = NULL, scores_error = '', scores_due = CASE WHEN preview_of IS NULL THEN 2 "
            "ELSE 0 END, revision = ? WHERE job_id = ? AND state = 'running' AND attempt = ?",
            (writer.now, video_bytes, has_poster, has_audio, writer.revision, *_key(attempt)),
        )
        writer.execute(
            "UPDATE jobs SET state = 'cancelled', finished_at = ?, message = 'no longer needed', "
            "revision = ? WHERE job_id = (SELECT preview_job_id FROM jobs WHERE job_id = ?) "
            "AND state = 'queued'",
            (writer.now, writer.revision, attempt.job_id),
        )

    def fail(self, writer: Writer, attempt: Attempt, error: str) -> None:
        """End a job without a video."""
        self._end(writer, attempt, JobState.FAILED, error)

    def cancelled(self, writer: Writer, attempt: Attempt) -> None:
        """End a cancelled job."""
        self._end(writer, attempt, JobState.CANCELLED, "")

    def crashed(self, writer: Writer, attempt: Attempt, error: str) -> JobState:
        """Requeue a job whose worker died, or fail it after too many crashes."""
        return self._again(writer, attempt, error, "crashes", self._max_attempts)

    def interrupted(self, writer: Writer, attempt: Attempt, error: str) -> JobState:
        """Requeue a job whose supervisor died, or fail it after too many interruptions."""
        limit = self._max_attempts * _INTERRUPTIONS_PER_CRASH
        return self._again(writer, attempt, error, "interruptions", limit)

    def is_current(self, writer: Writer, attempt: Attempt) -> bool:
        """Tell whether this attempt is the current one, which may publish."""
        row = writer.execute(
            "SELECT 1 FROM jobs WHERE job_id = ? AND state = 'running' AND attempt = ?",
            _key(attempt),
        ).fetchone()
        return row is not None

    def running(self, writer: Writer) -> list[RunningRow]:
        """Return every job that the index says is running."""
        rows = writer.execute(
            "SELECT job_id, batch_id, attempt, cancel_requested FROM jobs WHERE state = 'running'"
        )
        return [RunningRow(job, batch, attempt, bool(stop)) for job, batch, attempt, stop in rows]

    def waiting(self, writer: Writer, limit: int) -> dict[str, int]:
        """Return how many jobs wait in each queue, counted up to ``limit``."""
        return {
            queue: writer.execute(
                "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'queued' AND queue = ? "
                "LIMIT ?)",
                (queue, limit),
            ).fetchone()[0]
            for queue in QUEUES
        }

    def paused(self, writer: Writer) -> frozenset[str]:
        """Return the names of paused devices; '' stands for the whole queue."""
        return frozenset(row[0] for row in writer.execute("SELECT device FROM pauses"))

    def say_devices(self, writer: Writer, rows: Sequence[DeviceRow]) -> None:
        """Replace the report of all devices, unless it is unchanged."""
        if self._said == rows:
            return
        self._said = list(rows)
        writer.execute("DELETE FROM devices")
        for row in rows:
            worker = row.worker
            writer.execute(
                "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    row.name,
                    row.state,
                    row.detail,
                    row.job_id,
                    worker.pid if worker else None,
                    worker.started if worker else None,
                    worker.boot_id if worker else None,
                ),
            )
        _ = writer.revision

    def forget_devices(self) -> None:
        """Write all devices next time: the last report may have been lost."""
        self._said = None

    def workers(self, writer: Writer) -> list[Identity]:
        """Return the identities of the workers in the last report."""
        rows = writer.execute(
            "SELECT worker_pid, worker_started, worker_boot FROM devices "
            "WHERE worker_pid IS NOT NULL"
        )
        return [Identity(int(pid), float(started), boot) for pid, started, boot in rows]

    def learn(self, writer: Writer, cost_key: str, device_kind: str, seconds: float) -> None:
        """Store how long a render took."""
        writer.execute(
            "INSERT INTO durations VALUES (?, ?, ?, 1) ON CONFLICT (cost_key, device_kind) "
            "DO UPDATE SET count = count + 1, "
            "seconds = seconds + (excluded.seconds - seconds) / min(count + 1, ?)",
            (cost_key, device_kind, seconds, _MEAN_OVER),
        )

    def _end(self, writer: Writer, attempt: Attempt, state: JobState, error: str) -> None:
        writer.execute(
            "UPDATE jobs SET state = ?, stage = '', message = '', error = ?, "
            "finished_at = max(?, started_at), has_preview = 0, revision = ? "
            "WHERE job_id = ? AND state = 'running' AND attempt = ?",
            (state, error, writer.now, writer.revision, *_key(attempt)),
        )

    def _again(
        self, writer: Writer, attempt: Attempt, error: str, column: str, limit: int
    ) -> JobState:
        row = writer.execute(
            f"UPDATE jobs SET {column} = {column} + 1, "  # noqa: S608  the column is ours
            f"state = CASE WHEN cancel_requested THEN 'cancelled' "
            f"  WHEN {column} + 1 >= ? THEN 'failed' ELSE 'queued' END, "
            f"error = CASE WHEN cancel_requested THEN '' ELSE ? END, "
            f"finished_at = CASE WHEN cancel_requested OR {column} + 1 >= ? THEN ? END, "
            f"stage = '', message = CASE WHEN cancel_requested OR {column} + 1 >= ? "
            f"  THEN '' ELSE 'starts again: ' || ? END, "
            f"progress = 0, step = 0, total_steps = 0, has_preview = 0, "
            f"device = NULL, gpu_id = NULL, revision = ? "
            f"WHERE job_id = ? AND state = 'running' AND attempt = ? RETURNING state",
            (limit, error, limit, writer.now, limit, error, writer.revision, *_key(attempt)),
        ).fetchone()
        return JobState(row[0]) if row else JobState.FAILED


def _key(attempt: Attempt) -> tuple[str, int]:
    return attempt.job_id, attempt.attempt


def _head(writer: Writer, queues: Sequence[str]) -> sqlite3.Row | None:
    heads: list[sqlite3.Row] = [
        row
        for queue in queues
        if (
            row := writer.execute(
                "SELECT * FROM jobs WHERE state = 'queued' AND queue = ? "
                "ORDER BY priority DESC, turn, seq LIMIT 1",
                (queue,),
            ).fetchone()
        )
    ]
    return min(heads, key=lambda row: (-row["priority"], row["turn"], row["seq"]), default=None)


def _same_model(
    writer: Writer, head: sqlite3.Row, queues: Sequence[str], loaded: str
) -> sqlite3.Row | None:
    rows: list[sqlite3.Row] = writer.execute(
        "SELECT * FROM jobs WHERE state = 'queued' AND model_key = ? AND priority = ? "
        "AND queue NOT LIKE 'after:%' ORDER BY turn, seq LIMIT 1",
        (loaded, head["priority"]),
    ).fetchall()
    if not rows or rows[0]["queue"] not in queues:
        return None
    writer.execute("UPDATE jobs SET passed_over = passed_over + 1 WHERE seq = ?", (head["seq"],))
    return rows[0]
