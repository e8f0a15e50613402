"""A real llama.cpp server with a tiny GGUF file: schema, stream, several clients, killed and begun anew.

The model's weights are random, so what it says means nothing; its grammar holds it to the schema.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import openai
import pytest
from filelock import FileLock
from pydantic import BaseModel

from tests.prompts.language_models.tiny_gguf import make_tiny_gguf
from workbench.prompts import PromptWriter
from workbench.prompts.language_models.local import llama_server
from workbench.prompts.language_models.local.local_endpoint import LocalEndpoint
from workbench.prompts.language_models.local.server_file import (
    SERVER_FILE,
    ServerAddress,
    read_server,
)
from workbench.prompts.model import ChatFailure
from workbench.settings import Settings

pytest.importorskip("xllamacpp")


class Choice(BaseModel):
    """An answer that a random model can give."""

    kind: Literal["edit", "render"]
    sure: bool


QUESTION = ({"role": "user", "content": "What shall be done?"},)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf"))


def settings_for(model: str, folder: Path, idle_exit_s: float = 120.0) -> Settings:
    return Settings(
        outputs=folder / "outputs",
        language_provider="local",
        language_model=model,
        language_timeout_s=120.0,
        language_idle_s=idle_exit_s,
    )


def running(settings: Settings) -> ServerAddress | None:
    return read_server(settings.index_path.parent / SERVER_FILE)


@contextmanager
def ended_after(settings: Settings) -> Iterator[None]:
    """End the server that the test started."""
    try:
        yield
    finally:
        if (server := running(settings)) is not None:
            os.kill(server.pid, signal.SIGKILL)


async def ask(settings: Settings, on_text: list[str] | None = None) -> Choice:
    endpoint = LocalEndpoint.of(settings)
    try:
        tell = None if on_text is None else on_text.append
        answer, _ = await endpoint.ask(QUESTION, Choice, tell)
        return answer
    finally:
        await endpoint.close()


def test_an_answer_holds_to_its_schema_whole_and_streamed(model: str, tmp_path: Path) -> None:
    settings = settings_for(model, tmp_path)
    with ended_after(settings):
        pieces: list[str] = []
        assert isinstance(asyncio.run(ask(settings)), Choice)
        assert isinstance(asyncio.run(ask(settings, pieces)), Choice)
        assert len(pieces) > 1
        assert pieces[-1].lstrip().startswith("{")


def test_two_clients_share_one_server_and_are_answered_side_by_side(
    model: str, tmp_path: Path
) -> None:
    settings = settings_for(model, tmp_path)

    async def both() -> list[Choice]:
        return list(await asyncio.gather(ask(settings), ask(settings)))

    with ended_after(settings):
        assert len(asyncio.run(both())) == 2
        first = running(settings)
        asyncio.run(ask(settings))
        assert first is not None
        assert running(settings) == first


def test_a_server_that_was_killed_is_begun_anew_by_the_next_question(
    model: str, tmp_path: Path
) -> None:
    settings = settings_for(model, tmp_path)
    with ended_after(settings):
        asyncio.run(ask(settings))
        first = running(settings)
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        assert isinstance(asyncio.run(ask(settings)), Choice)
        second = running(settings)
        assert second is not None
        assert second.pid != first.pid


def test_another_local_model_takes_the_place_of_the_one_that_runs(
    model: str, tmp_path: Path
) -> None:
    other = str(make_tiny_gguf(tmp_path / "other.gguf"))
    settings = settings_for(model, tmp_path)
    with ended_after(settings):
        asyncio.run(ask(settings))
        asyncio.run(ask(settings_for(other, tmp_path)))
        server = running(settings)
        assert server is not None
        assert server.model == other


def test_only_the_owner_can_read_the_key_and_the_server_answers_nobody_without_it(
    model: str, tmp_path: Path
) -> None:
    settings = settings_for(model, tmp_path)
    with ended_after(settings):
        asyncio.run(ask(settings))
        file = settings.index_path.parent / SERVER_FILE
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        server = running(settings)
        assert server is not None
        assert server.base_url.startswith("http://127.0.0.1:")
        client = openai.OpenAI(base_url=server.base_url, api_key="guess", max_retries=0)
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}])
        client.close()


def test_a_server_without_requests_exits(model: str, tmp_path: Path) -> None:
    settings = settings_for(model, tmp_path, idle_exit_s=1.0)
    with ended_after(settings):
        asyncio.run(ask(settings))
        deadline = time.monotonic() + 120
        while running(settings) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_server_does_not_exit_while_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_server, "_CHECK_S", 0.01)
    seen = iter([1, 1, 1, 0, 0])

    class Busy:
        """A server that makes one token in all that time."""

        def handle_metrics(self) -> str:
            at_work = next(seen)
            return f"llamacpp:tokens_predicted_total 7\nllamacpp:requests_processing {at_work}\n"

    llama_server._wait_until_idle(Busy(), 0.005)
    assert list(seen) == []


def test_a_server_that_leaves_just_when_another_is_started_does_not_keep_the_question_waiting(
    model: str, tmp_path: Path
) -> None:
    settings = settings_for(model, tmp_path)
    file = settings.index_path.parent / SERVER_FILE
    file.parent.mkdir(parents=True)
    leaving = FileLock(file.with_suffix(".lock"), thread_local=False)
    leaving.acquire()
    threading.Timer(
        5.0, leaving.release
    ).start()  # the server that is started meanwhile ends at once
    with ended_after(settings):
        assert isinstance(asyncio.run(ask(settings)), Choice)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"no model at all"])
def test_a_damaged_file_is_told_and_the_composer_writes(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(content)
    settings = settings_for(str(broken), tmp_path)
    with pytest.raises(ChatFailure, match="could not be loaded"):
        asyncio.run(ask(settings))
    draft = asyncio.run(PromptWriter(settings).enhance("dog running"))
    assert draft.is_fallback
    assert "dog" in draft.prompt
