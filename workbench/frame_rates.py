"""Frame rates: whole, fractional, or exact ratios such as ``24000/1001``.

A rate is a number everywhere; :func:`exact_rate` returns the ratio that it stands for.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

__all__ = ["FrameRate", "GivenFrameRate", "exact_rate", "frame_rate", "whole_if_whole"]

_MOST_DENOMINATOR: Final = 1_001
"""Largest denominator of an exact rate: that of the rates of television (24000/1001)."""
_RATIO: Final = re.compile(r"(\d{1,6})\s*/\s*(\d{1,4})", re.ASCII)


def exact_rate(fps: float) -> Fraction:
    """Return the ratio that ``fps`` stands for: ``24000/1001`` for 23.976023976023978.

    It is the nearest one with a denominator up to 1001, and the very one that
    ``fps`` was read from: two such ratios below 1000 differ by more than a double's rounding.
    """
    return Fraction(fps).limit_denominator(_MOST_DENOMINATOR)


def whole_if_whole(fps: float) -> float:
    """Return ``fps`` as an ``int`` if it is whole; older clients know only integers."""
    return int(fps) if fps == int(fps) else fps


def frame_rate(text: str) -> float:
    """Return the rate in ``text``, a number or a ratio; raises ``ValueError``."""
    return whole_if_whole(float(_number(text)))


def _number(given: Any) -> Any:
    """Return a ratio in text as the nearest number, and anything else as it is."""
    if not isinstance(given, str) or "/" not in given:
        return given
    match = _RATIO.fullmatch(given.strip())
    if match is None or not 1 <= int(match[2]) <= _MOST_DENOMINATOR:
        raise ValueError(
            f"must be a number or a ratio such as 24000/1001, with at most {_MOST_DENOMINATOR} below"
        )
    return int(match[1]) / int(match[2])


FrameRate = Annotated[
    int | float,
    Field(ge=1, le=120),
    AfterValidator(whole_if_whole),
    BeforeValidator(_number),
]
"""Frames per second, 1 to 120; text such as ``24000/1001`` is read as the nearest number."""

GivenFrameRate = Annotated[
    int | float,
    Field(ge=1, le=120),
    AfterValidator(whole_if_whole),
    BeforeValidator(
        _number,
        json_schema_input_type=int
        | float
        | Annotated[str, Field(pattern=r"^[0-9]{1,6}/[0-9]{1,4}$")],
    ),
]
"""The same, with the text in its JSON schema; schemas for language models go without it."""
