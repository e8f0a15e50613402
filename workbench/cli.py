"""The ``workbench`` command: finds a subcommand and hands it the rest of the line."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Final, cast

from workbench.errors import InvalidSettings

__all__ = ["COMMANDS", "main"]

COMMANDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "jobs": ("workbench.jobs.client.commands:jobs", "list and steer jobs"),
        "doctor": (
            "workbench.jobs.client.commands:doctor",
            "say what is wrong here, and what to do",
        ),
        "models": (
            "workbench.engines.diffusers.commands:models",
            "list the video models here, how they would run, and whether they are whole",
        ),
        "recipe": ("workbench.engines.commands:recipe", "show what made a video, or make it again"),
        "language": (
            "workbench.prompts.language_models.commands:language",
            "see, choose, test and fetch language models",
        ),
        "run": ("workbench.research.command:run", "render a file or list of prompts as one batch"),
        "score": ("workbench.research.command:score", "measure videos: motion, flicker, sharpness"),
        "tidy": (
            "workbench.jobs.client.commands:tidy",
            "remove what the retention no longer keeps",
        ),
    }
)
"""Subcommand → the function that takes its arguments and returns an exit status; what it does."""

_READER_LEFT: Final = 141
"""What a shell gives for a command that SIGPIPE ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show every letter
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in COMMANDS:
        asked_for_help = not given or given[0] in {"-h", "--help"}
        (sys.stdout if asked_for_help else sys.stderr).write(_help())
        return 0 if asked_for_help else 2
    module, _, function = COMMANDS[given[0]][0].partition(":")
    command = cast("Callable[[Sequence[str]], int]", getattr(import_module(module), function))
    try:
        status = command(given[1:])
        sys.stdout.flush()
    except InvalidSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BrokenPipeError:  # `workbench jobs | head`: who reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _READER_LEFT
    return status


def _help() -> str:
    lines = [f"  {name:<10} {does}" for name, (_, does) in COMMANDS.items()]
    return "\n".join(["usage: workbench COMMAND …", "", *lines, ""])


if __name__ == "__main__":
    sys.exit(main())
