"""Watches a pipeline step by step: reports progress, shows previews, and ends it when cancelled.

Hears of steps from the pipeline's own callback, or from its scheduler where it has no callback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from workbench.engines.diffusers.adapters import parameters_of
from workbench.engines.diffusers.previews import LatentColours, latent_grid
from workbench.errors import RenderCancelled
from workbench.rendering import Progress

__all__ = ["StepWatch"]

_DECODE_SHARE: Final = 0.1
"""Share of the steps that stands for decoding in the progress told."""


class StepWatch:
    """One render's steps; the render's own thread alone uses it."""

    def __init__(
        self,
        steps: int,
        report: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        *,
        colours: LatentColours | None = None,
        previews: int = 0,
        latent_shape: tuple[int, int, int] = (1, 1, 1),
    ) -> None:
        self._previews = previews if colours else 0
        self._plan_steps(steps)
        self.done = 0
        self._report = report
        self._cancelled = cancelled
        self._colours = colours
        self._shape = latent_shape
        self._before: Any = None
        self._event: Any = None

    def check(self, *_: Any) -> None:
        """Raise ``RenderCancelled`` when the render is no longer wanted."""
        if self._cancelled():
            raise RenderCancelled("The render was cancelled.")

    def encoding_prompt(self) -> None:
        """Tell that the prompt is being read."""
        self._report(Progress("encoding prompt", 0, self.total))

    def step(self, latents: Any = None, scheduler: Any = None, *, steps: int | None = None) -> None:
        """Tell that one more step is done, of ``steps`` where the pipeline has settled on a number.

        It may run fewer steps than it was asked for: a video that is changed a little begins late.
        """
        self.check()
        if self.done == 0 and steps and steps != self.steps:
            self._plan_steps(steps)
        self.done += 1
        self._wait_for_device(latents)
        preview = None
        if latents is not None and self._colours:
            if self.done in self._shown:
                preview = self._picture(latents, scheduler)
            self._before = latents if self.done + 1 in self._shown else None
        shown = min(self.done, self.steps)
        text = f"step {shown} of {self.steps}"
        self._report(Progress("denoising", shown, self.total, text, preview))

    def decoded(self, frames: int, expected: int) -> None:
        """Tell that ``frames`` of the ``expected`` frames are decoded."""
        self.check()
        share = min(1.0, frames / expected) if expected else 0.0
        step = self.steps + int(share * (self.total - self.steps))
        text = f"{frames} of {expected} frames" if expected else ""
        self._report(Progress("decoding", step, self.total, text))

    @contextmanager
    def watching(self, pipe: Any, *, deep: bool) -> Iterator[dict[str, Any]]:
        """Watch ``pipe`` while the context is open; yields the keyword arguments its call needs.

        ``deep`` also looks for a cancellation before every block, not only before every module:
        not for compiled blocks, whose code must not change.
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
        """Hear of each step of ``watched``.

        The class's method is wrapped, not the object's: pipelines copy their scheduler for sound,
        and a method set on the object would be copied along and step the wrong one.
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

    def _plan_steps(self, steps: int) -> None:
        self.steps = steps
        self.total = steps + max(1, round(steps * _DECODE_SHARE))
        self._shown = _points(steps, self._previews)

    def _picture(self, latents: Any, scheduler: Any) -> bytes | None:
        colours = self._colours
        if colours is None:
            return None
        now = latent_grid(latents.detach(), colours.channels, self._shape)
        if now is None:
            return None
        before = None
        if self._before is not None and self._before.shape == latents.shape:
            before = latent_grid(self._before.detach(), colours.channels, self._shape)
        return colours.picture(_foreseen(now, before, scheduler, self.done))

    def _wait_for_device(self, latents: Any) -> None:
        """Wait for the step before this one, so that what is told has really happened.

        One step is left in the air: the device never waits for this.
        """
        if latents is None or latents.device.type != "cuda":
            return
        import torch  # noqa: PLC0415

        event, self._event = self._event, torch.cuda.Event()
        self._event.record()
        if event is not None:
            event.synchronize()


def _length(timesteps: Any) -> int | None:
    return None if timesteps is None else len(timesteps)


def _points(steps: int, previews: int) -> frozenset[int]:
    """Return after which steps a preview is shown: evenly spread, none for the last step."""
    if previews < 1 or steps < 2:
        return frozenset()
    count = min(previews, steps - 1)
    return frozenset(max(1, round(steps * (n + 1) / (count + 1))) for n in range(count))


def _foreseen(now: Any, before: Any, scheduler: Any, done: int) -> Any:
    """Return the clean latents that the last step was heading for.

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
    """Yield the modules before whose run a cancellation is looked for."""
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
