"""Renders a film: draws frames, encodes them in another thread, reports progress."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import cv2

from workbench.engines.animatic.channels import ChannelWriter
from workbench.engines.animatic.film import Film, steering_of
from workbench.engines.animatic.planes import Picture
from workbench.engines.animatic.reading import read_scene
from workbench.engines.animatic.script import Script
from workbench.engines.animatic.steering import Steering
from workbench.engines.encoder import VideoWriter
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.pixels import to_rgb
from workbench.engines.posters import jpeg, write_posters
from workbench.engines.recipes import embeddable
from workbench.engines.rendition import write_rendition
from workbench.errors import RenderCancelled
from workbench.rendering import Progress, RenderRequest, RolloutSegment
from workbench.scene import Scene

__all__ = ["film_of", "shoot", "steering_of_request", "warm_up"]

_PREVIEW_EVERY_S: Final = 0.25
_PREVIEW_WIDTH: Final = 256
_DEFAULT_SIZE: Final = (832, 480)


@cache
def warm_up() -> None:
    """Import and initialise everything that the first frame needs; repeated calls do nothing."""
    cv2.setNumThreads(1)
    Film(read_scene(Scene(subject="a dog", action="running"), 0), 128, 72, 2, 24).frame(0)


def film_of(request: RenderRequest, *, apart: bool = False) -> Film:
    """Return the painted film of a completed request; see :class:`Film` for ``apart``."""
    width, height = request.width or _DEFAULT_SIZE[0], request.height or _DEFAULT_SIZE[1]
    script = read_scene(request.scene, request.seed)
    steered = None if request.camera is None else request.camera.camera_path()
    segment = segment_of(request)
    return Film(
        script,
        width,
        height,
        (segment.start if segment else 0) + (request.num_frames or 81),
        request.fps or 24,
        steered=steered,
        apart=apart,
        planned=segment.planned if segment else request.options.get("planned"),
    )


def steering_of_request(request: RenderRequest) -> Steering:
    """Return how the film of a completed request follows its camera path; nothing is painted."""
    assert request.camera is not None  # noqa: S101  the caller has looked
    width, height = request.width or _DEFAULT_SIZE[0], request.height or _DEFAULT_SIZE[1]
    segment = segment_of(request)
    frames = (segment.start if segment else 0) + (request.num_frames or 81)
    script = _script(request.scene, request.seed)
    path = request.camera.camera_path()
    return steering_of(script, width, height, frames, request.fps or 24, path)


@lru_cache(maxsize=8)
def _script(scene: Scene, seed: int) -> Script:
    return read_scene(scene, seed)


def segment_of(request: RenderRequest) -> RolloutSegment | None:
    """Return the rollout segment that ``request`` asks for; None for a separate film."""
    given = request.options.get("rollout")
    return None if given is None else RolloutSegment.model_validate(given)


def shoot(task: RenderTask) -> Rendered:
    """Draw the task's film into its folder: ``video.mp4``, ``poster.jpg`` and ``poster.webp``."""
    request = task.recipe.request
    started = time.perf_counter()
    film = film_of(request)
    segment = segment_of(request)
    first = segment.start if segment else 0
    count = film.num_frames - first
    first_frame_s = 0.0
    told = 0.0
    writer = VideoWriter(
        task.folder / "video.mp4",
        film.width,
        film.height,
        film.fps,
        quality=request.options.get("quality", "standard"),
        effort="live",
        metadata=embeddable(task.recipe),
    )
    with ThreadPoolExecutor(1, "stills") as stills, writer, ExitStack() as stack:
        channels: ChannelWriter | None = None
        if request.channels:
            known = film if film.steering is not None else film_of(request, apart=True)
            channels = stack.enter_context(
                ChannelWriter(task.folder, known, request.channels, first)
            )
        posters: Future[None] | None = None
        # One thread draws and one encodes: more would only wait for each other.
        for index in range(first, film.num_frames):
            if task.cancelled():
                raise RenderCancelled("The render was cancelled.")
            picture = film.frame(index)
            writer.write_i420(picture.planes)
            if channels is not None:
                channels.write(index, picture)
            now = time.perf_counter()
            first_frame_s = first_frame_s or now - started
            if index == first + count // 2:
                posters = stills.submit(_write_posters, picture, task.folder)
            if now - told > _PREVIEW_EVERY_S or index + 1 == film.num_frames:
                told = now
                task.report(
                    Progress("drawing", index + 1 - first, count, preview=_preview(picture))
                )
        drawn_s = time.perf_counter() - started
        if posters is not None:
            posters.result()
    if request.options.get("phone"):
        write_rendition(task.folder / "video.mp4", task.folder / "phone.mp4")
    total_s = time.perf_counter() - started
    timings = {
        "first_frame": first_frame_s,
        "drawing": drawn_s,
        "encoding": total_s - drawn_s,
        "total": total_s,
    }
    return Rendered(
        film.width, film.height, count, film.fps, timings, request=_as_filmed(task, film)
    )


def _as_filmed(task: RenderTask, film: Film) -> RenderRequest | None:
    """Return the request with notes on the camera beyond the stage; None if there are none."""
    request = task.recipe.request
    if request.camera is None or film.steering is None or not film.steering.notes:
        return None
    notes = tuple(dict.fromkeys((*request.camera.notes, *film.steering.notes)))
    camera = request.camera.model_copy(update={"notes": notes})
    return request.model_copy(update={"camera": camera})


def _write_posters(picture: Picture, folder: Path) -> None:
    write_posters(to_rgb(picture.planes), folder)


def _preview(picture: Picture) -> bytes:
    return jpeg(to_rgb(picture.reduced(_PREVIEW_WIDTH).planes), quality=72)
