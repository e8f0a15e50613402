"""The supervisor's side of a cluster: its bridge, and the workers beyond it. Loads no Ray.

Has the interface of :class:`~workbench.jobs.supervisor.worker_pool.WorkerPool`, and never blocks. A
bridge that is silent, hangs or dies is replaced; until then its slots have no workers and their
jobs are requeued.
"""

from __future__ import annotations

import logging
import selectors
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from workbench.helper_processes import start_helper
from workbench.jobs.channel import Channel
from workbench.jobs.cluster.status import ClusterState, ClusterStatus, write_cluster_status
from workbench.jobs.devices import Slot
from workbench.jobs.messages import (
    Addressed,
    ClusterLost,
    ClusterSeen,
    EndWorker,
    Leave,
    LineMessage,
    Message,
    NoWorker,
    Ready,
    StartWorker,
    WorkerLost,
)
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import Identity, kill_group
from workbench.jobs.supervisor.worker_slots import Event
from workbench.settings import Settings

__all__ = ["BRIDGE", "RemoteWorkerPool"]

BRIDGE: Final = "@bridge"
"""The bridge's key in the selector."""
_QUIT_TIMEOUT_S: Final = 2.0
_MOST_UNSENT_BYTES: Final = 64 << 20
"""A bridge with this much unread input counts as hung."""
_SILENCE_LIMIT_S: Final = 15.0
_END_GRACE_S: Final = 6.0
_QUIT_GRACE_S: Final = 5.0
_FIRST_RETRY_S: Final = 1.0
_LONGEST_RETRY_S: Final = 30.0
_ELSEWHERE: Final = "cluster"
_LOG = logging.getLogger("workbench.jobs")


@dataclass(slots=True)
class _RemoteWorker:
    identity: Identity
    serial: int
    give_up_at: float | None = None


@dataclass(slots=True)
class _Bridge:
    process: subprocess.Popen[bytes]
    channel: Channel
    heard_at: float
    started_at: float
    workers: dict[str, _RemoteWorker] = field(default_factory=dict)


