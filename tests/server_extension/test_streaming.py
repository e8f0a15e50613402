"""Prompts streamed over HTTP from a language model that may break off at any time."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from typing import Any

import httpx
import pytest

from tests.live_server import PATIENCE_S, TOKEN, LiveServer
from tests.prompts.misbehaving import KEY, Misbehaving, Reply, task_of

TEXT = (
    "A small brown dog runs along a wet pier at dusk, low waves breaking beneath the boards. "
    "A handheld camera keeps close to the dog while the last light slides over its coat."
)
GOOD = json.dumps({"prompt": TEXT, "scene": {"subject": "a dog", "action": "running"}})
PIECES = tuple(GOOD[i : i + 20] for i in range(0, len(GOOD), 20))
LIMIT_S = 30
Event = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def model() -> Iterator[Misbehaving]:
    with Misbehaving.running() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def writing(model: Misbehaving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    environment = {
        "WORKBENCH_LANGUAGE_PROVIDER": "openai",
        "WORKBENCH_LANGUAGE_MODEL": "fake",
        "WORKBENCH_LANGUAGE_BASE_URL": model.base_url,
        "WORKBENCH_LANGUAGE_API_KEY": KEY,
        "WORKBENCH_LANGUAGE_TIMEOUT_S": f"{LIMIT_S}",
        "WORKBENCH_LANGUAGE_RETRIES": "0",
    }
    outputs = tmp_path_factory.mktemp("streaming") / "outputs"
    with LiveServer(outputs, environment=environment) as live:
        # The first request waits for imports; do that before the tests.
        live.post("/api/enhance", {"rough_prompt": "dog running"})
        yield live


def _events(server: LiveServer, path: str, body: dict[str, Any]) -> Generator[Event, None, None]:
    headers = {"Authorization": f"token {TOKEN}", "Accept": "text/event-stream"}
    url = f"{server.url}{path}"
    with httpx.stream("POST", url, json=body, headers=headers, timeout=PATIENCE_S) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)


def _enhance(server: LiveServer) -> list[Event]:
    return list(_events(server, "/api/enhance", {"rough_prompt": "dog running"}))


def test_a_prompt_is_streamed_in_events_that_end_with_the_answer(
    writing: LiveServer, model: Misbehaving
) -> None:
    shown = threading.Event()
    model.answers(Reply.streamed(*PIECES, gate=shown))
    events = _events(writing, "/api/enhance", {"rough_prompt": "dog running"})
    first = next(events)
    assert len(first[1]["text"]) < len(TEXT)
    shown.set()  # only now the model writes the other half
    *texts, (last, answer) = (first, *events)
    assert {name for name, _ in texts} == {"text"}
    assert all(TEXT.startswith(data["text"]) for _, data in texts)
    assert last == "answer"
    assert (answer["enhanced_prompt"], answer["is_fallback"]) == (TEXT, False)
    kept = writing.post("/api/history", {"session_id": answer["session_id"]}).json()["history"]
    assert [entry["prompt"] for entry in kept] == [TEXT]


@pytest.mark.parametrize(
    "reply",
    [
        Reply.streamed(*PIECES, drop=True),
        Reply.streamed(*PIECES, stall=True),
        Reply.streamed(*PIECES[:4], raw="data: {garbage\n\n"),
        Reply(status=500),
    ],
    ids=["drops", "hangs", "garbage", "fails"],
)
def test_an_interrupted_model_gives_an_answer_that_says_so(
    reply: Reply, writing: LiveServer, model: Misbehaving
) -> None:
    model.answers(reply)
    events = _enhance(writing)
    assert [name for name, _ in events[:-1]] == ["text"] * (len(events) - 1)
    name, answer = events[-1]
    assert name == "answer"
    assert answer["is_fallback"]
    assert "dog" in answer["enhanced_prompt"]
    assert "built-in composer" in answer["message"]


def test_an_invalid_streaming_request_gets_a_status_and_no_events(writing: LiveServer) -> None:
    headers = {"Accept": "text/event-stream"}
    empty = writing.post("/api/enhance", {"rough_prompt": " "}, headers=headers)
    assert (empty.status_code, empty.json()["reason"]) == (400, "Bad Request")
    asked = {"session_id": "s_00000000000000000000", "selected_indices": [0]}
    unknown = writing.post("/api/generate-variations", asked, headers=headers)
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "Not Found")


def test_a_client_that_disconnects_cancels_the_model(
    writing: LiveServer, model: Misbehaving
) -> None:
    model.answers(Reply.streamed(*PIECES, stall=True))
    model.left.clear()
    events = _events(writing, "/api/enhance", {"rough_prompt": "dog running"})
    assert next(events)[0] == "text"
    events.close()
    assert model.left.wait(LIMIT_S / 2)  # well before the limit of the question


def test_variations_are_streamed_one_by_one(writing: LiveServer, model: Misbehaving) -> None:
    shown = threading.Event()

    def behave(asked: dict[str, Any]) -> Reply:
        if "idea" in task_of(asked):
            return Reply(GOOD)
        listed = [
            {
                "prompt": f"A dog runs on the pier in {w}.",
                "scene": {"weather": w},
                "name": f"In {w}",
            }
            for w in ("rain", "snow", "fog", "mist", "hail", "wind")
        ]
        text = json.dumps({"variations": listed})
        # The second half is not written before the first half's prompts arrived.
        return Reply.streamed(*(text[i : i + 9] for i in range(0, len(text), 9)), gate=shown)

    model.behaviour = behave
    begun = writing.post("/api/enhance", {"rough_prompt": "dog running"}).json()
    asked = {"session_id": begun["session_id"], "selected_indices": [0], "total_count": 9}
    events = _events(writing, "/api/generate-variations", asked)
    first = next(events)
    shown.set()
    *told, (last, answer) = (first, *events)
    assert [name for name, _ in told] == ["variation"] * 8
    assert [data["source"] for _, data in told] == ["provider"] * 6 + ["substitute"] * 2
    assert last == "answer"
    assert [data["name"] for _, data in told[:2]] == ["In rain", "In snow"]
    assert {data["index"] for _, data in told} == {v["index"] for v in answer["variations"][1:]}


def test_without_asking_for_events_the_answer_is_one_document(
    writing: LiveServer, model: Misbehaving
) -> None:
    model.answers(Reply(GOOD))
    answer = writing.post("/api/enhance", {"rough_prompt": "dog running"})
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["enhanced_prompt"] == TEXT
    assert not model.requests[-1].get("stream")


def test_the_model_dialogue_is_readable_and_part_of_an_exported_session(
    writing: LiveServer, model: Misbehaving
) -> None:
    model.answers(Reply(GOOD))
    begun = writing.post("/api/enhance", {"rough_prompt": "dog running"}).json()
    asked = {"session_id": begun["session_id"]}
    (plain,) = writing.post("/api/history", asked).json()["history"]
    assert plain["transcript"] is None
    (told,) = writing.post("/api/history", {**asked, "transcripts": True}).json()["history"]
    (said,) = told["transcript"]
    assert "dog running" in said["request"]
    assert (said["answer"], said["error"], said["model"]) == (GOOD, "", "fake")
    assert (said["prompt_tokens"], said["completion_tokens"]) == (11, 7)
    assert said["duration_s"] >= 0

    document = writing.post("/api/session/export", asked).json()
    copied = writing.post("/api/session/import", {"document": document}).json()
    assert copied["session_id"] != begun["session_id"]
    (again,) = writing.post("/api/history", {**copied, "transcripts": True}).json()["history"]
    assert again == told
    assert KEY not in json.dumps(document)


def test_an_invalid_session_document_is_refused(writing: LiveServer) -> None:
    refused = writing.post("/api/session/import", {"document": {"format": "something else"}})
    assert refused.status_code == 400
    unknown = writing.post("/api/session/export", {"session_id": "s_00000000000000000000"})
    assert unknown.status_code == 404


def test_an_edited_prompt_refers_to_its_original(writing: LiveServer) -> None:
    rough = {"prompt": "A brown dog runs across a field at dusk."}
    begun = writing.post("/api/initialize", rough).json()
    assert (begun["parent"], begun["changes"]) == (None, [])
    edit = {
        "prompt": "A brown cat runs across a field at dusk.",
        "session_id": begun["session_id"],
        "parent": begun["index"],
    }
    edited = writing.post("/api/initialize", edit).json()
    assert edited["parent"] == begun["index"]
    missing = writing.post("/api/initialize", {**edit, "prompt": "A fox.", "parent": 99})
    assert missing.status_code == 400
    assert missing.json()["errors"][0]["field"] == "parent"
