"""What is told of devices and of the whole."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

__all__ = [
    "DeviceObject",
    "DevicesAnswer",
    "HealthAnswer",
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


class DevicesAnswer(BaseModel):
    """Every device."""

    devices: list[DeviceObject]


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
