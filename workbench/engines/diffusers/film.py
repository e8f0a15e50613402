"""The output file of a render, encoded while more frames are decoded."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from workbench.engines.channels import LosslessVideo, write_channel_facts
from workbench.engines.diffusers.options import AS_RENDERED, read_options
from workbench.engines.diffusers.steps import StepWatch
from workbench.engines.encoder import VideoWriter
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.pixels import Image
from workbench.engines.posters import write_posters
from workbench.engines.recipes import embeddable
from workbench.engines.sound import Sound
from workbench.errors import RenderError

__all__ = ["Film"]


class Film:
    """Takes frames in order and writes ``video.mp4`` and the posters into the task's folder.

    ``describe`` is called when the first frames arrive; the embedded recipe holds its result. As a
    context manager it removes the file on an error; :meth:`finish` completes it.
    """

    def __init__(
        self,
        task: RenderTask,
        describe: Callable[[], dict[str, Any]],
        watch: StepWatch,
        *,
        fps: float,
        with_sound: bool = False,
    ) -> None:
        self._task = task
        self._describe = describe
        self._watch = watch
        self._with_sound = with_sound
        self._writer: VideoWriter | None = None
        self._lossless: LosslessVideo | None = None
        self._size = (0, 0)
        self._fps = float(fps)
        self._expected = task.recipe.request.num_frames or 0
        self._started = time.perf_counter()
        self._first_s = 0.0
        self._last_s = 0.0
        self._poster: Image | None = None
        self._timings: dict[str, float] = {}

    def __call__(self, frames: Image) -> None:
        """Encode T×H×W×3 frames, ``uint8`` or 0 to 1; they must not be modified afterwards."""
        if self._writer is None:
            self._open(frames.shape[2], frames.shape[1])
        writer = self._writer
        if writer is None:
            raise RenderError("The video could not be started.")
        before = writer.num_frames
        writer.write(frames)
        if self._lossless is not None:
            for frame in _byte(frames):
                self._lossless.write(frame)
        middle = self._expected // 2
        if self._poster is None or before <= middle < before + len(frames):
            self._poster = _byte(frames[min(max(0, middle - before), len(frames) - 1)])
        self._last_s = time.perf_counter() - self._started
        self._watch.decoded(writer.num_frames, self._expected)

    def write_all(self, frames: Image) -> None:
        """Encode all frames, a few at a time so that cancellation is noticed."""
        for start in range(0, len(frames), 8):
            self(frames[start : start + 8])

    def add_sound(self, sound: Sound) -> None:
        """Add the sound; the film must have been created ``with_sound``."""
        if self._writer is None:
            raise RenderError("The model returned sound without frames.")
        self._writer.add_sound(sound)

    def made(self) -> Rendered:
        """Return the facts of the video so far; raises ``RenderError`` if there is no frame."""
        if self._writer is None:
            raise RenderError("The model returned no frames.")
        width, height = self._size
        return Rendered(width, height, self._writer.num_frames, self._fps, dict(self._timings))

    def finish(self) -> Rendered:
        """Write the remaining frames and the posters; return the facts of the file."""
        if self._writer is None:
            raise RenderError("The model returned no frames.")
        if self._poster is not None:
            write_posters(self._poster, self._task.folder)
        self._writer.close()
        if self._lossless is not None:
            self._lossless.close()
        if self._task.recipe.request.channels:
            width, height = self._size
            facts: dict[str, Any] = {"width": width, "height": height, "fps": self._fps}
            if (actions := self._task.recipe.request.actions) is not None:
                facts["actions"] = {"embodiment": actions.embodiment, "mode": actions.mode}
            write_channel_facts(self._task.folder, {**facts, "num_frames": self._writer.num_frames})
        ended_s = time.perf_counter() - self._started
        self._timings = {
            "denoising": self._first_s,
            "decoding": self._last_s - self._first_s,
            "encoding": ended_s - self._last_s,
        }
        return self.made()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None and kind is not None:
            self._writer.abort()
            if self._lossless is not None:
                self._lossless.abort()

    def _open(self, width: int, height: int) -> None:
        self._first_s = time.perf_counter() - self._started
        recipe = self._task.recipe
        options = read_options(recipe.request.options)
        told = {**recipe.request.options, AS_RENDERED: self._describe()}
        request = recipe.request.model_copy(
            update={"width": width, "height": height, "options": told}
        )
        self._size = (width, height)
        if "frames" in recipe.request.channels:
            self._lossless = LosslessVideo(
                self._task.folder / "frames.mkv", "frames", width, height, self._fps
            )
        self._writer = VideoWriter(
            self._task.folder / "video.mp4",
            width,
            height,
            self._fps,
            quality=options.quality,
            effort=options.effort,
            encoder=options.encoder,
            metadata=embeddable(recipe.model_copy(update={"request": request})),
            with_sound=self._with_sound,
        )


def _byte(frame: Image) -> Image:
    """Return a frame or frames, 0 to 1 or ``uint8``, as ``uint8``."""
    import numpy as np  # noqa: PLC0415

    if frame.dtype == np.uint8:
        return frame
    return (np.clip(frame, 0, 1) * 255).round().astype(np.uint8)
