"""The file in which clients find the local language model's server; at most one server runs.

The server holds a lock beside the file while it runs: a file without a held lock is stale.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

__all__ = ["SERVER_FILE", "ServerAddress", "publish", "read_server", "sole_server"]

SERVER_FILE: Final = "language_model.json"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """How to reach a running server."""

    pid: int
    base_url: str
    key: str
    model: str


@contextmanager
def sole_server(path: Path) -> Iterator[bool]:
    """Hold the lock of ``path``, yielding True; yield False where another process holds it.

    The published file is removed at the end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_suffix(".lock"), timeout=0):
            path.unlink(missing_ok=True)  # left by a server that was killed
            try:
                yield True
            finally:
                path.unlink(missing_ok=True)
    except Timeout:
        yield False


def publish(path: Path, *, base_url: str, key: str, model: str) -> None:
    """Publish the address of this process, which serves ``model``, to clients of this user."""
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(asdict(ServerAddress(os.getpid(), base_url, key, model))), "utf-8")
    aside.replace(path)


def read_server(path: Path) -> ServerAddress | None:
    """Return how to reach the running server; None when there is none."""
    try:
        told = ServerAddress(**json.loads(path.read_text("utf-8")))
        with FileLock(path.with_suffix(".lock"), timeout=0):
            return None
    except Timeout:
        return told
    except (OSError, ValueError, TypeError):
        return None
