"""Makes a GGUF model of random weights: a real llama of two layers whose tokens are bytes.

With ``TOOLS`` it also has the tokens and the chat template of the Qwen family (Hermes tool calls), and
weights that open a call at once and prefer to close what is open: what it says stays nonsense, and is
short.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import gguf
import numpy as np
import numpy.typing as npt

__all__ = ["PLAIN", "TOOLS", "make_tiny_gguf"]

_WIDTH, _HEADS, _LAYERS, _INNER = 64, 4, 2, 128
_BYTE, _CONTROL, _USER_DEFINED, _UNKNOWN = 6, 3, 4, 2
_MARKS: Final = ("<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "assistant\n")
_BYTES: Final = 3
"""The first of the 256 tokens that are bytes."""
PLAIN: Final = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
"""A chat template that leaves tools out."""
TOOLS: Final = (Path(__file__).parent / "hermes_tools.jinja").read_text("utf-8")
"""A chat template with tools, in the form of Hermes 2 Pro and Qwen 2.5."""


def make_tiny_gguf(path: Path, template: str = PLAIN, *, words: Sequence[str] = ()) -> Path:
    """Write the model to ``path`` (about 0.5 MB) and return it. Its answers are nonsense.

    ``words`` become tokens of their own, so that a long question fits the context.
    """
    marks = _MARKS if template == TOOLS else ()
    tokens = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    types = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * 256]
    tokens += [word.encode() for word in (*marks, *words)]
    types += [_USER_DEFINED] * (len(marks) + len(words))
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(32_768)
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
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(tokens.index(b"<|im_end|>") if marks else 2)
    writer.add_unk_token_id(0)
    # A space before the text would be no part of what a tool call's grammar expects.
    writer.add_add_space_prefix(False)
    writer.add_add_bos_token(not marks)
    writer.add_chat_template(template)
    weights = _random_weights(len(tokens))
    if marks:
        _lean(weights, tokens)
    elif words:
        _shorten(weights)
    for name, weight in weights.items():
        writer.add_tensor(f"{name}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _random_weights(tokens: int) -> dict[str, npt.NDArray[np.float32]]:
    random = np.random.default_rng(0)
    shapes = {"token_embd": (tokens, _WIDTH), "output": (tokens, _WIDTH)}
    ones = ["output_norm"]
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        ones += [f"{block}attn_norm", f"{block}ffn_norm"]
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            shapes[block + name] = (_WIDTH, _WIDTH)
        shapes |= {f"{block}ffn_{name}": (_INNER, _WIDTH) for name in ("gate", "up")}
        shapes[f"{block}ffn_down"] = (_WIDTH, _INNER)
    made = {
        name: (random.standard_normal(shape) * 0.05).astype(np.float32)
        for name, shape in shapes.items()
    }
    return made | {name: np.ones(_WIDTH, np.float32) for name in ones}


def _shorten(weights: dict[str, npt.NDArray[np.float32]]) -> None:
    """Lean the weights towards an end: of the answer, and of what is open, by a constant dimension."""
    for layer in range(_LAYERS):
        for name in ("attn_output", "ffn_down"):
            weights[f"blk.{layer}.{name}"][0] = 0
    weights["token_embd"][:, 0] = 1
    output = weights["output"]
    output[:, 0] = 0
    output[2, 0] = 0.5
    output[[_BYTES + ord(closing) for closing in '"}]'], 0] = 0.5


def _lean(weights: dict[str, npt.NDArray[np.float32]], tokens: Sequence[bytes]) -> None:
    """Lean the weights towards one short call at once, and towards closing what is open.

    The layers leave five dimensions of the residual stream alone. Each of the first four tells what
    the last token was, and so which comes next where the grammar allows it; the fifth is constant.
    """
    embedded, output = weights["token_embd"], weights["output"]
    for layer in range(_LAYERS):
        for name in ("attn_output", "ffn_down"):
            weights[f"blk.{layer}.{name}"][:5] = 0
    embedded[:, :5] = (0, 0, 0, 0, 1)
    output[:, :5] = (0, 0, 0, 0, -2)
    line_end, angle = (_BYTES + ord(character) for character in "\n>")
    asked, opening, end = map(tokens.index, (b"assistant\n", b"<tool_call>", b"<|im_end|>"))
    for number, (after, follows) in enumerate(
        [(asked, opening), (opening, line_end), (line_end, end), (angle, end)]
    ):
        embedded[after, number] = 1
        output[follows, number] = 4  # times about 5 after the norm: nothing else is drawn
    output[[_BYTES + code for code in range(ord(" "), 127)], 4] = 0
    output[[_BYTES + ord(closing) for closing in '"}]'], 4] = 0.3
