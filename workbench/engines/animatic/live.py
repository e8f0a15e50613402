"""The storyboard as a live world: its camera is moved by held keys while it is drawn.

Time is counted in frames that were drawn: a slow machine shows fewer of them a second, and the
recording holds exactly those.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from workbench.control import SANA_WM, CameraPath, Intrinsics
from workbench.control.keys import KeyWalk, keys_text
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.live import LiveFrame
from workbench.engines.pixels import to_rgb
from workbench.rendering import RenderRequest

__all__ = ["LiveStoryboard"]

_EDGE: Final = "The stage ends here; turn or go another way."


class LiveStoryboard:
    """The storyboard of a complete request at the rate of the keys, for up to ``num_frames`` frames.

    A :class:`LiveFeed`. Each frame is that of the film which :meth:`replay` describes, bit for bit.
    The camera never leaves the stage: keys that would lead beyond have no effect, and are not among
    those that led to the frame.
    """

    rests = True
    repeats = True

    def __init__(self, request: RenderRequest, num_frames: int) -> None:
        self._request = request
        self._num_frames = num_frames
        self._held = ""
        self._walk = KeyWalk()
        self._film: Film | None = None
        self._drawn = 0
        self._closed = threading.Event()

    def hold(self, keys: str) -> None:
        """Hold these keys from the next frame on."""
        self._held = keys

    def frames(self) -> Iterator[LiveFrame]:
        """Yield frames at 16 a second, or as fast as they are drawn; go on where it was left."""
        film = self._film = self._film or self._painted()
        due = time.monotonic()
        while self._drawn < self._num_frames:
            if self._closed.wait(max(0.0, due - time.monotonic())):
                return
            # Late frames are not made up for: time is what was drawn.
            due = max(due, time.monotonic() - 1 / SANA_WM.fps) + 1 / SANA_WM.fps
            index, self._drawn = self._drawn, self._drawn + 1
            led_by, note = self._step(film) if index else ("", "")
            yield LiveFrame(to_rgb(film.frame(index).planes), led_by, note)

    def replay(self, led_by: Sequence[str]) -> dict[str, Any]:
        """Return camera, length and options; the first frame was led to by no keys."""
        options = {**self._request.options, "planned": self._num_frames}
        return {
            "camera": keys_text(led_by[1:]) or "none-1",
            "num_frames": len(led_by),
            "options": options,
        }

    def close(self) -> None:
        """End the world."""
        self._closed.set()

    def _step(self, film: Film) -> tuple[str, str]:
        """Move the camera by one frame; return the keys that had an effect, and why not all had."""
        held = self._held
        for keys in _fewer(held):
            walk = self._walk.stepped(keys)
            if walk is not None and film.extended(walk.pose):
                self._walk = walk
                return keys, "" if keys == held else _EDGE
        raise AssertionError("standing still is always possible")

    def _painted(self) -> Film:
        request = self._request
        width, height = request.width or 832, request.height or 480
        return Film(
            read_scene(request.scene, request.seed),
            width,
            height,
            1,
            SANA_WM.fps,
            steered=CameraPath.of_poses(
                np.eye(4)[None], intrinsics=Intrinsics.of_view(width, height)
            ),
            planned=self._num_frames,
        )


def _fewer(held: str) -> Iterator[str]:
    """Yield the held keys, then all of them but one, and so on, down to none."""
    for count in range(len(held), -1, -1):
        for keys in combinations(held, count):
            yield "".join(keys)
