"""A worker actor separates its renders' files for any order of messages. Loads no Ray."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.jobs.cluster.staging import Staging, write_part
from workbench.jobs.cluster.worker_actor import WorkerActor
from workbench.jobs.messages import Message, Render
from workbench.jobs.processes import Identity, identify


class Deaf:
    """A worker pool of one that accepts every order and reports nothing."""

    def __init__(self, selector: object) -> None:
        self.told: list[Message] = []

    def start(self, slot: object) -> Identity | None:
        return identify(os.getpid())

    def tell(self, slot_name: str, message: Message) -> None:
        self.told.append(message)

    def end(self, slot_name: str, *, at_once: bool) -> None: ...

    def close(self) -> None: ...

    def events(self) -> list[Any]:
        return []


@pytest.fixture
def staging() -> Iterator[Staging]:
    staging = Staging()
    yield staging
    staging.remove()


def _render(job_id: str, attempt: int = 1) -> Render:
    return Render(job_id, attempt, {}, "/at/home")


def test_a_render_that_starts_before_the_previous_is_released_keeps_its_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))

    actor = WorkerActor("cpu", absence_s=3_600.0, vacancy_s=3_600.0)
    pool = Deaf(None)
    actor._pool = pool  # type: ignore[assignment]

    async def go() -> None:
        await actor.open("me", {})
        await actor.send("me", _render("j_first"))
        await actor.bring("me", "picture.png", 0, b"for the second")
        await actor.send("me", _render("j_second"))
        await actor.release("me", "j_first", 1)  # late
        await actor.send("me", _render("j_third"))
        await actor.send("me", _render("j_third", 2))
        await actor.release("me", "j_third", 1)  # late, and restarted since

    asyncio.run(go())
    folders = [Path(message.folder) for message in pool.told if isinstance(message, Render)]
    assert [(folder.name, folder.is_dir()) for folder in folders] == [
        ("j_first", False), ("j_second", True), ("j_third", True), ("j_third", True),
    ]  # fmt: skip
    brought = actor._staging.inputs / "picture.png"
    assert brought.read_bytes() == b"for the second"
    actor._staging.remove()


def test_a_renders_inputs_are_removed_with_it(staging: Staging) -> None:
    write_part(staging.expect("first.png"), 0, b"one")
    write_part(staging.expect("both.png"), 0, b"before")
    staging.begin("j_first")
    write_part(staging.expect("both.png"), 0, b"be")
    write_part(staging.expect("both.png"), 2, b"hind")
    staging.begin("j_second")
    staging.forget("j_first")
    assert [path.name for path in staging.inputs.iterdir()] == ["both.png"]
    assert (staging.inputs / "both.png").read_bytes() == b"behind"
    staging.forget("j_second")
    assert list(staging.inputs.iterdir()) == []
    staging.forget("j_second")  # a repeated release has no effect


def test_folders_of_ended_worker_actors_are_removed(staging: Staging) -> None:
    stale = staging.folder.with_name("999999999-12")
    stale.mkdir()
    staging.begin("j_mine")
    Staging()
    assert not stale.exists()
    assert (staging.folder / "j_mine").is_dir()
