"""Language models over HTTP: found, chosen for a session or by default, tested; keys stay out."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from pathlib import Path

import httpx
import pytest

import workbench as wb
from tests.live_server import PATIENCE_S, LiveServer
from tests.prompts.agent.scripted import call, say, scripted
from tests.prompts.language_models.test_discovery import closed_port
from tests.prompts.misbehaving import KEY, Misbehaving, Reply
from workbench.cli import main
from workbench.settings import Settings
from workbench.studio import Studio

TEXT = "A red fox trots through deep snow at dawn, its breath steaming in the first light."
GOOD = json.dumps({"prompt": TEXT, "scene": {"subject": "a fox", "action": "trotting"}})
IDEA = "red fox in deep snow at dawn"


@pytest.fixture(scope="module")
def choosing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A separate server because the tests change its default."""
    with LiveServer(tmp_path_factory.mktemp("language") / "outputs") as live:
        yield live


@pytest.fixture
def fox() -> Iterator[Misbehaving]:
    with Misbehaving.running() as endpoint:
        endpoint.answers(Reply(GOOD))
        yield endpoint


def _post(server: LiveServer, **body: object) -> dict[str, object]:
    answer = server.post("/api/language", body)
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


def test_the_composer_is_the_default_and_the_language_models_are_listed(
    choosing: LiveServer,
) -> None:
    found = choosing.get("/api/language").json()
    assert found["choice"]["label"] == "built-in composer"
    assert not found["is_own"]
    assert all(one["command"].startswith("hf download ") for one in found["catalog"])
    assert not found["can_fetch"]


def test_a_choice_applies_to_its_session_only(choosing: LiveServer, fox: Misbehaving) -> None:
    chosen = _post(choosing, do="use", model="fake", base_url=fox.base_url, api_key=KEY)
    assert chosen["is_own"]
    session = chosen["session_id"]
    written = choosing.post("/api/enhance", {"rough_prompt": IDEA, "session_id": session}).json()
    assert (written["enhanced_prompt"], written["provider"]) == (TEXT, "openai")
    assert written["session_id"] == session
    assert fox.requests[-1]["authorization"] == f"Bearer {KEY}"
    other = choosing.post("/api/enhance", {"rough_prompt": IDEA}).json()
    assert other["provider"] == "builtin"
    found = choosing.get("/api/language", params={"session_id": session}).json()
    assert found["choice"]["model"] == "fake"
    assert found["has_key"]


def test_a_session_can_return_to_the_composer(choosing: LiveServer, fox: Misbehaving) -> None:
    chosen = _post(choosing, do="use", model="fake", base_url=fox.base_url)
    session = chosen["session_id"]
    choosing.post("/api/enhance", {"rough_prompt": IDEA, "session_id": session})
    _post(choosing, do="use", provider="builtin", session_id=session)
    again = choosing.post("/api/enhance", {"rough_prompt": IDEA, "session_id": session}).json()
    assert again["provider"] == "builtin"


def test_a_new_default_applies_at_once_to_sessions_without_a_choice(
    choosing: LiveServer, fox: Misbehaving
) -> None:
    try:
        _post(choosing, do="use", model="fake", base_url=fox.base_url, as_default=True)
        written = choosing.post("/api/enhance", {"rough_prompt": IDEA}).json()
        assert written["enhanced_prompt"] == TEXT
    finally:
        told = _post(choosing, do="use", provider="builtin", as_default=True)
    assert told["session_id"] is None
    written = choosing.post("/api/enhance", {"rough_prompt": IDEA}).json()
    assert written["provider"] == "builtin"


def test_a_new_key_replaces_a_refused_one(choosing: LiveServer, fox: Misbehaving) -> None:
    fox.behaviour = lambda asked: (
        Reply(GOOD) if asked["authorization"] == "Bearer right-key-1" else Reply(status=401)
    )
    use = {"do": "use", "model": "fake", "base_url": fox.base_url}
    session = _post(choosing, **use, api_key="wrong-key-1")["session_id"]
    asked = {"rough_prompt": IDEA, "session_id": session}
    assert choosing.post("/api/enhance", asked).json()["is_fallback"]
    _post(choosing, **use, api_key="right-key-1", session_id=session)
    assert choosing.post("/api/enhance", asked).json()["enhanced_prompt"] == TEXT


def test_testing_an_endpoint_reports_the_problem_and_saves_nothing(choosing: LiveServer) -> None:
    url = f"http://127.0.0.1:{closed_port()}/v1"
    told = _post(choosing, do="test", model="m", base_url=url, api_key="never-kept-1")
    assert isinstance(told["check"], dict)
    assert not told["check"]["answers"]
    assert "cannot be reached" in told["check"]["message"]
    assert not choosing.get("/api/language").json()["has_key"]
    held = [p for p in choosing.outputs.parent.rglob("*") if _holds(p, "never-kept-1")]
    assert held == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"do": "use"}, 400),
        ({"do": "use", "model": "m"}, 400),
        ({"do": "use", "model": "m", "base_url": "ftp://host"}, 400),
        ({"do": "use", "model": "m", "base_url": "http://user:pass@host/v1"}, 400),
        ({"do": "use", "provider": "local", "model": "Qwen3 8B"}, 400),
        ({"do": "use", "provider": "builtin", "session_id": "s_" + "0" * 20}, 404),
        ({"do": "fetch", "model": "no such model"}, 404),
        ({"do": "fetch", "model": "Qwen3 8B"}, 409),
        ({"do": "models", "base_url": ""}, 400),
        ({"do": "models", "base_url": "http://\u0007host"}, 400),
        ({"do": "use", "provider": "builtin", "key": "k"}, 400),
    ],
)
def test_an_impossible_choice_is_refused_with_a_message(
    choosing: LiveServer, body: dict[str, object], status: int
) -> None:
    answer = choosing.post("/api/language", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]


