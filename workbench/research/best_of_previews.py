"""Looks at the preview of a draft that is being rendered, and reports what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import NotFound
from workbench.jobs.model import Job
from workbench.measures.previews import is_blank

if TYPE_CHECKING:
    from workbench.studio import Studio

__all__ = ["blank_in", "lacking_in", "preview_of"]

_LOOK_AT: Final = 60.0
"""Per cent of a render; before that, a preview of a diffusion model is still noise."""


def preview_of(studio: Studio, job: Job) -> bytes | None:
    """Return the preview of ``job``, a JPEG; None while there is none to judge."""
    if job.progress < _LOOK_AT or not job.has_preview:
        return None
    try:
        return studio.jobs.preview_path(job.job_id).read_bytes()
    except (NotFound, OSError):
        return None


def blank_in(picture: bytes) -> str | None:
    """Return what pixels alone find wrong (empty: nothing); None if the preview is unreadable."""
    blank = is_blank(picture)
    if blank is None:
        return None
    return "the preview shows nothing" if blank else ""


def lacking_in(studio: Studio, job: Job, picture: bytes) -> tuple[str, int]:
    """Return what a vision model misses (empty: nothing), and the tokens used."""
    lacks, tokens = studio.run(studio.preview_lacks(job, picture))
    return (f"the preview lacks {lacks}" if lacks else ""), tokens
