"""A client's connection to the supervisor: starts it, wakes it, receives its changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from workbench.errors import SupervisorUnavailable
from workbench.jobs.client.launch import Launcher
from workbench.jobs.client.link import Link, dial
from workbench.jobs.client.watcher import Watcher
from workbench.jobs.model import ChangedIds, Changes, Job, SupervisorStatus
from workbench.jobs.paths import JobPaths
from workbench.jobs.store import Index, IndexFailure, Reader, Requests
from workbench.jobs.supervisor.lock import read_status
from workbench.settings import Settings

__all__ = ["Contact"]

_START_LIMIT_S: Final = 15.0
_ANSWER_LIMIT_S: Final = 2.0
_LOOK_S: Final = 0.5
"""How often to look for a change whose notification was lost."""
_LOG = logging.getLogger("workbench.jobs")


class Contact:
    """One client's connection to the supervisor of one outputs/ folder; thread-safe."""

    def __init__(
        self,
        settings: Settings,
        paths: JobPaths,
        index: Index,
        reader: Reader,
        requests: Requests,
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._index = index
        self._reader = reader
        self._requests = requests
        self._link = Link(paths)
        self._watcher: Watcher | None = None
        self._guard = threading.Lock()
        self.launcher = Launcher(settings, paths, self._explain)

    def supervisor(self) -> SupervisorStatus | None:
        """Return the supervisor that holds the lock; None when there is none."""
        return read_status(self._paths)

    def tell(self, *, work: bool = False) -> None:
        """Announce a change: wake the supervisor, or start one if there is ``work`` for it."""
        if not self._link.wake() and work:
            self._launch(asked=True)
        if self._watcher is not None:
            self._watcher.look()

    def look_after(self, job: Job) -> Job:
        """Start a supervisor for an unfinished job if there is none."""
        if not job.state.final:
            self._launch()
        return job

    def check(self) -> None:
        """Raise ``SupervisorUnavailable`` if all attempts to start a supervisor have failed."""
        if self.launcher.has_given_up and self.supervisor() is None:
            raise SupervisorUnavailable(self.launcher.trouble)

    def ensure(self) -> None:
        """Start a supervisor when there is none and wait until it answers.

        Raises ``SupervisorUnavailable`` if it cannot start, or does not answer within seconds.
        """
        limit = time.monotonic() + _START_LIMIT_S
        asked = True
        while (line := dial(self._paths)) is None:
            self._launch(asked=asked)
            asked = False
            self.check()
            if time.monotonic() > limit:
                reason = self.launcher.trouble or (
                    f"No supervisor answers for {self._settings.outputs}; see {self._paths.log}."
                )
                raise SupervisorUnavailable(reason)
            time.sleep(0.02)
        line.close()

    def answers(self) -> bool:
        """Tell whether the supervisor answers within two seconds."""
        line = dial(self._paths)
        if line is None:
            return False
        with line:
            line.settimeout(_ANSWER_LIMIT_S)
            try:
                line.sendall(b"watch\n")
                return bool(line.recv(64))
            except OSError:
                return False

    def watch(self, callback: Callable[[Changes], None]) -> Callable[[], None]:
        """Call ``callback`` with every change; return a function that unsubscribes."""
        return self._watching().add(callback)

    def watch_ids(self, callback: Callable[[ChangedIds], None]) -> Callable[[], None]:
        """Call ``callback`` with the ids of what changed; return a function that unsubscribes."""
        return self._watching().add_listener(callback)

    def looks(self, timeout_s: float | None) -> Iterator[bool]:
        """Yield now, then after each change or half a second; end after ``timeout_s``.

        Yields whether something has changed; false the first time.
        """
        limit = None if timeout_s is None else time.monotonic() + timeout_s
        changed = threading.Event()
        stop = self.watch_ids(lambda _: changed.set())
        is_change = False
        try:
            while True:
                changed.clear()
                yield is_change
                left_s = _LOOK_S if limit is None else limit - time.monotonic()
                if left_s <= 0:
                    return
                is_change = changed.wait(min(left_s, _LOOK_S))
        finally:
            stop()

    def close(self) -> None:
        """Close the connection."""
        with self._guard:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()
        self._link.close()

    def _watching(self) -> Watcher:
        with self._guard:
            if self._watcher is None:
                self._watcher = Watcher(
                    self._paths, self._index, self._reader, self._notice_silence
                )
            return self._watcher

    def _notice_silence(self) -> None:
        try:
            if self._reader.unfinished():
                self._launch()
        except (IndexFailure, SupervisorUnavailable):
            return  # tried again at the next poll

    def _launch(self, *, asked: bool = False) -> None:
        if self.supervisor() is None:
            self.launcher.launch(asked=asked)

    def _explain(self, reason: str) -> None:
        """Write ``reason`` on the waiting jobs."""
        try:
            with self._index.write() as writer:
                self._requests.explain_waiting(writer, reason)
        except IndexFailure:
            _LOG.warning("waiting jobs cannot be explained", extra={"reason": reason})
