"""Builds a tiny chat model with random weights: real classes, real files, nonsense answers.

Run as a script with the folder to write to, so that torch is loaded in no test's own process.
"""

from __future__ import annotations

import sys
from typing import Any


def build(folder: str) -> None:
    """Write a byte-level tokenizer and a one-layer Llama of 5,000 weights to ``folder``."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    alphabet = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {token: number for number, token in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )
    fast.chat_template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
    )
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=4_096,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    model = LlamaForCausalLM(config)
    _answer_shortly(torch, model, fast.convert_tokens_to_ids("{"))
    model.generation_config.max_new_tokens = 24
    model.save_pretrained(folder)
    fast.save_pretrained(folder)


def _answer_shortly(torch: Any, model: Any, brace: int) -> None:
    """Let the model say "{" and stop, so that no test waits for a thousand random tokens.

    Only the first dimension reaches the output: it is negative after any word of the question,
    which calls for the brace, and positive after the brace, which calls for the end.
    """
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 0] = -1.0
        model.model.embed_tokens.weight[brace, 0] = 1.0
        model.model.norm.weight.zero_()
        model.model.norm.weight[0] = 1.0
        model.lm_head.weight[:, 0] = 0.0
        model.lm_head.weight[brace, 0] = -10.0
        model.lm_head.weight[1, 0] = 10.0


if __name__ == "__main__":
    build(sys.argv[1])
