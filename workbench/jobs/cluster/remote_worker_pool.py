"""The supervisor's side of a cluster: its bridge, and the slots beyond it. Loads no Ray, waits for none.

Speaks as a worker pool does: workers are started, spoken to, heard and ended by their slot's name, and
what happens to them is told by :meth:`RemoteWorkerPool.events`. A bridge that is silent, hangs or dies is
replaced; meanwhile its slots have no workers, and their jobs are put back.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from workbench.jobs.cluster.messages import (
    BridgeWire,
    BridgeWord,
    Gone,
    Heard,
    Joined,
    Open,
    Quit,
    Refused,
    Say,
    Seen,
    Shut,
    Trouble,
)
from workbench.jobs.cluster.status import (
    ClusterState,
    ClusterStatus,
    Member,
    RemoteSlot,
    write_cluster_status,
)
from workbench.jobs.devices import Slot
from workbench.jobs.messages import Message, from_json, to_json
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import Identity, kill_group
from workbench.jobs.supervisor.worker_slots import Arrived, Event, Held, Lost
from workbench.settings import Settings

__all__ = ["BRIDGE", "RemoteWorkerPool"]

BRIDGE: Final = "@bridge"
"""What the selector calls the bridge's line."""
_QUIT_TIMEOUT_S: Final = 2.0
_MOST_UNSENT_BYTES: Final = 64 << 20
"""A bridge that speaks but has not read so much does not listen."""
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
    wire: BridgeWire
    heard_at: float
    started_at: float
    workers: dict[str, _RemoteWorker] = field(default_factory=dict)


