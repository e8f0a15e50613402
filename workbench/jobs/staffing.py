"""How long a seat's worker may be silent, busy or idle, and which seats get a worker next.

Pure rules over seats; knows neither the index nor processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from workbench.jobs.messages import Leave
from workbench.jobs.seats import Order, Seat, SeatState, Start, Tell
from workbench.settings import Settings

__all__ = ["CANCELLED", "TIMEOUT", "Limits", "staff"]

TIMEOUT: Final = "the render took too long"
CANCELLED: Final = "the render did not heed its cancellation"
_LEAVE_LIMIT_S: Final = 30.0


class Limits:
    """What a worker is allowed, by the settings."""

    def __init__(self, settings: Settings, stopped: Callable[[int], bool]) -> None:
        self._settings = settings
        self._stopped = stopped

    def overdue(self, seat: Seat, now: float) -> str:
        """Return why the seat's worker must be ended, or an empty string."""
        if seat.state is SeatState.EMPTY:
            return ""
        if seat.state is SeatState.LEAVING:
            return "its worker did not leave" if now - seat.since > _LEAVE_LIMIT_S else ""
        silent_s = now - seat.heard_at
        if silent_s > self._settings.lease_s and silent_s > self._silence_limit_s(seat):
            return f"its worker was silent for {silent_s:.1f} s"
        if seat.state is not SeatState.BUSY:
            return ""
        if now - seat.since > self._settings.render_timeout_s:
            return TIMEOUT
        asked_s = 0.0 if seat.cancelled_at is None else now - seat.cancelled_at
        return CANCELLED if asked_s > self._settings.cancel_grace_s else ""

    def is_spent(self, seat: Seat, now: float) -> bool:
        """Tell whether a worker was idle for so long that its device should be given back."""
        idle = seat.state is SeatState.IDLE and now - seat.since > self._settings.idle_unload_s
        return idle and (bool(seat.loaded) or not seat.kept_warm)

    def _silence_limit_s(self, seat: Seat) -> float:
        """Return how long a worker may be silent.

        Loading libraries and models holds the interpreter's lock for seconds at a time, so a
        worker that loads is given longer, unless it is plainly stopped.
        """
        patient = seat.loading or seat.state is SeatState.STARTING
        if patient and seat.worker and not self._stopped(seat.worker.pid):
            return max(self._settings.lease_s, self._settings.worker_start_timeout_s)
        return self._settings.lease_s


def staff(
    seats: Iterable[Seat],
    waiting: Mapping[str, int],
    now: float,
    *,
    limits: Limits,
    paused: Callable[[Seat], bool],
) -> list[Order]:
    """Start workers where jobs wait for one, keep a few warm, and let long idle ones go.

    CPU workers come first: what they draw is there long before a GPU has loaded its model.
    """
    seats = sorted(seats, key=lambda seat: seat.slot.kind != "cpu")
    orders: list[Order] = []
    coming = dict.fromkeys(waiting, 0)
    for seat in seats:
        if seat.state is SeatState.STARTING:
            for lane in seat.slot.lanes:
                coming[lane] += 1
    for seat in seats:
        wanted = any(waiting[lane] > coming[lane] for lane in seat.slot.lanes)
        if seat.state is SeatState.EMPTY and (seat.kept_warm or wanted):
            if seat.gone or paused(seat) or now < seat.start_after:
                continue
            seat.enter(SeatState.STARTING, now)
            orders.append(Start(seat.slot))
            for lane in seat.slot.lanes:
                coming[lane] += 1
        elif limits.is_spent(seat, now):
            seat.enter(SeatState.LEAVING, now)
            orders.append(Tell(seat.slot.name, Leave()))
    return orders
