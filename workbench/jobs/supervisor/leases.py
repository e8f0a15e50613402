"""A machine-wide lease per GPU, so that two outputs/ folders do not both load a model onto one.

A lease is a file lock, shared by the supervisor and its worker: it ends with the last of them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["lease_folder", "take_lease"]


def lease_folder() -> Path:
    """Return the lease folder, which all users of this machine share."""
    if named := os.environ.get("WORKBENCH_LEASES"):
        return Path(named)
    # Not TMPDIR, which may differ between users.
    shared = "/tmp" if os.access("/tmp", os.W_OK) else tempfile.gettempdir()  # noqa: S108
    return Path(shared, "workbench-leases")


def take_lease(uuid: str) -> int | None:
    """Take the lease of the GPU ``uuid``; None while another outputs/ folder holds it.

    Returns a file descriptor; closing it releases the lease, unless a worker has inherited it.
    Raises ``OSError`` when the shared folder cannot be used.
    """
    folder = lease_folder()
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o1777)  # writable by all, like /tmp
    path = folder / f"{hashlib.sha256(uuid.encode()).hexdigest()[:32]}.lock"
    # Read-only is enough for a lock, and opens another user's file too.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.close(os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644))
        descriptor = os.open(path, flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
