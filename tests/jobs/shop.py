"""One outputs/ folder under test: its manager, its supervisor, and checks on the result."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil

from workbench.jobs.client.manager import JobManager
from workbench.jobs.deletion import forget_deleted
from workbench.jobs.model import Job, JobState
from workbench.jobs.mp4 import mp4_fault
from workbench.jobs.paths import JobPaths
from workbench.rendering import RenderRequest
from workbench.settings import Settings

ENGINES = {
    "animatic": "tests.jobs.faulty:FaultyEngine",  # what a worker warms up
    "faulty": "tests.jobs.faulty:FaultyEngine",
    "gpu": "tests.jobs.faulty:GpuEngine",
    "light": "tests.jobs.faulty:LightEngine",
}
PATIENCE_S = 300.0
"""A busy machine is normal: no test waits for less."""
DEFAULTS: dict[str, Any] = {
    "engines": ENGINES,
    "idle_exit_s": PATIENCE_S,
    "cancel_grace_s": PATIENCE_S,
    "cpu_workers": 1,
    "spare_workers": 0,
    "lease_s": 60.0,  # a stalled worker is no lost one; tests of lost ones ask for less
    "disk_reserve_bytes": 0,
    "scores": False,
    "scores_niceness": 0,
}


class Shop:
    """A manager over an outputs/ folder; leaving the context ends all its processes."""

    def __init__(self, outputs: Path, **settings: Any) -> None:
        self.settings = Settings(outputs=outputs, **{**DEFAULTS, **settings})
        self.paths = JobPaths(outputs)
        self.manager = JobManager(self.settings)
        self._seen: dict[int, psutil.Process] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the supervisor and the processes it left."""
        self.note()
        self.manager.close()
        self.end_supervisor(signal.SIGTERM)
        for process in self._seen.values():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def clear(self) -> None:
        """End and remove every job; the supervisor and its workers stay."""
        self.manager.resume()
        jobs = self.jobs()
        for job in jobs:
            if not job.state.final:
                self.manager.cancel(job.job_id)
        ids = [job.job_id for job in self.ended(*(job.job_id for job in jobs))]
        self.manager.delete(ids, starred=True)
        forget_deleted(self.paths, self.manager._index, time.time() + 60)

    def jobs(self) -> list[Job]:
        """Return every job, without placeholders."""
        found: list[Job] = []
        cursor = None
        while True:
            page = self.manager.jobs(limit=500, cursor=cursor)
            found += page.jobs
            cursor = page.cursor
            if cursor is None:
                return found

    def use(self, **settings: Any) -> JobManager:
        """Replace the settings; the supervisor must not be running yet."""
        self.manager.close()
        given = {**DEFAULTS, **settings}
        self.settings = Settings(outputs=self.paths.outputs, **given)
        self.manager = JobManager(self.settings)
        return self.manager

    def note(self) -> None:
        """Record the running processes so that none is left behind."""
        status = self.manager.supervisor()
        if (
            status is None or status.host
        ):  # in another PID namespace its pid means another process here
            return
        with suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(status.pid)
            for process in [supervisor, *supervisor.children(recursive=True)]:
                self._seen[process.pid] = process

    def submit(self, prompt: str = "a dog runs", **options: Any) -> Job:
        """Submit one render by the faulty engine."""
        return self.manager.submit(request(prompt, **options))

    def end_supervisor(self, number: signal.Signals) -> None:
        """Signal the supervisor and wait until it and its workers have ended."""
        self.note()
        status = self.manager.supervisor()
        if status is None or status.host:
            return
        process = psutil.Process(status.pid)
        children = process.children(recursive=True)
        process.send_signal(number)
        self.until(lambda: not any(alive(child) for child in [process, *children]))

    def kill_worker(self, job_id: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal the worker that renders a job; return its pid."""
        self.note()
        pid = next(d.worker_pid for d in self.manager.devices() if d.job_id == job_id)
        assert pid is not None
        os.kill(pid, number)
        return pid

    def worker_pid(self) -> int:
        """Return the pid of a running worker."""
        self.note()
        return next(d.worker_pid for d in self.manager.devices() if d.worker_pid)

    def until(self, condition: Callable[[], Any], limit_s: float = PATIENCE_S) -> Any:
        """Wait until ``condition`` returns something true and return that."""
        began = time.monotonic()
        while not (value := condition()):
            waited_s = time.monotonic() - began
            assert waited_s < limit_s, f"did not happen:\n{self.log()}"
            # To ask costs as much as what is waited for: the longer it takes, the less often.
            time.sleep(min(max(0.01, waited_s / 20), 0.25))
        return value

    def running(self, job_id: str, *, progress: float = 0.0) -> Job:
        """Wait until a job runs and has reached ``progress`` (0 to 100)."""

        def runs() -> Job | None:
            job = self.manager.job(job_id)
            assert not job.state.final, job.error
            here = job.state is JobState.RUNNING and job.stage != "" and job.progress >= progress
            return job if here else None

        found: Job = self.until(runs)
        return found

    def ended(self, *job_ids: str, limit_s: float = PATIENCE_S) -> tuple[Job, ...]:
        """Wait until jobs have ended and return them."""
        jobs = self.manager.wait(job_ids, limit_s)
        self.note()
        return jobs

    def log(self) -> str:
        """Return the supervisor's log."""
        return self.paths.log.read_text("utf-8") if self.paths.log.exists() else ""

    def events(self) -> list[dict[str, Any]]:
        """Return the supervisor's log as objects."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def violations(self) -> list[str]:
        """Return violated promises: every complete job has exactly one whole video."""
        return list(self._violations())

    def _violations(self) -> Iterator[str]:
        for job in self.jobs():
            files = self.paths.job(job.job_id, job.batch_id)
            if not job.state.final:
                yield f"{job.job_id} has not ended: {job.state}"
            elif job.state is JobState.COMPLETE:
                if fault := mp4_fault(files.video):
                    yield f"{job.job_id}: {fault}"
                recipe = self.manager.recipe(job.job_id)
                if recipe.attempt != job.attempt:
                    yield f"{job.job_id}: video of attempt {recipe.attempt} of {job.attempt}"
            elif files.video.exists() and not job.video_gone:
                yield f"{job.job_id} is {job.state} and has a video"
            if files.attempts():
                yield f"{job.job_id} left {files.attempts()}"


def alive(process: psutil.Process) -> bool:
    """Return whether a process exists and has not ended."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def request(prompt: str = "a dog runs", *, engine: str = "faulty", **options: Any) -> RenderRequest:
    """Return a request for the faulty engine; names that are no request fields become options."""
    fields = {key: options.pop(key) for key in list(options) if key in RenderRequest.model_fields}
    words = {key: str(one) if isinstance(one, Path) else one for key, one in options.items()}
    return RenderRequest(prompt=prompt, engine=engine, options=words, **fields)
