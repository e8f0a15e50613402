"""How the supervisor stands with its cluster, kept in a file that every client reads.

The supervisor alone writes it. Readings change every few seconds and are of no use tomorrow, so
they are kept out of the index.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from workbench.jobs.devices import Readings, Slot
from workbench.jobs.model import SupervisorStatus
from workbench.jobs.records import write_aside

__all__ = ["Berth", "ClusterState", "Member", "Standing", "read_standing", "write_standing"]


class ClusterState(StrEnum):
    """Whether the cluster can be used."""

    JOINING = "joining"
    JOINED = "joined"
    UNREACHABLE = "unreachable"
    AWAY = "away"
    """No supervisor runs that was to join it."""


@dataclass(frozen=True, slots=True)
class Member:
    """One machine of the cluster."""

    node_id: str
    name: str
    """Its host name, or the name it was given; unique in the cluster."""
    address: str
    gpus: float
    """How many the cluster may give away there."""
    cpus: float
    problem: str = ""
    """Why it cannot be used, where that is so."""


@dataclass(frozen=True, slots=True)
class Berth:
    """A place for one worker on a machine of the cluster, and what is known of its device."""

    slot: Slot
    node_id: str
    readings: Readings = field(default_factory=Readings)

    @classmethod
    def read(cls, facts: dict[str, object]) -> Berth:
        """Return the berth that ``facts`` tell of; raises ``TypeError`` or ``KeyError``."""
        known = dict(facts)
        slot, readings = known["slot"], known["readings"]
        if not isinstance(slot, dict) or not isinstance(readings, dict):
            raise TypeError("not a berth")
        place = Slot(**{**slot, "lanes": tuple(slot["lanes"])})
        return cls(place, str(known["node_id"]), Readings(**readings))


@dataclass(frozen=True, slots=True)
class Standing:
    """Which cluster was chosen, whether it is joined, and what is in it."""

    address: str
    state: ClusterState
    detail: str = ""
    since: float = 0.0
    """Seconds since 1970."""
    members: tuple[Member, ...] = ()
    berths: tuple[Berth, ...] = ()

    def become(self, state: ClusterState, detail: str = "") -> Standing:
        """Return it in another state; a cluster that is not joined has nothing in it."""
        since = self.since if state is self.state else time.time()
        if state is ClusterState.JOINED:
            return replace(self, state=state, detail=detail, since=since)
        return Standing(self.address, state, detail, since)


def write_standing(path: Path, standing: Standing) -> None:
    """Write ``standing`` whole or not at all; raises ``OSError``."""
    write_aside(path, json.dumps(asdict(standing)))


def read_standing(path: Path, address: str, supervisor: SupervisorStatus | None) -> Standing:
    """Return what the supervisor last wrote about the cluster at ``address``."""
    if supervisor is None:
        return Standing(address, ClusterState.AWAY, "no supervisor runs; a render starts one")
    try:
        facts = json.loads(path.read_text("utf-8"))
        return Standing(
            str(facts["address"]),
            ClusterState(facts["state"]),
            str(facts["detail"]),
            float(facts["since"]),
            tuple(Member(**member) for member in facts["members"]),
            tuple(Berth.read(berth) for berth in facts["berths"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        told = "the supervisor was started without it; it joins when it starts anew"
        return Standing(address, ClusterState.AWAY, told)
