"""Single files with scaled 8-bit weights, as ComfyUI writes and reads them.

Beside each scaled weight ``x.weight`` in an 8-bit floating-point format stands its scale, a number
or one per row, as ``x.scale_weight`` or ``x.weight_scale``: the weight is their product. Without
the scale diffusers would render noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from workbench.engines.diffusers.weight_files import header

__all__ = ["is_scaled", "read_scaled", "scale_problem"]

_SCALES: Final = (".scale_weight", ".weight_scale")
_UNREADABLE: Final = (".weight_scale_2", ".weight_scale_inv")
"""Scales of formats in blocks of numbers (NVFP4, and 8 bits by blocks)."""
_ASIDE: Final = (".scale_input", ".input_scale", ".comfy_quant", "scaled_fp8")
"""Scales of activations, and marks of the format; they are not weights."""
_EIGHT_BITS: Final = {"F8_E4M3", "F8_E5M2"}


def is_scaled(path: Path) -> bool:
    """Return whether the safetensors file at ``path`` holds scaled weights."""
    return any(name.endswith((*_SCALES, *_UNREADABLE)) for name in header(path))


def scale_problem(path: Path) -> str:
    """Return, as a sentence, why the scales in the file cannot be applied; empty if they can."""
    tensors = header(path)
    for name, scale in tensors.items():
        weight = tensors.get(_weight_of(name))
        if name.endswith(_UNREADABLE) or (
            name.endswith(_SCALES) and not _applies(scale, weight or {})
        ):
            return (
                f"{path.name} contains weights packed in a format that cannot be read here ({name}): "
                "use scaled 8-bit floating-point weights, a GGUF file, or the 16-bit weights with "
                "quantize='fp8'."
            )
    return ""


def read_scaled(path: Path, dtype: Any) -> dict[str, Any]:
    """Return the tensors of the file by name, on the CPU, scaled weights as products in ``dtype``."""
    from safetensors import safe_open  # noqa: PLC0415

    state: dict[str, Any] = {}
    with safe_open(path, "pt") as file:
        names = set(file.keys())
        for name in sorted(names):
            if name.endswith((*_SCALES, *_ASIDE)):
                continue
            tensor = file.get_tensor(name)
            scale = next((one for end in _SCALES if (one := _scale_of(name, end)) in names), None)
            if scale is not None:
                factor = file.get_tensor(scale).float()
                rows = (
                    factor.reshape(-1, *[1] * (tensor.ndim - 1)) if factor.numel() > 1 else factor
                )
                tensor = (tensor.float() * rows).to(dtype)
            state[name] = tensor
    return state


def _applies(scale: Mapping[str, Any], weight: Mapping[str, Any]) -> bool:
    shape = weight.get("shape", [])
    fits = math.prod(scale["shape"]) in {1, shape[0] if shape else 1}
    return weight.get("dtype") in _EIGHT_BITS and scale["dtype"] in {"F32", "F16", "BF16"} and fits


def _weight_of(scale: str) -> str:
    return f"{scale.rpartition('.')[0]}.weight"


def _scale_of(weight: str, ending: str) -> str:
    return weight.removesuffix(".weight") + ending if weight.endswith(".weight") else ""
