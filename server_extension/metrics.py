"""The workbench's Prometheus metrics, beside the server's own under ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from workbench.errors import WorkbenchError
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Device, JobState

__all__ = ["WorkbenchCollector"]

_READINGS = {
    "memory_used_bytes": "Memory in use on a device",
    "memory_total_bytes": "Memory of a device",
    "utilization_percent": "Utilisation of a device",
    "temperature_c": "Temperature of a device",
    "power_w": "Power draw of a device",
}


class WorkbenchCollector(Collector):
    """Reads jobs and devices at each scrape; registered while the server runs."""

    def __init__(self, jobs: JobManager) -> None:
        self._jobs = jobs
        REGISTRY.register(self)

    def close(self) -> None:
        """Unregister the metrics."""
        REGISTRY.unregister(self)

    def describe(self) -> Iterable[Metric]:
        """Describe no metrics, so that registering reads nothing."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield the current values; none while the index cannot be read."""
        try:
            counts = {state: self._jobs.jobs(state=state, limit=1).total for state in JobState}
            devices = self._jobs.devices()
            supervised = self._jobs.supervisor() is not None
        except WorkbenchError:
            return
        jobs = GaugeMetricFamily("workbench_jobs", "Jobs in the index", labels=["state"])
        for state, count in counts.items():
            jobs.add_metric([str(state)], count)
        yield jobs
        yield GaugeMetricFamily(
            "workbench_supervisor_up", "Whether a supervisor is running", value=float(supervised)
        )
        yield from _device_metrics(devices)


def _device_metrics(devices: tuple[Device, ...]) -> Iterable[Metric]:
    busy = GaugeMetricFamily(
        "workbench_device_busy", "Whether a device is rendering", labels=["device", "name"]
    )
    for device in devices:
        busy.add_metric([device.name, device.label], float(device.job_id is not None))
    yield busy
    for reading, told in _READINGS.items():
        family = GaugeMetricFamily(f"workbench_device_{reading}", told, labels=["device"])
        for device in devices:
            value = getattr(device, reading)
            if value is not None:  # an unknown value is absent, never 0
                family.add_metric([device.name], value)
        yield family
