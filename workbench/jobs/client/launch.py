"""Starts a supervisor as a process of its own, which outlives whoever asked for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

from pydantic import SecretStr

from workbench.errors import SupervisorUnavailable
from workbench.settings import Settings

__all__ = ["launch_supervisor", "settings_environment"]

_SHELL: Final = "/bin/sh"
_LAUNCH_LIMIT_S: Final = 10.0


def launch_supervisor(settings: Settings) -> None:
    """Start a supervisor for ``settings.outputs``; harmless when there is one.

    Returns once it is on its way. Raises ``SupervisorUnavailable`` when no process can be started.
    """
    # The shell in between leaves at once, so that nobody has to wait for the supervisor's end.
    command = [_SHELL, "-c", '"$0" "$@" & ', sys.executable, "-m", "workbench.jobs.supervisor"]
    try:
        subprocess.run(
            command,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **settings_environment(settings)},
            timeout=_LAUNCH_LIMIT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SupervisorUnavailable(f"No supervisor can be started: {error}.") from error


def settings_environment(settings: Settings) -> dict[str, str]:
    """Return ``settings`` as the environment variables that another process reads them from."""
    prefix = settings.model_config.get("env_prefix", "")
    environment: dict[str, str] = {}
    for name, value in settings:
        if value is None:
            continue
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
        elif isinstance(value, tuple | dict | list | bool):
            text = json.dumps(value)
        else:
            text = str(value)
        environment[f"{prefix}{name}".upper()] = text
    return environment
