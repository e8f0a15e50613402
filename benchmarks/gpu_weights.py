"""The Wan transformer of ``benchmarks.gpu`` in the forms in which its weights are run: quantised, with a LoRA."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.wan_models import Model, build

__all__ = ["FORMS", "transformer_as"]

_LORA_RANK: Final = 64
_LORA_LAYERS: Final = ("to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2")


def transformer_as(form: str, model: Model, device: str, dtype: Any) -> Any:
    """Return ``model``'s transformer on ``device`` in one of ``FORMS``; the weights are those of ``build``."""
    return FORMS[form](model, device, dtype)


def _fp8(model: Model, device: str, dtype: Any) -> Any:
    import torch

    transformer, _ = build(model, device, dtype)
    transformer.enable_layerwise_casting(torch.float8_e4m3fn, dtype)
    return transformer


def _int8(model: Model, device: str, dtype: Any) -> Any:
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    transformer, _ = build(model, device, dtype)
    quantize_(transformer, Int8WeightOnlyConfig())
    return transformer


def _gguf(model: Model, device: str, dtype: Any) -> Any:
    """Q8_0, written as its authors write it and loaded as a request's ``transformer`` is."""
    from diffusers import GGUFQuantizationConfig, WanTransformer3DModel

    from tests.engines.diffusers.tiny_weights import save_single_file

    transformer, _ = build(model, device, dtype)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        transformer.save_pretrained(place / "transformer", max_shard_size="1TB")
        del transformer
        file = save_single_file(place / "wan-Q8_0.gguf", place, q8=True)
        loaded = WanTransformer3DModel.from_single_file(
            str(file),
            config=str(place),
            subfolder="transformer",
            quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
            dtype=dtype,
        )
    return loaded.to(device).eval()


def _with_lora(model: Model, device: str, dtype: Any) -> Any:
    from peft import LoraConfig

    transformer, _ = build(model, device, dtype)
    transformer.add_adapter(LoraConfig(r=_LORA_RANK, target_modules=list(_LORA_LAYERS)))
    return transformer.to(device, dtype).eval()


FORMS: Final[Mapping[str, Callable[[Model, str, Any], Any]]] = {
    "fp8": _fp8,
    "int8": _int8,
    "gguf": _gguf,
    "four-steps": _with_lora,
}
"""fp8 storage; 8-bit integers of torchao; GGUF Q8_0; a LoRA of rank 64, for four steps without guidance."""
