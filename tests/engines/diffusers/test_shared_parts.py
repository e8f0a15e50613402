"""A warm worker that changes models keeps the encoder that both have, and only that."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch
from safetensors.torch import load_file, save_file

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import assert_same, direct
from workbench.engines.diffusers import shared_parts
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.diffusers.shared_parts import EncoderIdentity
from workbench.rendering import RenderRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_ENCODER = "text_encoder/model.safetensors"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def other(models: Callable[[str], Path], tmp_path: Path) -> Path:
    """Return another Wan: the same files but for its transformer."""
    folder = tmp_path / "other"
    shutil.copytree(models("wan"), folder)
    file = next((folder / "transformer").glob("*.safetensors"))
    weights = load_file(file)
    noise = torch.Generator().manual_seed(3)
    save_file(
        {k: v + 0.05 * torch.randn(v.shape, generator=noise) for k, v in weights.items()},
        file, {"format": "pt"},
    )  # fmt: skip
    return folder


def _part(stage: Stage, name: str = "text_encoder") -> Any:
    assert stage.engine._model is not None
    return stage.engine._model.pipe.components[name]


def _direct(stage: Stage, request: RenderRequest) -> Any:
    pipe = diffusers.DiffusionPipeline.from_pretrained(request.model)
    return direct(pipe, stage.engine.complete(request))


def _loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that collects the folders from which text encoders are loaded."""
    import transformers

    kind = transformers.UMT5EncoderModel
    load = kind.from_pretrained.__func__
    found: list[str] = []

    def record(cls: Any, folder: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(str(folder))
        return load(cls, folder, *args, **kwargs)

    monkeypatch.setattr(kind, "from_pretrained", classmethod(record))
    return found


def test_the_same_text_encoder_is_loaded_once_for_two_models(
    ask: Ask, stage: Stage, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _loaded(monkeypatch)
    given = recorded(monkeypatch)
    first, second = ask("wan"), ask("wan", model=str(other), prompt="a cat sleeps")
    stage.render(first)
    encoder, transformer = _part(stage), _part(stage, "transformer")
    for request in (second, first):
        given.clear()
        stage.render(request)
        assert _part(stage) is encoder
        assert _part(stage, "transformer") is not transformer
        assert any("kept from the model before" in one.message for one in stage.said)
        assert len(loaded) == 1
        assert_same(given, _direct(stage, request))
        del loaded[1:]  # the direct call's own


@pytest.mark.parametrize("memory", ["full", "group_offload"])
def test_an_encoder_that_was_offloaded_is_kept_too(
    memory: str, ask: Ask, stage: Stage, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded(monkeypatch)
    stage.render(ask("wan", options={"memory": "group_offload"}))
    encoder = _part(stage)
    given.clear()
    request = ask("wan", model=str(other), options={"memory": memory})
    made, _ = stage.render(request)
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["memory"]["placement"] == memory
    assert _part(stage) is encoder
    hooked = any(hasattr(one, "_diffusers_hook") and one._diffusers_hook.hooks
                 for one in encoder.modules())  # fmt: skip
    assert hooked == (memory == "group_offload")
    assert_same(given, _direct(stage, request))


def test_an_encoder_with_other_weights_of_the_same_size_is_loaded(
    ask: Ask, stage: Stage, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = other / _ENCODER
    size = file.stat().st_size
    weights = load_file(file)
    save_file({k: v * 1.5 for k, v in weights.items()}, file, {"format": "pt"})
    assert file.stat().st_size == size
    read: list[Path] = []
    monkeypatch.setattr(shared_parts, "digest", read.append)
    given = recorded(monkeypatch)
    stage.render(ask("wan"))
    encoder = _part(stage)
    given.clear()
    request = ask("wan", model=str(other))
    stage.render(request)
    assert _part(stage) is not encoder
    assert read == [], "the ends of the files tell them apart"
    assert_same(given, _direct(stage, request))


def test_weights_that_differ_only_in_the_middle_are_told_apart_by_their_digests(
    tmp_path: Path,
) -> None:
    middle = {}
    for name, byte in (("a", b"1"), ("b", b"2"), ("c", b"1")):
        file = tmp_path / name
        file.write_bytes(b"0" * (2 << 20) + byte + b"0" * (2 << 20))
        facts = file.stat()
        stamp = ((file, facts.st_size, facts.st_mtime_ns),)
        middle[name] = EncoderIdentity("T5EncoderModel", "float32", "{}", stamp)
    assert not middle["a"].is_same(middle["b"])
    assert middle["a"].is_same(middle["c"])


def test_a_file_that_was_replaced_after_loading_is_loaded(
    ask: Ask, stage: Stage, models: Callable[[str], Path], other: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(models("wan"), own)
    stage.render(ask("wan", model=str(own)))
    encoder = _part(stage)
    for folder in (own, other):  # both replaced by the same new file
        weights = load_file(folder / _ENCODER)
        save_file({k: v * 1.5 for k, v in weights.items()}, folder / _ENCODER, {"format": "pt"})
        os.utime(folder / _ENCODER, ns=(1, 10**18))
    stage.render(ask("wan", model=str(other)))
    assert _part(stage) is not encoder


@pytest.mark.parametrize("changed", ["dtype", "config", "quantize"])
def test_an_encoder_of_another_kind_is_loaded(
    changed: str, ask: Ask, stage: Stage, other: Path
) -> None:
    stage.render(ask("wan"))
    encoder = _part(stage)
    asked: dict[str, Any] = {"model": str(other)}
    match changed:
        case "dtype":
            asked["options"] = {"dtype": "bfloat16"}
        case "config":
            file = other / "text_encoder/config.json"
            config = json.loads(file.read_text())
            file.write_text(json.dumps({**config, "layer_norm_epsilon": 1e-3}))
        case _:
            asked["quantize"] = {"text_encoder": "fp8"}
    stage.render(ask("wan", **asked))
    assert _part(stage) is not encoder
    if changed == "quantize":  # nor is a quantised one handed on
        encoder = _part(stage)
        stage.render(ask("wan"))
        assert _part(stage) is not encoder
        assert np.isfinite(_part(stage).shared.weight.detach().numpy()).all()


def test_a_deleted_encoder_of_the_model_before_does_not_stop_the_next_one(
    ask: Ask, stage: Stage, models: Callable[[str], Path], other: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(models("wan"), own)
    stage.render(ask("wan", model=str(own)))
    encoder = _part(stage)
    (own / _ENCODER).unlink()
    made, _ = stage.render(ask("wan", model=str(other)))
    assert made.num_frames == 9
    assert _part(stage) is not encoder
