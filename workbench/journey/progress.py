"""A progress bar over the jobs of a batch, in terminals and in notebooks."""

from __future__ import annotations

import sys
import time
from typing import Final

from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Batch, JobState

__all__ = ["is_watched", "show_progress"]

_LOOK_S: Final = 0.2
_FORMAT: Final = "{desc}: {percentage:3.0f}%|{bar}| {postfix} [{elapsed}<{remaining}]"


def is_watched() -> bool:
    """Return whether a bar would be visible: in a terminal, or in a notebook cell."""
    return sys.stderr.isatty() or _in_kernel()


def show_progress(jobs: JobManager, batch_id: str, timeout_s: float | None) -> None:
    """Show the batch's progress until every job has ended; raises ``TimeoutError``.

    A terminal gets a line of text, a notebook a bar. Running jobs count by their progress.
    """
    from tqdm.auto import tqdm  # noqa: PLC0415  it looks for a notebook when imported

    limit = None if timeout_s is None else time.monotonic() + timeout_s
    record = jobs.batch(batch_id)
    title = record.name or batch_id
    with tqdm(total=100.0, desc=title, bar_format=_FORMAT, leave=True) as bar:
        while True:
            bar.set_postfix_str(_standing(record), refresh=False)
            bar.update(record.progress - bar.n)
            bar.refresh()
            if all(job.state.final for job in record.jobs):
                return
            if limit is not None and time.monotonic() > limit:
                left = sum(not job.state.final for job in record.jobs)
                raise TimeoutError(f"{left} of {len(record.jobs)} jobs have not ended.")
            _doze(jobs, record)
            record = jobs.batch(batch_id)


def _in_kernel() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython  # noqa: PLC0415

    return hasattr(get_ipython(), "kernel")


def _standing(record: Batch) -> str:
    counts = record.counts
    told = [f"{counts[JobState.COMPLETE]}/{len(record.jobs)} complete"]
    told += [
        f"{counts[state]} {state}"
        for state in (JobState.RUNNING, JobState.FAILED, JobState.CANCELLED)
        if counts[state]
    ]
    return ", ".join(told)


def _doze(jobs: JobManager, record: Batch) -> None:
    """Wait briefly, or until the last job has ended."""
    try:
        jobs.wait([job.job_id for job in record.jobs], _LOOK_S)
    except TimeoutError:
        return
