"""A supervisor that gets a job while it exits and misses the client's wake-up."""

from __future__ import annotations

import sys

from tests.jobs.shop import request
from workbench.jobs.client.manager import JobManager
from workbench.jobs.supervisor import supervisor as module
from workbench.jobs.supervisor.__main__ import main
from workbench.settings import Settings


def _submit_while_leaving() -> None:
    leave = module.Supervisor._leave

    def late(self: module.Supervisor) -> None:
        module.Supervisor._leave = leave  # type: ignore[method-assign]
        leave(self)
        manager = JobManager(Settings())
        manager._contact.tell = lambda **_: None  # type: ignore[method-assign]
        manager.submit(request("late"))
        manager.close()

    module.Supervisor._leave = late  # type: ignore[method-assign]


if __name__ == "__main__":
    _submit_while_leaving()
    sys.exit(main())
