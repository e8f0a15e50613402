"""An event loop in a thread of its own.

The kernel's main thread runs the user's cells, and comm messages may arrive in yet another thread;
what the widget does happens here, so that a long cell never stills the screen.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["LoopThread"]

_LEAVE_S = 5.0


class LoopThread:
    """Runs coroutines and callbacks one loop, one thread, in the order in which they come."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start ``coroutine`` on the loop and return at once; may be called from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._begin, coroutine)
        except RuntimeError:  # the loop has been closed
            coroutine.close()

    def call(self, callback: Callable[..., None], *args: Any) -> None:
        """Call ``callback`` on the loop soon; may be called from any thread, even after closing."""
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(callback, *args)
            except RuntimeError:  # closed between the two lines
                return

    def close(self) -> None:
        """Cancel what runs and end the thread."""
        if self._loop.is_closed():
            return
        self.call(self._end)
        if threading.current_thread() is not self._thread:
            self._thread.join(_LEAVE_S)

    def _begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._loop.call_soon(self._loop.stop)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
