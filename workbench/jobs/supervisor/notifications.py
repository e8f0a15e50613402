"""Where clients reach the supervisor: they wake it, and hear the revision of each change.

One Unix stream socket. A client sends lines, ``wake`` or ``watch``; a watcher is sent the newest
revision, one number a line. A slow watcher skips revisions, never the last one.
"""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["NotificationServer"]

_BACKLOG: Final = 256
_CHUNK_BYTES: Final = 4_096


@dataclass(slots=True)
class _Client:
    line: socket.socket
    watches: bool = False
    owed: int | None = None
    """The revision that it could not be sent yet."""
    heard: bytes = b""


class NotificationServer:
    """The supervisor's end; never blocks."""

    def __init__(self, selector: selectors.BaseSelector, path: Path) -> None:
        self._selector = selector
        self._path = path
        self._clients: dict[socket.socket, _Client] = {}
        self._woken = False
        self._revision = 0
        with suppress(FileNotFoundError):
            path.unlink()  # an earlier supervisor's; the lock says that it is gone
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.bind(str(path))
        path.chmod(0o600)
        self._door.listen(_BACKLOG)
        self._door.setblocking(False)
        self._inode = path.stat().st_ino
        selector.register(self._door, selectors.EVENT_READ, None)

    def serve(self, ready: Any) -> None:
        """Serve a socket that the selector found ready."""
        if ready is self._door:
            self._let_in()
        elif (client := self._clients.get(ready)) is not None:
            if client.owed is not None:
                self._send(client, self._revision)
            self._hear(client)

    def take_wake(self) -> bool:
        """Tell whether any client called since the last time."""
        woken, self._woken = self._woken, False
        return woken

    def broadcast(self, revision: int) -> None:
        """Send ``revision`` to every watcher."""
        self._revision = revision
        for client in list(self._clients.values()):
            if client.watches:
                self._send(client, revision)

    def close(self) -> None:
        """Hang up on everybody."""
        for client in list(self._clients.values()):
            self._drop(client)
        self._selector.unregister(self._door)
        self._door.close()
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

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
