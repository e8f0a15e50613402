"""Carries out best-of-N runs, a few at a time, each in a process of its own.

They end with the process that started them, or after a day; a run resumes where it ended when it is
started again. At most sixteen run for one outputs/ at a time, each within 4 GiB of memory.
"""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from workbench.errors import Busy, Conflict, Unavailable
from workbench.helper_processes import start_helper
from workbench.jobs.client.launch import settings_environment
from workbench.research.best_of import BestOf
from workbench.settings import Settings
from workbench.studio import Studio

__all__ = ["RunProcesses"]

_LOG: Final = "best_of.log"
_MOST: Final = 4
"""Most runs of one server or kernel at a time."""
_MOST_OF_ALL: Final = 16
"""Most runs of one outputs/ at a time, whatever process started them."""
_LONGEST_S: Final = 24 * 3600.0
_MEMORY_BYTES: Final = 4 << 30


class RunProcesses:
    """Carries out at most four runs at a time; thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, run: BestOf) -> None:
        """Carry out ``run``, unless it is done or being carried out; its output goes to its log.

        Raises ``Busy`` above four runs, ``Unavailable`` if no process can be started. The calling
        thread must live as long as the run should.
        """
        with self._guard:
            self._running = {n: p for n, p in self._running.items() if p.poll() is None}
            if run.is_done or run.name in self._running:
                return
            if len(self._running) >= _MOST:
                raise Busy(f"{_MOST} runs are in progress; try again when one has finished.")
            try:
                with (run.folder / _LOG).open("ab") as log:
                    self._running[run.name] = start_helper(
                        "workbench.research.best_of_process",
                        [str(run.folder.absolute())],
                        environment=settings_environment(run.studio.settings),
                        output=log,
                    )
            except OSError as error:
                raise Unavailable(f"The run cannot be started: {error}") from error

    def carries_out(self, name: str) -> bool:
        """Return whether one of these processes is carrying out the run of this name."""
        with self._guard:
            process = self._running.get(name)
            return process is not None and process.poll() is None

    def close(self) -> None:
        """End the processes; their runs resume where they ended when they are started again."""
        with self._guard:
            processes, self._running = list(self._running.values()), {}
        for process in processes:
            process.kill()
            process.wait()


def main(arguments: list[str]) -> None:
    """Carry out the run in the folder that ``arguments`` name."""
    (folder,) = arguments
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    log = logging.getLogger("workbench.research.best_of")
    with suppress(OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, hard))
    end = threading.Timer(_LONGEST_S, os._exit, (0,))  # it may wait for a queue that is paused
    end.daemon = True
    end.start()
    with Studio(Settings()) as studio:
        try:
            with _place(Path(folder).parent):
                BestOf(Path(folder), using=studio).follow(log.info, wait=False)
        except Conflict as error:
            log.info("%s", error)


def _place(runs: Path) -> FileLock:
    """Acquire one of the slots for runs of this outputs/; raises ``Conflict`` if none is free."""
    for number in range(_MOST_OF_ALL):
        lock = FileLock(runs / f".best_of.{number}.lock", timeout=0)
        with suppress(Timeout):
            lock.acquire()
            return lock
    raise Conflict(f"{_MOST_OF_ALL} runs are in progress; start this one again later.")


if __name__ == "__main__":
    main(sys.argv[1:])
