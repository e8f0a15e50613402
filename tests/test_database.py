"""Both stores recover when their file is deleted, replaced, put aside or damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from workbench.database import Database, IndexFailure, Schema
from workbench.identifiers import Kind, new_identifier
from workbench.jobs.store import Index, Ledger
from workbench.prompts.store import PromptStore

Use = Callable[[], None]


def _of_jobs(path: Path) -> tuple[Use, Callable[[], None]]:
    index = Index(path)

    def use() -> None:
        with index.write() as writer:
            Ledger(1).waiting(writer, 1)
            _ = writer.revision

    return use, index.close


def _of_prompts(path: Path) -> tuple[Use, Callable[[], None]]:
    store = PromptStore(path)

    def use() -> None:
        session_id = new_identifier(Kind.SESSION)
        store.create(session_id, datetime.now(UTC))
        assert store.created_at(session_id) is not None

    return use, store.close


STORES = {"jobs": _of_jobs, "prompts": _of_prompts}


@pytest.fixture(params=STORES)
def use(request: pytest.FixtureRequest, path: Path) -> Iterator[Use]:
    """Write to one of the stores; raise if it cannot be used."""
    use, close = STORES[request.param](path)
    use()
    yield use
    close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite3"


def _files(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]


def _tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM schema_version")}
    finally:
        connection.close()


def test_a_store_whose_file_was_deleted_creates_a_new_one(use: Use, path: Path) -> None:
    for file in _files(path):
        file.unlink(missing_ok=True)
    use()
    assert len(_tables(path)) == 1


def test_a_store_whose_file_was_replaced_writes_to_the_new_one(use: Use, path: Path) -> None:
    aside = path.parent / "aside"
    aside.mkdir()
    for file in _files(path):
        if file.exists():
            file.rename(aside / file.name)
    Database(path, [Schema("other", ("CREATE TABLE other (x);",))]).close()
    before = (aside / path.name).stat().st_size
    use()
    assert len(_tables(path)) == 1
    assert (aside / path.name).stat().st_size == before


@pytest.mark.parametrize("name", STORES)
def test_a_store_puts_a_damaged_file_aside_and_continues(name: str, path: Path) -> None:
    use, close = STORES[name](path)
    use()
    close()
    path.write_bytes(b"no database " * 2_000)
    use()
    close()
    assert len(_tables(path)) == 1
    assert list(path.parent.glob("damaged-*"))


@pytest.mark.parametrize("name", STORES)
def test_a_store_locked_by_another_process_is_reported(
    name: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.database._BUSY_TIMEOUT_S", 0.1)
    use, close = STORES[name](path)
    use()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(IndexFailure, match="locked"):
            use()
    finally:
        other.close()
    use()
    close()


class _Interruptible(sqlite3.Connection):
    """Raises what Ctrl+C raises as soon as the next transaction has begun."""

    interrupted = False

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        cursor = super().execute(sql, *values)
        if self.interrupted and sql.startswith("BEGIN"):
            self.interrupted = False
            raise KeyboardInterrupt
        return cursor


def test_an_index_interrupted_as_a_transaction_begins_can_still_be_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=_Interruptible))
    index = Index(path)
    with index.read() as connection:
        assert isinstance(connection, _Interruptible)
    for begin in (index.read, index.write):
        connection.interrupted = True
        with pytest.raises(KeyboardInterrupt), begin():
            pass
        assert not connection.in_transaction
        with index.write() as writer:
            _ = writer.revision
    index.close()


def test_an_index_of_a_newer_release_is_refused_with_what_to_do(path: Path) -> None:
    newer = Database(path, [Schema("mine", ("CREATE TABLE a (x);", "CREATE TABLE b (x);"))])
    with newer.writing():
        pass
    newer.close()
    older = Database(path, [Schema("mine", ("CREATE TABLE a (x);",))])
    with pytest.raises(IndexFailure, match="newer release"), older.connection():
        pass
