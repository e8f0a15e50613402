"""``workbench language``: see, choose, test and fetch language models from a shell."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from workbench.errors import InvalidRequest, WorkbenchError
from workbench.prompts.language_models.selection import LanguageModels
from workbench.settings import Settings

__all__ = ["language"]

_FAILED, _REFUSED = 1, 2


def language(arguments: Sequence[str]) -> int:
    """See, choose, test and fetch language models; return 0, 1 (failed) or 2 (refused)."""
    parser = argparse.ArgumentParser(prog="workbench language", description=language.__doc__)
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    listing = steps.add_parser("list", help="list what can write prompts")
    listing.add_argument("--json", action="store_true", help="print JSON")
    for name, does in (
        ("use", "let a model write by default"),
        ("test", "ask a model one question"),
    ):
        step = steps.add_parser(name, help=does)
        needed = name == "use"
        step.add_argument(
            "model", nargs=None if needed else "?", help="builtin, a name at --url, a catalogue name, a file"
        )  # fmt: skip
        step.add_argument("--url", default="", help="an OpenAI-compatible endpoint")
        step.add_argument(
            "--key-env", metavar="NAME", help="read the key from this environment variable"
        )
        step.add_argument(
            "--ask-key", action="store_true", help="prompt for the key without showing it"
        )
    getting = steps.add_parser("get", help="download a model from the catalogue")
    getting.add_argument("name")
    asked = parser.parse_args(arguments)
    try:
        return _STEPS[asked.step](LanguageModels(Settings()), asked)
    except InvalidRequest as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED


def _list(models: LanguageModels, asked: argparse.Namespace) -> int:
    found = asyncio.run(models.overview(models.default, is_own=False))
    if asked.json:
        print(found.model_dump_json(indent=1))  # noqa: T201
        return 0
    console = Console()
    console.print(f"Prompts by default: {found.default.label}", markup=False)
    for server in found.servers:
        names = "wants a key" if server.needs_key else ", ".join(server.models) or "no model loaded"
        console.print(f"{server.name} at {server.base_url}: {names}", markup=False)
    if not found.servers:
        console.print("No language-model server answers on this machine.")
    table = Table("model", "file", "memory", "licence", "here", "good at")
    for one in found.catalog:
        memory = f"{one.memory_bytes / 1e9:.1f} GB"
        size = f"{one.bytes / 1e9:.1f} GB"
        table.add_row(
            one.name, size, memory, one.licence, "yes" if one.is_here else "", one.good_at
        )
    console.print(table)
    return 0


def _use(models: LanguageModels, asked: argparse.Namespace) -> int:
    kept = models.make_default(models.named(asked.model, asked.url), _key(asked))
    print(f"Prompts are written by: {kept.label}")  # noqa: T201
    return 0


def _test(models: LanguageModels, asked: argparse.Namespace) -> int:
    choice = models.named(asked.model, asked.url) if asked.model else models.default
    check = asyncio.run(models.check(choice, _key(asked)))
    print(check.message)  # noqa: T201
    return 0 if check.answers else _FAILED


def _get(models: LanguageModels, asked: argparse.Namespace) -> int:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(asked.name, total=None)
        choice = models.fetch(
            asked.name, lambda here, whole: progress.update(task, completed=here, total=whole)
        )
    print(choice.model)  # noqa: T201  the path, for the next command
    return 0


def _key(asked: argparse.Namespace) -> str:
    """Return the key, which is never a command-line argument: other users can read those."""
    if asked.key_env:
        return os.environ.get(asked.key_env, "")
    return getpass.getpass("Key: ") if asked.ask_key else ""


_STEPS: Final[Mapping[str, Callable[[LanguageModels, Any], int]]] = MappingProxyType(
    {"list": _list, "use": _use, "test": _test, "get": _get}
)
