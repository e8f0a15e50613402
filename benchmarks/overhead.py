"""The overhead of a job over a bare pipeline call that exports its video.

Run with ``python -m benchmarks.overhead``: on a CPU, with small pipelines. Bare call and job
alternate in one process, warm, with the same seed; then two jobs go through the job manager, to
measure how soon the second starts after the first has ended.

With ``--gpu`` the model is Wan 2.1 1.3B at 832×480 and 81 frames, with random weights: the bare
call is unmodified diffusers, the job is the engine's ``exact`` profile, and the cost of previews is
reported separately.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import Figure, print_report
from workbench.engines.diffusers import DiffusersEngine
from workbench.engines.engine import RenderTask
from workbench.jobs.client.manager import JobManager
from workbench.rendering import Recipe, RenderRequest
from workbench.settings import Settings

_PROMPT = "a dog runs in the rain"
_STEPS = {"tiny": 4, "small": 8}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=6, help="jobs sent through the job manager")
    parser.add_argument("--gpu", action="store_true", help="at real size on a CUDA device")
    parser.add_argument("--steps", type=int, default=10, help="denoising steps with --gpu")
    wanted = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.simplefilter("ignore")
    figures = []
    if wanted.gpu:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            figures = _at_real_size(Path(place), wanted.repeats, wanted.steps)
        print_report("What a job costs beyond the model (GPU)", figures)
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        for name in ("tiny", "small"):
            model = _save(name, Path(place) / name)
            figures += _in_process(name, model, Path(place), wanted.repeats)
        figures += _through_jobs(Path(place) / "tiny", Path(place) / "outputs", wanted.jobs)
    print_report("What a job costs beyond the model (CPU)", figures)
    print(f"Export of the bare call: {_exporter()[1]}.")


def _in_process(name: str, model: Path, place: Path, repeats: int) -> list[Figure]:
    import torch

    torch.set_num_threads(os.cpu_count() or 2)
    engine = DiffusersEngine(Settings())
    request = engine.complete(_request(name, model))
    engine.load(request, "cpu", lambda _: None)
    bare, export = _bare(model, request, place), _exporter()[0]
    calls: list[float] = []
    exports: list[float] = []
    jobs: list[float] = []
    for turn in range(repeats + 1):  # the first turn warms both
        frames, call_s = _timed(bare)
        _, export_s = _timed(partial(export, frames, place / "bare.mp4", int(request.fps or 16)))
        folder = place / f"{name}-{turn}"
        folder.mkdir()
        recipe = Recipe(job_id="job", created_at=datetime.now(UTC), request=request)
        task = RenderTask(recipe, folder, lambda _: None, lambda: False)
        _, job_s = _timed(partial(engine.render, task))
        if turn:
            calls.append(call_s)
            exports.append(export_s)
            jobs.append(job_s)
    both = [call + export for call, export in zip(calls, exports, strict=True)]
    # In turns, so that a change of the machine's speed affects all three alike.
    ratio = statistics.median(job / whole for job, whole in zip(jobs, both, strict=True))
    beyond = statistics.median(job - call for job, call in zip(jobs, calls, strict=True))
    return [
        Figure(f"{name}: bare call", statistics.median(calls), "s"),
        Figure(f"{name}: bare call and its export", statistics.median(both), "s"),
        Figure(f"{name}: warm job", statistics.median(jobs), "s"),
        Figure(f"{name}: job over call and export", ratio, "×", 1.0 if name == "small" else None),
        Figure(f"{name}: job beyond the bare call", beyond * 1_000, "ms", 100.0),
    ]


def _at_real_size(
    place: Path, repeats: int, steps: int, *, name: str = "1.3b", device: str = "cuda"
) -> list[Figure]:
    """Measure one whole render of a real architecture on the GPU, warm: bare, and as a job."""
    from benchmarks.wan_models import MODELS

    shape = MODELS[name]
    started = time.perf_counter()
    model = _save(name, place / "model", device=device)
    print(f"saved a model in {time.perf_counter() - started:.1f} s")
    request = RenderRequest(
        prompt=_PROMPT, engine="diffusers", model=str(model), width=shape.width,
        height=shape.height, num_frames=shape.num_frames, fps=shape.fps,
        num_inference_steps=steps, negative_prompt="rain", seed=7,
    )  # fmt: skip
    bare = _bare(model, request, place, device=device)
    calls, exports = [], []
    for turn in range(repeats + 1):
        frames, call_s = _timed(bare)
        _, export_s = _timed(partial(_like_export, frames, place / "bare.mp4", shape.fps))
        if turn:
            calls.append(call_s)
            exports.append(export_s)
    del bare, frames
    engine = DiffusersEngine(Settings())
    request = engine.complete(request)
    _, load_s = _timed(lambda: engine.load(request, device, lambda _: None))

    def jobs(previews: int) -> list[float]:
        options = {**request.options, "previews": previews}
        asked = request.model_copy(update={"options": options})
        taken = []
        for turn in range(repeats + 1):
            folder = place / f"job-{previews}-{turn}"
            folder.mkdir()
            recipe = Recipe(job_id="job", created_at=datetime.now(UTC), request=asked)
            task = RenderTask(recipe, folder, lambda _: None, lambda: False)
            made, took_s = _timed(partial(engine.render, task))
            print(f"job: {took_s:.2f} s, {made.timings_s}")
            if turn:
                taken.append(took_s)
        return taken

    unseen, shown = statistics.median(jobs(0)), statistics.median(jobs(6))
    call, export = statistics.median(calls), statistics.median(exports)
    pictures = min(6, steps - 1)
    step_s = unseen / steps
    return [
        Figure("model from disk to device", load_s, "s"),
        Figure("bare call", call, "s"),
        Figure("its export", export, "s"),
        Figure("warm job, exact profile", shown, "s"),
        Figure("job over call and export", shown / (call + export), "×", 1.0),
        Figure("a preview, as a share of a step", (shown - unseen) / pictures / step_s * 100, "%",
               1.0),
    ]  # fmt: skip


def _through_jobs(model: Path, outputs: Path, count: int) -> list[Figure]:
    """Send jobs one after the other to one worker, and measure the gaps between them."""
    os.environ["WORKBENCH_OUTPUTS"] = str(outputs)
    os.environ["WORKBENCH_CPU_WORKERS"] = "1"
    settings = Settings(outputs=outputs, cpu_workers=1)
    with closing(JobManager(settings)) as manager:
        try:
            batch = manager.submit_batch([_request("tiny", model, seed=n) for n in range(count)])
            jobs = manager.wait([job.job_id for job in batch.jobs], timeout_s=300)
        finally:
            if status := manager.supervisor():
                supervisor = psutil.Process(status.pid)
                supervisor.terminate()
                supervisor.wait(30)
    if failed := [job.error for job in jobs if job.error]:
        raise RuntimeError(failed[0])
    outcomes = []
    with closing(JobManager(settings)) as manager:
        for job in jobs:
            outcome = manager.recipe(job.job_id).outcome
            if outcome is not None and outcome.model_extra:
                ended = datetime.fromisoformat(outcome.model_extra["finished_at"])
                took_s = outcome.timings_s["load"] + outcome.timings_s["total"]
                outcomes.append((ended, took_s))
    outcomes.sort()
    # By the worker's own clock: a job started at its end minus its duration.
    gaps = [
        ((later - earlier).total_seconds() - took_s) * 1_000
        for (earlier, _), (later, took_s) in pairwise(outcomes)
    ]
    return [
        Figure("end of a job to the next one's start, median", statistics.median(gaps), "ms", 30.0),
        Figure("end of a job to the next one's start, worst", max(gaps), "ms"),
    ]


def _request(name: str, model: Path, seed: int = 7) -> RenderRequest:
    from benchmarks.wan_models import MODELS

    shape = MODELS[name]
    return RenderRequest(
        prompt=_PROMPT,
        engine="diffusers",
        model=str(model),
        profile="reference",
        width=shape.width,
        height=shape.height,
        num_frames=shape.num_frames,
        fps=shape.fps,
        num_inference_steps=_STEPS[name],
        negative_prompt="rain",
        seed=seed,
    )


def _save(name: str, folder: Path, device: str = "cpu") -> Path:
    """Save a pipeline with a transformer and VAE of that size, and a tiny text encoder."""
    import torch

    from benchmarks.wan_models import MODELS, build
    from tests.engines.diffusers.tiny_wan import tiny_wan

    shape = MODELS[name]
    lean = replace(shape, transformer=shape.transformer | {"text_dim": 32})
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    transformer, vae = build(lean, device, dtype)
    pipe = tiny_wan()
    pipe.register_modules(transformer=transformer, vae=vae)
    pipe.save_pretrained(folder)
    return folder


def _bare(
    model: Path, request: RenderRequest, _place: Path, device: str = "cpu"
) -> Callable[[], Any]:
    """Return the plain call that a user of diffusers would make."""
    import torch
    from diffusers import UniPCMultistepScheduler, WanPipeline

    dtypes = {"default": torch.bfloat16, "vae": torch.float32}
    pipe = WanPipeline.from_pretrained(model, **({} if device == "cpu" else {"dtype": dtypes}))
    pipe.to(device)
    pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=3.0)
    pipe.set_progress_bar_config(disable=True)

    def call() -> Any:
        return pipe(
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            width=request.width,
            height=request.height,
            num_frames=request.num_frames,
            num_inference_steps=request.num_inference_steps,
            generator=torch.Generator("cpu").manual_seed(request.seed),
        ).frames[0]

    return call


def _exporter() -> tuple[Callable[[Any, Path, int], Any], str]:
    """Return diffusers' export or, if its ffmpeg is missing, an equivalent."""
    try:
        import imageio

        imageio.plugins.ffmpeg.get_exe()
    except (ImportError, AttributeError, RuntimeError):
        return (
            _like_export,
            "libx264 at imageio's settings through PyAV (imageio-ffmpeg is not here)",
        )
    from diffusers.utils import export_to_video

    return lambda frames, path, fps: export_to_video(frames, str(path), fps=fps), "export_to_video"


def _like_export(frames: Any, path: Path, fps: int) -> None:
    """Write ``frames`` as imageio asks ffmpeg to: libx264, preset medium, quality 5 as CRF 25."""
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps, options={"crf": "25"})
        stream.width, stream.height, stream.pix_fmt = (
            frames[0].shape[1],
            frames[0].shape[0],
            "yuv420p",
        )
        for frame in frames:
            picture = av.VideoFrame.from_ndarray((frame * 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = call()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
