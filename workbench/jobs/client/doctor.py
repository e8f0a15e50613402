"""Diagnoses problems of the job manager, with advice."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from workbench.engines.registry import create_engine, engine_names
from workbench.errors import WorkbenchError
from workbench.jobs.client.manager import JobManager
from workbench.jobs.cluster.status import ClusterState
from workbench.jobs.devices import Nvml
from workbench.jobs.locking import holders
from workbench.jobs.model import JobState, SupervisorStatus
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import is_stopped
from workbench.jobs.supervisor.leases import lease_folder
from workbench.jobs.versions import installed_version
from workbench.settings import Settings

__all__ = ["Finding", "Verdict", "examine"]

_LIBRARIES: Final = (
    "world-model-workbench",
    "jupyterlab",
    "voila",
    "av",
    "opencv-python-headless",
    "numpy",
    "torch",
    "diffusers",
    "transformers",
    "ray",
)
_NETWORK_DISKS: Final = frozenset({"nfs", "nfs4", "cifs", "smbfs", "fuse.sshfs", "afs", "lustre"})


class Verdict(StrEnum):
    """How bad a finding is."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined."""

    verdict: Verdict
    what: str
    found: str
    advice: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Examine versions, disk, index, supervisor, devices, engines and the queue.

    Starts nothing; changes nothing except by opening the index.
    """
    manager = JobManager(settings)
    try:
        paths = JobPaths(settings.outputs)
        return [
            _versions(),
            *_disk(settings),
            *_as_far_as_possible("index", _index(settings, manager)),
            *_as_far_as_possible("supervisor", _supervisor(manager, paths)),
            *_locks(manager, paths),
            *_as_far_as_possible("cluster", _cluster(settings, manager, paths)),
            *_as_far_as_possible("devices", _devices(manager)),
            *_engines(settings),
        ]
    finally:
        manager.close()


def _as_far_as_possible(what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield ``findings``; an error while examining becomes a finding itself."""
    try:
        yield from findings
    except WorkbenchError as error:
        yield Finding(Verdict.BAD, what, "cannot be examined", str(error))


def _versions() -> Finding:
    found = [f"Python {platform.python_version()}"]
    found += [f"{name} {installed_version(name) or 'absent'}" for name in _LIBRARIES]
    return Finding(Verdict.GOOD, "versions", ", ".join(found))


def _disk(settings: Settings) -> Iterator[Finding]:
    outputs = settings.outputs
    there = next(path for path in (outputs, *outputs.parents) if path.exists())
    if not os.access(there, os.W_OK):
        advice = "Give this user write permission, or set WORKBENCH_OUTPUTS."
        yield Finding(Verdict.BAD, "outputs", f"{there} cannot be written", advice)
    else:
        yield Finding(Verdict.GOOD, "outputs", str(outputs))
    usage = shutil.disk_usage(there)
    told = f"{usage.free >> 20} MiB free of {usage.total >> 20} MiB"
    if usage.free < settings.disk_reserve_bytes:
        advice = "Remove videos, set a retention, or lower WORKBENCH_DISK_RESERVE_BYTES."
        yield Finding(Verdict.BAD, "disk", f"{told}: new renders are refused", advice)
    else:
        yield Finding(Verdict.GOOD, "disk", told)
    kind = _filesystem(settings.index_path)
    if kind in _NETWORK_DISKS:
        advice = "Set WORKBENCH_INDEX to a file on a local disk; outputs/ may stay where it is."
        yield Finding(Verdict.BAD, "index", f"it lies on a network disk ({kind})", advice)


def _filesystem(path: Path) -> str:
    best, kind = "", ""
    for partition in psutil.disk_partitions(all=True):
        if path.is_relative_to(partition.mountpoint) and len(partition.mountpoint) > len(best):
            best, kind = partition.mountpoint, partition.fstype
    return kind


def _index(settings: Settings, manager: JobManager) -> Iterator[Finding]:
    path = settings.index_path
    if not path.exists():
        yield Finding(Verdict.NOTE, "index", "there is none yet; the first render creates it")
        return
    fault = manager.index_fault()
    if fault:
        advice = "It is made again from the job folders at its next use; no video is lost."
        yield Finding(Verdict.BAD, "index", fault, advice)
        return
    counts = {state: manager.jobs(state=state, limit=1).total for state in JobState}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    yield Finding(Verdict.GOOD, "index", f"{path.stat().st_size >> 10} KiB; {told or 'no jobs'}")
    aside = list(path.parent.glob("damaged-*"))
    if aside:
        advice = "Remove them once you have checked that nothing is missing."
        yield Finding(Verdict.NOTE, "index", f"{len(aside)} damaged files were put aside", advice)