class RemoteWorkerPool:
    """The workers of a cluster, one per slot, behind one bridge."""

    bridge_module = "workbench.jobs.cluster.bridge"

    def __init__(self, settings: Settings, selector: selectors.BaseSelector) -> None:
        self._settings = settings
        self._paths = JobPaths(settings.outputs)
        self._selector = selector
        self._bridge: _Bridge | None = None
        self._serial = 0
        self._events: list[Event] = []
        self._status = ClusterStatus(settings.cluster, ClusterState.JOINING, "", time.time())
        self._slots: tuple[Slot, ...] = ()
        self._changed = True
        self._failures = 0
        self._retry_at = 0.0

    @property
    def joined(self) -> bool:
        """Whether the cluster can be used now."""
        return self._status.state is ClusterState.JOINED

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The cluster's slots."""
        return self._slots

    def news(self) -> tuple[Slot, ...] | None:
        """Return the cluster's slots if they changed since the last call."""
        if not self._changed:
            return None
        self._changed = False
        return self._slots

    # the interface of WorkerPool

    def start(self, slot: Slot) -> Identity | None:
        """Start a worker on ``slot``; None on failure, which an event explains."""
        if self._bridge is None or not self.joined:
            self._events.append(
                Event(slot.name, NoWorker("the cluster is out of reach", held=True))
            )
            return None
        self._serial += 1
        # Represented by the bridge's process: if that is stopped, so is the worker.
        identity = Identity(self._bridge.process.pid, float(self._serial), _ELSEWHERE)
        self._bridge.workers[slot.name] = _RemoteWorker(identity, self._serial)
        self._send(Addressed(slot.name, self._serial, StartWorker()))
        return identity

    def tell(self, slot_name: str, message: Message) -> None:
        """Send ``message`` to a worker."""
        if (known := self._worker(slot_name)) is not None:
            self._send(Addressed(slot_name, known.serial, message))

    def end(self, slot_name: str, *, at_once: bool) -> None:
        """End a worker: at once, or after a grace period."""
        known = self._worker(slot_name)
        if known is None:
            return
        self._send(Addressed(slot_name, known.serial, EndWorker(at_once)))
        if at_once:  # its later messages are ignored
            self._lose(
                slot_name, "its machine has left the cluster" if self._has_left(slot_name) else ""
            )
        else:
            known.give_up_at = time.monotonic() + _END_GRACE_S

    def hear(self) -> None:
        """Read the bridge's messages and send what is pending."""
        bridge = self._bridge
        if bridge is None:
            return
        self._push(bridge.channel.flush)
        if self._bridge is None:
            return
        try:
            messages = bridge.channel.receive()
        except ValueError as error:
            self._lose_bridge(f"the bridge to the cluster sent an invalid message: {error}")
            return
        if messages is None:
            self._lose_bridge("the bridge to the cluster has died")
            return
        bridge.heard_at = time.monotonic()
        for message in messages:
            self._note(message)
            if self._bridge is not bridge:
                return

    def events(self) -> list[Event]:
        """Return the events since the last call; check on the bridge."""
        now = time.monotonic()
        if self._bridge is None:
            if now >= self._retry_at:
                self._launch()
        elif fault := self._overdue(self._bridge, now):
            self._lose_bridge(fault)
        else:
            for slot_name, known in list(self._bridge.workers.items()):
                if known.give_up_at is not None and now > known.give_up_at:
                    self._send(Addressed(slot_name, known.serial, EndWorker(at_once=True)))
                    self._lose(slot_name, "its worker did not end")
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Release all devices and end the bridge."""
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            with suppress(OSError):
                bridge.channel.send(Leave())
            with suppress(subprocess.TimeoutExpired):
                bridge.process.wait(_QUIT_GRACE_S if self.joined else 0.0)
            self._bury(bridge)
        self._events.clear()
        self._paths.cluster.unlink(missing_ok=True)

    # the bridge

    def _launch(self) -> None:
        ours, theirs = socket.socketpair()
        self._become(ClusterState.JOINING, self._status.detail)
        try:
            with theirs, self._paths.cluster_log.open("ab") as log:
                log.truncate(0)
                process = start_helper(
                    self.bridge_module,
                    [str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    output=log,
                )
        except OSError as error:
            ours.close()
            self._fail(f"no bridge can be started: {error}")
            return
        now = time.monotonic()
        channel = Channel(ours, send_timeout_s=_QUIT_TIMEOUT_S)
        self._bridge = _Bridge(process, channel, now, now)
        self._selector.register(channel, selectors.EVENT_READ, BRIDGE)

    def _overdue(self, bridge: _Bridge, now: float) -> str:
        if now - bridge.heard_at > max(_SILENCE_LIMIT_S, self._settings.lease_s):
            return "the bridge to the cluster was silent"
        limit_s = self._settings.cluster_join_timeout_s
        if not self.joined and now - bridge.started_at > limit_s:
            return f"it could not be joined within {limit_s:g} s"
        return ""

    def _lose_bridge(self, reason: str) -> None:
        bridge, self._bridge = self._bridge, None
        if bridge is None:
            return
        self._bury(bridge)
        for slot_name, known in bridge.workers.items():
            self._events.append(Event(slot_name, WorkerLost(reason), known.identity))
        self._fail(reason)

    def _bury(self, bridge: _Bridge) -> None:
        self._selector.unregister(bridge.channel)
        bridge.channel.close()
        kill_group(bridge.process.pid)
        bridge.process.wait()

    def _fail(self, reason: str) -> None:
        wait_s = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2**self._failures)
        self._failures += 1
        self._retry_at = time.monotonic() + wait_s
        if self._status.detail != reason:
            extra = {"address": self._settings.cluster, "reason": reason}
            _LOG.warning("the cluster is out of reach", extra=extra)
        self._become(ClusterState.UNREACHABLE, reason)
        self._set_slots(())

    def _send(self, message: LineMessage) -> None:
        if (bridge := self._bridge) is not None:
            self._push(lambda: bridge.channel.post(message))

    def _push(self, send: Callable[[], int]) -> None:
        """Send without blocking: the bridge may be waiting for us to read."""
        assert self._bridge is not None  # noqa: S101  its callers have looked
        try:
            unsent = send()
        except OSError as error:
            self._lose_bridge(f"the bridge to the cluster is gone ({error})")
            return
        if unsent > _MOST_UNSENT_BYTES:
            self._lose_bridge("the bridge to the cluster does not read")
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if unsent else 0)
        if wanted != self._selector.get_key(self._bridge.channel).events:
            self._selector.modify(self._bridge.channel, wanted, BRIDGE)

    # messages from the bridge

    def _note(self, message: LineMessage) -> None:
        match message:
            case Ready():
                self._failures = 0
                self._become(ClusterState.JOINED)
                _LOG.info("cluster joined", extra={"address": self._settings.cluster})
            case ClusterSeen():
                self._see(message)
            case ClusterLost(reason=reason) | WorkerLost(reason=reason):
                self._lose_bridge(reason)
            case Addressed(slot_name=slot_name, serial=serial, message=said):
                if self._is_current(slot_name, serial):
                    self._note_worker(slot_name, said)
            case _:
                pass

    def _note_worker(self, slot_name: str, message: Message) -> None:
        if isinstance(message, WorkerLost):
            self._lose(slot_name, message.reason)
            return
        if isinstance(message, NoWorker) and self._bridge is not None:
            del self._bridge.workers[slot_name]
        self._events.append(Event(slot_name, message))

    def _see(self, seen: ClusterSeen) -> None:
        known = {member.node_id: member for member in self._status.members}
        now = {member.node_id: member for member in seen.members}
        for node_id, member in now.items():
            if node_id not in known or known[node_id].problem != member.problem:
                extra = {"host": member.name, "gpus": member.gpus, "problem": member.problem}
                _LOG.info("machine in the cluster", extra=extra)
        for node_id in known.keys() - now.keys():
            _LOG.warning("machine left the cluster", extra={"host": known[node_id].name})
        self._status = replace(self._status, members=seen.members, remote_slots=seen.slots)
        self._keep()
        self._set_slots(tuple(remote.slot for remote in seen.slots))

    def _set_slots(self, slots: tuple[Slot, ...]) -> None:
        if slots != self._slots:
            self._slots, self._changed = slots, True

    def _become(self, state: ClusterState, detail: str = "") -> None:
        self._status = self._status.become(state, detail)
        self._keep()

    def _keep(self) -> None:
        with suppress(OSError):  # for display only
            write_cluster_status(self._paths.cluster, self._status)

    # workers

    def _worker(self, slot_name: str) -> _RemoteWorker | None:
        return self._bridge.workers.get(slot_name) if self._bridge is not None else None

    def _is_current(self, slot_name: str, serial: int) -> bool:
        known = self._worker(slot_name)
        return known is not None and known.serial == serial

    def _has_left(self, slot_name: str) -> bool:
        return all(slot.name != slot_name for slot in self._slots)

    def _lose(self, slot_name: str, reason: str) -> None:
        if self._bridge is not None and (known := self._bridge.workers.pop(slot_name, None)):
            reason = reason or "its worker was ended"
            self._events.append(Event(slot_name, WorkerLost(reason), known.identity))
