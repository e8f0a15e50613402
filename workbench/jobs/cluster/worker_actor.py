"""A worker actor: what stands on a machine of the cluster and keeps one worker there, as a Ray actor.

It starts the very worker that the supervisor starts at home, by the same worker pool, and passes on what
is said. What the worker makes stays in a folder of the worker actor's own until it has been fetched: no
file system is shared. Knows nothing of Ray, so that it can be stood up anywhere.

It belongs to whoever opened it last, and leaves by itself when its owner falls silent.
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

import psutil

from workbench.engines.inputs import BROUGHT
from workbench.jobs.cluster.assignment import assigned_gpu, visible_number
from workbench.jobs.cluster.staging import Staging, read_part, wrap, write_part
from workbench.jobs.cluster.words import (
    Answer,
    Assigned,
    Ended,
    Logged,
    Made,
    Pictured,
    Spoke,
    Word,
)
from workbench.jobs.devices import Nvml, Readings, Slot, cpu_label, cpu_readings
from workbench.jobs.messages import (
    Beat,
    Decoded,
    Failed,
    Message,
    Ready,
    Render,
    Rendered,
    Reported,
    from_json,
    to_json,
)
from workbench.jobs.paths import JobFiles
from workbench.jobs.processes import kill_group
from workbench.jobs.requirements import model_key
from workbench.jobs.supervisor.worker_pool import WorkerPool
from workbench.jobs.supervisor.worker_slots import Arrived, Held, Lost
from workbench.rendering import RenderRequest

__all__ = ["NotYours", "WorkerActor"]

_LOG_BYTES: Final = 64 << 10
_READINGS_EVERY_S: Final = 2.0
_TICK_S: Final = 0.25
_LOG = logging.getLogger("workbench.jobs.worker actor")


class NotYours(Exception):
    """Another supervisor, or a later life of the same, has this worker actor now."""


class WorkerActor:
    """One worker's place on this machine. All methods run in one event loop, Ray's."""

    worker_module = WorkerPool.worker_module

    def __init__(self, kind: str, *, absence_s: float, vacancy_s: float) -> None:
        self._kind = kind
        self._slot_name = "cpu:0" if kind == "cpu" else "cuda:0"
        self._absence_s, self._vacancy_s = absence_s, vacancy_s
        self._staging = Staging()
        self._gpu = assigned_gpu() if kind == "cuda" else None
        self._nvml = Nvml()
        self._selector = selectors.DefaultSelector()
        self._pool = _ActorWorkerPool(self._selector)
        self._pool.worker_module = self.worker_module
        self._owner = ""
        self._environment: dict[str, str] = {}
        self._words: list[Word] = []
        self._spoken = asyncio.Event()
        self._ready: Ready | None = None
        self._order: Render | None = None
        self._loaded = ""
        self._log_read = 0
        self._previewed_ns = 0
        self._beats = False
        self._worker_pid = 0
        self._ticking: asyncio.Task[None] | None = None
        self._read_at = 0.0
        self._heard_at = self._occupied_at = time.monotonic()
        threading.Thread(target=self._watch_for_absence, name="absence", daemon=True).start()

    # its owner speaks

    async def open(self, owner: str, environment: Mapping[str, str]) -> Assigned:
        """Have a worker with ``environment`` for ``owner``, who has this worker actor from here on.

        A worker that is there, idle and of the same settings is kept with what it has loaded.
        """
        self._owner, self._heard_at = owner, time.monotonic()
        self._occupied_at = self._heard_at
        if self._ticking is None:
            asyncio.get_running_loop().add_reader(self._selector.fileno(), self._hear)
            self._ticking = asyncio.create_task(self._tick())
        self._words.clear()
        kept = self._ready is not None and self._order is None
        if kept and self._environment == dict(environment):
            self._say(Spoke(to_json(Ready(os.getpid(), self._loaded))))
        else:
            self._environment = dict(environment)
            self._start_anew()
        return self._assigned()

    async def listen(self, owner: str, hold_s: float) -> Answer:
        """Return what there is to tell, as soon as there is something, at the latest ``hold_s`` on."""
        self._check(owner)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._spoken.wait(), hold_s)
        self._check(owner)
        words, self._words = tuple(self._words), []
        self._spoken.clear()
        beats, self._beats = self._beats, False
        return Answer(words, beats, self._readings())

    async def say(self, owner: str, line: str) -> None:
        """Pass a message on to the worker."""
        self._check(owner)
        message = from_json(line)
        if isinstance(message, Render):
            message = self._take_order(message)
        self._pool.tell(self._slot_name, message)
        self._note_events()

    async def bring(self, owner: str, name: str, offset: int, data: bytes) -> None:
        """Take a part of a file that the next render begins from."""
        self._check(owner)
        path = self._staging.expect(Path(name).name)
        await asyncio.to_thread(write_part, path, offset, data)

    async def chunk(self, owner: str, name: str, offset: int, length: int) -> bytes:
        """Return a part of a file that the finished attempt made."""
        self._check(owner)
        if self._order is None or Path(name).name != name:
            raise FileNotFoundError(name)
        path = self._aside(self._order).folder / name
        return await asyncio.to_thread(read_part, path, offset, length)

    async def release(self, owner: str, job_id: str, attempt: int) -> None:
        """Forget a finished attempt and its files, which have arrived; another may have begun."""
        self._check(owner)
        if self._order is not None and self._order.job_id == job_id:
            if self._order.attempt != attempt:
                return
            self._order = None
        self._staging.forget(job_id)

    async def end(self, owner: str, at_once: bool) -> None:
        """End the worker: at once, or after a moment to obey."""
        self._check(owner)
        self._pool.end(self._slot_name, at_once=at_once)

    async def leave(self, owner: str) -> None:
        """End the worker and this worker actor."""
        self._check(owner)
        threading.Thread(target=self._depart, args=("its owner said so",)).start()

    def _check(self, owner: str) -> None:
        if owner != self._owner:
            raise NotYours("another supervisor has this worker now")
        self._heard_at = time.monotonic()

    # the worker

    def _start_anew(self) -> None:
        self._pool.end(self._slot_name, at_once=True)
        self._pool.close()
        self._ready, self._order, self._loaded = None, None, ""
        self._staging.clear()
        gpu = self._gpu
        slot = Slot(
            name=self._slot_name,
            kind=self._kind,
            uuid=gpu.uuid if gpu else None,
            gpu_id=gpu.gpu_id if gpu else None,
            label="",
            queues=(),
        )
        for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
            del os.environ[name]  # this process is the worker's alone, and so are its settings
        os.environ.update(self._environment, WORKBENCH_OUTPUTS=str(self._staging.folder))
        os.environ[BROUGHT] = str(self._staging.inputs)
        identity = self._pool.start(slot)
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
            match event:
                case Arrived(message=message):
                    self._beats = True
                    self._pass_on(message)
                case Lost(reason=reason):
                    self._tell_files()
                    self._ready, self._worker_pid = None, 0
                    self._occupied_at = time.monotonic()
                    self._say(Ended(reason))
                case Held(reason=reason, lease=lease):
                    self._say(Ended(reason, held=lease))

    def _pass_on(self, message: Message) -> None:
        match message:
            case Beat():
                return
            case Ready():
                self._ready = message
            case Decoded():
                return  # one job at a time here: its files travel before the next begins
            case Rendered():
                self._tell_files()
                task = asyncio.create_task(self._offer(message))
                task.add_done_callback(lambda done: done.exception())
                return
            case Reported() | Failed():
                self._tell_files()
                if isinstance(message, Failed):
                    self._order = None
                    self._staging.forget(message.job_id)
            case _:
                pass
        self._say(Spoke(to_json(message)))

    async def _offer(self, message: Rendered) -> None:
        """Say that a render is finished, with all that there is to fetch."""
        order = self._order
        if order is None or (order.job_id, order.attempt) != (message.job_id, message.attempt):
            return
        folder = self._aside(order).folder
        try:
            artifacts = await asyncio.to_thread(wrap, folder)
        except OSError as error:
            self._say(Ended(f"what it made cannot be read: {error}"))
            self._pool.end(self._slot_name, at_once=True)
            return
        self._say(Made(order.job_id, order.attempt, artifacts, to_json(message)))

    def _tell_files(self) -> None:
        """Tell what the render has printed and shown since."""
        order = self._order
        if order is None:
            return
        files, attempt = JobFiles(Path(order.folder)), order.attempt
        with suppress(OSError):
            while data := read_part(files.log, self._log_read, _LOG_BYTES):
                self._log_read += len(data)
                self._say(Logged(order.job_id, attempt, data))
        with suppress(OSError):
            preview = self._aside(order).preview
            changed_ns = preview.stat().st_mtime_ns
            if changed_ns != self._previewed_ns:
                self._previewed_ns = changed_ns
                self._say(Pictured(order.job_id, attempt, preview.read_bytes()))

    def _say(self, word: Word) -> None:
        self._words.append(word)
        self._spoken.set()

    # its device

    def _assigned(self) -> Assigned:
        gpu = self._gpu
        if gpu is not None:
            known = gpu.uuid or None
            return Assigned(os.getpid(), gpu.gpu_id, known, gpu.label, gpu.memory_total_bytes)
        if self._kind == "cuda":
            return Assigned(os.getpid(), visible_number(), None, "", None)
        return Assigned(os.getpid(), None, None, cpu_label(), psutil.virtual_memory().total)

    def _readings(self) -> Readings | None:
        now = time.monotonic()
        if now - self._read_at < _READINGS_EVERY_S:
            return None
        self._read_at = now
        if self._kind == "cpu":
            return cpu_readings()
        return self._nvml.readings(self._gpu.uuid) if self._gpu else None

    # its files and its end

    @staticmethod
    def _aside(order: Render) -> JobFiles:
        return JobFiles(Path(order.folder)).attempt(order.attempt)

    def _watch_for_absence(self) -> None:
        while True:
            time.sleep(min(1.0, self._absence_s / 4))
            now = time.monotonic()
            if now - self._heard_at > self._absence_s:
                self._depart("its owner fell silent")
            if not self._worker_pid and now - self._occupied_at > self._vacancy_s:
                self._depart("nobody wanted a worker")

    def _depart(self, reason: str) -> None:
        _LOG.warning("the worker actor leaves: %s", reason)
        if self._worker_pid:
            kill_group(self._worker_pid, signal.SIGKILL)
        self._staging.remove()
        os._exit(0)


class _ActorWorkerPool(WorkerPool):
    """A worker pool of one."""

    def environment(self, slot: Slot) -> dict[str, str]:
        """Return the environment of the worker; it sees what the cluster assigned, and no more."""
        own = super().environment(slot)
        if slot.kind == "cuda" and slot.uuid is None:
            own["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        return own
