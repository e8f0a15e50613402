"""The ``workbench`` command: dispatches to subcommands."""

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
        "jobs": ("workbench.jobs.client.commands:jobs", "list and control jobs"),
        "doctor": (
            "workbench.jobs.client.commands:doctor",
            "find what is wrong here, and say what to do",
        ),
        "models": (
            "workbench.model_commands:models",
            "list the video models here, how they would run, and whether they are complete",
        ),
        "recipe": (
            "workbench.engines.commands:recipe",
            "show the recipe of a video, or render it again",
        ),
        "language": (
            "workbench.prompts.language_models.commands:language",
            "show, choose, test and fetch language models",
        ),
        "run": ("workbench.research.command:run", "render a file or list of prompts as one batch"),
        "rollout": (
            "workbench.research.rollout_command:rollout",
            "go on from a video or a world, or branch off",
        ),
        "score": ("workbench.research.command:score", "measure videos: motion, flicker, sharpness"),
        "tidy": (
            "workbench.jobs.client.commands:tidy",
            "remove what the retention settings no longer keep",
        ),
    }
)
"""Subcommand → its function (arguments → exit status) and its description."""

_READER_LEFT: Final = 141
"""Exit status that a shell reports for a command ended by SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show every character
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
    except BrokenPipeError:  # `workbench jobs | head`: the reader has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _READER_LEFT
    return status


def _help() -> str:
    lines = [f"  {name:<10} {does}" for name, (_, does) in COMMANDS.items()]
    return "\n".join(["usage: workbench COMMAND …", "", *lines, ""])


if __name__ == "__main__":
    sys.exit(main())
