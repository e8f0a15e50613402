"""Text encoders from a single file, safetensors or GGUF, in the layouts that people share.

The configuration comes from the model's own folder. transformers reads its own layouts, older ones
included; those of ComfyUI and of Wan's authors that it does not know are renamed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from workbench.engines.diffusers.scaled_weights import is_scaled, read_scaled

__all__ = ["load_text_encoder_file"]


class _Layout(NamedTuple):
    """Names of other code, and what transformers calls them."""

    sign: str
    """A tensor that only this layout has."""
    class_prefix: str
    renamings: Sequence[tuple[str, str]]


_BLOCK: Final = r"encoder.block.\1.layer"
_LAYOUTS: Final = (
    _Layout(
        "token_embedding.weight",  # UMT5 in Wan's own code, such as umt5-xxl-enc-bf16
        "",
        (
            (r"^token_embedding\.", "shared."),
            (r"^norm\.", "encoder.final_layer_norm."),
            (r"^blocks\.(\d+)\.norm1\.", rf"{_BLOCK}.0.layer_norm."),
            (r"^blocks\.(\d+)\.attn\.", rf"{_BLOCK}.0.SelfAttention."),
            (
                r"^blocks\.(\d+)\.pos_embedding\.embedding\.",
                rf"{_BLOCK}.0.SelfAttention.relative_attention_bias.",
            ),
            (r"^blocks\.(\d+)\.norm2\.", rf"{_BLOCK}.1.layer_norm."),
            (r"^blocks\.(\d+)\.ffn\.gate\.0\.", rf"{_BLOCK}.1.DenseReluDense.wi_0."),
            (r"^blocks\.(\d+)\.ffn\.fc1\.", rf"{_BLOCK}.1.DenseReluDense.wi_1."),
            (r"^blocks\.(\d+)\.ffn\.fc2\.", rf"{_BLOCK}.1.DenseReluDense.wo."),
        ),
    ),
    _Layout(
        "model.embed_tokens.weight",  # Gemma 3 in ComfyUI
        "Gemma3ForConditionalGeneration",
        (
            (r"^model\.(?=embed_tokens|layers|norm)", "language_model.model."),
            (r"^vision_model\.", "vision_tower.vision_model."),
        ),
    ),
)
_PICTURES: Final = ("vision_tower", "multi_modal_projector")
"""Parts that read pictures; LTX-2 gives its Gemma text alone, and files often lack them."""


def load_text_encoder_file(
    path: Path, kind: Any, config_folder: Path, dtype: Any, **arguments: Any
) -> Any:
    """Return the text encoder of the class ``kind`` from ``path``, on the CPU.

    Raises ``ValueError`` if the file lacks weights of the encoder.
    """
    config = kind.config_class.from_pretrained(config_folder, local_files_only=True)
    if hasattr(config, "quantization_config"):
        del config.quantization_config  # of the folder's own weights
    if path.suffix == ".gguf":
        text = getattr(config, "text_config", None)
        if text is None:
            part, told = kind.from_pretrained(
                path.parent, gguf_file=path.name, config=config, dtype=dtype,
                output_loading_info=True, local_files_only=True,
            )  # fmt: skip
            _check(told)
            return part
        state = _text_part(path, text, dtype)
    else:
        state = _read(path, dtype)
    part, told = kind.from_pretrained(
        None,
        config=config,
        state_dict=_renamed(state, kind.__name__),
        dtype=dtype,
        output_loading_info=True,
        **arguments,
    )
    _check(told, without=_PICTURES if kind.__name__.startswith("Gemma3") else ())
    return part


def _text_part(path: Path, config: Any, dtype: Any) -> dict[str, Any]:
    """Return the language model in a GGUF file, for an encoder that also reads pictures."""
    import transformers  # noqa: PLC0415

    part, told = transformers.AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, config=config, dtype=dtype,
        output_loading_info=True, local_files_only=True,
    )  # fmt: skip
    _check(told)
    return dict(part.state_dict())


def _read(path: Path, dtype: Any) -> dict[str, Any]:
    if is_scaled(path):
        return read_scaled(path, dtype)
    from safetensors.torch import load_file  # noqa: PLC0415

    return dict(load_file(path))


def _renamed(state: dict[str, Any], class_name: str) -> dict[str, Any]:
    for layout in _LAYOUTS:
        if layout.sign in state and class_name.startswith(layout.class_prefix):
            return {_name(name, layout.renamings): value for name, value in state.items()}
    return state


def _name(name: str, renamings: Sequence[tuple[str, str]]) -> str:
    for pattern, ours in renamings:
        name, changed = re.subn(pattern, ours, name)
        if changed:
            break
    return name


def _check(told: Mapping[str, Any], without: Sequence[str] = ()) -> None:
    lacking = sorted(
        name for name in told["missing_keys"] if not any(part in name for part in without)
    )
    if lacking:
        raise ValueError(f"it lacks {len(lacking)} weights: {', '.join(lacking[:3])}")
