"""The local language model as an endpoint: finds or starts its one process.

The process serves every client of one outputs/ folder: Jupyter server, kernels and papermill.
A GGUF file is served by llama.cpp, a folder or hub name by transformers. Knows how to reach the
process, not how it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

from filelock import FileLock, Timeout

from workbench.helper_processes import helper_command, helper_environment
from workbench.prompts.language_models.endpoint.abilities import Abilities, Rung
from workbench.prompts.language_models.endpoint.chat import ChatEndpoint, Message
from workbench.prompts.language_models.endpoint.questions import Question
from workbench.prompts.language_models.endpoint.replies import Reply
from workbench.prompts.language_models.local.server_file import (
    SERVER_FILE,
    ServerAddress,
    read_server,
)
from workbench.prompts.model import ChatFailure, Exchange, OnText
from workbench.settings import Settings

__all__ = ["LocalEndpoint"]

_POLL_S: Final = 0.1
_PACKAGE: Final = "workbench.prompts.language_models.local"


@dataclass(slots=True)
class LocalEndpoint(ChatEndpoint):
    """An endpoint whose server is a process on this machine, started if none runs."""

    folder: Path = field(default_factory=Path)
    idle_exit_s: float = 600.0
    allow_hub: bool = False
    cluster: str = ""
    """The Ray cluster that the model lives on; empty for this machine."""
    gpus: float = 1.0
    """GPUs that it takes there."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the endpoint that ``settings`` describe; starts nothing."""
        return cls(
            base_url="",
            model=settings.language_model,
            timeout_s=settings.language_timeout_s,
            retries=0,
            abilities=_abilities(settings.language_model),
            folder=settings.index_path.parent,
            idle_exit_s=settings.language_idle_s,
            allow_hub=settings.allow_hub,
            cluster=settings.cluster if settings.language_on_cluster else "",
            gpus=settings.language_gpus,
        )

    async def start(self) -> None:
        """Load the model before the first question; raises ``ChatFailure`` within ``timeout_s``."""
        try:
            async with asyncio.timeout(self.timeout_s):
                await self._wait_for_server()
        except TimeoutError:
            raise ChatFailure(self.late_message()) from None

    async def reply(
        self,
        messages: Sequence[Message],
        question: Question,
        said: list[Exchange],
        on_text: OnText | None,
    ) -> Reply | None:
        """Ask the local model; the first question waits until it is loaded.

        After a crash the server is restarted and the question repeated once.
        """
        asked = await self._wait_for_server()
        try:
            return await ChatEndpoint.reply(self, messages, question, said, on_text)
        except ChatFailure:
            if not await self._is_gone(asked):
                raise
        await self._wait_for_server()
        return await ChatEndpoint.reply(self, messages, question, said, on_text)

    def late_message(self) -> str:
        """Return the message for an answer that did not come in time."""
        if read_server(self.folder / SERVER_FILE) is None:
            return "The local language model is still loading; try again."
        return ChatEndpoint.late_message(self)

    async def _is_gone(self, asked: ServerAddress) -> bool:
        """Tell whether the server has ended; a killed process keeps its lock for a moment."""
        for _ in range(10):
            if read_server(self.folder / SERVER_FILE) != asked:
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _wait_for_server(self) -> ServerAddress:
        """Return the running server, starting one if needed; raises ``ChatFailure``."""
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
            status = _exit_status(started)
            if status:
                raise ChatFailure(
                    "The local language model could not be loaded; its log is language_model.log "
                    "beside the index."
                )
            # Status 0: it found another server running, which has exited since.
            started = self._start() if started is None or status == 0 else started
            await asyncio.sleep(_POLL_S)

    def _start(self) -> int | None:
        """Start the process and return its id; None if another client is starting it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "language_model.starting", timeout=0):
                if read_server(self.folder / SERVER_FILE) is not None:
                    return None
                return self._spawn()
        except Timeout:
            return None

    def _server(self) -> list[str]:
        """Return the server's module and its own arguments."""
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
            # Not a Popen: the server must outlive this process.
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


def _abilities(model: str) -> Abilities:
    """Return what the model's server supports: llama.cpp all, the transformers server only text."""
    if _runs_on_llama(model):
        return Abilities()
    return Abilities(rung=Rung.TEXT, can_call_tools=False, can_see=False)


def _runs_on_llama(model: str) -> bool:
    """Tell whether llama.cpp serves the model: a GGUF file, if llama.cpp is installed."""
    return model.lower().endswith(".gguf") and find_spec("xllamacpp") is not None


def _end(server: ServerAddress) -> None:
    """Stop a server. Its process holds the file's lock, so its id cannot be reused."""
    with contextlib.suppress(OSError):
        os.kill(server.pid, signal.SIGTERM)


def _exit_status(pid: int | None) -> int | None:
    """Return the exit status of a child process; None while it runs or where there is none."""
    if pid is None:
        return None
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if ended == pid else None
