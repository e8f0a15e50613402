"""Caches prompt embeddings, so that the same prompt is not encoded again.

Wraps a pipeline's ``encode_prompt``; the result is bit for bit the same. Embeddings are kept in the
machine's memory: LTX-2's take 0.4 GB per prompt, too much for a GPU.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["TextCache"]

_SCALARS: Final = (str, int, float, bool, type(None))
_LIMIT_BYTES: Final = 2 << 30


class TextCache:
    """The last prompts' embeddings of one loaded pipeline, in the machine's memory.

    At most ``capacity`` of them, and at most ``limit_bytes`` in all.
    """

    def __init__(self, capacity: int = 32, limit_bytes: int = _LIMIT_BYTES) -> None:
        self._capacity = capacity
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def attach(self, pipe: Any) -> None:
        """Route ``pipe.encode_prompt`` through this cache; does nothing if it has none."""
        encode = getattr(pipe, "encode_prompt", None)
        if encode is not None:
            pipe.encode_prompt = self._through(encode, type(pipe).__name__)

    def clear(self) -> None:
        """Empty the cache."""
        self._kept.clear()

    def _through(self, encode: Callable[..., Any], name: str) -> Callable[..., Any]:
        def encode_prompt(*args: Any, **kwargs: Any) -> Any:
            key = _key(name, args, kwargs)
            if key is None:
                return encode(*args, **kwargs)
            if key in self._kept:
                self.hits += 1
                self._kept.move_to_end(key)
            else:
                self.misses += 1
                made = encode(*args, **kwargs)
                self._keep(key, made)
                return made
            return _brought_back(self._kept[key])

        return encode_prompt

    @property
    def size_bytes(self) -> int:
        """The cached bytes."""
        return sum(_size(value) for value in self._kept.values())

    def _keep(self, key: str, made: Any) -> None:
        size = _size(made)
        if size > self._limit_bytes:
            return
        while self._kept and (
            len(self._kept) >= self._capacity or self.size_bytes + size > self._limit_bytes
        ):
            self._kept.popitem(last=False)
        self._kept[key] = _put_by(made)


def _key(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Return the cache key of a call; None if it must not be cached."""
    try:
        return repr((name, _plain(args), _plain(kwargs)))
    except TypeError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if type(value).__module__ == "torch" and type(value).__name__ in {"device", "dtype"}:
        return str(value)
    raise TypeError(type(value).__name__)  # a tensor or a picture: too costly to compare


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A copy in the machine's memory, and its original device."""

    copy: Any
    device: Any


def _put_by(value: Any) -> Any:
    """Return ``value`` with its tensors copied, because a pipeline may modify them."""
    if hasattr(value, "detach"):
        there = value.detach()
        return _Tensor(there.clone() if there.device.type == "cpu" else there.cpu(), value.device)
    return _mapped(_put_by, value)


def _brought_back(value: Any) -> Any:
    if isinstance(value, _Tensor):
        same = value.device.type == "cpu"
        return value.copy.clone() if same else value.copy.to(value.device)
    return _mapped(_brought_back, value)


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(function(item) for item in value)
    if isinstance(value, list):
        return [function(item) for item in value]
    return value


def _size(value: Any) -> int:
    return sum(one.numel() * one.element_size() for one in _tensors(value))


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, _Tensor):
        yield value.copy
    elif hasattr(value, "element_size"):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
