"""Renders a rollout segment again, with another seed, while it drifts beyond its bounds."""

from __future__ import annotations

import logging
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.engines.engine import Rendered, RenderTask
from workbench.rendering import Progress, RenderRequest, RolloutSegment, Tail, Take

if TYPE_CHECKING:
    from workbench.engines.pixels import Image

__all__ = ["render_within_bounds", "retake_seed"]

_STRIDE: Final = 0x9E3779B97F4A7C15
"""The golden ratio as a fraction of 2**64: consecutive seeds are far apart (Steele et al. 2014)."""
_SEEDS: Final = 2**63
_ASIDE: Final = ".take-"
_LOG = logging.getLogger("workbench.jobs")

Render = Callable[[RenderTask], Rendered]


def retake_seed(seed: int, take: int) -> int:
    """Return the seed of take ``take``, from 0; the first uses ``seed`` itself."""
    return (seed + take * _STRIDE) % _SEEDS


def render_within_bounds(render: Render, task: RenderTask) -> Rendered:
    """Render ``task``; a rollout segment with bounds is retaken at most ``most_retakes`` times.

    Keeps the first take within the bounds, or else the one that drifts least. The returned request
    has its seed, and every take under ``rollout.takes`` of the options.
    """
    request = task.recipe.request
    segment = _bounded(request)
    if segment is None or segment.bounds is None:
        return render(task)
    from workbench.measures.segments import excess  # noqa: PLC0415  loads OpenCV

    takes: list[tuple[float, Take, Rendered]] = []
    while True:
        seed = retake_seed(request.seed, len(takes))
        made = render(_with_seed(task, seed))
        task.report(Progress("measuring drift", message=f"take {len(takes) + 1}"))
        take = _measured(task.folder, request, segment, made, seed)
        takes.append((excess(take, segment.bounds), take, made))
        _put_aside(task.folder, len(takes))
        if takes[-1][0] <= 1 or len(takes) > segment.most_retakes:
            break
        _LOG.warning("segment made again", extra={"drift": take.model_dump()})
        print(f"This take drifts too far and is made again: {take.model_dump_json()}")  # noqa: T201  the render's log
    best = min(range(len(takes)), key=lambda index: takes[index][0])
    _bring_back(task.folder, best + 1)
    made = takes[best][2]
    told = [
        take.model_copy(update={"kept": index == best}) for index, (_, take, _) in enumerate(takes)
    ]
    return replace(made, request=_telling(made.request or request, segment, told, best))


def _bounded(request: RenderRequest) -> RolloutSegment | None:
    given = request.options.get("rollout")
    return None if given is None else RolloutSegment.model_validate(given)


def _with_seed(task: RenderTask, seed: int) -> RenderTask:
    request = task.recipe.request.model_copy(update={"seed": seed})
    recipe = task.recipe.model_copy(update={"request": request})
    # A take is measured before the next starts, so its file is finished first.
    return replace(task, recipe=recipe, may_finish_later=False)


def _measured(
    folder: Path, request: RenderRequest, segment: RolloutSegment, made: Rendered, seed: int
) -> Take:
    from workbench.measures.segments import SEAM_FRAMES, measure_take  # noqa: PLC0415

    before: deque[Image] = deque(maxlen=SEAM_FRAMES)
    if (tail := request.options.get("tail")) is not None:
        before.extend(_frames_before(Tail.model_validate(tail)))
    lossless = folder / "frames.mkv"
    source = lossless if lossless.is_file() else folder / "video.mp4"
    own = list(islice(_frames_of(source), segment.overlap, None))
    return measure_take(before, own, made.fps, seed)


def _frames_before(tail: Tail) -> Iterator[Image]:
    from workbench.engines.inputs import input_file  # noqa: PLC0415

    if tail.frames:
        yield from islice(_frames_of(input_file(tail.frames)), tail.num_frames or None)


def _frames_of(path: Path) -> Iterator[Image]:
    from workbench.engines.channels import read_channel  # noqa: PLC0415
    from workbench.engines.probe import decode_video  # noqa: PLC0415

    yield from read_channel(path) if path.suffix == ".mkv" else decode_video(path)


def _telling(
    request: RenderRequest, segment: RolloutSegment, takes: list[Take], best: int
) -> RenderRequest:
    """Return ``request`` with its takes, as recorded in the recipe."""
    told: dict[str, Any] = segment.model_copy(update={"takes": tuple(takes)}).model_dump(
        mode="json"
    )
    options = {**request.options, "rollout": told}
    return request.model_copy(update={"seed": takes[best].seed, "options": options})


def _put_aside(folder: Path, number: int) -> None:
    aside = folder / f"{_ASIDE}{number}"
    aside.mkdir()
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith(".") and path.name != "preview.jpg":
            path.rename(aside / path.name)


def _bring_back(folder: Path, number: int) -> None:
    for path in (folder / f"{_ASIDE}{number}").iterdir():
        path.rename(folder / path.name)
    for aside in folder.glob(f"{_ASIDE}*"):
        shutil.rmtree(aside, ignore_errors=True)
