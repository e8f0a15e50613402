"""``make lab`` as a newcomer meets it: what it prints, and what it does when something is wrong."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from server_extension.launch import server_command
from tests.live_server import ROOT, TOKEN, LiveServer


def _launch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server_extension.launch", "--no-browser", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_lab_the_dashboard_and_the_api_are_printed_and_answer(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "outputs") as server:
        printed = server.log.read_text("utf-8")
        base = f"http://127.0.0.1:{server.port}/"
        assert f"{base}lab/tree/notebooks/workbench.ipynb?token={TOKEN}" in printed
        assert f"{base}voila/render/notebooks/dashboard.ipynb?token={TOKEN}" in printed
        assert f"{base}api " in printed
        assert server.get("/lab/tree/notebooks/workbench.ipynb").status_code == 200
        assert server.get("/api/contents/notebooks/workbench.ipynb").status_code == 200


def test_the_token_stands_on_no_command_line(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "outputs") as server:
        assert server.process is not None
        words = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert TOKEN.encode() not in words


def test_an_option_given_by_hand_replaces_ours() -> None:
    ours = "--MappingKernelManager.cull_idle_timeout"
    command = server_command("127.0.0.1", 8888, dashboard=True, further=[f"{ours}=60", "folder"])
    assert [one for one in command if one.startswith(ours)] == [f"{ours}=60"]
    assert command[1:3] == ["-m", "jupyterlab"]


def test_a_port_that_is_taken_is_said_plainly() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        ended = _launch(JUPYTER_PORT=str(port))
    assert ended.returncode != 0
    assert f"Port {port} is taken" in ended.stderr


def test_a_port_that_is_none_is_said_plainly() -> None:
    ended = _launch(JUPYTER_PORT="soon")
    assert ended.returncode != 0
    assert "JUPYTER_PORT must be a port number" in ended.stderr


def test_everything_works_behind_a_base_url(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "outputs")
    server.base_url = "/user/name/"
    server.start("--ServerApp.base_url=/user/name/")
    try:
        job = server.post(
            "/api/video/single_inference", {"prompt": "a kite", "num_frames": 9}
        ).json()
        assert job["status_url"] == f"/user/name/api/video/status/{job['job_id']}"
        ended = server.wait_for_job(job["job_id"])
        assert ended["video_url"].startswith("/user/name/static/videos/")
        path = ended["video_url"].removeprefix("/user/name")
        assert server.get(path).headers["Content-Type"] == "video/mp4"
        document = server.get("/api/workbench/openapi.json").json()
        assert document["servers"] == [{"url": "/user/name"}]
    finally:
        server.stop()
