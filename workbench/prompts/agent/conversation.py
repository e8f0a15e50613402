"""One turn of the agent: the user's message, a few steps with tools, a final message.

Uses native tool calls where the endpoint supports them, else JSON actions. The workplace carries
the tools out; this module limits and validates. Knows no sessions and no jobs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.actions.model import Action
from workbench.errors import InvalidRequest, WorkbenchError
from workbench.prompts.agent.tools import Ask, Look, Seen, request_from, requests_schema, tool_specs
from workbench.prompts.language_models.endpoint.abilities import with_pictures
from workbench.prompts.language_models.endpoint.chat import ChatEndpoint, ToolCall, Turn
from workbench.prompts.language_models.writing.answers import (
    plain_text,
    shown_so_far,
    text_so_far,
    without_thoughts,
)
from workbench.prompts.model import ChatFailure, Exchange, OnText

__all__ = ["MOST_STEPS", "Outcome", "Step", "Workplace", "converse"]

MOST_STEPS: Final = 6
"""Maximum questions to the model in one turn."""
_TURN_S: Final = 60.0
_MOST_CALLS: Final = 16
"""Maximum tool calls carried out from one answer."""
_LONGEST_MESSAGE: Final = 1_000
_LONGEST_OBSERVATION: Final = 6_000


class Workplace(Protocol):
    """The interface to one session and its renders."""

    def view(self) -> Mapping[str, Any]:
        """Return the session for the agent: prompt, scene, history, settings, cards."""

    async def perform(self, action: Action) -> Mapping[str, Any]:
        """Carry out one action and return its result; raises ``WorkbenchError``."""

    async def look(self, asked: Look, *, with_frames: bool) -> Seen:
        """Return an entry or card in detail, with video frames; raises ``WorkbenchError``."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action of the agent, done or attempted."""

    action: Action | Look | None
    came_of_it: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why it failed; empty if it succeeded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a turn."""

    message: str
    steps: tuple[Step, ...] = ()
    question: str = ""
    """The agent's question to the user; empty if none."""
    is_cut_short: bool = False
    """Whether the turn reached its limit of steps or time."""
    exchanges: tuple[Exchange, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that were carried out, in order."""
        return tuple(
            step.action
            for step in self.steps
            if step.action is not None and not isinstance(step.action, Look) and not step.problem
        )


def _name_kinds(schema: dict[str, Any]) -> None:
    """Add the tools' names to the schema, for endpoints that enforce it.

    Validation accepts any name; the reply to an invalid one lists the valid ones.
    """
    schema["properties"]["kind"]["enum"] = [tool["function"]["name"] for tool in tool_specs()]


class _Call(BaseModel):
    model_config = ConfigDict(extra="allow", json_schema_extra=_name_kinds)

    kind: str


class _Answer(BaseModel):
    """The answer of an endpoint without tools."""

    model_config = ConfigDict(
        extra="ignore", json_schema_extra={"required": ["actions", "message"]}
    )

    actions: list[_Call] = Field(default_factory=list, max_length=_MOST_CALLS)
    message: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.actions and not self.message.strip():
            raise ValueError("neither actions nor a message")
        return self


async def converse(
    endpoint: ChatEndpoint,
    request: str,
    workplace: Workplace,
    *,
    on_step: Callable[[Step], object] | None = None,
    on_text: OnText | None = None,
    timeout_s: float = _TURN_S,
    picture: str = "",
) -> Outcome:
    """Let the model act on ``request`` until it is done, asks a question, or reaches the limits.

    ``picture`` is the video's first frame as a data URL, for a model with vision. ``on_step`` is
    called after each step, ``on_text`` with the model's text so far, where the endpoint can stream.
    Cancelling the task stops between two steps; completed steps stay, each as an entry. Raises
    ``ChatFailure`` if no usable answer comes before the first step; later failures end the turn.
    """
    turn = _TurnOfAgent(endpoint, workplace, on_step or (lambda _step: None), on_text)
    try:
        async with asyncio.timeout(timeout_s):
            return await turn.run(request, picture)
    except TimeoutError:
        if not turn.steps:
            message = f"The language model did not answer within {timeout_s:g} s."
            raise ChatFailure(message, turn.said) from None
        return turn.outcome("The language model took too long; what it did so far stays.", cut=True)
    except ChatFailure as error:
        turn.said += error.exchanges
        if not turn.steps:
            raise ChatFailure(str(error), turn.said) from error
        return turn.outcome(f"{error} What was done so far stays.", cut=True)


class _TurnOfAgent:
    """The state of one turn."""

    def __init__(
        self,
        endpoint: ChatEndpoint,
        workplace: Workplace,
        on_step: Callable[[Step], object],
        on_text: OnText | None,
    ) -> None:
        self._endpoint = endpoint
        self._workplace = workplace
        self._on_step = on_step
        self._on_text = on_text
        self.steps: list[Step] = []
        self.said: list[Exchange] = []
        self._seen: set[str] = set()
        self._looked_at: list[Seen] = []
        """Results of the last looks whose frames have not been shown yet."""

    async def run(self, request: str, picture: str = "") -> Outcome:
        view = _told({"session": dict(await asyncio.to_thread(self._workplace.view))})
        messages: list[Mapping[str, Any]] = [
            {"role": "system", "content": _instruction()},
            {"role": "user", "content": with_pictures(view, picture)},
            {"role": "user", "content": request},
        ]
        for _ in range(MOST_STEPS):
            turn = await self._next(messages)
            if not turn.calls:
                return self.outcome(turn.text)
            messages.append(turn.message)
            for call in turn.calls[:_MOST_CALLS]:
                asked, observation = await self._do(call)
                if isinstance(asked, Ask):
                    return self.outcome("", question=asked.question)
                messages.append(turn.result_of(call, _told(observation)))
            messages += self._frames()
            if turn.text and "tool_calls" not in turn.message:
                return self.outcome(turn.text)  # the final text came with the actions
        return self.outcome("The steps of one turn are used up; say how to continue.", cut=True)

    def outcome(self, text: str, *, question: str = "", cut: bool = False) -> Outcome:
        message = plain_text(without_thoughts(text))[:_LONGEST_MESSAGE]
        return Outcome(
            message, tuple(self.steps), plain_text(question), cut, exchanges=tuple(self.said)
        )

    async def _next(self, messages: Sequence[Mapping[str, Any]]) -> Turn:
        """Return the model's next move, by tools if the endpoint supports them."""
        turn, said = await self._endpoint.call_tools(
            messages, tool_specs(), self._told_of(shown_so_far)
        )
        self.said += said
        # No call: the endpoint may be ignoring tools, so ask it by JSON.
        if turn is not None and (turn.calls or self._endpoint.abilities.has_called_tools):
            return turn
        asked = [*messages, {"role": "user", "content": _ladder()}]
        answer, said = await self._endpoint.ask(asked, _Answer, self._told_of(_message_so_far))
        self.said += said
        calls = tuple(
            ToolCall(f"call-{number}", call.kind, call.model_dump(exclude={"kind"}))
            for number, call in enumerate(answer.actions)
        )
        return Turn(
            answer.message, calls, {"role": "assistant", "content": answer.model_dump_json()}
        )

    def _told_of(self, read: Callable[[str], str]) -> OnText | None:
        """Return a callback that passes what ``read`` finds in the answer so far to ``on_text``."""
        on_text, told = self._on_text, ""
        if on_text is None:
            return None

        def tell(answer: str) -> None:
            nonlocal told
            text = read(answer)[:_LONGEST_MESSAGE]
            if text and text != told:
                told = text
                on_text(text)

        return tell

    async def _do(self, call: ToolCall) -> tuple[object, Mapping[str, Any]]:
        """Carry out one call; return its request and the result for the model."""
        key = json.dumps([call.name, call.arguments], sort_keys=True, default=str)
        try:
            asked = request_from(call.name, call.arguments)
            problem = call.problem
        except InvalidRequest as error:
            asked, problem = None, call.problem or str(error)
        if asked is None or problem:
            self._note(Step(None, problem=problem))
            return None, {"problem": problem}
        if isinstance(asked, Ask):
            return asked, {}
        if key in self._seen:
            return asked, {"problem": "This was done already in this turn."}
        try:
            if isinstance(asked, Look):
                sees = self._endpoint.abilities.can_see
                seen = await self._workplace.look(asked, with_frames=sees)
                self._looked_at.append(seen)
                came = seen.told
            else:
                came = await self._workplace.perform(asked)
        except WorkbenchError as error:
            self._note(Step(asked, problem=str(error)))
            return asked, {"problem": str(error)}
        self._seen.add(key)
        self._note(Step(asked, came))
        return asked, came

    def _frames(self) -> list[Mapping[str, Any]]:
        """Return the frames of the last looks as messages: tool results cannot hold pictures."""
        looked, self._looked_at = self._looked_at, []
        return [
            {
                "role": "user",
                "content": with_pictures(
                    _told({"entry": seen.told.get("entry"), "frames": "the first and the last"}),
                    *seen.frames,
                ),
            }
            for seen in looked
            if seen.frames
        ]

    def _note(self, step: Step) -> None:
        self.steps.append(step)
        self._on_step(step)


def _message_so_far(answer: str) -> str:
    return text_so_far(answer, "message")


def _told(data: Mapping[str, Any]) -> str:
    """Return ``data`` as JSON under one key, which marks it as data, not instructions."""
    text = json.dumps({"data": data}, ensure_ascii=False, default=str)
    return (
        text if len(text) <= _LONGEST_OBSERVATION * 4 else f"{text[: _LONGEST_OBSERVATION * 4]} …"
    )


@cache
def _instruction() -> str:
    return _text("agent")


@cache
def _ladder() -> str:
    return f"{_text('agent_without_tools')}\n{requests_schema()}"


def _text(name: str) -> str:
    folder = resources.files("workbench.prompts").joinpath("instructions")
    return folder.joinpath(f"{name}.txt").read_text("utf-8").strip()
