"""The index as jobs use it: transactions, revisions, and filling a new file.

Does not know the meaning of the tables.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from workbench.database import Database, IndexFailure, is_sound, transaction
from workbench.jobs.store.schema import SCHEMA

__all__ = ["Index", "IndexFailure", "Writer"]

_PRAGMAS: Final = (
    "synchronous = FULL",  # a submitted job survives a power failure, at one fsync per transaction
    "cache_size = -8192",  # KiB
)


@dataclass(slots=True)
class Writer:
    """One write transaction; its changes share one revision unless it asks for the next."""

    connection: sqlite3.Connection
    now: float = field(default_factory=time.time)
    _revision: int = 0

    @property
    def revision(self) -> int:
        """The revision of this transaction; created on first use."""
        if not self._revision:
            (self._revision,) = self.connection.execute(
                "UPDATE job_meta SET value = value + 1 WHERE key = 'revision' RETURNING value"
            ).fetchone()
        return self._revision

    def next_revision(self) -> None:
        """Start a new revision, so that changes can be read in pages."""
        self._revision = 0

    def execute(self, statement: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, parameters)


class Index:
    """The index of one outputs/ folder, as one process sees it; thread-safe.

    Any use may raise ``IndexFailure``. A new file is filled once, by the first process.
    """

    def __init__(self, path: Path, fill: Callable[[Writer], int] | None = None) -> None:
        """Open the index at ``path`` on first use; ``fill`` fills every new file."""
        self.path = path
        self._database = Database(path, [SCHEMA], pragmas=_PRAGMAS)
        self._fill = fill
        self._filled = 0
        """The value of ``opened`` when the file was last filled."""
        self._synced = (0, True)
        """The value of ``opened``, and whether writes to that file are durable."""

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for reading, as one consistent view."""
        with self._connection() as connection:
            if connection.in_transaction:
                yield connection
                return
            try:
                connection.execute("BEGIN")  # Ctrl+C may come as soon as it has begun
                yield connection
            finally:
                with suppress(sqlite3.OperationalError):
                    connection.execute("COMMIT")

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Writer]:
        """Lend one write transaction: durable when the block ends, undone if it raises.

        One that need not be ``durable`` survives the end of every process, but a power failure only
        once a later durable one has ended.
        """
        with self._connection() as connection:
            if self._synced != (self.opened, durable):
                connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._synced = self.opened, durable
            with transaction(connection):
                yield Writer(connection)

    def revision(self) -> int:
        """Return the revision of the latest change."""
        with self._connection() as connection:
            row = connection.execute("SELECT value FROM job_meta WHERE key = 'revision'").fetchone()
            return int(row[0])

    def version(self) -> tuple[int, int, int]:
        """Return a value that changes with every write; cheaper than reading a revision."""
        with self._connection() as connection:
            (data,) = connection.execute("PRAGMA data_version").fetchone()
            return self.opened, int(data), connection.total_changes

    @property
    def opened(self) -> int:
        """How often the file was opened: a new count means that it may be another file."""
        return self._database.opened

    def checkpoint(self) -> None:
        """Checkpoint the write-ahead log, as far as readers allow."""
        with self._connection() as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def fault(self) -> str:
        """Return what is wrong with the file, or an empty string; reads all of it."""
        return "" if is_sound(self.path) else f"{self.path.name} is damaged"

    def refill(self) -> None:
        """Replace all jobs and batches with those of the folders; stars are kept.

        Other stores' tables in the same file are left alone.
        """
        with self.write() as writer:
            starred = [row[0] for row in writer.execute("SELECT job_id FROM jobs WHERE starred")]
            writer.execute("DELETE FROM jobs")
            writer.execute("DELETE FROM batches")
            if self._fill is not None:
                self._fill(writer)
            writer.connection.executemany(
                "UPDATE jobs SET starred = 1 WHERE job_id = ?", [(job_id,) for job_id in starred]
            )
            _ = writer.revision

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        self._database.close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._database.connection() as connection:
            if self._filled != self.opened:
                self._fill_once(connection)
                self._filled = self.opened
            yield connection

    def _fill_once(self, connection: sqlite3.Connection) -> None:
        question = "SELECT value FROM job_meta WHERE key = 'rebuilt'"
        if self._fill is None or connection.execute(question).fetchone()[0]:
            return
        with transaction(connection):
            if connection.execute(question).fetchone()[0]:
                return  # another process was faster
            self._fill(Writer(connection))
            connection.execute("UPDATE job_meta SET value = 1 WHERE key = 'rebuilt'")
