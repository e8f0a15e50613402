"""Decides which device renders which job, and what becomes of a job when things go wrong.

One step takes what happened and returns what is to be done; everything between is one transaction.
Knows the store and the files; knows no process, socket or signal.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from workbench.jobs.devices import Slot
from workbench.jobs.messages import (
    Beat,
    Cancel,
    Decoded,
    Failed,
    FailReason,
    Ready,
    Render,
    Rendered,
    Reported,
)
from workbench.jobs.outcomes import Outcomes
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import Identity, is_stopped
from workbench.jobs.seats import (
    Arrived,
    End,
    Event,
    Held,
    Lost,
    Order,
    Seat,
    SeatState,
    Tell,
)
from workbench.jobs.staffing import CANCELLED, TIMEOUT, Limits, staff
from workbench.jobs.store import Index, Ledger, Writer
from workbench.jobs.store.ledger import Claim
from workbench.settings import Settings

__all__ = ["Dispatcher"]

_WARM_CPU_WORKERS: Final = 2
_MAX_BACKOFF_S: Final = 30.0
_HELD_RETRY_S: Final = 3.0
_LOG = logging.getLogger("workbench.jobs")


class Dispatcher:
    """The seats, the queue, and the rules between them."""

    def __init__(
        self,
        index: Index,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        stopped: Callable[[int], bool] = is_stopped,
        warm_cpu_workers: int = _WARM_CPU_WORKERS,
    ) -> None:
        self._index = index
        self._settings = settings
        self._paths = JobPaths(settings.outputs)
        self._ledger = Ledger(settings.max_attempts)
        self._outcomes = Outcomes(self._ledger, self._paths)
        self._clock = clock
        self._limits = Limits(settings, stopped)
        self._warm = warm_cpu_workers
        self._seats: dict[str, Seat] = {}
        self._seen: tuple[int, int, int] | None = None
        self._paused: frozenset[str] = frozenset()
        self._stale = True
        self._work_waits = False
        self.busy_at = clock()
        """When there last was work."""

    @property
    def seats(self) -> tuple[Seat, ...]:
        """All seats, as they are."""
        return tuple(self._seats.values())

    @property
    def is_calm(self) -> bool:
        """Whether no worker is starting or rendering, and no job waits for one."""
        resting = {SeatState.EMPTY, SeatState.IDLE}
        seats = self._seats.values()
        return not self._work_waits and all(s.state in resting and not s.claims for s in seats)

    def set_slots(self, slots: Sequence[Slot]) -> list[Order]:
        """Take note of the devices that are there now; a worker whose device left is ended."""
        names = {slot.name: slot for slot in slots}
        now = self._clock()
        # Machines of a cluster come and go, often under new names; this machine's devices come back.
        for name in [name for name, seat in self._seats.items() if seat.is_forgotten(now)]:
            del self._seats[name]
        orders: list[Order] = []
        for seat in self._seats.values():
            seat.gone = names.get(seat.slot.name) is None
            if seat.gone and seat.state not in {SeatState.EMPTY, SeatState.LEAVING}:
                seat.detail = "the device is gone"
                orders.append(End(seat.slot.name, at_once=True))
            elif not seat.gone:
                seat.slot = names[seat.slot.name]
        for name, slot in names.items():
            if name not in self._seats:
                warm = sum(seat.kept_warm for seat in self._seats.values())
                keep = slot.kind == "cpu" and not slot.host and warm < self._warm
                self._seats[name] = Seat(slot, kept_warm=keep)
        self._stale = True
        return orders

    def started(self, name: str, worker: Identity) -> None:
        """Take note that a worker was started on a seat."""
        self._seats[name].worker = worker

    def step(self, events: Sequence[Event]) -> list[Order]:
        """Take note of ``events`` and return what is to be done about them, and about time passing.

        All or nothing: when the index cannot be written, the error passes through and nothing has
        happened, so that the same events can be brought again.
        """
        now = self._clock()
        news = [event for event in events if not self._is_beat(event, now)]
        if self._work_waits or any(seat.claims for seat in self._seats.values()):
            self.busy_at = now
        due = self._stale or self._is_due(now)
        if not (news or due or self._seen != self._index.version()):
            return []
        before = {name: seat.copy() for name, seat in self._seats.items()}
        try:
            orders = self._transact(news, now)
        except BaseException:
            self._seats = before
            self.look_again()
            raise
        self._seen = self._index.version()
        self._stale = False
        return orders

    def excuse(self, seconds: float) -> None:
        """Count no silence of so long against the workers: nobody listened meanwhile."""
        for seat in self._seats.values():
            seat.heard_at += seconds

    def look_again(self) -> None:
        """Take nothing for known: the index may be another one."""
        self._stale = True
        self._ledger.forget_devices()

    def close(self, reason: str) -> None:
        """Put every running job back; their workers are about to be ended."""
        with self._index.write() as writer:
            for row in self._ledger.running(writer):
                self._outcomes.interrupted(writer, row, reason)
            self._ledger.say_devices(writer, [])

    def next_look(self) -> float:
        """Return seconds until something is due by itself."""
        now = self._clock()
        waits = [seat.start_after - now for seat in self._seats.values() if seat.start_after > now]
        return max(0.01, min([*waits, self._settings.heartbeat_s]))

    def _transact(self, news: Sequence[Event], now: float) -> list[Order]:
        orders: list[Order] = []
        with self._index.write() as writer:
            for event in news:
                orders += self._note(writer, event, now)
            orders += self._enforce(writer, now)
            orders += self._pass_cancels_on(writer, now)
            self._paused = self._ledger.paused(writer)
            orders += self._assign(writer, now)
            orders += self._staff(writer, now)
            rows = [seat.row(paused=self._is_paused(seat)) for seat in self._seats.values()]
            self._ledger.say_devices(writer, rows)
        return orders

    # what happened

    def _is_beat(self, event: Event, now: float) -> bool:
        seat = self._seats[event.seat]
        if isinstance(event, Arrived):
            seat.heard_at = now
            return isinstance(event.message, Beat)
        return False

    def _note(self, writer: Writer, event: Event, now: float) -> list[Order]:
        seat = self._seats[event.seat]
        match event:
            case Held(reason=reason, lease=lease):
                seat.enter(SeatState.EMPTY, now)
                self._note_failed_start(seat, reason, now, held=lease)
            case Lost(worker=worker) if worker != seat.worker:
                pass
            case Lost(reason=reason):
                self._note_lost(writer, seat, reason, now)
            case Arrived(message=Ready(loaded=loaded)) if seat.state is SeatState.STARTING:
                seat.enter(SeatState.IDLE, now)
                seat.loaded = loaded
                seat.failures, seat.detail, seat.held = 0, "", False
            case Arrived(message=(Rendered() | Failed()) as message) if late := _claim_of(
                seat.finishing, message
            ):
                seat.finishing = tuple(claim for claim in seat.finishing if claim is not late)
                self._note_end(writer, seat, late, message)
            case Arrived(message=(Reported() | Decoded() | Rendered() | Failed()) as message) if (
                seat.state is SeatState.BUSY and seat.claim and _claim_of((seat.claim,), message)
            ):
                return self._note_render(writer, seat, seat.claim, message, now)
            case _:
                pass
        return []

    def _note_render(
        self,
        writer: Writer,
        seat: Seat,
        claim: Claim,
        message: Reported | Decoded | Rendered | Failed,
        now: float,
    ) -> list[Order]:
        if isinstance(message, Reported):
            seat.loading = message.stage == "loading"
            self._outcomes.report(writer, message)
            return []
        seat.claim, seat.cancelled_at, seat.loading = None, None, False
        replaced = isinstance(message, Failed) and message.reason is FailReason.DEVICE
        if isinstance(message, Decoded):
            seat.loaded = claim.model_key
            seat.finishing = (*seat.finishing, claim)
        else:
            self._note_end(writer, seat, claim, message)
        seat.enter(SeatState.LEAVING if replaced else SeatState.IDLE, now)
        return [End(seat.slot.name, at_once=False)] if replaced else []

    def _note_end(
        self, writer: Writer, seat: Seat, claim: Claim, message: Rendered | Failed
    ) -> None:
        if isinstance(message, Rendered):
            seat.loaded = seat.loaded if seat.claim else claim.model_key
            self._outcomes.rendered(writer, claim, message, seat.slot.kind)
        else:
            self._outcomes.failed(writer, claim, message)

    def _note_lost(self, writer: Writer, seat: Seat, reason: str, now: float) -> None:
        if seat.claim is not None:
            self._outcomes.crashed(writer, seat.claim, reason)
        self._give_up_finishing(writer, seat, reason)
        starting = seat.state is SeatState.STARTING
        seat.claim, seat.worker, seat.loaded, seat.cancelled_at = None, None, "", None
        seat.enter(SeatState.EMPTY, now)
        if starting:
            self._note_failed_start(seat, reason, now, held=False)

    def _give_up_finishing(self, writer: Writer, seat: Seat, reason: str) -> None:
        for claim in seat.finishing:
            self._outcomes.unfinished(writer, claim, reason)
        seat.finishing = ()

    def _note_failed_start(self, seat: Seat, reason: str, now: float, *, held: bool) -> None:
        seat.detail, seat.held = reason, held
        if held:
            seat.start_after = now + _HELD_RETRY_S
            return
        seat.failures += 1
        seat.start_after = now + min(_MAX_BACKOFF_S, 0.5 * 2**seat.failures)
        _LOG.warning("no worker", extra={"device": seat.slot.name, "reason": reason})

    # what is overdue

    def _is_due(self, now: float) -> bool:
        """Tell whether anything is to be done because time has passed."""
        due = False
        for seat in self._seats.values():
            if seat.state is SeatState.EMPTY and 0 < seat.start_after <= now:
                seat.start_after, due = 0.0, True
            due = due or self._limits.is_spent(seat, now) or bool(self._limits.overdue(seat, now))
        return due

    def _enforce(self, writer: Writer, now: float) -> list[Order]:
        orders: list[Order] = []
        for seat in self._seats.values():
            if not (reason := self._limits.overdue(seat, now)):
                continue
            _LOG.warning("worker ended", extra={"device": seat.slot.name, "reason": reason})
            if seat.claim is not None:
                if reason == TIMEOUT:
                    self._outcomes.timed_out(writer, seat.claim, self._settings.render_timeout_s)
                elif reason == CANCELLED:
                    self._outcomes.cancelled(writer, seat.claim)
                else:
                    self._outcomes.crashed(writer, seat.claim, reason)
            self._give_up_finishing(writer, seat, reason)
            if seat.state is SeatState.STARTING:
                self._note_failed_start(seat, reason, now, held=False)
            seat.claim, seat.cancelled_at, seat.loaded = None, None, ""
            seat.enter(SeatState.LEAVING, now)
            orders.append(End(seat.slot.name, at_once=reason not in {TIMEOUT, CANCELLED}))
        return orders

    def _pass_cancels_on(self, writer: Writer, now: float) -> list[Order]:
        held = {(s.claim.job_id, s.claim.attempt): s for s in self._seats.values() if s.claim}
        # What is only being written can no longer be cancelled: it is as good as done.
        late = {(c.job_id, c.attempt) for s in self._seats.values() for c in s.finishing}
        current = {}
        for row in self._ledger.running(writer):
            key = (row.job_id, row.attempt)
            current[key] = row
            if (
                key not in held and key not in late
            ):  # nobody renders it: an earlier supervisor's, or another index's
                self._outcomes.interrupted(writer, row, "its supervisor went away")
        orders: list[Order] = []
        for key, seat in held.items():
            unwanted = key not in current or current[key].cancel_requested
            if unwanted and seat.cancelled_at is None:
                seat.cancelled_at = now
                orders.append(Tell(seat.slot.name, Cancel(*key)))
        return orders

    # what is next

    def _is_paused(self, seat: Seat) -> bool:
        return seat.slot.is_paused(self._paused)

    def _assign(self, writer: Writer, now: float) -> list[Order]:
        idle = [
            seat
            for seat in self._seats.values()
            if seat.state is SeatState.IDLE and not seat.gone and not self._is_paused(seat)
        ]
        orders: list[Order] = []
        while idle:
            # A worker that has the next job's model loaded goes before one that has not.
            model = self._ledger.next_model(writer, idle[0].slot.lanes)
            seat = next((s for s in idle if model and s.loaded == model), idle[0])
            idle.remove(seat)
            slot = seat.slot
            claim = self._ledger.claim(writer, slot.lanes, slot.name, slot.gpu_id, seat.loaded)
            if claim is None:
                continue
            seat.claim, seat.cancelled_at, seat.loading = claim, None, True
            seat.enter(SeatState.BUSY, now)
            self.busy_at = now
            try:
                files = self._paths.job(claim.job_id, claim.batch_id)
                # There before anyone renders: a new index counts attempts by their folders.
                with suppress(OSError):
                    files.attempt(claim.attempt).folder.mkdir(parents=True, exist_ok=True)
                recipe = self._outcomes.recipe(claim, slot)
            except ValueError as error:  # damaged in the index: no worker could do better
                self._outcomes.unreadable(writer, claim, error)
                seat.claim = None
                seat.enter(SeatState.IDLE, now)
                continue
            orders.append(
                Tell(slot.name, Render(claim.job_id, claim.attempt, recipe, str(files.folder)))
            )
        return orders

    def _staff(self, writer: Writer, now: float) -> list[Order]:
        waiting = self._ledger.waiting(writer, len(self._seats) + 1)
        self._work_waits = any(waiting.values()) and "" not in self._paused
        seats = self._seats.values()
        return staff(seats, waiting, now, limits=self._limits, paused=self._is_paused)


def _claim_of(
    claims: Sequence[Claim], message: Reported | Decoded | Rendered | Failed
) -> Claim | None:
    """Return the claim among ``claims`` that ``message`` speaks of."""
    key = message.job_id, message.attempt
    return next((claim for claim in claims if (claim.job_id, claim.attempt) == key), None)
