"""Images as sent to a language model: upright, small, embedded in the request."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from workbench.engines.inspection import preview_apart
from workbench.errors import FieldProblem, InvalidRequest, NotFound, WorkbenchError
from workbench.identifiers import is_identifier
from workbench.jobs.client.manager import JobManager

__all__ = ["end_frames", "picture_for_model"]

_LONGEST_SIDE: Final = 768
_FRAME_SIDE: Final = 512


def picture_for_model(jobs: JobManager, image: str | None) -> str:
    """Return ``image`` (an input's or a job's id, or a path) as a data URL; empty for none.

    A JPEG of at most 768 pixels a side. Raises ``InvalidRequest`` if it does not exist or is not an
    image.
    """
    if image is None:
        return ""
    try:
        path = jobs.input_path(image) if is_identifier(image) else Path(image).expanduser()
    except NotFound as error:
        raise InvalidRequest(str(error), (FieldProblem("image", str(error)),)) from error
    if not path.is_file():
        problem = f"There is no file {image} to start from."
        raise InvalidRequest(problem, (FieldProblem("image", problem),))
    return _as_url(path, _LONGEST_SIDE)


def end_frames(jobs: JobManager, job_id: str) -> tuple[str, ...]:
    """Return the poster and the last frame of a finished video as data URLs; empty if missing.

    They are JPEGs of at most 512 pixels a side.
    """
    try:
        paths = (jobs.poster_path(job_id), jobs.input_path(job_id))
        return tuple(_as_url(path, _FRAME_SIDE) for path in paths)
    except WorkbenchError:  # deleted or damaged since
        return ()


def _as_url(path: Path, longest_side: int) -> str:
    return f"data:image/jpeg;base64,{preview_apart(path, longest_side)}"
