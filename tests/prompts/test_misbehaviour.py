"""Every misbehaviour against every task: enhance, vary and the agent, whole and streamed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import openai  # noqa: F401  its import takes longer than the limit that these tests set
import pytest

from tests.prompts.agent.test_conversation import Desktop
from tests.prompts.misbehaving import KEY, Misbehaving, Reply
from tests.prompts.test_language_models import BEFORE, GOOD, NONSENSE, ROUGH, SLOW, TEXT
from tests.prompts.test_streaming import BROKEN
from workbench.prompts import PromptWriter
from workbench.prompts.agent.conversation import Outcome, converse
from workbench.prompts.model import ChatFailure, Draft, Source, Variation
from workbench.settings import Settings
from workbench.studio import Studio

Answered = Callable[[dict[str, Any]], Reply]

NIGHT: Final = {"kind": "edit_field", "field": "time_of_day", "value": "night"}
VARIED: Final = [
    {"prompt": f"A dog runs on the pier in {w}.", "scene": {"weather": w}, "name": f"In {w}"}
    for w in ("rain", "snow")
]
ACTED: Final = {"actions": [NIGHT], "message": "Night it is."}
ALL: Final[Mapping[str, list[Reply]]] = {
    **NONSENSE,
    **{f"stream {name}": [reply] for name, reply in BROKEN.items()},
}
WAITED_FOR: Final = SLOW | {"stream hangs mid-stream"}


def chosen(name: str, settings: Settings, impatient: Settings) -> Settings:
    return impatient if name in WAITED_FOR else settings


def enhanced(settings: Settings, *, streamed: bool) -> Draft:
    async def run() -> Draft:
        writer = PromptWriter(settings)
        try:
            return await writer.enhance(ROUGH, on_text=len if streamed else None)
        finally:
            await writer.close()

    return asyncio.run(run())


def varied(settings: Settings) -> list[Variation]:
    """Return two variations; they are always streamed."""

    async def run() -> list[Variation]:
        writer = PromptWriter(settings)
        try:
            return await writer.vary([(TEXT, BEFORE)], 2)
        finally:
            await writer.close()

    return asyncio.run(run())


def acted(settings: Settings, *, streamed: bool) -> tuple[Outcome, Desktop]:
    """Play one turn of the agent."""
    workplace = Desktop()

    async def run() -> Outcome:
        writer = PromptWriter(settings)
        assert writer.endpoint is not None
        try:
            tell = len if streamed else None
            return await converse(writer.endpoint, "make it late", workplace, on_text=tell)
        finally:
            await writer.close()

    return asyncio.run(run()), workplace


@pytest.mark.parametrize("name", sorted(set(ALL) - {f"stream {name}" for name in BROKEN}))
def test_a_streamed_question_ends_in_the_composers_text(
    name: str, endpoint: Misbehaving, settings: Settings, impatient: Settings
) -> None:
    endpoint.answers(*ALL[name])
    draft = enhanced(chosen(name, settings, impatient), streamed=True)
    assert draft.is_fallback
    assert "dog" in draft.prompt
    assert KEY not in draft.message + repr(draft.exchanges)


@pytest.mark.parametrize("name", sorted(f"stream {name}" for name in BROKEN))
def test_variations_that_break_off_are_filled_and_marked(
    name: str, endpoint: Misbehaving, settings: Settings, impatient: Settings
) -> None:
    endpoint.answers(*ALL[name])
    made = varied(chosen(name, settings, impatient))
    assert len({v.prompt for v in made} | {TEXT}) == 3
    assert {v.source for v in made} <= {Source.FALLBACK, Source.SUBSTITUTE}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", sorted(ALL))
def test_a_turn_changes_nothing_and_says_so(
    name: str, streamed: bool, endpoint: Misbehaving, settings: Settings, impatient: Settings
) -> None:
    endpoint.answers(*ALL[name])
    with pytest.raises(ChatFailure) as failed:
        acted(chosen(name, settings, impatient), streamed=streamed)
    assert str(failed.value).startswith("The language model")
    assert failed.value.exchanges
    assert KEY not in str(failed.value) + repr(failed.value.exchanges)


@pytest.mark.parametrize("name", ["server error", "html", "malformed json", "stream sends garbage"])
def test_the_rules_then_do_what_was_asked(
    name: str, endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.answers(*ALL[name])
    with Studio(settings) as studio:
        session_id, _ = studio.run(studio.enhance(ROUGH))
        asked = studio.update(session_id, "make it night", on_text=len)
        revision, entry = studio.run(asked)
    assert entry is not None
    assert revision.is_fallback
    assert (revision.scene.time_of_day, entry.scene.time_of_day) == ("night", "night")
    assert "The built-in rules answered instead." in revision.message


def good(asked: dict[str, Any]) -> str:
    """Return what a model that knows no tools answers to each task."""
    told = json.dumps(asked["messages"])
    if '"actions"' in told.replace("\\", ""):
        return json.dumps(ACTED)
    return json.dumps({"variations": VARIED}) if '"count"' in told.replace("\\", "") else GOOD


def told(asked: dict[str, Any], text: str) -> Reply:
    """Answer in the way that was asked for."""
    if not asked.get("stream"):
        return Reply(text)
    return Reply.streamed(*(text[i : i + 9] for i in range(0, len(text), 9)))


def refuse_system(asked: dict[str, Any]) -> Reply:
    if asked["messages"][0]["role"] == "system":
        return Reply(status=400, body=b'{"error": {"message": "System role not supported"}}')
    return told(asked, good(asked))


def break_on_schema(asked: dict[str, Any]) -> Reply:
    broken = "tools" in asked or asked.get("response_format", {}).get("type") == "json_schema"
    return Reply(status=500) if broken else told(asked, good(asked))


def cut_off(asked: dict[str, Any]) -> Reply:
    text = good(asked)
    if "max_tokens" in asked:
        return told(asked, text)
    if not asked.get("stream"):
        return Reply(text[:9], finish_reason="length")
    return Reply.streamed(text[:9], finish_reason="length")


def think_aloud(asked: dict[str, Any]) -> Reply:
    draft = {
        "prompt": "A cat.",
        "actions": [{"kind": "render"}],
        "message": "No.",
        "variations": [],
    }
    return told(asked, f"<think>{json.dumps(draft)}</think>{good(asked)}")


def answer_in_parts(asked: dict[str, Any]) -> Reply:
    text = good(asked)
    parts = [{"type": "text", "text": text[:9]}, {"type": "text", "text": text[9:]}]
    message = {"role": "assistant", "content": parts}
    whole = {
        "id": "c1", "object": "chat.completion", "created": 1, "model": "fake",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }  # fmt: skip
    return Reply(body=json.dumps(whole).encode())


ODD: Final[tuple[Answered, ...]] = (
    refuse_system,
    break_on_schema,
    cut_off,
    think_aloud,
    answer_in_parts,
)


@pytest.mark.parametrize("behaviour", ODD, ids=lambda one: one.__name__)
def test_an_odd_endpoint_writes_varies_and_acts_whole_and_streamed(
    behaviour: Answered, endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.behaviour = behaviour
    patient = settings.model_copy(update={"language_retries": 0})
    for streamed in (False, True):
        draft = enhanced(patient, streamed=streamed)
        assert (draft.prompt, draft.is_fallback) == (TEXT, False)
        outcome, workplace = acted(patient, streamed=streamed)
        assert workplace.scene.time_of_day == "night"
        assert [action.kind for action in outcome.actions] == ["edit_field"]
        assert outcome.message == "Night it is."
    assert {v.source for v in varied(patient)} == {Source.PROVIDER}


def called(*calls: Any, text: str | None = None, ended: str | None = "tool_calls") -> Answered:
    """Answer the first question with tool calls as they are given, later ones with a text."""
    seen: list[int] = []

    def behave(asked: dict[str, Any]) -> Reply:
        seen.append(1)
        if len(seen) > 1:
            return told(asked, "Night it is.")
        if not asked.get("stream"):
            message = {"role": "assistant", "content": text, "tool_calls": list(calls)}
            choice = {"index": 0, "message": message, "finish_reason": ended}
            whole = {"id": "c", "object": "chat.completion", "created": 1, "choices": [choice]}
            return Reply(body=json.dumps(whole).encode())
        events = [{"delta": {"content": text}, "index": 0, "finish_reason": None}]
        events += [
            {"delta": {"tool_calls": [piece]}, "index": 0, "finish_reason": None}
            for call in calls
            for piece in pieces_of(call)
        ]
        events.append({"delta": {}, "index": 0, "finish_reason": ended})
        lines = [f"data: {json.dumps({'id': 'c', 'choices': [event]})}\n\n" for event in events]
        body = "".join([*lines, "data: [DONE]\n\n"]).encode()
        return Reply(body=body, headers={"Content-Type": "text/event-stream"})

    return behave


def pieces_of(call: Any) -> list[Any]:
    """Return a call as a stream brings it: its name, then its arguments in two pieces."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return [call]
    given = function["arguments"]
    rest = [{"index": call.get("index"), "function": {"arguments": given[5:]}}]
    return [{**call, "function": {**function, "arguments": given[:5]}}, *rest]


