"""Tiny pipelines built on Wan's transformer or its kind; see tiny.py."""

from __future__ import annotations

from typing import Any

import diffusers
import transformers

from tests.engines.diffusers.tiny_parts import (
    VOCABULARY,
    WAN_SHAPE,
    clip_vision,
    flow_scheduler,
    t5,
    tokenizer,
    wan_vae,
)


def tiny_wan() -> Any:
    """Return a tiny Wan pipeline."""
    transformer = diffusers.WanTransformer3DModel(**WAN_SHAPE, in_channels=16, out_channels=16)
    config = transformers.UMT5Config(
        vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return diffusers.WanPipeline(
        tokenizer=tokenizer(),
        text_encoder=transformers.UMT5EncoderModel(config).eval(),
        vae=wan_vae(),
        scheduler=flow_scheduler(),
        transformer=transformer,
    )


def wan_5b() -> Any:
    """Return a tiny Wan 2.2 TI2V: its VAE halves the picture once more, in patches."""
    transformer = diffusers.WanTransformer3DModel(**WAN_SHAPE, in_channels=48, out_channels=48)
    vae = diffusers.AutoencoderKLWan(
        base_dim=3,
        z_dim=48,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        temperal_downsample=[False, True, True],
    )
    return diffusers.WanPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=vae.eval(),
        scheduler=flow_scheduler(),
        transformer=transformer,
        expand_timesteps=True,
    )


def wan_22() -> Any:
    """Return a tiny Wan 2.2 with a second transformer for the low noise."""
    parts = [
        diffusers.WanTransformer3DModel(**WAN_SHAPE, in_channels=16, out_channels=16)
        for _ in range(2)
    ]
    return diffusers.WanPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=wan_vae(),
        scheduler=flow_scheduler(),
        transformer=parts[0],
        transformer_2=parts[1],
        boundary_ratio=0.875,
    )


def wan_vace() -> Any:
    """Return a tiny Wan VACE."""
    parts = tiny_wan().components
    parts["transformer"] = diffusers.WanVACETransformer3DModel(
        **WAN_SHAPE, in_channels=16, out_channels=16, vace_layers=[0], vace_in_channels=96
    )
    del parts["transformer_2"]
    return diffusers.WanVACEPipeline(**parts)


def anyflow() -> Any:
    """Return a tiny AnyFlow."""
    return diffusers.AnyFlowPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        transformer=_without_norm(diffusers.AnyFlowTransformer3DModel),
        vae=wan_vae(),
        scheduler=diffusers.FlowMapEulerDiscreteScheduler(),
    )


def anyflow_far() -> Any:
    """Return a tiny AnyFlow of the causal kind, which makes chunk after chunk."""
    return diffusers.AnyFlowFARPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        transformer=_without_norm(
            diffusers.AnyFlowFARTransformer3DModel, chunk_partition=(1, 3, 2), full_chunk_limit=3
        ),
        vae=wan_vae(),
        scheduler=diffusers.FlowMapEulerDiscreteScheduler(),
    )


def lucy() -> Any:
    """Return a tiny Lucy Edit, which changes a video."""
    return diffusers.LucyEditPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=wan_vae(),
        scheduler=flow_scheduler(),
        transformer=diffusers.WanTransformer3DModel(
            **WAN_SHAPE, in_channels=32, out_channels=16
        ).eval(),
        expand_timesteps=True,
    )


def skyreels() -> Any:
    """Return a tiny pipeline of that family."""
    transformer = diffusers.SkyReelsV2Transformer3DModel(
        **WAN_SHAPE, in_channels=16, out_channels=16
    )
    return diffusers.SkyReelsV2Pipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        transformer=transformer,
        vae=wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(flow_shift=8.0, use_flow_sigmas=True),
    )


def skyreels_forcing() -> Any:
    """Return a tiny SkyReels-V2 of the diffusion-forcing kind."""
    plain = skyreels()
    return diffusers.SkyReelsV2DiffusionForcingPipeline(**plain.components)


def chronoedit() -> Any:
    """Return a tiny ChronoEdit."""
    return diffusers.ChronoEditPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=wan_vae(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        transformer=diffusers.ChronoEditTransformer3DModel(
            **WAN_SHAPE, in_channels=36, out_channels=16, image_dim=4
        ).eval(),
        **clip_vision(4, 32),
    )


def wan_animate() -> Any:
    """Return a tiny Wan-Animate."""
    transformer = diffusers.WanAnimateTransformer3DModel(
        **WAN_SHAPE,
        in_channels=36,
        latent_channels=16,
        out_channels=16,
        image_dim=4,
        motion_encoder_channel_sizes={"4": 16, "8": 16, "16": 16},
        motion_encoder_size=16,
        motion_style_dim=8,
        motion_dim=4,
        motion_encoder_dim=16,
        face_encoder_hidden_dim=16,
        face_encoder_num_heads=2,
        inject_face_latents_blocks=2,
    )
    return diffusers.WanAnimatePipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=wan_vae(),
        scheduler=flow_scheduler(),
        transformer=transformer.eval(),
        **clip_vision(4, 4),
    )


def helios() -> Any:
    """Return a tiny Helios, which makes 33 frames at a time."""
    return diffusers.HeliosPipeline(**helios_parts(stage_range=[0, 1], stages=1))


def helios_parts(**scheduler: Any) -> dict[str, Any]:
    """Return the parts of a tiny Helios with a scheduler of these settings."""
    shape = {name: value for name, value in WAN_SHAPE.items() if name != "rope_max_seq_len"}
    transformer = diffusers.HeliosTransformer3DModel(
        **shape, in_channels=16, out_channels=16, rope_dim=(4, 4, 4)
    )
    return {
        "tokenizer": tokenizer(),
        "text_encoder": t5(),
        "transformer": transformer.eval(),
        "vae": wan_vae(),
        "scheduler": diffusers.HeliosScheduler(**scheduler, use_dynamic_shifting=True),
    }


def _without_norm(kind: Any, **more: Any) -> Any:
    """Return a transformer of a class that has no norm of queries and keys to choose."""
    shape = {name: value for name, value in WAN_SHAPE.items() if name != "qk_norm"}
    return kind(**shape, **more).eval()


def wan_modular() -> Any:
    """Return the tiny Wan as a modular pipeline, put together from blocks."""
    from diffusers.modular_pipelines import WanBlocks

    parts = {name: part for name, part in tiny_wan().components.items() if part is not None}
    pipe = WanBlocks().init_pipeline()
    pipe.update_components(**parts)
    return pipe
