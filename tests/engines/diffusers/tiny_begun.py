"""Tiny pipelines that begin from a picture with weights of their own for it; see tiny.py."""

from __future__ import annotations

from typing import Any

import diffusers

from tests.engines.diffusers.tiny_ltx import ltx
from tests.engines.diffusers.tiny_others import cogvideox
from tests.engines.diffusers.tiny_parts import (
    WAN_SHAPE,
    clip_vision,
    flow_scheduler,
    t5,
    tokenizer,
    wan_vae,
)
from tests.engines.diffusers.tiny_wan import skyreels

_TOKENS = 17
"""Tokens of a picture of 32 pixels a side in the tiny image encoder: 4 × 4 and one for all."""


def wan_i2v() -> Any:
    """Return a tiny Wan 2.1 that begins from a picture, with its image encoder."""
    return _wan(image_dim=4)


def wan_flf2v() -> Any:
    """Return a tiny Wan 2.1 made for a first and a last frame."""
    return _wan(image_dim=4, pos_embed_seq_len=2 * _TOKENS)


def wan_22_i2v() -> Any:
    """Return a tiny Wan 2.2 that begins from a picture: two transformers, no image encoder."""
    return diffusers.WanImageToVideoPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=wan_vae(),
        scheduler=flow_scheduler(),
        transformer=_transformer(),
        transformer_2=_transformer(),
        boundary_ratio=0.9,
    )


def cogvideox_i2v() -> Any:
    """Return a tiny CogVideoX that begins from a picture."""
    parts = cogvideox().components
    shape = {"in_channels": 8, "use_rotary_positional_embeddings": True, "attention_head_dim": 16}
    parts["transformer"] = diffusers.CogVideoXTransformer3DModel.from_config(
        dict(parts["transformer"].config) | shape
    )
    return diffusers.CogVideoXImageToVideoPipeline(**parts)


def skyreels_i2v() -> Any:
    """Return a tiny SkyReels-V2 that begins from a picture, with its image encoder."""
    parts = skyreels().components
    parts["transformer"] = diffusers.SkyReelsV2Transformer3DModel(
        **WAN_SHAPE, in_channels=36, out_channels=16, image_dim=4
    )
    return diffusers.SkyReelsV2ImageToVideoPipeline(**parts, **clip_vision(4, 32))


def ltx_condition() -> Any:
    """Return a tiny LTX 0.9.5, which places pictures and videos in time."""
    return diffusers.LTXConditionPipeline(**ltx().components)


def _wan(**more: Any) -> Any:
    return diffusers.WanImageToVideoPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=wan_vae(),
        scheduler=flow_scheduler(),
        transformer=_transformer(**more),
        **clip_vision(4, 32),
    )


def _transformer(**more: Any) -> Any:
    return diffusers.WanTransformer3DModel(
        **WAN_SHAPE, in_channels=36, out_channels=16, **more
    ).eval()
