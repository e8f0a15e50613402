"""Maps errors to HTTP statuses and to the one JSON error body."""

from __future__ import annotations

from http.client import responses
from typing import Final

from pydantic import ValidationError
from tornado.web import HTTPError

from server_extension.schemas.common import ErrorBody, FieldError
from workbench.errors import (
    Busy,
    Conflict,
    InvalidRequest,
    NotFound,
    Unavailable,
    WorkbenchError,
)

__all__ = ["describe"]

_RETRY_UNAVAILABLE_S: Final = 5

_STATUS: Final[tuple[tuple[type[WorkbenchError], int], ...]] = (
    (InvalidRequest, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Busy, 429),
    (Unavailable, 503),
)


def describe(error: BaseException | None, status: int) -> tuple[int, ErrorBody, dict[str, str]]:
    """Return the status, body and extra headers for ``error``.

    ``status`` is Tornado's; it is used for errors that are not ours.
    """
    if isinstance(error, ValidationError):
        return 400, _validation(error), {}
    if isinstance(error, WorkbenchError):
        return _workbench(error)
    if isinstance(error, HTTPError):
        status = error.status_code
        message = error.log_message or ""
        if error.args:
            message = message % error.args
        reason = error.reason or responses.get(status, "Unknown")
        return status, ErrorBody(message=message or reason, reason=reason), {}
    reason = responses.get(status, "Unknown")
    message = reason
    if status >= 500:
        message = "Internal server error; see the server's log."
    return status, ErrorBody(message=message, reason=reason), {}


def _workbench(error: WorkbenchError) -> tuple[int, ErrorBody, dict[str, str]]:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    headers = {}
    if isinstance(error, Busy):
        headers["Retry-After"] = str(error.retry_after_s)
    elif isinstance(error, Unavailable):
        headers["Retry-After"] = str(_RETRY_UNAVAILABLE_S)
    problems = error.problems if isinstance(error, InvalidRequest) else ()
    body = ErrorBody(
        message=str(error),
        reason=responses[status],
        errors=[FieldError(field=p.field, problem=p.problem) for p in problems],
    )
    return status, body, headers


def _validation(error: ValidationError) -> ErrorBody:
    errors = [
        FieldError(field=".".join(str(part) for part in item["loc"]), problem=item["msg"])
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    told = "; ".join(f"{e.field}: {e.problem}" if e.field else e.problem for e in errors[:3])
    return ErrorBody(
        message=f"The request is not valid. {told}", reason="Bad Request", errors=errors
    )
