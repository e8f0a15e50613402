"""An endpoint's reply to one question: text, tool calls and token counts, whole or streamed.

Reads the chat-completions protocol leniently. Knows nothing of the question.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from workbench.prompts.model import OnText

__all__ = ["CutOff", "Refused", "Reply", "read_body", "read_reply", "read_stream"]

_LONGEST_STREAM: Final = 200_000
"""Maximum characters of a stream, tool calls included."""
_MOST_CALLS: Final = 64


class CutOff(ValueError):
    """An answer ended at the endpoint's token limit."""


class Refused(ValueError):
    """The model refused to answer, or the endpoint filtered the answer."""


@dataclass(slots=True)
class Reply:
    """One answer."""

    text: str
    calls: list[Any] = field(default_factory=list)
    """Tool calls of the protocol: ``id``, and ``function`` with ``name`` and ``arguments``."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    came_whole: bool = False
    """Whether the endpoint ignored the request to stream."""
    finish_reason: str = ""
    """Why the endpoint says that it ended; empty if it does not say."""

    def count(self, usage: Any) -> None:
        """Keep the token counts of ``usage``, if it has them."""
        for name in ("prompt_tokens", "completion_tokens"):
            told = getattr(usage, name, None)
            if isinstance(told, int):
                setattr(self, name, told)


def read_reply(result: Any) -> Reply:
    """Return the reply of a completion.

    Raises :class:`CutOff`, :class:`Refused`, or another ``ValueError`` if there is none.
    """
    choices = getattr(result, "choices", None)
    if not choices:
        raise ValueError("no choices")
    choice = choices[0]
    message = getattr(choice, "message", None)
    ended = _checked(getattr(choice, "finish_reason", None))
    if getattr(message, "refusal", None):
        raise Refused
    calls = getattr(message, "tool_calls", None)
    reply = Reply(
        _text_of(getattr(message, "content", None)),
        calls[:_MOST_CALLS] if isinstance(calls, list) else [],
        finish_reason=ended,
    )
    reply.count(getattr(result, "usage", None))
    return reply


def read_body(body: bytes) -> Reply:
    """Return the reply of an unstreamed body; raises ``ValueError`` if it is no completion."""
    reply = read_reply(json.loads(body, object_hook=lambda found: SimpleNamespace(**found)))
    reply.came_whole = True
    return reply


async def read_stream(stream: Any, on_text: OnText) -> Reply:
    """Return the reply of a stream; ``on_text`` is called with its text as it grows.

    Raises ``ValueError`` for a refusal and for an answer that is cut off or does not end.
    """
    reply, ended, calls = Reply(""), "", _GrowingCalls()
    loop = asyncio.get_running_loop()
    async with stream:
        async for chunk in stream:
            reply.count(getattr(chunk, "usage", None))
            choice = next(iter(getattr(chunk, "choices", None) or ()), None)
            ended = getattr(choice, "finish_reason", None) or ended
            delta = getattr(choice, "delta", None)
            if getattr(delta, "refusal", None):
                raise Refused
            calls.add(getattr(delta, "tool_calls", None))
            piece = _text_of(getattr(delta, "content", None))
            if piece:
                reply.text += piece
                # Called by the loop, so that its errors do not count as the endpoint's.
                loop.call_soon(on_text, reply.text)
            if len(reply.text) + calls.length > _LONGEST_STREAM:
                raise ValueError("does not end")
    await asyncio.sleep(0)  # lets the loop call on_text with the whole text first
    reply.finish_reason = _checked(ended)
    reply.calls = calls.whole
    if reply.calls and not ended:
        raise ValueError("ended within a tool call")
    return reply


def _checked(ended: Any) -> str:
    """Return a finish reason; raises the error that stands for an incomplete answer."""
    if ended == "length":
        raise CutOff
    if ended == "content_filter":
        raise Refused
    return ended if isinstance(ended, str) else ""


class _GrowingCalls:
    """Tool calls of a stream: a name first, then the arguments in pieces."""

    def __init__(self) -> None:
        self.whole: list[Any] = []
        self.length = 0
        """Characters of all arguments."""
        self._by_index: dict[int, Any] = {}

    def add(self, pieces: Any) -> None:
        """Add the pieces of one chunk; invalid pieces are skipped."""
        for piece in pieces if isinstance(pieces, list) else ():
            function = getattr(piece, "function", None)
            call = self._call_of(piece)
            if call is None or function is None:
                continue
            name, arguments = getattr(function, "name", None), getattr(function, "arguments", None)
            if isinstance(name, str) and name:
                call.function.name = name
            if isinstance(arguments, str):
                call.function.arguments += arguments
                self.length += len(arguments)

    def _call_of(self, piece: Any) -> Any | None:
        """Return the call that a piece belongs to; None beyond the limit.

        Pieces of one call share an index. Some endpoints number every call 0, or send no index:
        then a new id begins a new call.
        """
        index, identifier = getattr(piece, "index", None), getattr(piece, "id", None) or ""
        last = self.whole[-1] if self.whole else None
        call = self._by_index.get(index) if isinstance(index, int) else last
        if call is not None and (not identifier or call.id in {"", identifier}):
            call.id = call.id or identifier
            return call
        if len(self.whole) >= _MOST_CALLS:
            return None
        call = SimpleNamespace(id=identifier, function=SimpleNamespace(name="", arguments=""))
        if isinstance(index, int):
            self._by_index[index] = call
        self.whole.append(call)
        return call


def _text_of(content: Any) -> str:
    """Return the text of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content if isinstance(content, list) else ():
        text = part.get("text") if isinstance(part, dict) else getattr(part, "text", None)
        texts.append(text if isinstance(text, str) else "")
    return "".join(texts)
