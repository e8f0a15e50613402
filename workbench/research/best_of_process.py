"""The process that carries out one best-of-N run by itself.

Run by :func:`start_run_process`; the folder of the run comes in the environment. It ends with the
run, or at once where another process carries it out.
"""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from typing import Final

from workbench.errors import Conflict, Unavailable
from workbench.helper_processes import start_detached
from workbench.jobs.client.launch import settings_environment
from workbench.settings import Settings

__all__ = ["start_run_process"]

_FOLDER: Final = "WORKBENCH_BEST_OF_FOLDER"
_LOG: Final = "best_of.log"


def start_run_process(folder: Path, settings: Settings) -> int:
    """Carry out the run in ``folder`` in a detached process; return its pid.

    Raises ``Unavailable`` if no process can be started. What it says goes to ``best_of.log``.
    """
    environment = {**settings_environment(settings), _FOLDER: str(folder.absolute())}
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        log = os.open(folder / _LOG, flags, 0o644)
        try:
            return start_detached(
                "workbench.research.best_of_process", environment=environment, errors=log
            )
        finally:
            os.close(log)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"The run cannot be started: {error}") from error


def main() -> None:
    """Carry out the run that the environment names."""
    from workbench.research.best_of import BestOf  # noqa: PLC0415  it imports this module
    from workbench.studio import Studio  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    log = logging.getLogger("workbench.research.best_of")
    folder = Path(os.environ[_FOLDER])
    with Studio(Settings()) as studio:
        try:
            BestOf(folder, using=studio).follow(log.info, wait=False)
        except Conflict as error:
            log.info("%s", error)


if __name__ == "__main__":
    main()
