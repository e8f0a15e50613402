"""A supervisor that kills itself with SIGKILL at the moment named by DIE_AT."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from workbench.jobs import publishing
from workbench.jobs.messages import Render
from workbench.jobs.store import Ledger
from workbench.jobs.supervisor import outcomes
from workbench.jobs.supervisor.__main__ import main
from workbench.jobs.supervisor.worker_pool import WorkerPool


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _doom(moment: str) -> None:
    if moment == "before_publish":
        original_place = publishing.place

        def place(*arguments: Any) -> Any:
            _die()
            return original_place(*arguments)

        vars(outcomes)["place"] = place
    elif moment == "before_commit":  # the files are in place, the index is not updated
        Ledger.complete = lambda *_, **__: _die()  # type: ignore[method-assign]
    elif moment == "after_commit":  # the index is updated, clients are not notified
        from workbench.jobs.supervisor.notifications import NotificationServer

        original_report = outcomes.Outcomes.rendered

        def rendered(self: Any, writer: Any, made: Any) -> None:
            original_report(self, writer, made)
            NotificationServer.broadcast = lambda *_: _die()  # type: ignore[method-assign]

        outcomes.Outcomes.rendered = rendered  # type: ignore[method-assign]
    elif moment == "claimed":  # the index says running, the worker has no order yet
        original_tell = WorkerPool.tell

        def tell(self: WorkerPool, slot_name: str, message: Any) -> None:
            if isinstance(message, Render):
                _die()
            original_tell(self, slot_name, message)

        WorkerPool.tell = tell  # type: ignore[method-assign]


if __name__ == "__main__":
    _doom(os.environ["DIE_AT"])
    sys.exit(main())
