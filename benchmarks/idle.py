"""Clients that wait for a change with a long poll: what they cost while nothing changes.

Run with ``python -m benchmarks.idle``. Loopback only; ends by itself. Each client asks again as
soon as it is answered, as the workbench's own pages do.
"""

from __future__ import annotations

import argparse
import random
import selectors
import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil

from benchmarks.report import Figure, print_report
from tests.live_server import TOKEN, LiveServer

_JOBS: Final = 64
_WAIT_S: Final = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        LiveServer(Path(folder) / "outputs", environment={"WORKBENCH_SCORES": "false"}) as server,
    ):
        prompts = {"prompts": [f"kite {n}" for n in range(_JOBS)], "num_frames": 5}
        batch_id = server.post("/api/video/batch_inference", prompts).json()["batch_id"]
        job_ids = [job["job_id"] for job in server.wait_for_batch(batch_id)["jobs"]]
        print_report("idle", _measure(server, job_ids, asked.clients, asked.seconds))


def _measure(
    server: LiveServer, job_ids: Sequence[str], clients: int, seconds: float
) -> list[Figure]:
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    rng = random.Random(1)
    chosen = [rng.choice(job_ids) for _ in range(clients)]
    etags = {job_id: _etag(server, job_id) for job_id in dict.fromkeys(chosen)}
    selector = selectors.EpollSelector()
    for job_id in chosen:
        line = socket.create_connection(("127.0.0.1", server.port))
        question = (
            f"GET /api/video/status/{job_id}?wait={_WAIT_S}&known={etags[job_id]} HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n"
        ).encode()
        line.sendall(question)
        selector.register(line, selectors.EVENT_READ, question)
        time.sleep(_WAIT_S / clients)  # their waits end one by one, as those of pages do
    answers, before, began = 0, _processor_s(process), time.perf_counter()
    while (left_s := began + seconds - time.perf_counter()) > 0:
        for key, _ in selector.select(left_s):
            assert isinstance(key.fileobj, socket.socket)
            answer = key.fileobj.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            key.fileobj.sendall(key.data)
            answers += 1
    share = (_processor_s(process) - before) / (time.perf_counter() - began)
    return [
        Figure(f"{clients:,} idle clients with wait={_WAIT_S}: server, of one core",
               share * 100, "%", 10),
        Figure("– answers", answers / seconds, "/s"),
    ]  # fmt: skip


def _etag(server: LiveServer, job_id: str) -> str:
    etag: str = server.get(f"/api/video/status/{job_id}").headers["etag"]
    return etag.strip('"')


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
