"""A slot with its worker, as the dispatcher sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from workbench.jobs.devices import Slot
from workbench.jobs.messages import Message, Rendered
from workbench.jobs.processes import Identity
from workbench.jobs.store.ledger import Claim, DeviceRow

__all__ = ["End", "Event", "Order", "Start", "Tell", "WorkerSlot", "WorkerState"]

_FORGOTTEN_S: Final = 120.0
"""How long a machine that has left the cluster is shown as lost."""


class WorkerState(StrEnum):
    """The state of a slot's worker."""

    EMPTY = "empty"
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    LEAVING = "leaving"


@dataclass(slots=True)
class WorkerSlot:
    """One slot with its worker. Times are seconds on the monotonic clock."""

    slot: Slot
    state: WorkerState = WorkerState.EMPTY
    worker: Identity | None = None
    claim: Claim | None = None
    finishing: tuple[Claim, ...] = ()
    """Renders whose frames are done and whose files its worker still writes, besides its claim."""
    made: tuple[tuple[Claim, Rendered], ...] = ()
    """Renders whose files are complete, to be published once the worker has its next job."""
    made_at: float = 0.0
    """When the first of them was complete."""
    given_up: Claim | None = None
    """The render that its leaving worker did not end in time; it may write files until it is gone."""
    loaded: str = ""
    """The model key of its last job."""
    loading: bool = False
    heard_at: float = 0.0
    since: float = 0.0
    """When it entered its state."""
    cancelled_at: float | None = None
    failures: int = 0
    """Number of consecutive workers that ended before they were ready."""
    start_after: float = 0.0
    detail: str = ""
    held: bool = False
    kept_warm: bool = False
    """Whether it keeps a worker even when idle."""
    gone: bool = False
    """The device has been removed."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The renders that its worker is making, finishing, or has ready to publish."""
        claims = (*self.finishing, *(claim for claim, _ in self.made))
        return (*claims, self.claim) if self.claim else claims

    @property
    def has_work(self) -> bool:
        """Whether its worker renders, or starts for the first time."""
        return bool(self.claims) or (self.state is WorkerState.STARTING and not self.failures)

    def enter(self, state: WorkerState, now: float) -> None:
        """Enter ``state``."""
        self.state, self.since, self.heard_at = state, now, now

    def is_forgotten(self, now: float) -> bool:
        """Tell whether its machine left the cluster long ago."""
        away = self.gone and self.state is WorkerState.EMPTY and now - self.since > _FORGOTTEN_S
        return away and bool(self.slot.host)

    def copy(self) -> WorkerSlot:
        """Return a copy of the slot."""
        return replace(self)

    def row(self, *, paused: bool) -> DeviceRow:
        """Return its row for the index."""
        return DeviceRow(
            self.slot.name,
            self._word(paused=paused),
            self.detail,
            self.claim.job_id if self.claim else None,
            self.worker,
        )

    def _word(self, *, paused: bool) -> str:
        if self.gone or (self.failures and self.state is WorkerState.EMPTY):
            return "lost"
        if self.state is WorkerState.BUSY:
            return "busy"
        if paused:
            return "paused"
        if self.held:
            return "held"
        if self.state in {WorkerState.EMPTY, WorkerState.LEAVING}:
            return "resting"
        return "starting" if self.state is WorkerState.STARTING else "idle"


@dataclass(frozen=True, slots=True)
class Event:
    """A message from a worker or about it."""

    slot_name: str
    message: Message
    worker: Identity | None = None
    """Which worker was lost: its slot may have a new one by now."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start a worker on this slot."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Tell:
    """Send this to the slot's worker."""

    slot_name: str
    message: Message


@dataclass(frozen=True, slots=True)
class End:
    """End the slot's worker: at once, or after asking it to leave."""

    slot_name: str
    at_once: bool


Order = Start | Tell | End
