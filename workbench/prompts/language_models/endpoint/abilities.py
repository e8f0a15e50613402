"""What an endpoint can do, learned from its refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final, Self

from pydantic import BaseModel

__all__ = [
    "Abilities",
    "Rung",
    "has_pictures",
    "has_video",
    "with_pictures",
    "without_pictures",
]

_UNSUPPORTED: Final = frozenset({400, 404, 415, 422, 500, 501})
"""Statuses that endpoints answer to unsupported options."""
_TOO_LARGE: Final = 413
_BROKEN: Final = 500
"""Lowest status of a server failure; attributed to the video, if one was sent."""
_NAMES_VIDEO: Final = re.compile(
    r"video|content\[\]\.type|content.{0,20}(?:part|type)|multimodal|modalit", re.IGNORECASE
)
"""How endpoints refuse a video: "At most 0 video(s) may be provided in one request" (vLLM),
"unsupported content[].type" (llama.cpp), "Invalid value: 'video_url'" (OpenAI)."""


def has_pictures(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether ``messages`` hold a picture."""
    return any(without_pictures(message) is not message for message in messages)


def with_pictures(text: str, *pictures: str) -> str | list[dict[str, Any]]:
    """Return a message's content: ``text``, and the pictures (data URLs) that are not empty."""
    shown = [{"type": "image_url", "image_url": {"url": one}} for one in pictures if one]
    return [{"type": "text", "text": text}, *shown] if shown else text


def without_pictures(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``message`` with only its text; unchanged if it has no picture."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    texts = [part["text"] for part in content if part.get("type") == "text"]
    return {**message, "content": "\n".join(texts)}


def has_video(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether ``messages`` hold a video."""
    return any(_without_video(message) is not message for message in messages)


def _without_video(message: Mapping[str, Any]) -> Mapping[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    kept = [part for part in content if part.get("type") != "video_url"]
    return message if len(kept) == len(content) else {**message, "content": kept}


class Rung(IntEnum):
    """How structured output is requested, best first."""

    SCHEMA = 0
    OBJECT = 1
    TEXT = 2


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one endpoint supports, as far as is known."""

    rung: Rung = Rung.SCHEMA
    """The best supported way to request JSON."""
    can_stream: bool = True
    can_count: bool = True
    """Whether a stream may include token counts."""
    can_call_tools: bool = True
    """Whether tools may be offered to the model."""
    can_stream_tools: bool = True
    """Whether an answer with tools may be streamed: some endpoints stream only text."""
    has_called_tools: bool = False
    """Whether it has ever called a tool: many endpoints ignore unknown options."""
    max_tokens: int | None = None
    """The token limit to request, set once the endpoint's default has cut off an answer."""
    has_system_role: bool = True
    """Whether its template takes a system message."""
    can_see: bool = True
    """Whether questions may hold pictures."""
    can_watch: bool = True
    """Whether questions may hold a video."""
    rung_before: Rung | None = None
    """The rung before a refusal that may have been due to streaming."""

    def after_tools_refusal(
        self, status: int, told: str, *, streamed: bool, has_picture: bool
    ) -> Self | None:
        """Return the abilities to try after tools were refused; None for an unrelated failure.

        What the endpoint's message ``told`` names is dropped first; otherwise a picture, the stream
        and the tools, in this order.
        """
        if streamed and self.can_count and "stream_options" in told:
            return replace(self, can_count=False)
        if streamed and "stream" in told.lower():
            return replace(self, can_stream_tools=False)
        is_named = re.search(r"\btools?\b|\bfunctions?\b", told, re.IGNORECASE)
        if has_picture and not is_named and (blind := self.without_sight(status)) is not None:
            return blind
        if streamed and not is_named and status in _UNSUPPORTED and status < 500:
            return replace(self, can_stream_tools=False)
        if status not in _UNSUPPORTED and status < 500:
            return None
        return replace(self, can_call_tools=False)

    def response_format(self, answer: type[BaseModel]) -> dict[str, Any]:
        """Return the options that request an answer of this shape."""
        if self.rung is Rung.TEXT:
            return {}
        if self.rung is Rung.OBJECT:
            return {"response_format": {"type": "json_object"}}
        schema = {"name": answer.__name__, "schema": answer.model_json_schema()}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def without_sight(self, status: int) -> Self | None:
        """Return the abilities without pictures; None if the refusal was not about them."""
        if not self.can_see or (status not in _UNSUPPORTED and status != _TOO_LARGE):
            return None
        return replace(self, can_see=False)

    def messages(self, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the messages in the roles that the endpoint takes, without pictures it refuses."""
        shown = asked if self.can_watch else [_without_video(message) for message in asked]
        shown = shown if self.can_see else [without_pictures(message) for message in shown]
        first, *rest = (dict(message) for message in shown)
        if self.has_system_role or first["role"] != "system" or not rest:
            return [first, *rest]
        joined = f"{first['content']}\n\n{rest[0]['content']}"
        return [{**rest[0], "content": joined}, *rest[1:]]

    def after_video_refusal(self, status: int, told: str) -> Self | None:
        """Return the abilities without videos; None where the refusal may be due to something else.

        A refusal without a reason counts against the video once the response format has been
        dropped; the format is then restored.
        """
        is_unclear = status in _UNSUPPORTED and self.rung is Rung.TEXT
        is_named = status in _UNSUPPORTED and _NAMES_VIDEO.search(told) is not None
        if not (is_named or is_unclear or status == _TOO_LARGE or status >= _BROKEN):
            return None
        rung = self.rung if self.rung_before is None else self.rung_before
        return replace(self, can_watch=False, rung=rung, rung_before=None)

    def length_options(self) -> dict[str, Any]:
        """Return the options that raise the token limit."""
        return {} if self.max_tokens is None else {"max_tokens": self.max_tokens}

    def stream_options(self) -> dict[str, Any]:
        """Return the options that request token counts with a stream."""
        return {"stream_options": {"include_usage": True}} if self.can_count else {}

    def after_refusal(
        self, status: int, told: str, *, streamed: bool, has_picture: bool = False
    ) -> Self | None:
        """Return the abilities to try after a refusal; None where nothing is left to try.

        What the endpoint's message ``told`` names is dropped first. Otherwise the response format
        steps down, because many endpoints stream without supporting one; it is restored if
        streaming was the cause. An unnamed picture is dropped last, and the format restored.
        """
        if has_picture and (blind := self.without_sight(status)) is not None:
            is_named = re.search(
                r"image|vision|multimodal|picture|content.{0,20}string", told, re.IGNORECASE
            )
            if is_named or status == _TOO_LARGE or self.rung is Rung.TEXT:
                rung = self.rung if self.rung_before is None else self.rung_before
                return replace(blind, rung=rung, rung_before=None)
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
