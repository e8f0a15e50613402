"""A render's start image as a language model is shown it: upright, small, inside the request itself."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from workbench.engines.inspection import preview_apart
from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.identifiers import is_identifier
from workbench.jobs.client.manager import JobManager

__all__ = ["picture_for_model"]

_LONGEST_SIDE: Final = 768


def picture_for_model(jobs: JobManager, image: str | None) -> str:
    """Return ``image`` (an input's or a job's id, or a path) as a data URL; empty for none.

    It is a JPEG of at most 768 pixels a side. Raises ``InvalidRequest`` for what is not there or no
    picture.
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
    return f"data:image/jpeg;base64,{preview_apart(path, _LONGEST_SIDE)}"
