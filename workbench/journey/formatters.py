"""Registers IPython formatters for scenes, jobs and batches; does nothing elsewhere.

Those classes are in packages that know nothing of HTML.
"""

from __future__ import annotations

import sys

from workbench.jobs.model import Batch, Job
from workbench.journey.beginnings import studio
from workbench.journey.showing import batch_html, job_html, scene_html
from workbench.scene import Scene

__all__ = ["register_records"]


def register_records() -> None:
    """Register the formatters if this process is a kernel or an IPython shell."""
    if "IPython" not in sys.modules:
        return
    from IPython.core.getipython import get_ipython  # noqa: PLC0415

    shell = get_ipython()
    if shell is None or shell.display_formatter is None:
        return
    pages = shell.display_formatter.formatters["text/html"]
    pages.for_type(Scene, scene_html)
    pages.for_type(Job, _job_page)
    pages.for_type(Batch, _batch_page)


def _job_page(job: Job) -> str:
    return job_html(job, studio().jobs)


def _batch_page(batch: Batch) -> str:
    title = f"{batch.name or 'Batch'} {batch.batch_id} · {batch.state}"
    return batch_html(batch.jobs, studio().jobs, title)
