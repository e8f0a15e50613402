"""A client's socket to the supervisor. Starts nothing."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from workbench.jobs.paths import JobPaths
from workbench.jobs.sockets import connect
from workbench.jobs.supervisor.lock import read_status

__all__ = ["Link", "dial"]

_ANSWER_S: Final = 2.0


def dial(paths: JobPaths) -> socket.socket | None:
    """Return a connection to the supervisor; None when none answers."""
    status = read_status(paths)
    if status is None:
        return None
    try:
        return connect(Path(status.socket), _ANSWER_S)
    except OSError:
        return None


class Link:
    """A persistent connection that wakes the supervisor; thread-safe."""

    def __init__(self, paths: JobPaths) -> None:
        self._paths = paths
        self._line: socket.socket | None = None
        self._guard = threading.Lock()

    def wake(self) -> bool:
        """Make the supervisor read the index now; false when there is none."""
        with self._guard:
            if self._line is not None and self._say(self._line):
                return True
            self._hang_up()
            self._line = dial(self._paths)
            return self._line is not None and self._say(self._line)

    def close(self) -> None:
        """Close the connection."""
        with self._guard:
            self._hang_up()

    @staticmethod
    def _say(line: socket.socket) -> bool:
        try:
            # A dead supervisor's socket reads as end of file.
            with suppress(BlockingIOError):
                if not line.recv(4_096, socket.MSG_DONTWAIT):
                    return False
            line.sendall(b"wake\n")
        except OSError:
            return False
        return True

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
