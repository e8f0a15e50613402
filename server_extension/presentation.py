"""Jobs, batches, entries and devices as REST objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from jupyter_server.utils import url_path_join

from server_extension.schemas.about import ClusterObject, DeviceObject, MemberObject
from server_extension.schemas.prompts import (
    ExchangeObject,
    HistoryEntry,
    VariationObject,
    change_objects,
)
from workbench.actions.model import as_json
from workbench.jobs.cluster.status import ClusterStatus
from workbench.jobs.model import Batch, Device, Job
from workbench.presentation import BatchObject, JobObject, batch_object, job_object
from workbench.prompts.model import Entry, Exchange, Source

__all__ = ["Presenter", "device_object", "history_entry", "variation_object"]


class Presenter:
    """Builds REST objects with URLs under one ``base_url``."""

    def __init__(self, base_url: str) -> None:
        self._base_url = url_path_join(base_url, "/")

    def job(self, job: Job) -> JobObject:
        """Return the public form of ``job``."""
        return job_object(job, self._base_url)

    def batch(self, batch: Batch) -> BatchObject:
        """Return the public form of ``batch``."""
        return batch_object(batch, self._base_url)

    def status_url(self, job: Job) -> str:
        """Return the URL of ``job``'s status."""
        return f"{self._base_url}api/video/status/{job.job_id}"

    def batch_status_url(self, batch: Batch) -> str:
        """Return the URL of ``batch``'s status."""
        return f"{self._base_url}api/video/batch_status/{batch.batch_id}"


def history_entry(entry: Entry, transcript: Sequence[Exchange] | None = None) -> HistoryEntry:
    """Return one prompt of a session as a REST object."""
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
    """Return one variation as a REST object."""
    return VariationObject(
        prompt=entry.prompt,
        index=entry.index,
        parent=entry.parent,
        changes=[change.sentence for change in entry.changes],
        differences=change_objects(entry.changes),
        source=entry.source,
        is_fallback=entry.is_fallback or entry.source is not Source.PROVIDER,
        parameters=entry.scene,
        name=entry.request,
        message=entry.message,
    )


def device_object(device: Device) -> DeviceObject:
    """Return one device as a REST object."""
    told = {name: getattr(device, name) for name in DeviceObject.model_fields}
    return DeviceObject(**{**told, "host": device.host or None})


def cluster_object(status: ClusterStatus | None) -> ClusterObject | None:
    """Return the cluster as a REST object."""
    if status is None:
        return None
    return ClusterObject(
        address=status.address,
        state=status.state.value,
        detail=status.detail,
        since=datetime.fromtimestamp(status.since, UTC) if status.since else None,
        machines=[
            MemberObject(
                name=member.name,
                address=member.address,
                gpus=member.gpus,
                problem=member.problem,
            )
            for member in status.members
        ],
    )
