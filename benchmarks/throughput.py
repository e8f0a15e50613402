"""Jobs that do nothing, through the job manager: jobs per second, and the cost of each.

Run with ``python -m benchmarks.throughput``. The engine writes the empty boxes of an mp4, so that
only the work around a render is measured: submission, claim, worker, publishing, durable on disk.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.report import Figure, print_report
from tests.jobs.shop import Shop, request


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        print_report("throughput", _measure(Path(folder), asked.jobs, asked.rounds))


def _measure(folder: Path, count: int, rounds: int) -> list[Figure]:
    shop = Shop(folder)
    try:
        _run(shop, 20)
        status = shop.manager.supervisor()
        assert status is not None
        supervisor = psutil.Process(status.pid)
        workers = supervisor.children(recursive=True)
        rates, costs = [], []
        for _ in range(rounds):
            before = _processor_times(supervisor, workers)
            rates.append(count / _run(shop, count))
            after = _processor_times(supervisor, workers)
            costs.append([(b - a) / count * 1e3 for a, b in zip(before, after, strict=True)])
        rates.sort()
        middle = [sorted(column)[rounds // 2] for column in zip(*costs, strict=True)]
        return [
            Figure(f"{count} empty jobs at once, median", rates[rounds // 2], "jobs/s", 400,
                   at_most=False),
            Figure("– supervisor, for each", middle[0], "ms of processor"),
            Figure("– workers, for each", middle[1], "ms of processor"),
            Figure("– client, for each", middle[2], "ms of processor"),
        ]  # fmt: skip
    finally:
        shop.close()


def _run(shop: Shop, count: int) -> float:
    """Return the seconds from the submission of ``count`` jobs to the end of the last."""
    began = time.perf_counter()
    batch = shop.manager.submit_batch([request(engine="light")] * count)
    shop.ended(*[job.job_id for job in batch.jobs], limit_s=600)
    return time.perf_counter() - began


def _processor_times(supervisor: psutil.Process, workers: list[psutil.Process]) -> list[float]:
    return [_processor_s([supervisor]), _processor_s(workers), time.process_time()]


def _processor_s(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes if process.is_running()]
    return float(sum(one.user + one.system for one in times))


if __name__ == "__main__":
    main()
