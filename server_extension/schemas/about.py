"""What is told of devices and of the whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from workbench.model_library import ModelObject

__all__ = [
    "ClusterObject",
    "DeviceObject",
    "DevicesAnswer",
    "HealthAnswer",
    "MemberObject",
    "ModelsAnswer",
]


class DeviceObject(BaseModel):
    """One device; null where a reading is not known."""

    name: str
    kind: str
    uuid: str | None
    gpu_id: int | None
    label: str
    state: str
    memory_total_bytes: int | None
    memory_used_bytes: int | None
    utilization_percent: float | None
    temperature_c: float | None
    power_w: float | None
    job_id: str | None
    detail: str = ""
    """Why it is in that state, where there is more to say."""
    host: str | None = None
    """The machine of the cluster that it is on; null for the server's own."""


class ModelsAnswer(BaseModel):
    """The video models on the server's machine."""

    models: list[ModelObject]


class MemberObject(BaseModel):
    """One machine of the cluster."""

    name: str
    address: str
    gpus: float
    """How many the cluster may give away there."""
    problem: str
    """Why it cannot be used, where that is so."""


class ClusterObject(BaseModel):
    """How the supervisor stands with the Ray cluster that was chosen."""

    address: str
    state: Literal["joining", "joined", "unreachable", "away"]
    detail: str
    since: datetime | None
    machines: list[MemberObject]


class DevicesAnswer(BaseModel):
    """Every device, and the cluster where one was chosen."""

    devices: list[DeviceObject]
    cluster: ClusterObject | None = None


class HealthAnswer(BaseModel):
    """What is up, with versions."""

    status: Literal["ok", "degraded"]
    version: str
    versions: dict[str, str]
    engine: str
    engines: list[str]
    language_provider: str
    supervisor: dict[str, Any] | None
    limits: dict[str, int]
