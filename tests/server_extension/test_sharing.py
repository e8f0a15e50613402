"""The server, two kernels and a papermill run at once, over one outputs/ folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.live_server import PATIENCE_S, ROOT, LiveServer

CELL = """
import workbench as wb
batch = wb.render(["kernel {name} " + word for word in ("dog", "cat", "car", "boat")], num_frames=25)
batch.wait(300)
print(batch.batch_id)
"""


def test_all_clients_share_one_supervisor_and_no_job_is_lost_or_doubled(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    stays = {"WORKBENCH_IDLE_EXIT_S": "600"}  # until it is counted
    environment = {**os.environ, **stays, "WORKBENCH_OUTPUTS": str(outputs)}
    with LiveServer(outputs, environment=stays) as server:
        kernels = [_start_kernel(environment) for _ in range(2)]
        papermill = subprocess.Popen(
            [sys.executable, "-m", "papermill", "notebooks/batch.ipynb", str(tmp_path / "o.ipynb"),
             "-y", '{"prompts": ["a papermill"], "variations": 4, "num_frames": 25}'],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        posted = server.post(
            "/api/video/batch_inference", {"prompts": ["a", "b", "c", "d"], "num_frames": 25}
        ).json()
        for name, (_, client) in enumerate(kernels):
            client.execute(CELL.format(name=name))
        batches = {posted["batch_id"], *(_printed(client) for _, client in kernels)}
        _, told = papermill.communicate(timeout=PATIENCE_S)
        assert papermill.returncode == 0, told
        for manager, client in kernels:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

        jobs = _all_jobs(server)
        assert len(jobs) == len({job["job_id"] for job in jobs}) == 16
        assert {job["status"] for job in jobs} == {"complete"}
        assert batches < {job["batch_id"] for job in jobs}
        assert {job["attempt"] for job in jobs} == {1}
        videos = list(outputs.glob("b_*/j_*/video.mp4"))
        assert len(videos) == 16
        assert _supervisors(outputs) == [server.supervisor_pid()]


def _start_kernel(environment: dict[str, str]) -> tuple[KernelManager, BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=environment)
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE_S)
    return manager, client


def _printed(client: BlockingKernelClient) -> str:
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE_S)
        if message["msg_type"] == "stream":
            text: str = message["content"]["text"].strip()
            return text
        assert message["msg_type"] != "error", message["content"]


def _all_jobs(server: LiveServer) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": 5, **({"cursor": cursor} if cursor else {})}
        page = server.get("/api/video/jobs", params=params).json()
        jobs.extend(page["jobs"])
        cursor = page["cursor"]
        if cursor is None:
            return jobs


def _supervisors(outputs: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if "workbench.jobs.supervisor" in words:
            try:
                home = process.environ().get("WORKBENCH_OUTPUTS")
            except psutil.Error:
                continue
            if home == str(outputs) or str(outputs) in words:
                found.append(process.info["pid"])
    return found
