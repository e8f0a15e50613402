"""How soon a job starts, a change is heard of, and a killed worker's job runs again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Final

from benchmarks.report import Figure, percentile
from benchmarks.workplace import light, workplace
from workbench.jobs.launch import settings_environment
from workbench.jobs.manager import JobManager
from workbench.jobs.model import JobState
from workbench.rendering import RenderRequest

__all__ = ["measure_pushes", "measure_recoveries", "measure_starts"]

_BETWEEN_S: Final = 0.03
_WATCHER: Final = """
import sys, time
from workbench.jobs.manager import JobManager
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
    """Time from a change's commit until another process, which watches, has the job in hand."""
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
    """Time from kill −9 of a worker, or of the supervisor, until the job renders again."""
    workers: list[float] = []
    supervisors: list[float] = []
    with workplace() as (settings, manager):
        manager.ensure_supervisor()
        manager.wait([manager.submit(light()).job_id], 30)
        for number in range(rounds * 2):
            touch = settings.outputs.parent / f"round-{number}"
            slow = RenderRequest(
                prompt="slow",
                engine="faulty",
                options={"steps": 20, "step_s": 0.02, "touch": str(touch)},
            )
            job = manager.submit(slow)
            while not (touch.exists() and touch.read_text().endswith("\n")):
                time.sleep(0.005)
            hit_worker = number % 2 == 0
            pid = int(touch.read_text().split()[-1]) if hit_worker else _supervisor(manager)
            killed = time.time()
            os.kill(pid, signal.SIGKILL)
            (ended,) = manager.wait([job.job_id], 60)
            assert ended.state is JobState.COMPLETE
            again = float(touch.read_text().splitlines()[1].split()[2])
            (workers if hit_worker else supervisors).append(again - killed)
    return [
        Figure(
            f"kill -9 of a worker → its job renders again, worst of {rounds}", max(workers), "s", 1
        ),
        Figure("– median", percentile(workers, 0.5), "s"),
        Figure(
            "kill -9 of the supervisor → the job renders again, median",
            percentile(supervisors, 0.5),
            "s",
        ),
    ]


def _supervisor(manager: JobManager) -> int:
    status = manager.supervisor()
    assert status is not None
    return status.pid
