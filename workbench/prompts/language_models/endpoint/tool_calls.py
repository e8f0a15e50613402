"""A language model's tool calls, and the messages that return their results.

Reads the chat-completions protocol leniently: arguments may come as text, as an object, or broken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["ToolCall", "Turn", "read_turn"]

_LONGEST_ARGUMENTS: Final = 40_000


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call: the tool's name and its arguments."""

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why the arguments could not be read; empty when they could."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A model's next move: calls, or a final text."""

    text: str
    calls: tuple[ToolCall, ...]
    message: Mapping[str, Any]
    """The turn as it goes back to the model with the next question."""

    def result_of(self, call: ToolCall, told: str) -> Mapping[str, Any]:
        """Return the message with the result of ``call``."""
        if "tool_calls" in self.message:
            return {"role": "tool", "tool_call_id": call.id, "content": told}
        return {"role": "user", "content": told}


def read_turn(given: Sequence[Any], text: str) -> Turn:
    """Return the turn of a completion that holds the tool calls ``given`` and the plain ``text``."""
    calls = tuple(_call(one, number) for number, one in enumerate(given))
    raw: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        raw["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in calls
        ]
    return Turn(text, calls, raw)


def _call(given: Any, number: int) -> ToolCall:
    function = getattr(given, "function", None)
    name = str(getattr(function, "name", "") or "")
    identifier = str(getattr(given, "id", "") or f"call-{number}")
    arguments = getattr(function, "arguments", None)
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments[:_LONGEST_ARGUMENTS] or "{}", strict=False)
        except ValueError:
            return ToolCall(identifier, name, problem="The arguments are not JSON.")
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, Mapping):
        return ToolCall(identifier, name, problem="The arguments are not a JSON object.")
    return ToolCall(identifier, name, {str(k): v for k, v in arguments.items()})
