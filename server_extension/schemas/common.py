"""What all requests share: texts, identifiers, the names of scene fields, and the error body."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
)

from workbench.identifiers import Kind, id_pattern
from workbench.settings import Settings

__all__ = [
    "Body",
    "ErrorBody",
    "FieldError",
    "Identifier",
    "InputName",
    "PromptText",
    "SceneField",
    "StreamError",
]


def _clean(text: str) -> str:
    kept = "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text)
    if not kept.strip():
        raise ValueError("must not be empty")
    return kept.strip()


def _within_prompt_limit(text: str, info: ValidationInfo) -> str:
    settings = info.context
    if isinstance(settings, Settings) and len(text) > settings.max_prompt_chars:
        raise ValueError(f"must have at most {settings.max_prompt_chars:,} characters")
    return text


PromptText = Annotated[
    str,
    StringConstraints(min_length=1),
    AfterValidator(_clean),
    AfterValidator(_within_prompt_limit),
    Field(json_schema_extra={"x-limit": "max_prompt_chars", "pattern": r"\S"}),
]
"""A text typed by a user; its maximum length is a setting."""

Identifier = Annotated[str, Field(max_length=64, examples=["s_01h2xcejqtf2nbrexx3v"])]
InputName = Annotated[
    str,
    Field(pattern=id_pattern(Kind.INPUT, Kind.JOB), examples=["i_01h2xcejqtf2nbrexx3v"]),
]
SceneField = Literal[
    "subject", "subject_details", "action", "setting", "time_of_day", "weather", "lighting",
    "mood", "style", "color_palette", "shot_size", "camera_angle", "camera_movement", "lens",
    "pace", "viewpoint", "on_screen_text", "details", "negative_prompt",
]  # fmt: skip


class Body(BaseModel):
    """A request's body: a JSON object; unknown fields are rejected by name."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class FieldError(BaseModel):
    """One field of a request and what is wrong with it."""

    field: str
    problem: str


class ErrorBody(BaseModel):
    """Every error that is answered."""

    message: str = Field(description="What happened and what to do, in plain text.")
    reason: str = Field(description="The name of the status.")
    errors: list[FieldError] = Field(default_factory=list)


class StreamError(ErrorBody):
    """The event ``error``, which ends a stream that has begun."""

    status: int = Field(description="The HTTP status it would have had on its own.")