def one(name: Any, arguments: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "c1", "index": 0, "type": "function",
        "function": {"name": name, "arguments": arguments}, **more,
    }  # fmt: skip


NIGHT_CALL: Final = ("edit_field", json.dumps({"field": "time_of_day", "value": "night"}))
FOG_CALL: Final = ("edit_field", json.dumps({"field": "weather", "value": "fog"}))


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "calls",
    [
        [one(*NIGHT_CALL), one(*FOG_CALL, id="c2", index=1)],
        [one(*NIGHT_CALL), one(*FOG_CALL, id="c2")],  # every call has the index 0
        [one(*NIGHT_CALL, index=None), one(*FOG_CALL, id="c2", index=None)],
        [one(*NIGHT_CALL), one("fly", "{}", id="c2", index=1), one(*FOG_CALL, id="c3", index=2)],
        [one(*NIGHT_CALL), one("star", '{"en', id="c2", index=1), one(*FOG_CALL, id="3", index=2)],
        [one(*NIGHT_CALL), one("star", "[1]", id="c2", index=1), one(*FOG_CALL, id="3", index=2)],
        [one(*NIGHT_CALL), one(None, None, id="c2", index=1), one(*FOG_CALL, id="c3", index=2)],
    ],
)
def test_calls_that_can_be_read_are_carried_out_beside_those_that_cannot(
    calls: list[Any], streamed: bool, endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.behaviour = called(*calls)
    outcome, workplace = acted(settings, streamed=streamed)
    assert (workplace.scene.time_of_day, workplace.scene.weather) == ("night", "fog")
    assert outcome.message == "Night it is."


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_thousand_calls_are_cut_off(
    streamed: bool, endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.behaviour = called(
        *(
            one(
                "edit_field",
                json.dumps({"field": "mood", "value": f"mood {n}"}),
                id=f"{n}",
                index=n,
            )
            for n in range(1_000)
        )
    )
    _, workplace = acted(settings, streamed=streamed)
    assert 0 < len(workplace.done) <= 64


def test_a_stream_that_ends_within_a_call_does_nothing(
    endpoint: Misbehaving, settings: Settings
) -> None:
    endpoint.behaviour = called(one(*NIGHT_CALL), ended=None)
    with pytest.raises(ChatFailure, match="could not be reached or understood"):
        acted(settings, streamed=True)


def test_an_endpoint_that_streams_text_alone_is_asked_for_calls_whole(
    endpoint: Misbehaving, settings: Settings
) -> None:
    calls = called(one(*NIGHT_CALL))

    def behave(asked: dict[str, Any]) -> Reply:
        if asked.get("stream") and "tools" in asked:
            return Reply(status=400)
        return calls(asked)

    endpoint.behaviour = behave
    outcome, workplace = acted(settings, streamed=True)
    assert workplace.scene.time_of_day == "night"
    assert outcome.message == "Night it is."
    assert [bool(asked.get("stream")) for asked in endpoint.requests] == [True, False, False]


def test_what_the_agent_says_is_told_as_it_grows_without_its_thoughts(
    endpoint: Misbehaving, settings: Settings
) -> None:
    calls = called(one(*NIGHT_CALL))

    def behave(asked: dict[str, Any]) -> Reply:
        first = not endpoint.requests[1:]
        return (
            calls(asked) if first else told(asked, "<think>Hm, <b>so</b></think>Night it is now.")
        )

    endpoint.behaviour = behave
    heard: list[str] = []

    async def run() -> Outcome:
        writer = PromptWriter(settings)
        assert writer.endpoint is not None
        try:
            place = Desktop()
            return await converse(writer.endpoint, "make it late", place, on_text=heard.append)
        finally:
            await writer.close()

    assert asyncio.run(run()).message == "Night it is now."
    assert len(heard) > 1
    assert all("Night it is now.".startswith(text) for text in heard)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_key_that_the_endpoint_quotes_is_taken_out_of_prompts_messages_and_calls(
    streamed: bool, endpoint: Misbehaving, settings: Settings
) -> None:
    quoted = GOOD.replace("wet pier", f"wet pier {KEY}")
    act = called(one("edit_field", json.dumps({"field": "mood", "value": f"like {KEY}"})))

    def behave(asked: dict[str, Any]) -> Reply:
        if "tools" not in asked:
            return told(asked, quoted)
        acted_before = any(message["role"] == "tool" for message in asked["messages"])
        return told(asked, f"The key is {KEY}, I think.") if acted_before else act(asked)

    endpoint.behaviour = behave
    heard: list[str] = []

    async def run() -> tuple[Draft, Outcome]:
        writer = PromptWriter(settings)
        assert writer.endpoint is not None
        tell = heard.append if streamed else None
        try:
            draft = await writer.enhance(ROUGH, on_text=tell)
            turn = await converse(writer.endpoint, "make it late", Desktop(), on_text=tell)
        finally:
            await writer.close()
        return draft, turn

    draft, turn = asyncio.run(run())
    assert draft.is_fallback  # a prompt with something taken out is none
    assert "The key is [key], I think." in turn.message
    assert "[key]" in repr(turn.actions)
    assert bool(heard) is streamed
    said = repr((draft, turn)) + "".join(heard)
    assert KEY not in said
    assert KEY[:12] not in said
