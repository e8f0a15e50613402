"""The measurements of ``benchmarks.gpu`` and their table."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.wan_models import Model

__all__ = ["Take", "report"]


@dataclass
class Take:
    """The measurements of one profile, and its frames."""

    name: str
    step_s: float = 0.0
    decode_s: float = 0.0
    tail_s: float = 0.0
    """From the last decoded frame to the finished file."""
    warm_up_s: float = 0.0
    peak_bytes: int = 0
    steps: int = 0
    whole_steps: int = 0
    """Steps of a whole video made so; 0 for the model's own."""
    frames: Any = None
    notes: list[str] = field(default_factory=list)

    def video_s(self, steps: int) -> float:
        """Return the seconds of a whole video of ``steps`` steps, warm."""
        return self.step_s * steps + self.decode_s + self.tail_s


def agreement(frames: Any, wanted: Any) -> tuple[float, float]:
    """Return PSNR in dB and SSIM (8×8 windows, Wang et al. 2004) of 8-bit frames."""
    import torch

    one, other = (torch.from_numpy(each).float().movedim(-1, 1) for each in (frames, wanted))
    error = (one - other).pow(2).mean().item()
    psnr = math.inf if error == 0 else 10 * math.log10(255**2 / error)
    mean = torch.nn.AvgPool2d(8, 4)
    mu_1, mu_2 = mean(one), mean(other)
    var_1, var_2 = mean(one * one) - mu_1**2, mean(other * other) - mu_2**2
    both = mean(one * other) - mu_1 * mu_2
    small_1, small_2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ssim = ((2 * mu_1 * mu_2 + small_1) * (2 * both + small_2)) / (
        (mu_1**2 + mu_2**2 + small_1) * (var_1 + var_2 + small_2)
    )
    return psnr, ssim.mean().item()


def report(takes: list[Take], model: Model, *, device: str, steps: int, parameters: int) -> None:
    """Print the table, ready for docs/benchmarks.md; ``steps`` were run, of a model of so many ``parameters``."""
    import diffusers
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(
        f"## Profiles: {parameters / 1e9:.2f}B parameters, {model.width}×{model.height}, "
        f"{model.num_frames} frames\n\n{time.strftime('%Y-%m-%d')}, {name}, torch "
        f"{torch.__version__}, diffusers {diffusers.__version__}, {steps} steps run\n"
    )
    print("| profile | s/step | decode s | encode tail s | peak GiB | PSNR dB | SSIM | "
          f"video of {model.steps} steps, s | × eager |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    eager = takes[0]
    wanted = next((take for take in takes if take.name == "reference"), eager)
    for take in takes:
        told = "–", "–"
        if take.frames.shape == wanted.frames.shape:
            psnr, ssim = agreement(take.frames, wanted.frames)
            told = f"{psnr:.1f}", f"{ssim:.4f}"
        whole = take.whole_steps or model.steps
        ratio = eager.video_s(model.steps) / take.video_s(whole)
        print(
            f"| {take.name} | {take.step_s:.4f} | {take.decode_s:.3f} | {take.tail_s:.3f} | "
            f"{take.peak_bytes / 2**30:.1f} | {told[0]} | {told[1]} | "
            f"{take.video_s(whole):.2f} | {ratio:.2f} |"
        )
    exact = next((take for take in takes if take.name == "exact"), None)
    for take in takes:
        if take.name == "fast" and exact is not None and exact.step_s:
            equal = take.step_s * model.steps / exact.step_s
            print(f"\nfast takes as long as exact with {equal:.0f} of {model.steps} steps.")
    for take in takes:
        print(f"\n{take.name}: warm-up {take.warm_up_s:.1f} s; {'; '.join(take.notes) or 'plain'}")