def _locks(manager: JobManager, paths: JobPaths) -> Iterator[Finding]:
    held = holders(paths.lock)
    if held and manager.supervisor() is None:
        pids = ", ".join(str(pid) for pid in held)
        advice = f"It may just be starting. If this persists, end it: kill {pids}."
        told = f"pid {pids} holds the supervisor's lock but has not announced itself"
        yield Finding(Verdict.BAD, "locks", told, advice)
    leases = {path: holders(path) for path in lease_folder().glob("*.lock")}
    taken = sorted({pid for pids in leases.values() for pid in pids})
    told = f"{len([pids for pids in leases.values() if pids])} GPU leases are held"
    by = f" by pid {', '.join(str(pid) for pid in taken)}" if taken else ""
    yield Finding(Verdict.GOOD, "locks", f"{told}{by}; they are in {lease_folder()}")


def _supervisor(manager: JobManager, paths: JobPaths) -> Iterator[Finding]:
    status = manager.supervisor()
    if status is None:
        waiting = 0
        if manager.index_path.exists():
            waiting = manager.jobs(state=JobState.QUEUED, limit=1).total
        if waiting:
            advice = f"Any status request starts one; if none starts, read {paths.log}."
            yield Finding(Verdict.BAD, "supervisor", f"none runs, and {waiting} jobs wait", advice)
        else:
            yield Finding(Verdict.GOOD, "supervisor", "none is running, and none is needed")
        return
    told = f"pid {status.pid} since {status.started_at:%Y-%m-%d %H:%M} UTC, {status.version}"
    installed = installed_version() or status.version
    if installed != status.version:
        advice = f"End it (kill {status.pid}): the next render starts the installed {installed}."
        yield Finding(Verdict.NOTE, "supervisor", told, advice)
    elif status.host:
        advice = f"What runs there is seen there: run the doctor on {status.host}."
        yield Finding(Verdict.NOTE, "supervisor", f"{told}, on {status.host}", advice)
    elif not manager.answers():
        advice = _advice(status, paths)
        yield Finding(Verdict.BAD, "supervisor", f"{told}, does not answer", advice)
    else:
        yield Finding(Verdict.GOOD, "supervisor", told)


def _advice(status: SupervisorStatus, paths: JobPaths) -> str:
    """Return advice about a running supervisor that does not answer."""
    if is_stopped(status.pid):
        return f"It is stopped. Resume it: kill -CONT {status.pid}."
    if not Path(status.socket).exists():
        return f"Its socket {status.socket} was removed; it makes a new one within seconds."
    return f"It may be busy: read {paths.log}. To restart it: kill {status.pid}; no job is lost."


def _cluster(settings: Settings, manager: JobManager, paths: JobPaths) -> Iterator[Finding]:
    status = manager.cluster()
    if status is None:
        return
    if find_spec("ray") is None:
        advice = "pip install 'world-model-workbench[cluster]', here and on every machine of it."
        yield Finding(Verdict.BAD, "cluster", "Ray is not installed here", advice)
        return
    told = f"{settings.cluster}: {status.state}"
    told += f", {status.detail}" if status.detail else ""
    match status.state:
        case ClusterState.JOINED:
            gpus = sum(member.gpus for member in status.members)
            told += f", {len(status.members)} machines, {gpus:g} GPUs"
            verdict = Verdict.GOOD if gpus else Verdict.NOTE
            advice = "" if gpus else "Jobs that need a GPU wait until a machine with one joins."
            yield Finding(verdict, "cluster", told, advice)
        case ClusterState.UNREACHABLE:
            advice = f"It is tried again; work on this machine continues. Ray's output is in {paths.cluster_log}."
            yield Finding(Verdict.BAD, "cluster", told, advice)
        case _:
            yield Finding(Verdict.NOTE, "cluster", told)
    for member in status.members:
        if member.problem:
            advice = f"Install the same release there, with its extra [cluster]: {member.address}."
            yield Finding(Verdict.BAD, f"machine {member.name}", member.problem, advice)


def _devices(manager: JobManager) -> Iterator[Finding]:
    driver = Nvml().driver()
    if driver is None:
        advice = "With a GPU in this machine: install its driver, and check with nvidia-smi."
        yield Finding(Verdict.NOTE, "driver", "no NVIDIA driver answers", advice)
    else:
        yield Finding(Verdict.GOOD, "driver", f"NVIDIA {driver}")
    paused = manager.paused() if manager.index_path.exists() else frozenset()
    if "" in paused:
        yield Finding(Verdict.NOTE, "queue", "it is paused", "workbench jobs resume")
    for device in manager.devices():
        told = f"{device.label}, {device.state}" + (f" ({device.detail})" if device.detail else "")
        verdict, advice = Verdict.GOOD, ""
        if device.state == "lost":
            verdict, advice = Verdict.BAD, "Its worker does not start: see supervisor.log."
        elif device.state == "paused":
            verdict, advice = Verdict.NOTE, f"workbench jobs resume {device.name}"
        elif device.state == "held":
            verdict, advice = Verdict.NOTE, "Its jobs start when the other one releases it."
        yield Finding(verdict, device.name, told, advice)


def _engines(settings: Settings) -> Iterator[Finding]:
    for name in engine_names(settings):
        try:
            create_engine(name, settings)
        except WorkbenchError as error:
            yield Finding(Verdict.NOTE, f"engine {name}", "cannot be used here", str(error))
        else:
            yield Finding(Verdict.GOOD, f"engine {name}", "can be asked for")
