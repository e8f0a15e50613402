"""Streaming: prompts stream as they are written; a failing stream ends like a failing answer."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import openai  # noqa: F401  its import takes longer than the limit that these tests set
import pytest

from tests.prompts.misbehaving import Misbehaving, Reply, task_of
from tests.prompts.test_language_models import GOOD, ROUGH, TEXT
from workbench.prompts import PromptWriter, Sessions
from workbench.prompts.language_models.writing.answers import prompt_so_far
from workbench.prompts.model import Draft, Entry, Exchange, Source
from workbench.settings import Settings

T = TypeVar("T")
PIECES = tuple(GOOD[i : i + 40] for i in range(0, len(GOOD), 40))
ODD_CHOICES: tuple[Any, ...] = (None, [{}], [{"delta": None}], [{"delta": {"content": [1]}}])
BROKEN: dict[str, Reply] = {
    "drops mid-stream": Reply.streamed(*PIECES, drop=True),
    "hangs mid-stream": Reply.streamed(*PIECES, stall=True),
    "ends without an end": Reply.streamed(*PIECES[:3], finish_reason=None),
    "sends garbage": Reply.streamed(*PIECES[:3], raw="data: {garbage\n\n"),
    "tells an error": Reply.streamed(*PIECES[:3], raw='data: {"error": {"message": "no"}}\n\n'),
    "sends odd shapes": Reply.streamed(
        *PIECES[:3],
        raw="".join(f"data: {json.dumps({'choices': odd})}\n\n" for odd in ODD_CHOICES),
        drop=True,
    ),
    "is cut off by length": Reply.streamed(*PIECES[:3], finish_reason="length"),
    "refuses": Reply.streamed(
        *PIECES[:3], raw='data: {"choices": [{"index": 0, "delta": {"refusal": "No."}}]}\n\n'
    ),
    "says nothing": Reply.streamed(),
    "does not end": Reply.streamed(*["dog " * 10_000] * 8),
    "is about something else": Reply.streamed('{"prompt": "A tall ship sails by."}'),
}


def _run(settings: Settings, ask: Callable[[PromptWriter], Awaitable[T]]) -> T:
    async def run() -> T:
        writer = PromptWriter(settings)
        try:
            return await ask(writer)
        finally:
            await writer.close()

    return asyncio.run(run())


def _enhance(settings: Settings, on_text: Callable[[str], object]) -> Draft:
    return _run(settings, lambda writer: writer.enhance(ROUGH, on_text=on_text))


def test_the_prompt_is_told_as_it_grows_and_nothing_else_of_the_answer(
    endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.answers(Reply.streamed(*PIECES))
    seen: list[str] = []
    draft = _enhance(settings, seen.append)
    assert (draft.prompt, draft.is_fallback) == (TEXT, False)
    assert seen[-1] == TEXT
    assert len(seen) == len(set(seen)) > 3
    assert all(TEXT.startswith(text) for text in seen)
    said = draft.exchanges[0]
    assert (said.prompt_tokens, said.completion_tokens) == (11, 7)


def test_the_first_words_are_told_while_the_rest_is_not_yet_written(
    endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.answers(Reply.streamed(*PIECES, stall=True))

    async def begin(writer: PromptWriter) -> str:
        first, seen = asyncio.Event(), list[str]()

        def show(text: str) -> None:
            seen.append(text)
            first.set()

        task = asyncio.create_task(writer.enhance(ROUGH, on_text=show))
        await first.wait()
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return seen[0]

    assert TEXT.startswith(_run(settings, begin))


@pytest.mark.parametrize("name", BROKEN)
def test_a_stream_that_breaks_its_promise_leaves_the_composers_text(
    name: str, endpoint: Misbehaving, settings: Settings, impatient: Settings
) -> None:
    endpoint.answers(BROKEN[name])
    draft = _enhance(impatient if name.startswith("hangs") else settings, len)
    assert draft.is_fallback
    assert "dog" in draft.prompt
    assert "built-in composer" in draft.message
    assert draft.exchanges


def test_a_second_attempt_is_told_from_its_beginning(
    endpoint: Misbehaving, settings: Settings
) -> None:
    first = '{"prompt": "A dog that nobody will see again", "scene": 7}'
    endpoint.answers(Reply.streamed(first[:40], first[40:]), Reply.streamed(*PIECES))
    seen: list[str] = []
    draft = _enhance(settings, seen.append)
    assert not draft.is_fallback
    assert "nobody" in seen[1]
    assert seen[-1] == draft.prompt == TEXT


def test_what_fails_in_the_callback_is_logged_and_ends_nothing(
    endpoint: Misbehaving, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answers(Reply.streamed(*PIECES))

    def broken(_text: str) -> None:
        raise ValueError("the screen is gone")

    with caplog.at_level(logging.ERROR):
        draft = _enhance(settings, broken)
    assert not draft.is_fallback
    assert "the screen is gone" in caplog.text


@pytest.mark.parametrize(
    ("refused", "calls"),
    [
        ("stream", [("json_schema", True), ("json_object", True), (None, True), (None, True)]),
        ("stream_options", [("json_schema", True), ("json_object", True), (None, True)]),
        ("response_format", [("json_schema", True), ("json_object", True)]),
    ],
)
def test_what_an_endpoint_refuses_is_found_out_once_and_remembered(
    refused: str, calls: list[tuple[str | None, bool]], endpoint: Misbehaving, settings: Settings
) -> None:
    def behave(asked: dict[str, Any]) -> Reply:
        if asked.get(refused):
            return Reply(status=422)
        return Reply.streamed(*PIECES) if asked.get("stream") else Reply(GOOD)

    endpoint.behaviour = behave

    async def twice(writer: PromptWriter) -> list[bool]:
        return [(await writer.enhance(ROUGH, on_text=len)).is_fallback for _ in range(2)]

    assert _run(settings, twice) == [False, False]
    *first, last, again = endpoint.requests
    asked = [((r.get("response_format") or {}).get("type"), bool(r.get("stream"))) for r in first]
    assert asked == calls
    for one in (last, again):
        assert not one.get(refused)
        assert bool(one.get("stream")) == (refused != "stream")
    if refused == "stream":
        assert again["response_format"]["type"] == "json_schema"


def test_an_endpoint_that_names_what_it_refuses_is_asked_at_most_twice(
    endpoint: Misbehaving, settings: Settings
) -> None:
    def behave(asked: dict[str, Any]) -> Reply:
        if "stream_options" in asked:
            message = b'{"error": {"message": "Unknown parameter: stream_options."}}'
            return Reply(status=400, body=message)
        return Reply.streamed(*PIECES)

    endpoint.behaviour = behave
    assert not _enhance(settings, len).is_fallback
    assert len(endpoint.requests) == 2
    assert endpoint.requests[1]["response_format"]["type"] == "json_schema"


def test_an_answer_that_comes_whole_in_spite_of_the_wish_is_taken(
    endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.answers(Reply(GOOD))

    async def twice(writer: PromptWriter) -> list[Draft]:
        return [await writer.enhance(ROUGH, on_text=len) for _ in range(2)]

    drafts = _run(settings, twice)
    assert [(d.prompt, d.is_fallback) for d in drafts] == [(TEXT, False)] * 2
    assert drafts[0].exchanges[0].completion_tokens == 7
    assert [bool(r.get("stream")) for r in endpoint.requests] == [True, False]


def test_a_refusal_of_everything_is_not_held_against_the_endpoint(
    endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.answers(Reply(status=400))

    async def then_good(writer: PromptWriter) -> list[bool]:
        first = await writer.enhance(ROUGH, on_text=len)
        endpoint.answers(Reply.streamed(*PIECES))
        return [first.is_fallback, (await writer.enhance(ROUGH, on_text=len)).is_fallback]

    assert _run(settings, then_good) == [True, False]
    last = endpoint.requests[-1]
    assert last["stream"] is True
    assert last["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ('{"scene": {"negative_prompt": "blur"}, "prompt": "A d', "A d"),
        ('{"prompt": "A \\"big\\" dog \\', 'A "big" dog'),
        ('{"prompt": "A caf\\u00e9 \\ud83d', "A café"),
        ('{"prompt": "A dog\nruns', "A dog runs"),
        ('{"prompt": "A <b>dog</b> runs <scr', "A dog runs"),
        ('{"prompt": "A dog <script>alert(1)', "A dog"),
        ('{"prom', ""),
        ("Sure! Here is your prompt:", ""),
    ],
)
def test_of_an_unfinished_answer_only_the_readable_prompt_is_shown(answer: str, text: str) -> None:
    assert prompt_so_far(answer) == text


def _variation(asked: dict[str, Any]) -> Reply:
    listed = [
        {"prompt": f"A dog runs on the pier in {w}.", "scene": {"weather": w}, "name": f"In {w}"}
        for w in ("rain", "snow", "fog", "mist", "hail", "wind")
    ]
    text = json.dumps({"variations": listed})
    return Reply.streamed(*(text[i : i + 9] for i in range(0, len(text), 9)))


def test_variations_are_kept_and_told_as_each_is_written_and_asked_for_in_one_call(
    endpoint: Misbehaving, settings: Settings
) -> None:
    shown = threading.Event()

    def behave(asked: dict[str, Any]) -> Reply:
        if "idea" in task_of(asked):
            return Reply(GOOD)
        reply = _variation(asked)
        # The second half is not written before the first half's prompts are on the screen.
        reply.gate = shown
        return reply

    endpoint.behaviour = behave
    told: list[Entry] = []
    kept_when_told: list[int] = []
    kept_said: list[Exchange] = []

    async def journey(_writer: PromptWriter) -> tuple[Entry, ...]:
        sessions = Sessions(settings)
        session_id, _ = await sessions.enhance(ROUGH)

        def show(entry: Entry) -> None:
            told.append(entry)
            shown.set()
            kept_when_told.append(len(sessions.history(session_id)))

        entries = await sessions.variations(session_id, [0], 9, on_entry=show)
        kept_said.extend(sessions.transcript(session_id, entries[1].index))
        await sessions.language.close()
        sessions.close()
        return entries

    entries = _run(settings, journey)
    assert len(entries) == 9
    assert {e.index for e in told} == {e.index for e in entries[1:]}
    assert [e.source for e in told] == [Source.PROVIDER] * 6 + [Source.SUBSTITUTE] * 2
    assert kept_when_told[0] < 5
    assert [e.request for e in entries[1:3]] == ["In rain", "In snow"]
    counts = [task_of(asked)["count"] for asked in endpoint.requests[1:]]
    assert counts == [8, 2]  # those that are missing are asked for once more
    assert "In rain" in json.dumps(task_of(endpoint.requests[2])["avoid"])
    assert len(kept_said) == 2


def test_a_builtin_set_is_told_whole(settings: Settings) -> None:
    builtin = settings.model_copy(update={"language_provider": "builtin"})
    told: list[Entry] = []

    async def journey(_writer: PromptWriter) -> tuple[Entry, ...]:
        sessions = Sessions(builtin)
        session_id, _ = await sessions.enhance(ROUGH, on_text=pytest.fail)
        entries = await sessions.variations(session_id, [0], on_entry=told.append)
        await sessions.language.close()
        sessions.close()
        return entries

    assert _run(builtin, journey)[1:] == tuple(told)
