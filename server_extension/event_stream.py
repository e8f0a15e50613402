"""Answers as server-sent events: partial results, then the full answer.

Knows nothing of prompts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import BaseModel
from tornado.iostream import StreamClosedError

from server_extension.errors import describe
from server_extension.handlers.base import ApiHandler
from server_extension.schemas.common import StreamError

__all__ = ["MEDIA_TYPE", "StreamingHandler"]

MEDIA_TYPE: Final = "text/event-stream"
_KEEP_ALIVE_S: Final = 15.0
"""Send a comment after this much silence, so that proxies keep the connection open."""

Tell = Callable[[str, BaseModel], None]


class StreamingHandler(ApiHandler):
    """A JSON endpoint that answers with server-sent events if the client accepts them.

    The last event is ``answer``, with the body of the JSON answer, or ``error``. An error before
    the first event is answered with its own status, as everywhere else. The work is cancelled
    when the client disconnects.
    """

    def initialize(self) -> None:
        """Start without events."""
        super().initialize()
        self._events: deque[tuple[str, str]] = deque()
        self._woken = asyncio.Event()
        self._work: asyncio.Future[BaseModel] | None = None

    def on_connection_close(self) -> None:
        """Cancel the work: the client has disconnected."""
        super().on_connection_close()
        if self._work is not None:
            self._work.cancel()

    async def answer_growing(self, work: Callable[[Tell | None], Awaitable[BaseModel]]) -> None:
        """Answer with the result of ``work``, and with its events if the client accepts them.

        ``work`` gets a function that sends an event by name from any thread, or None if no events
        are accepted. A ``text`` event that waits to be sent is replaced by the next one: a slow
        client skips states, never the last one.
        """
        if MEDIA_TYPE not in self.request.headers.get("Accept", ""):
            self.answer(await work(None))
            return
        loop = asyncio.get_running_loop()

        def tell(name: str, model: BaseModel) -> None:
            loop.call_soon_threadsafe(self._tell, name, model)

        self._work = asyncio.ensure_future(work(tell))
        self._work.add_done_callback(lambda _: self._woken.set())
        try:
            await self._send_until_done(self._work)
        except StreamClosedError:
            return
        finally:
            self._work.cancel()

    def _tell(self, name: str, model: BaseModel) -> None:
        if name == "text" and self._events and self._events[-1][0] == name:
            self._events.pop()
        self._events.append((name, model.model_dump_json()))
        self._woken.set()

    async def _send_until_done(self, work: asyncio.Future[BaseModel]) -> None:
        while not work.done():
            try:
                await asyncio.wait_for(self._woken.wait(), _KEEP_ALIVE_S)
            except TimeoutError:
                await self._send(": still at work\n\n")
            self._woken.clear()
            await self._send_waiting()
        if work.cancelled():
            return
        error = work.exception()
        if error is not None and not self._headers_written:
            raise error
        if error is None:
            self._tell("answer", work.result())
        else:
            self.log_exception(type(error), error, error.__traceback__)
            status, body, _ = describe(error, 500)
            self._tell("error", StreamError(status=status, **body.model_dump()))
        await self._send_waiting()
        self.finish(set_content_type=MEDIA_TYPE)

    async def _send_waiting(self) -> None:
        while self._events:
            name, data = self._events.popleft()
            await self._send(f"event: {name}\ndata: {data}\n\n")

    async def _send(self, text: str) -> None:
        if not self._headers_written:
            self.set_header("Content-Type", MEDIA_TYPE)
            self.set_header("Cache-Control", "no-cache")
            self.set_header("X-Accel-Buffering", "no")
        self.write(text)
        await self.flush()
