"""A Ray actor that keeps one worker on a machine of the cluster. Imports no Ray.

It starts the same worker that the supervisor starts locally and relays messages. The worker's files
stay in the actor's own folder until they have been fetched, as no file system is shared.

An actor is detached: it outlives the bridge that created it, so that the next supervisor finds it
with its model loaded. It belongs to the owner that opened it last and exits when that owner is
silent. Events are returned by a long-polled method because Ray's client port carries no streaming
methods.
"""

from __future__ import annotations

import asyncio
import logging
import os
import selectors
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from workbench.engines.inputs import BROUGHT
from workbench.jobs.cluster.assignment import assigned_slot
from workbench.jobs.cluster.staging import Staging, list_artifacts, read_part, write_part
from workbench.jobs.devices import Nvml, Readings, Slot, cpu_readings
from workbench.jobs.messages import (
    Beat,
    Decoded,
    DeviceRead,
    EndWorker,
    Failed,
    Message,
    OutputPart,
    Ready,
    Render,
    Rendered,
    Reported,
    WorkerLost,
)
from workbench.jobs.paths import JobFiles
from workbench.jobs.processes import kill_group
from workbench.jobs.requirements import model_key
from workbench.jobs.supervisor.worker_pool import WorkerPool
from workbench.rendering import RenderRequest

__all__ = ["NotYours", "WorkerActor"]

_LOG_BYTES: Final = 64 << 10
_READINGS_EVERY_S: Final = 2.0
_TICK_S: Final = 0.25
_LOG = logging.getLogger("workbench.jobs.worker_actor")


class NotYours(Exception):
    """Another supervisor, or a later run of the same one, owns this actor now."""


