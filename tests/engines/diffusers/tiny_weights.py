"""Tiny LoRAs in each key layout, and tiny single files, made for the tiny Wan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
import torch
from safetensors.torch import load_file, save_file

RANK: Final = 4
_LAYERS: Final = {
    "attn1.to_q": "self_attn.q",
    "attn1.to_v": "self_attn.v",
    "attn1.to_out.0": "self_attn.o",
    "attn2.to_k": "cross_attn.k",
    "ffn.net.0.proj": "ffn.0",
    "ffn.net.2": "ffn.2",
}
"""Layers of a block in diffusers, and in the authors' own code."""
_WAN: Final = {
    "condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "condition_embedder.time_proj": "time_projection.1",
    ".to_out.0.": ".o.",
    ".to_q.": ".q.",
    ".to_k.": ".k.",
    ".to_v.": ".v.",
    "attn1": "self_attn",
    "attn2": "cross_attn",
    "ffn.net.0.proj": "ffn.0",
    "ffn.net.2": "ffn.2",
    "proj_out": "head.head",
}


def save_lora(target: Path, transformer: Any, *, layout: str = "diffusers", seed: int = 1) -> Path:
    """Save a LoRA over ``transformer``; every layout holds the same factors."""
    chance = torch.Generator().manual_seed(seed)
    state: dict[str, Any] = {}
    for block in range(len(transformer.blocks)):
        for ours, theirs in _LAYERS.items():
            layer = transformer.get_submodule(f"blocks.{block}.{ours}")
            down = torch.randn(RANK, layer.in_features, generator=chance) * 0.5
            up = torch.randn(layer.out_features, RANK, generator=chance) * 0.5
            if layout == "diffusers":
                name = f"transformer.blocks.{block}.{ours}"
                state |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
                continue
            name = f"diffusion_model.blocks.{block}.{theirs}"
            if layout == "kohya":
                name = f"lora_unet_blocks_{block}_{theirs.replace('.', '_')}"
            if layout == "bare":
                name = f"blocks.{block}.{theirs}"
            state |= {
                f"{name}.lora_down.weight": down,
                f"{name}.lora_up.weight": up,
                f"{name}.alpha": torch.tensor(float(RANK)),
            }
    save_file(state, target)
    return target


def save_single_file(
    target: Path, folder: Path, *, q8: bool = False, part: str = "transformer"
) -> Path:
    """Save a transformer in ``folder`` under its authors' names, as safetensors or GGUF."""
    (file,) = (folder / part).glob("*.safetensors")
    state = {_original(name): value for name, value in load_file(file).items()}
    if target.suffix == ".safetensors":
        save_file(state, target)
        return target
    writer = gguf.GGUFWriter(str(target), "wan")
    kinds = gguf.GGMLQuantizationType
    for name, value in state.items():
        numbers = value.float().numpy()
        fits = q8 and name.endswith(".weight") and numbers.ndim == 2 and "norm" not in name
        if fits and numbers.shape[-1] % 32 == 0:
            packed = gguf.quants.quantize(numbers, kinds.Q8_0)
            writer.add_tensor(name, packed, raw_dtype=kinds.Q8_0)
        else:
            writer.add_tensor(name, np.ascontiguousarray(numbers))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _original(name: str) -> str:
    if name == "scale_shift_table":
        return "head.modulation"
    name = name.replace("norm2", "norm__3").replace("norm3", "norm2").replace("norm__3", "norm3")
    for ours, theirs in _WAN.items():
        name = name.replace(ours, theirs)
    return name.replace("scale_shift_table", "modulation")


def keep_only_config(folder: Path) -> None:
    """Leave a component's folder without its weights."""
    for file in folder.glob("*.safetensors"):
        file.unlink()
    assert json.loads((folder / "config.json").read_text("utf-8"))
