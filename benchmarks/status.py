"""Status under load: 1,000 authenticated clients at 1 Hz, and what they cost a render beside them.

Run with ``python -m benchmarks.status``. Loopback only; ends by itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from benchmarks.report import Figure, percentile, print_report
from tests.live_server import TOKEN, LiveServer

_CLIENTS = 1_000
_SECONDS = 20
_JOBS = 64
_RENDER_ROUNDS = 4


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LiveServer(Path(folder) / "outputs") as server,
    ):
        asked = {"prompts": [f"kite {n}" for n in range(_JOBS)], "num_frames": 5}
        batch = server.wait_for_batch(
            server.post("/api/video/batch_inference", asked).json()["batch_id"]
        )
        job_ids = [job["job_id"] for job in batch["jobs"]]
        calm, loaded, latencies = [], [], []
        for _ in range(_RENDER_ROUNDS):  # in turn, so that a drift of the machine hits both
            calm.append(_render(server))
            with _Crowd(server.port, job_ids, _SECONDS / _RENDER_ROUNDS) as crowd:
                time.sleep(1)
                loaded.append(_render(server))
            latencies.extend(crowd.latencies)
    ratio = percentile(loaded, 0.5) / percentile(calm, 0.5)
    print_report(
        "status",
        [
            Figure("status, 1,000 clients at 1 Hz, median", percentile(latencies, 0.5) * 1e3, "ms"),
            Figure(
                "status, 1,000 clients at 1 Hz, p99", percentile(latencies, 0.99) * 1e3, "ms", 50
            ),
            Figure("answers per second", len(latencies) / _SECONDS, "/s"),
            Figure("render beside them, over one alone", ratio, "×", 1.05),
        ],
    )


def _render(server: LiveServer) -> float:
    job = server.post("/api/video/single_inference", {"prompt": "a dog running", "seed": 1}).json()
    ended = server.wait_for_job(job["job_id"])
    began, done = ended["started_at"], ended["finished_at"]
    return _seconds(done) - _seconds(began)


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


class _Crowd:
    """Clients in a process of their own, each asking once a second over one connection."""

    def __init__(self, port: int, job_ids: list[str], seconds: float) -> None:
        self._queue: Any = multiprocessing.Queue()
        self._process = multiprocessing.Process(
            target=_run_crowd, args=(port, job_ids, seconds, self._queue)
        )
        self.latencies: list[float] = []

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.latencies = self._queue.get(timeout=60)
        self._process.join()


def _run_crowd(port: int, job_ids: list[str], seconds: float, queue: Any) -> None:
    queue.put(asyncio.run(_ask_together(port, job_ids, seconds)))


async def _ask_together(port: int, job_ids: list[str], seconds: float) -> list[float]:
    latencies: list[float] = []
    await asyncio.gather(
        *(_client(port, random.choice(job_ids), seconds, latencies) for _ in range(_CLIENTS))
    )
    return latencies


async def _client(port: int, job_id: str, seconds: float, latencies: list[float]) -> None:
    await asyncio.sleep(random.random())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = (
        f"GET /api/video/status/{job_id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: token {TOKEN}\r\n\r\n"
    ).encode()
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - began)
        await asyncio.sleep(max(0.0, 1.0 - (time.perf_counter() - began)))
    writer.close()


if __name__ == "__main__":
    main()
