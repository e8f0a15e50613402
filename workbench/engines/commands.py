"""``workbench recipe``: show the recipe in a video or a recipe.json, and render it again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workbench.engines.recipes import read_recipe
from workbench.engines.rerun import render_again
from workbench.errors import WorkbenchError
from workbench.rendering import Progress, Recipe
from workbench.settings import Settings

__all__ = ["recipe"]


def recipe(arguments: Sequence[str]) -> int:
    """Show a video's recipe, or render it again."""
    parser = argparse.ArgumentParser(prog="workbench recipe", description=recipe.__doc__)
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    show = steps.add_parser("show", help="show how a video was made")
    show.add_argument("file", type=Path, help="an mp4 of the workbench, or a recipe.json")
    show.add_argument("--json", action="store_true", help="the whole recipe, as JSON")
    again = steps.add_parser("rerun", help="render the same recipe again")
    again.add_argument("file", type=Path, help="an mp4 of the workbench, or a recipe.json")
    again.add_argument("--output", type=Path, help="path of the new video")
    again.add_argument("--device", default="cpu", help="cpu or cuda:0 (default: cpu)")
    again.add_argument(
        "--any-weights",
        action="store_true",
        help="go on with weight files other than those that made the video",
    )
    asked = parser.parse_args(arguments)
    try:
        found = read_recipe(asked.file)
        if asked.step == "show":
            _show(found, whole=asked.json)
        else:
            output = asked.output or Path(f"{asked.file.stem}-again.mp4")
            render_again(
                found,
                output,
                Settings(),
                device=asked.device,
                any_weights=asked.any_weights,
                report=_report,
            )
            sys.stdout.write(f"{output}\n")
    except (WorkbenchError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _show(found: Recipe, *, whole: bool) -> None:
    if whole:
        sys.stdout.write(found.model_dump_json(indent=2) + "\n")
        return
    request = found.request
    facts = {
        "prompt": request.prompt,
        "engine": " ".join(filter(None, (request.engine, request.model, request.revision))),
        "seed": request.seed,
        "size": f"{request.width}×{request.height}, {request.num_frames} frames at {request.fps} fps",
        "made": f"{found.created_at:%Y-%m-%d %H:%M} as {found.job_id}",
        "device": found.device,
        "libraries": ", ".join(f"{name} {version}" for name, version in found.libraries.items()),
    }
    scene = {
        name.replace("_", " "): ", ".join(value) if isinstance(value, tuple) else value
        for name, value in request.scene.stated().items()
    }
    for name, value in {**facts, **scene}.items():
        if value not in {"", None}:
            sys.stdout.write(f"{name:<16} {value}\n")


def _report(progress: Progress) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{progress.stage} {progress.fraction:4.0%} {progress.message}")
