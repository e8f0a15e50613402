"""A file lock held by one process, valid while its file is the one at the path."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

__all__ = ["holders", "is_locked", "is_same_file", "take_lock"]

_TRIES: Final = 3
_BETWEEN_TRIES_S: Final = 0.05
_LOCKS: Final = Path("/proc/locks")


def take_lock(path: Path) -> int | None:
    """Lock the file at ``path`` and return its descriptor; None while another process holds it.

    The lock ends with the descriptor, and so with the process. Raises ``OSError``.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN_TRIES_S)
            continue
        if is_same_file(descriptor, path):
            return descriptor
        break  # the file was removed between opening and locking
    os.close(descriptor)
    return None


def is_locked(path: Path) -> bool:
    """Tell whether any process, in any container, holds the lock at ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # released again by closing
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def is_same_file(descriptor: int, path: Path) -> bool:
    """Tell whether the open file is still the one at ``path``."""
    try:
        there = path.stat()
    except OSError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def holders(path: Path) -> list[int]:
    """Return the pids that hold a lock on ``path``, without touching it; empty where unknown.

    By proc(5): the second field is FLOCK, the fifth the pid, the sixth the file's device and inode.
    """
    try:
        inode = str(path.stat().st_ino)
        lines = _LOCKS.read_text("ascii").splitlines()
    except OSError:
        return []
    fields = [line.split() for line in lines if " FLOCK " in line and "->" not in line]
    return sorted({int(words[4]) for words in fields if words[5].rpartition(":")[2] == inode})
