"""The bridge's side of one slot: opens a worker actor for it, carries words to and fro, brings videos home.

Knows the worker actor's methods and words; of Ray only that a call to it can be awaited.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from workbench.engines.inputs import brought_name
from workbench.jobs.cluster.messages import BridgeWord, Gone, Heard, Refused
from workbench.jobs.cluster.transfer import (
    Damaged,
    fetch,
    inputs_of,
    keep_log,
    keep_preview,
    parts_of,
)
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
from workbench.jobs.devices import Readings
from workbench.jobs.messages import (
    Beat,
    Cancel,
    Failed,
    FailReason,
    Leave,
    Message,
    Render,
    Reported,
    from_json,
    to_json,
)
from workbench.jobs.paths import JobFiles
from workbench.jobs.worker.attempt import disk_problem

__all__ = ["Port", "RemoteWorkerProxy", "Terms"]

_OPEN_TRIES: Final = 3
_TRY_AGAIN_S: Final = 0.5
_PARTING_S: Final = 3.0
_REPORT_EVERY_BYTES: Final = 8 << 20
_MIB: Final = 1 << 20
_LOG = logging.getLogger("workbench.jobs.bridge")


class Port(Protocol):
    """What a proxy needs of the cluster."""

    def find(self) -> Any:
        """Return the slot's worker actor; it is made unless it is there."""

    def kill(self, actor: Any) -> None:
        """End a worker actor that does not leave when asked."""

    def explain(self, error: BaseException) -> str:
        """Return in one line what went wrong."""

    def has_died(self, error: BaseException) -> bool:
        """Tell whether an error says that a worker actor is no more."""


class Terms:
    """What a proxy is allowed and told, by the supervisor's settings."""

    def __init__(
        self, owner: str, environment: Mapping[str, str], *, hold_s: float, open_s: float
    ) -> None:
        self.owner = owner
        self.environment = dict(environment)
        self.hold_s = hold_s
        self.open_s = open_s


