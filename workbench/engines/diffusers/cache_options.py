"""The step caches of diffusers and their settings, validated before a job is queued.

Names and defaults of the settings are those of diffusers' configurations, so that a render equals a
direct call with the same values. Imports no model library.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import FieldProblem

__all__ = ["CACHES", "StepCache", "cache_values", "settings_problems"]

StepCache = Literal["first-block", "pyramid", "mag", "taylorseer", "sea"]
CACHES: Final = get_args(StepCache)

_Ratio = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _FirstBlock(_Settings):
    threshold: float = Field(0.1, gt=0, le=1)


class _Mag(_Settings):
    threshold: float = Field(0.06, gt=0, le=1)
    max_skip_steps: int = Field(3, ge=1, le=100)
    retention_ratio: float = Field(0.2, ge=0, le=1)
    mag_ratios: Annotated[tuple[_Ratio, ...], Field(min_length=2, max_length=1_000)] | None = None
    """Ratios to use in place of calibrated ones."""


class _TaylorSeer(_Settings):
    cache_interval: int = Field(5, ge=2, le=100)
    disable_cache_before_step: int = Field(3, ge=1, le=1_000)
    disable_cache_after_step: int | None = Field(None, ge=1, le=1_000)
    max_order: int = Field(1, ge=0, le=4)


class _Sea(_Settings):
    threshold: float = Field(0.25, gt=0, le=1)
    residual_order: int = Field(1, ge=0, le=1)
    retention_steps: int = Field(1, ge=0, le=1_000)
    cache_end_steps: int = Field(1, ge=0, le=1_000)
    max_consecutive_cached: int = Field(2, ge=0, le=100)
    power_exp: float = Field(3.0, gt=0, le=10)


_KINDS: Final[Mapping[str, type[_Settings]]] = MappingProxyType(
    {
        "first-block": _FirstBlock,
        "pyramid": _Settings,
        "mag": _Mag,
        "taylorseer": _TaylorSeer,
        "sea": _Sea,
    }
)


def cache_values(
    cache: str, threshold: float | None, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the settings of ``cache``, with defaults; ``threshold`` is used if it has one.

    Raises pydantic's ``ValidationError``.
    """
    kind = _KINDS[cache]
    given = dict(settings)
    if threshold is not None and "threshold" in kind.model_fields:
        given.setdefault("threshold", threshold)
    return kind.model_validate(given).model_dump()


def settings_problems(cache: str, settings: Mapping[str, Any]) -> list[FieldProblem]:
    """Return the problems of ``options.cache_settings``."""
    if not settings:
        return []
    if cache not in _KINDS:
        text = f"Name the cache that they are for in options.cache: {', '.join(CACHES)}."
        return [FieldProblem("options.cache_settings", text)]
    try:
        cache_values(cache, None, settings)
    except ValidationError as error:
        return [_problem(cache, one) for one in error.errors()]
    return []


def _problem(cache: str, error: Any) -> FieldProblem:
    field = ".".join(("options.cache_settings", *map(str, error["loc"])))
    if error["type"] == "extra_forbidden":
        names = ", ".join(_KINDS[cache].model_fields) or "none"
        return FieldProblem(field, f"The {cache} cache has no such setting; it has {names}.")
    return FieldProblem(field, f"{error['msg']}.")
