"""A bounded run of random faults against the real job manager, with its invariants checked.

Run with ``python -m benchmarks.soak [--seconds 120] [--seed 1]``; prints jobs done, faults injected
and violations, and exits with 1 when there is any violation.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import psutil

from tests.jobs.shop import Shop, alive, request
from workbench.errors import Conflict, NotFound
from workbench.jobs.client.launch import launch_supervisor
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState

_MAX_ATTEMPTS: Final = 3
_MOST_OPEN: Final = 40
_DRAIN_LIMIT_S: Final = 180.0

_RENDERS: Final[tuple[Mapping[str, Any], ...]] = (
    MappingProxyType({"steps": 3, "step_s": 0.01}),
    MappingProxyType({"steps": 10, "step_s": 0.02}),
    MappingProxyType({"steps": 20, "step_s": 0.03}),
    MappingProxyType({"fault": "error", "fault_attempts": 1}),
    MappingProxyType({"fault": "kill", "fault_attempts": 1}),
    MappingProxyType({"fault": "exit"}),
    MappingProxyType({"fault": "stop", "fault_attempts": 1}),
    MappingProxyType({"fault": "out_of_memory"}),
    MappingProxyType({"fault": "truncate"}),
)
_WEIGHTS: Final = (8, 6, 4, 2, 2, 1, 1, 1, 1)


class Soak:
    """One run: the jobs, the injected faults, and the outcomes."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.rng = random.Random(seed)
        self.asked: list[str] = []
        self.faults: Counter[str] = Counter()
        self.supervisors: set[int] = set()
        self._faults: tuple[tuple[Callable[[], bool], int], ...] = (
            (self.kill_worker, 6),
            (self.kill_supervisor, 4),
            (self.stop_worker, 2),
            (self.stop_and_go_on, 2),
            (self.race_supervisors, 2),
            (self.end_supervisor, 1),
            (self.drop_client, 3),
            (self.delete_index, 1),
            (self.cancel, 4),
            (self.retry, 3),
            (self.shuffle, 2),
        )

    @property
    def manager(self) -> JobManager:
        """The client in use."""
        return self.shop.manager

    def run(self, seconds: float) -> list[str]:
        """Inject faults for a while, let every job end, and return the violations."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            self.submit()
            time.sleep(self.rng.uniform(0.0, 0.6))
            self.hurt()
        self.manager.warm_up()  # after many kills in a row, a client must ask
        try:
            self.manager.wait(self.asked, _DRAIN_LIMIT_S)
        except (TimeoutError, NotFound) as error:
            return [str(error), *self.orphans()]
        return self.violations() + self.orphans()

    def submit(self) -> None:
        """Submit a few more renders, unless too many are open."""
        open_jobs = self.manager.jobs(state=JobState.QUEUED).total
        if open_jobs > _MOST_OPEN:
            return
        renders = [
            request(f"prompt {len(self.asked)}", **options)
            for options in self.rng.choices(_RENDERS, _WEIGHTS, k=self.rng.randint(1, 6))
        ]
        session = f"s_{self.rng.randint(0, 3):020}"
        if len(renders) == 1:
            self.asked.append(self.manager.submit(renders[0], session_id=session).job_id)
        else:
            batch = self.manager.submit_batch(renders, session_id=session)
            self.asked += [job.job_id for job in batch.jobs]

    def hurt(self) -> None:
        """Inject one fault, chosen at random."""
        faults, weights = zip(*self._faults, strict=True)
        (fault,) = self.rng.choices(faults, weights)
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if fault():
                self.faults[fault.__name__] += 1

    def kill_worker(self) -> bool:
        """Kill −9 of a worker."""
        return self._signal_worker(signal.SIGKILL)

    def stop_worker(self) -> bool:
        """SIGSTOP of a worker, for good."""
        return self._signal_worker(signal.SIGSTOP)

    def stop_and_go_on(self) -> bool:
        """SIGSTOP of a worker past its lease, then SIGCONT."""
        pid = self._worker()
        if pid is None:
            return False
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.shop.settings.lease_s * 1.2)
        os.kill(pid, signal.SIGCONT)
        return True

    def kill_supervisor(self) -> bool:
        """Kill −9 of the supervisor."""
        return self._signal_supervisor(signal.SIGKILL)

    def end_supervisor(self) -> bool:
        """SIGTERM of the supervisor."""
        return self._signal_supervisor(signal.SIGTERM)

    def race_supervisors(self) -> bool:
        """Start two supervisors at once, beside the one that may be there."""
        launch_supervisor(self.shop.settings)
        launch_supervisor(self.shop.settings)
        return True

    def drop_client(self) -> bool:
        """Drop the client without closing it and start another."""
        self.shop.manager.close()
        self.shop.manager = JobManager(self.shop.settings)
        return True

    def delete_index(self) -> bool:
        """Remove the index while it is in use."""
        for path in self.shop.paths.control.glob("index.sqlite3*"):
            path.unlink(missing_ok=True)
        return True

    def cancel(self) -> bool:
        """Cancel any job."""
        return self._steer(self.manager.cancel)

    def retry(self) -> bool:
        """Retry any job that allows it."""
        return self._steer(self.manager.retry)

    def shuffle(self) -> bool:
        """Give any queued job another priority."""
        return self._steer(
            lambda job_id: self.manager.set_priority(job_id, self.rng.choice((0, 10, 20)))
        )

    def violations(self) -> list[str]:
        """Return every broken promise, once all jobs have ended."""
        found = self.shop.violations()
        known = {job.job_id: job for job in self.shop.jobs()}
        found += [f"{job_id} was lost" for job_id in self.asked if job_id not in known]
        # A manual retry restarts the count; each counts at most once here.
        limit = _MAX_ATTEMPTS * 5 * (1 + self.faults["retry"] + self.faults["delete_index"])
        found += [
            f"{job.job_id} had {job.attempt} attempts"
            for job in known.values()
            if job.attempt > limit
        ]
        return found

    def orphans(self) -> list[str]:
        """Return processes and locks that outlived the supervisor."""
        self.shop.end_supervisor(signal.SIGTERM)
        ours = str(self.shop.paths.outputs)
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("WORKBENCH_OUTPUTS") == ours and alive(process):
                    found.append(f"process {process.pid}: {' '.join(process.cmdline())}")
        if self.manager.supervisor() is not None:
            found.append("the supervisor's lock is held")
        return found

    def _steer(self, step: Callable[[str], object]) -> bool:
        if not self.asked:
            return False
        try:
            step(self.rng.choice(self.asked))
        except (Conflict, NotFound):
            return False
        return True

    def _worker(self) -> int | None:
        pids = [device.worker_pid for device in self.manager.devices() if device.worker_pid]
        return self.rng.choice(pids) if pids else None

    def _signal_worker(self, number: signal.Signals) -> bool:
        pid = self._worker()
        if pid is not None:
            os.kill(pid, number)
        return pid is not None

    def _signal_supervisor(self, number: signal.Signals) -> bool:
        status = self.manager.supervisor()
        if status is not None:
            os.kill(status.pid, number)
        return status is not None


def main() -> int:
    """Run for the given time, let everything end, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long to inject faults")
    parser.add_argument("--seed", type=int, default=1, help="which faults, and when")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        outputs = Path(folder, "outputs")
        os.environ["WORKBENCH_OUTPUTS"] = str(outputs)
        with Shop(
            outputs, cpu_workers=2, spare_workers=1, max_attempts=_MAX_ATTEMPTS, lease_s=1.0
        ) as shop:
            return _run(Soak(shop, arguments.seed), arguments.seconds)


def _run(soak: Soak, seconds: float) -> int:
    began = time.monotonic()
    violations = soak.run(seconds)
    states = Counter(str(job.state) for job in soak.shop.jobs())
    for violation in violations:
        print(f"VIOLATION {violation}")
    print(f"seconds: {time.monotonic() - began:.0f}")
    print(f"jobs done: {sum(states.values())} ({dict(states)})")
    print(f"faults injected: {sum(soak.faults.values())} ({dict(soak.faults)})")
    print(f"violations: {len(violations)}")
    if violations:
        print(soak.shop.log()[-4_000:])
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
