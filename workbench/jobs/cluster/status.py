"""The state of the cluster, kept in a file that every client reads.

Only the supervisor writes it. Readings change every few seconds and end with the supervisor, so
they are not in the index.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from workbench.jobs.devices import Readings, Slot
from workbench.jobs.model import SupervisorStatus
from workbench.jobs.records import write_aside

__all__ = [
    "ClusterState",
    "ClusterStatus",
    "Member",
    "RemoteSlot",
    "read_cluster_status",
    "write_cluster_status",
]


class ClusterState(StrEnum):
    """Whether the cluster can be used."""

    JOINING = "joining"
    JOINED = "joined"
    UNREACHABLE = "unreachable"
    AWAY = "away"
    """No supervisor that should join it is running."""


@dataclass(frozen=True, slots=True)
class Member:
    """One machine of the cluster."""

    node_id: str
    name: str
    """Its node name or host name; unique in the cluster."""
    address: str
    gpus: float
    """Number of them that the cluster may use."""
    cpus: float
    problem: str = ""
    """Why it cannot be used, else empty."""


@dataclass(frozen=True, slots=True)
class RemoteSlot:
    """A slot on a machine of the cluster, with its device's facts."""

    slot: Slot
    node_id: str
    readings: Readings = field(default_factory=Readings)


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The chosen cluster, its state and its members."""

    address: str
    state: ClusterState
    detail: str = ""
    since: float = 0.0
    """Seconds since 1970."""
    members: tuple[Member, ...] = ()
    remote_slots: tuple[RemoteSlot, ...] = ()

    def become(self, state: ClusterState, detail: str = "") -> ClusterStatus:
        """Return the status with another state; a cluster that is not joined has no members."""
        since = self.since if state is self.state else time.time()
        if state is ClusterState.JOINED:
            return replace(self, state=state, detail=detail, since=since)
        return ClusterStatus(self.address, state, detail, since)


_STATUS: Final = TypeAdapter(ClusterStatus)


def write_cluster_status(path: Path, status: ClusterStatus) -> None:
    """Write ``status`` atomically; raises ``OSError``."""
    write_aside(path, _STATUS.dump_json(status).decode())


def read_cluster_status(
    path: Path, address: str, supervisor: SupervisorStatus | None
) -> ClusterStatus:
    """Return the status that the supervisor last wrote for the cluster at ``address``."""
    if supervisor is None:
        return ClusterStatus(
            address, ClusterState.AWAY, "no supervisor is running; a render starts one"
        )
    try:
        return _STATUS.validate_json(path.read_bytes())
    except (OSError, ValueError):
        told = "the supervisor was started without it; it joins after a restart"
        return ClusterStatus(address, ClusterState.AWAY, told)
