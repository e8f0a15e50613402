"""Models are fetched from a hub with progress; a broken download resumes where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest

from tests.models_on_disk import write_model
from workbench.engines.diffusers.fetching import fetch_model
from workbench.errors import EngineUnavailable, InvalidRequest
from workbench.settings import Settings

pytest.importorskip("huggingface_hub")

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves the files of one folder as the hub does; breaks off once where it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.breaks = ""
        """The file whose first answer ends half way."""
        self.ranges: list[tuple[str, str]] = []
        """Each download: file and range header."""

    @property
    def endpoint(self) -> str:
        """The hub's address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/models/"):
            names = [p for p in sorted(self.server.folder.rglob("*")) if p.is_file()]
            siblings = [
                {"rfilename": str(p.relative_to(self.server.folder)), "size": p.stat().st_size}
                for p in names
            ]
            told = {"id": "tiny/wan", "sha": COMMIT, "siblings": siblings}
            self._send(json.dumps(told).encode(), "", 200, with_body=with_body)
            return
        if "/resolve/" not in path:
            self.send_error(404)  # what the library asks besides
            return
        name = path.split("/resolve/", 1)[-1].split("/", 1)[-1]
        if not (self.server.folder / name).is_file():
            self.send_error(404)
            return
        data = (self.server.folder / name).read_bytes()
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").partition("-")[0] or 0)
        if with_body:
            self.server.ranges.append((name, wanted))
        etag = hashlib.sha256(data).hexdigest()
        if with_body and name == self.server.breaks:
            self.server.breaks = ""
            self._send(data, etag, 200, with_body=True, sent=len(data) // 2)
            return
        self._send(data[start:], etag, 206 if wanted else 200, with_body=with_body)

    def _send(
        self, data: bytes, etag: str, status: int, *, with_body: bool, sent: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if etag:
            self.send_header("ETag", f'"{etag}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if with_body:
            self.wfile.write(data[:sent])
        if sent is not None:
            self.wfile.flush()
            self.close_connection = True


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub with one model, and beside it what a pipeline does not need."""
    folder = write_model(tmp_path / "served", transformer=6 << 20, text_encoder=9)
    (folder / "README.md").write_text("# Wan")
    (folder / "all_in_one.safetensors").write_bytes(b"\0" * 1_000)
    (folder / "vae" / "model.bin").write_bytes(b"\0" * 1_000)
    server = Hub(folder)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def _environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "HF_ENDPOINT": hub.endpoint,
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "WORKBENCH_ALLOW_HUB": "1",
    }


def _get(hub: Hub, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workbench", "models", "get", "tiny/wan", *arguments],
        capture_output=True, text=True, env=_environment(hub, tmp_path), check=False, timeout=600,
    )  # fmt: skip


def test_a_model_is_fetched_and_a_broken_connection_goes_on_where_it_stopped(
    hub: Hub, tmp_path: Path
) -> None:
    name = "transformer/model.safetensors"
    hub.breaks = name
    told = _get(hub, tmp_path)
    assert told.returncode == 0, told.stderr
    assert "tiny/wan: 100 %" in told.stdout
    first, second = (wanted for file, wanted in hub.ranges if file == name)
    assert first == ""
    assert int(second.removeprefix("bytes=").rstrip("-")) > 0
    snapshot = tmp_path / "hub" / "models--tiny--wan" / "snapshots" / COMMIT
    assert (snapshot / name).read_bytes() == (hub.folder / name).read_bytes()
    assert not (snapshot / "all_in_one.safetensors").exists()
    assert not (snapshot / "vae" / "model.bin").exists()

    hub.ranges.clear()
    assert _get(hub, tmp_path).returncode == 0
    assert hub.ranges == [], "what is here is not fetched again"


def test_a_hub_that_cannot_be_reached_is_told_in_words(hub: Hub, tmp_path: Path) -> None:
    hub.shutdown()
    hub.server_close()
    told = _get(hub, tmp_path)
    assert told.returncode == 1
    assert "tiny/wan could not be fetched" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_repository_that_is_no_pipeline_is_refused(hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "model_index.json").unlink()
    told = _get(hub, tmp_path)
    assert told.returncode == 1
    assert "tiny/wan is not a diffusers pipeline" in told.stderr
    assert hub.ranges == []


def test_a_model_is_fetched_over_rest_beside_other_work(hub: Hub, tmp_path: Path) -> None:
    """In a process of its own: the hub's library reads its address on import."""
    script = """
from workbench.model_library import begin_fetching, download_objects, model_objects
from workbench.settings import Settings
from workbench.studio import Studio
import threading, sys
with Studio(Settings(outputs=sys.argv[1])) as studio:
    begin_fetching(studio, "tiny/wan")
    begin_fetching(studio, "tiny/wan")
    for thread in threading.enumerate():
        if thread.name == "workbench-download":
            thread.join()
    print(download_objects(studio), [one.name for one in model_objects(studio)])
"""
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "outputs")],
        capture_output=True, text=True, env=_environment(hub, tmp_path), check=True, timeout=600,
    ).stdout  # fmt: skip
    total = (
        sum(
            file.stat().st_size
            for file in hub.folder.rglob("*")
            if file.suffix in {".json", ".safetensors"}
        )
        - 1_000
    )
    assert f"bytes_here={total}, total_bytes={total}, is_done=True, problem=''" in told
    assert told.strip().endswith("['tiny/wan']")
    names = [name for name, _ in hub.ranges]
    assert len(names) == len(set(names)), "a model is fetched once at a time"


def test_where_the_hub_is_not_allowed_the_command_is_told() -> None:
    with pytest.raises(EngineUnavailable, match="hf download tiny/wan --revision v2"):
        fetch_model("tiny/wan", Settings(allow_hub=False), revision="v2")
    with pytest.raises(InvalidRequest, match="not a hub name"):
        fetch_model("./wan", Settings(allow_hub=True))


_LOAD = """
from workbench.engines.diffusers import DiffusersEngine
from workbench.rendering import RenderRequest
from workbench.settings import Settings

engine = DiffusersEngine(Settings())
request = RenderRequest(
    prompt="a dog", engine="diffusers", model="tiny/wan", width=64, height=64, num_frames=9
)
engine.load(engine.complete(request), "cpu", lambda progress: None)
print(sorted(engine._model.sizes), min(engine._model.sizes.values()) > 0)
print("modular:", type(engine._model.pipe).__name__, engine._model.plan.problem)
"""


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_the_first_download_of_a_modular_model_is_planned_with_the_size_of_its_weights(
    tmp_path: Path, models: Callable[[str], Path], hub: Hub
) -> None:
    """Such a model has no model_index.json, from which diffusers downloads a pipeline."""
    pytest.importorskip("diffusers")
    hub.folder = models("wan-modular")
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _LOAD],
        capture_output=True, text=True, env=_environment(hub, tmp_path), check=False, timeout=300,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-2_000:]
    assert "['text_encoder', 'transformer', 'vae'] True" in made.stdout
    assert "modular: WanModularPipeline" in made.stdout
    assert (tmp_path / "hub" / "models--tiny--wan" / "snapshots" / COMMIT / "vae").is_dir()
