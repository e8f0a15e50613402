"""What comes bit by bit on another thread, handed to the widget's loop in small bundles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

__all__ = ["Debouncer"]

T = TypeVar("T")

_BUNDLE_S: Final = 0.05
"""Bits that come within this time are shown together: 20 pictures a second read as growing."""


class Debouncer(Generic[T]):
    """Made on the loop; :meth:`hear` may be called from any thread, ``show`` is called on the loop."""

    def __init__(self, show: Callable[[Sequence[T]], None]) -> None:
        self._show = show
        self._loop = asyncio.get_running_loop()
        self._heard: list[T] = []
        self._closed = False

    def hear(self, bit: T) -> None:
        """Take one bit; it is shown soon."""
        self._loop.call_soon_threadsafe(self._collect, bit)

    def close(self) -> None:
        """Show nothing more: the whole has come, or nothing will."""
        self._closed = True

    def _collect(self, bit: T) -> None:
        if not self._heard:
            self._loop.call_later(_BUNDLE_S, self._flush)
        self._heard.append(bit)

    def _flush(self) -> None:
        heard, self._heard = self._heard, []
        if heard and not self._closed:
            self._show(heard)
