"""Tiny pipelines of the newer families; see tiny.py."""

from __future__ import annotations

from typing import Any

import diffusers
import transformers
from diffusers.models.autoencoders.autoencoder_cosmos3_audio import Cosmos3AVAEAudioTokenizer
from diffusers.pipelines.ltx2 import LTX2TextConnectors, LTX2Vocoder

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


def hunyuan_video_15() -> Any:
    """Return a tiny pipeline of that family."""
    transformer = diffusers.HunyuanVideo15Transformer3DModel(
        in_channels=9,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=1,
        num_refiner_layers=1,
        mlp_ratio=2.0,
        patch_size=1,
        patch_size_t=1,
        text_embed_dim=16,
        text_embed_2_dim=32,
        image_embed_dim=12,
        rope_axes_dim=(2, 2, 4),
        target_size=16,
        task_type="t2v",
    )
    vae = diffusers.AutoencoderKLHunyuanVideo15(
        latent_channels=4,
        block_out_channels=(16, 16),
        layers_per_block=1,
        spatial_compression_ratio=4,
        temporal_compression_ratio=2,
        downsample_match_channel=False,
        upsample_match_channel=False,
    )
    config = transformers.Qwen2_5_VLTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=0,
        bos_token_id=3,
        eos_token_id=1,
        rope_scaling={"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
    )
    t5 = transformers.T5Config(
        vocab_size=400, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return diffusers.HunyuanVideo15Pipeline(
        text_encoder=transformers.Qwen2_5_VLTextModel(config).eval(),
        tokenizer=tokenizer(2048),
        transformer=transformer.eval(),
        vae=vae.eval(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=transformers.T5EncoderModel(t5).eval(),
        tokenizer_2=transformers.ByT5Tokenizer(),
        guider=diffusers.ClassifierFreeGuidance(guidance_scale=1.0),
    )


def skyreels() -> Any:
    """Return a tiny pipeline of that family."""
    transformer = diffusers.SkyReelsV2Transformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=16,
        out_channels=16,
        text_dim=32,
        freq_dim=256,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
    return diffusers.SkyReelsV2Pipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        transformer=transformer,
        vae=wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(flow_shift=8.0, use_flow_sigmas=True),
    )


def sana() -> Any:
    """Return a tiny pipeline of that family."""
    config = transformers.Gemma2Config(
        vocab_size=VOCABULARY,
        head_dim=16,
        hidden_size=8,
        intermediate_size=64,
        num_attention_heads=2,
        num_hidden_layers=1,
        num_key_value_heads=2,
        pad_token_id=0,
        bos_token_id=3,
        eos_token_id=1,
    )
    transformer = diffusers.SanaVideoTransformer3DModel(
        in_channels=16,
        out_channels=16,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=2,
        num_cross_attention_heads=2,
        cross_attention_head_dim=12,
        cross_attention_dim=24,
        caption_channels=8,
        mlp_ratio=2.5,
        sample_size=8,
        patch_size=(1, 2, 2),
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
    return diffusers.SanaVideoPipeline(
        tokenizer=tokenizer(300),
        text_encoder=transformers.Gemma2Model(config).eval(),
        vae=wan_vae(),
        transformer=transformer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


def motif() -> Any:
    """Return a tiny pipeline of that family."""
    text = transformers.T5Gemma2TextConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        head_dim=16,
        num_key_value_heads=2,
        dropout_rate=0.0,
    )
    config = transformers.T5Gemma2EncoderConfig(text_config=text)
    encoder = transformers.models.t5gemma2.modeling_t5gemma2.T5Gemma2Encoder(config).eval()
    transformer = diffusers.MotifVideoTransformer3DModel(
        in_channels=33,
        out_channels=16,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=1,
        num_single_layers=1,
        mlp_ratio=4.0,
        patch_size=1,
        patch_size_t=1,
        qk_norm="rms_norm",
        text_embed_dim=32,
        rope_axes_dim=(4, 4, 4),
    )
    return diffusers.MotifVideoPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        vae=wan_vae(),
        text_encoder=encoder,
        tokenizer=tokenizer(),
        transformer=transformer,
        guider=diffusers.AdaptiveProjectedGuidance(),
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


def wan_5b() -> Any:
    """Return a tiny Wan 2.2 TI2V: its VAE halves the picture once more, in patches."""
    transformer = diffusers.WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=48,
        out_channels=48,
        text_dim=32,
        freq_dim=256,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
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
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=transformer,
        expand_timesteps=True,
    )


def wan_22() -> Any:
    """Return a tiny Wan 2.2 with a second transformer for the low noise."""
    parts = [
        diffusers.WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=16,
            out_channels=16,
            text_dim=32,
            freq_dim=256,
            ffn_dim=32,
            num_layers=2,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=32,
        )
        for _ in range(2)
    ]
    return diffusers.WanPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=parts[0],
        transformer_2=parts[1],
        boundary_ratio=0.875,
    )


