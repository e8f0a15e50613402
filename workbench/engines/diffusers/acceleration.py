"""The profiles' ways to be faster, each tried before it is trusted, each undone when it fails.

``reference`` does nothing of this. ``exact`` takes the quickest attention that gives the same
numbers here, and compiles the transformer's blocks. ``fast`` adds a step cache, which approximates.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # benchmarks/gpu.py takes this file alone, where pydantic is not
    from workbench.engines.diffusers.families import Family
    from workbench.engines.diffusers.options import Options
    from workbench.rendering import Profile

__all__ = ["Acceleration", "AccelerationFailed", "best_attention", "relative_error"]

_CANDIDATES: Final = (
    ("_flash_3", "flash_attn_interface"),
    ("flash", "flash_attn"),
    ("_native_cudnn", "torch"),
)
"""Attention backends that give what the native one gives but for rounding, and their packages."""
_TRIAL_SHAPE: Final = (1, 8_192, 12, 128)
_TRIAL_TOLERANCE: Final = 2e-2
_FORWARD_TOLERANCE: Final = 5e-2
"""Relative error of a transformer's output at bfloat16 beyond which a path is not trusted."""
_NATIVE: Final = "native"


class AccelerationFailed(Exception):
    """A faster path failed or gave other numbers; the eager path is to be taken."""


