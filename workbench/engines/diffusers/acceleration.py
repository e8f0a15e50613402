"""Speed-ups of each profile. Each is verified before use and undone if it fails.

``reference`` uses none. ``exact`` uses the fastest attention that agrees with the native one,
compiles the transformer blocks and uses a GPU-friendly VAE layout. ``fast`` adds a step cache,
which approximates. ``draft`` does not compile: it would finish before the compiler.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.engines.diffusers.attention import NATIVE, best_attention, relative_error
from workbench.engines.diffusers.quick_parts import (
    hasten_projections,
    hasten_vae,
    plain_parts,
    restore,
)

if TYPE_CHECKING:  # benchmarks/gpu.py uses this where pydantic is not
    from workbench.engines.diffusers.families import Family
    from workbench.engines.diffusers.options import Options
    from workbench.rendering import Profile

__all__ = ["Acceleration", "AccelerationFailed", "denoisers"]

_LOG = logging.getLogger("workbench.engines.diffusers")
_FORWARD_TOLERANCE: Final = 5e-2
"""Relative error of a transformer's output at bfloat16 beyond which a path is not trusted."""


class AccelerationFailed(Exception):
    """A faster path failed or its output differs; use the plain path."""


@dataclass
class Acceleration:
    """The speed-ups in effect on one loaded model, with notes for the recipe."""

    attention: str = NATIVE
    compiled: bool = False
    cache: str = "none"
    quick_parts: bool = False
    """Whether the VAE and the projections take their quicker way."""
    notes: list[str] = field(default_factory=list)
    checked: dict[str, float] = field(default_factory=dict)
    """Shape → relative error of the first forward against the eager path."""
    attention_refused: str = ""
    """Why another attention backend failed for this model; not retried."""
    refused: bool = False
    """Whether a faster path failed for this model; it is not tried again."""

    @property
    def active(self) -> bool:
        """Whether anything differs from the plain path."""
        ways = self.compiled, self.attention != NATIVE, self.cache != "none", self.quick_parts
        return any(ways)

    def apply(
        self,
        pipe: Any,
        profile: Profile,
        options: Options,
        family: Family,
        device: str,
        *,
        resident: bool = True,
    ) -> None:
        """Configure ``pipe`` for ``profile`` and ``options``, whatever its current state.

        ``resident``: whether all weights stay on the device. Offloaded weights keep their layout.
        """
        self.notes.clear()
        on_gpu = device.startswith("cuda")
        plain = profile == "reference" or self.refused
        attention = options.attention
        if attention == "auto":
            wanted = on_gpu and not plain and not self.attention_refused
            attention = best_attention() if wanted else NATIVE
            if self.attention_refused and not plain:
                self.notes.append(self.attention_refused)
        worth_it = on_gpu and profile != "draft"
        compiled = (worth_it if options.compile is None else options.compile) and not plain
        cache = options.cache
        if cache == "auto":
            cache = family.cache[0] if family.cache and profile == "fast" else "none"
        if plain:
            attention, cache = NATIVE, "none"
        if profile == "fast" and cache == "none" and not plain:
            self.notes.append(f"{family.title} has no step cache in diffusers: fast is exact here")
        if on_gpu:
            _tune(fast=not plain)
        self._set_quick_parts(pipe, options.quick_parts and on_gpu and resident and not plain)
        self._set_attention(pipe, attention)
        self._set_compiled(pipe, compiled)
        for denoiser in denoisers(pipe):
            self._set_cache(pipe, denoiser, cache, options.cache_threshold)

    def undo(self, pipe: Any, reason: str, *, in_first_step: bool = True) -> None:
        """Give up for good what failed, and note why: another attention first, then the rest.

        A model may mask its attention, or have heads of a width that a kernel does not know; the
        rest of a profile does not depend on that, and it shows in the first step.
        """
        if self.attention != NATIVE and in_first_step:
            self.attention_refused = f"gave up the attention {self.attention}: {reason}"
            self.notes.append(self.attention_refused)
            self._set_attention(pipe, NATIVE)
            self.checked.clear()
            return
        for denoiser in denoisers(pipe):
            self._set_cache(pipe, denoiser, "none", 0)
        self._set_compiled(pipe, False)
        self._set_attention(pipe, NATIVE)
        self._set_quick_parts(pipe, False)
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

    def _set_attention(self, pipe: Any, name: str) -> None:
        if name == self.attention:
            return
        for denoiser in denoisers(pipe):
            if not hasattr(denoiser, "set_attention_backend"):
                continue
            try:
                denoiser.set_attention_backend(name)
            except (RuntimeError, ValueError, ImportError) as error:
                self.notes.append(f"attention {name} cannot be used here: {error}")
                return
            self.attention = name

    def _set_compiled(self, pipe: Any, compiled: bool) -> None:
        if compiled == self.compiled:
            return
        self.compiled = False
        for denoiser in denoisers(pipe):
            if not compiled:
                for block in _blocks(denoiser):
                    block._compiled_call_impl = None  # noqa: SLF001  torch has no public way back
            elif getattr(denoiser, "_repeated_blocks", None):
                denoiser.compile_repeated_blocks(fullgraph=False, dynamic=False)
                self.compiled = True
            else:
                self.notes.append(f"{type(denoiser).__name__} names no blocks to compile")

    def _set_quick_parts(self, pipe: Any, wanted: bool) -> None:
        if wanted == self.quick_parts:
            return
        vae = getattr(pipe, "vae", None)
        self.quick_parts = wanted
        for denoiser in denoisers(pipe):
            (hasten_projections if wanted else restore)(denoiser)
        if vae is None:
            return
        if not wanted:
            restore(vae)
        elif refusal := hasten_vae(vae):
            _LOG.info("%s", refusal)

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


def _tune(*, fast: bool) -> None:
    """Enable cuDNN autotuning and raise the number of compiled shapes torch keeps."""
    import torch  # noqa: PLC0415

    torch.backends.cudnn.benchmark = fast
    torch._dynamo.config.recompile_limit = max(64, torch._dynamo.config.recompile_limit)  # noqa: SLF001


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
    """Temporarily make ``denoiser`` eager, with native attention."""
    kept = [(block, block._compiled_call_impl) for block in _blocks(denoiser)]  # noqa: SLF001
    for block, _ in kept:
        block._compiled_call_impl = None  # noqa: SLF001
    if attention != NATIVE:
        denoiser.set_attention_backend(NATIVE)
    try:
        with plain_parts(denoiser):
            yield
    finally:
        for block, compiled in kept:
            block._compiled_call_impl = compiled  # noqa: SLF001
        if attention != NATIVE:
            denoiser.set_attention_backend(attention)


def _tensor(output: Any) -> Any:
    return output[0] if isinstance(output, tuple | list) else output.sample
