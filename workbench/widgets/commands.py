"""The commands that the browser may send: named methods with validated arguments.

Finds, checks and answers commands; does not know what they do.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from pydantic import ConfigDict, ValidationError, validate_call

from workbench.errors import InvalidRequest, WorkbenchError

__all__ = ["Answer", "answer_command", "command", "commands_of"]

_log = logging.getLogger(__name__)

_MARK: Final = "_workbench_command"

Answer = dict[str, Any]
Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])


def command(method: Method) -> Method:
    """Mark an asynchronous method as a command that the browser may call by name."""
    setattr(method, _MARK, True)
    return method


def commands_of(owner: object) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the commands of ``owner`` by name, each checking its arguments."""
    check = validate_call(config=ConfigDict(extra="forbid", strict=True))
    return {
        name: check(getattr(owner, name))
        for name in dir(type(owner))
        if getattr(getattr(type(owner), name), _MARK, False)
    }


async def answer_command(
    commands: dict[str, Callable[..., Awaitable[Any]]], name: object, arguments: object
) -> Answer:
    """Run the command and return ``{"value": …}`` or ``{"error": {"message", "fields"}}``."""
    try:
        return {"value": await _found(commands, name)(**_object(arguments))}
    except ValidationError as error:
        fields = [".".join(map(str, problem["loc"])) for problem in error.errors()]
        told = "; ".join(f"{problem['msg']}" for problem in error.errors())
        return _failed(told, fields)
    except InvalidRequest as error:
        return _failed(str(error), [problem.field for problem in error.problems])
    except WorkbenchError as error:
        return _failed(str(error), [])
    except Exception as error:  # noqa: BLE001  a button must never spin for ever, whatever went wrong
        _log.exception("The command %r failed.", name)
        return _failed(
            f"Unexpected error ({type(error).__name__}: {error}). "
            "Nothing is lost; try again, and see the kernel's log if it happens again.",
            [],
        )


def _found(
    commands: dict[str, Callable[..., Awaitable[Any]]], name: object
) -> Callable[..., Awaitable[Any]]:
    if not isinstance(name, str) or name not in commands:
        raise InvalidRequest(f"There is no command {name!r}.")
    return commands[name]


def _object(arguments: object) -> dict[str, Any]:
    if not isinstance(arguments, dict):
        raise InvalidRequest("A command's arguments must be an object.")
    return arguments


def _failed(message: str, fields: list[str]) -> Answer:
    return {"error": {"message": message, "fields": fields}}
