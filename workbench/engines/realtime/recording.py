"""Encodes the frames that a live walk has recorded as the video of its job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Final

from workbench.engines.encoder import VideoWriter
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.pixels import Image
from workbench.engines.posters import jpeg, write_posters
from workbench.engines.realtime.frames_file import read_frames
from workbench.engines.recipes import embeddable
from workbench.errors import RenderCancelled, RenderError
from workbench.rendering import Progress

__all__ = ["encode_recording"]

_PREVIEW_WIDTH: Final = 256
_TELL_EVERY_S: Final = 0.25


def encode_recording(task: RenderTask, path: Path) -> Rendered:
    """Encode the task's first ``num_frames`` frames of the file; raises ``RenderError``."""
    request, started = task.recipe.request, time.perf_counter()
    wanted, fps = request.num_frames or 1, float(request.fps or 16)
    frames = _recorded(task, path, wanted)
    middle = first = next(frames)
    height, width = first.shape[:2]
    told = 0.0
    writer = VideoWriter(
        task.folder / "video.mp4",
        width,
        height,
        fps,
        quality=request.options.get("quality", "standard"),
        effort=request.options.get("effort", "live"),
        metadata=embeddable(task.recipe),
    )
    with writer:
        for number, frame in enumerate(chain([first], frames), 1):
            writer.write(frame[None])
            if number == wanted // 2:
                middle = frame
            now = time.monotonic()
            if now - told > _TELL_EVERY_S or number == wanted:
                told = now
                preview = jpeg(frame, width=_PREVIEW_WIDTH, quality=72)
                task.report(Progress("encoding", number, wanted, preview=preview))
    write_posters(middle, task.folder)
    timings = {"total": time.perf_counter() - started}
    options = {**request.options, "as_rendered": {"recorded": wanted}}
    effective = request.model_copy(update={"width": width, "height": height, "options": options})
    return Rendered(width, height, wanted, fps, timings, effective)


def _recorded(task: RenderTask, path: Path, wanted: int) -> Iterator[Image]:
    """Yield the first ``wanted`` frames of the file; raises ``RenderError`` if it has fewer."""
    made = 0
    for frame in islice(read_frames(path), wanted):
        made += 1
        if task.cancelled():
            raise RenderCancelled("The render was cancelled.")
        yield frame
    if made < wanted:
        raise RenderError(f"The recording holds {made} of {wanted} frames.")
