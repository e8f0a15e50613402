"""The supervisor's loop: jobs to workers, recovery, housekeeping.

Exits after a while without work.
"""

from __future__ import annotations

import logging
import selectors
import signal
import time
from types import FrameType
from typing import Final

from workbench.jobs.devices import has_idle_core
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import kill_group, same_process
from workbench.jobs.store import IndexFailure, Ledger
from workbench.jobs.store.recovery import open_store
from workbench.jobs.supervisor.device_monitor import DeviceMonitor
from workbench.jobs.supervisor.dispatcher import Dispatcher
from workbench.jobs.supervisor.housekeeping import Housekeeping
from workbench.jobs.supervisor.lock import SupervisorLock
from workbench.jobs.supervisor.log_file import rotate
from workbench.jobs.supervisor.notifications import NotificationServer
from workbench.jobs.supervisor.scoring import Scoring
from workbench.jobs.supervisor.spare_workers import SpareWorker
from workbench.jobs.supervisor.worker_pool import WorkerPool
from workbench.jobs.supervisor.worker_slots import End, Event, Order, Start, Tell
from workbench.settings import Settings

__all__ = ["Supervisor", "supervise"]

_RETRY_S: Final = 0.3
_LONG_TURN_S: Final = 1.0
_HOUSEKEEPING_S: Final = 30.0
_FIRST_WORK_S: Final = 5.0
"""No spare worker starts this soon after the supervisor, while the first jobs need the cores."""
_IDLE: Final = "nothing to do"
_LOOK_S: Final = 1.0
_SERVED_S: Final = 5.0
"""A supervisor that ends earlier, without a worker, counts as one that cannot start."""
_LOG = logging.getLogger("workbench.jobs")


