"""The bridge: the supervisor's one process that is in the cluster, and carries words to it.

Started as ``python -m workbench.jobs.cluster.bridge DESCRIPTOR PARENT``. Ray may hang, crash and
take its process down: that is why it has a process that can be ended and started again.
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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from workbench.jobs.client.launch import settings_environment
from workbench.jobs.cluster.members import Survey, installed, name_members, plan_remote_slots
from workbench.jobs.cluster.messages import (
    BridgeWire,
    BridgeWord,
    Joined,
    Open,
    Pulse,
    Quit,
    Refused,
    Say,
    Seen,
    Shut,
    Trouble,
)
from workbench.jobs.cluster.ray_cluster import RayCluster, Unreachable
from workbench.jobs.cluster.remote_worker_proxy import RemoteWorkerProxy, Terms
from workbench.jobs.cluster.status import Member, RemoteSlot
from workbench.jobs.cluster.words import Assigned
from workbench.jobs.devices import Nvml, Readings, plan_slots
from workbench.jobs.processes import die_with_parent
from workbench.settings import Settings

__all__ = ["Bridge", "namespace_of"]

_PULSE_S: Final = 1.0
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
"""Settings that mean nothing, or are nobody's business, on another machine."""
_LOG = logging.getLogger("workbench.jobs.bridge")


def namespace_of(outputs: Path) -> str:
    """Return the name under which the cluster keeps the worker actors of one outputs/ folder."""
    whose = f"{platform.node()}:{outputs.resolve()}"
    return f"workbench-{hashlib.sha256(whose.encode()).hexdigest()[:20]}"


