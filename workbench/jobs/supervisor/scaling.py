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

    def overdue(self, slot: WorkerSlot, now: float) -> str:
        """Return why the slot's worker must be ended, or an empty string."""
        if slot.state is WorkerState.EMPTY:
            return ""
        if slot.state is WorkerState.LEAVING:
            return "its worker did not leave" if now - slot.since > _LEAVE_LIMIT_S else ""
        silent_s = now - slot.heard_at
        if silent_s > self._settings.lease_s and silent_s > self._silence_limit_s(slot):
            return f"its worker was silent for {silent_s:.1f} s"
        if slot.state is not WorkerState.BUSY:
            return ""
        if now - slot.since > self._settings.render_timeout_s:
            return TIMEOUT
        asked_s = 0.0 if slot.cancelled_at is None else now - slot.cancelled_at
        return CANCELLED if asked_s > self._settings.cancel_grace_s else ""

    def is_spent(self, slot: WorkerSlot, now: float) -> bool:
        """Tell whether a worker was idle long enough to release its device."""
        idle = slot.state is WorkerState.IDLE and now - slot.since > self._settings.idle_unload_s
        return idle and (bool(slot.loaded) or not slot.kept_warm)

    def _silence_limit_s(self, slot: WorkerSlot) -> float:
        """Return how long a worker may be silent.

        Loading libraries and models holds the GIL for seconds at a time, so a
        worker that loads is given longer, unless it is stopped.
        """
        patient = slot.loading or slot.state is WorkerState.STARTING
        if patient and slot.worker and not self._stopped(slot.worker.pid):
            return max(self._settings.lease_s, self._settings.worker_start_timeout_s)
        return self._settings.lease_s


def staff(
    slots: Iterable[WorkerSlot],
    waiting: Mapping[str, int],
    now: float,
    *,
    limits: Limits,
    paused: Callable[[WorkerSlot], bool],
) -> list[Order]:
    """Start workers for waiting jobs, keep a few warm, and end those idle for long.

    CPU workers start first: animatics are complete long before a GPU has loaded a model.
    """
    slots = sorted(slots, key=lambda slot: slot.slot.kind != "cpu")
    orders: list[Order] = []
    coming = dict.fromkeys(waiting, 0)
    for slot in slots:
        if slot.state is WorkerState.STARTING:
            for queue in slot.slot.queues:
                coming[queue] += 1
    for slot in slots:
        wanted = any(waiting[queue] > coming[queue] for queue in slot.slot.queues)
        if slot.state is WorkerState.EMPTY and (slot.kept_warm or wanted):
            if slot.gone or paused(slot) or now < slot.start_after:
                continue
            slot.enter(WorkerState.STARTING, now)
            orders.append(Start(slot.slot))
            for queue in slot.slot.queues:
                coming[queue] += 1
        elif limits.is_spent(slot, now):
            slot.enter(WorkerState.LEAVING, now)
            orders.append(Tell(slot.slot.name, Leave()))
    return orders
