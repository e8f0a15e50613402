"""Finds the devices of this machine and reads their state; what cannot be read is None, never 0.

NVML's order is not CUDA's, so a GPU is always identified by its UUID. Every NVML call may fail
(MIG, containers, a GPU that fell off the bus), so each is caught separately.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import psutil

from workbench.settings import Settings

__all__ = [
    "Gpu",
    "Nvml",
    "Readings",
    "Slot",
    "core_count",
    "cpu_readings",
    "has_idle_core",
    "plan_slots",
]

_ALL_CORES_UP_TO: Final = 4
_CORES_A_RENDER: Final = 1.5


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, or one MIG instance."""

    uuid: str
    gpu_id: int
    """NVML's index of the physical GPU."""
    label: str
    memory_total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """A device's current readings."""

    memory_total_bytes: int | None = None
    memory_used_bytes: int | None = None
    utilization_percent: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot for one worker on one device."""

    name: str
    """``cuda:0``, ``cuda:0#2`` for a second worker on it, ``cpu:1``."""
    kind: str
    uuid: str | None
    gpu_id: int | None
    label: str
    queues: tuple[str, ...]
    """The queues that it serves."""
    host: str = ""
    """The machine of a cluster that it is on; empty for this one."""

    def is_paused(self, names: frozenset[str]) -> bool:
        """Tell whether it is paused: by its name, device or machine, or with the whole queue."""
        return bool(names & {"", self.name, self.name.partition("#")[0], self.host})


class Nvml:
    """NVIDIA's management library, if installed; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nvml: Any = None

    def gpus(self) -> tuple[Gpu, ...]:
        """Return every GPU of this machine; a partitioned GPU is replaced by its MIG instances."""
        with self._lock:
            if not self._ready():
                return ()
            count = self._ask("nvmlDeviceGetCount")
            if count is None:  # the driver is gone: reinitialise at the next call
                self._nvml = None
                return ()
            found: list[Gpu] = []
            for number in range(count):
                handle = self._ask("nvmlDeviceGetHandleByIndex", number)
                if handle is not None:
                    found.extend(self._parts(handle, number))
            return tuple(found)

    def readings(self, uuid: str) -> Readings:
        """Return the current readings of the GPU ``uuid``."""
        with self._lock:
            handle = self._ask("nvmlDeviceGetHandleByUUID", uuid) if self._ready() else None
            if handle is None:
                return Readings()
            memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
            rates = self._ask("nvmlDeviceGetUtilizationRates", handle)
            heat = self._ask("nvmlDeviceGetTemperature", handle, 0)  # NVML_TEMPERATURE_GPU
            milliwatts = self._ask("nvmlDeviceGetPowerUsage", handle)
        return Readings(
            memory_total_bytes=None if memory is None else int(memory.total),
            memory_used_bytes=None if memory is None else int(memory.used),
            utilization_percent=None if rates is None else float(rates.gpu),
            temperature_c=None if heat is None else float(heat),
            power_w=None if milliwatts is None else milliwatts / 1_000,
        )

    def driver(self) -> str | None:
        """Return the driver's version; None without a driver."""
        with self._lock:
            version = self._ask("nvmlSystemGetDriverVersion") if self._ready() else None
            return None if version is None else _text(version)

    def _ready(self) -> bool:
        if self._nvml is not None:
            return True
        try:
            import pynvml  # noqa: PLC0415  may be absent

            pynvml.nvmlInit()
        except Exception:  # noqa: BLE001  absent, no driver, no permission: no GPU either way
            return False
        self._nvml = pynvml
        return True

    def _ask(self, call: str, *arguments: Any) -> Any:
        try:
            return getattr(self._nvml, call)(*arguments)
        except Exception:  # noqa: BLE001  any one call may fail, or be missing from the library
            return None

    def _parts(self, handle: Any, number: int) -> list[Gpu]:
        mode = self._ask("nvmlDeviceGetMigMode", handle)
        handles = [handle]
        if mode is not None and mode[0]:
            limit = self._ask("nvmlDeviceGetMaxMigDeviceCount", handle) or 0
            parts = (
                self._ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, i) for i in range(limit)
            )
            handles = [part for part in parts if part is not None]
        found = []
        for part in handles:
            uuid = self._ask("nvmlDeviceGetUUID", part)
            if uuid is None:
                continue
            name = self._ask("nvmlDeviceGetName", part) or self._ask("nvmlDeviceGetName", handle)
            memory = self._ask("nvmlDeviceGetMemoryInfo", part)
            total = None if memory is None else int(memory.total)
            found.append(Gpu(_text(uuid), number, _text(name or "NVIDIA GPU"), total))
        return found


