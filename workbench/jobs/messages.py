"""The messages between a supervisor, its workers and its bridge to a cluster.

On a socket each is one JSON object on one line (:mod:`~workbench.jobs.channel`); through Ray it is
sent as an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, TypeAdapter

from workbench.jobs.cluster.status import Member, RemoteSlot
from workbench.jobs.devices import Readings

__all__ = [
    "Addressed",
    "Artifact",
    "AssignDevice",
    "Beat",
    "Cancel",
    "ClusterLost",
    "ClusterSeen",
    "Decoded",
    "DeviceRead",
    "EndWorker",
    "FailReason",
    "Failed",
    "Leave",
    "LineMessage",
    "Measure",
    "Measured",
    "Message",
    "NoWorker",
    "OutputPart",
    "Ready",
    "Render",
    "Rendered",
    "Reported",
    "StartWorker",
    "WorkerLost",
    "from_json",
    "to_json",
]


class FailReason(StrEnum):
    """Why a render ended without a video, as far as its worker can tell."""

    CANCELLED = "cancelled"
    ERROR = "error"
    """The engine rejected the request, or raised: another attempt would fail too."""
    DEVICE = "device"
    """Out of memory, or the device is lost: the worker must be replaced."""


# to a worker


@dataclass(frozen=True, slots=True)
class AssignDevice:
    """The first message to a worker: its device.

    The device's lease is sent along as an open file.
    """

    device: str
    environment: dict[str, str]
    type: Literal["assign_device"] = field(default="assign_device", kw_only=True)


@dataclass(frozen=True, slots=True)
class Render:
    """Make this video."""

    job_id: str
    attempt: int
    recipe: dict[str, Any]
    """A :class:`~workbench.rendering.Recipe`, as JSON."""
    folder: str
    """The job's folder; the attempt writes into its own folder within."""
    type: Literal["render"] = field(default="render", kw_only=True)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop this render at its next step."""

    job_id: str
    attempt: int
    type: Literal["cancel"] = field(default="cancel", kw_only=True)


@dataclass(frozen=True, slots=True)
class Measure:
    """To a scorer: measure this finished video."""

    job_id: str
    attempt: int
    folder: str
    """The job's folder."""
    siblings: dict[str, str]
    """Measured jobs of the same batch and their folders, among which to look for near-duplicates."""
    type: Literal["measure"] = field(default="measure", kw_only=True)


@dataclass(frozen=True, slots=True)
class Leave:
    """To a worker or a bridge: release everything and exit."""

    type: Literal["leave"] = field(default="leave", kw_only=True)


# from a worker


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker can take a job, or a bridge has joined its cluster."""

    pid: int
    loaded: str = ""
    """The model key of the model already loaded."""
    type: Literal["ready"] = field(default="ready", kw_only=True)


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker or a bridge is alive."""

    type: Literal["beat"] = field(default="beat", kw_only=True)


@dataclass(frozen=True, slots=True)
class Reported:
    """The progress of a render."""

    job_id: str
    attempt: int
    stage: str
    step: int = 0
    total: int = 0
    message: str = ""
    preview: bool = False
    """Whether a preview image has been written."""
    type: Literal["reported"] = field(default="reported", kw_only=True)


