"""Asks an OpenAI-compatible endpoint for JSON: ladder of structured output, retries, time limits.

Remembers what each endpoint can do. Knows nothing of prompts; never lets a key out.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from workbench.errors import LanguageModelError
from workbench.prompts.answers import json_in
from workbench.prompts.model import Exchange

__all__ = ["ChatEndpoint", "ChatFailure", "Message", "OnText", "Rung"]

Answer = TypeVar("Answer", bound=BaseModel)
Message = Mapping[str, str]
OnText = Callable[[str], object]

_LONGEST_KEPT: Final = 40_000
_UNSUPPORTED: Final = frozenset({400, 404, 415, 422, 501})
"""Statuses with which endpoints refuse a response format that they do not know."""


class Rung(IntEnum):
    """How structured output is asked for, best first."""

    SCHEMA = 0
    OBJECT = 1
    TEXT = 2


class ChatFailure(LanguageModelError):
    """No usable answer came; carries what was said on the way there."""

    def __init__(self, message: str, exchanges: Sequence[Exchange] = ()) -> None:
        super().__init__(message)
        self.exchanges = tuple(exchanges)


@dataclass(slots=True)
class _Reply:
    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(slots=True)
class ChatEndpoint:
    """One endpoint and model. ``timeout_s`` bounds a whole question, retries and all."""

    base_url: str
    model: str
    api_key: str = field(repr=False, default="")
    timeout_s: float = 60.0
    retries: int = 2
    rung: Rung = Rung.SCHEMA
    """The best way of asking that this endpoint has not refused."""
    can_stream: bool = True
    """Whether this endpoint has not refused to stream."""
    _client: Any = field(default=None, repr=False)

    async def ask(
        self,
        messages: Sequence[Message],
        answer: type[Answer],
        on_text: OnText | None = None,
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        """Return a validated answer and what was said; asks again once when it does not validate.

        ``on_text`` is called with the answer so far as it grows, where the endpoint can stream.

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
        """Ask on the best rung, one lower each time the endpoint refuses the response format."""
        openai = await asyncio.to_thread(importlib.import_module, "openai")
        while True:
            begun = time.monotonic()
            try:
                reply = await self._complete(openai, messages, answer, on_text)
            except openai.APIStatusError as error:
                problem = f"The language model answered with status {error.status_code}."
                said.append(self._exchange(messages, _Reply(""), problem, time.monotonic() - begun))
                if error.status_code in _UNSUPPORTED and on_text and self.can_stream:
                    self.can_stream = False
                    continue
                if error.status_code in _UNSUPPORTED and self.rung < Rung.TEXT:
                    self.rung = Rung(self.rung + 1)
                    continue
                raise ChatFailure(problem, said) from None
            except (openai.OpenAIError, ValueError, OSError) as error:
                kind = type(error).__name__
                problem = f"The language model could not be reached or understood ({kind})."
                said.append(self._exchange(messages, _Reply(""), problem, time.monotonic() - begun))
                raise ChatFailure(problem, said) from None
            said.append(self._exchange(messages, reply, "", time.monotonic() - begun))
            return reply

    async def _complete(
        self,
        openai: Any,
        messages: list[Message],
        answer: type[BaseModel],
        on_text: OnText | None,
    ) -> _Reply:
        if self._client is None:
            self._client = openai.AsyncOpenAI(
                base_url=self.base_url or None,
                api_key=self.api_key or "none",
                timeout=self.timeout_s,
                max_retries=self.retries,
            )
        options: dict[str, Any] = {}
        if self.rung is Rung.SCHEMA:
            schema = {"name": answer.__name__, "schema": answer.model_json_schema()}
            options["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.rung is Rung.OBJECT:
            options["response_format"] = {"type": "json_object"}
        options |= {"model": self.model, "messages": list(messages)}
        if on_text is None or not self.can_stream:
            return _read_reply(await self._client.chat.completions.create(**options))
        stream = await self._client.chat.completions.create(**options, stream=True)
        return await _read_stream(stream, on_text)

    def _exchange(
        self, messages: Sequence[Message], reply: _Reply, error: str, duration_s: float
    ) -> Exchange:
        return Exchange(
            model=self.model,
            request=self._redacted(json.dumps(list(messages), ensure_ascii=False)),
            answer=self._redacted(reply.text),
            error=self._redacted(error),
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            duration_s=round(duration_s, 3),
        )

    def _redacted(self, text: str) -> str:
        kept = text[:_LONGEST_KEPT]
        return kept.replace(self.api_key, "[key]") if self.api_key else kept


def _read_reply(result: Any) -> _Reply:
    """Return the text and token counts of a completion; raises ``ValueError`` for none."""
    choices = getattr(result, "choices", None)
    if not choices:
        raise ValueError("no choices")
    choice = choices[0]
    if getattr(choice, "finish_reason", "") == "length":
        raise ValueError("cut off")
    message = getattr(choice, "message", None)
    text = getattr(message, "content", None)
    if getattr(message, "refusal", None):
        raise ValueError("refused")
    usage = getattr(result, "usage", None)
    counts = (getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None))
    whole = [c if isinstance(c, int) else None for c in counts]
    return _Reply(text if isinstance(text, str) else "", whole[0], whole[1])


async def _read_stream(stream: Any, on_text: OnText) -> _Reply:
    """Return the text of a streamed completion, telling it as it grows."""
    text, ended, counts = "", "", (None, None)
    async for chunk in stream:
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            counts = (usage.prompt_tokens, usage.completion_tokens)
        for choice in (getattr(chunk, "choices", None) or [])[:1]:
            ended = choice.finish_reason or ended
            piece = getattr(choice.delta, "content", None)
            if piece:
                text += piece
                on_text(text)
    if ended == "length":
        raise ValueError("cut off")
    return _Reply(text, *counts)


def _with_error(exchange: Exchange, error: str) -> Exchange:
    values = {name: getattr(exchange, name) for name in Exchange.__slots__}
    return Exchange(**{**values, "error": error})
