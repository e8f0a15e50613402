"""The bridge's side of one remote worker: opens its actor, relays messages, fetches videos."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from workbench.engines.inputs import brought_name
from workbench.jobs.cluster.ray_cluster import RayCluster
from workbench.jobs.cluster.transfer import Damaged, fetch, inputs_of, keep_output, parts_of
from workbench.jobs.devices import Slot
from workbench.jobs.messages import (
    Beat,
    Cancel,
    EndWorker,
    Failed,
    FailReason,
    Leave,
    Message,
    NoWorker,
    OutputPart,
    Render,
    Rendered,
    Reported,
    WorkerLost,
)
from workbench.jobs.paths import JobFiles
from workbench.jobs.worker.attempt import disk_problem

__all__ = ["RemoteWorkerProxy", "Terms"]

_OPEN_TRIES: Final = 3
_TRY_AGAIN_S: Final = 0.5
_PARTING_S: Final = 3.0
_REPORT_EVERY_BYTES: Final = 8 << 20
_MIB: Final = 1 << 20
_LOG = logging.getLogger("workbench.jobs.bridge")


@dataclass(frozen=True, slots=True)
class Terms:
    """What all proxies of one bridge share."""

    owner: str
    environment: Mapping[str, str]
    share: float
    """Fraction of a GPU for one worker."""
    absence_s: float
    """How long an actor waits for its owner."""
    hold_s: float
    """How long a call waits for the next message."""
    open_s: float
    """How long the cluster may take to assign a device."""


class RemoteWorkerProxy:
    """One worker of one slot, from opening to its end."""

    def __init__(
        self,
        slot: Slot,
        node_id: str,
        cluster: RayCluster,
        terms: Terms,
        *,
        owner: str,
        tell: Callable[[Message], None],
        assigned: Callable[[Slot], None],
    ) -> None:
        """Serve one worker; ``tell`` gets its messages, ``assigned`` its device."""
        self._slot, self._node_id = slot, node_id
        self._cluster, self._terms = cluster, terms
        self._owner = owner
        self._tell, self._assigned = tell, assigned
        self._actor: Any = None
        self._unsent: list[Message] = []
        self._order: Render | None = None
        self._cancelled = False
        self._leaving = False
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, after: Awaitable[Any] | None = None) -> None:
        """Open the actor once ``after`` is done, and relay messages until the worker is gone."""
        self._task = asyncio.create_task(self._serve(after))

    def send(self, message: Message) -> None:
        """Send a message to the worker."""
        if isinstance(message, Render):
            self._order, self._cancelled = message, False
        elif isinstance(message, Cancel) and self._order:
            asked = (message.job_id, message.attempt) == (self._order.job_id, self._order.attempt)
            self._cancelled = self._cancelled or asked
        self._leaving = self._leaving or isinstance(message, Leave)
        if self._actor is None:
            self._unsent.append(message)
        elif isinstance(message, Render) and (inputs := inputs_of(message)):
            self._in_background(self._send_with_inputs(message, inputs))
        else:
            self._call("send", message)

    async def end(self, *, at_once: bool) -> None:
        """End the worker; ``at_once`` also drops what is in progress."""
        if not at_once and self._actor is not None:
            self._call("send", EndWorker(at_once=False))
            return
        await self._part("send", EndWorker(at_once=True))

    async def dismiss(self) -> None:
        """End the worker and its actor: the device goes back to the cluster."""
        await self._part("leave")

    async def _part(self, method: str, *arguments: Any) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
        if self._actor is None:
            return
        try:
            async with asyncio.timeout(_PARTING_S):
                await getattr(self._actor, method).remote(self._owner, *arguments)
        except Exception as error:  # noqa: BLE001  whatever it is, it must not go on
            if not self._cluster.has_died(error):
                _LOG.warning("%s does not end: %s", self._slot.name, self._cluster.explain(error))
                await self._kill(self._actor)
        self._actor = None

    async def _kill(self, actor: Any) -> None:
        with suppress(Exception):
            await asyncio.to_thread(self._cluster.kill, actor)

    async def _serve(self, after: Awaitable[Any] | None) -> None:
        if after is not None:
            await after
        try:
            await self._open()
        except TimeoutError:
            await self._drop()
            reason = (
                f"the cluster gives no device for it within {self._terms.open_s:g} s: "
                "others may be using it"
            )
            self._tell(NoWorker(reason, held=True))
            return
        except Exception as error:  # noqa: BLE001  reported to the supervisor, which retries
            await self._drop()
            self._tell(NoWorker(self._cluster.explain(error), held=False))
            return
        try:
            await self._pass_on()
        except Exception as error:  # noqa: BLE001  reported to the supervisor, which replaces it
            await self._drop()
            self._tell(WorkerLost(self._cluster.explain(error)))

    async def _drop(self) -> None:
        """Give up an actor that cannot be used."""
        actor, self._actor = self._actor, None
        if actor is not None:
            await self._kill(actor)

    async def _open(self) -> None:
        terms = self._terms
        async with asyncio.timeout(terms.open_s):
            for left in reversed(range(_OPEN_TRIES)):
                self._actor = None
                self._actor = actor = await asyncio.to_thread(
                    self._cluster.actor,
                    self._slot,
                    self._node_id,
                    share=terms.share,
                    absence_s=terms.absence_s,
                )
                try:
                    slot: Slot = await actor.open.remote(self._owner, dict(terms.environment))
                except Exception as error:
                    # An actor that is exiting still holds the name.
                    if not left or not self._cluster.has_died(error):
                        raise
                    await asyncio.sleep(_TRY_AGAIN_S)
                else:
                    break
        self._assigned(slot)
        for message in self._unsent:
            self._call("send", message)
        self._unsent.clear()

    async def _pass_on(self) -> None:
        asked = self._listen()
        while True:
            messages = await asked
            asked = self._listen()  # later messages need not wait for this
            for message in messages:
                if isinstance(message, WorkerLost | NoWorker):
                    self._tell(message)
                    if self._leaving:
                        await self._leave()
                    return
                await self._take(message)

    def _listen(self) -> Awaitable[tuple[Message, ...]]:
        asked: Awaitable[tuple[Message, ...]] = self._actor.listen.remote(
            self._owner, self._terms.hold_s
        )
        return asked

    async def _take(self, message: Message) -> None:
        match message:
            case OutputPart():
                if (files := self._files(message)) is not None:
                    with suppress(OSError):  # not worth failing the render
                        await asyncio.to_thread(keep_output, files, message)
            case Rendered():
                if (files := self._files(message)) is not None:
                    beating = asyncio.create_task(self._beat())
                    try:
                        await self._fetch(message, files)
                    finally:
                        beating.cancel()
            case _:
                self._tell(message)

    async def _leave(self) -> None:
        actor, self._actor = self._actor, None
        with suppress(Exception):
            async with asyncio.timeout(_PARTING_S):
                await actor.leave.remote(self._owner)

    async def _fetch(self, rendered: Rendered, files: JobFiles) -> None:
        """Fetch a finished render's files, then report it finished."""
        job_id, attempt = rendered.job_id, rendered.attempt
        told = 0

        def progressed(here: int, total: int) -> None:
            nonlocal told
            if self._cancelled:
                raise _Cancelled
            if here - told >= _REPORT_EVERY_BYTES:
                told = here
                done = f"{here // _MIB} of {total // _MIB} MiB are here from {self._slot.host}"
                self._tell(Reported(job_id, attempt, "fetching", 1, 1, done))

        async def chunk(name: str, offset: int, length: int) -> bytes:
            data: bytes = await self._actor.chunk.remote(self._owner, name, offset, length)
            return data

        try:
            await fetch(rendered, files, chunk, progressed)
        except _Cancelled:
            self._tell(Failed(job_id, attempt, FailReason.CANCELLED, ""))
        except OSError as error:
            if files.attempt(attempt).folder.exists():
                self._tell(Failed(job_id, attempt, FailReason.ERROR, disk_problem(error)))
        except Damaged as error:
            raise ConnectionError(f"the video was damaged on its way here: {error}") from error
        else:
            self._tell(replace(rendered, artifacts=()))
        self._order = None
        self._call("release", job_id, attempt)

    async def _send_with_inputs(self, order: Render, inputs: list[str]) -> None:
        """Send the files that a render starts from, then the render."""
        try:
            for path in inputs:
                async for offset, data in parts_of(Path(path)):
                    await self._actor.bring.remote(self._owner, brought_name(path), offset, data)
        except OSError as error:
            text = f"Its input cannot be read: {error}"
            self._tell(Failed(order.job_id, order.attempt, FailReason.ERROR, text))
            return
        if self._cancelled:
            self._tell(Failed(order.job_id, order.attempt, FailReason.CANCELLED, ""))
        else:
            self._call("send", order)

    async def _beat(self) -> None:
        """Report the worker alive while files are fetched and it is not polled."""
        while True:
            await asyncio.sleep(self._terms.hold_s)
            self._tell(Beat())

    def _files(self, message: OutputPart | Rendered) -> JobFiles | None:
        """Return the folder of the current render's files; None for an earlier render."""
        order = self._order
        if order is None or (order.job_id, order.attempt) != (message.job_id, message.attempt):
            return None
        return JobFiles(Path(order.folder))

    def _call(self, method: str, *arguments: Any) -> None:
        """Call the actor without waiting; the next ``listen`` reports errors."""
        self._in_background(getattr(self._actor, method).remote(self._owner, *arguments))

    def _in_background(self, work: Awaitable[Any]) -> None:
        async def settle() -> None:
            with suppress(Exception):
                await work

        task = asyncio.ensure_future(settle())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Cancelled(Exception):
    """The job was cancelled while its video was on the way."""
