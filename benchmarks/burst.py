"""Small renders over REST: when a client knows that one is complete, and how many a second.

Run with ``python -m benchmarks.burst``. Loopback only; ends by itself. A small render is a
storyboard of 5 frames at 64×64. Processor time is that of every process of the workbench (server,
supervisor, workers), and the client's own beside it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psutil

from benchmarks.report import Figure, percentile, print_report
from tests.live_server import TOKEN, LiveServer

_SMALL: Final = {"num_frames": 5, "width": 64, "height": 64}
_ENDED: Final = frozenset({"complete", "failed"})
_CONNECTIONS: Final = 8
_PART: Final = 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        LiveServer(
            Path(folder) / "outputs",
            environment={"WORKBENCH_SCORES": "false"},
        ) as server,
    ):
        print_report("burst", _measure(server, asked.jobs, asked.rounds))


def _measure(server: LiveServer, count: int, rounds: int) -> list[Figure]:
    _singly(server, 20)
    _all_in_batches(server, _PART)
    known: list[float] = []
    figures: dict[str, list[tuple[float, ...]]] = {"one by one": [], "in batches": []}
    for _ in range(rounds):
        known += _singly(server, 20)
        for name, run in (("one by one", _all_at_once), ("in batches", _all_in_batches)):
            before, own = _processor_s(server), time.process_time()
            took_s = run(server, count)
            costs = _processor_s(server) - before, time.process_time() - own
            figures[name].append((count / took_s, *(cost / count * 1e3 for cost in costs)))
    ones, batches = ([_median(column) for column in zip(*f, strict=True)] for f in figures.values())
    return [
        Figure("one small render: posted → known to be complete, median",
               percentile(known, 0.5) * 1e3, "ms", 20),
        Figure("– p95", percentile(known, 0.95) * 1e3, "ms"),
        Figure(f"{count} at once, one by one, median", ones[0], "jobs/s", 120, at_most=False),
        Figure("– workbench, for each", ones[1], "ms of processor"),
        Figure("– client, for each", ones[2], "ms of processor"),
        Figure(f"{count} at once, in batches of {_PART}, median", batches[0], "jobs/s"),
        Figure("– workbench, for each", batches[1], "ms of processor"),
    ]  # fmt: skip


def _singly(server: LiveServer, count: int) -> list[float]:
    """Render one after the other; return when each was known to be complete, in seconds."""
    took = []
    with closing(_connection(server)) as line:
        for number in range(count):
            began = time.perf_counter()
            posted = _post(line, "single_inference", {"prompt": f"kite {number}", **_SMALL})
            _wait(line, f"status/{posted['job_id']}")
            took.append(time.perf_counter() - began)
    return took


def _all_at_once(server: LiveServer, count: int) -> float:
    """Post ``count`` renders over a few connections; return seconds until all are complete."""

    def post(part: Sequence[int]) -> list[str]:
        with closing(_connection(server)) as line:
            return [
                _post(line, "single_inference", {"prompt": f"kite {number}", **_SMALL})["job_id"]
                for number in part
            ]

    began = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as threads:
        parts = list(
            threads.map(post, [range(at, count, _CONNECTIONS) for at in range(_CONNECTIONS)])
        )
    with closing(_connection(server)) as line:
        for part in parts:
            for job_id in reversed(part):  # most are complete once the last one is
                _wait(line, f"status/{job_id}")
    return time.perf_counter() - began


def _all_in_batches(server: LiveServer, count: int) -> float:
    """Post ``count`` renders as batches; return seconds until all are complete."""
    began = time.perf_counter()
    with closing(_connection(server)) as line:
        prompts = [f"kite {number}" for number in range(count)]
        for part in [prompts[at : at + _PART] for at in range(0, count, _PART)]:
            batch = _post(line, "batch_inference", {"prompts": part, **_SMALL})
        _wait(line, f"batch_status/{batch['batch_id']}")
    return time.perf_counter() - began


def _wait(line: http.client.HTTPConnection, path: str) -> None:
    """Long-poll until a job or batch has ended."""
    etag = ""
    while True:
        line.request("GET", f"/api/video/{path}?wait=20&known={quote(etag)}", headers=_HEADERS)
        answer = line.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        if told["status"] in _ENDED:
            assert told["status"] == "complete", told
            return
        etag = answer.headers["ETag"]


_HEADERS: Final = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}


def _connection(server: LiveServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)


def _post(line: http.client.HTTPConnection, name: str, body: dict[str, Any]) -> dict[str, Any]:
    line.request("POST", f"/api/video/{name}", json.dumps(body), _HEADERS)
    answer = line.getresponse()
    told: dict[str, Any] = json.loads(answer.read())
    assert answer.status == 201, told
    return told


def _processor_s(server: LiveServer) -> float:
    """Return the processor time of the server, the supervisor and its workers so far."""
    assert server.process is not None
    processes = [psutil.Process(server.process.pid)]
    if (supervisor := server.supervisor_pid()) is not None:
        one = psutil.Process(supervisor)
        processes += [one, *one.children(recursive=True)]
    times = [process.cpu_times() for process in processes]
    return float(sum(one.user + one.system for one in times))


def _median(values: Sequence[float]) -> float:
    return percentile(values, 0.5)


if __name__ == "__main__":
    main()
