"""What a supervisor and its workers say to each other, and the channel they say it over.

One JSON object a line. Knows nothing of what either side does about a message.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

__all__ = [
    "Beat",
    "Cancel",
    "Channel",
    "FailReason",
    "Failed",
    "Leave",
    "Message",
    "Ready",
    "Render",
    "Rendered",
    "Reported",
]

_CHUNK_BYTES: Final = 1 << 16


class FailReason(StrEnum):
    """Why a render ended without a video, as far as its worker can tell."""

    CANCELLED = "cancelled"
    ERROR = "error"
    """The engine said no, or raised: trying again would end the same."""
    DEVICE = "device"
    """Out of memory, or the device is lost: the worker must be replaced."""


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


Message = Render | Cancel | Leave | Ready | Beat | Reported | Rendered | Failed

_TYPES: Final[Mapping[str, type]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (Render, Cancel, Leave, Ready, Beat, Reported, Rendered, Failed)
    }
)


class Channel:
    """One end of a stream socket that carries messages; sending is thread-safe."""

    def __init__(self, end: socket.socket, *, send_timeout_s: float | None = None) -> None:
        self._socket = end
        self._send_timeout_s = send_timeout_s
        self._pending = b""
        self._unsent = b""
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """Return the socket's file descriptor, for ``select``."""
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Send ``message`` whole; raises ``OSError`` when the other end is gone or does not read."""
        with self._sending:
            data, self._unsent = self._unsent + _encode(message), b""
            while data:
                _, writable, _ = select.select([], [self._socket], [], self._send_timeout_s)
                if not writable:
                    raise TimeoutError("the other end does not read")
                with suppress(BlockingIOError):
                    data = data[self._socket.send(data, socket.MSG_DONTWAIT) :]

    def offer(self, message: Message) -> bool:
        """Send ``message`` unless that would block; tell whether it went."""
        with self._sending:
            _, writable, _ = select.select([], [self._socket], [], 0)
            if not writable:
                return False
            data = self._unsent + _encode(message)
            try:
                sent = self._socket.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            self._unsent = data[sent:]
            return True

    def receive(self, *, block: bool = False) -> list[Message] | None:
        """Return what has arrived; None when the other end is gone."""
        try:
            data = self._socket.recv(_CHUNK_BYTES, 0 if block else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [_decode(line) for line in lines]

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


def _encode(message: Message) -> bytes:
    return json.dumps({"type": type(message).__name__, **asdict(message)}).encode() + b"\n"


def _decode(line: bytes) -> Message:
    fields = json.loads(line)
    kind = _TYPES[fields.pop("type")]
    if kind is Failed:
        fields["reason"] = FailReason(fields["reason"])
    message: Message = kind(**fields)
    return message
