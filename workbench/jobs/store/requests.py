"""What clients write into the index: submissions, cancels, retries, priorities, pauses.

Each function is one step of a write transaction that the caller opened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, cast

from workbench.errors import Busy, Conflict, NotFound
from workbench.jobs.model import JobState
from workbench.jobs.store.index import Writer
from workbench.jobs.store.scores import join_near_duplicates

__all__ = ["NewJob", "Requests", "Restored"]

_WAITING: Final = "Waiting: "
_HELD: Final = "after:"
_HELD_MESSAGE: Final = "starts when the job that it continues from is complete"
_EXPLAINED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """One job as submitted, or as recovered from its folder."""

    job_id: str
    batch_id: str | None = None
    position: int = 0
    session_id: str | None = None
    entry_index: int | None = None
    parent_prompt: str = ""
    priority: int
    request: str
    """The complete :class:`~workbench.rendering.RenderRequest`, as JSON."""
    prompt: str
    queue: str
    """``gpu``; or ``slow`` or, for quick renders, ``cpu``."""
    model_key: str
    """Jobs with the same key share one loaded model; empty where loading costs nothing."""
    cost_key: str
    """Jobs with the same key take equally long."""
    created_at: float
    preview_of: str | None = None
    preview_job_id: str | None = None
    follows: str | None = None
    """The job that it continues from: it starts once that one is complete."""

    @property
    def fair_key(self) -> str:
        """The owner of its turn: its session, its batch, or the shared owner."""
        return self.session_id or self.batch_id or ""


_SUBMITTED: Final = tuple(field.name for field in fields(NewJob))
_COLUMNS: Final = (*_SUBMITTED, "fair_key", "turn", "revision")
_INSERT: Final = f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES (:{', :'.join(_COLUMNS)})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Restored:
    """A job's state as recovered from its folder."""

    state: JobState
    attempt: int = 0
    finished_at: float | None = None
    error: str = ""
    video_bytes: int | None = None
    has_poster: bool = False
    has_audio: bool = False
    scores: str | None = None
    """The scores of its video, as JSON."""
    checks: str | None = None
    """The scene check of its video, as JSON."""
    near_duplicates: tuple[str, ...] = ()
    starred: bool = False
    note: str = ""


_AGAIN: Final = frozenset({JobState.FAILED, JobState.CANCELLED})
_RESTORED: Final = tuple(f.name for f in fields(Restored) if f.name != "near_duplicates")


