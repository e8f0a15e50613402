"""Asks an OpenAI-compatible endpoint for JSON: ladder of structured output, retries, time limits.

Remembers what each endpoint can do. Knows nothing of prompts; never reveals a key.
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
    has_video,
    without_pictures,
)
from workbench.prompts.language_models.endpoint.questions import (
    JsonQuestion,
    Question,
    ToolQuestion,
)
from workbench.prompts.language_models.endpoint.replies import (
    CutOff,
    Refused,
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
_LONGEST_REASON: Final = 40
_SHORTEST_SECRET: Final = 8
"""Minimum characters of a key that is removed from replies."""
_CUT_OFF: Final = (
    "The language model's answer was cut off: its limit of tokens (max_tokens) is too small."
)


@dataclass(slots=True)
class ChatEndpoint:
    """One endpoint and model. ``timeout_s`` bounds a whole question, retries included."""

    base_url: str
    model: str
    api_key: str = field(repr=False, default="")
    timeout_s: float = 60.0
    retries: int = 2
    abilities: Abilities = field(default_factory=Abilities)
    """What this endpoint is known to support."""
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
        """Return a validated answer and the exchanges; retries once after an invalid answer.

        ``on_text`` is called by the event loop with the answer so far, where the endpoint can
        stream; each attempt starts from an empty text.

        Raises :class:`ChatFailure` within ``timeout_s`` at the latest.
        """
        said: list[Exchange] = []
        try:
            async with asyncio.timeout(self.timeout_s):
                shows = self.abilities.can_watch and has_video(messages)
                ask = self._ask_with_video if shows else self._ask
                return await ask(list(messages), answer, said, on_text), tuple(said)
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

        ``on_text`` is called by the event loop with the text beside the calls so far, where the
        endpoint can stream. The move is None if the endpoint refuses tools; that is remembered.
        Raises :class:`ChatFailure` within ``timeout_s`` when no answer comes.
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

    async def _ask_with_video(
        self,
        messages: Sequence[Message],
        answer: type[Answer],
        said: list[Exchange],
        on_text: OnText | None,
    ) -> Answer:
        """Return the answer to a question with a video; drops the video after half the time.

        An endpoint that answers only without it is not sent a video again.
        """
        limit_s = self.timeout_s / 2
        try:
            async with asyncio.timeout(limit_s):
                return await self._ask(list(messages), answer, said, on_text)
        except TimeoutError:
            problem = f"The language model did not answer about a video within {limit_s:g} s."
            said.append(self._exchange(messages, Reply(""), problem, limit_s))
        before, self.abilities = self.abilities, replace(self.abilities, can_watch=False)
        try:
            return await self._ask(list(messages), answer, said, on_text)
        except (ChatFailure, asyncio.CancelledError):
            self.abilities = before
            raise

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
        """Use the best options that the endpoint supports, and step down after each refusal.

        Returns None if it refuses tools.
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
                told = f"{error.message} {error.body}"
                if able.can_watch and has_video(messages):
                    blind = able.after_video_refusal(error.status_code, told)
                    if blind is not None:
                        able = blind
                        continue
                less = question.after_refusal(
                    able,
                    error.status_code,
                    told,
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
                if isinstance(error, Refused):
                    problem = "The language model refused to answer."
                said.append(self._exchange(messages, Reply(""), problem, time.monotonic() - begun))
                if able.can_watch and has_video(messages):
                    able = replace(able, can_watch=False)
                    continue
                raise ChatFailure(problem, said) from None
            if isinstance(question, ToolQuestion):
                self._tools_were_refused = False
            # Only a success is remembered: a refusal may be due to the question itself.
            self.abilities = replace(
                able,
                can_stream=able.can_stream and not reply.came_whole,
                can_call_tools=able.can_call_tools and not self._tools_were_refused,
            )
            said.append(self._exchange(messages, reply, "", time.monotonic() - begun))
            return reply
        # An endpoint that has called tools before supports them: this is another failure.
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
        """Return the message for an answer that did not come in time."""
        return f"The language model did not answer within {self.timeout_s:g} s."

    async def _after_status(self, status: int) -> None:
        """Close the connection after a refused key, so that the next question reads it again."""
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
            finish_reason=reply.finish_reason[:_LONGEST_REASON],
        )

    @property
    def _secret(self) -> str:
        """The key, unless it is short: a placeholder such as ``EMPTY`` is an ordinary word."""
        return self.api_key if len(self.api_key) >= _SHORTEST_SECRET else ""

    def _take_key_out(self, reply: Reply) -> None:
        """Remove a quoted key from the reply, so that no prompt or message holds it."""
        if not (key := self._secret):
            return
        reply.text = reply.text.replace(key, "[key]")
        for call in reply.calls:
            given = getattr(getattr(call, "function", None), "arguments", None)
            if isinstance(given, str):
                call.function.arguments = given.replace(key, "[key]")

    def _without_key(self, on_text: OnText) -> OnText:
        """Return ``on_text`` with the key removed, also a partial one at the end of the text."""
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
    """Return the HTTP library of the client, which raises its own errors for a broken body."""
    return importlib.import_module("httpx2")


def _said(reply: Reply) -> str:
    """Return an answer as it is stored: its text, or its calls as JSON."""
    if not reply.calls:
        return reply.text
    return json.dumps(read_turn(reply.calls, reply.text).message, ensure_ascii=False)


def _with_error(exchange: Exchange, error: str) -> Exchange:
    values = {name: getattr(exchange, name) for name in Exchange.__slots__}
    return Exchange(**{**values, "error": error})