class Bridge:
    """One life of the bridge, from joining to leaving."""

    def __init__(self, settings: Settings, wire: BridgeWire) -> None:
        self._settings = settings
        self._wire = wire
        self._namespace = namespace_of(settings.outputs)
        hold_s = max(0.1, min(_LONGEST_HOLD_S, settings.lease_s / 5))
        self._terms = Terms(
            secrets.token_hex(8), _environment(settings), hold_s=hold_s, open_s=_OPEN_LIMIT_S
        )
        # A Ray of our own is there to have what this machine has.
        self._has_own = settings.cluster == "local"
        here = () if self._has_own else plan_slots(settings, Nvml().gpus())
        self._ours = frozenset(slot.uuid for slot in here if slot.uuid)
        self._cluster: RayCluster | None = None
        self._members: list[Member] = []
        self._names: dict[str, str] = {}
        self._surveys: dict[str, Survey] = {}
        self._problems: dict[str, str] = {}
        self._asked: set[str] = set()
        self._learned: dict[str, Assigned] = {}
        self._readings: dict[str, Readings] = {}
        self._remote_slots: dict[str, RemoteSlot] = {}
        self._proxies: dict[str, tuple[int, RemoteWorkerProxy]] = {}
        self._parting: dict[str, asyncio.Task[None]] = {}
        self._told: Seen | None = None
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Join, and serve the supervisor until it says to quit; its end is this process's end."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._wire.fileno(), self._hear)
        self._spawn(self._pulse())
        try:
            self._cluster = await asyncio.to_thread(
                RayCluster.join, self._settings.cluster, self._namespace
            )
        except Unreachable as error:
            self._wire.send(Trouble(str(error)))
            return
        self._wire.send(Joined())
        self._spawn(self._watch())
        await self._ended.wait()
        await self._give_back()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _pulse(self) -> None:
        while True:
            self._wire.send(Pulse())
            await asyncio.sleep(_PULSE_S)

    # the supervisor speaks

    def _hear(self) -> None:
        words = self._wire.receive()
        if words is None:
            os._exit(1)  # the supervisor is gone; the next one finds the worker actors
        for word in words:
            self._obey(word)

    def _obey(self, word: BridgeWord) -> None:
        match word:
            case Open(slot_name=slot_name, serial=serial):
                self._open(slot_name, serial)
            case Say(slot_name=slot_name, serial=serial, line=line):
                if (proxy := self._of(slot_name, serial)) is not None:
                    proxy.say(line)
            case Shut(slot_name=slot_name, serial=serial, at_once=at_once):
                if (proxy := self._of(slot_name, serial)) is not None:
                    self._parting[slot_name] = self._spawn(proxy.shut(at_once=at_once))
            case Quit():
                self._ended.set()
            case _:
                pass

    def _open(self, slot_name: str, serial: int) -> None:
        remote_slot = self._remote_slots.get(slot_name)
        if remote_slot is None or self._cluster is None:
            self._wire.send(
                Refused(slot_name, serial, "its machine has left the cluster", held=True)
            )
            return
        share = 1.0 / self._settings.slots_per_gpu
        port = _Port(self._cluster, remote_slot, share, self._settings.cluster_absence_s)
        proxy = RemoteWorkerProxy(
            slot_name, serial, port, self._terms, self._wire.send, self._learn
        )
        self._proxies[slot_name] = serial, proxy
        proxy.start(self._parting.pop(slot_name, None))

    def _of(self, slot_name: str, serial: int) -> RemoteWorkerProxy | None:
        known, proxy = self._proxies.get(slot_name, (0, None))
        return proxy if known == serial else None

    async def _give_back(self) -> None:
        parting = [proxy.dismiss() for _, proxy in self._proxies.values()]
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_LIMIT_S):
                await asyncio.gather(*parting, return_exceptions=True)

    # the cluster changes

    async def _watch(self) -> None:
        assert self._cluster is not None  # noqa: S101  it was joined
        while True:
            try:
                async with asyncio.timeout(_LOOK_LIMIT_S):
                    nodes = await asyncio.to_thread(self._cluster.nodes)
            except Exception as error:  # noqa: BLE001  whatever Ray raises, it is lost
                told = "no answer" if isinstance(error, TimeoutError) else str(error)
                self._wire.send(Trouble(f"the head of the cluster has gone: {told}"[:500]))
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
        """Have a new machine say what it is."""
        assert self._cluster is not None  # noqa: S101  it was joined
        try:
            async with asyncio.timeout(_SURVEY_LIMIT_S):
                survey: Survey = await self._cluster.survey(member.node_id)
        except Exception as error:  # noqa: BLE001  it is said of that machine
            late = isinstance(error, TimeoutError)
            told = "it does not answer" if late else self._cluster.explain(error)
            if "ModuleNotFoundError" in str(error):
                told = "the workbench is not installed there"
            self._problems[member.node_id] = told
            self._tell()
            await asyncio.sleep(_ASK_AGAIN_S)
            self._asked.discard(member.node_id)  # it may be mended
        else:
            self._surveys[member.node_id] = survey
            self._problems.pop(member.node_id, None)
            if survey.version != installed():
                told = f"it has workbench {survey.version}, this machine has {installed()}"
                self._problems[member.node_id] = told
        self._tell()

    def _learn(self, slot_name: str, facts: Assigned | Readings) -> None:
        if isinstance(facts, Assigned):
            self._learned[slot_name] = facts
            self._tell()
        else:
            self._readings[slot_name] = facts

    def _tell(self) -> None:
        """Say which machines and places there are, if that has changed."""
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
        told = Seen(
            [asdict(member) for member in members],
            [asdict(remote_slot) for remote_slot in self._remote_slots.values()],
        )
        if told != self._told:
            self._told = told
            self._wire.send(told)

    def _known(self, remote_slot: RemoteSlot) -> RemoteSlot:
        """Return a place with what its worker actor said of the device that it was given."""
        slot_name = remote_slot.slot.name
        if (facts := self._learned.get(slot_name)) is not None:
            slot = replace(
                remote_slot.slot,
                gpu_id=facts.gpu_id,
                uuid=facts.uuid or remote_slot.slot.uuid,
                label=facts.label or remote_slot.slot.label,
            )
            remote_slot = replace(remote_slot, slot=slot)
        return replace(remote_slot, readings=self._readings.get(slot_name, remote_slot.readings))


@dataclass(frozen=True, slots=True)
class _Port:
    """One slot's way into the cluster."""

    cluster: RayCluster
    remote_slot: RemoteSlot
    share: float
    absence_s: float

    def find(self) -> Any:
        slot = self.remote_slot.slot
        return self.cluster.actor(
            slot.name, self.remote_slot.node_id, slot.kind, self.share, self.absence_s
        )

    def kill(self, actor: Any) -> None:
        self.cluster.kill(actor)

    def explain(self, error: BaseException) -> str:
        return self.cluster.explain(error)

    def has_died(self, error: BaseException) -> bool:
        return self.cluster.has_died(error)


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings that a worker elsewhere is to live by."""
    whole = settings_environment(settings)
    return {
        name: value
        for name, value in whole.items()
        if name.removeprefix("WORKBENCH_").lower() not in _HERE_ALONE
    }


def main(arguments: list[str]) -> None:
    """Be the bridge of the supervisor that ``arguments`` name."""
    descriptor, parent = arguments
    die_with_parent(int(parent))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    wire = BridgeWire(socket.socket(fileno=int(descriptor)))

    async def serve() -> None:
        await Bridge(Settings(), wire).run()

    try:
        asyncio.run(serve())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # Ray's threads may hang where its cluster did


if __name__ == "__main__":
    main(sys.argv[1:])
