"""Caches prompt embeddings, so that the same prompt is not encoded again.

Wraps a pipeline's ``encode_prompt``; cached results are bit-identical.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

__all__ = ["TextCache"]

_SCALARS: Final = (str, int, float, bool, type(None))


class TextCache:
    """The last ``capacity`` prompts' embeddings of one loaded pipeline, on the device."""

    def __init__(self, capacity: int = 32) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def attach(self, pipe: Any) -> None:
        """Let ``pipe.encode_prompt`` go through this cache; nothing happens where it has none."""
        encode = getattr(pipe, "encode_prompt", None)
        if encode is not None:
            pipe.encode_prompt = self._through(encode, type(pipe).__name__)

    def clear(self) -> None:
        """Forget everything."""
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
                self._kept[key] = _copied(encode(*args, **kwargs))
                while len(self._kept) > self._capacity:
                    self._kept.popitem(last=False)
            return _copied(self._kept[key])

        return encode_prompt


def _key(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Return what tells calls apart; None for a call that must not be remembered."""
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
    raise TypeError(type(value).__name__)  # a tensor or a picture: not told apart cheaply


def _copied(value: Any) -> Any:
    """Return ``value`` with its tensors copied, for a pipeline may write into what it gets."""
    if hasattr(value, "detach"):
        return value.detach().clone()
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(_copied(item) for item in value)
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
