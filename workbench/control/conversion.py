"""The result of a conversion, and errors for invalid data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ValidationError

from workbench.errors import FieldProblem, InvalidRequest

__all__ = [
    "DEFAULT_FPS",
    "MAX_FRAMES",
    "Converted",
    "Finite",
    "invalid",
    "problems_of",
    "validated",
]

DEFAULT_FPS: Final = 24.0
"""Default poses per second of a path."""
MAX_FRAMES: Final = 4_096
"""Maximum poses of a path or rows of an action sequence; checked before allocation."""

_SHOWN_PROBLEMS: Final = 8

T_co = TypeVar("T_co", covariant=True)
M = TypeVar("M", bound=BaseModel)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value + 0.0  # turns -0.0 into 0.0, so that equal values have equal JSON


Finite = Annotated[float, AfterValidator(_finite)]
"""A finite number; negative zero becomes zero."""


@dataclass(frozen=True, slots=True)
class Converted(Generic[T_co]):
    """The result of a conversion, and notes on what its format cannot hold."""

    value: T_co
    notes: tuple[str, ...] = ()
    """One sentence for each value dropped, rounded or assumed; empty if it is exact."""


def invalid(field: str, problem: str) -> InvalidRequest:
    """Return the error for ``field`` with the message ``problem``."""
    return InvalidRequest(f"{field}: {problem}", (FieldProblem(field, problem),))


def problems_of(error: ValidationError, what: str) -> InvalidRequest:
    """Return the error that names the invalid fields of ``what``, at most eight."""
    problems = tuple(
        FieldProblem(
            ".".join(map(str, (what, *found["loc"]))),
            found["msg"].removeprefix("Value error, "),
        )
        for found in error.errors(include_url=False, include_input=False)[:_SHOWN_PROBLEMS]
    )
    return InvalidRequest("; ".join(f"{p.field}: {p.problem}" for p in problems), problems)


def validated(model: type[M], data: Any, what: str) -> M:
    """Return ``data`` as a ``model``; raises ``InvalidRequest``, naming the invalid fields."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise problems_of(error, what) from error
