"""First contact with the storyboard: its drawings of ideas that it was not developed for.

A round is a folder with ``ideas.jsonl`` (``id``, ``idea``, ``expect``), as in
``benchmarks.first_contact``. A reader watches the films and scores each once, before any change:
3, a stranger sees who, how many, doing what, where, in what light and from which camera; 2, the main
things with small faults; 1, something of it; 0, a different picture or an unreadable one.

- ``python -m benchmarks.storyboards draw ROUND FOLDER`` writes sheets of six ideas, five frames each.
- ``python -m benchmarks.storyboards tally scores.tsv`` adds up the reader's lines: id, score, why.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.report import Figure, print_report
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.pixels import Image, to_rgb
from workbench.prompts import Sessions
from workbench.scene import Scene
from workbench.settings import Settings

__all__ = ["figures", "strip"]

_SIZE: Final = (832, 480)
_SHOWN: Final = (312, 180)
_FRAMES: Final = 81
_SEEN: Final = (4, 22, 40, 58, 76)
_ROWS: Final = 6
_SEED: Final = 7


def strip(scene: Scene) -> Image:
    """Return five frames of the storyboard of ``scene`` side by side, in RGB."""
    film = Film(read_scene(scene, _SEED), *_SIZE, _FRAMES, 24)
    frames = (to_rgb(film.frame(index).planes) for index in _SEEN)
    return np.hstack([cv2.resize(rgb, _SHOWN, interpolation=cv2.INTER_AREA) for rgb in frames])


def figures(lines: Iterable[Sequence[str]]) -> list[Figure]:
    """Return the mean of the scores in ``lines`` (id, score, why), and how often each was given."""
    scores = [int(line[1]) for line in lines if line]
    counts = Counter(scores)
    mean = Figure(f"{len(scores)} ideas", sum(scores) / len(scores), "of 3", 2.0, at_most=False)
    return [mean, *(Figure(f"– scored {score}", counts[score], "") for score in (3, 2, 1, 0))]


def _ideas(folder: Path) -> Iterator[tuple[dict[str, Any], Scene]]:
    """Yield each idea of a round and the scene that the journey makes of it."""
    text = (folder / "ideas.jsonl").read_text("utf-8")
    with tempfile.TemporaryDirectory() as outputs:
        sessions = Sessions(Settings(outputs=Path(outputs), language_provider="builtin"))
        try:
            for line in (json.loads(part) for part in text.split("\n") if part.strip()):
                yield line, asyncio.run(sessions.enhance(line["idea"]))[1].scene
        finally:
            sessions.close()


def _draw(round_folder: Path, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    rows: list[Image] = []
    names: list[str] = []
    for line, scene in _ideas(round_folder):
        names.append(line["id"])
        rows.append(strip(scene))
        if len(rows) == _ROWS:
            _write(output, names, rows)
            names, rows = [], []
    if rows:
        _write(output, names, rows)


def _write(output: Path, names: Sequence[str], rows: Sequence[Image]) -> None:
    sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    path = output / f"{names[0]}-{names[-1]}.png"
    cv2.imwrite(str(path), sheet)
    print(f"{path}: {', '.join(names)}")


def main() -> None:
    """Draw a round, or add up its scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    draw = commands.add_parser("draw", help="draw the ideas of a round")
    draw.add_argument("round", type=Path, help="a folder with ideas.jsonl")
    draw.add_argument("output", type=Path, help="where the sheets go")
    tally = commands.add_parser("tally", help="add up a reader's scores")
    tally.add_argument("scores", type=Path, help="lines of id, score and why, tabs between")
    asked = parser.parse_args()
    if asked.command == "draw":
        _draw(asked.round, asked.output)
        return
    with asked.scores.open(encoding="utf-8", newline="") as lines:
        told = figures(csv.reader(lines, delimiter="\t"))
    print_report(f"The storyboard at first contact: {asked.scores.stem}", told)


if __name__ == "__main__":
    main()
