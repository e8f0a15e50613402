"""Status under load: 1,000 authenticated clients at 1 Hz, and their cost for a concurrent render.

Run with ``python -m benchmarks.status``. Loopback only; ends by itself. The server and its workers
have two cores; the clients, one process here, use other cores if there are any, so that their own
cost does not count as the server's. On a machine with two cores they share them, and are reported
separately.
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import datetime
from pathlib import Path

import psutil

from benchmarks.crowd import SETTLED_S, Crowd
from benchmarks.report import Figure, percentile, print_report
from tests.live_server import LiveServer

_CLIENTS = 1_000
_SECONDS = 9.0
_CALM_S = 2.0
_FRAMES = 405
"""Long enough to average over scheduling noise."""
_JOBS = 64
_ROUNDS = 6
_SERVER_CORES = 2


def main() -> None:
    """Measure and print."""
    cores = sorted(os.sched_getaffinity(0))
    others = set(cores[_SERVER_CORES:])
    os.sched_setaffinity(0, set(cores[:_SERVER_CORES]))  # child processes inherit it
    with (
        tempfile.TemporaryDirectory() as folder,
        LiveServer(Path(folder) / "outputs") as server,
    ):
        print_report("status", _measure(server, others))


def _measure(server: LiveServer, others: set[int]) -> list[Figure]:
    asked = {"prompts": [f"kite {n}" for n in range(_JOBS)], "num_frames": 5}
    batch_id = server.post("/api/video/batch_inference", asked).json()["batch_id"]
    job_ids = [job["job_id"] for job in server.wait_for_batch(batch_id)["jobs"]]
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    _render(server)
    calm: list[float] = []
    loaded: list[float] = []
    arrivals: list[float] = []
    latencies: list[float] = []
    server_s = crowd_s = 0.0
    for _ in range(_ROUNDS):  # alternating, so that a drift of the machine affects both
        calm.append(_render(server))
        with Crowd(server.port, job_ids, _CLIENTS, _SECONDS, others) as crowd:
            time.sleep(SETTLED_S)
            before, began = _processor_s(process), time.perf_counter()
            time.sleep(_CALM_S)
            share = (_processor_s(process) - before) / (time.perf_counter() - began)
            server_s += share / _ROUNDS
            loaded.append(_render(server))
        latencies += crowd.latencies
        arrivals += crowd.arrivals
        crowd_s += crowd.processor_s / crowd.seconds / _ROUNDS
    where = "on other cores" if others else "on the same two cores"
    ratio = sorted(load / alone for load, alone in zip(loaded, calm, strict=True))
    asks = len(latencies) / (_ROUNDS * (_SECONDS - SETTLED_S))
    return [
        Figure("status, 1,000 clients at 1 Hz, median", percentile(latencies, 0.5) * 1e3, "ms"),
        Figure("status, 1,000 clients at 1 Hz, p99", percentile(latencies, 0.99) * 1e3, "ms", 50),
        Figure("– while all come in within a second, p99", percentile(arrivals, 0.99) * 1e3, "ms"),
        Figure("answers per second", asks, "/s"),
        Figure("server, of one core", server_s * 100, "%"),
        Figure("– for each answer", server_s / asks * 1e6, "µs"),
        Figure(f"clients ({where}), of one core", crowd_s * 100, "%"),
        Figure("render beside them, over one alone, median", percentile(ratio, 0.5), "×", 1.05),
        Figure("– render alone, median", percentile(calm, 0.5), "s"),
    ]


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _render(server: LiveServer) -> float:
    """Return how long a render took: 832×480, from its start to its end."""
    asked = {"prompt": "a dog running", "seed": 1, "num_frames": _FRAMES}
    job = server.post("/api/video/single_inference", asked).json()
    ended = server.wait_for_job(job["job_id"])
    return _seconds(ended["finished_at"]) - _seconds(ended["started_at"])


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


if __name__ == "__main__":
    main()
