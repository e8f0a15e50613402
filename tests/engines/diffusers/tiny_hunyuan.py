"""Tiny pipelines built on HunyuanVideo's VAE; see tiny.py."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import diffusers
import transformers

from tests.engines.diffusers.tiny_parts import VOCABULARY, clip, clip_vision, qwen, tokenizer


def hunyuan_vae(**changed: Any) -> Any:
    settings: dict[str, Any] = {
        "latent_channels": 4,
        "down_block_types": ("HunyuanVideoDownBlock3D",) * 4,
        "up_block_types": ("HunyuanVideoUpBlock3D",) * 4,
        "block_out_channels": (8, 8, 8, 8),
        "layers_per_block": 1,
        "norm_num_groups": 4,
    }
    return diffusers.AutoencoderKLHunyuanVideo(**settings | changed).eval()


def hunyuan_video() -> Any:
    return diffusers.HunyuanVideoPipeline(
        text_encoder=_llama(),
        tokenizer=tokenizer(512),
        transformer=_transformer(),
        vae=hunyuan_vae(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=clip(),
        tokenizer_2=tokenizer(77),
    )


def skyreels_i2v() -> Any:
    """Return a tiny pipeline of a class that no family knows; it begins from a picture."""
    parts = hunyuan_video().components
    parts["transformer"] = _transformer(in_channels=8)
    return diffusers.HunyuanSkyreelsImageToVideoPipeline(**parts)


PICTURE_TEMPLATE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "template": "<image> a {} w1 w2 w3 <|end_header_id|>",
        "crop_start": 2,
        "image_emb_start": 0,
        "image_emb_end": 16,
        "image_emb_len": 16,
    }
)
"""The tiny model's stand-in for the authors' template, whose lengths belong to their tokenizer."""


def hunyuan_video_i2v() -> Any:
    """Return a tiny HunyuanVideo that begins from a picture, which its language model sees too."""
    words = tokenizer(512)
    words.add_special_tokens({"additional_special_tokens": ["<image>", "<|end_header_id|>"]})
    vision = clip_vision(16, 32)
    config = transformers.LlavaConfig(
        vision_config=vision["image_encoder"].config,
        text_config=_llama().config,
        image_token_index=words.convert_tokens_to_ids("<image>"),
        pad_token_id=0,
    )
    parts = hunyuan_video().components
    parts |= {
        "text_encoder": transformers.LlavaForConditionalGeneration(config).eval(),
        "tokenizer": words,
        "image_processor": vision["image_processor"],
        "transformer": _transformer(in_channels=9, image_condition_type="latent_concat"),
    }
    return diffusers.HunyuanVideoImageToVideoPipeline(**parts)


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


def framepack() -> Any:
    """Return a tiny HunyuanVideo of the FramePack kind, which makes a video in sections."""
    transformer = diffusers.HunyuanVideoFramepackTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=10,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        patch_size=2,
        patch_size_t=1,
        text_embed_dim=16,
        pooled_projection_dim=16,
        rope_axes_dim=(2, 4, 4),
        has_image_proj=True,
        image_proj_dim=16,
        has_clean_x_embedder=True,
    )
    vision = transformers.SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    return diffusers.HunyuanVideoFramepackPipeline(
        text_encoder=_llama(),
        tokenizer=tokenizer(512),
        transformer=transformer.eval(),
        vae=hunyuan_vae(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=clip(),
        tokenizer_2=tokenizer(77),
        image_encoder=transformers.SiglipVisionModel(vision).eval(),
        feature_extractor=transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32}),
    )


def kandinsky_6() -> Any:
    """Return a tiny Kandinsky 6, which makes sound as well."""
    transformer = diffusers.Kandinsky6Transformer3DModel(
        in_visual_dim=4,
        out_visual_dim=4,
        in_text_dim=16,
        in_text_dim2=16,
        time_dim=16,
        model_dim=24,
        ff_dim=32,
        num_text_blocks=1,
        num_visual_blocks=1,
        axes_dims=(4, 4, 4),
        in_audio_dim=4,
        out_audio_dim=4,
        model_dim_a=12,
        time_dim_a=16,
        ff_dim_a=16,
        axes_dims_a=(6,),
        visual_token_type_num_embeddings=2,
    )
    audio = diffusers.MMAudioVAE(
        mel_bins=16,
        latent_channels=4,
        hidden_channels=32,
        channel_multipliers=(1, 2),
        layers_per_block=1,
        sample_rate=16_000,
        n_fft=256,
        hop_length=64,
    )
    vocoder = diffusers.MMAudioVocoder(
        num_mels=16,
        upsample_initial_channel=32,
        upsample_rates=(8, 4, 2),
        upsample_kernel_sizes=(16, 8, 4),
        resblock_kernel_sizes=(3,),
        resblock_dilation_sizes=((1, 3, 5),),
    )
    return diffusers.Kandinsky6TI2VAPipeline(
        transformer=transformer.eval(),
        vae=hunyuan_vae(),
        text_encoder=qwen(),
        tokenizer=tokenizer(2_048),
        text_encoder_2=clip(),
        tokenizer_2=tokenizer(77),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        audio_vae=audio.eval(),
        vocoder=vocoder.eval(),
    )


def _transformer(in_channels: int = 4, **more: Any) -> Any:
    return diffusers.HunyuanVideoTransformer3DModel(
        in_channels=in_channels,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=10,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        patch_size=1,
        patch_size_t=1,
        guidance_embeds=True,
        text_embed_dim=16,
        pooled_projection_dim=16,
        rope_axes_dim=(2, 4, 4),
        **more,
    )


def _llama() -> Any:
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=4,
        pad_token_id=0,
        bos_token_id=3,
        eos_token_id=1,
    )
    return transformers.LlamaModel(config).eval()