@dataclass
class Acceleration:
    """What speeds one loaded model up at the moment, and what was said about it."""

    attention: str = _NATIVE
    compiled: bool = False
    cache: str = "none"
    notes: list[str] = field(default_factory=list)
    checked: dict[str, float] = field(default_factory=dict)
    """Shape → relative error of the first forward against the eager path."""
    refused: bool = False
    """Whether a faster path failed for this model; it is not tried again."""

    @property
    def active(self) -> bool:
        """Whether anything differs from the plain path."""
        return self.compiled or self.attention != _NATIVE or self.cache != "none"

    def apply(
        self, pipe: Any, profile: Profile, options: Options, family: Family, device: str
    ) -> None:
        """Bring ``pipe`` to what ``profile`` and ``options`` ask for, from whatever stood before."""
        self.notes.clear()
        on_gpu = device.startswith("cuda")
        plain = profile == "reference" or self.refused
        attention = options.attention
        if attention == "auto":
            attention = best_attention() if on_gpu and not plain else _NATIVE
        compiled = (on_gpu if options.compile is None else options.compile) and not plain
        cache = options.cache
        if cache == "auto":
            cache = family.cache[0] if family.cache and profile == "fast" else "none"
        if plain:
            attention, cache = _NATIVE, "none"
        if profile == "fast" and cache == "none" and not plain:
            self.notes.append(f"{family.title} has no step cache in diffusers: fast is exact here")
        if on_gpu:
            _tune(fast=not plain)
        for denoiser in denoisers(pipe):
            self._set_attention(denoiser, attention)
            self._set_compiled(denoiser, compiled)
            self._set_cache(pipe, denoiser, cache, options.cache_threshold)

    def undo(self, pipe: Any, reason: str) -> None:
        """Return to the plain path for good, and note why."""
        for denoiser in denoisers(pipe):
            self._set_cache(pipe, denoiser, "none", 0)
            self._set_compiled(denoiser, False)
            self._set_attention(denoiser, _NATIVE)
        self.refused = True
        self.notes.append(f"fell back to the plain path: {reason}")

    @contextmanager
    def checking(self, pipe: Any, shape: str) -> Iterator[None]:
        """Check the first forward of a new ``shape`` against the plain path.

        Costs one forward, once per shape. Raises ``AccelerationFailed`` from within the pipeline's
        call when the two differ by more than rounding. A step cache is not checked: it is meant to
        differ, and is marked so.
        """
        if not self.active or self.cache != "none" or shape in self.checked:
            yield
            return
        handles = []
        for denoiser in denoisers(pipe)[:1]:
            hook = self._checker(denoiser, shape)
            handles.append(denoiser.register_forward_hook(hook, with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _checker(self, denoiser: Any, shape: str) -> Any:
        def check(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            if shape in self.checked:
                return
            self.checked[shape] = 0.0
            with _plain(denoiser, self.attention):
                plain = denoiser.forward(*args, **kwargs)
            error = relative_error(_tensor(output), _tensor(plain))
            self.checked[shape] = error
            if not error <= _FORWARD_TOLERANCE:
                raise AccelerationFailed(f"its output is off by {error:.2g} of its size")

        return check

    def _set_attention(self, denoiser: Any, name: str) -> None:
        if name == self.attention or not hasattr(denoiser, "set_attention_backend"):
            return
        try:
            denoiser.set_attention_backend(name)
        except (RuntimeError, ValueError, ImportError) as error:
            self.notes.append(f"attention {name} cannot be used here: {error}")
            return
        self.attention = name

    def _set_compiled(self, denoiser: Any, compiled: bool) -> None:
        if compiled == self.compiled:
            return
        if not compiled:
            for block in _blocks(denoiser):
                block._compiled_call_impl = None  # noqa: SLF001  torch has no public way back
            self.compiled = False
            return
        if not getattr(denoiser, "_repeated_blocks", None):
            self.notes.append(f"{type(denoiser).__name__} names no blocks to compile")
            return
        denoiser.compile_repeated_blocks(fullgraph=False, dynamic=False)
        self.compiled = True

    def _set_cache(self, pipe: Any, denoiser: Any, name: str, threshold: float) -> None:
        if not hasattr(denoiser, "enable_cache"):
            return
        if denoiser.is_cache_enabled:
            denoiser.disable_cache()
            self.cache = "none"
        if name == "none":
            return
        try:
            denoiser.enable_cache(_cache_config(pipe, name, threshold))
        except (ValueError, KeyError, NotImplementedError) as error:
            self.notes.append(f"the {name} cache cannot be used here: {error}")
            return
        self.cache = name


def denoisers(pipe: Any) -> list[Any]:
    """Return the networks that denoise: one, or two where a model has two stages."""
    names = ("transformer", "transformer_2", "unet")
    return [found for name in names if (found := getattr(pipe, name, None)) is not None]


def relative_error(one: Any, other: Any) -> float:
    """Return the root mean square difference over the root mean square of ``other``."""
    difference = (one.float() - other.float()).pow(2).mean().sqrt()
    size = other.float().pow(2).mean().sqrt()
    return float(difference / size.clamp_min(1e-12))


@cache
def best_attention() -> str:
    """Return the attention backend that is quickest here and agrees with the native one.

    Asked once per process. Tries each on a small problem of a video model's proportions; what is missing, fails or
    disagrees is passed over.
    """
    import torch  # noqa: PLC0415
    from diffusers.models.attention_dispatch import dispatch_attention_fn  # noqa: PLC0415

    query, key, value = (
        torch.randn(_TRIAL_SHAPE, device="cuda", dtype=torch.bfloat16) for _ in range(3)
    )
    plain = dispatch_attention_fn(query, key, value, backend=_NATIVE)
    quickest, best_s = (
        _NATIVE,
        _timed(lambda: dispatch_attention_fn(query, key, value, backend=_NATIVE)),
    )
    for name, package in _CANDIDATES:
        if find_spec(package) is None:
            continue
        try:
            tried = dispatch_attention_fn(query, key, value, backend=name)
            if relative_error(tried, plain) > _TRIAL_TOLERANCE:
                continue
            took_s = _timed(
                lambda name=name: dispatch_attention_fn(query, key, value, backend=name)
            )
        except (RuntimeError, ValueError, ImportError, TypeError):
            continue
        if took_s < best_s:
            quickest, best_s = name, took_s
    return quickest


def _tune(*, fast: bool) -> None:
    """Let cuDNN look for its quickest convolutions, and torch keep more compiled shapes."""
    import torch  # noqa: PLC0415

    torch.backends.cudnn.benchmark = fast
    torch._dynamo.config.recompile_limit = max(64, torch._dynamo.config.recompile_limit)  # noqa: SLF001


def _timed(call: Any, repeats: int = 5) -> float:
    import torch  # noqa: PLC0415

    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    torch.cuda.synchronize()
    return time.perf_counter() - started


def _cache_config(pipe: Any, name: str, threshold: float) -> Any:
    from diffusers import FirstBlockCacheConfig, PyramidAttentionBroadcastConfig  # noqa: PLC0415

    if name == "first-block":
        return FirstBlockCacheConfig(threshold=threshold)
    return PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2,
        cross_attention_block_skip_range=4,
        spatial_attention_timestep_skip_range=(100, 800),
        cross_attention_timestep_skip_range=(100, 800),
        current_timestep_callback=lambda: pipe.current_timestep,
    )


def _blocks(denoiser: Any) -> list[Any]:
    names = getattr(denoiser, "_repeated_blocks", None) or ()
    return [module for module in denoiser.modules() if type(module).__name__ in names]


@contextmanager
def _plain(denoiser: Any, attention: str) -> Iterator[None]:
    """Make ``denoiser`` eager and native for a moment."""
    kept = [(block, block._compiled_call_impl) for block in _blocks(denoiser)]  # noqa: SLF001
    for block, _ in kept:
        block._compiled_call_impl = None  # noqa: SLF001
    if attention != _NATIVE:
        denoiser.set_attention_backend(_NATIVE)
    try:
        yield
    finally:
        for block, compiled in kept:
            block._compiled_call_impl = compiled  # noqa: SLF001
        if attention != _NATIVE:
            denoiser.set_attention_backend(attention)


def _tensor(output: Any) -> Any:
    return output[0] if isinstance(output, tuple | list) else output.sample
