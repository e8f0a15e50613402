"""The index for scoring: finished videos to measure, and their scores.

Each function is one step of a transaction that the caller opened.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.jobs.store.index import Writer

__all__ = ["DueVideo", "ScoreBook", "join_near_duplicates"]

_ASKED: Final = 3
"""Urgency of a video whose scores a client waits for: measured even if scoring is off."""


@dataclass(frozen=True, slots=True)
class DueVideo:
    """A finished video to measure."""

    job_id: str
    batch_id: str | None
    attempt: int
    siblings: tuple[str, ...]
    """The measured jobs of its batch."""


class ScoreBook:
    """Reads what is to be measured, and stores the results."""

    def next_due(self, connection: sqlite3.Connection, *, asked_only: bool) -> DueVideo | None:
        """Return the most urgent video; of equally urgent ones, the newest."""
        row = connection.execute(
            "SELECT job_id, batch_id, attempt FROM jobs WHERE scores_due >= ? "
            "ORDER BY scores_due DESC, seq DESC LIMIT 1",
            (_ASKED if asked_only else 1,),
        ).fetchone()
        if row is None:
            return None
        siblings = connection.execute(
            "SELECT job_id FROM jobs WHERE batch_id = ? AND scores IS NOT NULL AND job_id != ? "
            "AND state = 'complete' AND preview_of IS NULL",
            (row["batch_id"], row["job_id"]),
        )
        measured = tuple(sibling[0] for sibling in siblings)
        return DueVideo(row["job_id"], row["batch_id"], row["attempt"], measured)

    def ask(self, writer: Writer, job_ids: Sequence[str]) -> None:
        """Make finished videos without scores the most urgent, even those that failed before."""
        for job_id in job_ids:
            writer.execute(
                "UPDATE jobs SET scores_due = ?, scores_error = '', revision = ? "
                "WHERE job_id = ? AND state = 'complete' AND scores IS NULL",
                (_ASKED, writer.revision, job_id),
            )

    def keep(
        self,
        writer: Writer,
        job_id: str,
        attempt: int,
        scores: Mapping[str, float],
        near_duplicates: Iterable[str],
    ) -> None:
        """Store the scores of a video, unless the video was replaced."""
        kept = writer.execute(
            "UPDATE jobs SET scores = ?, scores_error = '', scores_due = 0, revision = ? "
            "WHERE job_id = ? AND attempt = ? AND state = 'complete' AND scores_due > 0",
            (json.dumps(scores), writer.revision, job_id, attempt),
        )
        if kept.rowcount:
            others = list(near_duplicates)
            join_near_duplicates(writer, job_id, others)
            for other in others:
                writer.execute(
                    "UPDATE jobs SET revision = ? WHERE job_id = ?", (writer.revision, other)
                )

    def give_up(self, writer: Writer, job_id: str, attempt: int, reason: str) -> None:
        """Record why a video cannot be measured; it is not retried unless requested."""
        writer.execute(
            "UPDATE jobs SET scores_error = ?, scores_due = 0, revision = ? "
            "WHERE job_id = ? AND attempt = ? AND scores_due > 0",
            (reason, writer.revision, job_id, attempt),
        )


def join_near_duplicates(writer: Writer, job_id: str, others: Iterable[str]) -> None:
    """Record that these videos look like that of ``job_id``."""
    for other in others:
        writer.execute(
            "INSERT OR IGNORE INTO near_duplicates VALUES (?, ?), (?, ?)",
            (job_id, other, other, job_id),
        )
