"""The supervisor's socket: clients wake it and receive the revision of each change.

One Unix stream socket. A client sends lines, ``wake`` or ``watch``; a watcher is sent the newest
revision, one number a line. A slow watcher skips revisions, never the last one.
"""

from __future__ import annotations

import hashlib
import os
import selectors
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workbench.jobs.paths import JobPaths
from workbench.jobs.sockets import listen

__all__ = ["NotificationServer"]

_CHUNK_BYTES: Final = 4_096


@dataclass(slots=True)
class _Client:
    line: socket.socket
    watches: bool = False
    owed: int | None = None
    """A revision still to be sent."""
    heard: bytes = b""


class NotificationServer:
    """The server side; never blocks."""

    def __init__(self, selector: selectors.BaseSelector, paths: JobPaths) -> None:
        self._selector = selector
        self._clients: dict[socket.socket, _Client] = {}
        self._woken = False
        self._revision = 0
        self.path = paths.socket
        try:
            self._door = listen(self.path)
        except OSError:  # a file system without sockets
            self.path = _temporary_path(paths.outputs)
            self._door = listen(self.path)
        self._inode = self.path.stat().st_ino
        selector.register(self._door, selectors.EVENT_READ, None)

    def keep_reachable(self) -> None:
        """Listen again if the socket's file was removed; raises ``OSError``."""
        if self._has_file():
            return
        door = listen(self.path)
        self._selector.unregister(self._door)
        self._door.close()
        self._door, self._inode = door, self.path.stat().st_ino
        self._selector.register(self._door, selectors.EVENT_READ, None)

    def _has_file(self) -> bool:
        try:
            return self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def serve(self, ready: Any) -> None:
        """Serve a socket that the selector found ready."""
        if ready is self._door:
            self._let_in()
        elif (client := self._clients.get(ready)) is not None:
            if client.owed is not None:
                self._send(client, self._revision)
            self._hear(client)

    def take_wake(self) -> bool:
        """Tell whether a client woke the supervisor since the last call."""
        woken, self._woken = self._woken, False
        return woken

    def broadcast(self, revision: int) -> None:
        """Send ``revision`` to every watcher."""
        self._revision = revision
        for client in list(self._clients.values()):
            if client.watches:
                self._send(client, revision)

    def close(self) -> None:
        """Close every connection."""
        for client in list(self._clients.values()):
            self._drop(client)
        self._selector.unregister(self._door)
        self._door.close()
        if self._has_file():
            self.path.unlink(missing_ok=True)

    def _let_in(self) -> None:
        with suppress(BlockingIOError, OSError):
            line, _ = self._door.accept()
            line.setblocking(False)
            self._clients[line] = _Client(line)
            self._selector.register(line, selectors.EVENT_READ, None)

    def _hear(self, client: _Client) -> None:
        try:
            data = client.line.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or len(client.heard) > _CHUNK_BYTES:
            self._drop(client)
            return
        *lines, client.heard = (client.heard + data).split(b"\n")
        for line in lines:
            if line == b"wake":
                self._woken = True
            elif line == b"watch":
                client.watches = True
                self._send(client, self._revision)

    def _send(self, client: _Client, revision: int) -> None:
        try:
            client.line.send(f"{revision}\n".encode())
            owed = None
        except BlockingIOError:
            owed = revision
        except OSError:
            self._drop(client)
            return
        if (owed is None) != (client.owed is None):
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if owed is not None else 0)
            self._selector.modify(client.line, events, None)
        client.owed = owed

    def _drop(self, client: _Client) -> None:
        self._clients.pop(client.line, None)
        with suppress(KeyError, ValueError):
            self._selector.unregister(client.line)
        client.line.close()


def _temporary_path(outputs: Path) -> Path:
    """Return a path for a socket in a temporary folder that is this user's alone."""
    folder = Path(tempfile.gettempdir(), f"workbench-{os.getuid()}")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        folder = Path(tempfile.mkdtemp(prefix="workbench-"))
    digest = hashlib.sha256(str(outputs.resolve()).encode()).hexdigest()[:20]
    return folder / f"{digest}.sock"
