"""The cost of a Ray cluster: dispatch compared with a local worker, efficiency, first bottleneck.

Real Ray nodes on this machine with declared GPUs, and jobs that sleep, so that a node uses little
CPU time and the round trip is measured. ``--nodes`` and ``--gpus`` set the size: 16 nodes of 4 GPUs
are 64 worker actors, each a Ray actor with a real worker of its own.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psutil

from benchmarks.report import Figure, print_report
from benchmarks.workplace import workplace
from tests.jobs.cluster.machines import Machines
from workbench.jobs.client.manager import JobManager
from workbench.rendering import RenderRequest

_ENGINES: Final = {
    "animatic": "benchmarks.sleeper:SleepingEngine",
    "sleep": "benchmarks.sleeper:SleepingEngine",
    "sleep_gpu": "benchmarks.sleeper:SleepingGpuEngine",
}
_START_S: Final = 600.0
_OVERHEAD_MS: Final = 20.0
_EFFICIENCY: Final = 0.98


@dataclass(frozen=True)
class Cost:
    """The resources that the supervisor and its bridge used while jobs ran."""

    wall_s: float
    supervisor_cpu_s: float
    bridge_cpu_s: float
    supervisor_mib: float
    bridge_mib: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", default="2,4,8,16", help="how many Ray nodes, step by step")
    parser.add_argument("--gpus", type=int, default=1, help="GPUs that each of them declares")
    parser.add_argument("--sleep-s", type=float, default=20.0, help="how long a job takes")
    parser.add_argument("--rounds", type=int, default=3, help="jobs a GPU")
    parser.add_argument("--skip-overhead", action="store_true")
    asked = parser.parse_args()
    os.environ["RAY_AUTH_MODE"] = "disabled"  # as in the nodes that are started here
    steps = [int(count) for count in asked.nodes.split(",")]
    figures: list[Figure] = []
    with Machines() as machines:
        if not asked.skip_overhead:
            figures.append(_overhead(machines))
        there = 0
        for nodes in steps:
            names = [f"n{number}" for number in range(there, nodes)]
            for name in names:  # one after another: each start takes a core for seconds
                machines.add(name, gpus=asked.gpus, cpus=0)
            there = nodes
            figures.append(_scale(machines, nodes, asked.gpus, asked.sleep_s, asked.rounds))
    print_report("cluster", figures)


def _overhead(machines: Machines) -> Figure:
    """Compare zero-length jobs on one local worker with the same on one worker of the cluster."""
    machines.add("lone", gpus=0, cpus=1)
    here = _per_job_ms(cpu_workers=1)
    there = _per_job_ms(cpu_workers=0, cluster=machines.address, cluster_cpu_workers=1)
    machines.kill("lone")
    print(f"  a job of no length: {here:.1f} ms on a worker here, {there:.1f} ms over the cluster")
    return Figure("dispatch over a local worker's, a job", there - here, "ms", _OVERHEAD_MS)


def _per_job_ms(**settings: Any) -> float:
    jobs = 100
    with workplace(engines=_ENGINES, **settings) as (_, manager):
        _finish(manager, [_request("sleep", 0.0)])  # the worker is warm
        times = []
        for _ in range(3):
            began = time.perf_counter()
            _finish(manager, [_request("sleep", 0.0)] * jobs)
            times.append((time.perf_counter() - began) / jobs * 1_000)
    return min(times)


def _scale(machines: Machines, nodes: int, gpus: int, sleep_s: float, rounds: int) -> Figure:
    actors = nodes * gpus
    settings = {"cluster": machines.address, "cpu_workers": 0, "engines": _ENGINES}
    with workplace(**settings) as (_, manager):
        # Long enough that every GPU has its worker before the first is done with its own.
        _until(lambda: _idle(manager) == actors, manager, actors)
        cost = _measured(manager, [_request("sleep_gpu", sleep_s)] * (actors * rounds))
        flood = _measured(manager, [_request("sleep_gpu", 0.0)] * (actors * 20))
        began = _cpu(manager)
        time.sleep(10)
        rested = [after - before for before, after in zip(began, _cpu(manager), strict=True)]
    efficiency = rounds * sleep_s / cost.wall_s
    lost_s = cost.wall_s / rounds - sleep_s
    jobs = actors * 20
    busiest = max(flood.bridge_cpu_s, flood.supervisor_cpu_s) / flood.wall_s
    print(
        f"  {nodes} nodes, {actors} GPUs: efficiency {efficiency:.3f} with jobs of {sleep_s:g} s, "
        f"{lost_s:.2f} s lost a job; "
        f"{jobs / flood.wall_s:.0f} jobs/s of no length "
        f"(supervisor {flood.supervisor_cpu_s / jobs * 1_000:.1f}, "
        f"bridge {flood.bridge_cpu_s / jobs * 1_000:.1f} ms of processor a job, "
        f"the busier at {busiest:.0%} of a core); "
        f"at rest {rested[0] / 10 / actors:.2%} and {rested[1] / 10 / actors:.2%} "
        f"of a core a GPU; {flood.supervisor_mib:.0f} and {flood.bridge_mib:.0f} MiB"
    )
    name = f"efficiency, {nodes} nodes of {gpus} GPU"
    return Figure(name, efficiency, "", _EFFICIENCY, at_most=False)


def _measured(manager: JobManager, requests: Sequence[RenderRequest]) -> Cost:
    before = _cpu(manager)
    began = time.perf_counter()
    _finish(manager, requests)
    wall_s = time.perf_counter() - began
    after = _cpu(manager)
    sizes = [process.memory_info().rss / (1 << 20) for process in _processes(manager)]
    return Cost(wall_s, after[0] - before[0], after[1] - before[1], sizes[0], sizes[1])


def _cpu(manager: JobManager) -> tuple[float, float]:
    used = [sum(process.cpu_times()[:2]) for process in _processes(manager)]
    return used[0], used[1]


def _processes(manager: JobManager) -> tuple[psutil.Process, psutil.Process]:
    status = manager.supervisor()
    assert status is not None
    supervisor = psutil.Process(status.pid)
    bridge = next(
        child
        for child in supervisor.children()
        if "workbench.jobs.cluster.bridge" in child.cmdline()
    )
    return supervisor, bridge


def _idle(manager: JobManager) -> int:
    return sum(device.state in {"idle", "busy"} for device in manager.devices() if device.host)


def _until(condition: Callable[[], bool], manager: JobManager, actors: int) -> None:
    limit = time.monotonic() + _START_S
    batch = manager.submit_batch([_request("sleep_gpu", 3_000.0)] * actors)
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"only {_idle(manager)} of {actors} workers came up")
        time.sleep(0.5)
    manager.cancel_batch(batch.batch_id)
    manager.wait([job.job_id for job in batch.jobs], 120)


def _request(engine: str, sleep_s: float) -> RenderRequest:
    return RenderRequest(prompt="a dog runs", engine=engine, options={"sleep_s": sleep_s})


def _finish(manager: JobManager, requests: Sequence[RenderRequest]) -> None:
    with _batches(manager, requests) as ids:
        jobs = manager.wait(ids, _START_S)
    failed = [job.error for job in jobs if job.error]
    if failed:
        raise RuntimeError(failed[0])


@contextmanager
def _batches(manager: JobManager, requests: Sequence[RenderRequest]) -> Iterator[list[str]]:
    batches = [
        manager.submit_batch(requests[start : start + 64]) for start in range(0, len(requests), 64)
    ]
    yield [job.job_id for batch in batches for job in batch.jobs]


if __name__ == "__main__":
    main()
