"""Passes values from another thread to the widget's loop, at most every few milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

__all__ = ["Debouncer"]

T = TypeVar("T")

_BUNDLE_S: Final = 0.05
"""Values within this interval are shown together: 20 updates a second look continuous."""


class Debouncer(Generic[T]):
    """Create it on the loop; call :meth:`hear` from any thread. ``show`` runs on the loop."""

    def __init__(self, show: Callable[[Sequence[T]], None]) -> None:
        self._show = show
        self._loop = asyncio.get_running_loop()
        self._heard: list[T] = []
        self._closed = False

    def hear(self, bit: T) -> None:
        """Accept one value, to be shown soon."""
        self._loop.call_soon_threadsafe(self._collect, bit)

    def close(self) -> None:
        """Stop showing values."""
        self._closed = True

    def _collect(self, bit: T) -> None:
        if not self._heard:
            self._loop.call_later(_BUNDLE_S, self._flush)
        self._heard.append(bit)

    def _flush(self) -> None:
        heard, self._heard = self._heard, []
        if heard and not self._closed:
            self._show(heard)
