"""The workers of this machine and of its cluster as one crew; a seat's name tells which it is.

Without a cluster there is only this machine's crew, and nothing of the cluster is loaded.
"""

from __future__ import annotations

import selectors
from dataclasses import replace

from workbench.jobs.cluster.fleet import BRIDGE, Fleet
from workbench.jobs.crew import Crew
from workbench.jobs.devices import Slot
from workbench.jobs.messages import Message
from workbench.jobs.processes import Identity
from workbench.jobs.recruits import Recruit
from workbench.jobs.seats import Event
from workbench.settings import Settings

__all__ = ["Crews"]


class Crews(Crew):
    """A crew whose seats with a host name are beyond a bridge."""

    def __init__(
        self, settings: Settings, selector: selectors.BaseSelector, recruits: list[Recruit]
    ) -> None:
        super().__init__(selector, recruits, spares=settings.spare_workers)
        self._fleet = Fleet(settings, selector)
        self._has_own = settings.cluster == "local"
        self._here: tuple[Slot, ...] = ()

    def places(self, here: tuple[Slot, ...] | None) -> tuple[Slot, ...] | None:
        """Return all places, if this machine's changed to ``here`` or the cluster's changed."""
        there = self._fleet.news()
        if here is None and there is None:
            return None
        if here is not None and self._has_own:
            here = tuple(slot for slot in here if slot.kind == "cpu")
        self._here = self._here if here is None else here
        return _share_lanes(self._here, self._fleet.slots)

    def start(self, slot: Slot) -> Identity | None:
        """Start a worker on ``slot``; None when that failed, which an event explains."""
        return self._fleet.start(slot) if slot.host else super().start(slot)

    def tell(self, seat: str, message: Message) -> None:
        """Say ``message`` to a worker; one that does not listen is ended."""
        if _is_elsewhere(seat):
            self._fleet.tell(seat, message)
        else:
            super().tell(seat, message)

    def end(self, seat: str, *, at_once: bool) -> None:
        """End a worker and all that it started: at once, or after a moment to obey."""
        if _is_elsewhere(seat):
            self._fleet.end(seat, at_once=at_once)
        else:
            super().end(seat, at_once=at_once)

    def hear(self, seat: str) -> None:
        """Read what a worker, or the bridge, has said."""
        if seat == BRIDGE:
            self._fleet.hear()
        else:
            super().hear(seat)

    def events(self) -> list[Event]:
        """Return what happened since the last call."""
        return super().events() + self._fleet.events()

    def close(self) -> None:
        """End every worker and wait for it."""
        self._fleet.close()
        super().close()


def _is_elsewhere(seat: str) -> bool:
    return "/" in seat


def _share_lanes(here: tuple[Slot, ...], there: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Return the places here and in the cluster, each with the jobs that it takes.

    Where a cluster was chosen its GPUs may come at any time, so no job that needs one crawls on a
    processor.
    """
    places = []
    processors = any(slot.kind == "cpu" for slot in (*here, *there))
    for slot in (*here, *there):
        lanes = slot.lanes
        if slot.kind == "cpu":
            lanes = tuple(lane for lane in lanes if lane != "gpu")
        elif slot.host and not processors:
            lanes = ("gpu", "slow", "cpu")
        places.append(replace(slot, lanes=lanes))
    return tuple(places)