class RemoteWorkerProxy:
    """One worker of one slot, from opening to its end."""

    def __init__(
        self,
        slot_name: str,
        serial: int,
        port: Port,
        terms: Terms,
        send: Callable[[BridgeWord], None],
        learned: Callable[[str, Assigned | Readings], None],
    ) -> None:
        self._slot_name, self._serial = slot_name, serial
        self._owner = f"{terms.owner}-{serial}"  # of this worker, not of the one before
        self._port, self._terms = port, terms
        self._send, self._learned = send, learned
        self._actor: Any = None
        self._unsaid: list[str] = []
        self._order: Render | None = None
        self._cancelled = False
        self._leaving = False
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, after: Awaitable[Any] | None = None) -> None:
        """Open the worker actor once ``after`` is done, and carry words until the worker is gone."""
        self._task = asyncio.create_task(self._serve(after))

    def say(self, line: str) -> None:
        """Say a message to the worker."""
        message = from_json(line)
        if isinstance(message, Render):
            self._order, self._cancelled = message, False
        elif isinstance(message, Cancel) and self._order:
            asked = (message.job_id, message.attempt) == (self._order.job_id, self._order.attempt)
            self._cancelled = self._cancelled or asked
        self._leaving = self._leaving or isinstance(message, Leave)
        if self._actor is None:
            self._unsaid.append(line)
        elif isinstance(message, Render) and (inputs := inputs_of(message)):
            self._aside(self._bring_along(message, inputs, line))
        else:
            self._call("say", line)

    async def shut(self, *, at_once: bool) -> None:
        """End the worker; at once also forgets whatever is under way."""
        if not at_once and self._actor is not None:
            self._call("end", False)
            return
        await self._part(dismiss=False)

    async def dismiss(self) -> None:
        """End the worker and its worker actor: the device goes back to the cluster."""
        await self._part(dismiss=True)

    async def _part(self, *, dismiss: bool) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
        if self._actor is None:
            return
        method, *arguments = ("leave",) if dismiss else ("end", True)
        try:
            async with asyncio.timeout(_PARTING_S):
                await getattr(self._actor, method).remote(self._owner, *arguments)
        except Exception as error:  # noqa: BLE001  whatever it is, it must not go on
            if not self._port.has_died(error):
                _LOG.warning("%s does not part: %s", self._slot_name, self._port.explain(error))
                with suppress(Exception):
                    await asyncio.to_thread(self._port.kill, self._actor)
        self._actor = None

    async def _serve(self, after: Awaitable[Any] | None) -> None:
        if after is not None:
            await after
        try:
            await self._open()
        except Exception as error:  # noqa: BLE001  the supervisor is told, and asks again
            await self._drop()
            late = isinstance(error, TimeoutError)
            reason = (
                f"the cluster gives no device for it within {self._terms.open_s:g} s: "
                "others may be using it"
                if late
                else self._port.explain(error)
            )
            self._send(Refused(self._slot_name, self._serial, reason, held=late))
            return
        try:
            await self._carry()
        except Exception as error:  # noqa: BLE001  the supervisor is told, and replaces it
            await self._drop()
            self._send(Gone(self._slot_name, self._serial, self._port.explain(error)))

    async def _drop(self) -> None:
        """Give up a worker actor that cannot be used."""
        actor, self._actor = self._actor, None
        if actor is not None:
            with suppress(Exception):
                await asyncio.to_thread(self._port.kill, actor)

    async def _open(self) -> None:
        async with asyncio.timeout(self._terms.open_s):
            for left in reversed(range(_OPEN_TRIES)):
                self._actor = None
                actor = await asyncio.to_thread(self._port.find)
                self._actor = actor
                try:
                    asked = actor.open.remote(self._owner, self._terms.environment)
                    assigned: Assigned = await asked
                except Exception as error:
                    # One that is just leaving still has the name.
                    if not left or not self._port.has_died(error):
                        raise
                    await asyncio.sleep(_TRY_AGAIN_S)
                else:
                    break
        self._learned(self._slot_name, assigned)
        for line in self._unsaid:
            self._call("say", line)
        self._unsaid.clear()

    async def _carry(self) -> None:
        asked = self._listen()
        while True:
            answer: Answer = await asked
            asked = self._listen()  # what is said meanwhile need not wait until this is done
            if answer.readings is not None:
                self._learned(self._slot_name, answer.readings)
            if answer.beats:
                self._hear(Beat())
            for word in answer.words:
                if isinstance(word, Ended):
                    await self._take_leave(word)
                    return
                await self._take(word)

    def _listen(self) -> Awaitable[Answer]:
        asked: Awaitable[Answer] = self._actor.listen.remote(self._owner, self._terms.hold_s)
        return asked

    async def _take(self, word: Word) -> None:
        match word:
            case Spoke(line=line):
                self._send(Heard(self._slot_name, self._serial, line))
            case Logged() | Pictured() if (files := self._files(word)) is not None:
                with suppress(OSError):  # neither is worth a render
                    keep = keep_log if isinstance(word, Logged) else keep_preview
                    await asyncio.to_thread(keep, files, word)  # type: ignore[arg-type]
            case Made() if (files := self._files(word)) is not None:
                beats = asyncio.create_task(self._beat())
                try:
                    await self._bring_home(word, files)
                finally:
                    beats.cancel()
            case _:
                pass

    async def _take_leave(self, word: Ended) -> None:
        if word.held:
            self._send(Refused(self._slot_name, self._serial, word.reason, held=True))
        else:
            self._send(Gone(self._slot_name, self._serial, word.reason))
        if self._leaving:
            await self._leave()

    async def _leave(self) -> None:
        actor, self._actor = self._actor, None
        with suppress(Exception):
            async with asyncio.timeout(_PARTING_S):
                await actor.leave.remote(self._owner)

    async def _bring_home(self, made: Made, files: JobFiles) -> None:
        """Bring a finished render's files here, then say that it is finished."""
        told = 0

        def progressed(here: int, total: int) -> None:
            nonlocal told
            if self._cancelled:
                raise _Cancelled
            if here - told >= _REPORT_EVERY_BYTES:
                told = here
                self._hear(self._bringing(made, here, total))

        async def chunk(name: str, offset: int, length: int) -> bytes:
            asked = self._actor.chunk.remote(self._owner, name, offset, length)
            data: bytes = await asked
            return data

        try:
            await fetch(made, files, chunk, progressed)
        except _Cancelled:
            self._hear(Failed(made.job_id, made.attempt, FailReason.CANCELLED, ""))
        except OSError as error:
            if files.attempt(made.attempt).folder.exists():
                problem = disk_problem(error)
                self._hear(Failed(made.job_id, made.attempt, FailReason.ERROR, problem))
        except Damaged as error:
            raise ConnectionError(f"the video was damaged on its way here: {error}") from error
        else:
            self._send(Heard(self._slot_name, self._serial, made.line))
        self._order = None
        self._call("release", made.job_id, made.attempt)

    def _bringing(self, made: Made, here: int, total: int) -> Reported:
        host = self._slot_name.partition("/")[0]
        message = f"{here // _MIB} of {total // _MIB} MiB are here from {host}"
        return Reported(made.job_id, made.attempt, "fetching", 1, 1, message, False)

    async def _bring_along(self, order: Render, inputs: list[str], line: str) -> None:
        """Take along what a render begins from, then say what is to be rendered."""
        try:
            for path in inputs:
                async for offset, data in parts_of(Path(path)):
                    sent = self._actor.bring.remote(self._owner, brought_name(path), offset, data)
                    await sent
        except OSError as error:
            text = f"What it begins from cannot be read: {error}"
            self._hear(Failed(order.job_id, order.attempt, FailReason.ERROR, text))
            return
        if self._cancelled:
            self._hear(Failed(order.job_id, order.attempt, FailReason.CANCELLED, ""))
        else:
            self._call("say", line)

    async def _beat(self) -> None:
        """While files are brought home nobody listens; the worker is not to be taken for dead."""
        while True:
            await asyncio.sleep(self._terms.hold_s)
            self._hear(Beat())

    def _files(self, word: Logged | Pictured | Made) -> JobFiles | None:
        """Return where the files of the current render belong; None for what is past."""
        order = self._order
        if order is None or (order.job_id, order.attempt) != (word.job_id, word.attempt):
            return None
        return JobFiles(Path(order.folder))

    def _hear(self, message: Message) -> None:
        self._send(Heard(self._slot_name, self._serial, to_json(message)))

    def _call(self, method: str, *arguments: Any) -> None:
        """Call the worker actor without waiting; what goes wrong shows when it is listened to."""
        self._aside(getattr(self._actor, method).remote(self._owner, *arguments))

    def _aside(self, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(_settle(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Cancelled(Exception):
    """The job was cancelled while its video was on the way."""


async def _settle(asked: Awaitable[Any]) -> None:
    with suppress(Exception):
        await asked
