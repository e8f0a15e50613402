"""Watches a pipeline step by step: progress, previews, cancellation.

Uses the pipeline's step callback, or its scheduler if there is no callback.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from workbench.engines.diffusers.adapters import parameters_of
from workbench.engines.diffusers.previews import LatentColours, latent_grid
from workbench.errors import NotFinite, RenderCancelled
from workbench.rendering import Progress

__all__ = ["StepWatch"]

_DECODE_SHARE: Final = 0.1
"""Share of the reported steps for decoding."""


class StepWatch:
    """The steps of one render; used only by the render thread."""

    def __init__(
        self,
        steps: int,
        report: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        *,
        colours: LatentColours | None = None,
        previews: int = 0,
        sections: int = 1,
        latent_shape: tuple[int, int, int] = (1, 1, 1),
        keeps_latents: bool = False,
    ) -> None:
        self._previews = previews if colours else 0
        self._sections = sections
        self._plan_steps(steps)
        self.done = 0
        self._first_s = self._last_s = 0.0
        self._report = report
        self._cancelled = cancelled
        self._colours = colours
        self._shape = latent_shape
        self._before: Any = None
        self._keeps_latents = keeps_latents
        self.latents: list[Any] = []
        """The latents after the last step of each section, in 32 bits on the CPU, if they are kept."""
        self._event: Any = None
        self._finite: Any = None

    @property
    def seconds_per_step(self) -> float | None:
        """The mean time of a step after the first; None if there was none."""
        return None if self.done < 2 else (self._last_s - self._first_s) / (self.done - 1)

    def check(self, *_: Any) -> None:
        """Raise ``RenderCancelled`` if the render was cancelled."""
        if self._cancelled():
            raise RenderCancelled("The render was cancelled.")

    def encoding_prompt(self) -> None:
        """Report that the prompt is being encoded."""
        self._report(Progress("encoding prompt", 0, self.total))

    def step(self, latents: Any = None, scheduler: Any = None, *, steps: int | None = None) -> None:
        """Report one more step, of ``steps`` in each section if the pipeline has set a number.

        It may run fewer steps than requested: a slight change of a video skips the first ones.
        """
        self.check()
        if self.done == 0 and steps:
            self._plan_steps(steps)
        self.done += 1
        self._last_s = time.perf_counter()
        if self.done == 1:
            self._first_s = self._last_s
        if self._keeps_latents and latents is not None and self.done % self._per_section == 0:
            self.latents.append(latents.detach().float().cpu())
        self._check_values(latents)
        preview = None
        if latents is not None and self._colours:
            if self.done in self._shown:
                preview = self._picture(latents, scheduler)
            self._before = latents if self.done + 1 in self._shown else None
        shown = min(self.done, self.steps)
        text = f"step {shown} of {self.steps}"
        self._report(Progress("denoising", shown, self.total, text, preview))

    def decoded(self, frames: int, expected: int) -> None:
        """Report that ``frames`` of ``expected`` frames are decoded."""
        self.check()
        self._check_last_values()
        share = min(1.0, frames / expected) if expected else 0.0
        step = self.steps + int(share * (self.total - self.steps))
        text = f"{frames} of {expected} frames" if expected else ""
        self._report(Progress("decoding", step, self.total, text))

    @contextmanager
    def watching(self, pipe: Any, *, deep: bool) -> Iterator[dict[str, Any]]:
        """Watch ``pipe`` while the context is open; yields the keyword arguments its call needs.

        ``deep`` checks for cancellation before every block, not only every module. Not for compiled
        blocks, which must not change.
        """
        with ExitStack() as stack:
            for module in _modules(pipe, deep=deep):
                handle = module.register_forward_pre_hook(lambda *_: self.check())
                stack.callback(handle.remove)
            if "callback_on_step_end" in parameters_of(pipe):
                yield self._callback(pipe)
                return
            scheduler = getattr(pipe, "scheduler", None)
            if scheduler is not None:
                stack.enter_context(self._stepping(scheduler))
            yield {}

    @contextmanager
    def _stepping(self, watched: Any) -> Iterator[None]:
        """Watch each step of ``watched``.

        Wraps the class's method, not the object's: pipelines copy their scheduler for sound, and a
        method set on the object would be copied and would step the wrong scheduler.
        """
        kind = type(watched)
        inherited = "step" not in vars(kind)
        take = kind.step

        def step(scheduler: Any, *args: Any, **kwargs: Any) -> Any:
            made = take(scheduler, *args, **kwargs)
            if scheduler is watched:
                latents = made[0] if isinstance(made, tuple) else made.prev_sample
                self.step(latents, scheduler, steps=_length(getattr(scheduler, "timesteps", None)))
            return made

        kind.step = step
        try:
            yield
        finally:
            if inherited:
                del kind.step
            else:
                kind.step = take

    def _callback(self, pipe: Any) -> dict[str, Any]:
        wanted = ["latents"] if "latents" in getattr(pipe, "_callback_tensor_inputs", ()) else []

        def on_step_end(pipe: Any, _step: int, _time: Any, tensors: dict[str, Any]) -> Any:
            steps = getattr(pipe, "num_timesteps", None)
            self.step(tensors.get("latents"), getattr(pipe, "scheduler", None), steps=steps)
            return tensors

        return {
            "callback_on_step_end": on_step_end,
            "callback_on_step_end_tensor_inputs": wanted,
        }

    def _plan_steps(self, per_section: int) -> None:
        self._per_section = per_section
        self.steps = per_section * self._sections
        self.total = self.steps + max(1, round(self.steps * _DECODE_SHARE))
        self._shown = _points(self.steps, self._previews)

    def _picture(self, latents: Any, scheduler: Any) -> bytes | None:
        colours = self._colours
        if colours is None:
            return None
        foreseen = getattr(scheduler, "foreseen", None)  # of a sampler that noises anew
        shown = latents if foreseen is None else foreseen
        now = latent_grid(shown.detach(), colours.channels, self._shape)
        if now is None or foreseen is not None:
            return None if now is None else colours.picture(now)
        before = None
        if self._before is not None and self._before.shape == latents.shape:
            before = latent_grid(self._before.detach(), colours.channels, self._shape)
        return colours.picture(_foreseen(now, before, scheduler, self.done))

    def _check_values(self, latents: Any) -> None:
        """Raise ``NotFinite`` for latents that are NaN or infinite.

        On a GPU the previous step's are checked, which also makes reported progress real; one step
        stays in flight, so the device never idles.
        """
        if latents is None:
            return
        is_finite = latents.detach().isfinite().all()
        if latents.device.type != "cuda":
            self._finite = is_finite
            self._check_last_values()
            return
        import torch  # noqa: PLC0415

        event, finite = self._event, self._finite
        self._event = torch.cuda.Event()
        self._finite = torch.empty((), dtype=torch.bool, pin_memory=True)
        self._finite.copy_(is_finite, non_blocking=True)
        self._event.record()
        if event is not None:
            event.synchronize()
            if not finite:
                raise _not_finite(self.done - 1, self.steps)

    def _check_last_values(self) -> None:
        if self._event is not None:
            self._event.synchronize()
        if self._finite is not None and not self._finite:
            raise _not_finite(self.done, self.steps)


def _not_finite(step: int, steps: int) -> NotFinite:
    return NotFinite(
        f"The model's values are NaN or infinite from step {step} of {steps} on: there is no image. "
        "Set options.dtype to 'bfloat16' or 'float32', or lower guidance_scale."
    )


def _length(timesteps: Any) -> int | None:
    return None if timesteps is None else len(timesteps)


def _points(steps: int, previews: int) -> frozenset[int]:
    """Return the steps after which a preview is shown: evenly spread, not the last."""
    if previews < 1 or steps < 2:
        return frozenset()
    count = min(previews, steps - 1)
    return frozenset(max(1, round(steps * (n + 1) / (count + 1))) for n in range(count))


def _foreseen(now: Any, before: Any, scheduler: Any, done: int) -> Any:
    """Return the model's current estimate of the clean latents.

    Denoising follows an ordinary differential equation in the noise level σ; its last step,
    drawn out to σ = 0, is the model's present guess (Liu et al. 2022, "Flow straight and fast").
    """
    sigmas = getattr(scheduler, "sigmas", None)
    if before is None or sigmas is None or len(sigmas) <= done:
        return now
    was, is_now = float(sigmas[done - 1]), float(sigmas[done])
    if abs(is_now - was) < 1e-6:
        return now
    return now - is_now * (now - before) / (is_now - was)


def _modules(pipe: Any, *, deep: bool) -> Iterator[Any]:
    """Yield the modules before whose forward cancellation is checked."""
    import torch  # noqa: PLC0415

    for name, component in pipe.components.items():
        if not isinstance(component, torch.nn.Module):
            continue
        yield component
        if not deep and name.startswith(("transformer", "unet")):
            continue
        for module in component.modules():
            if isinstance(module, torch.nn.ModuleList):
                yield from (child for child in module if child is not None)
