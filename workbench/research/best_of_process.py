"""Best-of-N runs carried out beside this process, a few at a time, each in a process of its own.

They end with the process that started them; a run goes on where it ended when it is started again.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from workbench.errors import Busy, Conflict, Unavailable
from workbench.helper_processes import start_helper
from workbench.jobs.client.launch import settings_environment
from workbench.research.best_of import BestOf
from workbench.settings import Settings
from workbench.studio import Studio

__all__ = ["RunProcesses"]

_LOG: Final = "best_of.log"
_MOST: Final = 4


class RunProcesses:
    """Carries out at most four runs at a time; thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, run: BestOf) -> None:
        """Carry ``run`` out, unless it is done or being carried out. What it says goes to its log.

        Raises ``Busy`` above four runs, ``Unavailable`` if no process can be started. The calling
        thread must live as long as the run should.
        """
        with self._guard:
            self._running = {n: p for n, p in self._running.items() if p.poll() is None}
            if run.is_done or run.name in self._running:
                return
            if len(self._running) >= _MOST:
                raise Busy(f"{_MOST} runs are being carried out; try again when one is done.")
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
        """Return whether the run of this name is being carried out by a process of these."""
        with self._guard:
            process = self._running.get(name)
            return process is not None and process.poll() is None


def main(arguments: list[str]) -> None:
    """Carry out the run in the folder that ``arguments`` name."""
    (folder,) = arguments
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    log = logging.getLogger("workbench.research.best_of")
    with Studio(Settings()) as studio:
        try:
            BestOf(Path(folder), using=studio).follow(log.info, wait=False)
        except Conflict as error:
            log.info("%s", error)


if __name__ == "__main__":
    main(sys.argv[1:])
