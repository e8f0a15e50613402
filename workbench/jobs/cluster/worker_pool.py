"""The workers of this machine and of its cluster as one pool; remote slots have ``/`` in their name.

Without a cluster there is only this machine's worker pool, and nothing of the cluster is loaded.
"""

from __future__ import annotations

import selectors
from dataclasses import replace

from workbench.jobs.cluster.remote_worker_pool import BRIDGE, RemoteWorkerPool
from workbench.jobs.devices import Slot
from workbench.jobs.messages import Message
from workbench.jobs.processes import Identity
from workbench.jobs.supervisor.spare_workers import SpareWorker
from workbench.jobs.supervisor.worker_pool import WorkerPool
from workbench.jobs.supervisor.worker_slots import Event
from workbench.settings import Settings

__all__ = ["ClusterWorkerPool"]


class ClusterWorkerPool(WorkerPool):
    """A worker pool that includes the slots beyond the bridge."""

    def __init__(
        self, settings: Settings, selector: selectors.BaseSelector, spare_workers: list[SpareWorker]
    ) -> None:
        super().__init__(selector, spare_workers, spare_count=settings.spare_workers)
        self._remote = RemoteWorkerPool(settings, selector)
        self._has_own = settings.cluster == "local"
        self._here: tuple[Slot, ...] = ()

    def places(self, here: tuple[Slot, ...] | None) -> tuple[Slot, ...] | None:
        """Return all slots, if this machine's changed to ``here`` or the cluster's changed."""
        there = self._remote.news()
        if here is None and there is None:
            return None
        if here is not None and self._has_own:
            here = tuple(slot for slot in here if slot.kind == "cpu")
        self._here = self._here if here is None else here
        return _share_queues(self._here, self._remote.slots)

    def start(self, slot: Slot) -> Identity | None:
        """Start a worker on ``slot``; None on failure, which an event explains."""
        return self._remote.start(slot) if slot.host else super().start(slot)

    def tell(self, slot_name: str, message: Message) -> None:
        """Send ``message`` to a worker; one that does not read is ended."""
        if _is_elsewhere(slot_name):
            self._remote.tell(slot_name, message)
        else:
            super().tell(slot_name, message)

    def end(self, slot_name: str, *, at_once: bool) -> None:
        """End a worker and its process group: at once, or after a grace period."""
        if _is_elsewhere(slot_name):
            self._remote.end(slot_name, at_once=at_once)
        else:
            super().end(slot_name, at_once=at_once)

    def hear(self, slot_name: str) -> None:
        """Read the messages of a worker or the bridge."""
        if slot_name == BRIDGE:
            self._remote.hear()
        else:
            super().hear(slot_name)

    def events(self) -> list[Event]:
        """Return the events since the last call."""
        return super().events() + self._remote.events()

    def close(self) -> None:
        """End every worker and wait for it."""
        self._remote.close()
        super().close()


def _is_elsewhere(slot_name: str) -> bool:
    return "/" in slot_name


def _share_queues(here: tuple[Slot, ...], there: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Return the slots here and in the cluster with the queues that each serves.

    With a cluster, GPUs may join at any time, so jobs that need one never run on a CPU.
    """
    places = []
    processors = any(slot.kind == "cpu" for slot in (*here, *there))
    for slot in (*here, *there):
        queues = slot.queues
        if slot.kind == "cpu":
            queues = tuple(queue for queue in queues if queue != "gpu")
        elif slot.host and not processors:
            queues = ("gpu", "slow", "cpu")
        places.append(replace(slot, queues=queues))
    return tuple(places)
