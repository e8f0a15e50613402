"""An answer as server-sent events: what there is so far, then the whole. Knows nothing of prompts."""

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
"""How long a stream is silent before a comment keeps it open on its way through proxies."""

Tell = Callable[[str, BaseModel], None]


class StreamingHandler(ApiHandler):
    """A JSON endpoint that answers in server-sent events where the client accepts them.

    The last event is ``answer`` with what would have been the body, or ``error``. What fails
    before the first event is answered as everywhere else, with its status. A client that leaves
    ends the work.
    """

    def initialize(self) -> None:
        """Start with nothing to tell."""
        super().initialize()
        self._events: deque[tuple[str, str]] = deque()
        self._woken = asyncio.Event()
        self._work: asyncio.Future[BaseModel] | None = None

    def on_connection_close(self) -> None:
        """End the work: nobody will hear of it."""
        super().on_connection_close()
        if self._work is not None:
            self._work.cancel()

    async def answer_growing(self, work: Callable[[Tell | None], Awaitable[BaseModel]]) -> None:
        """Answer with the outcome of ``work``, and with the events that it tells where accepted.

        ``work`` is given a function that tells an event by its name from any thread, or None where
        no events are accepted. An event that waits to be sent gives way to the next one of its name if that is a
        ``text``: a slow client skips states, never the last one.
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
