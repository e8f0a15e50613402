"""Looks at the preview of a draft that is being rendered, and says what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import NotFound
from workbench.jobs.model import Job
from workbench.measures.previews import is_blank

if TYPE_CHECKING:
    from workbench.studio import Studio

__all__ = ["look_at_preview"]

_LOOK_AT: Final = 60.0
"""Per cent of a render: before, a preview of a diffusion model is still noise."""


def look_at_preview(studio: Studio, job: Job, *, asks: bool) -> tuple[str, int] | None:
    """Return what is wrong with the preview of ``job``, empty for nothing, and tokens taken.

    A blank preview is wrong; with ``asks`` and a vision model that says so, one without the scene's
    subject too. None while there is nothing to look at yet.
    """
    if job.progress < _LOOK_AT or not job.has_preview:
        return None
    try:
        picture = studio.jobs.preview_path(job.job_id).read_bytes()
    except (NotFound, OSError):
        return None
    blank = is_blank(picture)
    if blank is None:
        return None
    if blank:
        return "the preview shows nothing", 0
    if not asks:
        return "", 0
    lacks, tokens = studio.run(studio.preview_lacks(job, picture))
    return (f"the preview lacks {lacks}" if lacks else ""), tokens