def skyreels_forcing() -> Any:
    """Return a tiny SkyReels-V2 of the diffusion-forcing kind."""
    plain = skyreels()
    return diffusers.SkyReelsV2DiffusionForcingPipeline(**plain.components)


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


def ltx_2() -> Any:
    """Return a tiny LTX-2, which makes sound as well."""
    text = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "pad_token_id": 0,
        "bos_token_id": 3,
        "eos_token_id": 1,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 28,
        "patch_size": 14,
    }
    config = transformers.Gemma3Config(
        text_config=text, vision_config=vision, mm_tokens_per_image=4, image_token_index=5
    )
    transformer = diffusers.LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        qk_norm="rms_norm_across_heads",
        caption_channels=32,
        rope_double_precision=False,
        rope_type="split",
    )
    connectors = LTX2TextConnectors(
        caption_channels=32,
        text_proj_in_factor=3,
        video_connector_num_attention_heads=4,
        video_connector_attention_head_dim=8,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=None,
        audio_connector_num_attention_heads=4,
        audio_connector_attention_head_dim=8,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
    )
    vae = diffusers.AutoencoderKLLTX2Video(
        latent_channels=4,
        block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        layers_per_block=(1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True),
        decoder_spatio_temporal_scaling=(True, True, True),
        decoder_inject_noise=(False, False, False, False),
        downsample_type=("spatiotemporal", "spatiotemporal", "spatiotemporal"),
        upsample_residual=(False, False, False),
        upsample_factor=(1, 1, 1),
        timestep_conditioning=False,
        patch_size=1,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    )
    audio_vae = diffusers.AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1,),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        norm_type="pixel",
        causality_axis="height",
        dropout=0.0,
        mid_block_add_attention=False,
        sample_rate=16000,
        mel_hop_length=160,
        is_causal=True,
        mel_bins=8,
    )
    vocoder = LTX2Vocoder(
        in_channels=16,
        hidden_channels=32,
        out_channels=2,
        upsample_kernel_sizes=[16, 15, 16],
        upsample_factors=[6, 5, 8],  # 240 samples for a step of 160 at 16 kHz
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        leaky_relu_negative_slope=0.1,
        output_sampling_rate=24000,
    )
    return diffusers.LTX2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae.eval(),
        audio_vae=audio_vae.eval(),
        text_encoder=transformers.Gemma3ForConditionalGeneration(config).eval(),
        tokenizer=tokenizer(1_024),
        connectors=connectors,
        transformer=transformer,
        vocoder=vocoder,
    )


def _wan_shape() -> dict[str, Any]:
    return {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "text_dim": 32,
        "freq_dim": 256,
        "ffn_dim": 32,
        "num_layers": 2,
        "cross_attn_norm": True,
        "rope_max_seq_len": 32,
    }


def anyflow() -> Any:
    """Return a tiny AnyFlow."""
    return diffusers.AnyFlowPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        transformer=diffusers.AnyFlowTransformer3DModel(**_wan_shape()).eval(),
        vae=wan_vae(),
        scheduler=diffusers.FlowMapEulerDiscreteScheduler(),
    )


def lucy() -> Any:
    """Return a tiny pipeline of a class that no family knows; it changes a video."""
    return diffusers.LucyEditPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=diffusers.WanTransformer3DModel(
            **_wan_shape(), in_channels=32, out_channels=16, qk_norm="rms_norm_across_heads"
        ).eval(),
        expand_timesteps=True,
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
