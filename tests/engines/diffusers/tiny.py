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

from tests.engines.diffusers.tiny_newer import (
    anyflow,
    cosmos_2,
    cosmos_25,
    hunyuan_video_15,
    ltx_2,
    motif,
    sana,
    skyreels,
    skyreels_forcing,
    wan_5b,
    wan_22,
)
from tests.engines.diffusers.tiny_parts import (
    VOCABULARY,
    Unchecked,
    clip,
    cosmos_transformer,
    picture_vae,
    t5,
    tokenizer,
    wan_vae,
    without_checker,
)

__all__ = [
    "TINY",
    "Tiny",
    "save",
    "save_ltx_25",
    "save_modular_ltx_2",
    "save_modular_wan",
    "save_wan_vace",
    "tiny_wan",
]


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
    """Save a tiny Wan VACE; returns its folder."""
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


def save_modular_wan(folder: Path) -> Path:
    """Save the tiny Wan as a modular pipeline, put together from blocks; returns its folder."""
    from diffusers.modular_pipelines import WanBlocks

    torch.manual_seed(0)
    components = {name: part for name, part in tiny_wan().components.items() if part is not None}
    pipe = WanBlocks().init_pipeline()
    pipe.update_components(**components)
    pipe.save_pretrained(str(folder / "wan-modular"))  # it takes no Path
    return folder / "wan-modular"


def save_modular_ltx_2(folder: Path) -> Path:
    """Save the tiny LTX-2 as a modular pipeline; returns its folder."""
    from diffusers.modular_pipelines import LTX2AutoBlocks

    torch.manual_seed(0)
    components = {name: part for name, part in ltx_2().components.items() if part is not None}
    pipe = LTX2AutoBlocks().init_pipeline()
    pipe.update_components(**components)
    pipe.save_pretrained(str(folder / "ltx-2-modular"))
    return folder / "ltx-2-modular"


def save_ltx_25(folder: Path) -> Path:
    """Save a tiny LTX-2.5: LTX-2 with a decoder that denoises; returns its folder."""
    from diffusers.modular_pipelines import LTX25AutoBlocks

    torch.manual_seed(0)
    components = {name: part for name, part in ltx_2().components.items() if part is not None}
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
    pipe.save_pretrained(str(folder / "ltx-2-5"))
    return folder / "ltx-2-5"


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
        vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return diffusers.WanPipeline(
        tokenizer=tokenizer(),
        text_encoder=transformers.UMT5EncoderModel(config).eval(),
        vae=wan_vae(),
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
        text_encoder=t5(),
        tokenizer=tokenizer(),
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
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=vae.eval(),
        transformer=transformer,
        scheduler=diffusers.CogVideoXDDIMScheduler(),
    )


def _cogvideox_15() -> Any:
    """Two latent frames make one patch, so that padding is exercised."""
    pipe = _cogvideox()
    transformer = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=32,
        num_layers=1,
        sample_width=8,
        sample_height=8,
        sample_frames=9,
        patch_size=2,
        patch_size_t=2,
        patch_bias=False,
        max_text_seq_length=226,
        use_rotary_positional_embeddings=True,
    )
    return diffusers.CogVideoXPipeline(**{**pipe.components, "transformer": transformer})


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
        vocab_size=VOCABULARY,
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
        tokenizer=tokenizer(512),
        transformer=transformer,
        vae=_hunyuan_vae(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=clip(),
        tokenizer_2=tokenizer(77),
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
        text_encoder=t5(),
        tokenizer=tokenizer(),
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
        block_out_channels=(4, 4, 4, 4),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
    )
    return diffusers.AllegroPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(24),
        vae=vae.eval(),
        transformer=transformer,
        scheduler=diffusers.DDIMScheduler(),
    )


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
        tokenizer=tokenizer(120),
        text_encoder=t5(),
        vae=picture_vae(),
        transformer=transformer.eval(),
        scheduler=diffusers.DDIMScheduler(),
    )


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
        vae=picture_vae(),
        text_encoder=clip(),
        tokenizer=tokenizer(77),
        unet=unet,
        motion_adapter=adapter,
        scheduler=diffusers.DDIMScheduler(beta_schedule="linear", clip_sample=False),
    )


TINY: Final[Mapping[str, Tiny]] = MappingProxyType(
    {
        "wan": Tiny(tiny_wan),
        "ltx": Tiny(_ltx),
        "cogvideox": Tiny(_cogvideox, num_frames=17),
        "cogvideox-1-5": Tiny(_cogvideox_15),
        "hunyuan-video": Tiny(_hunyuan_video),
        "hunyuan-video-1-5": Tiny(hunyuan_video_15),
        "mochi": Tiny(_mochi, num_frames=7),
        "allegro": Tiny(_allegro, num_frames=24, size=320),
        "skyreels-v2": Tiny(skyreels),
        "sana-video": Tiny(sana),
        "cosmos": Tiny(_cosmos, options={"safety_checker": False}),
        "cosmos-2": Tiny(cosmos_2, options={"safety_checker": False}),
        "latte": Tiny(_latte, num_frames=16),
        "animatediff": Tiny(_animatediff, num_frames=18),
        "motif-video": Tiny(motif),
        "wan-2-2-5b": Tiny(wan_5b),
        "wan-2-2": Tiny(wan_22),
        "skyreels-v2-forcing": Tiny(skyreels_forcing),
        "cosmos-2-5": Tiny(cosmos_25, options={"safety_checker": False}),
        "ltx-2": Tiny(ltx_2),
        "anyflow": Tiny(anyflow),
    }
)
"""Family → its tiny model."""
