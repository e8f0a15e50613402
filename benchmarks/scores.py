"""The cost of scores: one default clip on one core, and the slowdown of a batch.

Run with ``python -m benchmarks.scores``. Renders with the animatic engine into folders of its own.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cv2

import workbench as wb
from benchmarks.report import Figure, percentile, print_report
from tests.live_server import end_supervisor
from workbench.measures.scorecards import score_video

_ROUNDS = 5
_CLIPS = 8
_SMALL: Final[dict[str, Any]] = {"num_frames": 5, "width": 96, "height": 64}


def main() -> None:
    """Measure and print."""
    with _studio(scores=True) as studio:
        session = wb.enhance("dog running", seed=7, using=studio)
        prompts = session.variations(_CLIPS, seed=7)
        batch = wb.render(prompts, seed=7, using=studio).wait(300)
        batch.scores()
        alone, after = _one_by_one(batch), _after_the_render(studio, session)
    with_scores: list[float] = []
    without: list[float] = []
    for _ in range(2):  # alternating, so that other load affects both
        for scores, taken in ((False, without), (True, with_scores)):
            with _studio(scores=scores) as studio:
                taken.append(_batch_seconds(studio))
    ratio = percentile(with_scores, 0.5) / percentile(without, 0.5)
    print_report(
        "scores",
        [
            Figure(
                "scores of one 81-frame clip, 832×480: processor time",
                percentile(alone, 0.5),
                "s",
                1.0,
            ),
            Figure("video complete → its scores known, idle", percentile(after, 0.5), "s", 1.0),
            Figure(f"{_CLIPS} clips on every core: with scores over without", ratio, "×", 1.05),
        ],
    )


def _one_by_one(batch: wb.Batch) -> list[float]:
    """Return the seconds of one core that each of a few clips costs."""
    paths = [video.path for video in batch.videos][:_ROUNDS]
    cv2.setNumThreads(1)
    taken = []
    for path in paths:
        began = time.process_time()
        score_video(path)
        taken.append(time.process_time() - began)
    return taken


def _after_the_render(studio: wb.Studio, session: wb.Session) -> list[float]:
    """Return the delay from a video's end to its scores on an idle machine."""
    taken = []
    for number in range(_ROUNDS):
        (video,) = wb.render([session.prompt], seed=100 + number, using=studio).wait(60).videos
        ended = time.perf_counter()
        assert video.scores.motion >= 0
        taken.append(time.perf_counter() - ended)
    return taken


def _batch_seconds(studio: wb.Studio) -> float:
    """Return the time from a batch's submission to its last video, with warm workers."""
    wb.render(["a kite", "a boat"], using=studio, **_SMALL).wait(60)
    session = wb.enhance("dog running", seed=7, using=studio)
    prompts = session.variations(_CLIPS, seed=7)
    began = time.perf_counter()
    wb.render(prompts, seed=7, using=studio).wait(300)
    return time.perf_counter() - began


@contextmanager
def _studio(*, scores: bool) -> Iterator[wb.Studio]:
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder) / "outputs"
        os.environ["WORKBENCH_OUTPUTS"] = str(outputs)
        studio = wb.Studio(wb.Settings(outputs=outputs, scores=scores))
        try:
            yield studio
        finally:
            studio.close()
            end_supervisor(outputs)


if __name__ == "__main__":
    main()
