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
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from workbench.prompts.language_models.endpoint.abilities import (
    Abilities,
    has_pictures,
    without_pictures,
)
from workbench.prompts.language_models.endpoint.questions import (
    JsonQuestion,
    Question,
    ToolQuestion,
)
from workbench.prompts.language_models.endpoint.replies import (
    CutOff,
    Reply,
    read_body,
    read_reply,
    read_stream,
)
from workbench.prompts.language_models.endpoint.tool_calls import ToolCall, Turn, read_turn
from workbench.prompts.language_models.writing.answers import json_in
from workbench.prompts.model import ChatFailure, Exchange, OnText

__all__ = ["ChatEndpoint", "Message", "ToolCall", "Turn"]

Answer = TypeVar("Answer", bound=BaseModel)
Message = Mapping[str, Any]

_LONGEST_KEPT: Final = 40_000
_REFUSED_KEY: Final = frozenset({401, 403})
_MOST_TOKENS: Final = 4_096
_SHORTEST_SECRET: Final = 8
"""Characters from which a key is taken out of what the endpoint says."""
_CUT_OFF: Final = (
    "The language model's answer was cut off: its limit of tokens (max_tokens) is too small."
)


@dataclass(slots=True)
class ChatEndpoint:
    """One endpoint and model. ``timeout_s`` bounds a whole question, retries and all."""

    base_url: str
    model: str
    api_key: str = field(repr=False, default="")
    timeout_s: float = 60.0
    retries: int = 2
    abilities: Abilities = field(default_factory=Abilities)
    """What this endpoint can do, as far as is known."""
    find_key: Callable[[], str] | None = field(default=None, repr=False)
    """Returns the stored key: called before the first question, and again after a refused key."""
    _client: Any = field(default=None, repr=False)
    _tools_were_refused: bool = False
    """Whether the last question with tools was refused; remembered once one without them works."""

    async def ask(
        self,
        messages: Sequence[Message],
        answer: type[Answer],
        on_text: OnText | None = None,
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        """Return a validated answer and the exchanges; asks once more where it does not validate.

        ``on_text`` is called by the event loop with the answer so far as it grows, where the
        endpoint can stream; each attempt starts again from nothing.

        Raises :class:`ChatFailure` within ``timeout_s``, whatever the endpoint does.
        """
        said: list[Exchange] = []
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._ask(list(messages), answer, said, on_text), tuple(said)
        except TimeoutError:
            message = self.late_message()
            said.append(self._exchange(messages, Reply(""), message, self.timeout_s))
            raise ChatFailure(message, said) from None

    async def call_tools(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]],
        on_text: OnText | None = None,
    ) -> tuple[Turn | None, tuple[Exchange, ...]]:
        """Return the model's next move with ``tools``, and the exchanges.

        ``on_text`` is called by the event loop with the text beside the calls as it grows, where
        the endpoint can stream. The move is None where the endpoint refuses tools; that is
        remembered, and not asked again. Raises :class:`ChatFailure` within ``timeout_s`` when no
        answer comes.
        """
        if not self.abilities.can_call_tools:
            return None, ()
        said: list[Exchange] = []
        try:
            async with asyncio.timeout(self.timeout_s):
                reply = await self.reply(messages, ToolQuestion(tools), said, on_text)
        except TimeoutError:
            message = self.late_message()
            said.append(self._exchange(messages, Reply(""), message, self.timeout_s))
            raise ChatFailure(message, said) from None
        if reply is None:
            return None, tuple(said)
        if reply.calls:
            self.abilities = replace(self.abilities, has_called_tools=True)
        return read_turn(reply.calls, reply.text), tuple(said)

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
            reply = await self.reply(messages, JsonQuestion(answer), said, on_text)
            if reply is None:
                break
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

    async def reply(
        self,
        messages: Sequence[Message],
        question: Question,
        said: list[Exchange],
        on_text: OnText | None,
    ) -> Reply | None:
        """Ask for the best that the endpoint can do, and for less after each refusal.

        Returns None where it refuses tools.
        """
        openai = await self._library()
        able = self.abilities
        while able.can_call_tools or isinstance(question, JsonQuestion):
            begun = time.monotonic()
            try:
                tell = on_text and self._without_key(on_text)
                reply = await self._complete(openai, messages, question, tell, able)
                self._take_key_out(reply)
            except openai.APIStatusError as error:
                problem = f"The language model answered with status {error.status_code}."
                said.append(self._exchange(messages, Reply(""), problem, time.monotonic() - begun))
                await self._after_status(error.status_code)
                less = question.after_refusal(
                    able,
                    error.status_code,
                    f"{error.message} {error.body}",
                    streamed=on_text is not None and question.can_stream(able),
                    has_picture=able.can_see and has_pictures(messages),
                )
                if less is None:
                    raise ChatFailure(problem, said) from None
                able = less
                continue
            except CutOff:
                said.append(self._exchange(messages, Reply(""), _CUT_OFF, time.monotonic() - begun))
                if able.max_tokens is not None:
                    raise ChatFailure(_CUT_OFF, said) from None
                able = replace(able, max_tokens=_MOST_TOKENS)
                continue
            except (openai.OpenAIError, _transport().HTTPError, ValueError, OSError) as error:
                kind = type(error).__name__
                problem = f"The language model could not be reached or understood ({kind})."
                said.append(self._exchange(messages, Reply(""), problem, time.monotonic() - begun))
                raise ChatFailure(problem, said) from None
            if isinstance(question, ToolQuestion):
                self._tools_were_refused = False
            # Only what worked is remembered: a refusal of all may be due to what was asked.
            self.abilities = replace(
                able,
                can_stream=able.can_stream and not reply.came_whole,
                can_call_tools=able.can_call_tools and not self._tools_were_refused,
            )
            said.append(self._exchange(messages, reply, "", time.monotonic() - begun))
            return reply
        # An endpoint that has called tools is merely failing.
        self._tools_were_refused = not able.has_called_tools
        return None

    async def _complete(
        self,
        openai: Any,
        messages: Sequence[Message],
        question: Question,
        on_text: OnText | None,
        able: Abilities,
    ) -> Reply:
        client = self._connected(openai)
        options = {
            "model": self.model,
            "messages": able.messages(messages),
            **question.options(able),
            **able.length_options(),
        }
        if on_text is None or not question.can_stream(able):
            return read_reply(await client.chat.completions.create(**options))
        options |= able.stream_options()
        stream = await client.chat.completions.create(**options, stream=True)
        if "event-stream" in stream.response.headers.get("Content-Type", ""):
            return await read_stream(stream, on_text)
        return read_body(await stream.response.aread())

    async def _library(self) -> Any:
        """Return the client library; looks the key up before the first question."""
        openai = await asyncio.to_thread(importlib.import_module, "openai")
        if self._client is None and self.find_key is not None:
            self.api_key = await asyncio.to_thread(self.find_key)
        return openai

    def late_message(self) -> str:
        """Return what to say where no answer came in time."""
        return f"The language model did not answer within {self.timeout_s:g} s."

    async def _after_status(self, status: int) -> None:
        """Look the key up again for the next question after a refused one."""
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
        self, messages: Sequence[Mapping[str, Any]], reply: Reply, error: str, duration_s: float
    ) -> Exchange:
        return Exchange(
            model=self.model,
            request=self._redacted(
                json.dumps([without_pictures(m) for m in messages], ensure_ascii=False)
            ),
            answer=self._redacted(_said(reply)),
            error=self._redacted(error),
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            duration_s=round(duration_s, 3),
        )

    @property
    def _secret(self) -> str:
        """The key, unless it is short: a placeholder such as ``EMPTY`` is also an ordinary word."""
        return self.api_key if len(self.api_key) >= _SHORTEST_SECRET else ""

    def _take_key_out(self, reply: Reply) -> None:
        """Remove a key that the endpoint quotes, so that no prompt or message holds it."""
        if not (key := self._secret):
            return
        reply.text = reply.text.replace(key, "[key]")
        for call in reply.calls:
            given = getattr(getattr(call, "function", None), "arguments", None)
            if isinstance(given, str):
                call.function.arguments = given.replace(key, "[key]")

    def _without_key(self, on_text: OnText) -> OnText:
        """Return ``on_text`` with the key, or its beginning at the end of the text, removed."""
        if not (key := self._secret):
            return on_text

        def tell(text: str) -> None:
            shown = text.replace(key, "[key]")
            open_end = next((n for n in range(len(key) - 1, 3, -1) if shown.endswith(key[:n])), 0)
            on_text(shown[: len(shown) - open_end])

        return tell

    def _redacted(self, text: str) -> str:
        kept = text[:_LONGEST_KEPT]
        return kept.replace(self.api_key, "[key]") if self.api_key else kept


def _transport() -> Any:
    """Return the HTTP library below the client, which raises errors of its own for a broken body."""
    return importlib.import_module("httpx2")


def _said(reply: Reply) -> str:
    """Return an answer as it is kept: its text, or its calls as JSON."""
    if not reply.calls:
        return reply.text
    return json.dumps(read_turn(reply.calls, reply.text).message, ensure_ascii=False)


def _with_error(exchange: Exchange, error: str) -> Exchange:
    values = {name: getattr(exchange, name) for name in Exchange.__slots__}
    return Exchange(**{**values, "error": error})
