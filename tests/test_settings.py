"""Settings are normalised in one place, so that every process uses the same folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live_server import ROOT
from workbench.cli import main
from workbench.errors import InvalidSettings
from workbench.helper_processes import helper_environment
from workbench.jobs.client.launch import settings_environment
from workbench.settings import Settings, export_paths


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout as the working directory, with no settings."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)
    folder = tmp_path.resolve() / "checkout"
    (folder / "workbench").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    (folder / "pyproject.toml").touch()
    (folder / "workbench" / "scene.py").touch()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_is_an_unset_one(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, empty: str
) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"WORKBENCH_{name.upper()}", empty)
    given = Settings()
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WORKBENCH_{name.upper()}")
    assert given == Settings()
    assert given.outputs == checkout / "outputs"


def test_an_empty_variable_does_not_hide_the_file(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "workbench.toml").write_text('engine = "diffusers"\nindex = "fast/index.sqlite3"\n')
    monkeypatch.setenv("WORKBENCH_ENGINE", "")
    assert Settings().engine == "diffusers"
    assert Settings().index == checkout / "fast" / "index.sqlite3"


def test_a_relative_folder_is_the_same_from_every_folder_of_the_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_OUTPUTS", "results/here")
    for folder in (checkout, checkout / "notebooks"):
        monkeypatch.chdir(folder)
        assert Settings().outputs == checkout / "results" / "here"


def test_exported_paths_are_absolute(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_OUTPUTS", "rel")
    monkeypatch.setenv("WORKBENCH_INDEX", "~/index.sqlite3")
    monkeypatch.setenv("HOME", str(tmp_path))
    environment = dict(os.environ)
    export_paths(Settings(), environment)
    script = (
        "import json; from workbench.settings import Settings; s = Settings();"
        "print(json.dumps([str(s.outputs), str(s.index)]))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd="/",
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert json.loads(told.stdout) == [str(checkout / "rel"), str(tmp_path / "index.sqlite3")]


def test_a_helper_uses_its_clients_settings_over_files_and_variables(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "workbench.toml").write_text(
        'model = "of the file"\ndevices = ["1"]\nretention_days = 3.0\nscores = false\n'
        '[engines]\nmine = "module:Class"\n'
    )
    monkeypatch.setenv("WORKBENCH_RETENTION_JOBS", "5")
    given = Settings(model="", devices=(), retention_days=None, retention_jobs=None, engines={})
    script = "from workbench.settings import Settings; print(repr(Settings()))"
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=checkout,
        env={**helper_environment(settings_environment(given)), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == repr(given)


@pytest.mark.usefixtures("checkout")
def test_white_space_around_a_value_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LANGUAGE_BASE_URL", " http://host:8000/v1\n")
    monkeypatch.setenv("WORKBENCH_LANGUAGE_API_KEY", "secret\n")
    monkeypatch.setenv("WORKBENCH_MAX_FRAMES", " 12 ")
    monkeypatch.setenv("WORKBENCH_DEVICES", "0, 1")
    found = Settings()
    assert found.language_base_url == "http://host:8000/v1"
    assert found.language_api_key.get_secret_value() == "secret"
    assert found.max_frames == 12
    assert found.devices == ("0", "1")


@pytest.mark.usefixtures("checkout")
def test_a_model_folder_becomes_absolute_and_a_hub_name_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(model="~/models/wan").model == str(tmp_path / "models" / "wan")
    assert Settings(model="Wan-AI/Wan2.1").model == "Wan-AI/Wan2.1"


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("MAX_FRAMES", "0", "max_frames (WORKBENCH_MAX_FRAMES) cannot be '0'"),
        ("LEASE_S", "soon", "WORKBENCH_LEASE_S"),
        ("LANGUAGE_BASE_URL", "host:8000", "must be a URL such as http://host:8000/v1"),
        ("LANGUAGE_BASE_URL", "http://ho\nst", "must be a URL such as http://host:8000/v1"),
        ("ENGINES", "{", "engines"),
        ("PROMPT_FORM", "haiku", "WORKBENCH_PROMPT_FORM"),
    ],
)
def test_a_bad_value_is_reported_in_one_sentence_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"WORKBENCH_{name}", value)
    with pytest.raises(InvalidSettings) as raised:
        Settings()
    assert told in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.usefixtures("checkout")
def test_a_bad_key_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LANGUAGE_API_KEY", "s3cret")
    monkeypatch.setenv("WORKBENCH_MAX_FRAMES", "none")
    with pytest.raises(InvalidSettings) as raised:
        Settings()
    assert "s3cret" not in str(raised.value)


def test_a_damaged_settings_file_is_named(checkout: Path) -> None:
    (checkout / "workbench.toml").write_text("engine = animatic\n")
    with pytest.raises(InvalidSettings, match=r"workbench\.toml"):
        Settings()


@pytest.mark.usefixtures("checkout")
def test_a_command_reports_a_bad_setting_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKBENCH_MAX_FRAMES", "0")
    assert main(["jobs"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "WORKBENCH_MAX_FRAMES" in told


def test_the_command_line_works_with_a_limited_terminal_encoding() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "workbench", "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(b"usage: workbench COMMAND ?")
