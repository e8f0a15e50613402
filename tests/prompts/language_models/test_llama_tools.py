"""Tool calls of a real llama.cpp server: its grammar holds a model of random weights to the tools."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import openai
import pytest
from jsonschema import validate

from tests.prompts.agent.test_conversation import Desktop
from tests.prompts.language_models.test_llama_server import ended_after, running, settings_for
from tests.prompts.language_models.tiny_gguf import TOOLS, make_tiny_gguf
from workbench.prompts.agent.conversation import MOST_STEPS, Outcome, converse
from workbench.prompts.agent.tools import tool_specs
from workbench.prompts.language_models.endpoint.chat import ChatEndpoint
from workbench.prompts.language_models.endpoint.replies import read_reply, read_stream
from workbench.prompts.language_models.endpoint.tool_calls import Turn, read_turn
from workbench.prompts.language_models.local.local_endpoint import LocalEndpoint
from workbench.prompts.model import ChatFailure, Exchange
from workbench.settings import Settings

pytest.importorskip("xllamacpp")

LIMIT_S: Final = 240.0
ASKED: Final = (
    {"role": "system", "content": "You change a video with tools."},
    {"role": "user", "content": "Make it night."},
)
FEW: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "type": "function",
        "function": {
            "name": "edit_field",
            "description": "Set one field of the scene.",
            "parameters": {
                "type": "object",
                "properties": {
                    "field": {"enum": ["mood", "weather", "time_of_day"]},
                    "value": {"type": "string"},
                    "strength": {"type": "integer", "minimum": 0, "maximum": 9},
                },
                "required": ["field", "value"],
                "additionalProperties": False,
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "lock",
            "description": "Keep fields as they are.",
            "parameters": {
                "type": "object",
                "properties": {"fields": {"type": "array", "items": {"type": "string"}}},
                "required": ["fields"],
                "additionalProperties": False,
            },
        },
    },
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model whose chat template has tools; frequent words are tokens, for all tools must fit."""
    path = tmp_path_factory.mktemp("models") / "tools.gguf"
    return str(make_tiny_gguf(path, TOOLS, words=frequent()))


def frequent() -> list[str]:
    """Return the words that the agent's tools are told in, for the tokens of a model."""
    said = Counter(re.findall(r"[A-Za-z_]{4,}", json.dumps(tool_specs())))
    return sorted(said, key=lambda word: said[word] * len(word), reverse=True)[:200]


