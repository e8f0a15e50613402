"""``workbench rollout``: a world goes on, or branches, from a shell."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError
from rich.console import Console

from workbench.control.control_request import control_from_text
from workbench.errors import InvalidRequest, NotFound, WorkbenchError
from workbench.identifiers import Kind, is_identifier
from workbench.journey import studio
from workbench.journey.videos import Video
from workbench.journey.worlds import World
from workbench.rendering import DriftBounds
from workbench.rollouts import segment_of, takes_told

__all__ = ["rollout"]

_FAILED, _REFUSED, _INTERRUPTED = 1, 2, 130
_MORE: Final = (
    "seconds",
    "segment_s",
    "planned_s",
    "prompts",
    "seed",
    "last_image",
    "most_retakes",
    "control",
    "bounds",
)


def rollout(arguments: Sequence[str]) -> int:
    """Go on from a video or a world, or branch off; return 0, 1 (failed), 2 (refused) or 130."""
    given = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        world = _world(given)
    except (InvalidRequest, NotFound) as error:
        console.print(str(error), markup=False, style="red")
        return _REFUSED
    except WorkbenchError as error:
        console.print(str(error), markup=False, style="red")
        return _FAILED
    try:
        if not (given.no_wait or given.show):
            console.print(f"{world!r}", markup=False)
            _follow(world, console)
        if given.save:
            print(world.save_video(given.save))  # noqa: T201  what it made, for a pipe
    except KeyboardInterrupt:
        console.print(f"{world.batch_id} goes on without this command.", markup=False)
        return _INTERRUPTED
    except (OSError, WorkbenchError) as error:
        console.print(str(error), markup=False, style="red")
        return _FAILED
    _show(world, as_json=given.json)
    return 0


def _world(given: argparse.Namespace) -> World:
    """Return the branch that is asked for, queued unless it is only shown."""
    name, using = given.id, studio()
    if given.show:
        return World(name, using=using)
    asked = {k: v for k in _MORE if (v := getattr(given, k)) not in (None, [])}
    if is_identifier(name, Kind.BATCH):
        world = World(name, using=using)
        if given.at is None:
            return world.rollout(given.actions, **asked)
        return world.fork(given.at, given.actions, **asked)
    if not is_identifier(name, Kind.JOB):
        raise InvalidRequest(f"{name} is neither the id of a job nor of a batch.")
    if given.at is not None:
        asked["at_s"] = given.at
    return Video(name, using=using).rollout(given.actions, **asked)


def _follow(world: World, console: Console) -> None:
    """Tell of each segment as it ends; raises ``RenderError`` for one that ends without a video."""
    if (parent := world.parent) is not None:
        parent.wait()
    for video in world.segments:
        video.wait()
        place = segment_of(video.job.request)
        told = takes_told(segment_of(video.recipe.request))
        notes = f"  {told[-1]}" if told else ""
        console.print(f"{video.job_id}  from {place.start / world.fps:.2f} s{notes}", markup=False)


def _show(world: World, *, as_json: bool) -> None:
    rows = [_row(video, world) for video in world.segments]
    facts: dict[str, Any] = {
        "batch_id": world.batch_id,
        "parent": world.parent.batch_id if world.parent else None,
        "fork_s": world.fork_s,
        "duration_s": world.duration_s,
        "segments": rows,
    }
    if as_json:
        print(json.dumps(facts))  # noqa: T201
        return
    for row in rows:
        print(f"{row['job_id']}  {row['start_s']:8.2f} s  {row['state']:<9}  {row['prompt']}")  # noqa: T201
    print(world.batch_id)  # noqa: T201


def _row(video: Video, world: World) -> dict[str, Any]:
    job = video.job
    return {
        "job_id": job.job_id,
        "state": str(job.state),
        "start_s": segment_of(job.request).start / world.fps,
        "prompt": job.request.prompt,
        "seed": job.request.seed,
    }


def _bounds(text: str) -> DriftBounds:
    """Return the bounds in ``exposure=0.3,seam=off``; raises ``ArgumentTypeError``."""
    given = dict(part.partition("=")[::2] for part in text.split(","))
    try:
        return DriftBounds.model_validate({k.strip(): v.strip() for k, v in given.items()})
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise argparse.ArgumentTypeError(told) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="workbench rollout",
        description="Go on from a video or a world, or branch off. The last line printed is the id "
        "of the new branch, from which the next command goes on.",
    )
    add = parser.add_argument
    add(
        "id", metavar="ID", help="a job: its world from the beginning; a batch: a branch of a world"
    )
    add("actions", nargs="?", help="where the camera goes: keys, words, or the path of a file")
    add("--at", type=float, metavar="S", help="branch off at this second, not at the end")
    add("--seconds", type=float, help="how long to go on (as long as the actions, or one segment)")
    add("--segment", dest="segment_s", type=float, metavar="S", help="the length of a job")
    add("--planned", dest="planned_s", type=float, metavar="S", help="for a storyboard: its world")
    add("--prompt", dest="prompts", action="append", default=[], help="of each segment; repeatable")
    add("--seed", type=int, help="of the first new segment")
    add(
        "--control",
        type=control_from_text,
        metavar="KIND[=ID]",
        help="what a model follows: depth of the world's own storyboard, depth=JOB of another, "
        "depth=FILE a video",
    )
    add("--last-image", help="the picture at which the last segment ends: an id or a path")
    add(
        "--most-retakes",
        type=int,
        metavar="N",
        help="how often a segment that drifts is made again",
    )
    add(
        "--bounds",
        type=_bounds,
        metavar="NAME=VALUE,…",
        help="how far a model's segment may drift before it is made again: exposure, colour, "
        "sharpness, seam=on or off; the others keep their default",
    )
    add("--show", action="store_true", help="only show the branch")
    add("--no-wait", action="store_true", help="queue it, and do not wait for it")
    add("--save", metavar="FILE", help="write the whole branch as one mp4")
    add("--json", action="store_true", help="print one JSON object")
    return parser
