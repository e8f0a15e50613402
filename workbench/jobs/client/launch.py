"""Starts a supervisor as a detached process, which outlives its client.

A supervisor that ends within its first seconds is restarted a few times, with growing pauses;
clients are shown its output as the reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from workbench.errors import SupervisorUnavailable
from workbench.helper_processes import start_detached
from workbench.jobs.locking import is_locked
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import Identity, identify, same_process
from workbench.settings import COMPLETE, Settings

__all__ = ["SUPERVISOR_MODULE", "Launcher", "launch_supervisor", "settings_environment"]

SUPERVISOR_MODULE: Final = "workbench.jobs.supervisor"
_TRIES: Final = 5
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_REASON: Final = 500
_FATAL: Final = "Fatal Python error"


class Launcher:
    """Starts the supervisor of one outputs/ folder, for one client; thread-safe."""

    def __init__(
        self, settings: Settings, paths: JobPaths, on_trouble: Callable[[str], None]
    ) -> None:
        """Start supervisors with ``settings``; ``on_trouble`` hears why one cannot start."""
        self._settings = settings
        self._paths = paths
        self._on_trouble = on_trouble
        self._guard = threading.Lock()
        self._started: Identity | None = None
        self._failures = 0
        self._retry_at = 0.0
        self.enabled = True
        """False if this process is the supervisor itself."""
        self.trouble = ""
        """Why the last start failed; empty once a supervisor is running."""

    @property
    def has_given_up(self) -> bool:
        """Whether no further start is tried until a render is requested."""
        return self._failures >= _TRIES

    def launch(self, *, asked: bool = False) -> None:
        """Start a supervisor, unless one is starting or a pause after a failure has not ended.

        Call it if there is none. ``asked`` tries once more after the last failure. Raises
        ``SupervisorUnavailable`` when no process can be started at all.
        """
        with self._guard:
            if self._started is not None:
                if same_process(self._started):
                    return
                self._note_end()
            now = time.monotonic()
            if asked and self.has_given_up:
                self._failures, self._retry_at = _TRIES - 1, now
            if not self.enabled or now < self._retry_at or self.has_given_up:
                return
            if is_locked(self._paths.lock):
                return
            self._retry_at = now + _FIRST_PAUSE_S * 2**self._failures
            try:
                pid = launch_supervisor(self._settings)
            except SupervisorUnavailable as error:
                self._fail(str(error))
                raise
            self._started = identify(pid) or Identity(pid, 0.0, "")

    def _note_end(self) -> None:
        """Handle the end of the supervisor that we started: too early, or after serving."""
        self._started = None
        try:
            said = self._paths.start_errors.read_text("utf-8", "replace").strip()
        except FileNotFoundError:
            self._failures, self.trouble = 0, ""
            return
        except OSError as error:
            said = str(error)
        if is_locked(self._paths.lock):
            return  # another one was faster
        self._fail(f"The supervisor cannot start: {_reason(said)[:_LONGEST_REASON]}")

    def _fail(self, reason: str) -> None:
        self._failures += 1
        self._retry_at = time.monotonic() + _FIRST_PAUSE_S * 2**self._failures
        self.trouble = reason
        self._on_trouble(reason)


def _reason(said: str) -> str:
    """Return the line of a process's output that says why it ended."""
    lines = said.splitlines() or ["it ended at once without output"]
    fatal = (line for line in lines if line.startswith(_FATAL))
    return next(fatal, lines[-1])


def launch_supervisor(settings: Settings) -> int:
    """Start a supervisor for ``settings.outputs`` and return its pid; harmless if there is one.

    Returns once the process has started. Raises ``SupervisorUnavailable`` when no process can be
    started.
    """
    paths = JobPaths(settings.outputs)
    try:
        paths.control.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        errors = os.open(paths.start_errors, flags, 0o644)
        try:
            return start_detached(
                SUPERVISOR_MODULE,
                environment=settings_environment(settings),
                errors=errors,
                fallback=paths.temporary,
            )
        finally:
            os.close(errors)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise SupervisorUnavailable(f"The supervisor cannot be started: {error}") from error


def settings_environment(settings: Settings) -> dict[str, str]:
    """Return ``settings`` as environment variables for another process.

    Paths are absolute: the other process runs in another folder. It ignores ``workbench.toml`` and
    this process's other variables.
    """
    prefix = settings.model_config.get("env_prefix", "")
    environment = {COMPLETE: "1"}
    for name, value in settings:
        if value is None:
            text = ""
        elif isinstance(value, SecretStr):
            text = value.get_secret_value()
        elif isinstance(value, tuple | dict | list | bool):
            text = json.dumps(value)
        elif isinstance(value, Path):
            text = str(value.absolute())
        else:
            text = str(value)
        environment[f"{prefix}{name}".upper()] = text
    return environment
