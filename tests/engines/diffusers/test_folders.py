"""Folders as people have them render the same: quantised already, in shards, in a variant."""

from __future__ import annotations

import json
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

from tests.engines.diffusers.conftest import Ask, Stage
from tests.engines.diffusers.direct import assert_same, direct
from tests.engines.diffusers.tiny_wan import wan_modular
from workbench.engines.diffusers import own_weights
from workbench.errors import EngineUnavailable, InvalidRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture
def copied(models: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that gives a copy of a tiny model, to change."""

    def copy(name: str) -> Path:
        shutil.copytree(models(name), tmp_path / name)
        return tmp_path / name

    return copy


def _in_int8(folder: Path) -> None:
    """Save the transformer in ``folder`` anew, quantised."""
    from torchao.quantization import Int8WeightOnlyConfig

    kind = diffusers.WanTransformer3DModel
    config = diffusers.TorchAoConfig(Int8WeightOnlyConfig())
    quantised = kind.from_pretrained(folder, subfolder="transformer", quantization_config=config)
    shutil.rmtree(folder / "transformer")
    quantised.save_pretrained(folder / "transformer")


def test_a_folder_that_is_quantised_already_gives_the_frames_of_a_direct_call(
    ask: Ask, stage: Stage, copied: Callable[[str], Path], frames: Callable[[], Any]
) -> None:
    pytest.importorskip("torchao")
    stage.render(ask("wan"))
    full = frames()
    folder = copied("wan")
    _in_int8(folder)
    made, _ = stage.render(ask("wan", model=str(folder)))
    assert stage.engine._model is not None
    weight = stage.engine._model.pipe.transformer.blocks[0].attn1.to_q.weight
    assert type(weight).__name__ == "Int8Tensor"
    assert made.request is not None
    given = frames()
    assert (given != full).any()
    pipe = diffusers.WanPipeline.from_pretrained(folder, dtype=torch.float32)
    assert_same([given], direct(pipe, made.request))
    stage.render(ask("wan", transformer=str(folder / "transformer")))
    np.testing.assert_array_equal(frames(), given, "the component alone, in another model")


@pytest.mark.parametrize("how", ["int8", "fp8"])
def test_a_component_is_not_quantised_twice(
    how: str, ask: Ask, stage: Stage, copied: Callable[[str], Path]
) -> None:
    pytest.importorskip("torchao")
    folder = copied("wan")
    _in_int8(folder)
    told = "The transformer is quantised already, by torchao: leave quantize out for it"
    for asked in ({"model": str(folder)}, {"transformer": str(folder / "transformer")}):
        with pytest.raises(InvalidRequest, match=told):
            stage.engine.complete(ask("wan", **asked, quantize=how))


def test_a_folder_in_bitsandbytes_format_is_refused_without_a_gpu(
    ask: Ask, stage: Stage, copied: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_weights, "find_spec", lambda _: object())
    folder = copied("wan")
    config = folder / "transformer" / "config.json"
    saved = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    changed = json.loads(config.read_text("utf-8")) | {"quantization_config": saved}
    config.write_text(json.dumps(changed), "utf-8")
    told = "transformer is saved in a format of bitsandbytes, which runs only on a GPU"
    for asked in ({"model": str(folder)}, {"transformer": str(folder / "transformer")}):
        with pytest.raises(EngineUnavailable, match=told):
            stage.render(ask("wan", **asked))


def test_a_folder_in_shards_gives_the_frames_of_the_whole_one(
    ask: Ask, stage: Stage, copied: Callable[[str], Path], frames: Callable[[], Any]
) -> None:
    stage.render(ask("wan"))
    wanted = frames()
    folder = copied("wan")
    for name in ("transformer", "text_encoder"):
        _in_shards(folder, name)
    made, _ = stage.render(ask("wan", model=str(folder)))
    np.testing.assert_array_equal(frames(), wanted)
    assert made.request is not None
    listed = [one["role"] for one in made.request.options["as_rendered"]["weights"]]
    assert listed.count("transformer") == 2, "the recipe lists each shard"
    last = max((folder / "transformer").glob("*.safetensors"))
    last.unlink()
    with pytest.raises(InvalidRequest, match=f"transformer/{last.name} missing"):
        stage.engine.complete(ask("wan", model=str(folder)))


def _in_shards(folder: Path, name: str) -> None:
    """Save the component ``name`` anew in two files and their index."""
    part = getattr(diffusers.WanPipeline.from_pretrained(folder), name)
    whole = sum(one.numel() * one.element_size() for one in part.state_dict().values())
    shutil.rmtree(folder / name)
    for share in range(50, 100, 2):  # tensors differ in size: find a limit that makes two files
        part.save_pretrained(folder / name, max_shard_size=whole * share // 100)
        if len(list((folder / name).glob("*.safetensors"))) == 2:
            break
        shutil.rmtree(folder / name)
    assert len(list((folder / name).glob("*.safetensors.index.json"))) == 1


def test_a_modular_folder_in_16_bits_alone_gives_the_frames_of_a_direct_call(
    ask: Ask, stage: Stage, tmp_path: Path, frames: Callable[[], Any]
) -> None:
    folder = tmp_path / "modular"
    torch.manual_seed(0)
    pipe = wan_modular()
    pipe.save_pretrained(str(folder))
    for name in ("transformer", "text_encoder", "vae"):
        shutil.rmtree(folder / name)
        getattr(pipe, name).half().save_pretrained(folder / name, variant="fp16")
    assert not list(folder.rglob("model.safetensors"))
    made, _ = stage.render(ask("wan-modular", model=str(folder)))
    given = frames()
    direct_pipe = diffusers.ModularPipeline.from_pretrained(str(folder))
    direct_pipe.load_components(variant="fp16", dtype=torch.float32)
    assert made.request is not None
    request = made.request
    shift = request.options["flow_shift"]
    scheduler = direct_pipe.scheduler
    direct_pipe.update_components(
        scheduler=type(scheduler).from_config(scheduler.config, flow_shift=shift),
        guider=direct_pipe.guider.new(guidance_scale=request.guidance_scale),
    )
    output = direct_pipe(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt or None,
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=2,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
        output="videos",
    )
    assert_same([given], np.asarray(output)[0] * 255)


def test_a_modular_pipeline_is_quantised_as_asked(
    ask: Ask, stage: Stage, frames: Callable[[], Any]
) -> None:
    pytest.importorskip("torchao")
    stage.render(ask("wan-modular"))
    full = frames()
    stage.render(ask("wan-modular", quantize="int8"))
    assert stage.engine._model is not None
    weight = stage.engine._model.pipe.transformer.blocks[0].attn1.to_q.weight
    assert type(weight).__name__ == "Int8Tensor"
    assert (frames() != full).any()


def test_a_modular_component_that_cannot_be_read_is_named(
    ask: Ask, stage: Stage, copied: Callable[[str], Path]
) -> None:
    folder = copied("wan-modular")
    index = folder / "modular_model_index.json"
    index.write_text(index.read_text("utf-8").replace("AutoencoderKLWan", "AutoencoderKL"), "utf-8")
    with pytest.raises(EngineUnavailable, match="vae cannot be read"):
        stage.render(ask("wan-modular", model=str(folder)))
