"""An outpost keeps the files of its renders apart, in whatever order it hears of them. Loads no Ray."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.jobs.cluster.outpost import Outpost
from workbench.jobs.cluster.scratch import Scratch, write_part
from workbench.jobs.messages import Message, Render, to_json
from workbench.jobs.processes import Identity, identify


class Deaf:
    """A crew of one that hears everything and says nothing."""

    worker_module = ""

    def __init__(self, selector: object) -> None:
        self.told: list[Message] = []

    def start(self, slot: object) -> Identity | None:
        return identify(os.getpid())

    def tell(self, seat: str, message: Message) -> None:
        self.told.append(message)

    def end(self, seat: str, *, at_once: bool) -> None: ...

    def close(self) -> None: ...

    def events(self) -> list[Any]:
        return []


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    scratch = Scratch()
    yield scratch
    scratch.remove()


def _render(job_id: str, attempt: int = 1) -> str:
    return to_json(Render(job_id, attempt, {}, "/at/home"))


def test_a_render_that_begins_before_the_last_one_is_forgotten_keeps_its_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))

    outpost = Outpost("cpu", absence_s=3_600.0, vacancy_s=3_600.0)
    crew = Deaf(None)
    outpost._crew = crew  # type: ignore[assignment]

    async def go() -> None:
        await outpost.open("me", {})
        await outpost.say("me", _render("j_first"))
        await outpost.bring("me", "picture.png", 0, b"for the second")
        await outpost.say("me", _render("j_second"))
        await outpost.release("me", "j_first", 1)  # late
        await outpost.say("me", _render("j_third"))
        await outpost.say("me", _render("j_third", 2))
        await outpost.release("me", "j_third", 1)  # late, and begun anew since

    asyncio.run(go())
    folders = [Path(message.folder) for message in crew.told if isinstance(message, Render)]
    assert [(folder.name, folder.is_dir()) for folder in folders] == [
        ("j_first", False), ("j_second", True), ("j_third", True), ("j_third", True),
    ]  # fmt: skip
    brought = outpost._scratch.inputs / "picture.png"
    assert brought.read_bytes() == b"for the second"
    outpost._scratch.remove()


def test_what_a_render_began_from_goes_with_it(scratch: Scratch) -> None:
    write_part(scratch.expect("first.png"), 0, b"one")
    write_part(scratch.expect("both.png"), 0, b"before")
    scratch.begin("j_first")
    write_part(scratch.expect("both.png"), 0, b"be")
    write_part(scratch.expect("both.png"), 2, b"hind")
    scratch.begin("j_second")
    scratch.forget("j_first")
    assert [path.name for path in scratch.inputs.iterdir()] == ["both.png"]
    assert (scratch.inputs / "both.png").read_bytes() == b"behind"
    scratch.forget("j_second")
    assert list(scratch.inputs.iterdir()) == []
    scratch.forget("j_second")  # said twice: nothing


def test_the_folders_of_outposts_that_are_no_more_are_removed(scratch: Scratch) -> None:
    stale = scratch.folder.with_name("999999999-12")
    stale.mkdir()
    scratch.begin("j_mine")
    Scratch()
    assert not stale.exists()
    assert (scratch.folder / "j_mine").is_dir()
