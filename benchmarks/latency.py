"""Latency of job starts, change notifications, and recovery after a worker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.report import Figure, percentile
from benchmarks.workplace import light, workplace
from workbench.jobs.client.launch import settings_environment
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState
from workbench.rendering import RenderRequest

__all__ = ["measure_cold_starts", "measure_pushes", "measure_recoveries", "measure_starts"]

_BETWEEN_S: Final = 0.03
_SPARE_READY_S: Final = 3.0
_LIMIT_S: Final = 60.0
_WATCHER: Final = """
import sys, time
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings
manager = JobManager(Settings())
def hear(changes):
    now = time.time()
    for job in changes.jobs:
        print(job.job_id, job.state, now, flush=True)
manager.watch(hear)
print("ready", flush=True)
sys.stdin.read()
manager.close()
"""


def measure_starts(rounds: int) -> list[Figure]:
    """Time from the call of ``submit`` to the engine's ``render``, the worker warm and idle."""
    with workplace() as (settings, manager):
        touch = settings.outputs.parent / "starts"
        manager.ensure_supervisor()
        manager.wait([manager.submit(light()).job_id], 30)
        delays: list[float] = []
        calls: list[float] = []
        for number in range(rounds):
            time.sleep(_BETWEEN_S)
            asked = time.time()
            job = manager.submit(light(touch=str(touch)))
            calls.append((time.time() - asked) * 1e3)
            manager.wait([job.job_id], 30)
            began = float(touch.read_text().splitlines()[number].split()[2])
            delays.append((began - asked) * 1e3)
    return [
        Figure(f"submit → render begins, p95 of {rounds}", percentile(delays, 0.95), "ms", 30),
        Figure("– median", percentile(delays, 0.5), "ms"),
        Figure("– worst", max(delays), "ms"),
        Figure("– of which the call of submit, median", percentile(calls, 0.5), "ms"),
    ]


def measure_pushes(rounds: int) -> list[Figure]:
    """Time from a change's commit until another, watching process has received the job."""
    with workplace() as (settings, manager):
        manager.ensure_supervisor()
        manager.wait([manager.submit(light()).job_id], 30)
        environment = {**os.environ, **settings_environment(settings)}
        with subprocess.Popen(
            [sys.executable, "-c", _WATCHER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as watcher:
            assert watcher.stdin is not None
            assert watcher.stdout is not None
            watcher.stdout.readline()
            manager.pause()  # so that the only changes are the ones made here
            time.sleep(0.3)
            delays = []
            for _ in range(rounds):
                time.sleep(_BETWEEN_S)
                job = manager.submit(light())
                committed = time.time()
                heard = ""
                while job.job_id not in heard:
                    heard = watcher.stdout.readline()
                delays.append((float(heard.split()[2]) - committed) * 1e3)
            watcher.stdin.close()
    return [
        Figure(
            f"change → other process has it, p95 of {rounds}", percentile(delays, 0.95), "ms", 50
        ),
        Figure("– worst", max(delays), "ms"),
    ]


def measure_recoveries(rounds: int) -> list[Figure]:
    """Time from kill −9 of a worker, or of the supervisor, until the job renders again.

    Each round kills a job's worker and, as soon as the job renders again, the next one as well: by
    then no spare worker is ready, so the second recovery starts a process from scratch.
    """
    first: list[float] = []
    second: list[float] = []
    supervisors: list[float] = []
    with workplace(max_attempts=5) as (settings, manager):
        manager.ensure_supervisor()
        manager.wait([manager.submit(light()).job_id], 30)
        manager.watch(lambda _: None)  # as every screen does: it notices a supervisor's end
        for number in range(rounds):
            time.sleep(_SPARE_READY_S)
            touch = settings.outputs.parent / f"round-{number}"
            job_id = _slow_job(manager, touch)
            first.append(_kill(_renderer(touch, 1), touch, 2))
            second.append(_kill(_renderer(touch, 2), touch, 3))
            if number % 2:
                supervisors.append(_kill(_supervisor(manager), touch, 4))
            (ended,) = manager.wait([job_id], 60)
            assert ended.state is JobState.COMPLETE
    return [
        Figure(
            f"kill -9 of a worker → its job renders again, worst of {rounds}", max(first), "s", 1
        ),
        Figure("– median", percentile(first, 0.5), "s"),
        Figure("– and again at once, before a spare is ready: worst", max(second), "s", 1),
        Figure("– median", percentile(second, 0.5), "s"),
        Figure(
            "kill -9 of the supervisor → the job renders again, median",
            percentile(supervisors, 0.5),
            "s",
        ),
    ]


def measure_cold_starts(rounds: int) -> list[Figure]:
    """Time from ``submit`` until the engine renders without a supervisor, and after a warm-up."""
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(rounds):
        with workplace() as (settings, manager):
            touch = settings.outputs.parent / "touch"
            asked = time.time()
            manager.submit(light(touch=str(touch)))
            cold.append(_began(touch, 1) - asked)
        with workplace() as (settings, manager):
            touch = settings.outputs.parent / "touch"
            manager.warm_up()
            time.sleep(_SPARE_READY_S)
            asked = time.time()
            manager.submit(light(touch=str(touch)))
            warm.append(_began(touch, 1) - asked)
    return [
        Figure(f"submit without a supervisor → render begins, median of {rounds}",
               percentile(cold, 0.5), "s", 1),
        Figure("– worst", max(cold), "s"),
        Figure("– with a warm-up before, worst", max(warm) * 1e3, "ms", 30),
    ]  # fmt: skip


def _slow_job(manager: JobManager, touch: Path) -> str:
    options = {"steps": 60, "step_s": 0.02, "touch": str(touch)}
    return manager.submit(RenderRequest(prompt="slow", engine="faulty", options=options)).job_id


def _kill(pid: int, touch: Path, attempt: int) -> float:
    """Kill a process; return seconds until attempt number ``attempt`` renders."""
    killed = time.time()
    os.kill(pid, signal.SIGKILL)
    return _began(touch, attempt) - killed


def _began(touch: Path, attempt: int) -> float:
    return float(_noted(touch, attempt)[2])


def _renderer(touch: Path, attempt: int) -> int:
    return int(_noted(touch, attempt)[3])


def _noted(touch: Path, attempt: int) -> list[str]:
    """Wait until an attempt has recorded its start: job, attempt, time and pid."""
    limit = time.monotonic() + _LIMIT_S
    while time.monotonic() < limit:
        text = touch.read_text() if touch.exists() else ""
        if text.count("\n") >= attempt:
            return text.splitlines()[attempt - 1].split()
        time.sleep(0.002)
    raise TimeoutError(f"attempt {attempt} did not begin")


def _supervisor(manager: JobManager) -> int:
    status = manager.supervisor()
    assert status is not None
    return status.pid
