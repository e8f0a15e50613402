"""A stream socket for messages, one line each, between two workbench processes."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from workbench.jobs.messages import LineMessage, from_json, to_json

__all__ = ["Channel"]

_CHUNK_BYTES: Final = 1 << 16
_MOST_DESCRIPTORS: Final = 16


class Channel:
    """One end of the stream; sending is thread-safe."""

    def __init__(self, end: socket.socket, *, send_timeout_s: float | None = None) -> None:
        self._socket = end
        self._send_timeout_s = send_timeout_s
        self._pending = b""
        self._unsent = bytearray()
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """Return the socket's file descriptor, for a selector."""
        return self._socket.fileno()

    def send(self, message: LineMessage) -> None:
        """Send ``message`` whole; raises ``OSError`` when the other end is gone or does not read."""
        with self._sending:
            self._unsent += self._line(message)
            while self._push():
                with selectors.PollSelector() as selector:  # select() fails beyond descriptor 1,023
                    selector.register(self._socket, selectors.EVENT_WRITE)
                    if not selector.select(self._send_timeout_s):
                        raise TimeoutError("the other end does not receive")

    def post(self, message: LineMessage) -> int:
        """Send as much of ``message`` as possible without blocking; return the bytes left.

        Use it if both ends send a lot: if each waited for the other to read, they would deadlock.
        Raises ``OSError`` when the other end is gone.
        """
        with self._sending:
            self._unsent += self._line(message)
            return self._push()

    def flush(self) -> int:
        """Send what is left without blocking; return the bytes left."""
        with self._sending:
            return self._push()

    def _push(self) -> int:
        with suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent, socket.MSG_DONTWAIT)]
        return len(self._unsent)

    def send_first(self, message: LineMessage, descriptors: Sequence[int]) -> None:
        """Send the first message of a Unix socket, with open files that the other end keeps open."""
        with self._sending:
            data = self._line(message)
            self._unsent += data[socket.send_fds(self._socket, [data], descriptors) :]

    def receive_first(self) -> tuple[LineMessage, list[int]] | None:
        """Wait for the first message and its open files; None when the other end is gone."""
        descriptors: list[int] = []
        data = b""
        while b"\n" not in data:
            try:
                part, came, _, _ = socket.recv_fds(self._socket, _CHUNK_BYTES, _MOST_DESCRIPTORS)
            except OSError:
                return None
            if not part:
                return None
            data += part
            descriptors += came
        line, _, self._pending = data.partition(b"\n")
        return from_json(line), descriptors

    def offer(self, message: LineMessage) -> bool:
        """Send ``message`` unless that would block; tell whether it was sent."""
        with self._sending:
            if self._push():
                return False
            data = self._line(message)
            try:
                sent = self._socket.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            self._unsent += data[sent:]
            return True

    def receive(self, *, block: bool = False) -> list[LineMessage] | None:
        """Return what has arrived; None when the other end is gone."""
        data = b""
        if b"\n" not in self._pending:  # otherwise more arrived together with the first message
            try:
                data = self._socket.recv(_CHUNK_BYTES, 0 if block else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return []
            except OSError:
                return None
            if not data:
                return None
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [from_json(line) for line in lines]

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _line(self, message: LineMessage) -> bytes:
        return to_json(message) + b"\n"
