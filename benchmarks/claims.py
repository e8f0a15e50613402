"""Durable claims and acknowledgements per second, by 16 worker processes over the real channels."""

from __future__ import annotations

import os
import selectors
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.report import Figure, percentile
from benchmarks.workplace import light, workplace
from workbench.jobs.devices import plan_slots
from workbench.jobs.messages import Leave, Rendered
from workbench.jobs.store import Index, Requests, Writer
from workbench.jobs.store.ledger import Claim
from workbench.jobs.supervisor.dispatcher import Dispatcher
from workbench.jobs.supervisor.outcomes import Outcomes
from workbench.jobs.supervisor.worker_pool import WorkerPool
from workbench.jobs.supervisor.worker_slots import End, Start, Tell, WorkerState
from workbench.settings import Settings

__all__ = ["measure_claims"]

_CLIENTS: Final = 16
_QUEUED: Final = 500


class _NullWorkerPool(WorkerPool):
    """Workers that acknowledge every job at once."""

    worker_module = "benchmarks.null_worker"


class _IndexOnly(Outcomes):
    """Ends jobs only in the index: this measures the queue, not renames on disk."""

    def rendered(self, writer: Writer, made: Sequence[tuple[Claim, Rendered, str]]) -> None:
        """Acknowledge jobs that left no file."""
        for claim, message, kind in made:
            assert self._ledger.is_current(writer, claim)
            self._ledger.complete(writer, claim, video_bytes=0, has_poster=False, has_audio=False)
            self._ledger.learn(writer, claim.cost_key, kind, message.seconds)


class _Exchange:
    """A dispatcher and a worker pool, driven as the supervisor drives them."""

    def __init__(self, index: Index, settings: Settings) -> None:
        self._selector = selectors.DefaultSelector()
        self.pool = _NullWorkerPool(self._selector)
        self.dispatcher = Dispatcher(index, settings, warm_cpu_workers=_CLIENTS)
        self.dispatcher._outcomes = _IndexOnly(self.dispatcher._ledger, self.dispatcher._paths)
        self.dispatcher.set_slots(plan_slots(settings, []))

    def turn_until(self, done: Callable[[], bool]) -> None:
        """Step until ``done``."""
        while not done():
            self.turn()

    def turn(self) -> None:
        """Read the workers' messages, step the dispatcher, and carry out its orders."""
        for key, _ in self._selector.select(0.05):
            self.pool.hear(key.data)
        while orders := self.dispatcher.step(self.pool.events()):
            for order in orders:
                match order:
                    case Tell(slot_name=slot_name, message=message):
                        self.pool.tell(slot_name, message)
                    case End(slot_name=slot_name, at_once=at_once):
                        self.pool.end(slot_name, at_once=at_once)
                    case Start(slot=slot):
                        worker = self.pool.start(slot)
                        assert worker is not None
                        self.dispatcher.started(slot.name, worker)

    def idle(self) -> int:
        """Return how many workers wait for a job."""
        return sum(slot.state is WorkerState.IDLE for slot in self.dispatcher.worker_slots)

    def spent(self) -> bool:
        """Tell whether no job waits or runs."""
        return not self.dispatcher._work_waits and self.idle() == _CLIENTS


def measure_claims(count: int) -> list[Figure]:
    """Have 16 clients claim and acknowledge ``count`` jobs, every step durable before its answer."""
    with (
        workplace(cpu_workers=_CLIENTS) as (settings, manager),
        tempfile.TemporaryDirectory() as notes,
    ):
        os.environ["NULL_WORKER_NOTES"] = notes
        index = manager._index
        manager._contact.launcher.enabled = False  # this process supervises by itself
        exchange = _Exchange(index, settings)
        exchange.turn_until(lambda: exchange.idle() == _CLIENTS)
        _pause(index, paused=True)
        for _ in range(0, count, _QUEUED):
            manager.submit_batch([light() for _ in range(_QUEUED)])
        exchange.turn()
        _pause(index, paused=False)
        began = time.perf_counter()
        exchange.turn()
        exchange.turn_until(exchange.spent)
        took = time.perf_counter() - began
        for slot in exchange.dispatcher.worker_slots:
            exchange.pool.tell(slot.slot.name, Leave())
        exchange.turn_until(lambda: len(list(Path(notes).iterdir())) == _CLIENTS)
        time.sleep(0.2)
        exchange.pool.close()
        texts = [path.read_text() for path in Path(notes).iterdir()]
    waits = [float(line) * 1e3 for text in texts for line in text.split()]
    return [
        Figure("durable claim + acknowledge, 16 clients", count / took, "/s", 1_500, at_most=False),
        Figure("– longest wait of a client", max(waits), "ms", 250),
        Figure("– median wait", percentile(waits, 0.5), "ms"),
        Figure("– p99 wait", percentile(waits, 0.99), "ms"),
    ]


def _pause(index: Index, *, paused: bool) -> None:
    with index.write() as writer:
        Requests(1).set_paused(writer, "", paused)