def plan_slots(settings: Settings, gpus: Sequence[Gpu]) -> tuple[Slot, ...]:
    """Return the worker slots: on the GPUs that may be used, and on the CPU beside them."""
    usable = [gpu for gpu in gpus if _visible(gpu) and _wanted(gpu, settings.devices)]
    workers = settings.cpu_workers
    if workers is None:
        workers = cpu_worker_count(gpus=len(usable))
    slots: list[Slot] = []
    taken: set[str] = set()
    for gpu in usable:
        name = f"cuda:{gpu.gpu_id}"
        while name in taken:  # parts of one GPU share its index
            name += "m"
        taken.add(name)
        queues: tuple[str, ...] = ("gpu",) if workers else ("gpu", "slow", "cpu")
        for place in range(settings.slots_per_gpu):
            suffix = f"#{place + 1}" if place else ""
            slots.append(Slot(name + suffix, "cuda", gpu.uuid, gpu.gpu_id, gpu.label, queues))
    every: tuple[str, ...] = ("cpu", "slow") if usable else ("cpu", "slow", "gpu")
    for number in range(workers):
        # The first of several gets no slow renders, so that placeholders need not wait for one.
        queues = ("cpu",) if number == 0 and workers > 1 else every
        slots.append(Slot(f"cpu:{number}", "cpu", None, None, cpu_label(), queues))
    return tuple(slots)


def core_count() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_idle_core(renders: int) -> bool:
    """Return whether ``renders`` on the processor, at one and a half cores each, leave a core idle."""
    return _CORES_A_RENDER * renders < core_count()


def cpu_worker_count(*, gpus: int) -> int:
    """Return how many CPU workers fit this machine's cores.

    One render keeps about one and a half cores busy, since drawing overlaps with encoding. On two
    cores two workers still finish eight animatics 1.3 times as fast as one, so small machines get
    one per core, larger ones one for every two more cores. Beside GPUs a few are enough, as they
    draw only placeholders.
    """
    cores = core_count()
    fitting = min(cores, _ALL_CORES_UP_TO) + max(0, cores - _ALL_CORES_UP_TO) // 2
    return min(fitting, max(2, gpus)) if gpus else fitting


def cpu_readings() -> Readings:
    """Return the current readings of this machine's processor and memory."""
    memory = psutil.virtual_memory()
    return Readings(
        memory_total_bytes=memory.total,
        memory_used_bytes=memory.total - memory.available,
        utilization_percent=psutil.cpu_percent(interval=None),
    )


@cache
def cpu_label() -> str:
    """Return the processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "CPU"


def _visible(gpu: Gpu) -> bool:
    """Apply CUDA_VISIBLE_DEVICES, by which a cluster assigns GPUs."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return True if allowed is None else _named(gpu, allowed.split(","))


def _wanted(gpu: Gpu, devices: Sequence[str]) -> bool:
    return not devices or _named(gpu, devices)


def _named(gpu: Gpu, names: Sequence[str]) -> bool:
    for name in (text.strip() for text in names):
        if name.removeprefix("cuda:") == str(gpu.gpu_id):
            return True
        if len(name) > 4 and gpu.uuid.startswith(name):
            return True
    return False


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
