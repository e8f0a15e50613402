"""The supervisor as a process: one per outputs/, started detached, with its settings in the environment.

It takes the lock and starts a first worker before it imports the rest of itself, so that both start
in parallel: a first video waits for the slower of the two, not for the sum.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from workbench.jobs.locking import take_lock
from workbench.jobs.paths import JobPaths
from workbench.jobs.supervisor.log_file import open_journal
from workbench.jobs.supervisor.spare_workers import SpareWorker, prestart

__all__ = ["main"]


def main() -> int:
    """Run the supervisor of outputs/, unless there is one."""
    paths = JobPaths(_outputs())
    paths.control.mkdir(parents=True, exist_ok=True)
    work_waits = True
    while work_waits and (descriptor := take_lock(paths.lock)) is not None:
        open_journal(paths.log)
        spare_workers: list[SpareWorker] = []
        with suppress(OSError):  # the supervisor retries and reports the reason
            spare_workers.append(prestart())
        try:
            from workbench.jobs.supervisor.supervisor import supervise  # noqa: PLC0415  see above

            work_waits = supervise(descriptor, spare_workers)
        except Exception as error:
            logging.getLogger("workbench.jobs").exception("supervisor failed")
            with suppress(OSError):
                paths.start_errors.write_text(f"{type(error).__name__}: {error}\n", "utf-8")
            return 1
        finally:
            for spare in spare_workers:
                spare.dismiss()
    return 0


def _outputs() -> Path:
    if named := os.environ.get("WORKBENCH_OUTPUTS"):  # set by the client that starts a supervisor
        return Path(named)
    from workbench.settings import Settings  # noqa: PLC0415  heavy, and not needed above

    return Settings().outputs


if __name__ == "__main__":
    sys.exit(main())
