"""Opens the index: WAL, pragmas, migrations. Knows how tables grow, not what they hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Schema", "open_index", "transaction"]

_BUSY_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one store: its name and its migrations, oldest first.

    Migration N (counted from 1) takes the store from version N-1 to N; a migration that has been
    released is never edited.
    """

    name: str
    migrations: tuple[str, ...]


def open_index(
    path: Path, schemas: Sequence[Schema], *, check_same_thread: bool = True
) -> sqlite3.Connection:
    """Open the index at ``path``, creating and migrating it as needed.

    The connection is in autocommit mode; write through :func:`transaction`. Raises
    ``sqlite3.DatabaseError`` when the file is not a database, and ``RuntimeError`` when it was
    written by a newer release.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=check_same_thread,
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
    connection.execute("BEGIN IMMEDIATE")
    try:
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
                raise RuntimeError(
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
