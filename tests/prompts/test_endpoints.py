"""Endpoints that think aloud, refuse a role or a schema, or cut answers off: learnt once, remembered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.prompts.misbehaving import Misbehaving, Reply
from workbench.prompts.language_models.writing.answers import Enhanced, json_in, prompt_so_far
from workbench.prompts.model import Draft
from workbench.prompts.writer import PromptWriter
from workbench.settings import Settings

GOOD = json.dumps({"prompt": "A dog runs along the beach.", "scene": {"subject": "a dog"}})
DRAFT = json.dumps({"prompt": "A cat sleeps.", "scene": {"subject": "a cat"}})


@pytest.mark.parametrize(
    "answer",
    [
        f"<think>First try: {DRAFT}</think>{GOOD}",
        f"<think>\n```json\n{DRAFT}\n```\n</think>\n```json\n{GOOD}\n```",
        f"Let me see. {DRAFT} No.</think>{GOOD}",
        f"<Thinking>{DRAFT}</Thinking> {GOOD}",
    ],
)
def test_what_a_model_thinks_before_it_answers_is_no_answer(answer: str) -> None:
    assert json_in(answer)["prompt"] == "A dog runs along the beach."


def test_a_thought_is_not_shown_while_it_grows() -> None:
    thought = f"<think>Maybe {DRAFT}"
    assert prompt_so_far(thought) == ""
    assert prompt_so_far(f"{thought}</think>" + '{"prompt": "A dog ru') == "A dog ru"


def _enhanced(settings: Settings, times: int = 1) -> list[Draft]:
    async def run() -> list[Draft]:
        writer = PromptWriter(settings)
        try:
            return [await writer.enhance("a dog on the beach") for _ in range(times)]
        finally:
            await writer.close()

    return asyncio.run(run())


def test_a_model_without_a_system_role_gets_it_in_the_users_message(
    endpoint: Misbehaving, settings: Settings
) -> None:
    def behave(asked: dict[str, Any]) -> Reply:
        if asked["messages"][0]["role"] == "system":
            return Reply(status=400, body=b'{"error": {"message": "System role not supported"}}')
        return Reply(GOOD)

    endpoint.behaviour = behave
    drafts = _enhanced(settings, 2)
    assert [draft.is_fallback for draft in drafts] == [False, False]
    roles = [[m["role"] for m in asked["messages"]] for asked in endpoint.requests]
    assert roles == [["system", "user"], ["user"], ["user"]]


def test_an_endpoint_that_breaks_on_a_schema_is_asked_for_less(
    endpoint: Misbehaving, settings: Settings
) -> None:
    def behave(asked: dict[str, Any]) -> Reply:
        kind = asked.get("response_format", {}).get("type")
        return Reply(status=500) if kind == "json_schema" else Reply(GOOD)

    endpoint.behaviour = behave
    chosen = settings.model_copy(update={"language_retries": 0})
    assert [draft.is_fallback for draft in _enhanced(chosen, 2)] == [False, False]
    kinds = [asked.get("response_format", {}).get("type") for asked in endpoint.requests]
    assert kinds == ["json_schema", "json_object", "json_object"]


def test_the_schema_asks_no_grammar_for_texts_of_thousands() -> None:
    assert "maxLength" not in json.dumps(Enhanced.model_json_schema())


def test_content_as_a_list_of_parts_is_read(endpoint: Misbehaving, settings: Settings) -> None:
    half = len(GOOD) // 2
    parts = [{"type": "text", "text": GOOD[:half]}, {"type": "text", "text": GOOD[half:]}]
    message = {"role": "assistant", "content": parts}
    body = {
        "id": "c1", "object": "chat.completion", "created": 1, "model": "fake",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }  # fmt: skip
    endpoint.answers(Reply(body=json.dumps(body).encode()))
    assert not _enhanced(settings)[0].is_fallback


def test_an_answer_that_is_cut_off_is_asked_for_again_with_room(
    endpoint: Misbehaving, settings: Settings
) -> None:
    def behave(asked: dict[str, Any]) -> Reply:
        if "max_tokens" in asked:
            return Reply(GOOD)
        return Reply(GOOD[:20], finish_reason="length")

    endpoint.behaviour = behave
    assert [draft.is_fallback for draft in _enhanced(settings, 2)] == [False, False]
    assert ["max_tokens" in asked for asked in endpoint.requests] == [False, True, True]


def test_an_endpoint_that_always_cuts_off_is_told_of_in_words(
    endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.answers(Reply(GOOD[:20], finish_reason="length"))
    (draft,) = _enhanced(settings)
    assert draft.is_fallback
    assert "max_tokens" in draft.message
