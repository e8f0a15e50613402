"""Our own jobs, batches, entries and devices as the REST contract names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from jupyter_server.utils import url_path_join

from server_extension.schemas import (
    BatchObject,
    BatchStatus,
    ClusterObject,
    DeviceObject,
    ExchangeObject,
    HistoryEntry,
    JobObject,
    JobStatus,
    MemberObject,
    ScoresObject,
    VariationObject,
    change_objects,
)
from workbench.actions.model import as_json
from workbench.jobs.cluster.status import ClusterStatus
from workbench.jobs.model import Batch, BatchState, Device, Job, JobState
from workbench.measures.scores import SCORE_NAMES
from workbench.prompts.model import Entry, Exchange, Source

__all__ = ["Presenter", "device_object", "history_entry", "variation_object"]

_JOB_STATUS: Final[Mapping[JobState, JobStatus]] = MappingProxyType(
    {
        JobState.QUEUED: "pending",
        JobState.RUNNING: "processing",
        JobState.COMPLETE: "complete",
        JobState.FAILED: "failed",
        JobState.CANCELLED: "failed",  # published clients stop polling at complete and failed only
    }
)
_BATCH_STATUS: Final[Mapping[BatchState, BatchStatus]] = MappingProxyType(
    {
        BatchState.QUEUED: "pending",
        BatchState.RUNNING: "processing",
        BatchState.COMPLETE: "complete",
        BatchState.PARTIAL: "partial",
        BatchState.FAILED: "failed",
    }
)


class Presenter:
    """Presents jobs under one ``base_url``."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def job(self, job: Job) -> JobObject:
        """Return ``job`` as it is answered."""
        request = job.request
        folder = f"{job.batch_id}/{job.job_id}" if job.batch_id else job.job_id
        return JobObject.model_construct(
            job_id=job.job_id,
            batch_id=job.batch_id,
            session_id=job.session_id,
            status=_JOB_STATUS[job.state],
            cancelled=job.state is JobState.CANCELLED,
            progress=round(job.progress, 1),
            stage=job.stage,
            step=job.step,
            total_steps=job.total_steps,
            message=_message(job),
            video_url=self._video(folder, "video.mp4") if job.has_video else None,
            poster_url=self._video(folder, "poster.jpg") if job.has_poster else None,
            preview_url=self._preview(job, folder),
            prompt=request.prompt,
            seed=request.seed,
            engine=request.engine,
            model=request.model,
            parameters=request.scene,
            entry_index=job.entry_index,
            gpu_id=job.gpu_id,
            device=job.device,
            host=job.host or None,
            priority=job.priority,
            attempt=job.attempt,
            eta_s=job.eta_s,
            wait_s=job.wait_s,
            starred=job.starred,
            note=job.note,
            scores=_scores(job),
            scores_error=job.scores_error,
            near_duplicates=list(job.near_duplicates),
            queue_position=job.queue_position,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            error=job.error,
            revision=job.revision,
        )

    def batch(self, batch: Batch) -> BatchObject:
        """Return ``batch`` as it is answered."""
        counts: dict[str, int] = {"pending": 0, "processing": 0, "complete": 0, "failed": 0}
        for job in batch.jobs:
            counts[_JOB_STATUS[job.state]] += 1
        cancelled = sum(job.state is JobState.CANCELLED for job in batch.jobs)
        return BatchObject.model_construct(
            batch_id=batch.batch_id,
            name=batch.name,
            status=_BATCH_STATUS[batch.state],
            progress=round(batch.progress, 1),
            counts={**counts, "cancelled": cancelled, "total": len(batch.jobs)},
            created_at=batch.created_at,
            jobs=[self.job(job) for job in batch.jobs],
        )

    def status_url(self, job: Job) -> str:
        """Return where ``job``'s status is asked."""
        return url_path_join(self._base_url, "api/video/status", job.job_id)

    def batch_status_url(self, batch: Batch) -> str:
        """Return where ``batch``'s status is asked."""
        return url_path_join(self._base_url, "api/video/batch_status", batch.batch_id)

    def _video(self, folder: str, name: str) -> str:
        return url_path_join(self._base_url, "static/videos", folder, name)

    def _preview(self, job: Job, folder: str) -> str | None:
        if job.has_preview:
            return self._video(folder, "preview.jpg")
        if job.preview_job_id:
            return self._video(job.preview_job_id, "video.mp4")
        return None


def _scores(job: Job) -> ScoresObject | None:
    if job.scores is None:
        return None
    values: dict[str, Any] = {name: job.scores.get(name) for name in SCORE_NAMES}
    return ScoresObject.model_construct(**values)


def _message(job: Job) -> str:
    """Return one sentence on where the job is; a page that knows nothing else can show it."""
    if job.state is JobState.QUEUED:
        ahead = job.queue_position
        return job.message or ("Waiting" if ahead is None else f"Waiting, {ahead} ahead")
    if job.state is JobState.RUNNING:
        return job.message or job.stage.capitalize() or "Rendering"
    if job.state is JobState.COMPLETE:
        return job.message or (f"Done on {job.device}" if job.device else "Done")
    if job.state is JobState.CANCELLED:
        return job.message or "Cancelled"
    return job.error or job.message or "Failed"


def history_entry(entry: Entry, transcript: Sequence[Exchange] | None = None) -> HistoryEntry:
    """Return one prompt of a session as it is answered."""
    return HistoryEntry(
        index=entry.index,
        kind=entry.kind,
        prompt=entry.prompt,
        parameters=entry.scene,
        parent=entry.parent,
        changes=[change.sentence for change in entry.changes],
        request=entry.request,
        provider=entry.provider,
        source=entry.source,
        is_fallback=entry.is_fallback,
        message=entry.message,
        created_at=entry.created_at,
        job_ids=list(entry.job_ids),
        actions=as_json(entry.actions),
        settings=entry.settings.stated(),
        starred=entry.starred,
        transcript=None
        if transcript is None
        else [ExchangeObject(**asdict(exchange)) for exchange in transcript],
    )


def variation_object(entry: Entry) -> VariationObject:
    """Return one variation as it is answered."""
    return VariationObject(
        prompt=entry.prompt,
        index=entry.index,
        parent=entry.parent,
        changes=[change.sentence for change in entry.changes],
        differences=change_objects(entry.changes),
        source=entry.source,
        is_fallback=entry.is_fallback or entry.source is not Source.PROVIDER,
        parameters=entry.scene,
    )


def device_object(device: Device) -> DeviceObject:
    """Return one device as it is answered."""
    told = {name: getattr(device, name) for name in DeviceObject.model_fields}
    return DeviceObject(**{**told, "host": device.host or None})


def cluster_object(standing: ClusterStatus | None) -> ClusterObject | None:
    """Return the cluster as it is answered."""
    if standing is None:
        return None
    return ClusterObject(
        address=standing.address,
        state=standing.state.value,
        detail=standing.detail,
        since=datetime.fromtimestamp(standing.since, UTC) if standing.since else None,
        machines=[
            MemberObject(
                name=member.name,
                address=member.address,
                gpus=member.gpus,
                problem=member.problem,
            )
            for member in standing.members
        ],
    )
