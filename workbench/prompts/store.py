"""Stores sessions, entries and language-model exchanges in the index. Contains all SQL of it."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from workbench.actions.render_settings import RenderSettings
from workbench.database import Database, Schema
from workbench.prompts.model import Entry, Exchange, SessionSummary, Turn
from workbench.prompts.rows import (
    entry_in,
    moment,
    numbered,
    row_of,
    settings_row,
    turn_in,
    turn_row,
)

__all__ = ["LAST", "SCHEMA", "Pointer", "PromptStore"]

LAST: Final = -1
"""As a pointer's head: the last of the entries being added."""

SCHEMA: Final = Schema(
    "prompts",
    (
        """
        CREATE TABLE prompt_session (
            session_id TEXT PRIMARY KEY,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            entry_count INTEGER NOT NULL DEFAULT 0,
            title TEXT NOT NULL DEFAULT '',
            head INTEGER,
            redo TEXT NOT NULL DEFAULT '[]'
        ) WITHOUT ROWID;
        CREATE INDEX prompt_session_by_use ON prompt_session (updated_at DESC);
        CREATE TABLE prompt_entry (
            session_id TEXT NOT NULL REFERENCES prompt_session (session_id) ON DELETE CASCADE,
            entry_index INTEGER NOT NULL,
            kind TEXT NOT NULL,
            prompt TEXT NOT NULL,
            scene TEXT NOT NULL,
            parent INTEGER,
            changes TEXT NOT NULL,
            provider TEXT NOT NULL,
            created_at REAL NOT NULL,
            request TEXT NOT NULL,
            is_fallback INTEGER NOT NULL,
            source TEXT NOT NULL,
            message TEXT NOT NULL,
            restores INTEGER,
            PRIMARY KEY (session_id, entry_index)
        ) WITHOUT ROWID;
        CREATE TABLE prompt_entry_job (
            session_id TEXT NOT NULL,
            entry_index INTEGER NOT NULL,
            position INTEGER NOT NULL,
            job_id TEXT NOT NULL,
            PRIMARY KEY (session_id, entry_index, position),
            FOREIGN KEY (session_id, entry_index)
                REFERENCES prompt_entry (session_id, entry_index) ON DELETE CASCADE
        ) WITHOUT ROWID;
        CREATE TABLE prompt_exchange (
            session_id TEXT NOT NULL,
            entry_index INTEGER NOT NULL,
            position INTEGER NOT NULL,
            content TEXT NOT NULL,
            PRIMARY KEY (session_id, entry_index, position),
            FOREIGN KEY (session_id, entry_index)
                REFERENCES prompt_entry (session_id, entry_index) ON DELETE CASCADE
        ) WITHOUT ROWID;
        """,
        """
        ALTER TABLE prompt_entry ADD COLUMN actions TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE prompt_entry ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE prompt_entry ADD COLUMN starred INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE prompt_turn (
            session_id TEXT NOT NULL REFERENCES prompt_session (session_id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            request TEXT NOT NULL,
            actions TEXT NOT NULL,
            message TEXT NOT NULL,
            entry_index INTEGER,
            created_at REAL NOT NULL,
            PRIMARY KEY (session_id, position)
        ) WITHOUT ROWID;
        """,
        """
        ALTER TABLE prompt_session ADD COLUMN language TEXT NOT NULL DEFAULT '';
        """,
        """
        ALTER TABLE prompt_session ADD COLUMN name TEXT NOT NULL DEFAULT '';
        ALTER TABLE prompt_session ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE prompt_session ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE prompt_session ADD COLUMN deleted_at REAL;
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """The current position of a session: its current entry, and what a redo would restore."""

    head: int | None = None
    redo: tuple[int, ...] = ()


class PromptStore:
    """The prompt tables of one index; safe to use from several threads. Opened on first use."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, [SCHEMA])

    def close(self) -> None:
        """Close the index; it reopens on use."""
        self._database.close()

    def create(self, session_id: str, created_at: datetime) -> None:
        """Add a session without prompts."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO prompt_session (session_id, created_at, updated_at) VALUES (?, ?, ?)",
                (session_id, created_at.timestamp(), created_at.timestamp()),
            )

    def created_at(self, session_id: str) -> datetime | None:
        """Return when the session began, or None for an unknown session."""
        row = self._one(
            "SELECT created_at FROM prompt_session WHERE session_id = ? AND deleted_at IS NULL",
            session_id,
        )
        return None if row is None else moment(row["created_at"])

    def language(self, session_id: str) -> str:
        """Return the language model chosen for the session, as JSON; empty for none."""
        row = self._one("SELECT language FROM prompt_session WHERE session_id = ?", session_id)
        return "" if row is None else str(row["language"])

    def set_language(self, session_id: str, choice: str) -> None:
        """Store the language model chosen for the session; empty means the default."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE prompt_session SET language = ? WHERE session_id = ?", (choice, session_id)
            )

    def append(
        self,
        session_id: str,
        entries: Sequence[Entry],
        exchanges: Sequence[Sequence[Exchange]] = (),
        *,
        pointer: Pointer | None = None,
        restores: Sequence[int | None] = (),
    ) -> tuple[Entry, ...]:
        """Append ``entries`` to the session, renumbered, and return them as stored.

        ``pointer`` is the new position of the session; ``restores`` names for each entry the
        earlier one that it repeats. All is written in one transaction.
        """
        if not entries:
            return ()
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT entry_count, title FROM prompt_session WHERE session_id = ?", (session_id,)
            ).fetchone()
            first = int(row["entry_count"])
            stored = tuple(numbered(e, first + i) for i, e in enumerate(entries))
            connection.executemany(
                f"INSERT INTO prompt_entry VALUES ({', '.join('?' * 17)})",  # noqa: S608  marks alone
                [
                    row_of(session_id, entry, copied)
                    for entry, copied in itertools.zip_longest(stored, restores)
                ],
            )
            for entry, said in zip(stored, exchanges, strict=False):
                _write_exchanges(connection, session_id, entry.index, said)
            for entry in stored:
                _write_jobs(connection, session_id, entry.index, entry.job_ids)
            title = row["title"] or (stored[0].request or stored[0].prompt)[:200]
            connection.execute(
                "UPDATE prompt_session SET entry_count = ?, title = ?, updated_at = ? WHERE session_id = ?",
                (first + len(stored), title, datetime.now(UTC).timestamp(), session_id),
            )
            if pointer is not None:
                head = stored[-1].index if pointer.head == LAST else pointer.head
                connection.execute(
                    "UPDATE prompt_session SET head = ?, redo = ? WHERE session_id = ?",
                    (head, json.dumps(pointer.redo), session_id),
                )
        return stored

    def pointer(self, session_id: str) -> Pointer:
        """Return the current position of the session."""
        row = self._one("SELECT head, redo FROM prompt_session WHERE session_id = ?", session_id)
        return Pointer() if row is None else Pointer(row["head"], tuple(json.loads(row["redo"])))

    def entry(self, session_id: str, index: int) -> Entry | None:
        """Return one entry, or None."""
        found = self._entries("AND e.entry_index = ?", session_id, index)
        return found[0] if found else None

    def restored_by(self, session_id: str, index: int) -> int:
        """Return the entry that the one at ``index`` repeats after undo or redo, else itself."""
        row = self._one(
            "SELECT restores FROM prompt_entry WHERE session_id = ? AND entry_index = ?",
            session_id,
            index,
        )
        return index if row is None or row["restores"] is None else int(row["restores"])

    def restorations(self, session_id: str) -> dict[int, int]:
        """Return the earlier entry for each entry made by undo, redo or starting over."""
        with self._database.connection() as connection:
            rows = connection.execute(
                "SELECT entry_index, restores FROM prompt_entry "
                "WHERE session_id = ? AND restores IS NOT NULL",
                (session_id,),
            ).fetchall()
        return {row["entry_index"]: row["restores"] for row in rows}

    def entries(
        self, session_id: str, *, limit: int | None = None, after: int | None = None
    ) -> tuple[Entry, ...]:
        """Return at most ``limit`` entries after index ``after``, in order."""
        return self._entries(
            "AND e.entry_index > ? ORDER BY e.entry_index LIMIT ?",
            session_id,
            -1 if after is None else after,
            -1 if limit is None else limit,
        )

    def newest(self, session_id: str, limit: int) -> tuple[Entry, ...]:
        """Return the last ``limit`` entries, the newest first."""
        return self._entries("ORDER BY e.entry_index DESC LIMIT ?", session_id, limit)

    def find(self, session_id: str, prompt: str) -> Entry | None:
        """Return the newest entry whose text is ``prompt``, or None."""
        found = self._entries(
            "AND e.prompt = ? ORDER BY e.entry_index DESC LIMIT 1", session_id, prompt
        )
        return found[0] if found else None

    def prompts(self, session_id: str) -> frozenset[str]:
        """Return the texts of all entries."""
        with self._database.connection() as connection:
            rows = connection.execute(
                "SELECT DISTINCT prompt FROM prompt_entry WHERE session_id = ?", (session_id,)
            ).fetchall()
        return frozenset(row["prompt"] for row in rows)

    def link_jobs(self, session_id: str, index: int, job_ids: Sequence[str]) -> None:
        """Add ``job_ids`` to the jobs rendered from the entry."""
        with self._database.writing() as connection:
            _write_jobs(connection, session_id, index, job_ids)

    def star(self, session_id: str, index: int, *, starred: bool) -> None:
        """Mark or unmark the entry as a favourite."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE prompt_entry SET starred = ? WHERE session_id = ? AND entry_index = ?",
                (int(starred), session_id, index),
            )

    def keep_settings(self, session_id: str, settings: Mapping[int, RenderSettings]) -> None:
        """Store render settings by entry index."""
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE prompt_entry SET settings = ? WHERE session_id = ? AND entry_index = ?",
                [(settings_row(one), session_id, index) for index, one in settings.items()],
            )

    def add_turn(self, session_id: str, turn: Turn) -> None:
        """Add a request and its result to the session's dialogue."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO prompt_turn SELECT ?, coalesce(max(position), -1) + 1, ?, ?, ?, ?, ? "
                "FROM prompt_turn WHERE session_id = ?",
                (session_id, *turn_row(turn), session_id),
            )

    def turns(self, session_id: str, limit: int) -> tuple[Turn, ...]:
        """Return the last ``limit`` turns of the session's dialogue, oldest first."""
        with self._database.connection() as connection:
            rows = connection.execute(
                "SELECT * FROM prompt_turn WHERE session_id = ? ORDER BY position DESC LIMIT ?",
                (session_id, limit),
            ).fetchall()
        return tuple(turn_in(row) for row in reversed(rows))

    def has_answered(self, session_id: str, text: str) -> bool:
        """Tell whether an answer of the session's dialogue contains ``text``."""
        query = (
            "SELECT 1 AS found FROM prompt_turn WHERE session_id = ? AND instr(message, ?) LIMIT 1"
        )
        return self._one(query, session_id, text) is not None

    def add_exchanges(self, session_id: str, index: int, said: Sequence[Exchange]) -> None:
        """Append language-model exchanges to those of an entry."""
        with self._database.writing() as connection:
            (first,) = connection.execute(
                "SELECT count(*) FROM prompt_exchange WHERE session_id = ? AND entry_index = ?",
                (session_id, index),
            ).fetchone()
            _write_exchanges(connection, session_id, index, said, first=first)

    def exchanges(self, session_id: str, index: int) -> tuple[Exchange, ...]:
        """Return the language-model exchanges for the entry, in order."""
        with self._database.connection() as connection:
            rows = connection.execute(
                "SELECT content FROM prompt_exchange WHERE session_id = ? AND entry_index = ? ORDER BY position",
                (session_id, index),
            ).fetchall()
        return tuple(Exchange(**json.loads(row["content"])) for row in rows)

    def label(
        self,
        session_id: str,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        archived: bool | None = None,
    ) -> None:
        """Set the name, the tags or the archive mark of a session; None changes nothing."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE prompt_session SET name = coalesce(?, name), tags = coalesce(?, tags), "
                "archived = coalesce(?, archived) WHERE session_id = ?",
                (name, None if tags is None else json.dumps(list(tags)), archived, session_id),
            )

    def delete(self, session_id: str, deleted_at: float) -> None:
        """Hide a session until :meth:`undelete` or :meth:`forget`."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE prompt_session SET deleted_at = ? WHERE session_id = ?",
                (deleted_at, session_id),
            )

    def undelete(self, session_id: str) -> float | None:
        """Restore a deleted session; return when it was deleted, None if it was not."""
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT deleted_at FROM prompt_session WHERE session_id = ?", (session_id,)
            ).fetchone()
            connection.execute(
                "UPDATE prompt_session SET deleted_at = NULL WHERE session_id = ?", (session_id,)
            )
        return None if row is None else row["deleted_at"]

    def forget(self, before: float) -> None:
        """Permanently remove the sessions deleted before this time."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM prompt_session WHERE deleted_at < ?", (before,))

    def summaries(
        self,
        limit: int,
        *,
        query: str = "",
        archived: bool | None = None,
        among: Sequence[str] | None = None,
    ) -> tuple[SessionSummary, ...]:
        """Return the last used sessions that have a prompt, newest first.

        ``query`` is part of a name, a tag or a prompt; ``archived`` filters by the archive mark.
        """
        like = "%" + re.sub(r"([%_\\])", r"\\\1", query.strip()) + "%"
        with self._database.connection() as connection:
            rows = connection.execute(
                "SELECT * FROM prompt_session AS s WHERE entry_count > 0 AND deleted_at IS NULL "
                "AND (:archived IS NULL OR archived = :archived) "
                "AND (:among IS NULL OR session_id IN (SELECT value FROM json_each(:among))) "
                "AND (:query = '' OR name LIKE :like ESCAPE '\\' OR title LIKE :like ESCAPE '\\' "
                "OR tags LIKE :like ESCAPE '\\' OR EXISTS (SELECT 1 FROM prompt_entry AS e "
                "WHERE e.session_id = s.session_id AND e.prompt LIKE :like ESCAPE '\\')) "
                "ORDER BY updated_at DESC, session_id DESC LIMIT :limit",
                {
                    "limit": limit,
                    "archived": archived,
                    "query": query.strip(),
                    "like": like,
                    "among": None if among is None else json.dumps(list(among)),
                },
            ).fetchall()
        return tuple(
            SessionSummary(
                row["session_id"],
                moment(row["created_at"]),
                moment(row["updated_at"]),
                row["entry_count"],
                row["title"],
                row["name"],
                tuple(json.loads(row["tags"])),
                bool(row["archived"]),
            )
            for row in rows
        )

    def _one(self, statement: str, *values: object) -> sqlite3.Row | None:
        with self._database.connection() as connection:
            row: sqlite3.Row | None = connection.execute(statement, values).fetchone()
        return row

    def _entries(self, condition: str, session_id: str, *values: object) -> tuple[Entry, ...]:
        with self._database.connection() as connection:
            rows = connection.execute(  # the condition is a literal of this module
                "SELECT e.*, (SELECT json_group_array(job_id) FROM (SELECT job_id FROM "  # noqa: S608
                "prompt_entry_job j WHERE j.session_id = e.session_id AND "
                "j.entry_index = e.entry_index ORDER BY j.position)) AS job_ids "
                f"FROM prompt_entry e WHERE e.session_id = ? {condition}",
                (session_id, *values),
            ).fetchall()
        return tuple(entry_in(row) for row in rows)


def _write_jobs(
    connection: sqlite3.Connection, session_id: str, index: int, job_ids: Sequence[str]
) -> None:
    known = [
        row["job_id"]
        for row in connection.execute(
            "SELECT job_id FROM prompt_entry_job WHERE session_id = ? AND entry_index = ? ORDER BY position",
            (session_id, index),
        )
    ]
    fresh = [job_id for job_id in dict.fromkeys(job_ids) if job_id not in known]
    connection.executemany(
        "INSERT INTO prompt_entry_job VALUES (?, ?, ?, ?)",
        [(session_id, index, len(known) + i, job_id) for i, job_id in enumerate(fresh)],
    )


def _write_exchanges(
    connection: sqlite3.Connection,
    session_id: str,
    index: int,
    said: Sequence[Exchange],
    first: int = 0,
) -> None:
    connection.executemany(
        "INSERT INTO prompt_exchange VALUES (?, ?, ?, ?)",
        [
            (session_id, index, position, json.dumps(asdict(exchange), ensure_ascii=False))
            for position, exchange in enumerate(said, start=first)
        ],
    )