@dataclass(frozen=True, slots=True)
class Decoded:
    """All frames are made and the device is free; the file is still being written."""

    job_id: str
    attempt: int
    type: Literal["decoded"] = field(default="decoded", kw_only=True)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of an attempt on another machine."""

    name: str
    size_bytes: int
    sha256: str
    data: bytes | None
    """The content of a small file; a larger one is fetched in chunks."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The attempt's folder holds a whole video, poster and recipe, safe on disk."""

    job_id: str
    attempt: int
    seconds: float
    """Seconds from taking the job, without loading."""
    artifacts: tuple[Artifact, ...] = ()
    """The files to fetch, if the folder is on another machine."""
    type: Literal["rendered"] = field(default="rendered", kw_only=True)


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt ended without a video."""

    job_id: str
    attempt: int
    reason: FailReason
    error: str
    type: Literal["failed"] = field(default="failed", kw_only=True)


@dataclass(frozen=True, slots=True)
class Measured:
    """From a scorer: the scores of a video, or why there are none."""

    job_id: str
    attempt: int
    scores: dict[str, float]
    near_duplicates: tuple[str, ...]
    error: str = ""
    type: Literal["measured"] = field(default="measured", kw_only=True)


# about a worker, from the holder of its socket


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """The worker is gone."""

    reason: str
    type: Literal["worker_lost"] = field(default="worker_lost", kw_only=True)


@dataclass(frozen=True, slots=True)
class NoWorker:
    """No worker could be started."""

    reason: str
    held: bool
    """Whether another process holds the device, so that a retry soon makes sense."""
    type: Literal["no_worker"] = field(default="no_worker", kw_only=True)


# with a worker on another machine


@dataclass(frozen=True, slots=True)
class StartWorker:
    """To a bridge: start a worker on this slot."""

    type: Literal["start_worker"] = field(default="start_worker", kw_only=True)


@dataclass(frozen=True, slots=True)
class EndWorker:
    """To a bridge or a worker actor: end the worker."""

    at_once: bool
    type: Literal["end_worker"] = field(default="end_worker", kw_only=True)


@dataclass(frozen=True, slots=True)
class OutputPart:
    """From a worker actor: what a render printed since the last part, or its newest preview."""

    job_id: str
    attempt: int
    kind: Literal["log", "preview"]
    data: bytes
    type: Literal["output_part"] = field(default="output_part", kw_only=True)


@dataclass(frozen=True, slots=True)
class DeviceRead:
    """From a worker actor: readings of its device."""

    readings: Readings
    type: Literal["device_read"] = field(default="device_read", kw_only=True)


@dataclass(frozen=True, slots=True)
class ClusterSeen:
    """From a bridge: the machines of the cluster and their slots."""

    members: tuple[Member, ...]
    slots: tuple[RemoteSlot, ...]
    type: Literal["cluster_seen"] = field(default="cluster_seen", kw_only=True)


@dataclass(frozen=True, slots=True)
class ClusterLost:
    """From a bridge: it is not or no longer in the cluster, and exits."""

    reason: str
    type: Literal["cluster_lost"] = field(default="cluster_lost", kw_only=True)


Message = (
    AssignDevice
    | Render
    | Cancel
    | Measure
    | Leave
    | Ready
    | Beat
    | Reported
    | Decoded
    | Rendered
    | Failed
    | Measured
    | WorkerLost
    | NoWorker
    | StartWorker
    | EndWorker
    | OutputPart
    | DeviceRead
)
"""A message to, from or about one worker."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """Between a supervisor and its bridge: a message to, from or about one remote worker."""

    slot_name: str
    serial: int
    """Which worker of the slot: it may have been replaced by the time the message arrives."""
    message: Annotated[Message, Field(discriminator="type")]
    type: Literal["addressed"] = field(default="addressed", kw_only=True)


LineMessage = Message | Addressed | ClusterSeen | ClusterLost
"""Any message over a socket."""

_DECODER: Final[TypeAdapter[LineMessage]] = TypeAdapter(
    Annotated[LineMessage, Field(discriminator="type")]
)
_ENCODERS: Final[Mapping[type, TypeAdapter[Any]]] = MappingProxyType(
    {kind: TypeAdapter(kind) for kind in get_args(LineMessage)}
)


def to_json(message: LineMessage) -> bytes:
    """Return ``message`` as JSON on one line."""
    return _ENCODERS[type(message)].dump_json(message)


def from_json(line: str | bytes) -> LineMessage:
    """Return the message of a line; raises ``ValueError``."""
    return _DECODER.validate_json(line)