def test_rest_the_shell_and_python_tell_the_same(
    choosing: LiveServer,
    fox: Misbehaving,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(choosing.outputs))
    _post(choosing, do="use", model="fake", base_url=fox.base_url, as_default=True)
    try:
        told = choosing.get("/api/language").json()
        assert main(["language", "list", "--json"]) == 0
        shell = json.loads(capsys.readouterr().out)
        with Studio(Settings(outputs=choosing.outputs)) as studio:
            found = wb.language_models(using=studio)
    finally:
        _post(choosing, do="use", provider="builtin", as_default=True)
    assert told["choice"]["label"].startswith("fake (127.0.0.1")
    for name in ("choice", "default", "servers", "catalog", "can_run"):
        assert told[name] == shell[name]
    assert found.choice.model_dump() == told["choice"]


def test_no_key_is_in_any_answer_index_recipe_log_or_error(
    choosing: LiveServer, fox: Misbehaving
) -> None:
    fox.behaviour = lambda asked: Reply(GOOD) if "messages" in asked else Reply(status=500)
    use = {"do": "use", "model": "fake", "base_url": fox.base_url, "api_key": KEY}
    answers = [choosing.post("/api/language", use)]
    session = answers[0].json()["session_id"]
    answers.append(choosing.post("/api/enhance", {"rough_prompt": IDEA, "session_id": session}))
    asked = {"prompt": TEXT, "session_id": session, "num_frames": 9}
    job = choosing.post("/api/video/single_inference", asked)
    choosing.wait_for_job(job.json()["job_id"])
    fox.answers(Reply(status=401))  # its message quotes the key
    for path, body in (
        ("/api/enhance", {"rough_prompt": KEY, "session_id": session}),
        ("/api/generate-variations", {"session_id": session, "selected_indices": [0]}),
        ("/api/update", {"session_id": session, "user_request": "could it be dusky somehow"}),
        ("/api/history", {"session_id": session, "transcripts": True}),
        ("/api/session/export", {"session_id": session}),
        ("/api/language", {**use, "do": "test"}),
        ("/api/language", {**use, "do": "models"}),
        ("/api/language", {**use, "base_url": f"http://x:{KEY}@h/v1", "api_key": [KEY]}),
    ):
        if path != "/api/enhance":
            answers.append(choosing.post(path, body))
        else:
            choosing.post(path, {**body, "rough_prompt": IDEA})
    answers.append(choosing.get("/api/language", params={"session_id": session}))
    told = [a.request.url.path for a in answers if KEY in a.text]
    assert told == []
    held = [p for p in choosing.outputs.parent.rglob("*") if _holds(p, KEY)]
    assert [p.name for p in held] == ["keys.json"]
    assert not held[0].is_relative_to(choosing.outputs)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and text.encode() in path.read_bytes()


def _turn(
    server: LiveServer, session: object
) -> Generator[tuple[str, dict[str, object]], None, None]:
    """Yield the events of one turn of tuning as they come."""
    body = {"session_id": session, "user_request": "darken the hour, stand it up, then go on"}
    headers = {"Authorization": f"token {server.token}", "Accept": "text/event-stream"}
    url = f"{server.url}/api/update"
    with httpx.stream("POST", url, json=body, headers=headers, timeout=PATIENCE_S) as answer:
        name = ""
        for line in answer.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)


def test_each_step_is_streamed_and_can_be_undone_alone(choosing: LiveServer) -> None:
    answers = [
        call(("edit_field", {"field": "time_of_day", "value": "night"})),
        call(("set_render", {"values": {"aspect": "9:16"}})),
        say("Night, and upright."),
    ]
    with scripted(answers) as script:
        session = choosing.post("/api/enhance", {"rough_prompt": "a dog running"}).json()[
            "session_id"
        ]
        use = {"do": "use", "model": "m", "base_url": script.base_url, "session_id": session}
        _post(choosing, **use)
        events = list(_turn(choosing, session))
    assert [name for name, _ in events] == ["step", "step", "answer"]
    (_, night), (_, tall), (_, answer) = events
    assert (night["kind"], tall["kind"]) == ("edit_field", "set_render")
    assert answer["message"] == "Night, and upright."
    undone = choosing.post("/api/update", {"session_id": session, "take_back": night["index"]})
    assert undone.json()["settings"]["aspect"] == "9:16"
    assert "night" not in undone.json()["prompt"]


def test_a_client_that_disconnects_stops_the_turn_and_keeps_its_steps(choosing: LiveServer) -> None:
    night = call(("edit_field", {"field": "time_of_day", "value": "night"}))
    with scripted([night, 0]) as script:
        session = choosing.post("/api/enhance", {"rough_prompt": "a dog running"}).json()[
            "session_id"
        ]
        use = {"do": "use", "model": "m", "base_url": script.base_url, "session_id": session}
        _post(choosing, **use)
        turn = _turn(choosing, session)
        assert next(turn)[0] == "step"
        turn.close()
        history = choosing.post("/api/history", {"session_id": session}).json()["history"]
        assert "night" in history[-1]["prompt"]
