"""Tiny pipelines of Cosmos; see tiny.py."""

from __future__ import annotations

from typing import Any

import diffusers
from diffusers.models.autoencoders.autoencoder_cosmos3_audio import Cosmos3AVAEAudioTokenizer

from tests.engines.diffusers.tiny_parts import (
    VOCABULARY,
    Unchecked,
    cosmos_transformer,
    qwen,
    t5,
    tokenizer,
    wan_vae,
    without_checker,
)


def cosmos() -> Any:
    vae = diffusers.AutoencoderKLCosmos(
        latent_channels=4,
        encoder_block_out_channels=(8, 8, 8, 8),
        decode_block_out_channels=(8, 8, 8, 8),
        attention_resolutions=(8,),
        resolution=64,
        num_layers=2,
        scaling_factor=1.0,
        spatial_compression_ratio=4,
        temporal_compression_ratio=4,
    )
    return without_checker(
        diffusers.CosmosTextToWorldPipeline(
            text_encoder=t5(),
            tokenizer=tokenizer(),
            transformer=cosmos_transformer(4, 0),
            vae=vae.eval(),
            scheduler=diffusers.EDMEulerScheduler(
                sigma_min=0.002, sigma_max=80, sigma_data=0.5, final_sigmas_type="sigma_min"
            ),
            safety_checker=Unchecked(),
        )
    )


def cosmos_2() -> Any:
    """Return a tiny pipeline of that family."""
    return without_checker(
        diffusers.Cosmos2VideoToWorldPipeline(
            text_encoder=t5(),
            tokenizer=tokenizer(),
            transformer=cosmos_transformer(16, 1),
            vae=wan_vae(),
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_karras_sigmas=True),
            safety_checker=Unchecked(),
        )
    )


def cosmos_25() -> Any:
    """Return a tiny Cosmos Predict 2.5."""
    return without_checker(
        diffusers.Cosmos2_5_PredictBasePipeline(
            text_encoder=qwen(),
            tokenizer=tokenizer(512),
            transformer=cosmos_transformer(16, 1),
            vae=wan_vae(),
            scheduler=diffusers.UniPCMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True
            ),
            safety_checker=Unchecked(),
        )
    )


def cosmos_3_actions() -> Any:
    """Return a tiny Cosmos 3 that takes and finds actions of up to ten numbers."""
    transformer = diffusers.Cosmos3OmniTransformer(
        head_dim=16,
        hidden_size=32,
        intermediate_size=32,
        latent_channel=16,
        patch_latent_dim=64,
        num_attention_heads=2,
        num_hidden_layers=2,
        num_key_value_heads=2,
        vocab_size=VOCABULARY,
        rope_axes_dim=(4, 2, 2),
        action_gen=True,
        action_dim=10,
    )
    return diffusers.Cosmos3OmniPipeline(
        transformer=transformer.eval(),
        text_tokenizer=tokenizer(512),
        vae=wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True
        ),
        enable_safety_checker=False,
    )


def cosmos_3() -> Any:
    """Return a tiny Cosmos 3 with sound in one channel."""
    transformer = diffusers.Cosmos3OmniTransformer(
        head_dim=16,
        hidden_size=32,
        intermediate_size=32,
        latent_channel=16,
        patch_latent_dim=64,
        num_attention_heads=2,
        num_hidden_layers=2,
        num_key_value_heads=2,
        vocab_size=VOCABULARY,
        rope_axes_dim=(4, 2, 2),
        sound_dim=8,
        sound_gen=True,
        sound_latent_fps=50.0,
    )
    sound = Cosmos3AVAEAudioTokenizer(
        sampling_rate=24_000,
        vocoder_input_dim=8,
        dec_dim=8,
        dec_c_mults=(1, 2, 2),
        dec_strides=(6, 8, 10),
        dec_out_channels=1,
        encoder_enabled=False,
    )
    return diffusers.Cosmos3OmniPipeline(
        transformer=transformer.eval(),
        text_tokenizer=tokenizer(512),
        vae=wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True
        ),
        sound_tokenizer=sound.eval(),
        enable_safety_checker=False,
    )
