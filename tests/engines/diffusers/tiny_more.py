"""Tiny pipelines of families made of parts of others: pyramids, upscalers, control; see tiny.py."""

from __future__ import annotations

from typing import Any

import diffusers
import transformers

from tests.engines.diffusers.tiny_others import cogvideox
from tests.engines.diffusers.tiny_parts import QWEN_TEXT, t5, tokenizer, wan_vae
from tests.engines.diffusers.tiny_wan import helios_parts


def easyanimate() -> Any:
    """Return a tiny EasyAnimate 5.1."""
    text = {**QWEN_TEXT, "hidden_size": 16, "intermediate_size": 16}
    vision = {"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 1}
    config = transformers.Qwen2VLConfig(text_config=text, vision_config=vision)
    transformer = diffusers.EasyAnimateTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=16,
        num_layers=1,
        sample_width=16,
        sample_height=16,
        patch_size=2,
    )
    vae = diffusers.AutoencoderKLMagvit(
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        spatial_group_norm=False,
    )
    return diffusers.EasyAnimatePipeline(
        vae=vae.eval(),
        text_encoder=transformers.Qwen2VLForConditionalGeneration(config).eval(),
        tokenizer=tokenizer(256),
        transformer=transformer.eval(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


def cogvideox_control() -> Any:
    """Return a tiny CogVideoX-Fun, which follows a control video."""
    parts = cogvideox().components
    shape = dict(parts["transformer"].config) | {"in_channels": 8}
    parts["transformer"] = diffusers.CogVideoXTransformer3DModel.from_config(shape)
    return diffusers.CogVideoXFunControlPipeline(**parts)


def helios_pyramid() -> Any:
    """Return a tiny Helios that refines each section in three sizes.

    Not with its authors' gamma of 1/3: the noise's covariance is then singular, and whether its
    Cholesky factor exists is a matter of rounding.
    """
    return diffusers.HeliosPyramidPipeline(
        **helios_parts(stage_range=[0, 1 / 3, 2 / 3, 1], stages=3, gamma=0.3)
    )


def helios_distilled() -> Any:
    """Return a tiny distilled Helios, with the gamma of the other."""
    parts = helios_parts()
    parts["scheduler"] = diffusers.HeliosDMDScheduler(gamma=0.3, use_dynamic_shifting=True)
    return diffusers.HeliosPyramidPipeline(**parts, is_distilled=True)


def wan_animate_2() -> Any:
    """Return a tiny Wan-Animate 2, put together from blocks."""
    from diffusers.modular_pipelines import WanAnimate2Blocks

    config = transformers.CLIPVisionConfig(
        hidden_size=1_280,  # fixed in the transformer's code
        projection_dim=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=224,
        intermediate_size=16,
        patch_size=112,
    )
    transformer = diffusers.WanAnimate2Transformer3DModel(
        dim=24, ffn_dim=32, text_dim=32, num_heads=2, num_layers=2
    )
    pipe = WanAnimate2Blocks().init_pipeline()
    pipe.update_components(
        transformer=transformer.eval(),
        vae=wan_vae(),
        text_encoder=t5(),
        tokenizer=tokenizer(512),
        image_encoder=transformers.CLIPVisionModel(config).eval(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=5.0),
    )
    return pipe


def kandinsky_6_sr() -> Any:
    """Return a tiny upscaler of Kandinsky 6."""
    return diffusers.Kandinsky6SRPipeline(
        transformer=diffusers.Kandinsky6SRTransformer3DModel(
            in_visual_dim=4,
            out_visual_dim=4,
            time_dim=16,
            model_dim=24,
            ff_dim=32,
            num_visual_blocks=1,
            axes_dims=(4, 4, 4),
            tile_sizes=((128, 128),),
        ).eval(),
        vae=diffusers.Kandinsky6SRVAE(
            latent_channels=4,
            encoder_block_out_channels=(4, 8, 8, 8, 8),
            decoder_block_out_channels=(4, 8, 8, 8, 8),
            layers_per_block=1,
        ).eval(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        latent_upscaler=diffusers.Kandinsky6SRLatentUpscalerBank(
            in_channels=4,
            stage_channels=(8, 8, 8),
            num_pre_blocks=1,
            num_mid_blocks=1,
            num_post_blocks=1,
            num_x2_adapter_blocks=1,
            scales=(2,),
        ).eval(),
    )
