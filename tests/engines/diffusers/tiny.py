"""Tiny pipelines of the real classes with random weights, one per family, made without a download.

The shapes follow the dummy components of diffusers' own tests (Apache-2.0), so that what is proved
here is proved on the classes that real weights load into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import diffusers
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

__all__ = ["TINY", "Tiny", "save", "save_wan_vace", "tiny_wan"]

_VOCABULARY: Final = 256
_CHAT: Final = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


@dataclass(frozen=True, slots=True)
class Tiny:
    """One tiny model: how it is made, and the request that it can render."""

    make: Callable[[], Any]
    num_frames: int = 9
    size: int = 64
    options: Mapping[str, Any] = field(default_factory=dict)


def save(name: str, folder: Path) -> Path:
    """Make the tiny model ``name`` and save it into ``folder``; returns the model's folder."""
    target = folder / name
    if not target.exists():
        torch.manual_seed(0)
        TINY[name].make().save_pretrained(target)
    return target


def save_wan_vace(folder: Path) -> Path:
    """Save a tiny pipeline of a class that no family knows; returns its folder."""
    torch.manual_seed(0)
    wan = tiny_wan()
    shape = {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": 16,
        "out_channels": 16,
        "text_dim": 32,
        "freq_dim": 256,
        "ffn_dim": 32,
        "num_layers": 2,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "rope_max_seq_len": 32,
    }
    pipe = diffusers.WanVACEPipeline(
        tokenizer=wan.tokenizer,
        text_encoder=wan.text_encoder,
        vae=wan.vae,
        scheduler=wan.scheduler,
        transformer=diffusers.WanVACETransformer3DModel(
            **shape, vace_layers=[0], vace_in_channels=96
        ),
    )
    pipe.save_pretrained(folder / "wan-vace")
    return folder / "wan-vace"


def _tokenizer(length: int = 64) -> Any:
    words = ["<pad>", "</s>", "<unk>", "<s>", "a", "dog", "runs", "in", "the", "rain", "red", "sky"]
    words += [f"w{number}" for number in range(200)]
    core = Tokenizer(WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    core.pre_tokenizer = Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        bos_token="<s>",
        model_max_length=length,
        chat_template=_CHAT,
    )


def _t5(width: int = 32) -> Any:
    config = transformers.T5Config(
        vocab_size=_VOCABULARY, d_model=width, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return transformers.T5EncoderModel(config).eval()


def _clip(width: int = 16) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=_VOCABULARY,
        hidden_size=width,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        pad_token_id=0,
        bos_token_id=3,
        eos_token_id=1,
    )
    return transformers.CLIPTextModel(config).eval()


def _qwen(width: int = 16) -> Any:
    text = {
        "hidden_size": width,
        "intermediate_size": width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": _VOCABULARY,
        "pad_token_id": 0,
        "bos_token_id": 3,
        "eos_token_id": 1,
        "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
    }
    vision = {
        "depth": 1,
        "hidden_size": width,
        "intermediate_size": width,
        "num_heads": 2,
        "out_hidden_size": width,
    }
    config = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision)
    return transformers.Qwen2_5_VLForConditionalGeneration(config).eval()


def _wan_vae() -> Any:
    return diffusers.AutoencoderKLWan(
        base_dim=3,
        z_dim=16,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    ).eval()


def tiny_wan() -> Any:
    """Return a tiny Wan pipeline."""
    transformer = diffusers.WanTransformer3DModel(
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
    config = transformers.UMT5Config(
        vocab_size=_VOCABULARY, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return diffusers.WanPipeline(
        tokenizer=_tokenizer(),
        text_encoder=transformers.UMT5EncoderModel(config).eval(),
        vae=_wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=transformer,
    )


def _ltx() -> Any:
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
        text_encoder=_t5(),
        tokenizer=_tokenizer(),
        transformer=transformer,
    )


def _cogvideox() -> Any:
    kinds = ("CogVideoXDownBlock3D",) * 4, ("CogVideoXUpBlock3D",) * 4
    vae = diffusers.AutoencoderKLCogVideoX(
        down_block_types=kinds[0],
        up_block_types=kinds[1],
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
    )
    transformer = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=4,
        attention_head_dim=8,
        in_channels=4,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=32,
        num_layers=1,
        sample_width=8,
        sample_height=8,
        sample_frames=9,
        max_text_seq_length=226,
    )
    return diffusers.CogVideoXPipeline(
        tokenizer=_tokenizer(),
        text_encoder=_t5(),
        vae=vae.eval(),
        transformer=transformer,
        scheduler=diffusers.CogVideoXDDIMScheduler(),
    )


