"""What an endpoint accepts and returns, declared beside its handler; the source of OpenAPI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from pydantic import BaseModel
from tornado import web

__all__ = ["Operation", "Parameter", "operation", "operation_of"]

_ATTRIBUTE: Final = "__workbench_operation__"

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter and its JSON schema."""

    name: str
    schema: Mapping[str, Any]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    summary: str
    request: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    content_type: str = "application/json"
    upload: tuple[str, ...] = ()
    """Media types of a body that is a file."""
    errors: tuple[int, ...] = ()
    """Statuses answered with an ``ErrorBody``, beyond those of every endpoint."""
    query: tuple[Parameter, ...] = field(default=())
    events: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    """Server-sent events sent before the answer, by name."""


def operation(described: Operation) -> Callable[[Method], Method]:
    """Describe a handler method by ``described``; require authentication and authorisation."""

    def wrap(method: Method) -> Method:
        @wraps(method)
        async def endpoint(handler: web.RequestHandler, *args: str, **kwargs: str) -> None:
            await guarded(handler, *args, **kwargs)

        guarded: Callable[..., Any] = web.authenticated(authorized(method))
        setattr(endpoint, _ATTRIBUTE, described)
        return cast("Method", endpoint)

    return wrap


def operation_of(handler: type[web.RequestHandler], method: str) -> Operation | None:
    """Return the operation of ``handler`` for an HTTP method, or None."""
    return getattr(getattr(handler, method.lower(), None), _ATTRIBUTE, None)