@pytest.fixture(scope="module")
def settings(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One server for all tests, started by the first that asks."""
    settings = settings_for(model, tmp_path_factory.mktemp("tools"))
    settings = settings.model_copy(update={"language_timeout_s": LIMIT_S})
    with ended_after(settings):
        yield settings


def check_fits(turn: Turn, tools: Sequence[Mapping[str, Any]]) -> None:
    """Hold every call against the schema of its tool."""
    schemas = {one["function"]["name"]: one["function"]["parameters"] for one in tools}
    assert turn.calls
    for call in turn.calls:
        assert not call.problem, call
        validate(dict(call.arguments), schemas[call.name])


async def call(
    settings: Settings, tools: Sequence[Mapping[str, Any]], pieces: list[str] | None = None
) -> Turn:
    endpoint = LocalEndpoint.of(settings)
    try:
        tell = None if pieces is None else pieces.append
        turn, said = await endpoint.call_tools(ASKED, tools, tell)
    finally:
        await endpoint.close()
    assert turn is not None
    assert endpoint.abilities.has_called_tools
    assert endpoint.abilities.can_stream
    *failed, exchange = said
    assert all("could not be reached" in one.error for one in failed)  # the server was killed
    assert (exchange.error, bool(exchange.completion_tokens)) == ("", True)
    assert json.loads(exchange.answer)["tool_calls"][0]["function"]["name"] == turn.calls[0].name
    return turn


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_required_calls_fit_their_schema(streamed: bool, settings: Settings) -> None:
    async def ask() -> Turn:
        await LocalEndpoint.of(settings).start()
        server = running(settings)
        assert server is not None
        client = openai.AsyncOpenAI(base_url=server.base_url, api_key=server.key, timeout=LIMIT_S)
        async with client:
            asked: Any = {"model": server.model, "messages": ASKED, "tools": FEW}
            came: Any = await client.chat.completions.create(
                **asked, tool_choice="required", stream=streamed
            )
            reply = await read_stream(came, len) if streamed else read_reply(came)
        return read_turn(reply.calls, reply.text)

    check_fits(asyncio.run(ask()), FEW)


def test_the_agents_own_tools_make_a_grammar_and_its_calls_are_read(settings: Settings) -> None:
    check_fits(asyncio.run(call(settings, tool_specs(), [])), tool_specs())


def test_what_came_of_a_call_goes_back_and_the_next_call_comes(settings: Settings) -> None:
    async def twice() -> Turn:
        endpoint = LocalEndpoint.of(settings)
        try:
            first, _ = await endpoint.call_tools(ASKED, FEW)
            assert first is not None
            told = [first.result_of(one, "Done.") for one in first.calls]
            second, _ = await endpoint.call_tools([*ASKED, first.message, *told], FEW, len)
        finally:
            await endpoint.close()
        assert second is not None
        return second

    check_fits(asyncio.run(twice()), FEW)


def test_two_clients_at_once_each_get_calls_of_their_own(settings: Settings) -> None:
    async def both() -> list[Turn]:
        return list(await asyncio.gather(*(call(settings, FEW, []) for _ in range(2))))

    one, other = asyncio.run(both())
    check_fits(one, FEW)
    check_fits(other, FEW)
    assert {call.id for call in one.calls}.isdisjoint(call.id for call in other.calls)


def test_a_first_question_with_tools_starts_the_server_and_the_next_after_a_kill_starts_it_again(
    model: str, tmp_path: Path
) -> None:
    settings = settings_for(model, tmp_path)
    with ended_after(settings):
        assert running(settings) is None
        check_fits(asyncio.run(call(settings, FEW)), FEW)
        first = running(settings)
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        check_fits(asyncio.run(call(settings, FEW, [])), FEW)
        second = running(settings)
        assert second is not None
        assert second.pid != first.pid


def turn_of(endpoint: ChatEndpoint) -> tuple[Exchange, ...]:
    """Play one turn of the agent; a random model may say nothing at all, which ends it."""

    async def play() -> tuple[Exchange, ...]:
        try:
            turn = await converse(endpoint, "make it night", Desktop(), timeout_s=LIMIT_S)
        except ChatFailure as error:
            return tuple(error.exchanges)
        finally:
            await endpoint.close()
        return turn.exchanges

    return asyncio.run(play())


def names() -> set[str]:
    """Return the names of the agent's tools."""
    return {tool["function"]["name"] for tool in tool_specs()}


def check_json_actions(said: Sequence[Exchange]) -> None:
    """Hold every answer against what the schema asks for."""
    assert said
    for one in said:
        answer = json.loads(one.answer)
        assert isinstance(answer["message"], str)
        assert {action["kind"] for action in answer["actions"]} <= names()


@contextmanager
def serving(model: str, **options: bool) -> Iterator[str]:
    """Serve ``model`` with llama.cpp's own options, in a process of its own."""
    code = (
        "import json, sys, xllamacpp\n"
        "asked = xllamacpp.CommonParams()\n"
        "asked.model.path, asked.port, asked.n_ctx = sys.argv[1], 0, 16384\n"
        "for name, value in json.loads(sys.argv[2]).items(): setattr(asked, name, value)\n"
        "server = xllamacpp.Server(asked)\n"
        "print(server.listening_address, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, model, json.dumps(options)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            yield f"{process.stdout.readline().strip()}/v1"
        finally:
            process.kill()


def test_a_server_that_refuses_tools_is_asked_for_json_actions(model: str) -> None:
    with serving(model, use_jinja=False) as url:
        endpoint = ChatEndpoint(url, "tools", timeout_s=LIMIT_S, retries=0)
        refused, *answered = turn_of(endpoint)
    assert refused.error == "The language model answered with status 500."
    assert not endpoint.abilities.can_call_tools
    check_json_actions(answered)


MOST_TURNS: Final = 8
"""Turns to play until one is of several steps: what a random model does first may end its turn."""


def played(settings: Settings, desktop: Desktop) -> tuple[Outcome | None, LocalEndpoint]:
    """Play one turn; the outcome is None where nothing that the model said could be used."""
    endpoint = LocalEndpoint.of(settings)

    async def play() -> Outcome | None:
        try:
            return await converse(endpoint, "make it night", desktop, timeout_s=LIMIT_S)
        except ChatFailure:
            return None
        finally:
            await endpoint.close()

    return asyncio.run(play()), endpoint


def test_a_whole_turn_of_several_steps_is_played(settings: Settings) -> None:
    for _ in range(MOST_TURNS):
        desktop = Desktop()
        turn, _ = played(settings, desktop)
        answered = [one for one in turn.exchanges if not one.error] if turn else []
        if turn and len(turn.steps) > 1 and len(answered) > 1:
            break
    assert turn is not None
    assert len(turn.steps) > 1
    assert 1 < len(answered) <= MOST_STEPS
    assert list(turn.actions[: len(desktop.done)]) == desktop.done
    assert turn.question or turn.message or turn.is_cut_short
    for before, after in pairwise(answered):
        asked = json.loads(after.request)
        for call in json.loads(before.answer)["tool_calls"]:
            (told,) = [one for one in asked if one.get("tool_call_id") == call["id"]]
            assert {"data"} == set(json.loads(told["content"]))


def test_a_chat_template_without_tools_is_asked_for_json_actions(tmp_path: Path) -> None:
    settings = settings_for(
        str(make_tiny_gguf(tmp_path / "plain.gguf", words=frequent())), tmp_path
    )
    with ended_after(settings):
        for _ in range(MOST_TURNS):
            turn, endpoint = played(settings, Desktop())
            if turn is not None:
                break
    assert turn is not None
    assert not endpoint.abilities.has_called_tools
    ignored, *answered = [one for one in turn.exchanges if not one.error]
    assert "tool_calls" not in ignored.answer
    check_json_actions(answered)
