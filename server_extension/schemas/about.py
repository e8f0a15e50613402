"""Response models of devices, the cluster and health."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from server_extension.schemas.common import Body
from workbench.model_library import DownloadObject, ModelObject

__all__ = [
    "ClusterObject",
    "DeviceObject",
    "DevicesAnswer",
    "HealthAnswer",
    "MemberObject",
    "ModelRequest",
    "ModelsAnswer",
]


class DeviceObject(BaseModel):
    """One device; unknown readings are null."""

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
    """Why it is in that state, if known."""
    host: str | None = None
    """The machine of the cluster that it belongs to; null for the server's own."""


class ModelRequest(Body):
    """A model to fetch from the hub, where the server's settings allow the hub."""

    model: str = Field(
        description="Its name on the hub.",
        examples=["Wan-AI/Wan2.1-T2V-1.3B-Diffusers"],
        max_length=200,
    )


class ModelsAnswer(BaseModel):
    """The video models on the server's machine."""

    models: list[ModelObject]
    downloads: list[DownloadObject] = Field(
        description="Downloads that POST started since the server started."
    )


class MemberObject(BaseModel):
    """One machine of the cluster."""

    name: str
    address: str
    gpus: float
    """How many of them the cluster may use."""
    problem: str
    """Why it cannot be used, if it cannot."""


class ClusterObject(BaseModel):
    """The state of the chosen Ray cluster."""

    address: str
    state: Literal["joining", "joined", "unreachable", "away"]
    detail: str
    since: datetime | None
    machines: list[MemberObject]


class DevicesAnswer(BaseModel):
    """Every device, and the cluster if one was chosen."""

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
