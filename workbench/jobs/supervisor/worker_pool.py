"""Starts, messages and ends the worker processes of one supervisor. Knows nothing of jobs."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from workbench.jobs.channel import Channel
from workbench.jobs.devices import Slot
from workbench.jobs.messages import (
    Addressed,
    AssignDevice,
    ClusterLost,
    ClusterSeen,
    Message,
    NoWorker,
    WorkerLost,
)
from workbench.jobs.processes import Identity, identify, kill_group
from workbench.jobs.supervisor.leases import take_lease
from workbench.jobs.supervisor.spare_workers import WORKER_MODULE, SpareWorker, prestart
from workbench.jobs.supervisor.worker_slots import Event

__all__ = ["WorkerPool"]

_SEND_TIMEOUT_S: Final = 2.0
_TERM_GRACE_S: Final = 3.0
_REAP_S: Final = 2.0
_PRESTART_EVERY_S: Final = 1.0
"""Back off when spare workers crash on start."""
_LOG = logging.getLogger("workbench.jobs")


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    channel: Channel
    identity: Identity
    kill_at: float | None = None


class WorkerPool:
    """The workers, one per slot. :meth:`events` reports what happens to them."""

    worker_module = WORKER_MODULE

    def __init__(
        self,
        selector: selectors.BaseSelector,
        spare_workers: list[SpareWorker] | None = None,
        *,
        spare_count: int = 0,
    ) -> None:
        """Take over ``spare_workers`` that are starting; keep ``spare_count`` ready."""
        self._selector = selector
        self._spare_workers = [] if spare_workers is None else spare_workers
        self._spare_count = spare_count
        self._prestart_after = 0.0
        self._workers: dict[str, _Worker] = {}
        self._leases: dict[str, tuple[int, set[str]]] = {}
        """GPU → the descriptor of its lease, and the slots that share it."""
        self._events: list[Event] = []

    def places(self, here: tuple[Slot, ...] | None) -> tuple[Slot, ...] | None:
        """Return all slots when they change; ``here`` are this machine's, if these changed."""
        return here

    def start(self, slot: Slot) -> Identity | None:
        """Start a worker on ``slot``; None on failure, which an event explains."""
        if slot.uuid is not None and not self._take_lease(slot, slot.uuid):
            return None
        try:
            spare = self._take_spare()
        except OSError as error:
            self._release(slot.name)
            self._refuse(slot, f"no worker can be started: {error}", held=False)
            return None
        channel = Channel(spare.line, send_timeout_s=_SEND_TIMEOUT_S)
        leases = [lease for uuid, (lease, _) in self._leases.items() if uuid == slot.uuid]
        with suppress(OSError):  # a dead worker is detected by its closed socket
            channel.send_first(AssignDevice(slot.name, self.environment(slot)), leases)
        pid = spare.process.pid
        identity = identify(pid) or Identity(pid, 0.0, "")
        self._workers[slot.name] = _Worker(spare.process, channel, identity)
        self._selector.register(channel, selectors.EVENT_READ, slot.name)
        return identity

    def keep_spares(self) -> None:
        """Keep spare workers ready to replace a lost worker.

        Call it when no job waits for a worker: a start takes a second of processor time.
        """
        self._spare_workers[:] = [spare for spare in self._spare_workers if spare.alive]
        now = time.monotonic()
        if len(self._spare_workers) >= self._spare_count or now < self._prestart_after:
            return
        self._prestart_after = now + _PRESTART_EVERY_S
        with suppress(OSError):  # reported when a worker is needed
            self._spare_workers.append(prestart(self.worker_module))

    def tell(self, slot_name: str, message: Message) -> None:
        """Send ``message`` to a worker; one that does not read is ended."""
        worker = self._workers.get(slot_name)
        if worker is None:
            return
        try:
            worker.channel.send(message)
        except OSError as error:
            self._lose(slot_name, f"its worker did not listen ({error})")

    def end(self, slot_name: str, *, at_once: bool) -> None:
        """End a worker and its process group: at once, or after a grace period."""
        worker = self._workers.get(slot_name)
        if worker is None:
            return
        if at_once:
            kill_group(worker.process.pid, signal.SIGKILL)
        else:
            kill_group(worker.process.pid, signal.SIGTERM)
            worker.kill_at = time.monotonic() + _TERM_GRACE_S

    def hear(self, slot_name: str) -> None:
        """Read the messages of a worker whose channel is readable."""
        worker = self._workers.get(slot_name)
        if worker is None:
            return
        try:
            messages = worker.channel.receive()
        except ValueError:
            messages = None
            kill_group(worker.process.pid)
        if messages is None:
            self._lose(slot_name, "")
            return
        for message in messages:
            if isinstance(message, WorkerLost):  # its own last words
                self._lose(slot_name, message.reason)
                return
            if not isinstance(message, Addressed | ClusterSeen | ClusterLost):  # only from a bridge
                self._events.append(Event(slot_name, message))

    def events(self) -> list[Event]:
        """Return the events since the last call."""
        now = time.monotonic()
        for worker in self._workers.values():
            if worker.kill_at is not None and now > worker.kill_at:
                kill_group(worker.process.pid, signal.SIGKILL)
                worker.kill_at = now + _TERM_GRACE_S
        events, self._events = self._events, []
        return events

    def environment(self, slot: Slot) -> dict[str, str]:
        """Return the variables that limit a worker on ``slot`` to its device."""
        visible = "" if slot.uuid is None else slot.uuid
        return {"CUDA_VISIBLE_DEVICES": visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}

    def close(self) -> None:
        """End every worker and wait for it."""
        for worker in self._workers.values():
            kill_group(worker.process.pid, signal.SIGTERM)
        while self._spare_workers:
            self._spare_workers.pop().dismiss()
        limit = time.monotonic() + _TERM_GRACE_S
        for slot_name, worker in list(self._workers.items()):
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(max(0.0, limit - time.monotonic()))
            self._lose(slot_name, "")
        self._events.clear()

    def _take_spare(self) -> SpareWorker:
        """Return a spare worker, or start one; raises ``OSError``."""
        while self._spare_workers:
            spare = self._spare_workers.pop(0)
            if spare.alive:
                return spare
            spare.dismiss()
        return prestart(self.worker_module)

    def _lose(self, slot_name: str, reason: str) -> None:
        worker = self._workers.pop(slot_name)
        self._selector.unregister(worker.channel)
        worker.channel.close()
        # Until it is waited for, its pid cannot be reused.
        kill_group(worker.process.pid, signal.SIGKILL)
        code = _reap(worker.process)
        self._release(slot_name)
        lost = WorkerLost(reason or _exit_reason(code))
        self._events.append(Event(slot_name, lost, worker.identity))

    def _refuse(self, slot: Slot, reason: str, *, held: bool) -> None:
        self._events.append(Event(slot.name, NoWorker(reason, held)))

    def _take_lease(self, slot: Slot, uuid: str) -> bool:
        if uuid in self._leases:
            self._leases[uuid][1].add(slot.name)
            return True
        try:
            lease = take_lease(uuid)
        except OSError as error:
            self._refuse(slot, f"the lease cannot be taken: {error}", held=True)
            return False
        if lease is None:
            self._refuse(slot, "another outputs/ folder on this machine uses this GPU", held=True)
            return False
        self._leases[uuid] = lease, {slot.name}
        return True

    def _release(self, slot_name: str) -> None:
        for uuid, (lease, slot_names) in list(self._leases.items()):
            slot_names.discard(slot_name)
            if not slot_names:
                os.close(lease)
                del self._leases[uuid]


def _reap(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(_REAP_S)
    except subprocess.TimeoutExpired:
        kill_group(process.pid, signal.SIGKILL)
        return process.wait()


def _exit_reason(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"its worker died of {signal.Signals(-code).name}"
    return f"its worker ended with status {code}"
