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
        self._worker_slots: dict[str, WorkerSlot] = {}
        self._seen: tuple[int, int, int] | None = None
        self._paused: frozenset[str] = frozenset()
        self._stale = True
        self._work_waits = False
        self._reasons: dict[str, str] = dict.fromkeys(QUEUES, "unknown")
        """Why no job of a queue can start; empty where one can."""
        self.busy_at = clock()
        """When there was last work."""

    @property
    def worker_slots(self) -> tuple[WorkerSlot, ...]:
        """All slots, as they are."""
        return tuple(self._worker_slots.values())

    @property
    def has_workers(self) -> bool:
        """Whether any worker is ready."""
        ready = {WorkerState.IDLE, WorkerState.BUSY}
        return any(slot.state in ready for slot in self._worker_slots.values())

    @property
    def is_calm(self) -> bool:
        """Whether no worker is starting or rendering, and no job waits for one."""
        resting = {WorkerState.EMPTY, WorkerState.IDLE}
        worker_slots = self._worker_slots.values()
        return not self._work_waits and all(
            s.state in resting and not s.claims for s in worker_slots
        )

    @property
    def has_unpublished(self) -> bool:
        """Whether the next step publishes a video, with or without events."""
        return any(slot.made for slot in self._worker_slots.values())

    def set_slots(self, slots: Sequence[Slot]) -> list[Order]:
        """Update the slots; workers of removed devices are ended."""
        names = {slot.name: slot for slot in slots}
        now = self._clock()
        # Cluster machines often return under new names; this machine's devices keep theirs.
        for name in [
            name
            for name, worker_slot in self._worker_slots.items()
            if worker_slot.is_forgotten(now)
        ]:
            del self._worker_slots[name]
        orders: list[Order] = []
        for worker_slot in self._worker_slots.values():
            worker_slot.gone = names.get(worker_slot.slot.name) is None
            if worker_slot.gone and worker_slot.state not in {
                WorkerState.EMPTY,
                WorkerState.LEAVING,
            }:
                worker_slot.detail = "the device is gone"
                orders.append(End(worker_slot.slot.name, at_once=True))
            elif not worker_slot.gone:
                worker_slot.slot = names[worker_slot.slot.name]
        for name, slot in names.items():
            if name not in self._worker_slots:
                warm = sum(worker_slot.kept_warm for worker_slot in self._worker_slots.values())
                keep = slot.kind == "cpu" and not slot.host and warm < self._warm
                self._worker_slots[name] = WorkerSlot(slot, kept_warm=keep)
        self._stale = True
        return orders

    def started(self, name: str, worker: Identity) -> None:
        """Record that a worker was started on a slot."""
        self._worker_slots[name].worker = worker

    def step(self, events: Sequence[Event]) -> list[Order]:
        """Process ``events`` and timeouts and return the resulting orders.

        All or nothing: when the index cannot be written, the error passes through and nothing has
        happened, and the same events can be passed again.
        """
        now = self._clock()
        news = [event for event in events if not self._is_beat(event, now)]
        if self._work_waits or any(
            worker_slot.claims for worker_slot in self._worker_slots.values()
        ):
            self.busy_at = now
        due = self._stale or self.has_unpublished or self._is_due(now)
        if not (news or due or self._seen != self._index.version()):
            return []
        before = {name: worker_slot.copy() for name, worker_slot in self._worker_slots.items()}
        try:
            orders = self._transact(news, now)
        except BaseException:
            self._worker_slots = before
            self.look_again()
            raise
        self._seen = self._index.version()
        self._stale = False
        return orders

    def excuse(self, seconds: float) -> None:
        """Do not count ``seconds`` as silence of the workers: this process was not listening."""
        for worker_slot in self._worker_slots.values():
            worker_slot.heard_at += seconds

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
        waits = [
            worker_slot.start_after - now
            for worker_slot in self._worker_slots.values()
            if worker_slot.start_after > now
        ]
        return max(0.01, min([*waits, self._settings.heartbeat_s]))

    def _transact(self, news: Sequence[Event], now: float) -> list[Order]:
        orders: list[Order] = []
        with self._index.write() as writer:
            self._publish(writer)
            for event in news:
                orders += self._note(writer, event, now)
            orders += self._enforce(writer, now)
            orders += self._pass_cancels_on(writer, now)
            self._paused = self._ledger.paused(writer)
            orders += self._assign(writer, now)
            orders += self._staff(writer, now)
            self._explain(writer)
            rows = [
                worker_slot.row(paused=self._is_paused(worker_slot))
                for worker_slot in self._worker_slots.values()
            ]
            self._ledger.say_devices(writer, rows)
        return orders

    def _publish(self, writer: Writer) -> None:
        for slot in self._worker_slots.values():
            for claim, made in slot.made:
                self._outcomes.rendered(writer, claim, made, slot.slot.kind)
            slot.made = ()

    # events

    def _is_beat(self, event: Event, now: float) -> bool:
        worker_slot = self._worker_slots[event.slot_name]
        if not isinstance(event.message, WorkerLost | NoWorker):
            worker_slot.heard_at = now
        return isinstance(event.message, Beat)

    def _note(self, writer: Writer, event: Event, now: float) -> list[Order]:
        worker_slot = self._worker_slots[event.slot_name]
        match event:
            case Event(message=NoWorker(reason=reason, held=held)):
                worker_slot.enter(WorkerState.EMPTY, now)
                self._note_failed_start(worker_slot, reason, now, held=held)
            case Event(message=WorkerLost(), worker=worker) if worker != worker_slot.worker:
                pass
            case Event(message=WorkerLost(reason=reason)):
                self._note_lost(writer, worker_slot, reason, now)
            case Event(message=Ready(loaded=loaded)) if worker_slot.state is WorkerState.STARTING:
                worker_slot.enter(WorkerState.IDLE, now)
                worker_slot.loaded = loaded
                worker_slot.failures, worker_slot.detail, worker_slot.held = 0, "", False
            case Event(message=(Rendered() | Failed()) as message) if late := _claim_of(
                worker_slot.finishing, message
            ):
                worker_slot.finishing = tuple(
                    claim for claim in worker_slot.finishing if claim is not late
                )
                self._note_end(writer, worker_slot, late, message)
            case Event(message=(Reported() | Decoded() | Rendered() | Failed()) as message) if (
                worker_slot.state is WorkerState.BUSY
                and worker_slot.claim
                and _claim_of((worker_slot.claim,), message)
            ):
                return self._note_render(writer, worker_slot, worker_slot.claim, message, now)
            case _:
                pass
        return []

    def _note_render(
        self,
        writer: Writer,
        worker_slot: WorkerSlot,
        claim: Claim,
        message: Reported | Decoded | Rendered | Failed,
        now: float,
    ) -> list[Order]:
        if isinstance(message, Reported):
            worker_slot.loading = message.stage == "loading"
            self._outcomes.report(writer, message)
            return []
        worker_slot.claim, worker_slot.cancelled_at, worker_slot.loading = None, None, False
        replaced = isinstance(message, Failed) and message.reason is FailReason.DEVICE
        if isinstance(message, Decoded):
            worker_slot.loaded = claim.model_key
            worker_slot.finishing = (*worker_slot.finishing, claim)
        else:
            self._note_end(writer, worker_slot, claim, message)
        worker_slot.enter(WorkerState.LEAVING if replaced else WorkerState.IDLE, now)
        return [End(worker_slot.slot.name, at_once=False)] if replaced else []

    def _note_end(
        self, writer: Writer, worker_slot: WorkerSlot, claim: Claim, message: Rendered | Failed
    ) -> None:
        if isinstance(message, Rendered):
            worker_slot.loaded = worker_slot.loaded if worker_slot.claim else claim.model_key
            if self._work_waits:  # its worker gets the next job first
                worker_slot.made = (*worker_slot.made, (claim, message))
            else:
                self._outcomes.rendered(writer, claim, message, worker_slot.slot.kind)
        else:
            self._outcomes.failed(writer, claim, message)

    def _note_lost(self, writer: Writer, worker_slot: WorkerSlot, reason: str, now: float) -> None:
        if worker_slot.claim is not None:
            self._outcomes.crashed(writer, worker_slot.claim, reason)
        self._give_up_finishing(writer, worker_slot, reason)
        starting = worker_slot.state is WorkerState.STARTING
        worker_slot.claim, worker_slot.worker, worker_slot.loaded, worker_slot.cancelled_at = (
            None,
            None,
            "",
            None,
        )
        worker_slot.enter(WorkerState.EMPTY, now)
        if starting:
            self._note_failed_start(worker_slot, reason, now, held=False)

    def _give_up_finishing(self, writer: Writer, worker_slot: WorkerSlot, reason: str) -> None:
        for claim in worker_slot.finishing:
            self._outcomes.unfinished(writer, claim, reason)
        worker_slot.finishing = ()

    def _note_failed_start(
        self, worker_slot: WorkerSlot, reason: str, now: float, *, held: bool
    ) -> None:
        worker_slot.detail, worker_slot.held = reason, held
        if held:
            worker_slot.start_after = now + _HELD_RETRY_S
            return
        worker_slot.failures += 1
        worker_slot.start_after = now + min(_MAX_BACKOFF_S, 0.5 * 2**worker_slot.failures)
        _LOG.warning("no worker", extra={"device": worker_slot.slot.name, "reason": reason})

    # timeouts

    def _is_due(self, now: float) -> bool:
        """Tell whether a timeout has passed."""
        due = False
        for worker_slot in self._worker_slots.values():
            if worker_slot.state is WorkerState.EMPTY and 0 < worker_slot.start_after <= now:
                worker_slot.start_after, due = 0.0, True
            due = (
                due
                or self._limits.is_spent(worker_slot, now)
                or bool(self._limits.overdue(worker_slot, now))
            )
        return due

    def _enforce(self, writer: Writer, now: float) -> list[Order]:
        orders: list[Order] = []
        for worker_slot in self._worker_slots.values():
            if not (reason := self._limits.overdue(worker_slot, now)):
                continue
            _LOG.warning("worker ended", extra={"device": worker_slot.slot.name, "reason": reason})
            if worker_slot.claim is not None:
                if reason == TIMEOUT:
                    self._outcomes.timed_out(
                        writer, worker_slot.claim, self._settings.render_timeout_s
                    )
                elif reason == CANCELLED:
                    self._outcomes.cancelled(writer, worker_slot.claim)
                else:
                    self._outcomes.crashed(writer, worker_slot.claim, reason)
            self._give_up_finishing(writer, worker_slot, reason)
            if worker_slot.state is WorkerState.STARTING:
                self._note_failed_start(worker_slot, reason, now, held=False)
            worker_slot.claim, worker_slot.cancelled_at, worker_slot.loaded = None, None, ""
            worker_slot.enter(WorkerState.LEAVING, now)
            orders.append(End(worker_slot.slot.name, at_once=reason not in {TIMEOUT, CANCELLED}))
        return orders

    def _pass_cancels_on(self, writer: Writer, now: float) -> list[Order]:
        held = {
            (s.claim.job_id, s.claim.attempt): s for s in self._worker_slots.values() if s.claim
        }
        # A file that is being written or published can no longer be cancelled.
        late = {
            (c.job_id, c.attempt)
            for s in self._worker_slots.values()
            for c in s.claims
            if c is not s.claim
        }
        current = {}
        for row in self._ledger.running(writer):
            key = (row.job_id, row.attempt)
            current[key] = row
            if (
                key not in held and key not in late
            ):  # left by an earlier supervisor, or from another index
                self._outcomes.interrupted(writer, row, "its supervisor went away")
        orders: list[Order] = []
        for key, worker_slot in held.items():
            unwanted = key not in current or current[key].cancel_requested
            if unwanted and worker_slot.cancelled_at is None:
                worker_slot.cancelled_at = now
                orders.append(Tell(worker_slot.slot.name, Cancel(*key)))
        return orders

    # assignment

    def _is_paused(self, worker_slot: WorkerSlot) -> bool:
        return worker_slot.slot.is_paused(self._paused)

    def _assign(self, writer: Writer, now: float) -> list[Order]:
        idle = [
            worker_slot
            for worker_slot in self._worker_slots.values()
            if worker_slot.state is WorkerState.IDLE
            and not worker_slot.gone
            and not self._is_paused(worker_slot)
        ]
        orders: list[Order] = []
        while idle:
            # Prefer a worker that has the next job's model loaded.
            model = self._ledger.next_model(writer, idle[0].slot.queues)
            worker_slot = next((s for s in idle if model and s.loaded == model), idle[0])
            idle.remove(worker_slot)
            slot = worker_slot.slot
            claim = self._ledger.claim(
                writer, slot.queues, slot.name, slot.gpu_id, worker_slot.loaded
            )
            if claim is None:
                continue
            worker_slot.claim, worker_slot.cancelled_at, worker_slot.loading = claim, None, True
            worker_slot.enter(WorkerState.BUSY, now)
            self.busy_at = now
            try:
                files = self._paths.job(claim.job_id, claim.batch_id)
                # Created first: a rebuilt index counts attempts by their folders.
                with suppress(OSError):
                    files.attempt(claim.attempt).folder.mkdir(parents=True, exist_ok=True)
                recipe = self._outcomes.recipe(claim, slot)
            except ValueError as error:  # damaged in the index
                self._outcomes.unreadable(writer, claim, error)
                worker_slot.claim = None
                worker_slot.enter(WorkerState.IDLE, now)
                continue
            orders.append(
                Tell(slot.name, Render(claim.job_id, claim.attempt, recipe, str(files.folder)))
            )
        return orders

    def _staff(self, writer: Writer, now: float) -> list[Order]:
        waiting = self._ledger.waiting(writer, len(self._worker_slots) + 1)
        self._work_waits = any(waiting.values()) and "" not in self._paused
        worker_slots = self._worker_slots.values()
        return staff(worker_slots, waiting, now, limits=self._limits, paused=self._is_paused)

    def _explain(self, writer: Writer) -> None:
        """Write the reason on waiting jobs while every slot that could take them has failed."""
        for queue, known in self._reasons.items():
            slots = [slot for slot in self._worker_slots.values() if queue in slot.slot.queues]
            failing = all(slot.state is WorkerState.EMPTY and slot.detail for slot in slots)
            reason = f"{slots[0].slot.name}: {slots[0].detail}" if slots and failing else ""
            if reason or known:
                self._requests.explain_waiting(writer, reason, queue)
                self._reasons[queue] = reason


def _claim_of(
    claims: Sequence[Claim], message: Reported | Decoded | Rendered | Failed
) -> Claim | None:
    """Return the claim among ``claims`` that ``message`` speaks of."""
    key = message.job_id, message.attempt
    return next((claim for claim in claims if (claim.job_id, claim.attempt) == key), None)
