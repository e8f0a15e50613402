"""Wan transformers and VAEs at their real and at small sizes, with random weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

__all__ = ["MODELS", "Model", "build", "draft"]


@dataclass(frozen=True, slots=True)
class Model:
    """One architecture at its size, and the video it makes."""

    transformer: dict[str, Any]
    vae: dict[str, Any]
    width: int
    height: int
    num_frames: int
    fps: int
    steps: int = 50
    """Steps of a full render, for the time a video takes."""
    shift: float = 3.0


_WAN: Final[dict[str, Any]] = {
    "patch_size": (1, 2, 2),
    "freq_dim": 256,
    "text_dim": 4_096,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "attention_head_dim": 128,
}
_VAE_5B: Final[dict[str, Any]] = {
    "base_dim": 160,
    "decoder_base_dim": 256,
    "z_dim": 48,
    "in_channels": 12,
    "out_channels": 12,
    "patch_size": 2,
    "is_residual": True,
    "scale_factor_spatial": 16,
    "latents_mean": [0.0] * 48,
    "latents_std": [1.0] * 48,
}
_TINY_VAE: Final[dict[str, Any]] = {
    "base_dim": 8,
    "z_dim": 16,
    "dim_mult": [1, 1, 1, 1],
    "num_res_blocks": 1,
    "temperal_downsample": [False, True, True],
}
MODELS: Final[dict[str, Model]] = {
    "1.3b": Model(
        _WAN | {"num_attention_heads": 12, "num_layers": 30, "ffn_dim": 8_960, "in_channels": 16,
                "out_channels": 16},
        {}, 832, 480, 81, 16,
    ),
    "5b": Model(
        _WAN | {"num_attention_heads": 24, "num_layers": 30, "ffn_dim": 14_336, "in_channels": 48,
                "out_channels": 48},
        _VAE_5B, 1280, 704, 121, 24, shift=5.0,
    ),
    "14b": Model(
        _WAN | {"num_attention_heads": 40, "num_layers": 40, "ffn_dim": 13_824, "in_channels": 16,
                "out_channels": 16},
        {}, 832, 480, 81, 16,
    ),
    "tiny": Model(
        _WAN | {"num_attention_heads": 2, "attention_head_dim": 12, "num_layers": 2, "ffn_dim": 32,
                "in_channels": 16, "out_channels": 16, "text_dim": 32, "rope_max_seq_len": 32},
        _TINY_VAE, 64, 64, 9, 8, steps=4,
    ),
    "small": Model(
        _WAN | {"num_attention_heads": 4, "attention_head_dim": 32, "num_layers": 4,
                "ffn_dim": 512, "in_channels": 16, "out_channels": 16, "text_dim": 32,
                "rope_max_seq_len": 64},
        _TINY_VAE, 128, 128, 17, 16, steps=8,
    ),
}  # fmt: skip
"""Configurations from the models' config.json on the hub, and two small ones for CPUs."""


def draft(model: Model) -> Model:
    """Return ``model`` at a draft's size."""
    if model.width <= 64:
        return model
    spatial = 2 * model.vae.get("scale_factor_spatial", 8)
    small = (
        round(model.width * 0.58 / spatial) * spatial,
        round(model.height * 0.58 / spatial) * spatial,
    )
    return replace(model, width=small[0], height=small[1], num_frames=33)


def build(model: Model, device: str, dtype: Any) -> tuple[Any, Any]:
    """Return the transformer in ``dtype`` and the VAE in 32 bits, with random weights on ``device``.

    The weights are drawn on the device: drawing 14 billion on a CPU takes minutes.
    """
    import torch
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    torch.manual_seed(0)
    before = torch.get_default_dtype()
    try:
        with torch.device(device):
            vae = AutoencoderKLWan(**model.vae)
            torch.set_default_dtype(dtype)
            transformer = WanTransformer3DModel(**model.transformer)
    finally:
        torch.set_default_dtype(before)
    wide = transformer._keep_in_fp32_modules or ()  # as loading real weights keeps them
    for name, parameter in transformer.named_parameters():
        if any(part in name.split(".") for part in wide):
            parameter.data = parameter.data.float()
    return transformer.eval(), vae.eval()
