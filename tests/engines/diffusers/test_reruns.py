"""A recipe with weights of its own is rendered again only with the files that made the video."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")

import diffusers
from safetensors.torch import load_file, save_file

from tests.engines.diffusers.conftest import Ask, Stage
from tests.engines.diffusers.tiny_weights import save_lora
from workbench.engines.commands import recipe
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.probe import decode_video
from workbench.engines.recipes import read_recipe

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers|peft)"),
]


def _frames(path: Path) -> np.ndarray:
    return np.stack(list(decode_video(path)))


@pytest.fixture
def made(
    ask: Ask, stage: Stage, models: Callable[[str], Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:  # fmt: skip
    """Return a folder with a video made with two LoRAs and a VAE of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "own"
    folder.mkdir()
    kind = diffusers.WanTransformer3DModel
    transformer = kind.from_pretrained(models("wan"), subfolder="transformer")
    for seed, name in enumerate(("ink", "oil")):
        save_lora(folder / f"{name}.safetensors", transformer, seed=seed)
    shutil.copytree(models("wan") / "vae", folder / "vae")
    loras = [{"path": str(folder / f"{name}.safetensors")} for name in ("ink", "oil")]
    _, video = stage.render(ask("wan", loras=loras, vae=str(folder / "vae")))
    (video / "video.mp4").rename(folder / "video.mp4")
    return folder


def _rerun(folder: Path, *more: str) -> int:
    return recipe(["rerun", str(folder / "video.mp4"), "--output", str(folder / "b.mp4"), *more])


def test_a_rerun_with_the_same_files_gives_the_same_frames(made: Path) -> None:
    assert _rerun(made) == 0
    np.testing.assert_array_equal(_frames(made / "b.mp4"), _frames(made / "video.mp4"))


def test_a_rerun_names_every_missing_file_by_role(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (weights,) = (made / "vae").glob("*.safetensors")
    weights.unlink()
    (made / "oil.safetensors").unlink()
    for more in ((), ("--any-weights",)):
        assert _rerun(made, *more) == 1
        told = capsys.readouterr().err
        assert f"loras[1]: oil.safetensors is missing; it was {made / 'oil.safetensors'}" in told
        assert f"vae: {weights.name} is missing" in told
        assert "ink" not in told
    assert not (made / "b.mp4").exists()


def test_another_file_at_a_recorded_path_is_refused_before_loading_unless_asked(
    made: Path, models: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    ink = made / "ink.safetensors"
    before = ink.stat().st_size
    kind = diffusers.WanTransformer3DModel
    save_lora(ink, kind.from_pretrained(models("wan"), subfolder="transformer"), seed=9)
    assert ink.stat().st_size == before, "only the digest tells them apart"
    assert _rerun(made) == 1
    told = capsys.readouterr().err
    assert "loras[0]: ink.safetensors is not the file that made this video" in told
    assert "--any-weights" in told
    assert "oil" not in told
    assert not (made / "b.mp4").exists()
    assert _rerun(made, "--any-weights") == 0
    assert (_frames(made / "b.mp4") != _frames(made / "video.mp4")).any()
    old, new = (_digests(made / name) for name in ("video.mp4", "b.mp4"))
    assert old["loras[1]"] == new["loras[1]"]
    assert old["loras[0]"] != new["loras[0]"], "the new recipe names what made the new video"


def test_another_file_in_the_model_itself_is_told_too(
    ask: Ask, stage: Stage, models: Callable[[str], Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = tmp_path / "wan"
    shutil.copytree(models("wan"), model)
    (file,) = (model / "transformer").glob("*.safetensors")
    _, folder = stage.render(ask("wan", model=str(model)))
    recorded = _digests(folder / "video.mp4")
    assert recorded["transformer"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert all(recorded.values())
    assert set(recorded) == {"text_encoder", "transformer", "vae"}
    tensors = load_file(file)
    save_file({name: value * 1.5 for name, value in tensors.items()}, file, {"format": "pt"})
    assert _rerun(folder) == 1
    told = capsys.readouterr().err
    assert f"transformer: {file.name} is not the file that made this video" in told
    assert _rerun(folder, "--any-weights") == 0


def test_a_recipe_with_a_malformed_record_of_weights_is_still_rendered(made: Path) -> None:
    found = read_recipe(made / "video.mp4")
    document = json.loads(found.model_dump_json())
    odd = [7, {"role": "loras[99]", "file": "a", "size_bytes": 1, "sha256": ""}, {"role": "prompt"}]
    document["request"]["options"][AS_RENDERED]["weights"] = odd
    (made / "recipe.json").write_text(json.dumps(document), "utf-8")
    assert recipe(["rerun", str(made / "recipe.json"), "--output", str(made / "b.mp4")]) == 0


def _digests(video: Path) -> dict[str, str]:
    said = read_recipe(video).request.options[AS_RENDERED]["weights"]
    return {one["role"]: one["sha256"] for one in said}
