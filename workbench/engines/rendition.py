"""A smaller rendition of a video, for phones and slow connections.

Knows files and sizes. Knows neither engines nor jobs.
"""

from __future__ import annotations

from pathlib import Path

import cv2

from workbench.engines.encoder import VideoWriter
from workbench.engines.pixels import even
from workbench.engines.probe import decode_video, probe_video
from workbench.engines.sound import decode_sound

__all__ = ["write_rendition"]


def write_rendition(source: Path, target: Path, *, height: int = 360) -> Path:
    """Write the video at ``source`` to ``target`` at most ``height`` pixels tall, and return it.

    Keeps the frame rate, the sound and the metadata, including the recipe. Raises ``DamagedFile`` if the
    source cannot be read, ``RenderError`` if writing fails.
    """
    facts = probe_video(source)
    low = min(even(height), facts.height)
    width = even(round(facts.width * low / facts.height))
    carried = {k: v for k, v in facts.metadata.items() if k in {"title", "comment"}}
    sound = decode_sound(source)
    with VideoWriter(
        target,
        width,
        low,
        facts.fps,
        quality="phone",
        effort="balanced",
        metadata=carried,
        with_sound=sound is not None,
    ) as writer:
        if sound is not None:
            writer.add_sound(sound)
        for frame in decode_video(source):
            writer.write(cv2.resize(frame, (width, low), interpolation=cv2.INTER_AREA))
    return target
