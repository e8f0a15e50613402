"""A short way for polls: a status question that was answered a moment ago is answered again at once.

The first time, a question goes the whole way: who asks, whether they may, what the answer is. The
same bytes from the same address are then answered for a while from the board, before they are even
read as HTTP, which costs a twentieth. Whatever differs by one byte goes the whole way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import uniform
from typing import Any, Final

from jupyter_server.prometheus.metrics import HTTP_REQUEST_DURATION_SECONDS
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest, format_timestamp
from tornado.iostream import IOStream

from server_extension.status_board import StatusBoard

__all__ = ["StatusLane"]

_PASS_S: Final = 30.0
"""How long a question may go the short way at most: who lost the right to ask is heard for so long."""
_MOST_PASSES: Final = 8_192
_LONGEST_HEAD: Final = 8_192
_NOT_REPEATED: Final = frozenset({"Set-Cookie", "Etag", "Content-Length", "Date"})
_END: Final = re.compile(rb"\r?\n\r?\n")
"""What ends a request's head, as Tornado has it."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """What the whole way found out: the question's subject, and the headers of its answer."""

    identifier: str
    known: str
    """The answer that the client has already; empty where it has none."""
    headers: bytes
    told: Any
    told_unchanged: Any
    """The server's own counters of such answers."""
    good_until: float


class StatusLane:
    """Answers, before the server's own routes, the questions that it may."""

    def __init__(self, board: StatusBoard, settings: dict[str, Any]) -> None:
        self._board = board
        self._settings = settings
        self._passes: dict[tuple[str, bytes], _Pass] = {}
        self._dated = (0, b"")

    def open(self, server: HTTPServer) -> None:
        """Have every connection that ``server`` accepts from now on go by this lane.

        One that is encrypted goes the whole way.
        """
        serve = server.handle_stream

        def handle_stream(stream: IOStream, address: Any) -> None:
            if type(stream) is IOStream and stream.socket is not None:
                stream = _Line(stream, self, _host(address))
            serve(stream, address)

        server.handle_stream = handle_stream  # type: ignore[method-assign]

    def admit(self, request: HTTPServerRequest, identifier: str, handler: Any) -> None:
        """Let a question that ``handler`` has just let in and answered go the short way next time."""
        line = getattr(request.connection, "stream", None)
        if not isinstance(line, _Line) or not line.head or not _is_plain(request):
            return
        if len(self._passes) >= _MOST_PASSES:
            self._passes.clear()
        kept = handler.headers_to_send.get_all()
        lines = (f"{name}: {value}\r\n" for name, value in kept if name not in _NOT_REPEATED)
        kind = f"{type(handler).__module__}.{type(handler).__name__}"
        told, unchanged = (
            HTTP_REQUEST_DURATION_SECONDS.labels(method="GET", handler=kind, status_code=status)
            for status in (200, 304)
        )
        self._passes[line.host, line.head] = _Pass(
            identifier,
            request.headers.get("If-None-Match", ""),
            "".join(lines).encode("latin-1"),
            told,
            unchanged,
            # Clients that came together shall not all go the whole way together again.
            time.monotonic() + uniform(_PASS_S / 2, _PASS_S),
        )

    def answer(self, host: str, head: bytes) -> bytes | None:
        """Return what is sent to who asks from ``host`` by ``head``; None for the whole way."""
        passed = self._passes.get((host, head))
        if passed is None:
            return None
        began = time.monotonic()
        answer = self._board.ready(passed.identifier) if began < passed.good_until else None
        if answer is None:
            return None
        self._settings["api_last_activity"] = datetime.now(UTC)
        common = b"%bDate: %b\r\nEtag: %b\r\n" % (
            passed.headers,
            self._date(),
            answer.etag.encode("latin-1"),
        )
        if passed.known == answer.etag:
            passed.told_unchanged.observe(time.monotonic() - began)
            return b"HTTP/1.1 304 Not Modified\r\n%b\r\n" % common
        passed.told.observe(time.monotonic() - began)
        return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (
            common,
            len(answer.body),
            answer.body,
        )

    def _date(self) -> bytes:
        now = int(time.time())
        if self._dated[0] != now:
            self._dated = (now, format_timestamp(now).encode("latin-1"))
        return self._dated[1]


class _Line(IOStream):
    """One connection; looks at what arrives where a new request is awaited."""

    def __init__(self, stream: IOStream, lane: StatusLane, host: str) -> None:
        super().__init__(
            stream.socket,
            max_buffer_size=stream.max_buffer_size,
            read_chunk_size=stream.read_chunk_size,
        )
        self.host = host
        self.head = b""
        """The request that came last, where it came whole, alone and without a body."""
        self._lane = lane
        self._between = False
        """Whether whatever arrives now is the beginning of a request."""

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Await a request's head, which nothing else is awaited by."""
        self._between, self.head = True, b""
        return super().read_until_regex(regex, max_bytes)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read what has arrived; a question that may be answered at once has not."""
        count = super().read_from_fd(buf)
        if not count or not self._between:
            return count
        self._between = False
        if self._read_buffer_size or self.writing() or count > _LONGEST_HEAD:
            return count
        head = bytes(buf[:count])
        answer = self._lane.answer(self.host, head)
        if answer is not None:
            self._between = True
            self._send(answer)
            return None
        end = _END.search(head)
        if end is not None and end.end() == count and head.startswith(b"GET "):
            self.head = head
        return count

    def _send(self, answer: bytes) -> None:
        with suppress(BlockingIOError):
            answer = answer[self.socket.send(answer) :]
        if answer:  # a client that reads slowly
            self.write(answer).add_done_callback(lambda sent: sent.exception())


def _host(address: Any) -> str:
    return str(address[0]) if isinstance(address, tuple) else ""


def _is_plain(request: HTTPServerRequest) -> bool:
    """Tell whether a request asks by its path alone, on a connection that stays."""
    headers = request.headers
    bodiless = "Content-Length" not in headers and "Transfer-Encoding" not in headers
    stays = headers.get("Connection", "keep-alive").lower() == "keep-alive"
    return (
        request.method == "GET"
        and request.version == "HTTP/1.1"
        and "Expect" not in headers
        and not request.query
        and bodiless
        and stays
    )
