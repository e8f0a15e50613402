"""What scores cost: one default clip measured on one core, and a batch of eight on all.

Run with ``python -m benchmarks.scores``. Renders with the animatic engine into a folder of its own.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import cv2

from benchmarks.report import Figure, percentile, print_report
from tests.live_server import end_supervisor

_ROUNDS = 5
_CLIPS = 8


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder) / "outputs"
        os.environ["WORKBENCH_OUTPUTS"] = str(outputs)
        try:
            _measure()
        finally:
            end_supervisor(outputs)


def _measure() -> None:
    import workbench as wb
    from workbench.measures.scorecards import score_video, score_videos

    session = wb.enhance("dog running", seed=7)
    batch = wb.render(session.variations(_CLIPS, seed=7), seed=7).wait(300)
    paths = {video.job_id: video.path for video in batch.videos}
    first = next(iter(paths.values()))
    score_video(first)
    cv2.setNumThreads(1)
    alone = [_timed(lambda: score_video(first), first) for _ in range(_ROUNDS)]
    kept = [_timed(lambda: score_video(first)) for _ in range(_ROUNDS)]
    cv2.setNumThreads(-1)
    together = _timed(lambda: score_videos(paths), *paths.values())
    print_report(
        "scores",
        [
            Figure(
                "scores of one 81-frame clip, 832×480, one core", percentile(alone, 0.5), "s", 1
            ),
            Figure("the same again, kept", percentile(kept, 0.5) * 1e3, "ms"),
            Figure(f"scores of {_CLIPS} clips on all cores", together, "s", _CLIPS),
        ],
    )


def _timed(work: object, *anew: Path) -> float:
    for path in anew:
        path.with_name("scores.json").unlink(missing_ok=True)
    began = time.perf_counter()
    assert callable(work)
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
