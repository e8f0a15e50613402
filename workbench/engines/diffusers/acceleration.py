"""Speed-ups of each profile. Each is verified before use and undone if it fails.

``reference`` uses none of them. ``exact`` uses the fastest attention that agrees with the native
one, compiles the transformer's blocks and lays out the VAE for the GPU: the same arithmetic with
other rounding. The measured error goes into the recipe. ``fast`` adds a step cache, which
approximates. ``draft`` compiles nothing by default: compiling takes longer than a draft.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workbench.engines.diffusers.attention import NATIVE, best_attention, relative_error
from workbench.engines.diffusers.quick_parts import hasten_vae, precision_error, restore
from workbench.engines.diffusers.step_caches import MagRatios, cache_config

if TYPE_CHECKING:  # benchmarks/gpu.py uses this without pydantic
    from workbench.engines.diffusers.families import Family
    from workbench.engines.diffusers.options import Options
    from workbench.rendering import Profile

__all__ = ["Acceleration", "AccelerationFailed", "denoisers", "named_denoisers"]

_LOG = logging.getLogger("workbench.engines.diffusers")
_FORWARD_TOLERANCE: Final = 3e-2
"""Relative error of a transformer's output above which a path is rejected: twice what
FlashAttention 3 and compiled blocks measured together in bfloat16 (docs/benchmarks.md)."""

_Way = tuple[str, str, str, bool]
"""A checked forward: shape, denoiser, attention, whether blocks are compiled."""


class AccelerationFailed(Exception):
    """A faster path failed or its output differs; use the plain path."""


@dataclass
class Acceleration:
    """The speed-ups in effect on one loaded model, with notes for the recipe."""

    attention: str = NATIVE
    compiled: bool = False
    cache: str = "none"
    cache_settings: dict[str, Any] = field(default_factory=dict)
    """The settings of the cache, by diffusers' names."""
    calibrates: bool = False
    """Whether this render measures the ratios for MagCache: it then skips nothing."""
    quick_parts: bool = False
    """Whether the VAE uses its faster implementation."""
    notes: list[str] = field(default_factory=list)
    vae_errors: dict[str, float] = field(default_factory=dict)
    """Measured relative error of decoded frames: by the VAE's number format, by its faster code."""
    attentions_refused: dict[str, str] = field(default_factory=dict)
    """Attention → why it failed for this model; not tried again."""
    caches_refused: dict[tuple[str, str], str] = field(default_factory=dict)
    """Pipeline class and step cache → why it failed for this model; not tried again."""
    refused: str = ""
    """Why all faster paths were disabled for this model; empty if they were not."""
    _vae_refused: bool = False
    _unmeasured: dict[str, str] = field(default_factory=dict)
    """Number format → why the VAE's error in it cannot be measured; empty if it can."""
    _checked: dict[_Way, float] = field(default_factory=dict)
    _suspected: list[Callable[[], object]] = field(default_factory=list)
    """How to restore each thing that this render disabled on suspicion."""

    @property
    def active(self) -> bool:
        """Whether anything differs from the plain path."""
        ways = self.compiled, self.attention != NATIVE, self.cache != "none", self.quick_parts
        return any(ways)

    @property
    def checked(self) -> dict[str, float]:
        """The measured relative error of first forwards in the current configuration, by shape."""
        return {
            shape if name == "transformer" else f"{shape} {name}": error
            for (shape, name, *way), error in self._checked.items()
            if way == [self.attention, self.compiled]
        }

    def apply(
        self,
        pipe: Any,
        profile: Profile,
        options: Options,
        family: Family,
        device: str,
        *,
        resident: bool = True,
        vae_stays: bool = False,
        steps: int = 0,
        mag: MagRatios | None = None,
    ) -> None:
        """Configure ``pipe`` for ``profile`` and ``options``, whatever its current state.

        ``resident`` tells whether denoiser and VAE stay on the device: weights that are moved keep
        their layout. ``vae_stays`` tells whether the VAE does although the denoiser is moved. MagCache needs the render's ``steps``, and the ratios that were measured, else
        it measures them.
        """
        self.notes.clear()
        self._suspected.clear()
        self.calibrates = False
        on_gpu = device.startswith("cuda")
        reference = profile == "reference"
        plain = reference or bool(self.refused)
        if not reference:
            self.notes.extend(self.attentions_refused.values())
            self.notes.extend([self.refused] if self.refused else [])
        attention = options.attention
        if attention == "auto":
            attention = best_attention(self.attentions_refused) if on_gpu and not plain else NATIVE
        worth_it = on_gpu and profile != "draft"
        compiled = (worth_it if options.compile is None else options.compile) and not plain
        cache = options.cache
        if cache == "auto":
            cache = family.cache[0] if family.cache and profile == "fast" else "none"
        if plain or attention in self.attentions_refused:
            attention = NATIVE
        if plain and cache != "none":
            self.notes.append(f"no step cache is used on the plain path: {cache} was asked for")
            cache = "none"
        if told := self.caches_refused.get((type(pipe).__name__, cache)):
            self.notes.append(told)
            cache = "none"
        elif profile == "fast" and cache == "none" and not plain:
            self.notes.append(f"{family.title} has no step cache in diffusers: fast is exact here")
        if on_gpu:
            _tune(fast=not plain)
        if not reference:
            self._measure_precision(pipe, family, stays=resident or vae_stays)
        self._set_quick_parts(pipe, options.quick_parts and on_gpu and resident and not plain)
        self._set_attention(pipe, attention)
        self._set_compiled(pipe, compiled)
        values = {} if cache == "none" else options.cache_values(cache)
        self.cache_settings = {}
        for name, denoiser in named_denoisers(pipe).items():
            config = partial(cache_config, pipe, name, cache, values, steps, mag)
            self._set_cache(denoiser, cache, config)
        if self.cache != "none":
            self.cache_settings = values
            self.calibrates = cache == "mag" and not values["mag_ratios"] and mag is None

    def undo(self, pipe: Any, reason: str, *, certain: bool, early: bool = True) -> None:
        """Disable what may have failed, and note why: the step cache first, then the attention.

        A pipeline may not tell its cache which pass is running. A model may mask its attention, or
        have heads of a width that a kernel does not support. The rest of a profile does not depend
        on either, and an attention fails ``early``, in a first forward. What is not ``certain`` can
        be restored by :meth:`forgive`.
        """
        if self.cache != "none":
            key = type(pipe).__name__, self.cache
            told = f"gave up the {self.cache} cache: {reason}"
            self.caches_refused[key] = told
            self._suspected.append(partial(self.caches_refused.pop, key, None))
            self.notes.append(told)
            self._disable_cache(pipe)
            return
        if self.attention != NATIVE and early:
            told = f"gave up the attention {self.attention}: {reason}"
            self.attentions_refused[self.attention] = told
            if not certain:
                self._suspected.append(partial(self.attentions_refused.pop, self.attention, None))
            self.notes.append(told)
            self._set_attention(pipe, NATIVE)
            return
        self._set_compiled(pipe, False)
        self._set_attention(pipe, NATIVE)
        self._set_quick_parts(pipe, False)
        self.refused = f"fell back to the plain path: {reason}"
        if not certain:
            self._suspected.append(self._accept)
        self.notes.append(self.refused)

    def forgive(self) -> None:
        """Restore what this render disabled on suspicion: the plain path failed as well."""
        for restore_it in self._suspected:
            restore_it()
        self._suspected.clear()

    def _accept(self) -> None:
        self.refused = ""

    def _disable_cache(self, pipe: Any) -> None:
        for denoiser in denoisers(pipe):
            self._set_cache(denoiser, "none", None)
        self.calibrates, self.cache_settings = False, {}

    def forget_checks(self) -> None:
        """Check every first forward again: the weights have changed."""
        self._checked.clear()

    def is_checked(self, shape: str) -> bool:
        """Tell whether a first forward of ``shape`` was checked in the current configuration."""
        return (shape, "transformer", self.attention, self.compiled) in self._checked or (
            shape, "unet", self.attention, self.compiled) in self._checked  # fmt: skip

    @contextmanager
    def checking(self, pipe: Any, shape: str) -> Iterator[None]:
        """Check each denoiser's first forward of a new ``shape`` against the plain path.

        Costs one forward of each, once per shape and configuration. Raises ``AccelerationFailed``
        from within the pipeline's call when the two differ by more than rounding. A step cache is
        not checked: it approximates, and the recipe says so.
        """
        if not (self.compiled or self.attention != NATIVE) or self.cache != "none":
            yield
            return
        handles = []
        for name, denoiser in named_denoisers(pipe).items():
            way = (shape, name, self.attention, self.compiled)
            if way not in self._checked:
                hook = self._checker(denoiser, way)
                handles.append(denoiser.register_forward_hook(hook, with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _checker(self, denoiser: Any, way: _Way) -> Any:
        def check(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            if way in self._checked:
                return
            self._checked[way] = 0.0  # the plain forward below also passes through here
            try:
                with _plain(denoiser, self.attention):
                    plain = denoiser.forward(*args, **kwargs)
                error = relative_error(_tensor(output), _tensor(plain))
            except BaseException:
                del self._checked[way]
                raise
            self._checked[way] = error
            if not error <= _FORWARD_TOLERANCE:
                raise AccelerationFailed(f"its output is off by {error:.2g} of its size")

        return check

    def _measure_precision(self, pipe: Any, family: Family, *, stays: bool) -> None:
        """Measure once the error of a VAE that runs in fewer bits than its authors' 32.

        Notes why where it cannot be measured.
        """
        vae = getattr(pipe, "vae", None)
        if vae is None or family.vae_dtype != "float32":
            return
        name = str(vae.dtype).removeprefix("torch.")
        if name == "float32" or name in self.vae_errors:
            return
        why = self._unmeasured.get(name, "")
        if not stays:
            why = "it is moved to the device only to decode"
        elif not why and not self.quick_parts:
            trial = precision_error(vae)
            why = self._unmeasured[name] = trial.refusal
            if trial.error is not None:
                self.vae_errors[name] = trial.error
        if why:
            self.notes.append(f"the error of the VAE in {name} was not measured: {why}")

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
        vae = getattr(pipe, "vae", None)
        if wanted == self.quick_parts or vae is None or (wanted and self._vae_refused):
            return
        self.quick_parts = False
        if not wanted:
            restore(vae)
            return
        trial = hasten_vae(vae)
        if trial.error is not None:
            self.vae_errors["quick_parts"] = trial.error
        self._vae_refused = bool(trial.refusal)
        self.quick_parts = not trial.refusal
        if trial.refusal:
            _LOG.info("%s", trial.refusal)

    def _set_cache(self, denoiser: Any, name: str, config: Callable[[], Any] | None) -> None:
        if not hasattr(denoiser, "enable_cache"):
            return
        if denoiser.is_cache_enabled:
            denoiser.disable_cache()
            self.cache = "none"
        if config is None or name == "none":
            return
        try:
            denoiser.enable_cache(config())
        except (ValueError, KeyError, NotImplementedError) as error:
            self.notes.append(f"the {name} cache cannot be used here: {error}")
            return
        self.cache = name


def named_denoisers(pipe: Any) -> dict[str, Any]:
    """Return the networks that denoise, by component."""
    names = ("transformer", "transformer_2", "unet")
    return {name: part for name in names if (part := getattr(pipe, name, None)) is not None}


def denoisers(pipe: Any) -> list[Any]:
    """Return the networks that denoise: one, or two where a model has two stages."""
    return list(named_denoisers(pipe).values())


def _tune(*, fast: bool) -> None:
    """Enable cuDNN autotuning and raise the number of compiled shapes torch keeps."""
    import torch  # noqa: PLC0415

    torch.backends.cudnn.benchmark = fast
    torch._dynamo.config.recompile_limit = max(64, torch._dynamo.config.recompile_limit)  # noqa: SLF001


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
        yield
    finally:
        for block, compiled in kept:
            block._compiled_call_impl = compiled  # noqa: SLF001
        if attention != NATIVE:
            denoiser.set_attention_backend(attention)


def _tensor(output: Any) -> Any:
    return output[0] if isinstance(output, tuple | list) else output.sample
