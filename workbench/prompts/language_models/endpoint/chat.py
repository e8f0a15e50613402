"""Asks an OpenAI-compatible endpoint for JSON: ladder of structured output, retries, time limits.

Remembers what each endpoint can do. Knows nothing of prompts; never lets a key out.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from workbench.prompts.language_models.endpoint.abilities import (
    Abilities,
    has_pictures,
    without_pictures,
)
from workbench.prompts.language_models.endpoint.tool_calls import ToolCall, Turn, read_turn
from workbench.prompts.language_models.writing.answers import json_in
from workbench.prompts.model import ChatFailure, Exchange, OnText

__all__ = ["ChatEndpoint", "Message", "ToolCall", "Turn"]

Answer = TypeVar("Answer", bound=BaseModel)
Message = Mapping[str, Any]

_LONGEST_KEPT: Final = 40_000
_REFUSED_KEY: Final = frozenset({401, 403})
_LONGEST_STREAM: Final = 200_000
"""Characters after which a stream that does not end is left."""


_MOST_TOKENS: Final = 4_096
_CUT_OFF: Final = (
    "The language model's answer was cut off: its limit of tokens (max_tokens) is too small."
)


class CutOff(ValueError):
    """An answer ended at the endpoint's limit of tokens."""


@dataclass(slots=True)
class _Reply:
    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    came_whole: bool = False
    """Whether the wish to stream was ignored."""

    def count(self, usage: Any) -> None:
        """Keep the token counts of ``usage``, where it tells them."""
        for name in ("prompt_tokens", "completion_tokens"):
            told = getattr(usage, name, None)
            if isinstance(told, int):
                setattr(self, name, told)


