"""What an endpoint can do, as far as it has not refused it: learned by asking."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final, Self

from pydantic import BaseModel

__all__ = ["Abilities", "Rung"]

_UNSUPPORTED: Final = frozenset({400, 404, 415, 422, 500, 501})
"""Statuses with which endpoints refuse what they do not know."""


class Rung(IntEnum):
    """How structured output is asked for, best first."""

    SCHEMA = 0
    OBJECT = 1
    TEXT = 2


@dataclass(frozen=True, slots=True)
class Abilities:
    """What may be asked of one endpoint."""

    rung: Rung = Rung.SCHEMA
    """The best way of asking for JSON."""
    can_stream: bool = True
    can_count: bool = True
    """Whether a stream may be asked for its token counts."""
    can_call_tools: bool = True
    """Whether tools may be offered to the model."""
    has_called_tools: bool = False
    """Whether it has ever called one: many endpoints ignore what they do not know."""
    max_tokens: int | None = None
    """The limit of tokens to ask for, where the endpoint's own has cut an answer off."""
    has_system_role: bool = True
    """Whether its template takes a system message."""
    rung_before: Rung | None = None
    """Where the rung stood before streaming was suspected of a refusal."""

    def without_tools(self, status: int) -> Self | None:
        """Return what may be asked after tools were refused; None for a refusal of something else."""
        if status not in _UNSUPPORTED and status < 500:
            return None
        return replace(self, can_call_tools=False)

    def response_format(self, answer: type[BaseModel]) -> dict[str, Any]:
        """Return the options that ask for an answer of this shape."""
        if self.rung is Rung.TEXT:
            return {}
        if self.rung is Rung.OBJECT:
            return {"response_format": {"type": "json_object"}}
        schema = {"name": answer.__name__, "schema": answer.model_json_schema()}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def messages(self, asked: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """Return the messages in the roles that the endpoint takes."""
        first, *rest = (dict(message) for message in asked)
        if self.has_system_role or first["role"] != "system" or not rest:
            return [first, *rest]
        joined = f"{first['content']}\n\n{rest[0]['content']}"
        return [{**rest[0], "content": joined}, *rest[1:]]

    def length_options(self) -> dict[str, Any]:
        """Return the options that ask for room enough."""
        return {} if self.max_tokens is None else {"max_tokens": self.max_tokens}

    def stream_options(self) -> dict[str, Any]:
        """Return the options that ask a stream for its token counts."""
        return {"stream_options": {"include_usage": True}} if self.can_count else {}

    def after_refusal(self, status: int, told: str, *, streamed: bool) -> Self | None:
        """Return what may be asked after a refusal; None when there is nothing to ask less of.

        What the endpoint names in ``told`` goes first. Otherwise the response format steps down,
        for many endpoints stream that know none; one that cannot stream has its format back.
        """
        if status not in _UNSUPPORTED:
            return None
        if self.has_system_role and re.search(
            r"system\b.{0,40}\brole|role.{0,40}\bsystem|roles must alternate", told, re.IGNORECASE
        ):
            return replace(self, has_system_role=False)
        if streamed and self.can_stream:
            if self.can_count and ("stream_options" in told or self.rung is Rung.TEXT):
                return replace(self, can_count=False)
            if self.rung is Rung.TEXT or ("stream" in told and "format" not in told):
                before = self.rung if self.rung_before is None else self.rung_before
                return replace(self, can_stream=False, rung=before)
        if self.rung is Rung.TEXT:
            return None
        before = self.rung if self.rung_before is None else self.rung_before
        return replace(self, rung=Rung(self.rung + 1), rung_before=before)
