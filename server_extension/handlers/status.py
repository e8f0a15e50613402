"""Status of a job or batch: what pages poll, or wait for.

One render may be polled a thousand times, so a poll skips the login cookie and the line in the
debug log. Authentication and authorisation are checked every time, as everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from jupyter_server.auth.decorator import authorized
from jupyter_server.prometheus.log_functions import prometheus_log_method
from tornado import web

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, Parameter, operation
from server_extension.status_cache import StatusAnswer
from workbench.errors import FieldProblem, InvalidRequest
from workbench.presentation import BatchObject, JobObject

__all__ = ["BatchStatusHandler", "StatusHandler", "without_polls"]

LogFunction = Callable[[web.RequestHandler], None]

_LONGEST_WAIT_S: Final = 60.0
_BAD_REQUEST: Final = 400
_QUERY: Final = (
    Parameter(
        "wait",
        {"type": "number", "minimum": 0, "maximum": _LONGEST_WAIT_S, "default": 0},
        "Seconds to wait for a change, while the answer is the one that `known` names.",
    ),
    Parameter("known", {"type": "string", "maxLength": 100}, "The ETag of the last answer."),
)


class _PollHandler(ApiHandler):
    """Answers at once, or as soon as the answer differs from the one that the client knows."""

    _wait: asyncio.Task[StatusAnswer] | None = None

    def on_connection_close(self) -> None:
        """End the wait: the client has disconnected."""
        super().on_connection_close()
        if self._wait is not None:
            self._wait.cancel()

    async def answer_newer(
        self, identifier: str, ask: Callable[..., Coroutine[Any, Any, StatusAnswer]]
    ) -> None:
        """Answer with ``ask(identifier)``, waiting as the query says."""
        wait_s = self._wait_s()
        if not wait_s:
            self.answer_status(await ask(identifier))
            return
        known = f'"{(self.query("known") or "").removeprefix("W/").strip(chr(34))}"'
        self._wait = asyncio.ensure_future(ask(identifier, known=known, wait_s=wait_s))
        await asyncio.wait((self._wait,))
        if not self._wait.cancelled():
            await self._answer_waited(self._wait.result())

    @authorized
    async def _answer_waited(self, answer: StatusAnswer) -> None:
        """Answer after a wait, during which authorisation may have been revoked."""
        self.answer_status(answer)

    def _wait_s(self) -> float:
        asked = self.query("wait")
        try:
            wait_s = float(asked or 0)
        except ValueError:
            wait_s = -1.0
        if not 0 <= wait_s <= _LONGEST_WAIT_S:
            problem = f"must be a number of seconds from 0 to {_LONGEST_WAIT_S:g}"
            raise InvalidRequest(f"wait {problem}.", (FieldProblem("wait", problem),))
        return wait_s

    def set_signed_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Set no login cookie: a client that polls with a token sends it each time."""

    set_secure_cookie = set_signed_cookie


class StatusHandler(_PollHandler):
    """GET /api/video/status/{job_id}."""

    @operation(Operation("Get the status of a job", answer=JobObject, errors=(404,), query=_QUERY))
    async def get(self, job_id: str) -> None:
        """Return the job object."""
        await self.answer_newer(job_id, self.status_cache.job)


class BatchStatusHandler(_PollHandler):
    """GET /api/video/batch_status/{batch_id}."""

    @operation(
        Operation("Get the status of a batch", answer=BatchObject, errors=(404,), query=_QUERY)
    )
    async def get(self, batch_id: str) -> None:
        """Return the batch and its jobs, in prompt order."""
        await self.answer_newer(batch_id, self.status_cache.batch)


def without_polls(log_request: LogFunction, *, with_metrics: bool) -> LogFunction:
    """Return ``log_request`` without successful polls, which only count in the metrics."""

    def log(handler: web.RequestHandler) -> None:
        if not isinstance(handler, _PollHandler) or handler.get_status() >= _BAD_REQUEST:
            log_request(handler)
        elif with_metrics:
            prometheus_log_method(handler)  # type: ignore[no-untyped-call]

    return log
