"""The local language model as an endpoint: finds its process, or starts it, once per machine.

The process serves every client of one outputs/ folder: Jupyter server, kernels and papermill alike.
Knows how to reach it; the model itself is loaded in :mod:`workbench.prompts.local_model` alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel

from workbench.prompts.abilities import Abilities, Rung
from workbench.prompts.chat import ChatEndpoint, Message
from workbench.prompts.model import ChatFailure, Exchange, OnText
from workbench.settings import Settings

__all__ = ["LocalEndpoint"]

Answer = TypeVar("Answer", bound=BaseModel)

_POLL_S: Final = 0.1
_DOOR: Final = "language_model.json"


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
            abilities=Abilities(rung=Rung.TEXT),
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
        """Ask the local model; the first question of all waits for it to load, within the limit."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout_s):
                await self._find_or_start()
        except TimeoutError:
            raise ChatFailure("The local language model is still loading; try again.") from None
        whole, self.timeout_s = self.timeout_s, max(1.0, self.timeout_s - time.monotonic() + begun)
        try:
            return await ChatEndpoint.ask(self, messages, answer, on_text)
        finally:
            self.timeout_s = whole

    async def _find_or_start(self) -> None:
        started: int | None = None
        while True:
            door = _read_door(self.folder / _DOOR)
            if door is not None and door.get("model") == self.model:
                url, key = str(door["base_url"]), str(door["key"])
                if url != self.base_url or key != self.api_key:
                    await self.close()
                    self.base_url, self.api_key = url, key
                return
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
                if _read_door(self.folder / _DOOR) is not None:
                    return None
                return self._spawn()
        except Timeout:
            return None

    def _spawn(self) -> int:
        command = [sys.executable, "-m", "workbench.prompts.local_model"]
        if self.cluster:
            command[-1] = "workbench.prompts.cluster_model"
            command += ["--cluster", self.cluster, "--gpus", str(self.gpus)]
        command += ["--model", self.model, "--door", str(self.folder / _DOOR)]
        command += ["--idle-exit-s", str(self.idle_exit_s)]
        command += ["--allow-hub"] if self.allow_hub else []
        log = os.open(self.folder / "language_model.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            # Not a Popen: the process outlives every object of this one, and must.
            return os.posix_spawn(
                sys.executable,
                command,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, log, 1),
                    (os.POSIX_SPAWN_DUP2, log, 2),
                ],
                setsid=True,
            )
        finally:
            os.close(log)


def _has_failed(pid: int | None) -> bool:
    """Tell whether the process ended badly; one that found another at work ends well."""
    if pid is None:
        return False
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return ended == pid and os.waitstatus_to_exitcode(status) != 0


def _read_door(path: Path) -> dict[str, object] | None:
    """Return how to reach the running process, or None when there is none.

    The process holds a lock as long as it lives; a file that outlived its process is ignored.
    """
    try:
        door = json.loads(path.read_text("utf-8"))
        with FileLock(path.with_suffix(".lock"), timeout=0):
            return None
    except Timeout:
        return door if isinstance(door, dict) else None
    except (OSError, ValueError):
        return None
