"""LoRAs reach the transformer of a pipeline that has no LoRA loading of its own in diffusers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")

import diffusers
import torch
from safetensors.torch import load_file, save_file

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from workbench.engines.diffusers.options import AS_RENDERED

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers|peft)"),
]


def _save(path: Path, transformer: Any) -> str:
    """Save factors of every layer that makes queries or values."""
    chance = torch.Generator().manual_seed(1)
    state = {}
    for name, layer in transformer.named_modules():
        if isinstance(layer, torch.nn.Linear) and name.endswith(("to_q", "to_v")):
            down = torch.randn(4, layer.in_features, generator=chance)
            up = torch.randn(layer.out_features, 4, generator=chance)
            state[f"transformer.{name}.lora_A.weight"] = down
            state[f"transformer.{name}.lora_B.weight"] = up
    assert state
    save_file(state, path)
    return str(path)


@pytest.mark.parametrize("name", ["motif-video", "hunyuan-video-1-5"])
def test_a_lora_is_loaded_by_the_transformer_as_by_a_direct_call(
    name: str,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipe = diffusers.DiffusionPipeline.from_pretrained(models(name))
    assert not hasattr(pipe, "load_lora_weights")
    path = _save(tmp_path / "lora.safetensors", pipe.transformer)
    given = recorded(monkeypatch)
    stage.render(ask(name))
    without = np.concatenate(given)
    given.clear()
    made, _ = stage.render(ask(name, loras=[{"path": path, "weight": 0.5}]))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["notes"] == []
    pipe.transformer.load_lora_adapter(load_file(path), prefix="transformer", adapter_name="a")
    pipe.transformer.set_adapters(["a"], [0.5])
    pipe.guider = pipe.guider.new(guidance_scale=made.request.guidance_scale)
    pipe.set_progress_bar_config(disable=True)
    call = {"negative_prompt": made.request.negative_prompt} if made.request.negative_prompt else {}
    frames = pipe(
        prompt=made.request.prompt,
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=2,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="pil",
        **call,
    ).frames[0]
    wanted = np.stack([np.asarray(frame) for frame in frames])
    got = np.concatenate(given)
    np.testing.assert_array_equal(got, wanted)
    assert (got != without).any()


def _ltx_2(path: Path, layers: dict[str, Any]) -> dict[str, Any]:
    """Save factors of some layers under the names of ComfyUI; return them under diffusers' own."""
    theirs = {"proj_in": "patchify_proj", "audio_proj_in": "audio_patchify_proj"}
    ours = {**theirs, **{n: n for n in layers if n.endswith(("attn1.to_q", "attn2.to_v"))}}
    factors = {name: _factors(layers[name], seed) for seed, name in enumerate(ours)}
    save_file(
        {f"diffusion_model.{ours[name]}.lora_{side}.weight": value
         for name, pair in factors.items() for side, value in pair.items()}, path,
    )  # fmt: skip
    return {f"transformer.{name}.lora_{side}.weight": value.clone()
            for name, pair in factors.items() for side, value in pair.items()}  # fmt: skip


def _hunyuan(path: Path, layers: dict[str, Any]) -> dict[str, Any]:
    """Do the same for layers that make query, key and value at once in their authors' model."""
    names = [n.removesuffix(".to_q") for n in layers if n.endswith(".attn.to_q")]
    blocks = [n for n in names if n.startswith("transformer_blocks.")]
    assert blocks
    comfy, ours = {}, {}
    for seed, name in enumerate(blocks):
        pairs = [_factors(layers[f"{name}.to_{one}"], seed + at) for at, one in enumerate("qkv")]
        block = f"diffusion_model.double_blocks.{name.split('.')[1]}.img_attn_qkv"
        comfy[f"{block}.lora_A.weight"] = pairs[0]["A"]
        comfy[f"{block}.lora_B.weight"] = torch.cat([pair["B"] for pair in pairs])
        for one, pair in zip("qkv", pairs, strict=True):
            ours[f"transformer.{name}.to_{one}.lora_A.weight"] = pairs[0]["A"].clone()
            ours[f"transformer.{name}.to_{one}.lora_B.weight"] = pair["B"]
    save_file(comfy, path)
    return ours


def _factors(layer: Any, seed: int) -> dict[str, Any]:
    chance = torch.Generator().manual_seed(seed)
    return {
        "A": torch.randn(4, layer.in_features, generator=chance),
        "B": torch.randn(layer.out_features, 4, generator=chance),
    }


@pytest.mark.parametrize(("name", "save"), [("ltx-2", _ltx_2), ("hunyuan-video", _hunyuan)])
def test_a_lora_in_comfyuis_layout_gives_the_frames_of_the_same_factors_in_diffusers(
    name: str,
    save: Callable[[Path, dict[str, Any]], dict[str, Any]],
    ask: Ask,
    stage: Stage,
    frames: Callable[[], Any],
    models: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    pipe = diffusers.DiffusionPipeline.from_pretrained(models(name))
    layers = {n: m for n, m in pipe.transformer.named_modules() if isinstance(m, torch.nn.Linear)}
    comfy, plain = tmp_path / "comfy.safetensors", tmp_path / "plain.safetensors"
    save_file(save(comfy, layers), plain)
    stage.render(ask(name))
    without = frames()
    made = {}
    for path in (comfy, plain):
        rendered, _ = stage.render(ask(name, loras=[{"path": str(path), "weight": 0.5}]))
        assert rendered.request is not None
        assert rendered.request.options[AS_RENDERED]["notes"] == []
        made[path] = frames()
    np.testing.assert_array_equal(made[comfy], made[plain])
    assert (made[comfy] != without).any()
