"""The machines of a cluster, their names and their slots.

Pure functions of what the cluster and its machines report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from workbench.jobs.cluster.status import Member, RemoteSlot
from workbench.jobs.devices import Gpu, Readings, Slot
from workbench.settings import Settings

__all__ = ["Survey", "name_members", "plan_remote_slots"]

_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_SUFFIX_CHARS: Final = 6


@dataclass(frozen=True, slots=True)
class Survey:
    """The facts about one machine."""

    version: str
    """Version of the workbench installed there."""
    cpu_label: str
    memory_total_bytes: int
    gpus: tuple[Gpu, ...]


def name_members(
    nodes: Iterable[Mapping[str, Any]], known: Mapping[str, str] = MappingProxyType({})
) -> list[Member]:
    """Return the living machines among ``nodes``, as Ray lists them, with unique names.

    A machine is named by its node name, otherwise by its host name; a duplicate gets the
    beginning of its id as a suffix. Machines in ``known``, by id, keep their names.
    """
    living = sorted((node for node in nodes if node["Alive"]), key=lambda node: str(node["NodeID"]))
    names = {node["NodeID"]: known[node["NodeID"]] for node in living if node["NodeID"] in known}
    for node in living:
        name = _name(node)
        if name in names.values():
            name = f"{name}-{str(node['NodeID'])[:_SUFFIX_CHARS]}"
        names.setdefault(node["NodeID"], name)
    members = [_member(node, names[node["NodeID"]]) for node in living]
    return sorted(members, key=lambda member: member.name)


def _member(node: Mapping[str, Any], name: str) -> Member:
    resources = node["Resources"]
    return Member(
        node_id=str(node["NodeID"]),
        name=name,
        address=str(node["NodeManagerAddress"]),
        gpus=float(resources.get("GPU", 0)),
        cpus=float(resources.get("CPU", 0)),
    )


def _name(node: Mapping[str, Any]) -> str:
    given = str(node.get("NodeName") or "")
    name = given if given not in {"", node["NodeManagerAddress"]} else node["NodeManagerHostname"]
    return _NAME.sub("-", str(name)).strip("-") or "node"


def plan_remote_slots(
    members: Sequence[Member],
    surveys: Mapping[str, Survey],
    settings: Settings,
    *,
    ours: frozenset[str] = frozenset(),
    home: str = "",
) -> list[RemoteSlot]:
    """Return the places for workers on the machines that were surveyed.

    GPUs whose UUID is among ``ours`` are served by this machine's own workers, and so are the CPUs
    of the node ``home``, on which this process runs.
    """
    remote_slots: list[RemoteSlot] = []
    for member in members:
        survey = surveys.get(member.node_id)
        if survey is None or member.problem:
            continue
        for number in range(int(member.gpus)):
            gpu = _gpu(survey, member, number)
            if gpu is None or gpu.uuid not in ours:
                remote_slots += _gpu_slots(member, number, gpu, settings.slots_per_gpu)
        workers = min(settings.cluster_cpu_workers, int(member.cpus))
        for number in range(0 if member.node_id == home else workers):
            name = f"{member.name}/cpu:{number}"
            slot = Slot(name, "cpu", None, None, survey.cpu_label, ("cpu", "slow"), member.name)
            memory = Readings(memory_total_bytes=survey.memory_total_bytes)
            remote_slots.append(RemoteSlot(slot, member.node_id, memory))
    return remote_slots


def _gpu(survey: Survey, member: Member, number: int) -> Gpu | None:
    """Return the GPU of a slot; None while the cluster has not chosen among several."""
    return survey.gpus[number] if len(survey.gpus) == int(member.gpus) else None


def _gpu_slots(member: Member, number: int, gpu: Gpu | None, slots: int) -> list[RemoteSlot]:
    found = []
    memory = Readings(memory_total_bytes=gpu.memory_total_bytes if gpu else None)
    for place in range(slots):
        suffix = f"#{place + 1}" if place else ""
        slot = Slot(
            f"{member.name}/cuda:{number}{suffix}",
            "cuda",
            gpu.uuid if gpu else None,
            gpu.gpu_id if gpu else number,
            gpu.label if gpu else "",
            ("gpu",),
            member.name,
        )
        found.append(RemoteSlot(slot, member.node_id, memory))
    return found