class RemoteWorkerPool:
    """The workers of a cluster, one a slot, behind one bridge."""

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
        """The places that the cluster has now."""
        return self._slots

    def news(self) -> tuple[Slot, ...] | None:
        """Return the places that the cluster has, if that changed since the last call."""
        if not self._changed:
            return None
        self._changed = False
        return self._slots

    # as a worker pool does

    def start(self, slot: Slot) -> Identity | None:
        """Have a worker started on ``slot``; None when that cannot be, which an event explains."""
        if self._bridge is None or not self.joined:
            self._events.append(Held(slot.name, "the cluster is out of reach", True))
            return None
        self._serial += 1
        # The bridge is the process here that stands for it: when that is stopped, so is it.
        identity = Identity(self._bridge.process.pid, float(self._serial), _ELSEWHERE)
        self._bridge.workers[slot.name] = _RemoteWorker(identity, self._serial)
        self._send(Open(slot.name, self._serial))
        return identity

    def tell(self, slot_name: str, message: Message) -> None:
        """Say ``message`` to a worker."""
        if (known := self._worker(slot_name)) is not None:
            self._send(Say(slot_name, known.serial, to_json(message)))

    def end(self, slot_name: str, *, at_once: bool) -> None:
        """End a worker: at once, or after a moment to obey."""
        known = self._worker(slot_name)
        if known is None:
            return
        self._send(Shut(slot_name, known.serial, at_once))
        if at_once:  # whatever it may still say, it has lost its slot
            self._lose(
                slot_name, "its machine has left the cluster" if self._has_left(slot_name) else ""
            )
        else:
            known.give_up_at = time.monotonic() + _END_GRACE_S

    def hear(self) -> None:
        """Read what the bridge has said, and say what it had no room for."""
        bridge = self._bridge
        if bridge is None:
            return
        self._push(bridge.wire.flush)
        if self._bridge is None:
            return
        try:
            words = bridge.wire.receive()
        except (ValueError, KeyError, TypeError) as error:
            self._lose_bridge(f"the bridge to the cluster spoke nonsense: {error}")
            return
        if words is None:
            self._lose_bridge("the bridge to the cluster has died")
            return
        bridge.heard_at = time.monotonic()
        for word in words:
            self._note(word)
            if self._bridge is not bridge:
                return

    def events(self) -> list[Event]:
        """Return what happened since the last call; look after the bridge."""
        now = time.monotonic()
        if self._bridge is None:
            if now >= self._retry_at:
                self._launch()
        elif fault := self._overdue(self._bridge, now):
            self._lose_bridge(fault)
        else:
            for slot_name, known in list(self._bridge.workers.items()):
                if known.give_up_at is not None and now > known.give_up_at:
                    self._send(Shut(slot_name, known.serial, True))
                    self._lose(slot_name, "its worker did not end")
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Give everything back to the cluster and end the bridge."""
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            with suppress(OSError):
                bridge.wire.send(Quit())
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
                command = [sys.executable, "-m", self.bridge_module]
                process = subprocess.Popen(
                    [*command, str(theirs.fileno()), str(os.getpid())],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            self._fail(f"no bridge can be started: {error}")
            return
        now = time.monotonic()
        wire = BridgeWire(ours, send_timeout_s=_QUIT_TIMEOUT_S)
        self._bridge = _Bridge(process, wire, now, now)
        self._selector.register(wire, selectors.EVENT_READ, BRIDGE)

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
            self._events.append(Lost(slot_name, known.identity, reason))
        self._fail(reason)

    def _bury(self, bridge: _Bridge) -> None:
        self._selector.unregister(bridge.wire)
        bridge.wire.close()
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

    def _send(self, word: BridgeWord) -> None:
        if (bridge := self._bridge) is not None:
            self._push(lambda: bridge.wire.post(word))

    def _push(self, send: Callable[[], int]) -> None:
        """Send, never waiting: the bridge may be waiting for us to read."""
        assert self._bridge is not None  # noqa: S101  its callers have looked
        try:
            unsent = send()
        except OSError as error:
            self._lose_bridge(f"the bridge to the cluster is gone ({error})")
            return
        if unsent > _MOST_UNSENT_BYTES:
            self._lose_bridge("the bridge to the cluster does not listen")
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if unsent else 0)
        if wanted != self._selector.get_key(self._bridge.wire).events:
            self._selector.modify(self._bridge.wire, wanted, BRIDGE)

    # what it says

    def _note(self, word: BridgeWord) -> None:
        match word:
            case Joined():
                self._failures = 0
                self._become(ClusterState.JOINED)
                _LOG.info("cluster joined", extra={"address": self._settings.cluster})
            case Seen(members=members, remote_slots=remote_slots):
                self._see(
                    tuple(Member(**member) for member in members),
                    tuple(RemoteSlot.read(remote_slot) for remote_slot in remote_slots),
                )
            case Heard(slot_name=slot_name, serial=serial, line=line):
                if self._is_current(slot_name, serial):
                    self._events.append(Arrived(slot_name, from_json(line)))
            case Gone(slot_name=slot_name, serial=serial, reason=reason):
                if self._is_current(slot_name, serial):
                    self._lose(slot_name, reason)
            case Refused(slot_name=slot_name, serial=serial, reason=reason, held=held):
                if self._is_current(slot_name, serial) and self._bridge is not None:
                    del self._bridge.workers[slot_name]
                    self._events.append(Held(slot_name, reason, held))
            case Trouble(reason=reason):
                self._lose_bridge(reason)
            case _:
                pass

    def _see(self, members: tuple[Member, ...], remote_slots: tuple[RemoteSlot, ...]) -> None:
        known = {member.node_id: member for member in self._status.members}
        now = {member.node_id: member for member in members}
        for node_id, member in now.items():
            if node_id not in known or known[node_id].problem != member.problem:
                extra = {"host": member.name, "gpus": member.gpus, "problem": member.problem}
                _LOG.info("machine in the cluster", extra=extra)
        for node_id in known.keys() - now.keys():
            _LOG.warning("machine left the cluster", extra={"host": known[node_id].name})
        self._status = ClusterStatus(
            self._status.address,
            ClusterState.JOINED,
            self._status.detail,
            self._status.since,
            members,
            remote_slots,
        )
        self._keep()
        self._set_slots(tuple(remote_slot.slot for remote_slot in remote_slots))

    def _set_slots(self, slots: tuple[Slot, ...]) -> None:
        if slots != self._slots:
            self._slots, self._changed = slots, True

    def _become(self, state: ClusterState, detail: str = "") -> None:
        self._status = self._status.become(state, detail)
        self._keep()

    def _keep(self) -> None:
        with suppress(OSError):  # a full disk: it is only told, not needed
            write_cluster_status(self._paths.cluster, self._status)

    # its slots

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
            self._events.append(Lost(slot_name, known.identity, reason))
