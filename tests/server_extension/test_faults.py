"""Faults over REST: every process killed during a render, and a lost index."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live_server import LiveServer
from tests.videos import decode

PROMPTS = ["a dog", "a cat", "a red car", "a boat", "a bird", "a horse", "a train", "a tree"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with LiveServer(tmp_path / "outputs") as live:
        yield live


def _submit(server: LiveServer, *, num_frames: int) -> str:
    # small frames, but enough of them for a fault to happen meanwhile
    asked = {"prompts": PROMPTS, "num_frames": num_frames, "width": 320, "height": 192, "seed": 1}
    batch_id: str = server.post("/api/video/batch_inference", asked).json()["batch_id"]
    return batch_id


def _wait_until_running(server: LiveServer, batch_id: str) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        batch = server.get(f"/api/video/batch_status/{batch_id}").json()
        if any(0 < job["progress"] < 100 for job in batch["jobs"]):
            return
        time.sleep(0.02)
    raise TimeoutError(batch)


def _check_all_complete(server: LiveServer, batch_id: str) -> list[dict[str, Any]]:
    ended = server.wait_for_batch(batch_id)
    assert ended["status"] == "complete", [job["error"] for job in ended["jobs"]]
    assert [job["prompt"] for job in ended["jobs"]] == PROMPTS
    for job in ended["jobs"]:
        folder = server.outputs / batch_id / job["job_id"]
        assert len(decode(folder / "video.mp4")) == 241
        assert not list(folder.glob(".attempt-*"))
    jobs: list[dict[str, Any]] = ended["jobs"]
    return jobs


def test_a_batch_continues_when_the_server_is_killed(server: LiveServer, tmp_path: Path) -> None:
    batch_id = _submit(server, num_frames=241)
    _wait_until_running(server, batch_id)
    supervisor = server.supervisor_pid()
    server.kill()
    with LiveServer(tmp_path / "outputs") as successor:
        assert successor.supervisor_pid() == supervisor
        jobs = _check_all_complete(successor, batch_id)
    assert {job["attempt"] for job in jobs} == {1}


def test_a_job_runs_again_when_its_worker_is_killed(server: LiveServer) -> None:
    batch_id = _submit(server, num_frames=241)
    _wait_until_running(server, batch_id)
    supervisor = psutil.Process(server.supervisor_pid())
    worker = supervisor.children()[0]
    worker.kill()
    jobs = _check_all_complete(server, batch_id)
    assert max(job["attempt"] for job in jobs) == 2


def test_every_job_ends_when_the_supervisor_is_killed(server: LiveServer) -> None:
    batch_id = _submit(server, num_frames=241)
    _wait_until_running(server, batch_id)
    pid = server.supervisor_pid()
    assert pid is not None
    workers = psutil.Process(pid).children(recursive=True)
    os.kill(pid, signal.SIGKILL)
    _check_all_complete(server, batch_id)
    assert server.supervisor_pid() != pid
    assert psutil.wait_procs(workers, timeout=60)[1] == []


def test_a_deleted_index_is_rebuilt_by_the_server(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    with LiveServer(outputs) as server:
        batch_id = _submit(server, num_frames=241)
        before = _check_all_complete(server, batch_id)
        lone = server.post("/api/video/single_inference", {"prompt": "a kite"}).json()["job_id"]
        server.wait_for_job(lone)
    shutil.rmtree(outputs / ".workbench")
    with LiveServer(outputs) as server:
        after = _check_all_complete(server, batch_id)
        for old, new in zip(before, after, strict=True):
            for field in ("job_id", "prompt", "seed", "parameters", "video_url", "engine"):
                assert new[field] == old[field]
        assert server.get(f"/api/video/status/{lone}").json()["status"] == "complete"
        assert server.get("/api/video/jobs").json()["total"] == 9


def test_a_video_that_is_gone_is_reported_as_failed_with_the_reason(server: LiveServer) -> None:
    job_id = server.post("/api/video/single_inference", {"prompt": "a kite"}).json()["job_id"]
    assert server.wait_for_job(job_id)["status"] == "complete"
    (server.outputs / job_id / "video.mp4").unlink()
    limit = time.monotonic() + 60  # files are looked for every other second
    while (told := server.get(f"/api/video/status/{job_id}").json())["status"] != "failed":
        assert time.monotonic() < limit, told
        time.sleep(0.1)
    assert told["error"]
    assert told["video_url"] is None
    assert server.post(f"/api/video/retry/{job_id}").status_code == 200
    assert server.wait_for_job(job_id)["status"] == "complete"


def test_one_ctrl_c_ends_the_server_and_leaves_only_the_supervisor(server: LiveServer) -> None:
    job_id = server.post("/api/video/single_inference", {"prompt": "a kite"}).json()["job_id"]
    server.wait_for_job(job_id)
    assert server.process is not None
    supervisor = psutil.Process(server.supervisor_pid())
    kept = {supervisor, *supervisor.children(recursive=True)}
    below = set(psutil.Process(server.process.pid).children(recursive=True)) - kept
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(120) == 0
    assert psutil.wait_procs(list(below), timeout=60)[1] == []
    assert supervisor.is_running()
