"""One thread per manager that receives changes and calls every subscriber."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from workbench.jobs.client.link import dial
from workbench.jobs.model import ChangedIds, Changes
from workbench.jobs.paths import JobPaths
from workbench.jobs.store import Index, IndexFailure, Reader

__all__ = ["Watcher"]

T = TypeVar("T")

_POLL_S: Final = 0.25
"""Poll interval while a supervisor pushes changes: a notification may be lost."""
_LONE_POLL_S: Final = 0.04
"""Poll interval without a supervisor."""
_AT_ONCE: Final = 500
"""Jobs passed to subscribers in one call: a rebuilt index may have a hundred thousand."""
_REDIAL_LOOKS: Final = 10
_AFTER_ERROR_S: Final = 0.5
_LOG = logging.getLogger("workbench.jobs")

Subscriber = Callable[[Changes], None]
Listener = Callable[[ChangedIds], None]


class Watcher:
    """Follows the revisions of one index while it has subscribers."""

    def __init__(
        self, paths: JobPaths, index: Index, reader: Reader, on_silence: Callable[[], None]
    ) -> None:
        self._paths = paths
        self._index = index
        self._reader = reader
        self._on_silence = on_silence
        self._subscribers: dict[object, Subscriber] = {}
        self._listeners: dict[object, Listener] = {}
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._nudge, self._nudged = socket.socketpair()
        self._closed = False

    def add(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` with every change from now on; return a function that unsubscribes."""
        return self._add(self._subscribers, subscriber)

    def add_listener(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` as :meth:`add` does a subscriber, with the ids alone."""
        return self._add(self._listeners, listener)

    def _add(self, called: dict[object, T], function: T) -> Callable[[], None]:
        token = object()
        with self._guard:
            called[token] = function
            if self._thread is None and not self._closed:
                revision = self._index.revision()
                self._thread = threading.Thread(
                    target=self._follow, args=(revision,), name="workbench-watch", daemon=True
                )
                self._thread.start()

        def remove() -> None:
            with self._guard:
                called.pop(token, None)
            self.look()

        return remove

    def look(self) -> None:
        """Make the thread poll now."""
        with suppress(OSError):
            self._nudge.send(b".", socket.MSG_DONTWAIT)

    def close(self) -> None:
        """End the thread."""
        with self._guard:
            self._closed = True
            self._subscribers.clear()
            self._listeners.clear()
            thread = self._thread
        self.look()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5.0)
        self._nudge.close()
        self._nudged.close()

    def _follow(self, revision: int) -> None:
        while True:
            try:
                revision = self._follow_once(revision)
            except Exception:  # noqa: BLE001  the thread serves every subscriber and must not end
                _LOG.exception("changes cannot be followed")
                time.sleep(_AFTER_ERROR_S)
            else:
                return

    def _follow_once(self, revision: int) -> int:
        line: socket.socket | None = None
        looks = 0
        try:
            while self._wanted():
                if line is None and looks % _REDIAL_LOOKS == 0:
                    line = self._subscribe()
                looks += 1
                revision = self._tell(revision)
                line = self._wait(line)
        finally:
            if line is not None:
                line.close()
        return revision

    def _wanted(self) -> bool:
        with self._guard:
            if (self._subscribers or self._listeners) and not self._closed:
                return True
            self._thread = None
            return False

    def _subscribe(self) -> socket.socket | None:
        line = dial(self._paths)
        if line is None:
            self._on_silence()
            return None
        with suppress(OSError):
            line.sendall(b"watch\n")
        return line

    def _wait(self, line: socket.socket | None) -> socket.socket | None:
        """Wait for a notification; None when the supervisor has gone."""
        with selectors.PollSelector() as selector:  # select() fails beyond descriptor 1,023
            selector.register(self._nudged, selectors.EVENT_READ)
            if line is not None:
                selector.register(line, selectors.EVENT_READ)
            wait_s = _LONE_POLL_S if line is None else _POLL_S
            ready = [key.fileobj for key, _ in selector.select(wait_s)]
        if self._nudged in ready:
            self._nudged.recv(4_096)
        if line is not None and line in ready:
            with suppress(OSError):
                if line.recv(65_536):
                    return line
            line.close()
            self._on_silence()
            return None
        return line

    def _tell(self, since: int) -> int:
        with self._guard:
            subscribers = list(self._subscribers.values())
            listeners = list(self._listeners.values())
        try:
            revision = self._index.revision()
            if revision == since:
                return since
            ids = self._reader.changed_ids(since) if listeners else None
            changes = self._reader.changes(since, _AT_ONCE) if subscribers else None
        except IndexFailure:
            _LOG.warning("changes cannot be read", exc_info=True)
            return since
        if ids is not None:
            revision = ids.revision
            _call(listeners, ids)
        if changes is not None:
            revision = changes.revision  # the rest is read next time, by the listeners again
            _call(subscribers, changes)
        return revision


def _call(functions: Sequence[Callable[[T], None]], argument: T) -> None:
    for function in functions:
        try:
            function(argument)
        except Exception:  # noqa: BLE001  one must not stop the others
            _LOG.exception("a subscriber failed")
