"""An engine for tests: writes a real, tiny mp4 and injects the fault named in the request's options."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.inputs import input_file
from workbench.errors import (
    DeviceLost,
    FieldProblem,
    InvalidRequest,
    OutOfMemory,
    RenderCancelled,
    RenderError,
)
from workbench.rendering import Progress, RenderRequest
from workbench.settings import Settings


class FaultyEngine:
    """Options: ``fault`` and ``fault_attempts`` (how many attempts have it), ``steps``,
    ``step_s``, ``until`` (a file: the render repeats its middle step until it exists), ``touch`` (a
    file written when the render begins), ``load_s``, ``finish`` (a file for which the writing of
    the video waits, with what it then does), ``hung`` (a file that gets the pids of a hung worker
    and its child)."""  # noqa: D205, D209

    name = "faulty"
    needs_gpu = False

    def __init__(self, settings: Settings) -> None:
        self.loaded = ""

    def complete(self, request: RenderRequest) -> RenderRequest:
        if request.options.get("fault") == "invalid":
            raise InvalidRequest("No.", (FieldProblem("options.fault", "is invalid"),))
        defaults = {"width": 64, "height": 64, "num_frames": 4, "fps": 8}
        given = {key: getattr(request, key) for key in defaults if getattr(request, key)}
        return request.model_copy(update={**defaults, **given})

    def load(self, request: RenderRequest, device: str, report: Callable[[Progress], None]) -> None:
        print(f"sees {os.environ['CUDA_VISIBLE_DEVICES']}")  # noqa: T201  the log is what is tested
        if self.loaded != request.model:
            time.sleep(float(request.options.get("load_s", 0)))
            self.loaded = request.model

    def render(self, task: RenderTask) -> Rendered:
        request = task.recipe.request
        options = request.options
        if touch := options.get("touch"):
            with Path(touch).open("a") as file:
                file.write(
                    f"{task.recipe.job_id} {task.recipe.attempt} {time.time()} {os.getpid()}\n"
                )
        if image := options.get("image"):
            print(f"begins from {input_file(image).read_text()}")  # noqa: T201
        steps = int(options.get("steps", 2))
        for step in range(steps):
            _take_step(task, step, steps)
            if step == steps // 2:
                if task.recipe.attempt <= int(options.get("fault_attempts", 99)):
                    _misbehave(options)
                while (until := options.get("until")) and not Path(until).exists():
                    time.sleep(0.02)
                    _take_step(task, step, steps)
        made = Rendered(
            request.width or 64, request.height or 64, request.num_frames or 4, request.fps or 8, {}
        )
        if release := options.get("finish"):
            assert task.may_finish_later
            return replace(made, finish=lambda: _finish(task, made, Path(release)))
        write_video(task.folder / "video.mp4", request)
        (task.folder / "poster.jpg").write_bytes(b"\xff\xd8poster")
        if options.get("fault") == "truncate":
            os.truncate(task.folder / "video.mp4", 300)
        return made

    def unload(self) -> None:
        self.loaded = ""


class GpuEngine(FaultyEngine):
    """The same for a device declared as a GPU."""

    name = "gpu"
    needs_gpu = True


class LightEngine(FaultyEngine):
    """Writes only the boxes of an mp4, to measure the overhead around a render."""

    name = "light"

    def render(self, task: RenderTask) -> Rendered:
        if touch := task.recipe.request.options.get("touch"):
            with Path(touch).open("a") as file:
                file.write(
                    f"{task.recipe.job_id} {task.recipe.attempt} {time.time()} {os.getpid()}\n"
                )
        boxes = (b"ftyp", b"moov", b"mdat")
        (task.folder / "video.mp4").write_bytes(
            b"".join(b"\0\0\0\x10" + box + bytes(8) for box in boxes)
        )
        return Rendered(64, 64, 4, 8, {})


def _take_step(task: RenderTask, step: int, steps: int) -> None:
    options = task.recipe.request.options
    if options.get("deaf"):  # it also writes on when its folder has been taken away
        task.folder.mkdir(exist_ok=True)
    elif task.cancelled():
        raise RenderCancelled("as asked")
    preview = b"picture" if options.get("preview") else None
    task.report(Progress("drawing", step, steps, f"step {step}", preview))
    time.sleep(float(options.get("step_s", 0)))


def _finish(task: RenderTask, made: Rendered, release: Path) -> Rendered:
    while not release.exists():
        time.sleep(0.01)
    if words := release.read_text():
        raise RenderError(words)
    write_video(task.folder / "video.mp4", task.recipe.request)
    return made


def _misbehave(options: Mapping[str, Any]) -> None:
    fault = options.get("fault")
    if fault == "hang":
        child = subprocess.Popen(["sleep", "1000"])  # which must end with its worker
        if hung := options.get("hung"):
            Path(hung).write_text(f"{os.getpid()} {child.pid}")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1_000)
    elif fault == "segfault":
        ctypes.string_at(0)
    elif fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault == "exit":
        sys.stderr.write("the engine wants out\n")
        sys.stderr.flush()
        os._exit(7)
    elif fault == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif fault == "out_of_memory":
        raise OutOfMemory("CUDA out of memory: ask for 480p or fewer frames.")
    elif fault == "device_lost":
        raise DeviceLost("CUDA error: device-side assert triggered.")
    elif fault == "error":
        raise RenderError("The engine will not.")
    elif fault == "bug":
        raise ZeroDivisionError("an engine's own bug")


def write_video(path: Path, request: RenderRequest) -> None:
    """Write a real mp4 of the requested size."""
    import av

    assert request.width
    assert request.height
    assert request.num_frames
    assert request.fps
    rng = np.random.default_rng(request.seed)
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(request.fps or 8))
        stream.width, stream.height, stream.pix_fmt = request.width, request.height, "yuv420p"
        for _ in range(request.num_frames):
            picture = rng.integers(0, 255, (request.height, request.width, 3), dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
