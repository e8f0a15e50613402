"""Models on this machine are found, sized, planned and checked without loading."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.models_on_disk import write_model
from workbench.engines.diffusers.commands import models
from workbench.engines.diffusers.library import find_model, find_models
from workbench.engines.diffusers.weights import hub_cache
from workbench.model_library import model_objects
from workbench.settings import Settings
from workbench.studio import Studio

GIB = 1 << 30


@pytest.fixture(autouse=True)
def _hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def test_models_are_found_in_folders_and_in_the_hub_cache(tmp_path: Path) -> None:
    write_model(tmp_path / "mine" / "deep" / "wan")
    home = tmp_path / "hub" / "models--a--b--c"
    write_model(home / "snapshots" / "abc")
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc")
    (tmp_path / "mine" / "other").mkdir()
    found = find_models(Settings(models=str(tmp_path / "mine")))
    assert [one.name for one in found] == [str(tmp_path / "mine" / "deep" / "wan"), "a/b--c"]
    for one in found:
        assert (one.family, one.problems) == ("wan", ())
        assert one.size_bytes["transformer"] == 2 * GIB, "32 bits on disk, 16 in use"
        assert one.takes == ("text", "video")


def test_a_model_reports_its_plan_for_a_given_amount_of_memory(tmp_path: Path) -> None:
    write_model(tmp_path / "wan")
    (one,) = find_models(Settings(models=str(tmp_path)))
    assert one.plan_on(80 * GIB, 64 * GIB).placement == "full"
    assert one.plan_on(11 * GIB, 64 * GIB).placement == "text_offload"
    assert one.plan_on(11 * GIB, 4 * GIB).problem


def test_the_command_lists_plans_and_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models(["list"]) == 0
    assert "Name folders in WORKBENCH_MODELS" in capsys.readouterr().out
    folder = write_model(tmp_path / "here" / "wan")
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "here"))
    assert models(["list", "--card", "80"]) == 0
    told = capsys.readouterr().out
    assert "Wan 2.1 (WanPipeline), from text, video" in told
    assert "full: all weights stay on the device" in told
    assert models(["check", str(folder)]) == 0
    (folder / "vae" / "model.safetensors").unlink()
    assert models(["check", str(folder)]) == 1
    assert "vae/ (no weights) missing" in capsys.readouterr().err
    assert models(["check", "nobody/nothing"]) == 1
    assert "hf download nobody/nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "named", ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"]
)
def test_models_are_searched_in_the_cache_of_the_hub_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(named, str(tmp_path))
    script = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert str(hub_cache()) == told.stdout.strip()
    assert hub_cache().is_relative_to(tmp_path)


def test_models_are_listed_for_the_screen_and_rest(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "wan")
    settings = Settings(outputs=tmp_path / "outputs", models=str(tmp_path / "models"))
    with Studio(settings) as studio:
        (one,) = model_objects(studio)
    assert (one.name, one.family) == (str(tmp_path / "models" / "wan"), "wan")
    assert one.size_gib == pytest.approx(12, abs=0.1)
    assert one.problems == []


def test_models_that_make_no_video_are_not_listed_and_a_check_says_why(tmp_path: Path) -> None:
    write_model(tmp_path / "flux", transformer=9, text_encoder=9, class_name="FluxPipeline")
    write_model(tmp_path / "wan", transformer=9, text_encoder=9)
    found = find_models(Settings(models=str(tmp_path)))
    assert [Path(one.name).name for one in found] == ["wan"]
    image = find_model(str(tmp_path / "flux"))
    assert image is not None
    assert image.problems[0].startswith("FluxPipeline makes no video")
