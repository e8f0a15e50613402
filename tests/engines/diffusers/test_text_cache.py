"""Encoded prompts are cached within a bound and returned unchanged."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from workbench.engines.diffusers.text_cache import TextCache

KIB = 1 << 10


class _Pipe:
    """Encodes a prompt into ``size`` bytes on ``device`` and counts its calls."""

    def __init__(self, size: int, device: str = "cpu") -> None:
        self.size = size
        self.device = device
        self.calls = 0

    def encode_prompt(self, prompt: str, *, device: str = "cpu") -> Any:
        self.calls += 1
        made = torch.full((self.size // 4,), float(len(prompt)), device=self.device)
        return made, None, [made + 1]


def test_the_cache_stays_within_its_bound() -> None:
    cache, pipe = TextCache(limit_bytes=100 * KIB), _Pipe(20 * KIB)
    cache.attach(pipe)
    for number in range(6):
        pipe.encode_prompt("a" * number)
    assert 0 < cache.size_bytes <= 100 * KIB
    pipe.encode_prompt("aaaaa")
    assert (cache.hits, pipe.calls) == (1, 6), "the newest stays"
    pipe.encode_prompt("")
    assert pipe.calls == 7, "the oldest went"


def test_an_entry_larger_than_the_bound_is_not_cached_and_evicts_nothing() -> None:
    cache = TextCache(limit_bytes=50 * KIB)
    small, large = _Pipe(10 * KIB), _Pipe(80 * KIB)
    cache.attach(small)
    cache.attach(large)
    small.encode_prompt("a")
    large.encode_prompt("bb")
    large.encode_prompt("bb")
    small.encode_prompt("a")
    assert (large.calls, small.calls) == (2, 1)


def test_a_cached_value_is_returned_as_an_equal_copy() -> None:
    cache, pipe = TextCache(), _Pipe(KIB)
    cache.attach(pipe)
    first, _, _ = pipe.encode_prompt("abc")
    first.zero_()
    second, nothing, (more,) = pipe.encode_prompt("abc")
    assert pipe.calls == 1
    assert torch.equal(second, torch.full((256,), 3.0))
    assert torch.equal(more, torch.full((256,), 4.0))
    assert nothing is None


def test_embeddings_are_cached_in_host_memory_and_return_to_their_device() -> None:
    """The meta device stands in for a GPU."""
    from workbench.engines.diffusers import text_cache

    kept = text_cache._put_by((torch.ones(3), [torch.zeros(2)]))
    assert all(one.device.type == "cpu" for one in text_cache._tensors(kept))
    away = text_cache._Tensor(torch.ones(3), torch.device("meta"))
    assert text_cache._brought_back(away).device.type == "meta"
