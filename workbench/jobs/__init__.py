"""The shared job manager: one index and one supervisor per outputs/, one worker per device."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.jobs.client.manager import JobManager
    from workbench.jobs.model import Batch, Job, JobState, Priority
    from workbench.jobs.paths import JobPaths

__all__ = ["Batch", "Job", "JobManager", "JobPaths", "JobState", "Priority"]


def __getattr__(name: str) -> object:
    """Load a public name on first use: a worker imports this package without the manager."""
    from importlib import import_module  # noqa: PLC0415

    homes = {"JobManager": "client.manager", "JobPaths": "paths"}
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{homes.get(name, 'model')}"), name)