def _hunyuan_vae(**changed: Any) -> Any:
    settings: dict[str, Any] = {
        "latent_channels": 4,
        "down_block_types": ("HunyuanVideoDownBlock3D",) * 4,
        "up_block_types": ("HunyuanVideoUpBlock3D",) * 4,
        "block_out_channels": (8, 8, 8, 8),
        "layers_per_block": 1,
        "norm_num_groups": 4,
    }
    return diffusers.AutoencoderKLHunyuanVideo(**settings | changed).eval()


def _hunyuan_video() -> Any:
    llama = transformers.LlamaConfig(
        vocab_size=_VOCABULARY,
        hidden_size=16,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=4,
        pad_token_id=0,
        bos_token_id=3,
        eos_token_id=1,
    )
    transformer = diffusers.HunyuanVideoTransformer3DModel(
        in_channels=4,
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
    )
    return diffusers.HunyuanVideoPipeline(
        text_encoder=transformers.LlamaModel(llama).eval(),
        tokenizer=_tokenizer(512),
        transformer=transformer,
        vae=_hunyuan_vae(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=_clip(),
        tokenizer_2=_tokenizer(77),
    )


def _hunyuan_video_15() -> Any:
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
        vocab_size=_VOCABULARY,
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
        tokenizer=_tokenizer(2048),
        transformer=transformer.eval(),
        vae=vae.eval(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=transformers.T5EncoderModel(t5).eval(),
        tokenizer_2=transformers.ByT5Tokenizer(),
        guider=diffusers.ClassifierFreeGuidance(guidance_scale=1.0),
    )


def _mochi() -> Any:
    transformer = diffusers.MochiTransformer3DModel(
        patch_size=2,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        in_channels=12,
        qk_norm="rms_norm",
        text_embed_dim=32,
        time_embed_dim=4,
        activation_fn="swiglu",
        max_sequence_length=16,
    )
    vae = diffusers.AutoencoderKLMochi(
        latent_channels=12,
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(32, 32, 32, 32),
        layers_per_block=(1, 1, 1, 1, 1),
    )
    return diffusers.MochiPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae.eval(),
        text_encoder=_t5(),
        tokenizer=_tokenizer(),
        transformer=transformer,
    )


def _allegro() -> Any:
    transformer = diffusers.AllegroTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        cross_attention_dim=24,
        sample_width=40,
        sample_height=40,
        sample_frames=6,
        caption_channels=24,
    )
    vae = diffusers.AutoencoderKLAllegro(
        down_block_types=("AllegroDownBlock3D",) * 4,
        up_block_types=("AllegroUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
    )
    return diffusers.AllegroPipeline(
        tokenizer=_tokenizer(),
        text_encoder=_t5(24),
        vae=vae.eval(),
        transformer=transformer,
        scheduler=diffusers.DDIMScheduler(),
    )


def _skyreels() -> Any:
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
        tokenizer=_tokenizer(),
        text_encoder=_t5(),
        transformer=transformer,
        vae=_wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(flow_shift=8.0, use_flow_sigmas=True),
    )


