"""The SQL of one page of a listing: filters, order and cursor."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from workbench.errors import InvalidRequest
from workbench.identifiers import is_identifier
from workbench.jobs.model import JobState, ScoreBounds

__all__ = ["Listing"]

_COUNTED: Final = 1_000
"""Matches are counted up to here, to limit the cost."""
_LAST_SEQ: Final = 10**18


@dataclass(frozen=True, slots=True)
class Listing:
    """The filters of a listing. Values are bound, never written into a statement."""

    state: JobState | None = None
    query: str = ""
    """Words of the prompt, the last possibly a prefix; or the id of a job or batch."""
    session_id: str | None = None
    sort: str = ""
    """The name of a score: lowest first, or highest first with a leading ``-``; empty: by age."""
    bounds: Mapping[str, ScoreBounds] = field(default_factory=dict)

    def page(
        self, connection: sqlite3.Connection, cursor: str | None, limit: int
    ) -> tuple[list[int], str | None]:
        """Return the ``seq`` of up to ``limit`` jobs in order, and the cursor of the next page.

        Raises ``InvalidRequest`` for an invalid cursor.
        """
        values: dict[str, object] = {"limit": limit + 1}
        if self.sort:
            statement = self._sorted_page(cursor, values)
        else:
            statement = self._aged_page(cursor, values)
        rows = connection.execute(statement, values).fetchall()
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = f"{last['value']!r}:{last['seq']}" if self.sort else str(last["seq"])
        return [row["seq"] for row in rows[:limit]], following

    def count(self, connection: sqlite3.Connection) -> int:
        """Return the number of jobs on all pages; at most 1,000 for a search."""
        values: dict[str, object] = {}
        if self.state is None and not (self.query or self.session_id or self._measured):
            statement = "SELECT sum(count) FROM job_tallies"
        elif self.query or self.session_id or self._measured:
            where = self._where(values)
            capped = f"LIMIT {_COUNTED}" if self._is_search else ""
            statement = f"SELECT count(*) FROM (SELECT 1 FROM {where} {capped})"  # noqa: S608
        else:
            statement = "SELECT sum(count) FROM job_tallies WHERE state = :state"
            values["state"] = str(self.state)
        (total,) = connection.execute(statement, values).fetchone()
        return int(total)

    @property
    def _measured(self) -> bool:
        return bool(self.sort or self.bounds)

    @property
    def _is_search(self) -> bool:
        return self._measured or (bool(self.query) and not is_identifier(self.query))

    def _aged_page(self, cursor: str | None, values: dict[str, object]) -> str:
        if cursor is not None and not re.fullmatch(r"[0-9]{1,18}", cursor):
            raise _no_cursor(cursor)
        values["cursor"] = int(cursor or _LAST_SEQ)
        where = self._where(values)
        seq = "rowid" if where.startswith("jobs_text") else "seq"
        return (
            f"SELECT {seq} AS seq FROM {where} AND {seq} < :cursor "  # noqa: S608
            f"ORDER BY {seq} DESC LIMIT :limit"
        )

    def _sorted_page(self, cursor: str | None, values: dict[str, object]) -> str:
        falling = self.sort.startswith("-")
        sign, order = ("<", "DESC") if falling else (">", "ASC")
        values["sort"] = self.sort.removeprefix("-")
        after = ""
        if cursor is not None:
            values["value"], values["cursor"] = _read(cursor)
            after = f"AND (value, job_scores.seq) {sign} (:value, :cursor) "
        where = self._where(values)
        return (
            f"SELECT value, job_scores.seq AS seq FROM job_scores WHERE name = :sort {after}"  # noqa: S608
            f"AND EXISTS (SELECT 1 FROM {where} AND {_joined(where)} = job_scores.seq) "
            f"ORDER BY value {order}, job_scores.seq {order} LIMIT :limit"
        )

    def _where(self, values: dict[str, object]) -> str:
        """Return a table and the conditions on it."""
        conditions = ["preview_of IS NULL"]
        if self.state is not None:
            conditions.append("state = :state")
            values["state"] = str(self.state)
        if self.session_id is not None:
            conditions.append("session_id = :session")
            values["session"] = self.session_id
        if self.sort:
            conditions.append(_having("sorted", None, None))
            values["name_sorted"] = self.sort.removeprefix("-")
        for number, (name, (low, high)) in enumerate(self.bounds.items()):
            conditions.append(_having(str(number), low, high))
            values[f"name_{number}"] = name
            values |= {f"low_{number}": low, f"high_{number}": high}
        if self.query and is_identifier(self.query):
            conditions.append("(job_id = :query OR batch_id = :query)")
            values["query"] = self.query
        elif self.query:
            return self._matching(conditions, values)
        return f"jobs WHERE {' AND '.join(conditions)}"

    def _matching(self, conditions: list[str], values: dict[str, object]) -> str:
        """Search by words. Only rows that match are looked up."""
        words = re.findall(r"[^\W_]+", self.query)
        values["query"] = " ".join(
            [*(f'"{word}"' for word in words[:-1]), *(f'"{word}"*' for word in words[-1:])]
        )
        where = f"jobs_text WHERE {'jobs_text MATCH :query' if words else '0'}"
        if len(conditions) > 1:  # the search table holds no previews
            met = " AND ".join(["jobs.seq = jobs_text.rowid", *conditions])
            where += f" AND EXISTS (SELECT 1 FROM jobs WHERE {met})"  # noqa: S608
        return where


def _having(number: str, low: float | None, high: float | None) -> str:
    limits = f"AND value >= :low_{number} " if low is not None else ""
    limits += f"AND value <= :high_{number} " if high is not None else ""
    return (
        f"EXISTS (SELECT 1 FROM job_scores AS s{number} WHERE s{number}.seq = jobs.seq "  # noqa: S608
        f"AND s{number}.name = :name_{number} {limits})"
    )


def _joined(where: str) -> str:
    return "jobs_text.rowid" if where.startswith("jobs_text") else "jobs.seq"


def _read(cursor: str) -> tuple[float, int]:
    value, _, seq = cursor.partition(":")
    try:
        found = float(value)
    except ValueError:
        raise _no_cursor(cursor) from None
    if not math.isfinite(found) or not re.fullmatch(r"[0-9]{1,18}", seq):
        raise _no_cursor(cursor)
    return found, int(seq)


def _no_cursor(cursor: str) -> InvalidRequest:
    return InvalidRequest(f"{cursor!r} is not a cursor of this listing.")
