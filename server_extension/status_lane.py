"""A short way for polls: a status question that was answered a moment ago is answered again at once.

The first time, a question goes the whole way: who asks, whether they may, what the answer is. The
same question, alike in every header and from the same address, is then answered for a while from
the board without that way, which costs five times as much. Whatever differs goes the whole way.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from jupyter_server.prometheus.metrics import HTTP_REQUEST_DURATION_SECONDS
from tornado import httputil
from tornado.routing import PathMatches, Router, Rule

from server_extension.status_board import Answer, StatusBoard

__all__ = ["StatusLane"]

_PASS_S: Final = 30.0
"""How long a question may go the short way at most: who lost the right to ask is heard for so long."""
_MOST_PASSES: Final = 8_192
_NOT_REPEATED: Final = frozenset({"Set-Cookie", "Etag", "Content-Length", "Date"})
_OK: Final = httputil.ResponseStartLine("HTTP/1.1", 200, "OK")
_NOT_MODIFIED: Final = httputil.ResponseStartLine("HTTP/1.1", 304, "Not Modified")

Question = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class _Pass:
    """What the whole way found out: the question's subject, and the headers of its answer."""

    identifier: str
    headers: tuple[tuple[str, str], ...]
    handler: str
    good_until: float


class StatusLane(Router):
    """Stands before the server's own routes, and leaves to them all that it cannot answer."""

    def __init__(self, board: StatusBoard, settings: dict[str, Any]) -> None:
        self._board = board
        self._settings = settings
        self._passes: dict[Question, _Pass] = {}

    def rule(self, base_url: str) -> Rule:
        """Return the routing rule of the questions that may go this way."""
        return Rule(PathMatches(f"{base_url}api/video/(?:batch_)?status/[^/]+"), self)

    def admit(self, request: httputil.HTTPServerRequest, identifier: str, handler: Any) -> None:
        """Let a question that ``handler`` has just let in and answered go the short way next time."""
        if not _is_plain(request):
            return
        if len(self._passes) >= _MOST_PASSES:
            self._passes.clear()
        kept = (pair for pair in handler.headers_to_send.get_all() if pair[0] not in _NOT_REPEATED)
        kind = type(handler)
        self._passes[_question(request)] = _Pass(
            identifier,
            tuple(kept),
            f"{kind.__module__}.{kind.__name__}",
            # Clients that came together shall not all go the whole way together again.
            time.monotonic() + random.uniform(_PASS_S / 2, _PASS_S),
        )

    def find_handler(
        self,
        request: httputil.HTTPServerRequest,
        **kwargs: Any,  # noqa: ARG002  as its base has it
    ) -> httputil.HTTPMessageDelegate | None:
        """Return what answers ``request``, or None to have it go the whole way."""
        if not _is_plain(request):
            return None
        passed = self._passes.get(_question(request))
        if passed is None or passed.good_until < time.monotonic():
            return None
        answer = self._board.ready(passed.identifier)
        if answer is None:
            return None
        self._settings["api_last_activity"] = datetime.now(UTC)
        return _Reply(request, passed, answer)


class _Reply(httputil.HTTPMessageDelegate):
    """Sends one answer."""

    def __init__(self, request: httputil.HTTPServerRequest, passed: _Pass, answer: Answer) -> None:
        self._request = request
        self._passed = passed
        self._answer = answer

    def finish(self) -> None:
        """Answer, now that the question is whole."""
        answer, request = self._answer, self._request
        headers = httputil.HTTPHeaders()
        for name, value in self._passed.headers:
            headers.add(name, value)
        headers["Date"] = httputil.format_timestamp(time.time())
        headers["Etag"] = answer.etag
        known = request.headers.get("If-None-Match") == answer.etag
        body = b"" if known else answer.body
        if not known:
            headers["Content-Length"] = str(len(body))
        connection = request.connection
        assert connection is not None  # noqa: S101  the request came over one
        connection.write_headers(_NOT_MODIFIED if known else _OK, headers, body)
        connection.finish()
        HTTP_REQUEST_DURATION_SECONDS.labels(
            method="GET", handler=self._passed.handler, status_code=304 if known else 200
        ).observe(request.request_time())

    def on_connection_close(self) -> None:
        """Do nothing: there is nobody to answer any more."""


def _is_plain(request: httputil.HTTPServerRequest) -> bool:
    """Tell whether a request asks by its path alone."""
    headers = request.headers
    bodiless = "Content-Length" not in headers and "Transfer-Encoding" not in headers
    return request.method == "GET" and not request.query and bodiless


def _question(request: httputil.HTTPServerRequest) -> Question:
    asked = (pair for pair in request.headers.get_all() if pair[0] != "If-None-Match")
    return request.path, request.remote_ip or "", tuple(asked)
