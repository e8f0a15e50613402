"""The seam that every engine fills, and the registry that finds engines by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workbench.rendering import Progress, Recipe, RenderRequest

__all__ = ["Engine", "RenderTask", "Rendered"]


@dataclass(frozen=True, slots=True)
class RenderTask:
    """One render as an engine receives it."""

    recipe: Recipe
    """Its ``request`` is complete: :meth:`Engine.complete` has filled the defaults in."""
    folder: Path
    """An empty folder; the engine writes ``video.mp4`` and ``poster.jpg`` into it."""
    report: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    """To be asked at every step; when true, raise ``RenderCancelled``."""
    may_finish_later: bool = False
    """Whether :attr:`Rendered.finish` will be called; an engine need not make use of it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What an engine made: the picture's facts, and seconds by stage."""

    width: int
    height: int
    num_frames: int
    fps: float
    timings_s: dict[str, float]
    request: RenderRequest | None = None
    """The request as it effectively was, where that differs from the one asked."""
    finish: Callable[[], Rendered] | None = None
    """Where every frame is made and the file still being written: writes the rest, and returns all
    of this anew. Called in another thread, while the engine may render the next task."""


class Engine(Protocol):
    """Turns a render request into a video on one device.

    An engine lives inside one worker process, renders one task at a time, and stays loaded between
    tasks. It is made with the settings as its one argument; making one must be cheap, and heavy
    imports belong in :meth:`load`.
    """

    name: str
    needs_gpu: bool
    """Whether it is of little use on a CPU; such jobs wait for a GPU where there is one."""

    def complete(self, request: RenderRequest) -> RenderRequest:
        """Return ``request`` with every default filled in.

        Runs in any process, before the job is queued; imports nothing heavy. Raises
        ``InvalidRequest`` for values that this engine cannot render, naming the fields.
        """

    def load(self, request: RenderRequest, device: str, report: Callable[[Progress], None]) -> None:
        """Make ready for ``request`` on ``device`` (``cpu`` or ``cuda:0``); cheap when it is.

        Raises ``EngineUnavailable``, ``OutOfMemory`` or ``DeviceLost``.
        """

    def render(self, task: RenderTask) -> Rendered:
        """Render ``task``; raises ``RenderError`` or one of its children."""

    def unload(self) -> None:
        """Give the device's memory back."""
