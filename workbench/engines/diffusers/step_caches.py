"""Step caches on a loaded model: their configurations, and the calibration of MagCache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

__all__ = ["MagRatios", "cache_config", "calibrated", "told_the_pass"]

_NEVER: Final = 1_000_000
"""More steps than any render has: a calibration must not clear its ratios at the last step."""


@dataclass(frozen=True, slots=True)
class MagRatios:
    """How the blocks' residual grows from step to step, as measured in one whole render."""

    steps: int
    """The steps of that render."""
    ratios: Mapping[str, tuple[float, ...]]
    """Denoiser → one ratio per step that it did: two denoisers share the steps."""

    def steps_of(self, denoiser: str, steps: int) -> int:
        """Return how many of ``steps`` the denoiser does."""
        return max(1, round(len(self.ratios[denoiser]) * steps / self.steps))


def cache_config(
    pipe: Any,
    denoiser: str,
    name: str,
    values: Mapping[str, Any],
    steps: int,
    mag: MagRatios | None,
) -> Any:
    """Return diffusers' configuration of the cache ``name`` with the settings in ``values``.

    ``steps`` are those of the render. MagCache without ratios is calibrated: it skips nothing.
    """
    import diffusers  # noqa: PLC0415
    import torch  # noqa: PLC0415

    match name:
        case "first-block":
            return diffusers.FirstBlockCacheConfig(**values)
        case "mag":
            return _mag_config(denoiser, dict(values), steps, mag)
        case "taylorseer":
            # The whole network is predicted by its last layer: to keep every attention's output, as
            # diffusers' other mode does, takes many times the memory of the weights for a video.
            return diffusers.TaylorSeerCacheConfig(
                **values, use_lite_mode=True, taylor_factors_dtype=torch.float32
            )
        case "sea":
            return diffusers.SeaCacheConfig(**values)
    return diffusers.PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2,
        cross_attention_block_skip_range=4,
        spatial_attention_timestep_skip_range=(100, 800),
        cross_attention_timestep_skip_range=(100, 800),
        current_timestep_callback=lambda: pipe.current_timestep,
    )


def _mag_config(denoiser: str, values: dict[str, Any], steps: int, mag: MagRatios | None) -> Any:
    import diffusers  # noqa: PLC0415

    given = values.pop("mag_ratios")
    if given is not None:
        return diffusers.MagCacheConfig(**values, num_inference_steps=steps, mag_ratios=list(given))
    if mag is None or denoiser not in mag.ratios:
        return diffusers.MagCacheConfig(**values, num_inference_steps=_NEVER, calibrate=True)
    return diffusers.MagCacheConfig(
        **values,
        num_inference_steps=mag.steps_of(denoiser, steps),
        mag_ratios=list(mag.ratios[denoiser]),
    )


@contextmanager
def calibrated(denoisers: Mapping[str, Any]) -> Iterator[dict[str, list[float]]]:
    """Collect, while the context is open, the ratios that MagCache measures, by denoiser.

    They are those of the prompt's pass, the first of a step; with guidance a second one, without the
    prompt, is left out, because diffusers takes one list for both.
    """
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        for name, denoiser in denoisers.items():
            for module, hook in _tails(denoiser):
                watch = _watch(hook.state_manager, found.setdefault(name, []))
                stack.callback(module.register_forward_hook(watch).remove)
        yield found


@contextmanager
def told_the_pass(denoisers: Mapping[str, Any]) -> Iterator[None]:
    """Raise ``ValueError`` from a denoiser's forward if its pipeline names no pass to its MagCache.

    MagCache then mixes the passes with and without the prompt, where the other caches raise.
    """
    with ExitStack() as stack:
        for denoiser in denoisers.values():
            managers = [hook.state_manager for _, hook in _tails(denoiser)]
            check = partial(_named, managers)
            stack.callback(denoiser.register_forward_pre_hook(check).remove)
        yield


def _named(managers: list[Any], *_: Any) -> None:
    for manager in managers:
        _ = manager.context  # raises if there is none


def _watch(manager: Any, ratios: list[float]) -> Any:
    first: list[str] = []

    def watch(*_: Any) -> None:
        if not first:
            first.append(manager.context.name)
        if manager.context.name == first[0]:
            ratios.append(float(manager.get_state().calibration_ratios[-1]))

    return watch


def _tails(denoiser: Any) -> Iterator[tuple[Any, Any]]:
    from diffusers.hooks.mag_cache import MagCacheBlockHook  # noqa: PLC0415

    for module in denoiser.modules():
        registry = getattr(module, "_diffusers_hook", None)
        for hook in registry.hooks.values() if registry is not None else ():
            if isinstance(hook, MagCacheBlockHook) and hook.is_tail:
                yield module, hook
