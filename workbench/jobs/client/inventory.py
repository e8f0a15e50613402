"""Devices with their readings and their state in the supervisor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from workbench.jobs.cluster.status import ClusterStatus
from workbench.jobs.devices import Nvml, Readings, Slot, cpu_readings, plan_slots
from workbench.jobs.model import Device
from workbench.jobs.store.ledger import DeviceRow
from workbench.settings import Settings

__all__ = ["inventory"]


def inventory(
    settings: Settings,
    nvml: Nvml,
    rows: Mapping[str, DeviceRow],
    paused: frozenset[str],
    status: ClusterStatus | None = None,
) -> tuple[Device, ...]:
    """Return every device; ``rows`` holds the supervisor's rows by device name.

    ``status`` is the cluster's, if one was chosen.
    """
    slots = plan_slots(settings, nvml.gpus())
    cpu = cpu_readings()
    devices = [
        _device(slot, nvml.readings(slot.uuid) if slot.uuid else cpu, rows.get(slot.name), paused)
        for slot in slots
    ]
    there = status.remote_slots if status else ()
    devices += [
        _device(remote_slot.slot, remote_slot.readings, rows.get(remote_slot.slot.name), paused)
        for remote_slot in there
    ]
    known = {slot.name for slot in slots} | {remote_slot.slot.name for remote_slot in there}
    for name, row in rows.items():
        if name not in known:  # removed hardware
            host, _, place = name.rpartition("/")
            lost = Slot(name, place.partition(":")[0], None, None, "", (), host)
            devices.append(_device(lost, Readings(), row, paused))
    return tuple(devices)


def _device(
    slot: Slot, readings: Readings, row: DeviceRow | None, paused: frozenset[str]
) -> Device:
    stopped = slot.is_paused(paused)
    idle = "paused" if stopped else "resting"
    return Device(
        name=slot.name,
        kind=slot.kind,
        uuid=slot.uuid,
        gpu_id=slot.gpu_id,
        label=slot.label,
        **asdict(readings),
        job_id=row.job_id if row else None,
        worker_pid=row.worker.pid if row and row.worker and not slot.host else None,
        state=row.state if row else idle,
        detail=row.detail if row else "",
        host=slot.host,
        paused=stopped,
    )
