"""A temporary outputs/ folder for a benchmark; ends the processes started on it."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from workbench.jobs.client.manager import JobManager
from workbench.rendering import RenderRequest
from workbench.settings import Settings

__all__ = ["light", "workplace"]

_ENGINES: Final = {
    "faulty": "tests.jobs.faulty:FaultyEngine",
    "light": "tests.jobs.faulty:LightEngine",
}


@contextmanager
def workplace(**given: Any) -> Iterator[tuple[Settings, JobManager]]:
    """Lend settings and a manager over a new outputs/ folder; its supervisor ends with the block."""
    defaults: dict[str, Any] = {
        "engines": _ENGINES,
        "cpu_workers": 1,
        "disk_reserve_bytes": 0,
        "max_queued_jobs": 1_000_000,
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = Settings(outputs=Path(folder, "outputs"), **{**defaults, **given})
        manager = JobManager(settings)
        try:
            yield settings, manager
        finally:
            status = manager.supervisor()
            if status is not None:
                os.kill(status.pid, signal.SIGTERM)
            limit = time.monotonic() + 10
            while manager.supervisor() and time.monotonic() < limit:
                time.sleep(0.02)
            manager.close()


def light(prompt: str = "a dog runs", **options: Any) -> RenderRequest:
    """Return a request whose render costs next to nothing."""
    return RenderRequest(prompt=prompt, engine="light", options=options)
