"""Local models: the real `transformers serve`, and the process that one machine's clients share.

The model is tiny and its weights are random, so its answers are nonsense: the fallback carries the
journey, and the transcript shows that the model was really asked.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai  # noqa: F401  its import takes longer than a first question should wait
import pytest

from tests.live_server import PATIENCE_S
from tests.prompts.language_models.tiny_gguf import make_tiny_gguf
from workbench.prompts import PromptWriter
from workbench.prompts.language_models.local.transformers_server import _Pieces
from workbench.prompts.model import Source
from workbench.settings import Settings
from workbench.studio import Studio

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(n) for n in ("torch", "transformers", "uvicorn", "fastapi")),
    reason="torch, transformers, fastapi and uvicorn are not installed",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    script = Path(__file__).parent / "tiny_model.py"
    subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True)
    return str(folder)


@pytest.fixture(scope="module")
def served(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "serve.log"
    command = [str(Path(sys.executable).parent / "transformers"), "serve", model]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE_S)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE_S:
        assert process.poll() is None, log.read_text("utf-8", "replace")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text("utf-8", "replace"))


async def _journey(settings: Settings) -> tuple[Studio, str]:
    studio = Studio(settings)
    session_id, _ = await studio.enhance("dog running", on_text=len)
    endpoint = studio.language.writer().endpoint
    assert endpoint is not None
    assert endpoint.abilities.can_stream
    await studio.variations(session_id, [0], 3)
    await studio.update(session_id, "make it night")
    await studio.language.close()
    return studio, session_id


def _check_carried(studio: Studio, session_id: str, model: str) -> None:
    enhanced, one, two, tuned = studio.sessions.history(session_id)
    assert enhanced.is_fallback
    assert "dog" in enhanced.prompt
    assert {one.source, two.source} <= {Source.FALLBACK, Source.SUBSTITUTE}
    assert tuned.is_fallback
    assert tuned.scene.time_of_day == "night"
    said = studio.sessions.transcript(session_id, 0)
    assert any(e.completion_tokens for e in said)
    assert {e.model for e in (*said, *studio.sessions.transcript(session_id, tuned.index))} == {
        model
    }
    studio.close()


def test_nonsense_from_transformers_serve_does_not_end_the_journey(
    served: str, model: str, tmp_path: Path
) -> None:
    settings = Settings(
        outputs=tmp_path / "outputs",
        language_provider="openai",
        language_model=model,
        language_base_url=served,
    )
    _check_carried(*asyncio.run(_journey(settings)), model)


def test_all_clients_of_a_machine_share_one_loaded_model(model: str, tmp_path: Path) -> None:
    settings = Settings(
        outputs=tmp_path / "outputs",
        language_provider="transformers",
        language_model=model,
        language_idle_s=60.0,
    )

    async def two_clients() -> list[tuple[Studio, str]]:
        return list(await asyncio.gather(_journey(settings), _journey(settings)))

    door = settings.index_path.parent / "language_model.json"
    pid = 0
    try:
        for studio, session_id in asyncio.run(two_clients()):
            _check_carried(studio, session_id, model)
        pid = json.loads(door.read_text("utf-8"))["pid"]
        assert door.stat().st_mode & 0o077 == 0
        _check_carried(*asyncio.run(_journey(settings)), model)
        assert json.loads(door.read_text("utf-8"))["pid"] == pid
        _check_streams(json.loads(door.read_text("utf-8")))
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)


def _check_streams(door: dict[str, Any]) -> None:
    """Hold what is streamed against what comes whole."""
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "Grüße"}]}
    whole = _ask(door, asked)
    events = [
        line.removeprefix("data: ") for line in _ask(door, {**asked, "stream": True}).split("\n\n")
    ]
    assert events[-2:] == ["[DONE]", ""]
    *pieces, last = [json.loads(event) for event in events[:-2]]
    text = "".join(p["choices"][0]["delta"]["content"] for p in pieces)
    told = json.loads(whole)
    assert text == told["choices"][0]["message"]["content"] == "{"
    assert last["choices"][0]["finish_reason"] == told["choices"][0]["finish_reason"] == "stop"
    assert last["usage"] == told["usage"]
    cut = json.loads(_ask(door, {**asked, "max_tokens": 1}))
    assert cut["choices"][0]["finish_reason"] == "length"


def _ask(door: dict[str, Any], asked: dict[str, Any]) -> str:
    headers = {"Authorization": f"Bearer {door['key']}"}
    url = f"{door['base_url']}/chat/completions"
    body = json.dumps(asked).encode()
    with urllib.request.urlopen(
        urllib.request.Request(url, body, headers), timeout=PATIENCE_S
    ) as answer:
        text: str = answer.read().decode()
    return text


def test_characters_of_several_tokens_are_told_whole() -> None:
    told: list[str] = []
    pieces = _Pieces(lambda tokens: bytes(tokens).decode("utf-8", "replace"), told.append)
    pieces.put(_Tokens(b"the question"))
    for token in "aé😀".encode():
        pieces.put(_Tokens(bytes([token])))
    pieces.put(_Tokens(b"\xf0"))
    pieces.end()
    assert told == ["a", "é", "😀", "\N{REPLACEMENT CHARACTER}"]


class _Tokens:
    """Token ids as a tensor gives them."""

    def __init__(self, tokens: bytes) -> None:
        self._tokens = tokens

    def flatten(self) -> _Tokens:
        return self

    def tolist(self) -> list[int]:
        return list(self._tokens)


def test_a_gguf_file_is_read_by_transformers_too(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    path = make_tiny_gguf(tmp_path / "tiny.gguf")
    code = (
        "from workbench.prompts.language_models.local.transformers_server import LocalModel; "
        f"model = LocalModel({str(path)!r}, allow_hub=False); "
        'print(model.answer([{"role": "user", "content": "hello"}], 4).tokens_made)'
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, encoding="utf-8"
    )
    assert done.stdout.split()[-1] == "4", done.stderr


def test_a_model_that_cannot_be_loaded_is_told_and_the_composer_writes(tmp_path: Path) -> None:
    settings = Settings(
        outputs=tmp_path / "outputs",
        language_provider="transformers",
        language_model=str(tmp_path / "no such model"),
    )
    draft = asyncio.run(PromptWriter(settings).enhance("dog running"))
    assert draft.is_fallback
    assert "could not be loaded" in draft.message
    assert "dog" in draft.prompt