class WorkerActor:
    """One worker on this machine. All methods run in one event loop, Ray's."""

    def __init__(self, kind: str, *, absence_s: float, vacancy_s: float) -> None:
        self._slot = assigned_slot(kind)
        self._absence_s, self._vacancy_s = absence_s, vacancy_s
        self._staging = Staging()
        self._nvml = Nvml()
        self._selector = selectors.DefaultSelector()
        self._pool: WorkerPool = _ActorWorkerPool(self._selector)
        self._owner = ""
        self._environment: dict[str, str] = {}
        self._unsent: list[Message] = []
        self._has_news = asyncio.Event()
        self._ready: Ready | None = None
        self._order: Render | None = None
        self._loaded = ""
        self._log_read = 0
        self._previewed_ns = 0
        self._worker_pid = 0
        self._ticking: asyncio.Task[None] | None = None
        self._read_at = 0.0
        self._heard_at = self._occupied_at = time.monotonic()
        threading.Thread(target=self._watch_for_absence, name="absence", daemon=True).start()

    # called by its owner

    async def open(self, owner: str, environment: Mapping[str, str]) -> Slot:
        """Start a worker with ``environment`` for ``owner``, which owns this actor from now on.

        An idle worker with the same settings is kept, with its loaded model. Returns the device
        that the cluster assigned.
        """
        self._owner, self._heard_at = owner, time.monotonic()
        self._occupied_at = self._heard_at
        if self._ticking is None:
            asyncio.get_running_loop().add_reader(self._selector.fileno(), self._hear)
            self._ticking = asyncio.create_task(self._tick())
        self._unsent.clear()
        kept = self._ready is not None and self._order is None
        if kept and self._environment == dict(environment):
            self._tell(Ready(os.getpid(), self._loaded))
        else:
            self._environment = dict(environment)
            self._start_anew()
        return self._slot

    async def listen(self, owner: str, hold_s: float) -> tuple[Message, ...]:
        """Return the messages since the last call; waits up to ``hold_s`` for the first."""
        self._check(owner)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._has_news.wait(), hold_s)
        self._check(owner)
        if (readings := self._readings()) is not None:
            self._unsent.append(DeviceRead(readings))
        messages, self._unsent = tuple(self._unsent), []
        self._has_news.clear()
        return messages

    async def send(self, owner: str, message: Message) -> None:
        """Relay ``message`` to the worker, or end the worker."""
        self._check(owner)
        if isinstance(message, EndWorker):
            self._pool.end(self._slot.name, at_once=message.at_once)
            return
        if isinstance(message, Render):
            message = self._take_order(message)
        self._pool.tell(self._slot.name, message)
        self._note_events()

    async def bring(self, owner: str, name: str, offset: int, data: bytes) -> None:
        """Receive a part of an input of the next render."""
        self._check(owner)
        path = self._staging.expect(Path(name).name)
        await asyncio.to_thread(write_part, path, offset, data)

    async def chunk(self, owner: str, name: str, offset: int, length: int) -> bytes:
        """Return a part of a file of the finished attempt."""
        self._check(owner)
        if self._order is None or Path(name).name != name:
            raise FileNotFoundError(name)
        path = self._attempt(self._order).folder / name
        return await asyncio.to_thread(read_part, path, offset, length)

    async def release(self, owner: str, job_id: str, attempt: int) -> None:
        """Remove a finished attempt's files once they have arrived; another may have started."""
        self._check(owner)
        if self._order is not None and self._order.job_id == job_id:
            if self._order.attempt != attempt:
                return
            self._order = None
        self._staging.forget(job_id)

    async def leave(self, owner: str) -> None:
        """End the worker and this actor."""
        self._check(owner)
        threading.Thread(target=self._exit, args=("its owner said so",)).start()

    def _check(self, owner: str) -> None:
        if owner != self._owner:
            raise NotYours("another supervisor owns this worker now")
        self._heard_at = time.monotonic()

    # the worker

    def _start_anew(self) -> None:
        self._pool.end(self._slot.name, at_once=True)
        self._pool.close()
        self._ready, self._order, self._loaded = None, None, ""
        self._staging.clear()
        for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
            del os.environ[name]  # this process and its environment serve only the worker
        os.environ.update(self._environment, WORKBENCH_OUTPUTS=str(self._staging.folder))
        os.environ[BROUGHT] = str(self._staging.inputs)
        identity = self._pool.start(self._slot)
        self._worker_pid = identity.pid if identity else 0
        self._note_events()

    def _take_order(self, order: Render) -> Render:
        self._order = replace(order, folder=str(self._staging.begin(order.job_id)))
        self._log_read = self._previewed_ns = 0
        with suppress(ValueError, KeyError):
            self._loaded = model_key(RenderRequest.model_validate(order.recipe["request"]))
        return self._order

    def _hear(self) -> None:
        for key, _ in self._selector.select(0):
            self._pool.hear(key.data)
        self._note_events()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self._note_events()

    def _note_events(self) -> None:
        for event in self._pool.events():
            self._pass_on(event.message)

    def _pass_on(self, message: Message) -> None:
        match message:
            case Beat():
                if message not in self._unsent:
                    self._unsent.append(message)  # sent with the next answer
                return
            case Ready():
                self._ready = message
            case Decoded():
                return  # one job at a time: its files are fetched before the next begins
            case WorkerLost():
                self._tell_output()
                self._ready, self._worker_pid = None, 0
                self._occupied_at = time.monotonic()
            case Rendered():
                self._tell_output()
                task = asyncio.create_task(self._offer(message))
                task.add_done_callback(lambda done: done.exception())
                return
            case Reported():
                self._tell_output()
            case Failed():
                self._tell_output()
                self._order = None
                self._staging.forget(message.job_id)
            case _:
                pass
        self._tell(message)

    async def _offer(self, message: Rendered) -> None:
        """Report a finished render, with the files to fetch."""
        order = self._order
        if order is None or (order.job_id, order.attempt) != (message.job_id, message.attempt):
            return
        try:
            artifacts = await asyncio.to_thread(list_artifacts, self._attempt(order).folder)
        except OSError as error:
            self._tell(WorkerLost(f"its files cannot be read: {error}"))
            self._pool.end(self._slot.name, at_once=True)
            return
        self._tell(replace(message, artifacts=artifacts))

    def _tell_output(self) -> None:
        """Report the render's new output and preview."""
        order = self._order
        if order is None:
            return
        files = JobFiles(Path(order.folder))
        with suppress(OSError):
            while data := read_part(files.log, self._log_read, _LOG_BYTES):
                self._log_read += len(data)
                self._tell(OutputPart(order.job_id, order.attempt, "log", data))
        with suppress(OSError):
            preview = self._attempt(order).preview
            changed_ns = preview.stat().st_mtime_ns
            if changed_ns != self._previewed_ns:
                self._previewed_ns = changed_ns
                self._tell(OutputPart(order.job_id, order.attempt, "preview", preview.read_bytes()))

    def _tell(self, message: Message) -> None:
        self._unsent.append(message)
        self._has_news.set()

    def _readings(self) -> Readings | None:
        now = time.monotonic()
        if now - self._read_at < _READINGS_EVERY_S:
            return None
        self._read_at = now
        if self._slot.kind == "cpu":
            return cpu_readings()
        return self._nvml.readings(self._slot.uuid) if self._slot.uuid else None

    # its files and its end

    @staticmethod
    def _attempt(order: Render) -> JobFiles:
        return JobFiles(Path(order.folder)).attempt(order.attempt)

    def _watch_for_absence(self) -> None:
        while True:
            time.sleep(min(1.0, self._absence_s / 4))
            now = time.monotonic()
            if now - self._heard_at > self._absence_s:
                self._exit("its owner was silent")
            if not self._worker_pid and now - self._occupied_at > self._vacancy_s:
                self._exit("no worker was requested")

    def _exit(self, reason: str) -> None:
        _LOG.warning("the worker actor exits: %s", reason)
        if self._worker_pid:
            kill_group(self._worker_pid, signal.SIGKILL)
        self._staging.remove()
        os._exit(0)


class _ActorWorkerPool(WorkerPool):
    """A worker pool of one."""

    def environment(self, slot: Slot) -> dict[str, str]:
        """Return the environment of the worker, which sees only its assigned device."""
        own = super().environment(slot)
        if slot.kind == "cuda" and slot.uuid is None:
            own["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        return own
