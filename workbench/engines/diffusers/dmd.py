"""The sampler of weights distilled by distribution matching (DMD), such as FastWan.

At each of a few fixed timesteps the model predicts the clean video, which is then noised anew to
the level of the next one (Yin et al. 2024, "Improved Distribution Matching Distillation").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

__all__ = ["dmd_scheduler", "dmd_sigmas"]

_TRAINING_STEPS: Final = 1000


def dmd_sigmas(steps: Sequence[float], shift: float) -> list[float]:
    """Return the noise level, from 0 to 1, of each timestep from 0 to 1000.

    As in FastVideo, it is the nearest one in the table of 1000 levels with ``shift``.
    """
    plain = (number / _TRAINING_STEPS for number in range(1, _TRAINING_STEPS + 1))
    table = [shift * level / (1 + (shift - 1) * level) for level in plain]
    return [min(table, key=lambda level: abs(level * _TRAINING_STEPS - step)) for step in steps]


def dmd_scheduler(steps: Sequence[float], shift: float, generator: Any) -> Any:
    """Return diffusers' scheduler for such weights, held to ``steps``.

    The noise of every step comes from ``generator``, which the pipeline's call must use too.
    """
    import diffusers  # noqa: PLC0415

    sigmas = dmd_sigmas(steps, shift)

    class DmdScheduler(diffusers.FlowMatchLCMScheduler):  # type: ignore[misc]
        foreseen: Any = None
        """The last prediction of the clean latents."""

        def set_timesteps(self, _count: int | None = None, device: Any = None) -> None:
            super().set_timesteps(sigmas=sigmas, timesteps=list(steps), device=device)

        def step(self, output: Any, timestep: Any, sample: Any, *, return_dict: bool = True) -> Any:
            made = super().step(
                output, timestep, sample, generator=generator, return_dict=return_dict
            )
            self.foreseen = sample - sigmas[self.step_index - 1] * output
            return made

    return DmdScheduler()