class Requests:
    """The writes that any client may make."""

    def __init__(self, max_queued_jobs: int) -> None:
        self._max_queued = max_queued_jobs

    def answered(self, writer: Writer, key: str, digest: str) -> str | None:
        """Return the answer to an earlier request with this idempotency key, if any.

        Raises ``Conflict`` if the key was used with a different request.
        """
        row = writer.execute(
            "SELECT identifier, digest FROM answered WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        if row["digest"] != digest:
            raise Conflict(f"The idempotency key {key!r} was used for another request.")
        return str(row["identifier"])

    def remember(self, writer: Writer, key: str, digest: str, identifier: str) -> None:
        """Store the answer to an idempotency key for a day."""
        writer.execute("DELETE FROM answered WHERE created_at < ?", (writer.now - 86_400,))
        writer.execute(
            "INSERT INTO answered VALUES (?, ?, ?, ?)", (key, identifier, digest, writer.now)
        )

    def add_batch(self, writer: Writer, batch_id: str, name: str, session_id: str | None) -> None:
        """Add a batch; its jobs are added separately."""
        writer.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?)", (batch_id, name, session_id, writer.now)
        )

    def add_jobs(self, writer: Writer, jobs: Sequence[NewJob]) -> None:
        """Queue ``jobs``; raises ``Busy`` when the queue has no room for them."""
        asked = sum(job.preview_of is None for job in jobs)
        (waiting,) = writer.execute(
            "SELECT count FROM job_tallies WHERE state = 'queued'"
        ).fetchone()
        if waiting + asked > self._max_queued:
            raise Busy(
                f"The queue holds {waiting} of {self._max_queued} jobs and has no room for "
                f"{asked} more; wait for some to finish, or cancel some."
            )
        revision = writer.revision
        turns = {key: _next_turn(writer, *key) for key in {(j.fair_key, j.priority) for j in jobs}}
        for job in jobs:
            key = (job.fair_key, job.priority)
            insert_job(writer, job, turn=turns[key], revision=revision)
            turns[key] += 1

    def cancel(self, writer: Writer, job_ids: Sequence[str]) -> list[str]:
        """Cancel queued jobs, and ask running ones to stop; return those that ended just now."""
        ended: list[str] = []
        queues: set[tuple[str, int]] = set()
        waiting = list(job_ids)
        while waiting:
            row = _row(writer, waiting.pop())
            if row["state"] == JobState.QUEUED:
                writer.execute(
                    "UPDATE jobs SET state = 'cancelled', finished_at = ?, message = 'cancelled', "
                    "revision = ? WHERE seq = ?",
                    (writer.now, writer.revision, row["seq"]),
                )
                ended.append(row["job_id"])
                queues.add((row["fair_key"], row["priority"]))
            elif row["state"] == JobState.RUNNING and not row["cancel_requested"]:
                writer.execute(
                    "UPDATE jobs SET cancel_requested = 1, message = 'cancelling', revision = ? "
                    "WHERE seq = ?",
                    (writer.revision, row["seq"]),
                )
            else:
                continue
            if row["preview_job_id"] is not None:
                waiting.append(row["preview_job_id"])
        for queue in queues:
            close_ranks(writer, *queue)
        return ended

    def cancel_waiting(self, writer: Writer, job_ids: Sequence[str]) -> None:
        """Cancel those of the jobs that are queued."""
        self.cancel(writer, [j for j in job_ids if _row(writer, j)["state"] == JobState.QUEUED])

    def retry(self, writer: Writer, job_id: str) -> None:
        """Queue a failed or cancelled job again; raises ``Conflict`` for any other.

        The ended jobs that it continues from are queued again too, as are those that ended with it.
        """
        row = _row(writer, job_id)
        if row["state"] not in _AGAIN:
            raise Conflict(
                f"The job is {row['state']}; only a failed or cancelled one can be retried."
            )
        earlier = row["follows"] and _found(writer, row["follows"])
        if earlier and earlier["state"] in _AGAIN:
            self.retry(writer, earlier["job_id"])
            if _row(writer, job_id)["state"] == JobState.QUEUED:
                return
        self._queue_again(writer, row)
        for later in writer.execute(
            "SELECT job_id FROM jobs WHERE follows = ? AND attempt = 0 AND state = ?",
            (job_id, row["state"]),
        ).fetchall():
            self.retry(writer, later["job_id"])

    def retry_all(self, writer: Writer, job_ids: Sequence[str]) -> None:
        """Queue each of these again, unless it was already queued along with another."""
        for job_id in job_ids:
            if _row(writer, job_id)["state"] in _AGAIN:
                self.retry(writer, job_id)

    def _queue_again(self, writer: Writer, row: sqlite3.Row) -> None:
        writer.execute(
            "UPDATE jobs SET state = 'queued', turn = ?, passed_over = 0, crashes = 0, "
            "interruptions = 0, cancel_requested = 0, progress = 0, stage = '', message = '', "
            "step = 0, total_steps = 0, device = NULL, gpu_id = NULL, started_at = NULL, "
            "finished_at = NULL, error = '', video_gone = 0, has_poster = 0, has_preview = 0, "
            "video_bytes = NULL, checks = NULL, scores = NULL, scores_error = '', scores_due = 0, revision = ? "
            "WHERE seq = ?",
            (_next_turn(writer, row["fair_key"], row["priority"]), writer.revision, row["seq"]),
        )
        _hold(writer, row["job_id"])

    def explain_waiting(self, writer: Writer, reason: str, queue: str | None = None) -> None:
        """Write the reason why none can start on waiting jobs of one queue or all; '' removes it.

        Only the first jobs get it, as a queue may be long.
        """
        text = f"{_WAITING}{reason}" if reason else ""
        rows = writer.execute(
            "SELECT seq FROM jobs WHERE state = 'queued' AND (?1 IS NULL OR queue = ?1) "
            "AND (message = '' OR message LIKE ?2) AND message != ?3 "
            "ORDER BY priority DESC, turn, seq LIMIT ?4",
            (queue, f"{_WAITING}%", text, _EXPLAINED),
        ).fetchall()
        for row in rows:
            writer.execute(
                "UPDATE jobs SET message = ?, revision = ? WHERE seq = ?",
                (text, writer.revision, row["seq"]),
            )

    def set_priority(self, writer: Writer, job_id: str, priority: int) -> None:
        """Give a queued job another priority; raises ``Conflict`` once it runs or has ended."""
        row = _row(writer, job_id)
        if row["state"] != JobState.QUEUED:
            raise Conflict(f"The job is {row['state']}; only a queued one has a priority.")
        writer.execute(
            "UPDATE jobs SET priority = ?, turn = ?, passed_over = 0, revision = ? "
            "WHERE job_id = ?",
            (priority, _next_turn(writer, row["fair_key"], priority), writer.revision, job_id),
        )
        close_ranks(writer, row["fair_key"], row["priority"])

    def reorder(self, writer: Writer, job_ids: Sequence[str]) -> None:
        """Reorder queued jobs; they exchange places with each other only."""
        rows = [_row(writer, job_id) for job_id in job_ids]
        if strangers := [row["job_id"] for row in rows if row["state"] != JobState.QUEUED]:
            raise Conflict(f"The job {strangers[0]} is not queued, so it cannot be moved.")
        places = sorted(
            ((row["priority"], row["turn"], row["seq"]) for row in rows),
            key=lambda place: (-place[0], place[1], place[2]),
        )
        last = (places[0][0], -1, -1)
        for row, (priority, turn, _) in zip(rows, places, strict=True):
            # Equal turns are ordered by age, so a younger job needs a smaller turn.
            if priority == last[0] and (turn, row["seq"]) <= last[1:]:
                turn = last[1] + 1  # noqa: PLW2901
            last = (priority, turn, row["seq"])
            writer.execute(
                "UPDATE jobs SET priority = ?, turn = ?, passed_over = 0, revision = ? "
                "WHERE job_id = ?",
                (priority, turn, writer.revision, row["job_id"]),
            )

    def set_paused(self, writer: Writer, device: str, paused: bool) -> None:
        """Pause or resume a device, or with '' the whole queue."""
        if paused:
            writer.execute("INSERT OR IGNORE INTO pauses VALUES (?)", (device,))
        else:
            writer.execute("DELETE FROM pauses WHERE device = ?", (device,))
        _ = writer.revision

    def judge(self, writer: Writer, job_id: str, *, starred: bool, note: str) -> None:
        """Store a job's star and note."""
        writer.execute(
            "UPDATE jobs SET starred = ?, note = ?, revision = ? WHERE job_id = ?",
            (starred, note, writer.revision, job_id),
        )

    def set_checks(self, writer: Writer, job_id: str, attempt: int, checks: str) -> None:
        """Store the scene check of a video, unless the video was replaced."""
        writer.execute(
            "UPDATE jobs SET checks = ?, revision = ? "
            "WHERE job_id = ? AND attempt = ? AND state = 'complete'",
            (checks, writer.revision, job_id, attempt),
        )

    def set_video_gone(self, writer: Writer, job_id: str, reason: str) -> None:
        """Mark a complete job failed because its video is gone."""
        writer.execute(
            "UPDATE jobs SET state = 'failed', error = ?, message = '', video_gone = 1, "
            "revision = ? WHERE job_id = ? AND state = 'complete'",
            (reason, writer.revision, job_id),
        )

    def set_video_back(self, writer: Writer, job_id: str) -> None:
        """Mark a job complete again because its video is back."""
        writer.execute(
            "UPDATE jobs SET state = 'complete', error = '', video_gone = 0, scores_error = '', "
            "scores_due = CASE WHEN scores IS NULL AND preview_of IS NULL THEN 2 ELSE 0 END, "
            "revision = ? WHERE job_id = ? AND state = 'failed' AND video_gone = 1",
            (writer.revision, job_id),
        )

    def restore_batch(
        self,
        writer: Writer,
        batch_id: str | None,
        name: str,
        session_id: str | None,
        created_at: float,
    ) -> None:
        """Restore a batch from its folder unless it exists; does nothing for None."""
        if batch_id is None:
            return
        writer.execute(
            "INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?)",
            (batch_id, name, session_id, created_at),
        )

    def restore(self, writer: Writer, job: NewJob, found: Restored) -> None:
        """Restore a job from its folder."""
        complete = found.state is JobState.COMPLETE
        insert_job(writer, job, turn=0, revision=writer.revision)
        due = complete and found.scores is None and job.preview_of is None
        values = {name: getattr(found, name) for name in _RESTORED}
        values |= {"progress": 100.0 if complete else 0.0, "scores_due": due}
        assigned = ", ".join(f"{name} = :{name}" for name in values)
        writer.execute(
            f"UPDATE jobs SET {assigned} WHERE job_id = :job_id",  # noqa: S608  the names are ours
            values | {"job_id": job.job_id},
        )
        join_near_duplicates(writer, job.job_id, found.near_duplicates)
        earlier = job.follows and _found(writer, job.follows)
        if earlier and earlier["state"] in _AGAIN and found.state is JobState.QUEUED:
            writer.execute(
                "UPDATE jobs SET state = ?, finished_at = ?, message = '', error = ? "
                "WHERE job_id = ?",
                (earlier["state"], earlier["finished_at"], earlier["error"], job.job_id),
            )


