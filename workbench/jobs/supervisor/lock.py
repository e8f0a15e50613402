"""Who the one supervisor of an outputs/ folder is: the lock it holds, and where it listens."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from workbench.jobs.locking import is_same_file
from workbench.jobs.model import SupervisorStatus
from workbench.jobs.paths import JobPaths
from workbench.jobs.processes import Identity, identify, same_process

__all__ = ["SupervisorLock", "read_status"]


class SupervisorLock:
    """The lock of one outputs/ folder, in the hands of its supervisor."""

    def __init__(self, paths: JobPaths, descriptor: int) -> None:
        """Stand for a lock that :func:`~workbench.jobs.locking.take_lock` took."""
        self._paths = paths
        self._descriptor: int | None = descriptor
        self.socket_path = _socket_path(paths.outputs)

    def is_ours(self) -> bool:
        """Tell whether the lock that we hold is still the one that others would find."""
        return self._descriptor is not None and is_same_file(self._descriptor, self._paths.lock)

    def announce(self) -> None:
        """Say in the lock file who holds it and where it listens."""
        assert self._descriptor is not None  # noqa: S101  nobody announces after leaving
        identity = identify(os.getpid())
        assert identity is not None  # noqa: S101  we are here
        words = {
            **asdict(identity),
            "started_at": datetime.now(UTC).isoformat(),
            "version": _version(),
            "socket": str(self.socket_path),
        }
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(words).encode(), 0)

    def leave(self) -> None:
        """Let go of the lock."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def read_status(paths: JobPaths) -> SupervisorStatus | None:
    """Return the supervisor that holds the lock; None when that process is not there any more."""
    try:
        words = json.loads(paths.lock.read_text("utf-8"))
        identity = Identity(words["pid"], words["started"], words["boot_id"])
        status = SupervisorStatus(
            pid=identity.pid,
            started_at=datetime.fromisoformat(words["started_at"]),
            version=words["version"],
            socket=words["socket"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return status if same_process(identity) else None


def _socket_path(outputs: Path) -> Path:
    """Return a path short enough for a socket (108 bytes), in a folder of this user's alone."""
    folder = Path(tempfile.gettempdir(), f"workbench-{os.getuid()}")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        folder = Path(tempfile.mkdtemp(prefix="workbench-"))
    digest = hashlib.sha256(str(outputs.resolve()).encode()).hexdigest()[:20]
    return folder / f"{digest}.sock"


def _version() -> str:
    try:
        return version("world-model-workbench")
    except PackageNotFoundError:
        return "unknown"
