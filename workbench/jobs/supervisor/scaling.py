"""Limits on silent, busy and idle workers, and which slots get a worker next.

Pure rules over slots; knows neither the index nor processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from workbench.jobs.messages import Leave
from workbench.jobs.supervisor.worker_slots import Order, Start, Tell, WorkerSlot, WorkerState
from workbench.settings import Settings

__all__ = ["CANCELLED", "TIMEOUT", "Limits", "staff"]

TIMEOUT: Final = "the render took too long"
CANCELLED: Final = "the render did not heed its cancellation"
_LEAVE_LIMIT_S: Final = 30.0


class Limits:
    """The limits on a worker, from the settings."""

    def __init__(self, settings: Settings, stopped: Callable[[int], bool]) -> None:
        self._settings = settings
        self._stopped = stopped

    def overdue(self, worker_slot: WorkerSlot, now: float) -> str:
        """Return why the slot's worker must be ended, or an empty string."""
        if worker_slot.state is WorkerState.EMPTY:
            return ""
        if worker_slot.state is WorkerState.LEAVING:
            return "its worker did not leave" if now - worker_slot.since > _LEAVE_LIMIT_S else ""
        silent_s = now - worker_slot.heard_at
        if silent_s > self._settings.lease_s and silent_s > self._silence_limit_s(worker_slot):
            return f"its worker was silent for {silent_s:.1f} s"
        if worker_slot.state is not WorkerState.BUSY:
            return ""
        if now - worker_slot.since > self._settings.render_timeout_s:
            return TIMEOUT
        asked_s = 0.0 if worker_slot.cancelled_at is None else now - worker_slot.cancelled_at
        return CANCELLED if asked_s > self._settings.cancel_grace_s else ""

    def is_spent(self, worker_slot: WorkerSlot, now: float) -> bool:
        """Tell whether a worker was idle long enough to release its device."""
        idle = (
            worker_slot.state is WorkerState.IDLE
            and now - worker_slot.since > self._settings.idle_unload_s
        )
        return idle and (bool(worker_slot.loaded) or not worker_slot.kept_warm)

    def _silence_limit_s(self, worker_slot: WorkerSlot) -> float:
        """Return how long a worker may be silent.

        Loading libraries and models holds the interpreter's lock for seconds at a time, so a
        worker that loads is given longer, unless it is stopped.
        """
        patient = worker_slot.loading or worker_slot.state is WorkerState.STARTING
        if patient and worker_slot.worker and not self._stopped(worker_slot.worker.pid):
            return max(self._settings.lease_s, self._settings.worker_start_timeout_s)
        return self._settings.lease_s


def staff(
    worker_slots: Iterable[WorkerSlot],
    waiting: Mapping[str, int],
    now: float,
    *,
    limits: Limits,
    paused: Callable[[WorkerSlot], bool],
) -> list[Order]:
    """Start workers for waiting jobs, keep a few warm, and end those idle for long.

    CPU workers start first: animatics are complete long before a GPU has loaded its model.
    """
    worker_slots = sorted(worker_slots, key=lambda worker_slot: worker_slot.slot.kind != "cpu")
    orders: list[Order] = []
    coming = dict.fromkeys(waiting, 0)
    for worker_slot in worker_slots:
        if worker_slot.state is WorkerState.STARTING:
            for queue in worker_slot.slot.queues:
                coming[queue] += 1
    for worker_slot in worker_slots:
        wanted = any(waiting[queue] > coming[queue] for queue in worker_slot.slot.queues)
        if worker_slot.state is WorkerState.EMPTY and (worker_slot.kept_warm or wanted):
            if worker_slot.gone or paused(worker_slot) or now < worker_slot.start_after:
                continue
            worker_slot.enter(WorkerState.STARTING, now)
            orders.append(Start(worker_slot.slot))
            for queue in worker_slot.slot.queues:
                coming[queue] += 1
        elif limits.is_spent(worker_slot, now):
            worker_slot.enter(WorkerState.LEAVING, now)
            orders.append(Tell(worker_slot.slot.name, Leave()))
    return orders
