"""The local language model as an endpoint: finds its process, or starts it, once per machine.

The process serves every client of one outputs/ folder: Jupyter server, kernels and papermill alike.
A GGUF file is served by llama.cpp, a folder or hub name by transformers. Knows how to reach the
process, not how it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel

from workbench.helper_processes import helper_command, helper_environment
from workbench.prompts.language_models.endpoint.abilities import Abilities, Rung
from workbench.prompts.language_models.endpoint.chat import ChatEndpoint, Message
from workbench.prompts.language_models.local.server_file import (
    SERVER_FILE,
    ServerAddress,
    read_server,
)
from workbench.prompts.model import ChatFailure, Exchange, OnText
from workbench.settings import Settings

__all__ = ["LocalEndpoint"]

Answer = TypeVar("Answer", bound=BaseModel)

_POLL_S: Final = 0.1
_PACKAGE: Final = "workbench.prompts.language_models.local"


@dataclass(slots=True)
class LocalEndpoint(ChatEndpoint):
    """An endpoint whose server is a process of this machine, started when nobody has yet."""

    folder: Path = field(default_factory=Path)
    idle_exit_s: float = 600.0
    allow_hub: bool = False
    cluster: str = ""
    """The Ray cluster that the model lives on; empty for this machine."""
    gpus: float = 1.0
    """What it takes there."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the endpoint that ``settings`` describe; starts nothing."""
        return cls(
            base_url="",
            model=settings.language_model,
            timeout_s=settings.language_timeout_s,
            retries=0,
            abilities=Abilities(rung=_rung(settings.language_model)),
            folder=settings.index_path.parent,
            idle_exit_s=settings.idle_exit_s,
            allow_hub=settings.allow_hub,
            cluster=settings.cluster if settings.language_on_cluster else "",
            gpus=settings.language_gpus,
        )

    async def ask(
        self,
        messages: Sequence[Message],
        answer: type[Answer],
        on_text: OnText | None = None,
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        """Ask the local model; the first question of all waits for it to load, within the limit.

        A server that dies is started anew and asked once more.
        """
        deadline = time.monotonic() + self.timeout_s
        asked = await self._find_or_start(deadline)
        try:
            return await self._ask_until(deadline, messages, answer, on_text)
        except ChatFailure:
            if not await self._is_gone(asked):
                raise
        await self._find_or_start(deadline)
        return await self._ask_until(deadline, messages, answer, on_text)

    async def start(self) -> None:
        """Load the model before the first question; raises ``ChatFailure`` within ``timeout_s``."""
        await self._find_or_start(time.monotonic() + self.timeout_s)

    async def _ask_until(
        self,
        deadline: float,
        messages: Sequence[Message],
        answer: type[Answer],
        on_text: OnText | None,
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        whole, self.timeout_s = self.timeout_s, max(1.0, deadline - time.monotonic())
        try:
            return await ChatEndpoint.ask(self, messages, answer, on_text)
        finally:
            self.timeout_s = whole

    async def _is_gone(self, asked: ServerAddress) -> bool:
        """Tell whether the server has ended; one that was just killed holds its lock a moment more."""
        for _ in range(10):
            if read_server(self.folder / SERVER_FILE) != asked:
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _find_or_start(self, deadline: float) -> ServerAddress:
        """Return the running server, started if there is none; raises ``ChatFailure``."""
        try:
            async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
                return await self._wait_for_server()
        except TimeoutError:
            raise ChatFailure("The local language model is still loading; try again.") from None

    async def _wait_for_server(self) -> ServerAddress:
        started: int | None = None
        ended: ServerAddress | None = None
        while True:
            server = read_server(self.folder / SERVER_FILE)
            if server is not None and server.model == self.model:
                if (server.base_url, server.key) != (self.base_url, self.api_key):
                    await self.close()
                    self.base_url, self.api_key = server.base_url, server.key
                return server
            if server is not None and server != ended:
                _end(server)  # one local model at a time: two may not fit the memory
                ended = server
            if _has_failed(started):
                raise ChatFailure(
                    "The local language model could not be loaded; its log is language_model.log "
                    "beside the index."
                )
            started = started or self._start()
            await asyncio.sleep(_POLL_S)

    def _start(self) -> int | None:
        """Start the process and return its id; None when another client is just doing so."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "language_model.starting", timeout=0):
                if read_server(self.folder / SERVER_FILE) is not None:
                    return None
                return self._spawn()
        except Timeout:
            return None

    def _server(self) -> list[str]:
        """Return the module that serves the model, and the arguments that it alone takes."""
        if _runs_on_llama(self.model):
            return [f"{_PACKAGE}.llama_server"]
        hub = ["--allow-hub"] if self.allow_hub else []
        if self.cluster:
            place = ["--cluster", self.cluster, "--gpus", str(self.gpus)]
            return [f"{_PACKAGE}.cluster_server", *place, *hub]
        return [f"{_PACKAGE}.transformers_server", *hub]

    def _spawn(self) -> int:
        command = helper_command(*self._server())
        command += ["--model", self.model, "--server-file", str(self.folder / SERVER_FILE)]
        command += ["--idle-exit-s", str(self.idle_exit_s)]
        log = os.open(self.folder / "language_model.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            # Not a Popen: the process outlives every object of this one, and must.
            return os.posix_spawn(
                sys.executable,
                command,
                helper_environment(),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, log, 1),
                    (os.POSIX_SPAWN_DUP2, log, 2),
                ],
                setsid=True,
            )
        finally:
            os.close(log)


def _rung(model: str) -> Rung:
    """Return how the model's server is asked for JSON: llama.cpp holds an answer to its schema."""
    return Rung.SCHEMA if _runs_on_llama(model) else Rung.TEXT


def _runs_on_llama(model: str) -> bool:
    """Tell whether llama.cpp serves the model: a GGUF file, where it is installed."""
    return model.lower().endswith(".gguf") and find_spec("xllamacpp") is not None


def _end(server: ServerAddress) -> None:
    """Have a server leave; its process holds the file's lock, so that its id is no other's."""
    with contextlib.suppress(OSError):
        os.kill(server.pid, signal.SIGTERM)


def _has_failed(pid: int | None) -> bool:
    """Tell whether the process ended badly; one that found another at work ends well."""
    if pid is None:
        return False
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return ended == pid and os.waitstatus_to_exitcode(status) != 0
