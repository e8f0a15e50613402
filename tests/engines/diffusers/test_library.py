"""The models on this machine are found, sized, planned and checked without loading any."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.engines.diffusers.commands import models
from workbench.engines.diffusers.library import find_models
from workbench.engines.diffusers.weights import hub_cache
from workbench.settings import Settings

GIB = 1 << 30


def _weights(path: Path, numbers: int) -> None:
    """Write a header that tells of ``numbers`` numbers, over a hole as large as they would be."""
    head = {"a": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}
    text = json.dumps(head).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + 4 * numbers)


def _model(folder: Path, *, transformer: int = GIB) -> Path:
    index = {
        "_class_name": "WanPipeline",
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    for name, numbers in {"transformer": transformer, "text_encoder": 5 * GIB, "vae": 9}.items():
        _weights(folder / name / "model.safetensors", numbers)
    (folder / "transformer" / "config.json").write_text('{"in_channels": 16}')
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture(autouse=True)
def _hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def test_models_are_found_in_folders_and_in_the_hub_s_cache(tmp_path: Path) -> None:
    _model(tmp_path / "mine" / "deep" / "wan")
    home = tmp_path / "hub" / "models--a--b--c"
    _model(home / "snapshots" / "abc")
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc")
    (tmp_path / "mine" / "other").mkdir()
    found = find_models(Settings(models=str(tmp_path / "mine")))
    assert [one.name for one in found] == [str(tmp_path / "mine" / "deep" / "wan"), "a/b--c"]
    for one in found:
        assert (one.family, one.problems) == ("wan", ())
        assert one.size_bytes["transformer"] == 2 * GIB, "32 bits on disk, 16 in use"
        assert one.takes == ("text", "video")


def test_a_model_says_how_it_would_run_with_so_much_memory(tmp_path: Path) -> None:
    _model(tmp_path / "wan")
    (one,) = find_models(Settings(models=str(tmp_path)))
    assert one.plan_on(80 * GIB, 64 * GIB).placement == "full"
    assert one.plan_on(11 * GIB, 64 * GIB).placement == "text_offload"
    assert one.plan_on(11 * GIB, 4 * GIB).problem


def test_the_command_lists_plans_and_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models(["list"]) == 0
    assert "Name folders in WORKBENCH_MODELS" in capsys.readouterr().out
    folder = _model(tmp_path / "here" / "wan")
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
def test_models_are_looked_for_where_the_hubs_library_keeps_them(
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