def insert_job(writer: Writer, job: NewJob, *, turn: int, revision: int) -> None:
    """Insert one queued job."""
    values = {name: getattr(job, name) for name in _SUBMITTED}
    writer.execute(_INSERT, values | {"fair_key": job.fair_key, "turn": turn, "revision": revision})
    if job.follows:
        _hold(writer, job.job_id)


def _hold(writer: Writer, job_id: str) -> None:
    """Keep a job out of the queue until the one that it continues from is complete."""
    writer.execute(
        f"UPDATE jobs SET queue = '{_HELD}' || queue, message = ? WHERE job_id = ? "  # noqa: S608  the prefix is ours
        f"AND queue NOT LIKE '{_HELD}%' AND EXISTS "
        "(SELECT 1 FROM jobs AS earlier WHERE earlier.job_id = jobs.follows "
        "AND earlier.state != 'complete')",
        (_HELD_MESSAGE, job_id),
    )


def close_ranks(writer: Writer, fair_key: str, priority: int) -> None:
    """Renumber a session's waiting jobs, so that a cancelled one costs the others no turn."""
    (served,) = writer.execute(
        "SELECT coalesce(max(turn), 0) FROM turns WHERE priority = ?", (priority,)
    ).fetchone()
    writer.execute(
        "UPDATE jobs SET turn = ranked.turn FROM ("
        "  SELECT seq, ? + row_number() OVER (ORDER BY turn, seq) AS turn FROM jobs"
        "  WHERE state = 'queued' AND fair_key = ? AND priority = ?"
        ") AS ranked WHERE jobs.seq = ranked.seq AND jobs.turn > ranked.turn",
        (served, fair_key, priority),
    )


def _next_turn(writer: Writer, fair_key: str, priority: int) -> int:
    """Return the turn after the session's last waiting job, or after the one served last.

    Start-time fair queueing (Goyal, Vin, Cheng 1996) with jobs of equal weight: turns of several
    sessions interleave, however many jobs each has.
    """
    (turn,) = writer.execute(
        "SELECT max(coalesce((SELECT turn FROM turns WHERE priority = :priority), 0),"
        " coalesce((SELECT max(turn) FROM jobs WHERE state = 'queued' AND fair_key = :key"
        "  AND priority = :priority), 0))",
        {"priority": priority, "key": fair_key},
    ).fetchone()
    return int(turn) + 1


def _row(writer: Writer, job_id: str) -> sqlite3.Row:
    row = _found(writer, job_id)
    if row is None:
        raise NotFound("job", job_id)
    return row


def _found(writer: Writer, job_id: str) -> sqlite3.Row | None:
    row = writer.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    return cast("sqlite3.Row | None", row)
