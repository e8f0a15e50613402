"""The index as a file: opening, migrations, transactions, replaced and damaged files.

Every store reaches its tables through a :class:`Database`. Knows how to migrate tables, not their
contents.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.errors import Unavailable

__all__ = ["Database", "IndexFailure", "Schema", "is_sound", "transaction"]

_BUSY_TIMEOUT_S: Final = 10.0
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FILES: Final = ("", "-wal", "-shm")


class IndexFailure(Unavailable):
    """The index cannot be used: its disk is full, read-only or gone, or it remains locked."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one store: its name and its migrations, oldest first.

    Migration N (counted from 1) takes the store from version N-1 to N; a migration that has been
    released is never edited.
    """

    name: str
    migrations: tuple[str, ...]


class Database:
    """One store's connection to the index; its methods are for one thread at a time.

    A deleted or replaced file is detected at the next use and reopened; a damaged one is moved
    aside first. Any use may raise ``IndexFailure``.
    """

    def __init__(
        self, path: Path, schemas: Sequence[Schema], *, pragmas: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.opened = 0
        """How often a file was opened: a new count means that it may be a different file."""
        self._schemas = schemas
        self._pragmas = pragmas
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection; other threads wait until it is returned."""
        with self._lock:
            try:
                yield self._current()
            except sqlite3.Error as error:
                if _is_damage(error):
                    self.close()
                    self._put_aside()
                raise IndexFailure(
                    f"The index {self.path} cannot be used: {error}. Is its disk full or read-only?"
                ) from error
            except OSError as error:
                if not self._is_about(error):
                    raise
                raise IndexFailure(f"The index cannot be used: {error}.") from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for one write transaction."""
        with self.connection() as connection, transaction(connection):
            yield connection

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _current(self) -> sqlite3.Connection:
        known = self._connection
        if known is not None and (known.in_transaction or self._file == _file_identity(self.path)):
            return known
        self.close()
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._put_aside()
            self._connection = self._open()
        self._file = _file_identity(self.path)
        self.opened += 1
        return self._connection

    def _open(self) -> sqlite3.Connection:
        connection = _open_index(self.path, self._schemas)
        for pragma in self._pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _is_about(self, error: OSError) -> bool:
        """Tell whether an error concerns the index, a file beside it, or a folder above it."""
        if error.filename is None:
            return False
        there = Path(str(error.filename))
        return there.parent == self.path.parent or self.path.is_relative_to(there)

    def _put_aside(self) -> None:
        with _alone(self.path.with_suffix(".lock")):
            if is_sound(self.path):
                return  # another process was faster
            stamp = f"{time.time():.0f}"
            for suffix in _FILES:
                damaged = self.path.with_name(self.path.name + suffix)
                with suppress(FileNotFoundError):
                    damaged.rename(self.path.with_name(f"damaged-{stamp}-{damaged.name}"))


def is_sound(path: Path) -> bool:
    """Tell whether the file at ``path`` is an intact database; reads all of it."""
    try:
        connection = sqlite3.connect(path)
        try:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return False


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


def _open_index(path: Path, schemas: Sequence[Schema]) -> sqlite3.Connection:
    """Open the index at ``path``, creating and migrating it as needed.

    The connection is in autocommit mode; write through :func:`transaction`. Raises
    ``sqlite3.DatabaseError`` when the file is not a database, and ``IndexFailure`` when it was
    written by a newer release.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # prompts and notes are private; SQLite's other files follow
    connection = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        _migrate(connection, schemas)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run a block as one write transaction: committed whole, or rolled back on any exception."""
    try:
        connection.execute("BEGIN IMMEDIATE")  # Ctrl+C may come as soon as it has begun
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise


def _migrate(connection: sqlite3.Connection, schemas: Sequence[Schema]) -> None:
    versions = _versions(connection)
    if all(versions.get(schema.name) == len(schema.migrations) for schema in schemas):
        return
    with transaction(connection):
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_version "
            "(name TEXT PRIMARY KEY, version INTEGER NOT NULL)"
        )
        versions = _versions(connection)
        for schema in schemas:
            reached = versions.get(schema.name, 0)
            if reached > len(schema.migrations):
                raise IndexFailure(
                    f"The index was written by a newer release ({schema.name} version {reached}); "
                    "update the workbench, or point WORKBENCH_INDEX at another file."
                )
            for migration in schema.migrations[reached:]:
                for statement in _statements(migration):
                    connection.execute(statement)
            connection.execute(
                "INSERT INTO schema_version VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                (schema.name, len(schema.migrations)),
            )


def _versions(connection: sqlite3.Connection) -> dict[str, int]:
    known = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"
    ).fetchone()
    if known is None:
        return {}
    return dict(connection.execute("SELECT name, version FROM schema_version").fetchall())


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the open transaction first; statements are split here instead.
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending
