"""Ends renders in the background, while the device takes the next job."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

from workbench.jobs.messages import Failed, Rendered

__all__ = ["Finish", "Finishing"]

_AT_ONCE: Final = 8
"""Most renders whose files are flushed to disk at once: the file system groups them."""


@dataclass(frozen=True, slots=True)
class Finish:
    """What is left of a render whose frames are made."""

    end: Callable[[], Rendered | Failed]
    """Writes and syncs its files and returns the message to send; for any thread."""
    encodes: bool
    """Whether the engine still writes the video, which takes memory and processor time."""


class Finishing:
    """The renders of one worker that are being ended; used by one thread."""

    def __init__(self, send: Callable[[Rendered | Failed], None]) -> None:
        self._send = send
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="finish")
        self._ending: set[Future[None]] = set()

    def await_room(self, finish: Finish) -> None:
        """Wait until ``finish`` may begin: one that encodes begins alone."""
        self._ending = {future for future in self._ending if not future.done()}
        if finish.encodes:
            self.await_all()
        while len(self._ending) >= _AT_ONCE:
            _, self._ending = wait(self._ending, return_when=FIRST_COMPLETED)

    def begin(self, finish: Finish) -> None:
        """End a render in the background and send the message about it."""
        self._ending.add(self._threads.submit(lambda: self._send(finish.end())))

    def await_all(self) -> None:
        """Wait until every render has ended."""
        wait(self._ending)
        self._ending.clear()
