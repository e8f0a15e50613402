"""The animatic: how many times faster than real time it is drawn and encoded, and what it costs.

Run ``python -m benchmarks.animatic``; ``--rounds`` renders of each scene, medians are told.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.report import Figure, print_report
from workbench.engines.engine import RenderTask
from workbench.engines.registry import create_engine
from workbench.rendering import Recipe, RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

__all__ = ["measure_memory", "measure_speed"]

_SECONDS: Final = 81 / 24
_SCENES: Final = {
    "dog in a meadow": Scene(subject="a dog", action="running", setting="a meadow"),
    "street at night": Scene(
        subject="a woman", action="walking", setting="a city street", time_of_day="night"
    ),
    "rain, zoom": Scene(
        subject="a red car",
        action="driving",
        setting="a city street",
        weather="rain",
        camera_movement="zoom in",
    ),
    "sea at sunset, pan": Scene(
        subject="a sailing boat",
        action="sailing",
        setting="the ocean",
        time_of_day="sunset",
        camera_movement="pan left",
    ),
    "two horses, oil painting": Scene(
        subject="two horses", action="galloping", setting="a beach", style="oil painting"
    ),
    "snow in a forest, dolly": Scene(
        subject="a deer",
        action="walking",
        setting="a forest",
        weather="snow",
        camera_movement="dolly in",
    ),
}


def measure_speed(
    rounds: int, width: int, height: int, target: float, first_target: float | None = None
) -> list[Figure]:
    """Return how many times faster than real time each scene is made, and when its first frame is.

    Once by the clock, which others on the machine slow down, and once by processor time: that of
    the thread with more to do, drawing or encoding, as the clock would tell it on two free cores.
    """
    size = f"{width}×{height}"
    clocked: list[float] = []
    free: list[float] = []
    first_ms: list[float] = []
    each = []
    for name, scene in _SCENES.items():
        taken = [_render(scene, width=width, height=height) for _ in range(rounds)]
        clocked.append(_SECONDS / statistics.median(t["total"] for t in taken))
        free.append(_SECONDS / statistics.median(t["busiest"] for t in taken))
        first_ms.append(1e3 * min(t["first_frame"] for t in taken))
        each.append(Figure(f"– {name}: clock", clocked[-1], "× real time"))
        each.append(Figure("– – by processor time", free[-1], "× real time"))
    return [
        Figure(
            f"by the clock, median of {len(_SCENES)} scenes, {size}",
            statistics.median(clocked),
            "× real time",
            target,
            at_most=False,
        ),
        Figure(
            f"by processor time, median, {size}",
            statistics.median(free),
            "× real time",
            target,
            at_most=False,
        ),
        *each,
        Figure(
            f"first frame, median of the best, {size}",
            statistics.median(first_ms),
            "ms",
            first_target,
        ),
    ]


def measure_memory() -> Figure:
    """Return the peak memory of a process that renders one animatic and does nothing else."""
    code = "from benchmarks.animatic import render_alone; render_alone()"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return Figure("peak memory of the process", float(done.stdout) / 1024, "MiB", 300)


def render_alone() -> None:
    """Render one scene and print this process's peak memory in KiB."""
    _render(_SCENES["street at night"])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _render(scene: Scene, **options: Any) -> dict[str, float]:
    engine = create_engine("animatic", Settings())
    request = engine.complete(RenderRequest(prompt="benchmark", scene=scene, **options))
    recipe = Recipe(job_id="benchmark", created_at=datetime.now(UTC), request=request)
    engine.load(request, "cpu", lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        task = RenderTask(recipe, Path(folder), lambda _: None, lambda: False)
        drawing, both = time.thread_time(), time.process_time()
        timings = dict(engine.render(task).timings_s)
        drawn, used = time.thread_time() - drawing, time.process_time() - both
        return {**timings, "busiest": max(drawn, used - drawn)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    figures = measure_speed(rounds, 832, 480, 15, 50)
    figures.append(measure_memory())
    figures += measure_speed(max(1, rounds // 2), 1920, 1080, 3)
    print_report("Animatic", figures)


if __name__ == "__main__":
    main()
