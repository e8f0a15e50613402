"""The bridge: the supervisor's only process in the cluster.

Ray may hang, or crash together with its process; the supervisor can replace this process at any
time.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import platform
import secrets
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from workbench.jobs.channel import Channel
from workbench.jobs.client.launch import settings_environment
from workbench.jobs.cluster.members import Survey, name_members, plan_remote_slots
from workbench.jobs.cluster.ray_cluster import RayCluster, Unreachable
from workbench.jobs.cluster.remote_worker_proxy import RemoteWorkerProxy, Terms
from workbench.jobs.cluster.status import Member, RemoteSlot
from workbench.jobs.devices import Nvml, Readings, Slot, plan_slots
from workbench.jobs.messages import (
    Addressed,
    Beat,
    ClusterLost,
    ClusterSeen,
    DeviceRead,
    EndWorker,
    Leave,
    LineMessage,
    Message,
    NoWorker,
    Ready,
    StartWorker,
)
from workbench.jobs.versions import installed_version
from workbench.settings import Settings

__all__ = ["Bridge", "namespace_of"]

_BEAT_S: Final = 1.0
_LOOK_EVERY_S: Final = 1.0
_LOOK_LIMIT_S: Final = 15.0
_SURVEY_LIMIT_S: Final = 60.0
_ASK_AGAIN_S: Final = 15.0
_OPEN_LIMIT_S: Final = 30.0
_LONGEST_HOLD_S: Final = 2.0
_LEAVE_LIMIT_S: Final = 4.0
_HERE_ALONE: Final = (
    "outputs", "index", "cluster", "devices", "cpu_workers", "language_api_key"
)  # fmt: skip
"""Settings that are meaningless on another machine, or must not leave this one."""
_LOG = logging.getLogger("workbench.jobs.bridge")


def namespace_of(outputs: Path) -> str:
    """Return the Ray namespace of the worker actors of one outputs/ folder."""
    whose = f"{platform.node()}:{outputs.resolve()}"
    return f"workbench-{hashlib.sha256(whose.encode()).hexdigest()[:20]}"


class Bridge:
    """One run of the bridge, from joining to leaving."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self._settings = settings
        self._channel = channel
        self._namespace = namespace_of(settings.outputs)
        hold_s = max(0.1, min(_LONGEST_HOLD_S, settings.lease_s / 5))
        self._terms = Terms(
            secrets.token_hex(8),
            {},
            share=1.0 / settings.slots_per_gpu,
            absence_s=settings.cluster_absence_s,
            hold_s=hold_s,
            open_s=_OPEN_LIMIT_S,
        )
        # Our own Ray cluster uses this machine's devices.
        self._has_own = settings.cluster == "local"
        here = () if self._has_own else plan_slots(settings, Nvml().gpus())
        self._ours = frozenset(slot.uuid for slot in here if slot.uuid)
        self._cluster: RayCluster | None = None
        self._members: list[Member] = []
        self._names: dict[str, str] = {}
        self._surveys: dict[str, Survey] = {}
        self._problems: dict[str, str] = {}
        self._asked: set[str] = set()
        self._assigned: dict[str, Slot] = {}
        self._readings: dict[str, Readings] = {}
        self._remote_slots: dict[str, RemoteSlot] = {}
        self._proxies: dict[str, tuple[int, RemoteWorkerProxy]] = {}
        self._parting: dict[str, asyncio.Task[None]] = {}
        self._told: ClusterSeen | None = None
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Join the cluster and serve the supervisor until it ends or asks to leave."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._channel.fileno(), self._hear)
        self._spawn(self._beat())
        try:
            self._cluster = await asyncio.to_thread(
                RayCluster.join, self._settings.cluster, self._namespace
            )
        except Unreachable as error:
            self._channel.send(ClusterLost(str(error)))
            return
        self._channel.send(Ready(os.getpid()))
        self._spawn(self._watch())
        await self._ended.wait()
        await self._give_back()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _beat(self) -> None:
        while True:
            self._channel.send(Beat())
            await asyncio.sleep(_BEAT_S)

    # messages from the supervisor

    def _hear(self) -> None:
        messages = self._channel.receive()
        if messages is None:
            os._exit(1)  # the supervisor is gone; the next one finds the actors
        for message in messages:
            self._obey(message)

    def _obey(self, message: LineMessage) -> None:
        match message:
            case Leave():
                self._ended.set()
            case Addressed(slot_name=slot_name, serial=serial, message=StartWorker()):
                self._start(slot_name, serial)
            case Addressed(slot_name=slot_name, serial=serial, message=said):
                known, proxy = self._proxies.get(slot_name, (0, None))
                if proxy is None or known != serial:
                    return
                if isinstance(said, EndWorker):
                    self._parting[slot_name] = self._spawn(proxy.end(at_once=said.at_once))
                else:
                    proxy.send(said)
            case _:
                pass

    def _start(self, slot_name: str, serial: int) -> None:
        def tell(message: Message) -> None:
            if isinstance(message, DeviceRead):
                self._readings[slot_name] = message.readings
            else:
                self._channel.send(Addressed(slot_name, serial, message))

        def assigned(slot: Slot) -> None:
            self._assigned[slot_name] = slot
            self._tell()

        remote = self._remote_slots.get(slot_name)
        if remote is None or self._cluster is None:
            tell(NoWorker("its machine has left the cluster", held=True))
            return
        proxy = RemoteWorkerProxy(
            remote.slot,
            remote.node_id,
            self._cluster,
            replace(self._terms, environment=_environment(self._settings, kind=remote.slot.kind)),
            owner=f"{self._terms.owner}-{serial}",  # of this worker, not of the previous one
            tell=tell,
            assigned=assigned,
        )
        self._proxies[slot_name] = serial, proxy
        proxy.start(self._parting.pop(slot_name, None))

    async def _give_back(self) -> None:
        parting = [proxy.dismiss() for _, proxy in self._proxies.values()]
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_LIMIT_S):
                await asyncio.gather(*parting, return_exceptions=True)

    # changes in the cluster

    async def _watch(self) -> None:
        assert self._cluster is not None  # noqa: S101  it was joined
        while True:
            try:
                async with asyncio.timeout(_LOOK_LIMIT_S):
                    nodes = await asyncio.to_thread(self._cluster.nodes)
            except Exception as error:  # noqa: BLE001  whatever Ray raises, it is lost
                told = "no answer" if isinstance(error, TimeoutError) else str(error)
                self._channel.send(ClusterLost(f"the head of the cluster is gone: {told}"[:500]))
                os._exit(1)
            self._members = name_members(nodes, self._names)
            self._names = {member.node_id: member.name for member in self._members}
            for member in self._members:
                if member.node_id not in self._asked:
                    self._asked.add(member.node_id)
                    self._spawn(self._ask(member))
            self._tell()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _ask(self, member: Member) -> None:
        """Survey a new machine."""
        assert self._cluster is not None  # noqa: S101  it was joined
        try:
            async with asyncio.timeout(_SURVEY_LIMIT_S):
                survey: Survey = await self._cluster.survey(member.node_id)
        except Exception as error:  # noqa: BLE001  reported as that machine's problem
            late = isinstance(error, TimeoutError)
            told = "it does not answer" if late else self._cluster.explain(error)
            if "ModuleNotFoundError" in str(error):
                told = "the workbench is not installed there"
            self._problems[member.node_id] = told
            self._tell()
            await asyncio.sleep(_ASK_AGAIN_S)
            self._asked.discard(member.node_id)  # it may have been repaired
        else:
            self._surveys[member.node_id] = survey
            self._problems.pop(member.node_id, None)
            if survey.version != (here := installed_version()):
                told = f"it has workbench {survey.version}, this machine has {here}"
                self._problems[member.node_id] = told
        self._tell()

    def _tell(self) -> None:
        """Report machines and slots if they have changed."""
        assert self._cluster is not None  # noqa: S101  it was joined
        members = [
            replace(member, problem=self._problems.get(member.node_id, ""))
            for member in self._members
        ]
        planned = plan_remote_slots(
            members,
            self._surveys,
            self._settings,
            ours=self._ours,
            home="" if self._has_own else self._cluster.home,
        )
        self._remote_slots = {
            remote_slot.slot.name: self._known(remote_slot) for remote_slot in planned
        }
        told = ClusterSeen(tuple(members), tuple(self._remote_slots.values()))
        if told != self._told:
            self._told = told
            self._channel.send(told)

    def _known(self, remote: RemoteSlot) -> RemoteSlot:
        """Return a slot with its actor's facts about the assigned device."""
        name = remote.slot.name
        if (assigned := self._assigned.get(name)) is not None:
            slot = replace(
                remote.slot,
                gpu_id=assigned.gpu_id,
                uuid=assigned.uuid or remote.slot.uuid,
                label=assigned.label or remote.slot.label,
            )
            remote = replace(remote, slot=slot)
        return replace(remote, readings=self._readings.get(name, remote.readings))


def _environment(settings: Settings, *, kind: str) -> dict[str, str]:
    """Return the settings of a worker on another machine, on a device of this ``kind``.

    The remote engine's key goes only to workers that run that engine: those on CPUs, and those on
    GPUs if there are no others.
    """
    kept_here = {*_HERE_ALONE}
    if kind != "cpu" and (settings.cpu_workers != 0 or settings.cluster_cpu_workers):
        kept_here.add("remote_api_key")
    return {
        name: value
        for name, value in settings_environment(settings).items()
        if name.removeprefix("WORKBENCH_").lower() not in kept_here
    }


def main(arguments: list[str]) -> None:
    """Run the bridge of the supervisor that ``arguments`` name."""
    (descriptor,) = arguments
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    channel = Channel(socket.socket(fileno=int(descriptor)))

    async def serve() -> None:
        await Bridge(Settings(), channel).run()

    try:
        asyncio.run(serve())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # Ray's threads may hang with the cluster


if __name__ == "__main__":
    main(sys.argv[1:])