def _sana() -> Any:
    config = transformers.Gemma2Config(
        vocab_size=_VOCABULARY,
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
        tokenizer=_tokenizer(300),
        text_encoder=transformers.Gemma2Model(config).eval(),
        vae=_wan_vae(),
        transformer=transformer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


class _Unchecked(torch.nn.Module):  # type: ignore[misc]
    dtype = torch.float32


def _cosmos_transformer(channels: int, more: int) -> Any:
    return diffusers.CosmosTransformer3DModel(
        in_channels=channels + more,
        out_channels=channels,
        num_attention_heads=2,
        attention_head_dim=16,
        num_layers=2,
        mlp_ratio=2,
        text_embed_dim=32,
        adaln_lora_dim=4,
        max_size=(4, 32, 32),
        patch_size=(1, 2, 2),
        rope_scale=(2.0, 1.0, 1.0),
        concat_padding_mask=False,
        extra_pos_embed_type="learnable",
    )


def _without_checker(pipe: Any) -> Any:
    """Save as the hub's folders are: they name no weights of a checker."""
    pipe.register_modules(safety_checker=None)
    return pipe


def _cosmos() -> Any:
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
    return _without_checker(
        diffusers.CosmosTextToWorldPipeline(
            text_encoder=_t5(),
            tokenizer=_tokenizer(),
            transformer=_cosmos_transformer(4, 0),
            vae=vae.eval(),
            scheduler=diffusers.EDMEulerScheduler(
                sigma_min=0.002, sigma_max=80, sigma_data=0.5, final_sigmas_type="sigma_min"
            ),
            safety_checker=_Unchecked(),
        )
    )


def _cosmos_2() -> Any:
    return _without_checker(
        diffusers.Cosmos2VideoToWorldPipeline(
            text_encoder=_t5(),
            tokenizer=_tokenizer(),
            transformer=_cosmos_transformer(16, 1),
            vae=_wan_vae(),
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_karras_sigmas=True),
            safety_checker=_Unchecked(),
        )
    )


def _latte() -> Any:
    transformer = diffusers.LatteTransformer3DModel(
        sample_size=8,
        num_layers=1,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=3,
        caption_channels=32,
        in_channels=4,
        cross_attention_dim=24,
        out_channels=8,
        attention_bias=True,
        activation_fn="gelu-approximate",
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        norm_eps=1e-6,
    )
    return diffusers.LattePipeline(
        tokenizer=_tokenizer(120),
        text_encoder=_t5(),
        vae=_picture_vae(),
        transformer=transformer.eval(),
        scheduler=diffusers.DDIMScheduler(),
    )


def _picture_vae() -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
    ).eval()


def _animatediff() -> Any:
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(8, 8),
        layers_per_block=2,
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        norm_num_groups=2,
    )
    adapter = diffusers.MotionAdapter(
        block_out_channels=(8, 8),
        motion_layers_per_block=2,
        motion_norm_num_groups=2,
        motion_num_attention_heads=4,
    )
    return diffusers.AnimateDiffPipeline(
        vae=_picture_vae(),
        text_encoder=_clip(),
        tokenizer=_tokenizer(77),
        unet=unet,
        motion_adapter=adapter,
        scheduler=diffusers.DDIMScheduler(beta_schedule="linear", clip_sample=False),
    )


def _motif() -> Any:
    text = transformers.T5Gemma2TextConfig(
        vocab_size=_VOCABULARY,
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
        vae=_wan_vae(),
        text_encoder=encoder,
        tokenizer=_tokenizer(),
        transformer=transformer,
        guider=diffusers.AdaptiveProjectedGuidance(),
    )


TINY: Final[Mapping[str, Tiny]] = MappingProxyType(
    {
        "wan": Tiny(tiny_wan),
        "ltx": Tiny(_ltx),
        "cogvideox": Tiny(_cogvideox, num_frames=17),
        "hunyuan-video": Tiny(_hunyuan_video),
        "hunyuan-video-1-5": Tiny(_hunyuan_video_15),
        "mochi": Tiny(_mochi, num_frames=7),
        "allegro": Tiny(_allegro, num_frames=24, size=320),
        "skyreels-v2": Tiny(_skyreels),
        "sana-video": Tiny(_sana),
        "cosmos": Tiny(_cosmos, options={"safety_checker": False}),
        "cosmos-2": Tiny(_cosmos_2, options={"safety_checker": False}),
        "latte": Tiny(_latte, num_frames=16),
        "animatediff": Tiny(_animatediff, num_frames=18),
        "motif-video": Tiny(_motif),
    }
)
"""Family → its tiny model."""
