"""The workbench beside the server's own Prometheus metrics, under ``/metrics``."""

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
    "utilization_percent": "How busy a device is",
    "temperature_c": "How warm a device is",
    "power_w": "What a device draws",
}


class WorkbenchCollector(Collector):
    """Reads jobs and devices when Prometheus asks; registered while the server lives."""

    def __init__(self, jobs: JobManager) -> None:
        self._jobs = jobs
        REGISTRY.register(self)

    def close(self) -> None:
        """Take the metrics away again."""
        REGISTRY.unregister(self)

    def describe(self) -> Iterable[Metric]:
        """Name nothing before it is asked for, so that registering reads nothing."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield the present figures; none while the index cannot be read."""
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
            "workbench_supervisor_up", "Whether a supervisor runs", value=float(supervised)
        )
        yield from _device_metrics(devices)


def _device_metrics(devices: tuple[Device, ...]) -> Iterable[Metric]:
    busy = GaugeMetricFamily(
        "workbench_device_busy", "Whether a device renders", labels=["device", "name"]
    )
    for device in devices:
        busy.add_metric([device.name, device.label], float(device.job_id is not None))
    yield busy
    for reading, told in _READINGS.items():
        family = GaugeMetricFamily(f"workbench_device_{reading}", told, labels=["device"])
        for device in devices:
            value = getattr(device, reading)
            if value is not None:  # unknown is absent, never 0
                family.add_metric([device.name], value)
        yield family
