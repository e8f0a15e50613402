"""``workbench run`` and ``workbench score``: runs and scores from a shell."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, get_args

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from workbench.errors import InvalidRequest, RenderError, WorkbenchError
from workbench.frame_rates import frame_rate
from workbench.identifiers import Kind, is_identifier
from workbench.jobs.model import JobState
from workbench.rendering import REPLACEABLE, Quantisation
from workbench.research.report import Report
from workbench.research.runs import Run, start_run

__all__ = ["run", "score"]

_FAILED, _REFUSED, _INTERRUPTED = 1, 2, 130
_LORA_FIELD: Final = re.compile(r",(stage|file)=([^,]*)$")


def run(arguments: Sequence[str]) -> int:
    """Render a file or list of prompts as one batch; return 0, 1 (jobs failed), 2 (bad) or 130."""
    given = vars(_run_parser().parse_args(arguments))
    prompts = given.pop("prompts")
    given["prompts"] = prompts[0] if len(prompts) == 1 else prompts
    given["options"] = dict(given.pop("option") or ())
    given["loras"] = given.pop("lora")
    given = {name: value for name, value in given.items() if value not in (None, {})}
    console = Console(stderr=True)
    try:
        started = start_run(given)
    except InvalidRequest as error:
        console.print(str(error), markup=False, style="red")
        return _REFUSED
    except WorkbenchError as error:
        console.print(str(error), markup=False, style="red")
        return _FAILED
    try:
        _follow(started, console)
    except KeyboardInterrupt:
        console.print(started.on_interrupt(), markup=False)
        return _INTERRUPTED
    report = Report(started)
    print(*report.write(), sep="\n")  # noqa: T201  what it made, for the next command of a pipe
    try:
        if archive := report.zip():
            print(archive)  # noqa: T201
    except (OSError, WorkbenchError) as error:
        console.print(f"The ZIP was not written: {error}", markup=False, style="red")
        return _FAILED
    try:
        started.check()
    except RenderError as error:
        console.print(str(error), markup=False, style="red")
        return _FAILED
    return 0


def score(arguments: Sequence[str]) -> int:
    """Measure videos by file, job id or batch id; print a table, or JSON with ``--json``."""
    parser = argparse.ArgumentParser(prog="workbench score", description=score.__doc__)
    parser.add_argument("videos", nargs="+", help="mp4 files, job ids, batch ids")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    try:
        paths = _paths(given.videos)
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    from workbench.measures.scorecards import score_videos  # noqa: PLC0415  loads OpenCV

    found = {name: card.scores.by_name for name, card in score_videos(paths).items()}
    if given.json:
        print(json.dumps(found, indent=1))  # noqa: T201
    else:
        table = Table("video", *next(iter(found.values()), {}))
        for name, values in found.items():
            table.add_row(name, *(f"{value:.3g}" for value in values.values()))
        Console().print(table)
    missing = [name for name in paths if name not in found]
    for name in missing:
        sys.stderr.write(f"{name} cannot be opened as a video.\n")
    return _FAILED if missing else 0


def _follow(started: Run, console: Console) -> None:
    """Show a bar on a terminal, and one line per job elsewhere."""
    if not console.is_terminal:
        started.follow(lambda line: console.print(line, markup=False, soft_wrap=True))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(started.parameters.name, total=len(started.batch), failed="")
        failed = 0
        for video in started.batch:
            failed += video.state is not JobState.COMPLETE
            told = f"{failed} failed" if failed else ""
            progress.update(task, advance=1, failed=told)


def _paths(named: Sequence[str]) -> dict[str, Path]:
    from workbench.journey import studio  # noqa: PLC0415

    paths: dict[str, Path] = {}
    for name in named:
        if is_identifier(name, Kind.BATCH):
            for job in studio().jobs.batch(name).jobs:
                if job.state is JobState.COMPLETE:
                    paths[job.job_id] = studio().jobs.video_path(job.job_id)
        elif is_identifier(name, Kind.JOB):
            paths[name] = studio().jobs.video_path(name)
        elif Path(name).is_file():
            paths[name] = Path(name)
        else:
            raise InvalidRequest(f"{name} is neither a file nor the id of a job or batch.")
    return paths


def _run_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="workbench run",
        description="Render prompts as one batch. Repeat the command to resume the run: "
        "failed jobs are rendered again, finished ones are not.",
    )
    add = parser.add_argument
    add("prompts", nargs="+", help="a .txt, .csv, .jsonl or .json file, or prompts themselves")
    add("--no-enhance", dest="enhance", action="store_false", help="render prompts unchanged")
    add("--variations", type=int, help="prompts to render for each, including itself (1)")
    add("--axes", type=_words, help="scene fields to vary, such as camera_movement,time_of_day")
    add("--hold", type=_words, help="scene fields to keep")
    add(
        "--seeds",
        type=_seeds,
        help="number of seeds for each prompt, or a list of seeds: 3 or 5,8,13",
    )
    add("--seed", type=int, help="the first seed (1)")
    for name in ("engine", "model", "profile", "negative-prompt", "name", "agreement-model"):
        add(f"--{name}")
    for name in ("width", "height", "num-frames", "num-inference-steps", "priority"):
        add(f"--{name}", type=int)
    add("--fps", type=frame_rate, help="frames per second: 24, 23.976 or 24000/1001")
    add("--guidance-scale", type=float)
    add("--camera", help="where the camera goes: words, keys, or the path of a file")
    add("--actions", metavar="FILE", help="what a robot does, for Cosmos 3")
    add(
        "--control",
        metavar="KIND=ID",
        help="what a model follows: depth is that of its own storyboard, depth=JOB the channel of a "
        "finished one, depth=FILE a video as it is, 'edges from FILE' edges computed from it",
    )
    add(
        "--lora",
        type=_lora,
        action="append",
        metavar="PATH[=WEIGHT][,stage=high|low][,file=NAME]",
        help="a LoRA: a safetensors file, a folder or a hub name, and its strength (1); the stage of "
        "a model with two; the file if PATH contains several; repeatable",
    )
    for name in REPLACEABLE:
        add(f"--{name.replace('_', '-')}", help=f"weights to use as the model's {name}")
    add(
        "--quantize",
        type=_quantize,
        metavar="HOW",
        help=f"{', '.join(get_args(Quantisation))}; or by component: transformer=fp8,text_encoder=int8",
    )
    add("--option", type=_option, action="append", metavar="NAME=VALUE", help="an engine's own")
    add("--wildcards", help="a folder of wildcard files for dynamic prompts")
    add("--results", help="the folder for the results (outputs/runs/NAME-…)")
    add(
        "--on-interrupt",
        choices=("leave", "cancel"),
        help="what Ctrl-C does with running jobs (leave)",
    )
    return parser


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _seeds(text: str) -> int | list[int]:
    return [int(word) for word in _words(text)] if "," in text else int(text)


def _lora(text: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    while field := _LORA_FIELD.search(text):
        given[field[1]] = field[2]
        text = text[: field.start()]
    path, sign, weight = text.rpartition("=")
    if not sign:
        return {**given, "path": text}
    try:
        return {**given, "path": path, "weight": float(weight)}
    except ValueError:
        return {**given, "path": text}  # the sign belongs to the path


def _quantize(text: str) -> str | dict[str, str]:
    if "=" not in text:
        return text
    return dict(part.strip().split("=", 1) for part in text.split(",") if "=" in part)


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError("write it as NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
