"""Sends the progress of renders, not more often than a screen can show it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from workbench.jobs.channel import Channel
from workbench.jobs.messages import Reported

__all__ = ["Reports"]

_EVERY_S: Final = 0.05


class Reports:
    """The progress of one worker's renders, in order; thread-safe.

    A report soon after another waits, and is dropped when a newer one replaces it. The owner calls
    :meth:`flush` regularly.
    """

    def __init__(self, channel: Channel, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._channel = channel
        self._clock = clock
        self._guard = threading.Lock()
        self._sent_at = 0.0
        self._waiting: Reported | None = None

    def add(self, report: Reported) -> None:
        """Send ``report``, at once or with the next flush."""
        with self._guard:
            self._waiting = report
            if self._clock() - self._sent_at >= _EVERY_S:
                self._send()

    def flush(self) -> None:
        """Send the report that waits, if any."""
        with self._guard:
            self._send()

    def drop(self) -> None:
        """Forget the report that waits: its render has ended."""
        with self._guard:
            self._waiting = None

    def _send(self) -> None:
        if self._waiting is not None and self._channel.offer(self._waiting):
            self._waiting, self._sent_at = None, self._clock()
