"""LoRAs over the same layers replace each other without compiling anew.

The model unloads one and loads the other: torch's guards see equal modules. diffusers' hot-swapping
would change nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")

import diffusers
import torch
from safetensors.torch import load_file, save_file
from torch._dynamo.testing import CompileCounter

from tests.engines.diffusers.tiny_weights import save_lora
from workbench.engines.diffusers.loras import AppliedLoras
from workbench.rendering import Lora

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def _output(pipe: Any) -> Any:
    chance = torch.Generator().manual_seed(3)
    with torch.no_grad():
        return pipe.transformer(
            hidden_states=torch.randn(1, 16, 3, 8, 8, generator=chance),
            timestep=torch.tensor([500.0]),
            encoder_hidden_states=torch.randn(1, 4, 32, generator=chance),
            return_dict=False,
        )[0]


def test_a_swapped_lora_equals_a_fresh_one_and_compiles_nothing(
    models: Callable[[str], Path], tmp_path: Path
) -> None:
    torch._dynamo.reset()
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    files = [
        save_lora(tmp_path / f"{seed}.safetensors", pipe.transformer, seed=seed) for seed in (1, 2)
    ]
    partial = {key: value for key, value in load_file(files[1]).items() if "attn1" in key}
    files.append(tmp_path / "partial.safetensors")
    save_file(partial, files[2])
    wanted = []
    for file in files:
        fresh = diffusers.WanPipeline.from_pretrained(models("wan"))
        AppliedLoras().apply(fresh, [Lora(path=str(file), weight=0.5)])
        wanted.append(_output(fresh))
    assert not torch.equal(wanted[0], wanted[1])
    plain = _output(pipe)

    counter = CompileCounter()
    loras = AppliedLoras()
    loras.apply(pipe, [Lora(path=str(files[0]), weight=0.5)])
    pipe.transformer.compile_repeated_blocks(fullgraph=False, dynamic=False, backend=counter)
    assert torch.equal(_output(pipe), wanted[0])
    compiled = counter.frame_count
    assert compiled > 0
    for number in (1, 0, 1):
        loras.apply(pipe, [Lora(path=str(files[number]), weight=0.5)])
        assert torch.equal(_output(pipe), wanted[number])
    assert counter.frame_count == compiled, "compiled once for both"
    loras.apply(pipe, [Lora(path=str(files[2]), weight=0.5)])
    assert torch.equal(_output(pipe), wanted[2]), "other layers: loaded anew"
    assert counter.frame_count > compiled
    loras.apply(pipe, [])
    assert torch.equal(_output(pipe), plain)
    torch._dynamo.reset()
