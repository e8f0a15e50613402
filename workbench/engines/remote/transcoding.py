"""Re-encodes a downloaded video with our settings, recipe and posters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from workbench.engines.encoder import Effort, Quality, VideoWriter
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.posters import jpeg, write_posters
from workbench.engines.probe import decode_video, probe_video
from workbench.engines.recipes import embeddable
from workbench.engines.sound import decode_sound
from workbench.errors import DamagedFile
from workbench.frame_rates import whole_if_whole

__all__ = ["transcode"]

_TELL_EVERY: Final = 8
_PREVIEW_WIDTH: Final = 256
_MOST_FPS: Final = 120.0


def transcode(
    path: Path,
    task: RenderTask,
    as_rendered: Mapping[str, Any],
    told: Callable[[int, int, bytes | None], None],
    quality: Quality,
    effort: Effort,
) -> Rendered:
    """Encode the video at ``path`` into the task's folder; returns the facts, without timings.

    ``told`` receives the number of encoded frames, the total, and a preview. Raises ``DamagedFile``
    if the download does not decode or holds fewer frames than its header says.
    """
    facts = probe_video(path)
    fps = facts.fps if 0 < facts.fps <= _MOST_FPS else float(task.recipe.request.fps or 24)
    request = task.recipe.request
    request = request.model_copy(
        update={
            "width": facts.width,
            "height": facts.height,
            "num_frames": facts.num_frames,
            "fps": whole_if_whole(max(1.0, fps)),
            "options": {**request.options, "as_rendered": dict(as_rendered)},
        }
    )
    recipe = task.recipe.model_copy(update={"request": request})
    sound = decode_sound(path)
    writer = VideoWriter(
        task.folder / "video.mp4",
        facts.width,
        facts.height,
        fps,
        quality=quality,
        effort=effort,
        metadata=embeddable(recipe),
        with_sound=sound is not None,
    )
    middle = None
    with writer:
        if sound is not None:
            writer.add_sound(sound)
        for number, frame in enumerate(decode_video(path)):
            writer.write(frame)
            if middle is None or number == facts.num_frames // 2:
                middle = frame
            if number % _TELL_EVERY == 0:
                preview = jpeg(frame, width=_PREVIEW_WIDTH, quality=72) if number == 0 else None
                told(number + 1, facts.num_frames, preview)
        if middle is None or writer.num_frames < facts.num_frames:
            raise DamagedFile(f"it says {facts.num_frames} frames and holds {writer.num_frames}.")
    write_posters(middle, task.folder)
    told(writer.num_frames, writer.num_frames, None)
    whole = request.model_copy(update={"num_frames": writer.num_frames})
    return Rendered(facts.width, facts.height, writer.num_frames, fps, {}, whole)