class Supervisor:
    """One run of a supervisor, from taking the lock to leaving."""

    def __init__(
        self, settings: Settings, lock: SupervisorLock, spare_workers: list[SpareWorker]
    ) -> None:
        self._settings = settings
        self._paths = JobPaths(settings.outputs)
        self._lock = lock
        self._selector = selectors.DefaultSelector()
        self._index = open_store(settings)
        self._dispatcher = Dispatcher(self._index, settings)
        self._pool = _pool(settings, self._selector, spare_workers)
        self._notifications = NotificationServer(self._selector, self._paths)
        self._monitor = DeviceMonitor(settings)
        self._scoring = Scoring(self._index, self._paths, settings, self._selector)
        self._housekeeping = Housekeeping(self._index, self._paths, settings)
        self._unheard: list[Event] = []
        self._told = 0
        self._opened = self._index.opened
        self._leaving = ""
        self._began_at = self._tidied_at = self._looked_at = self._turned_at = time.monotonic()

    @property
    def was_idle(self) -> bool:
        """Whether it left because there was nothing to do."""
        return self._leaving == _IDLE

    def run(self) -> None:
        """Serve until idle for long, the lock is lost, or a signal arrives."""
        signal.signal(signal.SIGTERM, self._note_signal)
        signal.signal(signal.SIGINT, self._note_signal)
        try:
            self._end_leftovers()
            self._lock.announce(self._notifications.path)
            _LOG.info("supervisor started", extra={"outputs": str(self._settings.outputs)})
            while not self._leaving:
                self._turn()
        finally:
            self._leave()

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._dispatcher.next_look()):
            if isinstance(key.data, str):
                self._pool.hear(key.data)
                self._scoring.hear(key.data)
            else:
                self._notifications.serve(key.fileobj)
        self._note_pause()
        if not self._lock.is_ours():  # checked first: without its folder, everything below fails
            self._leaving = "the lock was lost"
            return
        if (slots := self._pool.places(self._monitor.news())) is not None:
            self._obey(self._dispatcher.set_slots(slots))
        try:
            self._advance()
            self._scoring.step(has_idle_core=has_idle_core(self._dispatcher.cpu_renders))
            self._keep_house()
        except (IndexFailure, OSError):
            # A full disk or a locked index: the events are kept and processed again.
            _LOG.exception("the index cannot be used")
            time.sleep(_RETRY_S)

    def _note_pause(self) -> None:
        """Do not blame workers for silence while this process was stopped or starved."""
        now = time.monotonic()
        if now - self._turned_at > _LONG_TURN_S:
            self._dispatcher.excuse(now - self._turned_at)
        self._turned_at = now

    def _advance(self) -> None:
        """Step the dispatcher until it has no more orders."""
        while True:
            self._unheard += self._pool.events()
            if self._opened != self._index.opened:
                self._opened = self._index.opened
                self._dispatcher.look_again()
            orders = self._dispatcher.step(self._unheard)
            self._unheard = []
            self._obey(orders)
            if not (orders or self._dispatcher.is_publishing_due):
                break
        revision = self._index.revision()
        if revision != self._told:
            self._told = revision
            self._notifications.broadcast(revision)

    def _obey(self, orders: list[Order]) -> None:
        for order in orders:
            match order:
                case Tell(slot_name=slot_name, message=message):
                    self._pool.tell(slot_name, message)
                case End(slot_name=slot_name, at_once=at_once):
                    self._pool.end(slot_name, at_once=at_once)
                case Start(slot=slot):
                    if (worker := self._pool.start(slot)) is not None:
                        self._dispatcher.started(slot.name, worker)

    def _keep_house(self) -> None:
        now = time.monotonic()
        if self._notifications.take_wake() or self._scoring.busy:
            self._dispatcher.busy_at = now
        if now - self._dispatcher.busy_at > self._patience_s():
            self._leaving = _IDLE
        if now - self._looked_at > _LOOK_S:
            self._looked_at = now
            self._notifications.keep_reachable()
            if self._dispatcher.has_workers or now - self._began_at > _SERVED_S:
                self._paths.start_errors.unlink(missing_ok=True)
        if self._dispatcher.is_calm or now - self._began_at > _FIRST_WORK_S:
            self._pool.keep_spares()
        if now - self._tidied_at > _HOUSEKEEPING_S:
            self._tidied_at = now
            self._index.checkpoint()
            rotate(self._paths.log)
            self._housekeeping.tidy()

    def _patience_s(self) -> float:
        """Return how long to stay without work: all processes of a workbench at rest cost memory."""
        costly = self._settings.cluster or self._dispatcher.holds_model
        unload_s = self._settings.idle_unload_s if costly else 0.0
        return max(self._settings.idle_exit_s, unload_s)

    def _end_leftovers(self) -> None:
        """End workers that outlived an earlier supervisor."""
        with self._index.write() as writer:
            for worker in Ledger(1).workers(writer):
                if same_process(worker):
                    kill_group(worker.pid)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._leaving = signal.Signals(number).name

    def _leave(self) -> None:
        _LOG.info("supervisor leaves", extra={"reason": self._leaving or "an error"})
        self._monitor.stop()
        self._notifications.close()
        self._scoring.close()
        self._pool.close()
        try:
            self._dispatcher.close("its supervisor left")
        except (IndexFailure, OSError):
            _LOG.exception("running jobs could not be requeued; the next supervisor will do it")
        self._index.close()
        self._selector.close()
        if self._leaving:  # otherwise an error propagates and is reported to clients
            self._paths.start_errors.unlink(missing_ok=True)
        _LOG.info("supervisor left")


def _pool(
    settings: Settings, selector: selectors.BaseSelector, spare_workers: list[SpareWorker]
) -> WorkerPool:
    if not settings.cluster:
        return WorkerPool(selector, spare_workers, spare_count=settings.spare_workers)
    from workbench.jobs.cluster.worker_pool import ClusterWorkerPool  # noqa: PLC0415  only where it was chosen

    return ClusterWorkerPool(settings, selector, spare_workers)


def supervise(lock_descriptor: int, spare_workers: list[SpareWorker]) -> bool:
    """Supervise outputs/ under a held lock, with workers that are starting.

    Returns whether work arrived while an idle supervisor was leaving: the client may have woken
    that one without noticing. Takes over ``spare_workers``; the caller must end those left in it
    if this raises.
    """
    settings = Settings()
    lock = SupervisorLock(JobPaths(settings.outputs), lock_descriptor)
    supervisor = Supervisor(settings, lock, spare_workers)
    try:
        supervisor.run()
    finally:
        lock.leave()
    return supervisor.was_idle and _work_waits(settings)


def _work_waits(settings: Settings) -> bool:
    index = open_store(settings)
    try:
        with index.write() as writer:
            return any(Ledger(1).waiting(writer, 1).values())
    except IndexFailure:
        return False
    finally:
        index.close()
