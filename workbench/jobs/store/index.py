"""One connection to the index: transactions, revisions, and what to do when the file goes bad.

Knows nothing of what the tables mean.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from workbench.database import open_index, transaction
from workbench.errors import Unavailable
from workbench.jobs.store.schema import SCHEMA

__all__ = ["Index", "IndexFailure", "Writer"]

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CACHE_KIB: Final = 8_192
_FILES: Final = ("", "-wal", "-shm")


class IndexFailure(Unavailable):
    """The index cannot be used: its disk is full, read-only or gone, or it stays locked."""


@dataclass(slots=True)
class Writer:
    """One write transaction; all that it changes shares one revision."""

    connection: sqlite3.Connection
    now: float = field(default_factory=time.time)
    _revision: int = 0

    @property
    def revision(self) -> int:
        """The revision of this transaction; asking for it makes it one."""
        if not self._revision:
            (self._revision,) = self.connection.execute(
                "UPDATE job_meta SET value = value + 1 WHERE key = 'revision' RETURNING value"
            ).fetchone()
        return self._revision

    def execute(self, statement: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, parameters)


class Index:
    """The index of one outputs/ folder, as one process sees it; thread-safe.

    Any use may raise ``IndexFailure``.

    A file that was deleted or replaced is opened anew at the next use; one that is damaged is put
    aside first. A new one is filled once, by whoever comes first.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self.path = path
        self._lock_path = lock_path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._fill: Callable[[Writer], int] | None = None
        self._opened = 0

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for reading, as one consistent view."""
        with self._lock, self._damage_noted():
            connection = self._current()
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                with suppress(sqlite3.OperationalError):
                    connection.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """Lend one write transaction: durable when the block ends, undone if it raises."""
        with self._lock, self._damage_noted(), transaction(self._current()) as connection:
            yield Writer(connection)

    def when_fresh(self, fill: Callable[[Writer], int]) -> None:
        """Have a new index filled by ``fill`` whenever one has to be made."""
        self._fill = fill

    def revision(self) -> int:
        """Return the revision of the latest change."""
        with self._lock, self._damage_noted():
            row = (
                self._current()
                .execute("SELECT value FROM job_meta WHERE key = 'revision'")
                .fetchone()
            )
            return int(row[0])

    def version(self) -> tuple[int, int, int]:
        """Return what differs once anyone has written; cheaper than reading a revision."""
        with self._lock, self._damage_noted():
            connection = self._current()
            (data,) = connection.execute("PRAGMA data_version").fetchone()
            return self._opened, int(data), connection.total_changes

    @property
    def opened(self) -> int:
        """How often the file was opened: a new count means that it may be another one."""
        return self._opened

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the index, as far as readers allow."""
        with self._lock, self._damage_noted():
            self._current().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def fault(self) -> str:
        """Return what is wrong with the file, or an empty string; looks at all of it."""
        return "" if _is_sound(self.path) else f"{self.path.name} is damaged"

    def refill(self) -> None:
        """Forget every job and batch and learn them again from the folders; stars are kept.

        What others keep in the same file, such as prompt sessions, is left alone.
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
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _current(self) -> sqlite3.Connection:
        if self._connection is not None and self._file == _file_identity(self.path):
            return self._connection
        self.close()
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._put_aside()
            self._connection = self._open()
        self._file = _file_identity(self.path)
        self._opened += 1
        try:
            self._fill_once(self._connection)
        except BaseException:
            self.close()
            raise
        return self._connection

    def _open(self) -> sqlite3.Connection:
        connection = open_index(self.path, [SCHEMA], check_same_thread=False)
        # A submitted job must outlive a power cut; the price is one fsync a transaction.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return connection

    def _fill_once(self, connection: sqlite3.Connection) -> None:
        question = "SELECT value FROM job_meta WHERE key = 'rebuilt'"
        if self._fill is None or connection.execute(question).fetchone()[0]:
            return
        with transaction(connection):
            if connection.execute(question).fetchone()[0]:
                return  # another process was faster
            self._fill(Writer(connection))
            connection.execute("UPDATE job_meta SET value = 1 WHERE key = 'rebuilt'")

    @contextmanager
    def _damage_noted(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if _is_damage(error):
                self.close()
                self._put_aside()
            problem = (
                f"The index {self.path} cannot be used: {error}. Is its disk full or read-only?"
            )
            raise IndexFailure(problem) from error
        except OSError as error:
            if not self._is_about(error):
                raise
            raise IndexFailure(f"The index cannot be used: {error}.") from error

    def _is_about(self, error: OSError) -> bool:
        """Tell whether an error is about the index, a file beside it, or a folder that it lies in."""
        if error.filename is None:
            return False
        there = Path(str(error.filename))
        return there.parent == self.path.parent or self.path.is_relative_to(there)

    def _put_aside(self) -> None:
        with _alone(self._lock_path):
            if _is_sound(self.path):
                return  # another process was faster
            stamp = f"{time.time():.0f}"
            for suffix in _FILES:
                damaged = self.path.with_name(self.path.name + suffix)
                with suppress(FileNotFoundError):
                    damaged.rename(self.path.with_name(f"damaged-{stamp}-{damaged.name}"))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep every other process out for the length of a block."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _file_identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  asked before every use: Path.stat costs twice as much
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _is_sound(path: Path) -> bool:
    try:
        connection = sqlite3.connect(path)
        try:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return False
