"""What the supervisor and its bridge to a cluster say to each other.

A slot's worker may be another one by the time a word arrives, so every word about a slot carries
the serial number of the worker that it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

from workbench.jobs.wire import Wire

__all__ = [
    "BridgeWire",
    "BridgeWord",
    "Gone",
    "Heard",
    "Joined",
    "Open",
    "Pulse",
    "Quit",
    "Refused",
    "Say",
    "Seen",
    "Shut",
    "Trouble",
]


@dataclass(frozen=True, slots=True)
class Open:
    """To the bridge: have a worker on this slot."""

    slot_name: str
    serial: int


@dataclass(frozen=True, slots=True)
class Say:
    """To the bridge: say this message, one line of JSON, to the slot's worker."""

    slot_name: str
    serial: int
    line: str


@dataclass(frozen=True, slots=True)
class Shut:
    """To the bridge: end the slot's worker."""

    slot_name: str
    serial: int
    at_once: bool


@dataclass(frozen=True, slots=True)
class Quit:
    """To the bridge: give everything back to the cluster and leave."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """From the bridge: it lives."""


@dataclass(frozen=True, slots=True)
class Joined:
    """From the bridge: it is in the cluster."""


@dataclass(frozen=True, slots=True)
class Seen:
    """From the bridge: the machines and places that the cluster has now."""

    members: list[dict[str, Any]]
    """:class:`~workbench.jobs.cluster.status.Member`, as JSON."""
    remote_slots: list[dict[str, Any]]
    """:class:`~workbench.jobs.cluster.status.RemoteSlot`, as JSON."""


@dataclass(frozen=True, slots=True)
class Heard:
    """From the bridge: a worker said this message, one line of JSON."""

    slot_name: str
    serial: int
    line: str


@dataclass(frozen=True, slots=True)
class Gone:
    """From the bridge: a worker is gone."""

    slot_name: str
    serial: int
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """From the bridge: no worker could be started."""

    slot_name: str
    serial: int
    reason: str
    held: bool
    """Whether somebody else has the device, so that asking again soon is right."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """From the bridge: it is not, or no longer, in the cluster, and leaves."""

    reason: str


BridgeWord = (
    Open | Say | Shut | Quit | Pulse | Joined | Seen | Heard | Gone | Refused | Trouble
)  # fmt: skip

_TYPES: Final[Mapping[str, type]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            Open, Say, Shut, Quit, Pulse, Joined, Seen, Heard, Gone, Refused, Trouble
        )
    }
)  # fmt: skip


class BridgeWire(Wire[BridgeWord]):
    """One end of the line between a supervisor and its bridge."""

    def encode(self, message: BridgeWord) -> str:
        """Return ``message`` as one line."""
        return json.dumps({"type": type(message).__name__, **asdict(message)})

    def decode(self, line: str | bytes) -> BridgeWord:
        """Return the message of a line; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
        fields = json.loads(line)
        message: BridgeWord = _TYPES[fields.pop("type")](**fields)
        return message
