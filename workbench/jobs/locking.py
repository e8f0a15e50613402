"""A file lock that one process holds, and that is only worth having while others would find it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

__all__ = ["is_same_file", "take_lock"]

_TRIES: Final = 3
_BETWEEN_TRIES_S: Final = 0.05


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


def is_same_file(descriptor: int, path: Path) -> bool:
    """Tell whether the file that is open is still the one at ``path``."""
    try:
        there = path.stat()
    except OSError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
