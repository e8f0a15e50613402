"""The two kinds of questions to an endpoint, for JSON and with tools, and their fallbacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from workbench.prompts.language_models.endpoint.abilities import Abilities

__all__ = ["JsonQuestion", "Question", "ToolQuestion"]


class Question(Protocol):
    """What differs between questions."""

    def options(self, able: Abilities) -> dict[str, Any]:
        """Return the request options of this kind."""

    def can_stream(self, able: Abilities) -> bool:
        """Tell whether the answer may be streamed."""

    def after_refusal(
        self, able: Abilities, status: int, told: str, *, streamed: bool, has_picture: bool
    ) -> Abilities | None:
        """Return the abilities to try after a refusal; None where nothing is left to try."""


@dataclass(frozen=True, slots=True)
class JsonQuestion:
    """A question for JSON that validates as ``answer``."""

    answer: type[BaseModel]

    def options(self, able: Abilities) -> dict[str, Any]:
        """Return the response format."""
        return able.response_format(self.answer)

    def can_stream(self, able: Abilities) -> bool:
        """Tell whether the endpoint streams."""
        return able.can_stream

    def after_refusal(
        self, able: Abilities, status: int, told: str, *, streamed: bool, has_picture: bool
    ) -> Abilities | None:
        """Step down the ladder of structured output."""
        return able.after_refusal(status, told, streamed=streamed, has_picture=has_picture)


@dataclass(frozen=True, slots=True)
class ToolQuestion:
    """A question for the next move with ``tools``."""

    tools: Sequence[Mapping[str, Any]]

    def options(self, able: Abilities) -> dict[str, Any]:
        """Return the tools, where the endpoint takes any."""
        return {"tools": list(self.tools)} if able.can_call_tools else {}

    def can_stream(self, able: Abilities) -> bool:
        """Tell whether the endpoint streams answers with tools."""
        return able.can_stream and able.can_stream_tools

    def after_refusal(
        self, able: Abilities, status: int, told: str, *, streamed: bool, has_picture: bool
    ) -> Abilities | None:
        """Drop the picture, then the stream, then the tools."""
        return able.after_tools_refusal(status, told, streamed=streamed, has_picture=has_picture)
