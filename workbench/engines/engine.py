"""The interface that every engine implements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workbench.errors import FieldProblem
from workbench.rendering import Progress, Recipe, RenderRequest

__all__ = ["ChangedFiles", "Continuation", "Engine", "RenderTask", "Rendered"]


@dataclass(frozen=True, slots=True)
class RenderTask:
    """One render, as passed to an engine."""

    recipe: Recipe
    """Its ``request`` is complete: :meth:`Engine.complete` has filled in the defaults."""
    folder: Path
    """An empty folder; the engine writes ``video.mp4`` and ``poster.jpg`` into it."""
    report: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    """Poll at every step; raise ``RenderCancelled`` when it returns true."""
    may_finish_later: bool = False
    """Whether the caller calls :attr:`Rendered.finish`. Engines may ignore it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The result of a render: size, length, rate, and seconds by stage."""

    width: int
    height: int
    num_frames: int
    fps: float
    timings_s: dict[str, float]
    request: RenderRequest | None = None
    """The effective request, if it differs from the one asked for."""
    finish: Callable[[], Rendered] | None = None
    """Set when all frames exist but the file is still being written: writes the rest and returns the
    final result. Called in another thread while the engine may render the next task."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where an engine can go on from a video that it made."""

    why_not: str = ""
    """Why it cannot, as a sentence; empty if it can."""
    least: int = 1
    """Frames of the video that it needs at least."""
    every: int = 1
    """It goes on after a multiple of this many frames."""
    most: int = 0
    """Frames of the video after which it goes on at the latest; 0 for all."""
    reason: str = ""
    """Why not after every frame, as a sentence; empty if it can."""
    channels: tuple[str, ...] = ("frames",)
    """The channels beside the video that it goes on from."""


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """The files behind a finished video that are not on this machine as they were, by role."""

    missing: tuple[FieldProblem, ...] = ()
    changed: tuple[FieldProblem, ...] = ()
    """Files of another content at the recorded path."""


class Engine(Protocol):
    """Turns a render request into a video on one device.

    An engine lives in one worker process, renders one task at a time and stays loaded between
    tasks. Its constructor takes the settings and must be cheap; heavy imports belong in
    :meth:`load`.

    An engine may also have ``follows_camera(request) -> bool``: whether it follows the poses of a
    request's camera path; otherwise the path is added to the prompt, in words. ``camera_notes(request)`` tells
    what of the path it cannot follow, before the render. ``channels`` names
    those that it can write beside the video; see :mod:`workbench.engines.channels`. ``takes_actions``
    says whether it heeds a request's actions, ``takes_weights`` whether it heeds LoRAs, replaced
    components and ``quantize``; without it a request for them is refused. ``continuation(request) -> Continuation`` says where it
    can continue from a video that it made of a complete request. ``live(request, num_frames)`` returns
    its world as a :class:`workbench.engines.live.LiveFeed`, where it has one.
    ``changed_files(request) -> ChangedFiles`` compares the files that a recipe's request records with
    those on this machine, before it is rendered again.
    """

    name: str
    needs_gpu: bool
    """Whether jobs of this engine wait for a GPU if the machine has one."""

    def complete(self, request: RenderRequest) -> RenderRequest:
        """Return ``request`` with every default filled in.

        Runs in any process, before the job is queued; must import nothing heavy. Raises
        ``InvalidRequest``, naming the fields, for values that this engine cannot render.
        """

    def load(self, request: RenderRequest, device: str, report: Callable[[Progress], None]) -> None:
        """Load what ``request`` needs on ``device`` (``cpu`` or ``cuda:0``); cheap if already loaded.

        Raises ``EngineUnavailable``, ``OutOfMemory`` or ``DeviceLost``.
        """

    def render(self, task: RenderTask) -> Rendered:
        """Render ``task``; raises ``RenderError`` or a subclass."""

    def unload(self) -> None:
        """Free the device's memory."""
