"""Tiny pipelines built on LTX's VAEs; see tiny.py."""

from __future__ import annotations

from typing import Any

import diffusers
import transformers
from diffusers.pipelines.ltx2 import LTX2TextConnectors, LTX2Vocoder

from tests.engines.diffusers.tiny_parts import VOCABULARY, gemma_2, t5, tokenizer


def ltx() -> Any:
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False),
        decoder_inject_noise=(False, False, False, False, False),
        upsample_residual=(False, False, False, False),
        upsample_factor=(1, 1, 1, 1),
        patch_size=1,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    )
    transformer = diffusers.LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=32,
    )
    return diffusers.LTXPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae.eval(),
        text_encoder=t5(),
        tokenizer=tokenizer(),
        transformer=transformer,
    )


def ltx_2_vae() -> Any:
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
    return vae.eval()


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
        vae=ltx_2_vae(),
        audio_vae=audio_vae.eval(),
        text_encoder=transformers.Gemma3ForConditionalGeneration(config).eval(),
        tokenizer=tokenizer(1_024, "left"),  # as Gemma's is
        connectors=connectors,
        transformer=transformer,
        vocoder=vocoder,
    )


def ltx_2_modular() -> Any:
    """Return the tiny LTX-2 as a modular pipeline, put together from blocks."""
    from diffusers.modular_pipelines import LTX2AutoBlocks

    pipe = LTX2AutoBlocks().init_pipeline()
    pipe.update_components(**_present(ltx_2()))
    return pipe


def echo() -> Any:
    """Return a tiny Echo: the networks of LTX-2 in a pipeline without guidance."""
    from diffusers.modular_pipelines import EchoBlocks

    pipe = EchoBlocks().init_pipeline()
    components = _present(ltx_2())
    del components["scheduler"]
    pipe.update_components(**components)
    return pipe


def ltx_25() -> Any:
    """Return a tiny LTX-2.5: LTX-2 with a decoder that denoises."""
    from diffusers.modular_pipelines import LTX25AutoBlocks

    components = _present(ltx_2())
    decoder = diffusers.LTX2VideoDiffusionDecoderModel(
        latent_channels=4,
        patch_size=4,  # without a compiler its attention holds tokens × tokens in memory
        decoder_upsample_strides=((1, 2, 2), (2, 1, 1), (2, 1, 1), (2, 1, 1)),
        decoder_head_dim=16,
        decoder_stage_channels=(32, 16, 16, 16, 16),
        decoder_stage_depths=(1, 1, 1, 1, 1),
        decoder_stage_kernels=((3, 3, 3),) * 4,
        decoder_upsample_channel_reductions=(2, 1, 1, 1),
        decoder_stage5_kernel=(3, 3, 3),
        decoder_t_emb_dim=16,
        spatial_compression_ratio=8,
        temporal_compression_ratio=8,
    )
    pipe = LTX25AutoBlocks().init_pipeline()
    pipe.update_components(**components, diffusion_decoder=decoder.eval())
    return pipe


def ltx_upsampler() -> Any:
    """Return a tiny pipeline that doubles the width and height of a video."""
    upsampler = diffusers.pipelines.ltx.LTXLatentUpsamplerModel(
        in_channels=8, mid_channels=32, num_blocks_per_stage=1, dims=3
    )
    return diffusers.LTXLatentUpsamplePipeline(vae=ltx().vae, latent_upsampler=upsampler.eval())


def ltx_2_upsampler() -> Any:
    """Return the same for videos of LTX-2."""
    upsampler = diffusers.pipelines.ltx2.LTX2LatentUpsamplerModel(
        in_channels=4, mid_channels=32, num_blocks_per_stage=1, dims=3
    )
    return diffusers.LTX2LatentUpsamplePipeline(vae=ltx_2_vae(), latent_upsampler=upsampler.eval())


def sana_wm() -> Any:
    """Return a tiny Sana-WM, whose camera is steered."""
    transformer = diffusers.SanaWMTransformer3DModel(
        in_channels=4,
        num_layers=2,
        hidden_size=32,
        num_attention_heads=2,
        linear_head_dim=16,
        softmax_every_n=2,
        caption_channels=8,
        image_size=64,
        chunk_plucker_post_attn_blocks=2,
        chunk_plucker_channels=48,
    )
    return diffusers.SanaWMPipeline(
        tokenizer=tokenizer(300),
        text_encoder=gemma_2(language=True),
        vae=ltx_2_vae(),
        transformer=transformer.eval(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


def _present(pipe: Any) -> dict[str, Any]:
    return {name: part for name, part in pipe.components.items() if part is not None}
