"""The tasks and callbacks of one widget, on Studio's event loop.

The kernel's main thread runs the user's cells, and comm messages may arrive on another thread. The
widget works on Studio's loop, so that a long cell does not freeze the screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["WidgetTasks"]


class WidgetTasks:
    """Starts coroutines and callbacks in order, from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start ``coroutine`` on the loop and return at once."""
        if not self.call(self._begin, coroutine):
            coroutine.close()

    def call(self, callback: Callable[..., None], *args: Any) -> bool:
        """Call ``callback`` on the loop soon; False if the widget or the loop is closed."""
        if self._closed:
            return False
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed
            return False
        return True

    def close(self) -> None:
        """Cancel the running tasks and start no more."""
        self.call(self._end)
        self._closed = True

    def _begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
