"""What a supervisor and its workers say to each other, and the line they say it over.

One JSON object a line. Knows nothing of what either side does about a message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, get_args

from workbench.jobs.wire import Wire

__all__ = [
    "AssignDevice",
    "Beat",
    "Cancel",
    "Channel",
    "Decoded",
    "FailReason",
    "Failed",
    "Leave",
    "Measure",
    "Measured",
    "Message",
    "Ready",
    "Render",
    "Rendered",
    "Reported",
    "from_json",
    "to_json",
]


class FailReason(StrEnum):
    """Why a render ended without a video, as far as its worker can tell."""

    CANCELLED = "cancelled"
    ERROR = "error"
    """The engine said no, or raised: trying again would end the same."""
    DEVICE = "device"
    """Out of memory, or the device is lost: the worker must be replaced."""


@dataclass(frozen=True, slots=True)
class AssignDevice:
    """To a worker, before all else: this is your device. What must not end before it comes along."""

    device: str
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Render:
    """To a worker: make this video."""

    job_id: str
    attempt: int
    recipe: dict[str, Any]
    """A :class:`~workbench.rendering.Recipe`, as JSON."""
    folder: str
    """The job's folder; the attempt writes into its own folder within."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """To a worker: stop this render at its next step."""

    job_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Leave:
    """To a worker: unload and exit."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: it can take a job."""

    pid: int
    loaded: str = ""
    """The model key of what it has loaded already."""


@dataclass(frozen=True, slots=True)
class Beat:
    """From a worker: it lives."""


@dataclass(frozen=True, slots=True)
class Reported:
    """From a worker: how far a render is."""

    job_id: str
    attempt: int
    stage: str
    step: int = 0
    total: int = 0
    message: str = ""
    preview: bool = False
    """Whether a preview picture has been written."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """From a worker: every frame is made, and its device free; the file is still being written."""

    job_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """From a worker: the attempt's folder holds a whole video, poster and recipe, safe on disk."""

    job_id: str
    attempt: int
    seconds: float
    """From taking the job to here, without loading."""


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: the attempt ended without a video."""

    job_id: str
    attempt: int
    reason: FailReason
    error: str


@dataclass(frozen=True, slots=True)
class Measure:
    """To a scorer: measure this finished video."""

    job_id: str
    attempt: int
    folder: str
    """The job's folder."""
    siblings: dict[str, str]
    """The measured jobs of the same batch, each with its folder: near-duplicates are among them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """From a scorer: what it found, or why it found nothing."""

    job_id: str
    attempt: int
    scores: dict[str, float]
    near_duplicates: list[str]
    error: str = ""


Message = (
    AssignDevice
    | Render
    | Cancel
    | Leave
    | Ready
    | Beat
    | Reported
    | Decoded
    | Rendered
    | Failed
    | Measure
    | Measured
)

_TYPES: Final[Mapping[str, type]] = MappingProxyType(
    {kind.__name__: kind for kind in get_args(Message)}
)


class Channel(Wire[Message]):
    """One end of the line between a supervisor and a worker."""

    def encode(self, message: Message) -> str:
        """Return ``message`` as one line."""
        return to_json(message)

    def decode(self, line: str | bytes) -> Message:
        """Return the message of a line; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
        return from_json(line)


def to_json(message: Message) -> str:
    """Return ``message`` as one line of JSON."""
    return json.dumps({"type": type(message).__name__, **asdict(message)})


def from_json(line: str | bytes) -> Message:
    """Return the message of a line; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
    fields = json.loads(line)
    kind = _TYPES[fields.pop("type")]
    if kind is Failed:
        fields["reason"] = FailReason(fields["reason"])
    message: Message = kind(**fields)
    return message
