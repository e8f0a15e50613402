"""``workbench language`` from a shell, with real endpoints on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.prompts.agent.scripted import say, scripted
from tests.prompts.language_models.test_discovery import answers, models, server
from workbench.cli import main
from workbench.prompts.language_models.choice import read_default
from workbench.settings import Settings
from workbench.studio import Studio


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep default and keys of the person who runs the tests out of this."""
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return tmp_path


def test_an_endpoint_that_is_used_becomes_the_default_and_its_key_stays_out_of_outputs(
    own_place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret")
    with server(answers(200, models("m"))) as port:
        url = f"127.0.0.1:{port}"
        assert main(["language", "use", "m", "--url", url, "--key-env", "MY_KEY"]) == 0
        assert main(["language", "list", "--json"]) == 0
    told = capsys.readouterr().out
    assert "s3cret" not in told
    assert read_default(Settings()).base_url == f"http://127.0.0.1:{port}/v1"
    held = [p for p in own_place.rglob("*") if p.is_file() and b"s3cret" in p.read_bytes()]
    assert [p.name for p in held] == ["keys.json"]
    assert not any(p.is_relative_to(own_place / "outputs") for p in held)


def test_what_is_chosen_writes_in_the_next_studio(own_place: Path) -> None:
    answer = {"prompt": "A red fox trots through deep snow at dawn.", "scene": {"subject": "a fox"}}
    with scripted([say(json.dumps(answer))]) as script:
        assert main(["language", "use", "m", "--url", script.base_url]) == 0
        with Studio() as studio:
            _, entry = studio.run(studio.enhance("red fox in snow at dawn"))
    assert entry.prompt == answer["prompt"]
    assert (own_place / "outputs" / ".workbench" / "language.json").is_file()


def test_builtin_is_always_there_to_go_back_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["language", "use", "builtin"]) == 0
    assert main(["language", "test"]) == 0
    assert "always there" in capsys.readouterr().out


def test_testing_an_endpoint_says_whether_it_answers(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted([say(json.dumps({"ready": True}))]) as script:
        code = main(["language", "test", "m", "--url", script.base_url])
    assert code == 1  # this one has no list of models
    assert "/v1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["use", "no such model"],
        ["use", "m", "--url", "ftp://host"],
        ["use", "Qwen3 8B"],
    ],
)
def test_what_is_not_here_is_refused_in_a_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["language", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.strip()
    assert "Traceback" not in told


def test_getting_a_model_without_the_hub_tells_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_ALLOW_HUB", "false")
    assert main(["language", "get", "Qwen3 8B"]) == 1
    assert "hf download Qwen/Qwen3-8B-GGUF" in capsys.readouterr().err
