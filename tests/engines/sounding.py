"""An engine whose storyboards have sound: a tone, mono."""

from __future__ import annotations

import numpy as np

from workbench.engines.animatic import AnimaticEngine
from workbench.engines.encoder import VideoWriter
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.probe import decode_video, probe_video
from workbench.engines.sound import Sound

__all__ = ["RATE", "SoundingEngine", "tone"]

RATE = 24_000


def tone(duration_s: float, *, rate: int = RATE, channels: int = 1, level: float = 0.25) -> Sound:
    """Return a tone of 440 Hz."""
    times = np.arange(round(duration_s * rate)) / rate
    return Sound.of(np.stack([level * np.sin(2 * np.pi * 440 * times)] * channels), rate)


class SoundingEngine(AnimaticEngine):
    """The storyboard engine, with a tone."""

    name = "sounding"

    def render(self, task: RenderTask) -> Rendered:
        made = super().render(task)
        if made.finish is not None:
            made = made.finish()
        path = task.folder / "video.mp4"
        facts = probe_video(path)
        frames = list(decode_video(path))
        with VideoWriter(
            path, facts.width, facts.height, facts.fps, metadata=facts.metadata, with_sound=True
        ) as writer:
            writer.write(np.stack(frames))
            writer.add_sound(tone(len(frames) / facts.fps))
        return made
