"""Decides which device renders which job, and what happens to a job on failure.

A step takes events and returns orders, in one transaction.
Knows the store and the files, not processes, sockets or signals.
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
    NoWorker,
    Ready,
    Render,
    Rendered,
    Reported,
    WorkerLost,
)
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import Identity, is_stopped
from workbench.jobs.publishing import renew_folder
from workbench.jobs.store import Index, Ledger, Requests, Writer
from workbench.jobs.store.ledger import QUEUES, Claim
from workbench.jobs.supervisor.outcomes import Outcomes
from workbench.jobs.supervisor.scaling import CANCELLED, TIMEOUT, Limits, staff
from workbench.jobs.supervisor.worker_slots import (
    End,
    Event,
    Order,
    Tell,
    WorkerSlot,
    WorkerState,
)
from workbench.settings import Settings

__all__ = ["Dispatcher"]

_WARM_CPU_WORKERS: Final = 2
_MAX_BACKOFF_S: Final = 30.0
_HELD_RETRY_S: Final = 3.0
_LINGER_S: Final = 0.02
"""How long a video may wait to be published with others, while jobs wait for the workers."""
_TOGETHER: Final = 16
"""Most videos to be published together."""
_LOG = logging.getLogger("workbench.jobs")


class Dispatcher:
    """The slots, the queue, and the rules between them."""

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
        self._requests = Requests(settings.max_queued_jobs)
        self._outcomes = Outcomes(self._ledger, self._paths)
        self._clock = clock
        self._limits = Limits(settings, stopped)
        self._warm = warm_cpu_workers
        self._slots: dict[str, WorkerSlot] = {}
        self._seen: tuple[int, int, int] | None = None
        self._paused: frozenset[str] = frozenset()
        self._stale = True
        self._work_waits = False
        self._reasons: dict[str, str] = dict.fromkeys(QUEUES, "unknown")
        """Why no job of a queue can start; empty if one can."""
        self.busy_at = clock()
        """When there last was work."""

    @property
    def worker_slots(self) -> tuple[WorkerSlot, ...]:
        """All slots."""
        return tuple(self._slots.values())

    @property
    def has_workers(self) -> bool:
        """Whether any worker is ready."""
        ready = {WorkerState.IDLE, WorkerState.BUSY}
        return any(slot.state in ready for slot in self._slots.values())

    @property
    def cpu_renders(self) -> int:
        """Number of workers that render on the processor of this machine."""
        slots = self._slots.values()
        return sum(s.slot.kind == "cpu" and not s.slot.host and bool(s.claims) for s in slots)

    @property
    def holds_model(self) -> bool:
        """Whether a worker keeps a model loaded, which takes long to load again."""
        return any(slot.loaded for slot in self._slots.values())

    @property
    def is_calm(self) -> bool:
        """Whether no worker is starting or rendering, and no job waits for one."""
        resting = {WorkerState.EMPTY, WorkerState.IDLE}
        slots = self._slots.values()
        return not self._work_waits and all(s.state in resting and not s.claims for s in slots)

    @property
    def has_unpublished(self) -> bool:
        """Whether a video is still to be published."""
        return any(slot.made for slot in self._slots.values())

    @property
    def is_publishing_due(self) -> bool:
        """Whether the next step publishes videos, with or without events."""
        made = [slot for slot in self._slots.values() if slot.made]
        if not made or not self._work_waits:
            return bool(made)
        waited_s = self._clock() - min(slot.made_at for slot in made)
        return waited_s >= _LINGER_S or sum(len(slot.made) for slot in made) >= _TOGETHER

    def set_slots(self, slots: Sequence[Slot]) -> list[Order]:
        """Update the slots; workers of removed devices are ended."""
        places = {place.name: place for place in slots}
        now = self._clock()
        # Cluster machines often return under new names; this machine's devices keep theirs.
        for name in [name for name, slot in self._slots.items() if slot.is_forgotten(now)]:
            del self._slots[name]
        orders: list[Order] = []
        for name, slot in self._slots.items():
            slot.gone = name not in places
            if slot.gone and slot.state not in {WorkerState.EMPTY, WorkerState.LEAVING}:
                slot.detail = "the device is gone"
                orders.append(End(name, at_once=True))
            elif not slot.gone:
                slot.slot = places[name]
        for name, place in places.items():
            if name not in self._slots:
                warm = sum(slot.kept_warm for slot in self._slots.values())
                keep = place.kind == "cpu" and not place.host and warm < self._warm
                self._slots[name] = WorkerSlot(place, kept_warm=keep)
        self._stale = True
        return orders

    def started(self, name: str, worker: Identity) -> None:
        """Record that a worker was started on a slot."""
        self._slots[name].worker = worker

    def step(self, events: Sequence[Event]) -> list[Order]:
        """Process ``events`` and timeouts and return the resulting orders.

        All or nothing: if the index cannot be written, the error propagates, nothing has changed,
        and the same events can be passed again.
        """
        now = self._clock()
        news = [event for event in events if not self._is_beat(event, now)]
        if self._work_waits or any(slot.has_work for slot in self._slots.values()):
            self.busy_at = now
        publishes = self.is_publishing_due
        due = self._stale or publishes or self._is_due(now)
        is_changed = self._seen != self._index.version()
        if not (news or due or is_changed):
            return []
        if not (due or is_changed) and all(isinstance(e.message, Reported) for e in news):
            return self._note_progress(news, now)
        before = {name: slot.copy() for name, slot in self._slots.items()}
        # A claim and a progress report may be lost with the machine: no worker outlives that.
        durable = due or any(self._ends_job(event) for event in news)
        try:
            with self._index.write(durable=durable) as writer:
                orders = self._transact(writer, news, now, publishes=publishes)
        except BaseException:
            self._slots = before
            self.look_again()
            raise
        self._seen = self._index.version()
        self._stale = False
        return orders

    def _note_progress(self, news: Sequence[Event], now: float) -> list[Order]:
        """Store progress alone, which starts and ends nothing."""
        with self._index.write(durable=False) as writer:
            orders = [order for event in news for order in self._note(writer, event, now)]
        self._seen = self._index.version()
        return orders

    def excuse(self, seconds: float) -> None:
        """Do not count ``seconds`` as silence of the workers: this process was not listening."""
        for slot in self._slots.values():
            slot.heard_at += seconds

    def look_again(self) -> None:
        """Forget cached state, as the index may be another file."""
        self._stale = True
        self._ledger.forget_devices()

    def close(self, reason: str) -> None:
        """Requeue every running job, as all workers are about to be ended."""
        with self._index.write() as writer:
            for row in self._ledger.running(writer):
                self._outcomes.interrupted(writer, row, reason)
            self._ledger.say_devices(writer, [])

    def next_look(self) -> float:
        """Return seconds until the next timeout."""
        now = self._clock()
        waits = [slot.start_after - now for slot in self._slots.values() if slot.start_after > now]
        waits += [slot.made_at + _LINGER_S - now for slot in self._slots.values() if slot.made]
        return max(0.01, min([*waits, self._settings.heartbeat_s]))

    def _transact(
        self, writer: Writer, news: Sequence[Event], now: float, *, publishes: bool
    ) -> list[Order]:
        orders: list[Order] = []
        if publishes:
            self._publish(writer)
        for event in news:
            orders += self._note(writer, event, now)
        orders += self._enforce(writer, now)
        orders += self._pass_cancels_on(writer, now)
        self._paused = self._ledger.paused(writer)
        orders += self._assign(writer, now)
        orders += self._staff(writer, now)
        self._explain(writer)
        rows = [slot.row(paused=self._is_paused(slot)) for slot in self._slots.values()]
        self._ledger.say_devices(writer, rows)
        return orders

    def _publish(self, writer: Writer) -> None:
        slots = self._slots.values()
        made = [(claim, made, slot.slot.kind) for slot in slots for claim, made in slot.made]
        self._outcomes.rendered(writer, made)
        for slot in slots:
            slot.made = ()

    # events

    def _ends_job(self, event: Event) -> bool:
        """Tell whether the step that notes ``event`` may end a job."""
        if isinstance(event.message, Rendered):
            return not self._work_waits  # otherwise it is published in a later step
        return not isinstance(event.message, Ready | Reported | Decoded)

    def _is_beat(self, event: Event, now: float) -> bool:
        slot = self._slots[event.slot_name]
        if not isinstance(event.message, WorkerLost | NoWorker):
            slot.heard_at = now
        return isinstance(event.message, Beat)

    def _note(self, writer: Writer, event: Event, now: float) -> list[Order]:
        slot = self._slots[event.slot_name]
        match event:
            case Event(message=NoWorker(reason=reason, held=held)):
                slot.enter(WorkerState.EMPTY, now)
                self._note_failed_start(slot, reason, now, held=held)
            case Event(message=WorkerLost(), worker=worker) if worker != slot.worker:
                pass
            case Event(message=WorkerLost(reason=reason)):
                self._note_lost(writer, slot, reason, now)
            case Event(message=Ready(loaded=loaded)) if slot.state is WorkerState.STARTING:
                slot.enter(WorkerState.IDLE, now)
                slot.loaded = loaded
                slot.failures, slot.detail, slot.held = 0, "", False
            case Event(message=(Rendered() | Failed()) as message) if late := _claim_of(
                slot.finishing, message
            ):
                slot.finishing = tuple(claim for claim in slot.finishing if claim is not late)
                self._note_end(writer, slot, late, message, now)
            case Event(message=(Reported() | Decoded() | Rendered() | Failed()) as message) if (
                slot.state is WorkerState.BUSY and slot.claim and _claim_of((slot.claim,), message)
            ):
                return self._note_render(writer, slot, slot.claim, message, now)
            case _:
                pass
        return []

    def _note_render(
        self,
        writer: Writer,
        slot: WorkerSlot,
        claim: Claim,
        message: Reported | Decoded | Rendered | Failed,
        now: float,
    ) -> list[Order]:
        if isinstance(message, Reported):
            slot.loading = message.stage == "loading"
            self._outcomes.report(writer, message)
            return []
        slot.claim, slot.cancelled_at, slot.loading = None, None, False
        replaced = isinstance(message, Failed) and message.reason is FailReason.DEVICE
        if isinstance(message, Decoded):
            slot.loaded = claim.model_key
            slot.finishing = (*slot.finishing, claim)
        else:
            self._note_end(writer, slot, claim, message, now)
        slot.enter(WorkerState.LEAVING if replaced else WorkerState.IDLE, now)
        return [End(slot.slot.name, at_once=False)] if replaced else []

    def _note_end(
        self, writer: Writer, slot: WorkerSlot, claim: Claim, message: Rendered | Failed, now: float
    ) -> None:
        if isinstance(message, Rendered):
            slot.loaded = slot.loaded if slot.claim else claim.model_key
            if self._work_waits:  # its worker gets the next job first
                slot.made_at = slot.made_at if slot.made else now
                slot.made = (*slot.made, (claim, message))
            else:
                self._outcomes.rendered(writer, [(claim, message, slot.slot.kind)])
        else:
            self._outcomes.failed(writer, claim, message)

    def _note_lost(self, writer: Writer, slot: WorkerSlot, reason: str, now: float) -> None:
        if slot.claim is not None:
            self._outcomes.crashed(writer, slot.claim, reason)
        if slot.given_up is not None:
            self._outcomes.forsaken(writer, slot.given_up)
        self._give_up_finishing(writer, slot, reason)
        starting = slot.state is WorkerState.STARTING
        slot.claim, slot.given_up, slot.cancelled_at = None, None, None
        slot.worker, slot.loaded = None, ""
        slot.enter(WorkerState.EMPTY, now)
        if starting:
            self._note_failed_start(slot, reason, now, held=False)

    def _give_up_finishing(self, writer: Writer, slot: WorkerSlot, reason: str) -> None:
        for claim in slot.finishing:
            self._outcomes.unfinished(writer, claim, reason)
        slot.finishing = ()

    def _note_failed_start(self, slot: WorkerSlot, reason: str, now: float, *, held: bool) -> None:
        slot.detail, slot.held = reason, held
        if held:
            slot.start_after = now + _HELD_RETRY_S
            return
        slot.failures += 1
        slot.start_after = now + min(_MAX_BACKOFF_S, 0.5 * 2**slot.failures)
        _LOG.warning("no worker", extra={"device": slot.slot.name, "reason": reason})

    # timeouts

    def _is_due(self, now: float) -> bool:
        """Tell whether a timeout has passed."""
        due = False
        for slot in self._slots.values():
            if slot.state is WorkerState.EMPTY and 0 < slot.start_after <= now:
                slot.start_after, due = 0.0, True
            due = due or self._limits.is_spent(slot, now) or bool(self._limits.overdue(slot, now))
        return due

    def _enforce(self, writer: Writer, now: float) -> list[Order]:
        orders: list[Order] = []
        for slot in self._slots.values():
            if not (reason := self._limits.overdue(slot, now)):
                continue
            _LOG.warning("worker ended", extra={"device": slot.slot.name, "reason": reason})
            if slot.claim is not None:
                if reason == TIMEOUT:
                    self._outcomes.timed_out(writer, slot.claim, self._settings.render_timeout_s)
                elif reason == CANCELLED:
                    self._outcomes.cancelled(writer, slot.claim)
                else:
                    self._outcomes.crashed(writer, slot.claim, reason)
            self._give_up_finishing(writer, slot, reason)
            if slot.state is WorkerState.STARTING:
                self._note_failed_start(slot, reason, now, held=False)
            slot.given_up = slot.claim
            slot.claim, slot.cancelled_at, slot.loaded = None, None, ""
            slot.enter(WorkerState.LEAVING, now)
            orders.append(End(slot.slot.name, at_once=reason not in {TIMEOUT, CANCELLED}))
        return orders

    def _pass_cancels_on(self, writer: Writer, now: float) -> list[Order]:
        held = {(s.claim.job_id, s.claim.attempt): s for s in self._slots.values() if s.claim}
        # A file that is being written or published can no longer be cancelled.
        late = {
            (c.job_id, c.attempt)
            for s in self._slots.values()
            for c in s.claims
            if c is not s.claim
        }
        current = {}
        for row in self._ledger.running(writer):
            key = (row.job_id, row.attempt)
            current[key] = row
            # Left by an earlier supervisor, or from another index:
            if key not in held and key not in late:
                self._outcomes.interrupted(writer, row, "its supervisor went away")
        orders: list[Order] = []
        for key, slot in held.items():
            unwanted = key not in current or current[key].cancel_requested
            if unwanted and slot.cancelled_at is None:
                slot.cancelled_at = now
                orders.append(Tell(slot.slot.name, Cancel(*key)))
        return orders

    # assignment

    def _is_paused(self, slot: WorkerSlot) -> bool:
        return slot.slot.is_paused(self._paused)

    def _assign(self, writer: Writer, now: float) -> list[Order]:
        idle = [
            slot
            for slot in self._slots.values()
            if slot.state is WorkerState.IDLE and not slot.gone and not self._is_paused(slot)
        ]
        orders: list[Order] = []
        while idle:
            # Prefer a worker that has the next job's model loaded.
            model = self._ledger.next_model(writer, idle[0].slot.queues)
            slot = next((s for s in idle if model and s.loaded == model), idle[0])
            idle.remove(slot)
            place = slot.slot
            claim = self._ledger.claim(writer, place.queues, place.name, place.gpu_id, slot.loaded)
            if claim is None:
                continue
            if self._outcomes.found(writer, claim):  # its first claim was lost with the power
                idle.append(slot)
                continue
            slot.claim, slot.cancelled_at, slot.loading = claim, None, True
            slot.enter(WorkerState.BUSY, now)
            self.busy_at = now
            try:
                files = self._paths.job(claim.job_id, claim.batch_id)
                # Created first: a rebuilt index counts attempts by their folders.
                with suppress(OSError):
                    renew_folder(files.attempt(claim.attempt).folder)
                recipe = self._outcomes.recipe(claim, place)
            except ValueError as error:  # damaged in the index
                self._outcomes.unreadable(writer, claim, error)
                slot.claim = None
                slot.enter(WorkerState.IDLE, now)
                continue
            orders.append(
                Tell(place.name, Render(claim.job_id, claim.attempt, recipe, str(files.folder)))
            )
        return orders

    def _staff(self, writer: Writer, now: float) -> list[Order]:
        waiting = self._ledger.waiting(writer, len(self._slots) + 1)
        self._work_waits = any(waiting.values()) and "" not in self._paused
        return staff(
            self._slots.values(), waiting, now, limits=self._limits, paused=self._is_paused
        )

    def _explain(self, writer: Writer) -> None:
        """Write the reason on waiting jobs while every slot that could take them has failed."""
        for queue, known in self._reasons.items():
            slots = [slot for slot in self._slots.values() if queue in slot.slot.queues]
            failing = all(slot.state is WorkerState.EMPTY and slot.detail for slot in slots)
            reason = f"{slots[0].slot.name}: {slots[0].detail}" if slots and failing else ""
            if reason or known:
                self._requests.explain_waiting(writer, reason, queue)
                self._reasons[queue] = reason


def _claim_of(
    claims: Sequence[Claim], message: Reported | Decoded | Rendered | Failed
) -> Claim | None:
    """Return the claim among ``claims`` that ``message`` is about."""
    key = message.job_id, message.attempt
    return next((claim for claim in claims if (claim.job_id, claim.attempt) == key), None)
