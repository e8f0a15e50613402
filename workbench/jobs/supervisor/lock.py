"""The supervisor's lock: who holds it, and the socket it listens on."""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from workbench.jobs.locking import is_locked, is_same_file
from workbench.jobs.model import SupervisorStatus
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import Identity, identify, same_process
from workbench.jobs.versions import installed_version

__all__ = ["SupervisorLock", "read_status"]


class SupervisorLock:
    """The lock of one outputs/ folder, held by this supervisor."""

    def __init__(self, paths: JobPaths, descriptor: int) -> None:
        """Wrap a lock taken by :func:`~workbench.jobs.locking.take_lock`."""
        self._paths = paths
        self._descriptor: int | None = descriptor

    def is_ours(self) -> bool:
        """Tell whether the lock file is still the one that this process holds."""
        return self._descriptor is not None and is_same_file(self._descriptor, self._paths.lock)

    def announce(self, socket_path: Path) -> None:
        """Write into the lock file who holds it and where it listens."""
        assert self._descriptor is not None  # noqa: S101  not called after leaving
        identity = identify(os.getpid())
        assert identity is not None  # noqa: S101  we are here
        words = {
            **asdict(identity),
            "started_at": datetime.now(UTC).isoformat(),
            "version": installed_version() or "unknown",
            "socket": str(socket_path),
            "host": platform.node(),
            "place": _place(),
        }
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(words).encode(), 0)

    def leave(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def read_status(paths: JobPaths) -> SupervisorStatus | None:
    """Return the supervisor that holds the lock; None when there is none.

    The process cannot be seen from another container or machine; there the lock is probed.
    """
    try:
        words = json.loads(paths.lock.read_text("utf-8"))
        identity = Identity(words["pid"], words["started"], words["boot_id"])
        elsewhere = words.get("place", _place()) != _place()
        status = SupervisorStatus(
            pid=identity.pid,
            started_at=datetime.fromisoformat(words["started_at"]),
            version=words["version"],
            socket=str(_here(paths, Path(words["socket"]))),
            host=words["host"] if elsewhere else "",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    there = is_locked(paths.lock) if elsewhere else same_process(identity)
    return status if there else None


def _here(paths: JobPaths, socket: Path) -> Path:
    """Return a socket's path as this process sees it: a container may mount outputs/ elsewhere."""
    return paths.socket if socket.name == paths.socket.name else socket


@cache
def _place() -> str:
    """Return the boot and PID namespace, equal for processes that see one another's pids."""
    me = identify(os.getpid())
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{me.boot_id if me else ''} {namespace}"
