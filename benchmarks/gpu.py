"""Speed of each profile on a real GPU: real architectures at real size, with random weights.

A bare machine needs torch with CUDA, and diffusers and av as wheels. From the repository's root::

    python -m benchmarks.gpu                      # Wan 2.1 1.3B, 832×480, 81 frames
    python -m benchmarks.gpu --model 5b           # Wan 2.2 TI2V 5B, 1280×704, 121 frames
    python -m benchmarks.gpu --profiles exact --weights fp8,int8 --caches ""
    python -m benchmarks.gpu --tiny               # on a CPU, to see that it runs

The baseline is unmodified diffusers: eager, its default attention, the VAE in 32 bits, and the
video written after the last frame is decoded. Every profile gets the same noise and the same steps;
PSNR and SSIM compare its frames with the reference's. Then the weights that people run, on the exact
path: fp8, int8, GGUF Q8_0, and four steps with a LoRA; and the exact path with MagCache, calibrated in
a render of its own. fp8, int8 and MagCache need nothing more; GGUF needs gguf, int8 torchao, and the LoRA
peft. With random weights the images are noise:
speed, memory and agreement are real, image quality is not, and a step cache is judged only by its
speed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from benchmarks.gpu_report import Take, report
from benchmarks.gpu_weights import FORMS, transformer_as
from benchmarks.wan_models import MODELS, Model, build, draft

ROOT: Final = Path(__file__).resolve().parent.parent
_MAG: Final = {"threshold": 0.06, "max_skip_steps": 3, "retention_ratio": 0.2}
"""The settings that a request has by default."""


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", choices=MODELS, default="1.3b")
    parser.add_argument("--steps", type=int, default=8, help="steps that are really run")
    parser.add_argument("--profiles", default="reference,exact,fast,draft")
    parser.add_argument("--weights", default=",".join(FORMS))
    parser.add_argument("--caches", default="mag")
    parser.add_argument("--threshold", type=float, default=0.1, help="of the first-block cache")
    parser.add_argument("--tiny", action="store_true", help="on a CPU, to see that it runs")
    wanted = parser.parse_args(arguments)
    model = MODELS["tiny" if wanted.tiny else wanted.model]
    device = "cpu" if wanted.tiny else "cuda"
    steps = 3 if wanted.tiny else wanted.steps
    bench = Bench(model, device, steps, wanted.threshold)
    takes = [bench.eager()]
    measure = {
        **dict.fromkeys(_names(wanted.profiles), bench.profile),
        **dict.fromkeys(_names(wanted.caches), bench.cached),
        **dict.fromkeys(_names(wanted.weights), bench.weights),
    }
    for name, take in measure.items():
        with contextlib.suppress(KeyboardInterrupt):
            takes.append(take(name))
    parameters = sum(p.numel() for p in bench.transformer.parameters())
    report(takes, model, device=device, steps=steps, parameters=parameters)


def _names(given: str) -> list[str]:
    return [name for name in given.split(",") if name]


class Bench:
    """One model with random weights on one device, and the ways to render with it."""

    def __init__(self, model: Model, device: str, steps: int, threshold: float) -> None:
        import torch
        from diffusers.utils import logging

        logging.set_verbosity_error()
        self.model, self.device, self.steps, self.threshold = model, device, steps, threshold
        self.guided = True
        self.dtype = torch.bfloat16 if device == "cuda" else torch.float32
        self.transformer, self.vae = build(model, device, self.dtype)
        torch.manual_seed(1)
        length = 512 if device == "cuda" else 16
        shape = (1, length, model.transformer["text_dim"])
        self.texts = [torch.randn(shape).to(device, self.dtype) * 0.1 for _ in range(2)]

    def eager(self) -> Take:
        """Return unmodified diffusers, which writes the video after all frames are decoded."""
        return self._take("eager diffusers", self.model, self.steps, streaming=False)

    def profile(self, name: str) -> Take:
        """Return one of the workbench's profiles."""
        take = self._accelerated(name, name, cache="auto", values={"threshold": self.threshold})
        if name == "draft":
            take.whole_steps = max(1, self.model.steps // 3)
        return take

    def cached(self, name: str) -> Take:
        """Return the exact path with MagCache, whose ratios a render before it measures."""
        assert name == "mag", "the others need no calibration: --profiles fast"
        step_caches = _workbench("step_caches")
        values = {**_MAG, "mag_ratios": None}
        parts = {"transformer": self.transformer}
        config = step_caches.cache_config(None, "transformer", name, values, self.steps, None)
        self.transformer.enable_cache(config)
        try:
            with step_caches.calibrated(parts) as ratios:
                self._denoise(self.model, self.steps)
        finally:
            self.transformer.disable_cache()
        values["mag_ratios"] = ratios["transformer"]
        return self._accelerated(name, "exact", cache=name, values=values)

    def weights(self, form: str) -> Take:
        """Return the exact path on weights in one of ``FORMS``."""
        usual = self.transformer
        self.transformer = None  # two of them may not fit
        try:
            self.transformer = transformer_as(form, self.model, self.device, self.dtype)
            few = form == "four-steps"
            take = self._accelerated(
                form, "exact", cache="none", values={}, steps=4 if few else 0, guided=not few
            )
        finally:
            self.transformer = usual
        take.whole_steps = 4 if few else 0
        return take

    def _accelerated(
        self,
        name: str,
        profile: str,
        *,
        cache: str,
        values: dict[str, Any],
        steps: int = 0,
        guided: bool = True,
    ) -> Take:
        import torch

        module = _workbench("acceleration")
        acceleration = module.Acceleration()
        options = SimpleNamespace(
            attention="auto",
            compile=None,
            cache=cache,
            cache_values=lambda _: values,
            quick_parts=True,
        )
        family = SimpleNamespace(title="Wan", cache=("first-block",), vae_dtype="float32")
        pipe = SimpleNamespace(transformer=self.transformer, vae=self.vae)
        wide = profile == "reference"
        self.vae.to(torch.float32 if wide or self.device == "cpu" else self.dtype)
        model, usual = (draft(self.model), max(2, self.steps // 3)) if profile == "draft" else (
            self.model, self.steps)  # fmt: skip
        steps = steps or usual
        acceleration.apply(pipe, profile, options, family, self.device, steps=steps)
        self.guided = guided
        try:
            with acceleration.checking(pipe, f"{model.width}×{model.height}×{model.num_frames}"):
                take = self._take(name, model, steps, streaming=True)
        except (RuntimeError, ValueError, module.AccelerationFailed) as error:
            acceleration.undo(pipe, str(error).splitlines()[0][:200], certain=True)
            take = self._take(name, model, steps, streaming=True)
        finally:
            self.guided = True
        checked = [f"first forward off by {e:.1e}" for e in acceleration.checked.values()]
        take.notes = [
            f"attention {acceleration.attention}",
            f"compiled {acceleration.compiled}",
            f"quick parts {acceleration.quick_parts}",
            f"cache {acceleration.cache}",
            *checked,
            *acceleration.notes,
        ]
        plain = SimpleNamespace(attention="native", compile=False, cache="none", quick_parts=False)
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
        """Decode and encode: concurrently if ``streaming``, else one after the other."""
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
        """Run ``steps`` steps as WanPipeline does: two forwards each if guided, then the scheduler."""
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
                guess = self._forward(given, moment, self.texts[0])
                if self.guided:
                    plain = self._forward(given, moment, self.texts[1])
                    guess = plain + 5.0 * (guess - plain)
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
        """Decode through the workbench's own tap, which yields frames as they are decoded."""
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
    """Replaces a pipeline's video processor; the tap has already taken the frames."""

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


def _workbench(name: str) -> ModuleType:
    """Return one module of the engine, without running the packages around it.

    The packages need libraries that a bare machine lacks; these modules need only torch and
    diffusers.
    """
    for package in ("workbench", "workbench.engines", "workbench.engines.diffusers"):
        if package not in sys.modules:
            bare = ModuleType(package)
            bare.__path__ = [str(ROOT.joinpath(*package.split(".")))]
            sys.modules[package] = bare
    return importlib.import_module(f"workbench.engines.diffusers.{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
