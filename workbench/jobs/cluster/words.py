"""What a worker actor on a machine of the cluster has to tell, and what it serves.

These travel as Ray carries objects, pickled; both ends are the same release of the workbench.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.jobs.devices import Readings

__all__ = ["Answer", "Artifact", "Assigned", "Ended", "Logged", "Made", "Pictured", "Spoke", "Word"]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where a worker actor stands, and the device that the cluster has assigned to it."""

    pid: int
    gpu_id: int | None
    uuid: str | None
    label: str
    memory_total_bytes: int | None


@dataclass(frozen=True, slots=True)
class Spoke:
    """The worker said this message, one line of JSON."""

    line: str


@dataclass(frozen=True, slots=True)
class Pictured:
    """A preview of a render, as it is now."""

    job_id: str
    attempt: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Logged:
    """What a render has printed since it was last told."""

    job_id: str
    attempt: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file that an attempt made."""

    name: str
    size_bytes: int
    sha256: str
    data: bytes | None
    """The whole of it where it is small; else it is fetched in chunks."""


@dataclass(frozen=True, slots=True)
class Made:
    """A render is finished: its files, and the message by which the worker said so."""

    job_id: str
    attempt: int
    artifacts: tuple[Artifact, ...]
    line: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker is gone, or could not be started; ``held``: somebody else has the device."""

    reason: str
    held: bool = False


Word = Spoke | Pictured | Logged | Made | Ended


@dataclass(frozen=True, slots=True)
class Answer:
    """What there was to tell when it was asked for."""

    words: tuple[Word, ...]
    beats: bool
    """Whether the worker has given a sign of life since."""
    readings: Readings | None = None
    """What the device says of itself, every few seconds."""
