"""How fast each profile is on a real GPU: real architectures at real size, with random weights.

A bare machine needs torch with CUDA, and diffusers and av as wheels. From the repository's root::

    python -m benchmarks.gpu                      # Wan 2.1 1.3B, 832×480, 81 frames
    python -m benchmarks.gpu --model 5b           # Wan 2.2 TI2V 5B, 1280×704, 121 frames
    python -m benchmarks.gpu --tiny               # on a CPU, to see that it runs

The baseline is diffusers as it comes: eager, its default attention, the VAE in 32 bits, then the
video written after the last frame is decoded. Every profile gets the same noise and the same steps;
PSNR and SSIM compare its frames with the reference's. With random weights the pictures are noise:
speed, memory and agreement are real, beauty is not, and a step cache is judged only by its speed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from benchmarks.wan_models import MODELS, Model, build, draft

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass
class Take:
    """What one profile took, and the frames it gave."""

    name: str
    step_s: float = 0.0
    decode_s: float = 0.0
    tail_s: float = 0.0
    """From the last decoded frame to the finished file."""
    warm_up_s: float = 0.0
    peak_bytes: int = 0
    steps: int = 0
    frames: Any = None
    notes: list[str] = field(default_factory=list)

    def video_s(self, steps: int) -> float:
        """Return how long a whole video of ``steps`` steps takes, warm."""
        return self.step_s * steps + self.decode_s + self.tail_s


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", choices=MODELS, default="1.3b")
    parser.add_argument("--steps", type=int, default=8, help="steps that are really run")
    parser.add_argument("--profiles", default="reference,exact,fast,draft")
    parser.add_argument("--threshold", type=float, default=0.1, help="of the first-block cache")
    parser.add_argument("--tiny", action="store_true", help="on a CPU, to see that it runs")
    wanted = parser.parse_args(arguments)
    model = MODELS["tiny" if wanted.tiny else wanted.model]
    device = "cpu" if wanted.tiny else "cuda"
    steps = 3 if wanted.tiny else wanted.steps
    bench = Bench(model, device, steps, wanted.threshold)
    takes = [bench.eager()]
    for profile in wanted.profiles.split(","):
        with contextlib.suppress(KeyboardInterrupt):
            takes.append(bench.profile(profile))
    report(takes, model, bench)


class Bench:
    """One model with random weights on one device, and the ways to render with it."""

    def __init__(self, model: Model, device: str, steps: int, threshold: float) -> None:
        import torch
        from diffusers.utils import logging

        logging.set_verbosity_error()
        self.model, self.device, self.steps, self.threshold = model, device, steps, threshold
        self.dtype = torch.bfloat16 if device == "cuda" else torch.float32
        self.transformer, self.vae = build(model, device, self.dtype)
        torch.manual_seed(1)
        length = 512 if device == "cuda" else 16
        shape = (1, length, model.transformer["text_dim"])
        self.texts = [torch.randn(shape).to(device, self.dtype) * 0.1 for _ in range(2)]

    def eager(self) -> Take:
        """Return diffusers as it comes, its video written when all frames are there."""
        return self._take("eager diffusers", self.model, self.steps, streaming=False)

    def profile(self, name: str) -> Take:
        """Return one of the workbench's profiles."""
        import torch

        acceleration = _workbench("acceleration").Acceleration()
        options = SimpleNamespace(
            attention="auto",
            compile=None,
            cache="auto",
            cache_threshold=self.threshold,
            quick_parts=True,
        )
        family = SimpleNamespace(title="Wan", cache=("first-block",))
        pipe = SimpleNamespace(transformer=self.transformer, vae=self.vae)
        wide = name == "reference"
        self.vae.to(torch.float32 if wide or self.device == "cpu" else self.dtype)
        acceleration.apply(pipe, name, options, family, self.device)
        model, steps = (draft(self.model), max(2, self.steps // 3)) if name == "draft" else (
            self.model, self.steps)  # fmt: skip
        try:
            with acceleration.checking(pipe, f"{model.width}×{model.height}×{model.num_frames}"):
                take = self._take(name, model, steps, streaming=True)
        except (RuntimeError, ValueError, _workbench("acceleration").AccelerationFailed) as error:
            acceleration.undo(pipe, str(error).splitlines()[0][:200])
            take = self._take(name, model, steps, streaming=True)
        checked = [f"first forward off by {e:.1e}" for e in acceleration.checked.values()]
        take.notes = [
            f"attention {acceleration.attention}",
            f"compiled {acceleration.compiled}",
            f"quick parts {acceleration.quick_parts}",
            f"cache {acceleration.cache}",
            *checked,
            *acceleration.notes,
        ]
        plain = SimpleNamespace(
            attention="native", compile=False, cache="none", cache_threshold=0, quick_parts=False
        )
        acceleration.apply(pipe, "reference", plain, family, self.device)
        return take

    def _take(self, name: str, model: Model, steps: int, *, streaming: bool) -> Take:
        take = Take(name, steps=steps)
        started = time.perf_counter()
        self._denoise(model, 1)
        self._decode(self._noise(model), None)
        self._wait()
        take.warm_up_s = time.perf_counter() - started
        self._reset_peak()
        started = time.perf_counter()
        latents = self._denoise(model, steps)
        self._wait()
        take.step_s = (time.perf_counter() - started) / steps
        with tempfile.TemporaryDirectory() as folder:
            self._finish(take, model, latents, Path(folder) / "video.mp4", streaming=streaming)
        take.peak_bytes = self._peak()
        return take

    def _finish(
        self, take: Take, model: Model, latents: Any, path: Path, *, streaming: bool
    ) -> None:
        """Decode and encode: at once where ``streaming``, else one after the other."""
        import numpy as np

        chunks: list[Any] = []
        with encoder(path, model) as write:
            started = time.perf_counter()

            def sink(frames: Any) -> None:
                chunks.append(frames)
                if streaming:
                    write(frames)

            self._decode(latents, sink)
            self._wait()
            take.decode_s = time.perf_counter() - started
            ended = time.perf_counter()
            if not streaming:
                for chunk in chunks:
                    write(chunk)
        take.tail_s = time.perf_counter() - ended
        take.frames = np.concatenate(chunks)

    def _denoise(self, model: Model, steps: int) -> Any:
        """Run ``steps`` steps as WanPipeline does: two forwards each, guided, then the scheduler."""
        import torch
        from diffusers import UniPCMultistepScheduler

        scheduler = UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=model.shift
        )
        scheduler.set_timesteps(max(2, steps), device=self.device)
        latents = self._noise(model)
        with torch.no_grad():
            for moment in scheduler.timesteps[:steps]:
                given = latents.to(self.dtype)
                guided, plain = (self._forward(given, moment, text) for text in self.texts)
                guess = plain + 5.0 * (guided - plain)
                latents = scheduler.step(guess, moment, latents, return_dict=False)[0]
        return latents

    def _forward(self, latents: Any, moment: Any, text: Any) -> Any:
        which = "cond" if text is self.texts[0] else "uncond"
        with self.transformer.cache_context(which):
            return self.transformer(
                hidden_states=latents,
                timestep=moment.expand(1),
                encoder_hidden_states=text,
                return_dict=False,
            )[0]

    def _decode(self, latents: Any, sink: Callable[[Any], None] | None) -> None:
        """Decode through the workbench's own tap, so that frames leave as they come."""
        import torch

        frames = _workbench("frames")
        pipe = SimpleNamespace(vae=self.vae, video_processor=_Processor())
        tap = frames.Tap(pipe, "decoder", sink or (lambda _: None))
        with tap.open(), torch.no_grad():
            dtype = next(self.vae.parameters()).dtype
            self.vae.decode(latents.to(dtype), return_dict=False)

    def _noise(self, model: Model) -> Any:
        import torch

        chance = torch.Generator("cpu").manual_seed(7)
        spatial = model.vae.get("scale_factor_spatial", 8)
        frames = (model.num_frames - 1) // 4 + 1
        shape = (
            1,
            model.transformer["in_channels"],
            frames,
            model.height // spatial,
            model.width // spatial,
        )
        return torch.randn(shape, generator=chance).to(self.device)

    def _wait(self) -> None:
        import torch

        if self.device == "cuda":
            torch.cuda.synchronize()

    def _reset_peak(self) -> None:
        import torch

        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()

    def _peak(self) -> int:
        import torch

        return int(torch.cuda.max_memory_allocated()) if self.device == "cuda" else 0


