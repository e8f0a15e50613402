"""Makes a GGUF model of random weights: a real llama of two layers whose tokens are bytes."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

__all__ = ["make_tiny_gguf"]

_WIDTH, _HEADS, _LAYERS, _INNER = 64, 4, 2, 128
_TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"


def make_tiny_gguf(path: Path) -> Path:
    """Write the model to ``path`` (about 0.5 MB) and return it. Its answers are nonsense."""
    random = np.random.default_rng(0)
    tokens = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(8_192)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([2, 3, 3, *[6] * 256])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(_TEMPLATE)
    shapes = {"token_embd": (len(tokens), _WIDTH), "output": (len(tokens), _WIDTH)}
    ones = ["output_norm"]
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        ones += [f"{block}attn_norm", f"{block}ffn_norm"]
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            shapes[block + name] = (_WIDTH, _WIDTH)
        shapes |= {f"{block}ffn_{name}": (_INNER, _WIDTH) for name in ("gate", "up")}
        shapes[f"{block}ffn_down"] = (_WIDTH, _INNER)
    for name, shape in shapes.items():
        writer.add_tensor(
            f"{name}.weight", (random.standard_normal(shape) * 0.05).astype(np.float32)
        )
    for name in ones:
        writer.add_tensor(f"{name}.weight", np.ones(_WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
