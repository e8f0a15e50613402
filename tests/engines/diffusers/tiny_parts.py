"""Parts of tiny models that several families share: tokenizer, text encoders, VAEs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import diffusers
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

VOCABULARY: Final = 256
_CHAT: Final = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


def tokenizer(length: int = 64, padding_side: str = "right") -> Any:
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
        padding_side=padding_side,
        chat_template=_CHAT,
    )


def t5(width: int = 32) -> Any:
    config = transformers.T5Config(
        vocab_size=VOCABULARY, d_model=width, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return transformers.T5EncoderModel(config).eval()


def clip(width: int = 16) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        pad_token_id=0,
        bos_token_id=3,
        eos_token_id=1,
    )
    return transformers.CLIPTextModel(config).eval()


QWEN_TEXT: Final = {
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
    "bos_token_id": 3,
    "eos_token_id": 1,
    "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
}


def qwen(width: int = 16) -> Any:
    text = {**QWEN_TEXT, "hidden_size": width, "intermediate_size": width}
    vision = {
        "depth": 1,
        "hidden_size": width,
        "intermediate_size": width,
        "num_heads": 2,
        "out_hidden_size": width,
    }
    config = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision)
    return transformers.Qwen2_5_VLForConditionalGeneration(config).eval()


WAN_SHAPE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "text_dim": 32,
        "freq_dim": 256,
        "ffn_dim": 32,
        "num_layers": 2,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "rope_max_seq_len": 32,
    }
)
"""The shape of every tiny transformer of Wan's kind."""


def flow_scheduler() -> Any:
    return diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )


def clip_vision(width: int, size: int) -> dict[str, Any]:
    """Return a CLIP image encoder and its processor for pictures of ``size`` pixels a side."""
    config = transformers.CLIPVisionConfig(
        hidden_size=width,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=size,
        intermediate_size=16,
        patch_size=size // 4,
    )
    processor = transformers.CLIPImageProcessorPil(
        crop_size={"height": size, "width": size}, size={"shortest_edge": size}
    )
    encoder = transformers.CLIPVisionModelWithProjection(config).eval()
    return {"image_encoder": encoder, "image_processor": processor}


def gemma_2(*, language: bool = False) -> Any:
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
    kind = transformers.Gemma2ForCausalLM if language else transformers.Gemma2Model
    return kind(config).eval()


def wan_vae() -> Any:
    return diffusers.AutoencoderKLWan(
        base_dim=3,
        z_dim=16,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    ).eval()


def picture_vae() -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
    ).eval()


class Unchecked(torch.nn.Module):  # type: ignore[misc]
    dtype = torch.float32


def cosmos_transformer(channels: int, more: int, **changed: Any) -> Any:
    settings: dict[str, Any] = {
        "in_channels": channels + more,
        "out_channels": channels,
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "num_layers": 2,
        "mlp_ratio": 2,
        "text_embed_dim": 32,
        "adaln_lora_dim": 4,
        "max_size": (4, 32, 32),
        "patch_size": (1, 2, 2),
        "rope_scale": (2.0, 1.0, 1.0),
        "concat_padding_mask": False,
        "extra_pos_embed_type": "learnable",
    }
    return diffusers.CosmosTransformer3DModel(**settings | changed).eval()


def without_checker(pipe: Any) -> Any:
    """Save as the hub's folders are: they name no weights of a checker."""
    pipe.register_modules(safety_checker=None)
    return pipe
