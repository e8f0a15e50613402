"""Faults over REST: every process killed during a render, and a lost index."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live_server import PATIENCE_S, LiveServer
from tests.videos import decode
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings

PROMPTS = ["a dog", "a cat", "a red car", "a boat", "a bird", "a horse", "a train", "a tree"]
ENVIRONMENT = {
    "WORKBENCH_ENGINES": json.dumps({"faulty": "tests.jobs.faulty:FaultyEngine"}),
    "WORKBENCH_IDLE_EXIT_S": "600",  # the supervisor stays until it is looked for
    "WORKBENCH_LEASE_S": "60",  # a stalled worker is no lost one
    "WORKBENCH_CPU_WORKERS": "2",
    "WORKBENCH_SCORES": "false",
    "WORKBENCH_PLACEHOLDERS": "false",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that outlives the faults of its helper processes."""
    with LiveServer(tmp_path_factory.mktemp("faults") / "outputs", environment=ENVIRONMENT) as live:
        yield live


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[LiveServer]:
    """A server that a test ends."""
    with LiveServer(tmp_path / "outputs", environment=ENVIRONMENT) as live:
        yield live


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A file that is not there; renders last until it is."""
    return tmp_path / "release"


def _submit(server: LiveServer, release: Path) -> str:
    asked = {"prompts": PROMPTS, "engine": "faulty", "options": {"until": str(release)}, "seed": 1}
    batch_id: str = server.post("/api/video/batch_inference", asked).json()["batch_id"]
    return batch_id


def _wait_until_running(server: LiveServer, batch_id: str) -> str:
    """Return the id of a job that is being rendered."""
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit:
        batch = server.get(f"/api/video/batch_status/{batch_id}").json()
        for job in batch["jobs"]:
            if 0 < job["progress"] < 100:
                return str(job["job_id"])
        time.sleep(0.05)
    raise TimeoutError(batch)


def _check_all_complete(server: LiveServer, batch_id: str) -> list[dict[str, Any]]:
    ended = server.wait_for_batch(batch_id)
    assert ended["status"] == "complete", [job["error"] for job in ended["jobs"]]
    assert [job["prompt"] for job in ended["jobs"]] == PROMPTS
    for job in ended["jobs"]:
        folder = server.outputs / batch_id / job["job_id"]
        assert len(decode(folder / "video.mp4")) == 4
        assert not list(folder.glob(".attempt-*"))
    jobs: list[dict[str, Any]] = ended["jobs"]
    return jobs


def test_a_running_batch_is_cancelled_and_has_no_zip(server: LiveServer, release: Path) -> None:
    batch_id = _submit(server, release)
    _wait_until_running(server, batch_id)
    assert server.post(f"/api/video/batch_cancel/{batch_id}").status_code == 200
    ended = server.wait_for_batch(batch_id)
    assert ended["status"] == "failed"
    assert all(job["cancelled"] for job in ended["jobs"])
    told = server.get(f"/api/video/batch_download/{batch_id}")
    assert told.status_code == 409
    assert told.json()["message"]


def test_a_running_job_is_cancelled_and_can_be_retried_once_it_has_ended(
    server: LiveServer, release: Path
) -> None:
    asked = {"prompt": "a very long walk", "engine": "faulty", "options": {"until": str(release)}}
    job_id = server.post("/api/video/single_inference", asked).json()["job_id"]
    limit = time.monotonic() + PATIENCE_S
    while not server.get(f"/api/video/status/{job_id}").json()["progress"]:
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert server.post(f"/api/video/cancel/{job_id}").status_code == 200
    ended = server.wait_for_job(job_id)
    assert (ended["status"], ended["cancelled"]) == ("failed", True)
    release.touch()
    assert server.post(f"/api/video/retry/{job_id}").status_code == 200
    again = server.wait_for_job(job_id)
    assert (again["status"], again["cancelled"]) == ("complete", False)
    refused = server.post(f"/api/video/retry/{job_id}")
    assert refused.status_code == 409
    assert "complete" in refused.json()["message"]


def test_a_batch_continues_when_the_server_is_killed(mortal: LiveServer, release: Path) -> None:
    batch_id = _submit(mortal, release)
    _wait_until_running(mortal, batch_id)
    supervisor = mortal.supervisor_pid()
    mortal.kill()
    with LiveServer(mortal.outputs, environment=ENVIRONMENT) as successor:
        assert successor.supervisor_pid() == supervisor
        release.touch()
        jobs = _check_all_complete(successor, batch_id)
    assert {job["attempt"] for job in jobs} == {1}


def test_a_job_runs_again_when_its_worker_is_killed(server: LiveServer, release: Path) -> None:
    batch_id = _submit(server, release)
    job_id = _wait_until_running(server, batch_id)
    manager = JobManager(Settings(outputs=server.outputs))
    worker = next(device.worker_pid for device in manager.devices() if device.job_id == job_id)
    manager.close()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    release.touch()
    jobs = _check_all_complete(server, batch_id)
    assert {job["job_id"]: job["attempt"] for job in jobs}[job_id] == 2


def test_every_job_ends_when_the_supervisor_is_killed(server: LiveServer, release: Path) -> None:
    batch_id = _submit(server, release)
    _wait_until_running(server, batch_id)
    pid = server.supervisor_pid()
    assert pid is not None
    workers = psutil.Process(pid).children(recursive=True)
    os.kill(pid, signal.SIGKILL)
    release.touch()
    _check_all_complete(server, batch_id)
    assert server.supervisor_pid() != pid
    assert psutil.wait_procs(workers, timeout=PATIENCE_S)[1] == []


def _kite(server: LiveServer) -> str:
    asked = {"prompt": "a kite", "num_frames": 5, "width": 128, "height": 96}
    job_id: str = server.post("/api/video/single_inference", asked).json()["job_id"]
    assert server.wait_for_job(job_id)["status"] == "complete"
    return job_id


def test_a_deleted_index_is_rebuilt_by_the_server(tmp_path: Path, release: Path) -> None:
    outputs = tmp_path / "outputs"
    release.touch()
    with LiveServer(outputs, environment=ENVIRONMENT) as server:
        batch_id = _submit(server, release)
        before = _check_all_complete(server, batch_id)
        lone = _kite(server)
    shutil.rmtree(outputs / ".workbench")
    with LiveServer(outputs, environment=ENVIRONMENT) as server:
        after = _check_all_complete(server, batch_id)
        for old, new in zip(before, after, strict=True):
            for field in ("job_id", "prompt", "seed", "parameters", "video_url", "engine"):
                assert new[field] == old[field]
        assert server.get(f"/api/video/status/{lone}").json()["status"] == "complete"
        assert server.get("/api/video/jobs").json()["total"] == 9


def test_a_video_that_is_gone_is_reported_as_failed_with_the_reason(server: LiveServer) -> None:
    job_id = _kite(server)
    (server.outputs / job_id / "video.mp4").unlink()
    limit = time.monotonic() + PATIENCE_S  # files are looked for every other second
    while (told := server.get(f"/api/video/status/{job_id}").json())["status"] != "failed":
        assert time.monotonic() < limit, told
        time.sleep(0.1)
    assert told["error"]
    assert told["video_url"] is None
    assert server.post(f"/api/video/retry/{job_id}").status_code == 200
    assert server.wait_for_job(job_id)["status"] == "complete"


def test_one_ctrl_c_ends_the_server_and_leaves_only_the_supervisor(mortal: LiveServer) -> None:
    _kite(mortal)
    assert mortal.process is not None
    supervisor = psutil.Process(mortal.supervisor_pid())
    kept = {supervisor, *supervisor.children(recursive=True)}
    below = set(psutil.Process(mortal.process.pid).children(recursive=True)) - kept
    mortal.process.send_signal(signal.SIGINT)
    assert mortal.process.wait(PATIENCE_S) == 0
    assert psutil.wait_procs(list(below), timeout=PATIENCE_S)[1] == []
    assert supervisor.is_running()