@dataclass(slots=True)
class ChatEndpoint:
    """One endpoint and model. ``timeout_s`` bounds a whole question, retries and all."""

    base_url: str
    model: str
    api_key: str = field(repr=False, default="")
    timeout_s: float = 60.0
    retries: int = 2
    abilities: Abilities = field(default_factory=Abilities)
    """What this endpoint has shown that it can."""
    find_key: Callable[[], str] | None = field(default=None, repr=False)
    """Returns the key from where it is kept: asked for before the first question, and again after
    the endpoint has refused one."""
    _client: Any = field(default=None, repr=False)

    async def ask(
        self,
        messages: Sequence[Message],
        answer: type[Answer],
        on_text: OnText | None = None,
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        """Return a validated answer and what was said; asks again once when it does not validate.

        ``on_text`` is called by the event loop with the answer so far as it grows, where the
        endpoint can stream; it begins anew with each new attempt.

        Raises :class:`ChatFailure` within ``timeout_s``, whatever the endpoint does.
        """
        said: list[Exchange] = []
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._ask(list(messages), answer, said, on_text), tuple(said)
        except TimeoutError:
            message = f"The language model did not answer within {self.timeout_s:g} s."
            said.append(self._exchange(messages, _Reply(""), message, self.timeout_s))
            raise ChatFailure(message, said) from None

    async def call_tools(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
    ) -> tuple[Turn | None, tuple[Exchange, ...]]:
        """Return the model's next move with ``tools``, and what was said.

        The move is None where the endpoint refuses tools; that is remembered, and not asked again.
        Raises :class:`ChatFailure` within ``timeout_s`` when no answer comes.
        """
        if not self.abilities.can_call_tools:
            return None, ()
        openai = await self._library()
        begun = time.monotonic()

        def exchange(reply: _Reply, problem: str = "") -> Exchange:
            return self._exchange(messages, reply, problem, time.monotonic() - begun)

        try:
            async with asyncio.timeout(self.timeout_s):
                result = await self._connected(openai).chat.completions.create(
                    model=self.model,
                    messages=self.abilities.messages(messages),
                    tools=list(tools),
                )
            reply = _read_reply(result)
        except openai.APIStatusError as error:
            problem = f"The language model answered with status {error.status_code}."
            await self._after_status(error.status_code)
            said = exchange(_Reply(""), problem)
            if has_pictures(messages) and self.abilities.without_sight(error.status_code):
                return await self._without_sight(messages, tools, said)
            less = self.abilities.without_tools(error.status_code)
            if less is None:
                raise ChatFailure(problem, [said]) from None
            self.abilities = less
            return None, (said,)
        except TimeoutError:
            problem = f"The language model did not answer within {self.timeout_s:g} s."
            raise ChatFailure(problem, [exchange(_Reply(""), problem)]) from None
        except (openai.OpenAIError, _transport().HTTPError, ValueError, OSError) as error:
            problem = (
                f"The language model could not be reached or understood ({type(error).__name__})."
            )
            raise ChatFailure(problem, [exchange(_Reply(""), problem)]) from None
        turn = read_turn(result.choices[0].message, reply.text)
        if turn.calls:
            self.abilities = replace(self.abilities, has_called_tools=True)
        told = json.dumps(turn.message, ensure_ascii=False) if turn.calls else reply.text
        return turn, (exchange(replace(reply, text=told)),)

    async def _without_sight(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        said: Exchange,
    ) -> tuple[Turn | None, tuple[Exchange, ...]]:
        """Ask again without the pictures; that they were refused is remembered where it helps."""
        turn, more = await self.call_tools([without_pictures(m) for m in messages], tools)
        if turn is not None:
            self.abilities = replace(self.abilities, can_see=False)
        return turn, (said, *more)

    async def close(self) -> None:
        """Close the connection; a later question opens another."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def _ask(
        self,
        messages: list[Message],
        answer: type[Answer],
        said: list[Exchange],
        on_text: OnText | None,
    ) -> Answer:
        problem = ""
        for attempt in range(2):
            reply = await self._reply(messages, answer, said, on_text)
            try:
                return answer.model_validate(json_in(reply.text))
            except ValidationError as error:
                problem = "; ".join(
                    f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}"
                    for e in error.errors()[:5]
                )
            except ValueError as error:
                problem = str(error)
            said[-1] = _with_error(said[-1], problem)
            if attempt == 0:
                again = f"That was not usable ({problem}) Answer again with the JSON object alone."
                messages = [
                    *messages,
                    {"role": "assistant", "content": reply.text[:4_000] or "(nothing)"},
                    {"role": "user", "content": again},
                ]
        raise ChatFailure("The language model's answer could not be used.", said)

    async def _reply(
        self,
        messages: list[Message],
        answer: type[BaseModel],
        said: list[Exchange],
        on_text: OnText | None,
    ) -> _Reply:
        """Ask for the best that the endpoint can do, for less each time that it refuses."""
        openai = await self._library()
        able = self.abilities
        while True:
            begun = time.monotonic()
            try:
                reply = await self._complete(openai, messages, answer, on_text, able)
            except openai.APIStatusError as error:
                problem = f"The language model answered with status {error.status_code}."
                said.append(self._exchange(messages, _Reply(""), problem, time.monotonic() - begun))
                await self._after_status(error.status_code)
                told, streamed = f"{error.message} {error.body}", on_text is not None
                seen = able.can_see and has_pictures(messages)
                less = able.after_refusal(
                    error.status_code, told, streamed=streamed, has_picture=seen
                )
                if less is None:
                    raise ChatFailure(problem, said) from None
                able = less
                continue
            except CutOff:
                said.append(
                    self._exchange(messages, _Reply(""), _CUT_OFF, time.monotonic() - begun)
                )
                if able.max_tokens is not None:
                    raise ChatFailure(_CUT_OFF, said) from None
                able = replace(able, max_tokens=_MOST_TOKENS)
                continue
            except (openai.OpenAIError, _transport().HTTPError, ValueError, OSError) as error:
                kind = type(error).__name__
                problem = f"The language model could not be reached or understood ({kind})."
                said.append(self._exchange(messages, _Reply(""), problem, time.monotonic() - begun))
                raise ChatFailure(problem, said) from None
            # Only what worked is remembered: a refusal of all may be due to what was asked.
            self.abilities = replace(able, can_stream=able.can_stream and not reply.came_whole)
            said.append(self._exchange(messages, reply, "", time.monotonic() - begun))
            return reply

    async def _complete(
        self,
        openai: Any,
        messages: list[Message],
        answer: type[BaseModel],
        on_text: OnText | None,
        able: Abilities,
    ) -> _Reply:
        client = self._connected(openai)
        options = {
            "model": self.model,
            "messages": able.messages(messages),
            **able.response_format(answer),
            **able.length_options(),
        }
        if on_text is None or not able.can_stream:
            return _read_reply(await client.chat.completions.create(**options))
        options |= able.stream_options()
        stream = await client.chat.completions.create(**options, stream=True)
        if "event-stream" in stream.response.headers.get("Content-Type", ""):
            return await _read_stream(stream, on_text)
        reply = _read_reply(_completion_in(await stream.response.aread()))
        reply.came_whole = True
        return reply

    async def _library(self) -> Any:
        """Return the library that speaks the protocol, with the key found for the first question."""
        openai = await asyncio.to_thread(importlib.import_module, "openai")
        if self._client is None and self.find_key is not None:
            self.api_key = await asyncio.to_thread(self.find_key)
        return openai

    async def _after_status(self, status: int) -> None:
        """Have the key found anew for the next question where this one was refused."""
        if status in _REFUSED_KEY and self.find_key is not None:
            await self.close()

    def _connected(self, openai: Any) -> Any:
        if self._client is None:
            self._client = openai.AsyncOpenAI(
                base_url=self.base_url or None,
                api_key=self.api_key or "none",
                timeout=self.timeout_s,
                max_retries=self.retries,
            )
        return self._client

    def _exchange(
        self, messages: Sequence[Mapping[str, Any]], reply: _Reply, error: str, duration_s: float
    ) -> Exchange:
        return Exchange(
            model=self.model,
            request=self._redacted(
                json.dumps([without_pictures(m) for m in messages], ensure_ascii=False)
            ),
            answer=self._redacted(reply.text),
            error=self._redacted(error),
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            duration_s=round(duration_s, 3),
        )

    def _redacted(self, text: str) -> str:
        kept = text[:_LONGEST_KEPT]
        return kept.replace(self.api_key, "[key]") if self.api_key else kept


def _transport() -> Any:
    """Return the library below the protocol's own, whose errors show where a body breaks off."""
    return importlib.import_module("httpx2")


def _read_reply(result: Any) -> _Reply:
    """Return the text and token counts of a completion; raises ``ValueError`` for none."""
    choices = getattr(result, "choices", None)
    if not choices:
        raise ValueError("no choices")
    choice = choices[0]
    if getattr(choice, "finish_reason", "") == "length":
        raise CutOff
    message = getattr(choice, "message", None)
    if getattr(message, "refusal", None):
        raise ValueError("refused")
    reply = _Reply(_text_of(getattr(message, "content", None)))
    reply.count(getattr(result, "usage", None))
    return reply


def _text_of(content: Any) -> str:
    """Return the text of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content if isinstance(content, list) else ():
        text = part.get("text") if isinstance(part, dict) else getattr(part, "text", None)
        texts.append(text if isinstance(text, str) else "")
    return "".join(texts)


def _completion_in(body: bytes) -> Any:
    """Return the completion in ``body``; raises ``ValueError`` when that is not JSON."""
    return json.loads(body, object_hook=lambda found: SimpleNamespace(**found))


async def _read_stream(stream: Any, on_text: OnText) -> _Reply:
    """Return the text of a streamed completion, telling it as it grows.

    Raises ``ValueError`` for a refusal and for an answer that was cut off or does not end.
    """
    reply, ended = _Reply(""), ""
    loop = asyncio.get_running_loop()
    async with stream:
        async for chunk in stream:
            reply.count(getattr(chunk, "usage", None))
            choice = next(iter(getattr(chunk, "choices", None) or ()), None)
            ended = getattr(choice, "finish_reason", None) or ended
            delta = getattr(choice, "delta", None)
            if getattr(delta, "refusal", None):
                raise ValueError("refused")
            piece = _text_of(getattr(delta, "content", None))
            if piece:
                reply.text += piece
                # The loop calls it, so that what fails in there is not taken for the endpoint's.
                loop.call_soon(on_text, reply.text)
            if len(reply.text) > _LONGEST_STREAM:
                raise ValueError("does not end")
    await asyncio.sleep(0)  # all is told before the answer is returned
    if ended == "length":
        raise CutOff
    return reply


def _with_error(exchange: Exchange, error: str) -> Exchange:
    values = {name: getattr(exchange, name) for name in Exchange.__slots__}
    return Exchange(**{**values, "error": error})
