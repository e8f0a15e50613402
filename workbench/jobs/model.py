"""Jobs, batches and devices, and the legal state transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Final

from workbench.rendering import RenderRequest

__all__ = [
    "TRANSITIONS",
    "Batch",
    "BatchState",
    "ChangedIds",
    "Changes",
    "Device",
    "Job",
    "JobPage",
    "JobState",
    "Priority",
    "ScoreBounds",
    "SupervisorStatus",
    "batch_state",
]


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the job has ended; a retry can still queue it again."""
        return self in {JobState.COMPLETE, JobState.FAILED, JobState.CANCELLED}


TRANSITIONS: Final[Mapping[JobState, frozenset[JobState]]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLED}),
        # QUEUED again when its worker died
        JobState.RUNNING: frozenset(
            {JobState.QUEUED, JobState.COMPLETE, JobState.FAILED, JobState.CANCELLED}
        ),
        JobState.COMPLETE: frozenset({JobState.FAILED}),  # its video has gone
        JobState.FAILED: frozenset({JobState.QUEUED, JobState.COMPLETE}),  # retried; video found
        JobState.CANCELLED: frozenset({JobState.QUEUED}),  # retried
    }
)
"""The legal transitions; the store refuses every other."""


class Priority(IntEnum):
    """Higher goes first."""

    BACKGROUND = 0
    BATCH = 10
    INTERACTIVE = 20
    PREVIEW = 30
    """An animatic shown until a render on a real model is complete."""


class BatchState(StrEnum):
    """The state of a batch as a whole."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    PARTIAL = "partial"
    """All ended, some complete."""
    FAILED = "failed"
    """All ended, none complete."""


@dataclass(frozen=True, slots=True)
class Job:
    """One render request and its state."""

    job_id: str
    batch_id: str | None
    position: int
    """Position in the batch, from 0."""
    session_id: str | None
    entry_index: int | None
    """The session entry whose prompt this renders."""
    state: JobState
    priority: int
    request: RenderRequest
    progress: float
    """0 to 100."""
    stage: str
    message: str
    step: int
    total_steps: int
    device: str | None
    """Such as ``cuda:0``, ``cpu:1`` or, on a cluster, ``node-b/cuda:0``; None until it runs."""
    gpu_id: int | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    eta_s: float | None
    """Estimated seconds of rendering left, without the wait in the queue; None if unknown."""
    queue_position: int | None
    """Jobs ahead of it; None once it runs."""
    has_video: bool
    has_poster: bool
    preview_job_id: str | None
    """The animatic shown until it is complete, if any."""
    has_preview: bool
    """Whether a preview picture of the render itself is there."""
    parent_prompt: str
    revision: int
    """Grows with every change to any job; see :class:`Changes`."""
    preview_of: str | None = None
    """The render that this animatic is shown for, if it is one."""
    follows: str | None = None
    """The job that it continues from, as a rollout segment does: it starts once that one is
    complete."""
    wait_s: float | None = None
    """Estimated seconds until it starts; None if unknown or once it runs."""
    video_bytes: int | None = None
    """The size of the video when it was finished."""
    has_audio: bool = False
    """Whether its video has sound."""
    video_gone: bool = False
    """Whether it counts as failed only because its video was deleted."""
    starred: bool = False
    """Whether the user starred it; retention never removes it."""
    note: str = ""
    """A user's note."""
    scores: Mapping[str, float] | None = None
    """The scores of its video (:class:`workbench.measures.scores.Scores`); None until measured."""
    checks: Mapping[str, Any] | None = None
    """Summary of whether its video shows what its scene asks for; see
    :attr:`workbench.measures.scene_check.model.SceneCheck.overview`. None until checked."""
    scores_error: str = ""
    """Why it could not be measured."""
    near_duplicates: tuple[str, ...] = ()
    """Jobs of the same batch whose videos look the same."""

    @property
    def host(self) -> str:
        """The machine of a cluster that it ran on; empty for this one, or before it runs."""
        return self.device.rpartition("/")[0] if self.device else ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs submitted together, in prompt order."""

    batch_id: str
    name: str
    session_id: str | None
    created_at: datetime
    jobs: tuple[Job, ...]

    @property
    def state(self) -> BatchState:
        """The state of the whole batch."""
        return batch_state([job.state for job in self.jobs])

    @property
    def progress(self) -> float:
        """0 to 100: ended jobs count as done."""
        done = sum(100.0 if job.state.final else job.progress for job in self.jobs)
        return done / len(self.jobs) if self.jobs else 0.0

    @property
    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        return {state: sum(job.state is state for job in self.jobs) for state in JobState}


def batch_state(states: list[JobState]) -> BatchState:
    """Return the state of a batch whose jobs are in ``states``."""
    if not all(state.final for state in states):
        started = any(state is not JobState.QUEUED for state in states)
        return BatchState.RUNNING if started else BatchState.QUEUED
    complete = sum(state is JobState.COMPLETE for state in states)
    if complete == len(states):
        return BatchState.COMPLETE
    return BatchState.PARTIAL if complete else BatchState.FAILED


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of a listing, newest first; ``cursor`` asks for the next, None at the end.

    ``total`` counts all pages; a search by words counts up to 1,000.
    """

    jobs: tuple[Job, ...]
    cursor: str | None
    total: int


ScoreBounds = tuple[float | None, float | None]
"""The lowest and the highest value of a score, both included; None sets no bound."""


@dataclass(frozen=True, slots=True)
class ChangedIds:
    """What changed up to ``revision``, by id: cheaper than the jobs themselves."""

    revision: int
    ids: frozenset[str]
    """Changed or deleted jobs, their batches, and the jobs that they are previews of."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes since a revision, and the revision to pass next time."""

    revision: int
    jobs: tuple[Job, ...]
    deleted: tuple[str, ...] = ()
    """The ids of jobs that were deleted."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device and its activity; an unknown reading is None, never 0."""

    name: str
    """Such as ``cuda:0``, ``cpu:1`` or, on a cluster, ``node-b/cuda:0``."""
    kind: str
    """``cuda`` or ``cpu``."""
    uuid: str | None
    gpu_id: int | None
    label: str
    """The hardware's own name."""
    memory_total_bytes: int | None
    memory_used_bytes: int | None
    utilization_percent: float | None
    temperature_c: float | None
    power_w: float | None
    job_id: str | None
    worker_pid: int | None
    state: str
    """``idle``, ``busy``, ``starting``, ``paused``, ``lost``; ``held`` by another outputs/ folder;
    ``resting`` without a worker until it is needed."""
    detail: str = ""
    """Why it is in that state, if known."""
    host: str = ""
    """The machine of a cluster that it is on; empty for this one."""
    paused: bool = False
    """Whether it gets no new jobs; a running render continues."""


@dataclass(frozen=True, slots=True)
class SupervisorStatus:
    """The supervisor that holds an outputs/ folder."""

    pid: int
    started_at: datetime
    version: str
    socket: str
    """The socket that it listens on."""
    host: str = ""
    """The machine or container that it runs in; empty if this process can see it."""
