"""Tiny pipelines of the models that need torchvision; see tiny.py.

Their configurations are those of the real weights where these make torchvision necessary: a padding
mask for Cosmos, a processor for Kandinsky's prompts.
"""

from __future__ import annotations

from typing import Any

import diffusers
import torch
import transformers

from tests.engines.diffusers.tiny_cosmos import cosmos, cosmos_2, cosmos_25
from tests.engines.diffusers.tiny_hunyuan import hunyuan_vae, kandinsky_6
from tests.engines.diffusers.tiny_parts import (
    Unchecked,
    clip,
    cosmos_transformer,
    qwen,
    tokenizer,
    wan_vae,
    without_checker,
)


def cosmos_transfer() -> Any:
    """Return a tiny Cosmos Transfer 2.5, whose control network steers both its blocks."""
    size = (128, 240, 240)  # of the real weights: sections of 93 frames must fit
    control = diffusers.CosmosControlNetModel(
        n_controlnet_blocks=2,
        in_channels=18,
        latent_channels=18,
        model_channels=32,
        num_attention_heads=2,
        attention_head_dim=16,
        mlp_ratio=2,
        text_embed_dim=32,
        adaln_lora_dim=4,
        max_size=size,
        img_context_dim_in=32,
        img_context_dim_out=32,
    )
    transformer = cosmos_transformer(
        16,
        1,
        max_size=size,
        concat_padding_mask=True,
        extra_pos_embed_type=None,
        controlnet_block_every_n=1,
        img_context_dim_in=32,
        img_context_num_tokens=4,
        img_context_dim_out=32,
    )
    vae = wan_vae()
    with torch.no_grad():  # an untrained model would hardly see the control, nor follow it
        vae.quant_conv.weight[:16] *= 10
        vae.quant_conv.bias[16:] = -6
        for name, value in control.named_parameters():
            if "_proj.weight" in name or "patch_embed" in name:
                torch.nn.init.normal_(value, std=0.5)
        torch.nn.init.normal_(transformer.proj_out.weight, std=0.5)
    return without_checker(
        diffusers.Cosmos2_5_TransferPipeline(
            text_encoder=qwen(),
            tokenizer=tokenizer(512),
            transformer=transformer,
            vae=vae,
            scheduler=diffusers.UniPCMultistepScheduler(
                prediction_type="flow_prediction",
                use_flow_sigmas=True,
                use_karras_sigmas=True,
                sigma_max=200.0,
                sigma_min=0.01,
            ),
            controlnet=control.eval(),
            safety_checker=Unchecked(),
        )
    )


def cosmos_masked() -> Any:
    """Return a tiny Cosmos 1 with a padding mask."""
    return _masked(cosmos(), 4, 0)


def cosmos_2_masked() -> Any:
    """Return a tiny Cosmos Predict 2 with a padding mask."""
    return _masked(cosmos_2(), 16, 1)


def cosmos_25_masked() -> Any:
    """Return a tiny Cosmos Predict 2.5 with a padding mask."""
    return _masked(cosmos_25(), 16, 1)


def kandinsky_5() -> Any:
    """Return a tiny Kandinsky 5 that begins from text."""
    return diffusers.Kandinsky5T2VPipeline(**_kandinsky_5(visual_cond=False))


def kandinsky_5_i2v() -> Any:
    """Return a tiny Kandinsky 5 that begins from a picture."""
    return diffusers.Kandinsky5I2VPipeline(**_kandinsky_5(visual_cond=True))


def kandinsky_6_processor() -> Any:
    """Return a tiny Kandinsky 6 whose prompts a processor reads."""
    parts = kandinsky_6().components
    return diffusers.Kandinsky6TI2VAPipeline(**{**parts, "tokenizer": _processor()})


def _masked(pipe: Any, channels: int, more: int) -> Any:
    pipe.register_modules(transformer=cosmos_transformer(channels, more, concat_padding_mask=True))
    return pipe


def _processor() -> Any:
    """Return a processor of Qwen 2.5 VL, which reads pictures and videos too."""
    words = tokenizer(2_048)
    words.add_special_tokens({"extra_special_tokens": ["<|image_pad|>", "<|video_pad|>"]})
    return transformers.Qwen2_5_VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(),
        tokenizer=words,
        video_processor=transformers.Qwen2VLVideoProcessor(),
        chat_template=words.chat_template,
    )


def _kandinsky_5(*, visual_cond: bool) -> dict[str, Any]:
    transformer = diffusers.Kandinsky5Transformer3DModel(
        in_visual_dim=4,
        out_visual_dim=4,
        in_text_dim=16,
        in_text_dim2=16,
        time_dim=16,
        model_dim=24,
        ff_dim=32,
        num_text_blocks=1,
        num_visual_blocks=2,
        axes_dims=(4, 4, 4),
        visual_cond=visual_cond,
    )
    for name, value in transformer.named_parameters():
        if "modulation" in name:  # zero in an untrained model, which would then ignore the prompt
            torch.nn.init.normal_(value, std=0.5)
    return {
        "transformer": transformer.eval(),
        "vae": hunyuan_vae(),
        "text_encoder": qwen(),
        "tokenizer": _processor(),
        "text_encoder_2": clip(),
        "tokenizer_2": tokenizer(77),
        "scheduler": diffusers.FlowMatchEulerDiscreteScheduler(shift=5.0),
    }