class _Processor:
    """Stands where a pipeline has its video processor; the tap has taken the frames before."""

    def postprocess_video(self, video: Any, *_: Any, **__: Any) -> Any:
        return video


@contextlib.contextmanager
def encoder(path: Path, model: Model) -> Iterator[Callable[[Any], None]]:
    """Yield a function that takes T×H×W×3 frames and encodes them in a thread of its own."""
    import queue
    import threading

    import av

    waiting: queue.Queue[Any] = queue.Queue(8)
    container = av.open(str(path), "w")
    stream: Any = container.add_stream("libx264", rate=model.fps, options={"preset": "veryfast"})
    stream.width, stream.height, stream.pix_fmt = model.width, model.height, "yuv420p"

    def work() -> None:
        while (frames := waiting.get()) is not None:
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield waiting.put
    finally:
        waiting.put(None)
        thread.join()
        container.close()


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


def report(takes: list[Take], model: Model, bench: Bench) -> None:
    """Print the table, ready for docs/benchmarks.md."""
    import diffusers
    import torch

    name = torch.cuda.get_device_name() if bench.device == "cuda" else "CPU"
    size = sum(p.numel() for p in bench.transformer.parameters()) / 1e9
    print(
        f"## Profiles: {size:.2f}B parameters, {model.width}×{model.height}, "
        f"{model.num_frames} frames\n\n{time.strftime('%Y-%m-%d')}, {name}, torch "
        f"{torch.__version__}, diffusers {diffusers.__version__}, {bench.steps} steps run\n"
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
        steps = max(1, model.steps // 3) if take.name == "draft" else model.steps
        ratio = eager.video_s(model.steps) / take.video_s(steps)
        print(
            f"| {take.name} | {take.step_s:.4f} | {take.decode_s:.3f} | {take.tail_s:.3f} | "
            f"{take.peak_bytes / 2**30:.1f} | {told[0]} | {told[1]} | "
            f"{take.video_s(steps):.2f} | {ratio:.2f} |"
        )
    exact = next((take for take in takes if take.name == "exact"), None)
    for take in takes:
        if take.name == "fast" and exact is not None and exact.step_s:
            equal = take.step_s * model.steps / exact.step_s
            print(f"\nfast takes as long as exact with {equal:.0f} of {model.steps} steps.")
    for take in takes:
        print(f"\n{take.name}: warm-up {take.warm_up_s:.1f} s; {'; '.join(take.notes) or 'plain'}")


def _workbench(name: str) -> ModuleType:
    """Return one module of the engine, without running the packages around it.

    Those need libraries that a bare machine lacks; these modules need torch and diffusers alone.
    """
    for package in ("workbench", "workbench.engines", "workbench.engines.diffusers"):
        if package not in sys.modules:
            bare = ModuleType(package)
            bare.__path__ = [str(ROOT.joinpath(*package.split(".")))]
            sys.modules[package] = bare
    return importlib.import_module(f"workbench.engines.diffusers.{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
