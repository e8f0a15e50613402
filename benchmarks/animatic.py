"""Speed and memory of the animatic: drawing and encoding, relative to real time.

Run ``python -m benchmarks.animatic``: every third scene of the contact sheet, with mixed settings,
weathers and styles, ``--rounds`` times each. The best round of each scene is reported, to exclude
other load on the machine.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.report import Figure, print_report
from workbench.engines.engine import RenderTask
from workbench.engines.registry import create_engine
from workbench.rendering import Recipe, RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

__all__ = ["measure_memory", "measure_speed", "scenes"]

_SECONDS: Final = 81 / 24
_CORES: Final = 2
_EVERY: Final = 3


def scenes() -> dict[str, Scene]:
    """Return a spread of the contact sheet's scenes, by what they show."""
    text = Path(__file__).with_name("contact_sheet.toml").read_text("utf-8")
    chosen = [Scene(**table) for table in tomllib.loads(text)["scene"]][::_EVERY]
    return {_name(scene): scene for scene in chosen}


def _name(scene: Scene) -> str:
    told = (scene.subject, scene.setting, scene.weather, scene.style, scene.camera_movement)
    return ", ".join(part for part in told if part)


def measure_speed(
    rounds: int, width: int, height: int, target: float, first_target: float | None = None
) -> list[Figure]:
    """Return how many times faster than real time each scene is made, and when its first frame is.

    Once by wall clock, which other load slows down, and once by CPU time: that of all threads,
    drawing and encoding, divided by two cores.
    """
    size = f"{width}×{height}"
    clocked: dict[str, float] = {}
    free: list[float] = []
    first_ms: list[float] = []
    for name, scene in scenes().items():
        taken = [_render(scene, width=width, height=height) for _ in range(rounds)]
        clocked[name] = _SECONDS / min(t["total"] for t in taken)
        free.append(_SECONDS / min(t["processor"] / _CORES for t in taken))
        first_ms.append(1e3 * min(t["first_frame"] for t in taken))
    by_speed = sorted(clocked, key=lambda name: clocked[name])
    unit = "× real time"
    return [
        Figure(
            f"by the clock, median of {len(clocked)} scenes, {size}",
            statistics.median(clocked.values()),
            unit,
            target,
            at_most=False,
        ),
        *(Figure(f"– slowest: {name}", clocked[name], unit) for name in by_speed[:3]),
        *(Figure(f"– fastest: {name}", clocked[name], unit) for name in by_speed[-1:]),
        Figure(
            f"by processor time, both cores its own, median, {size}",
            statistics.median(free),
            unit,
            target,
            at_most=False,
        ),
        Figure("– slowest", min(free), unit),
        Figure(f"first frame, median, {size}", statistics.median(first_ms), "ms", first_target),
        Figure("– slowest", max(first_ms), "ms"),
    ]


def measure_memory() -> Figure:
    """Return the peak memory of a process that only renders one animatic."""
    code = "from benchmarks.animatic import render_alone; render_alone()"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return Figure("peak memory of the process", float(done.stdout) / 1024, "MiB", 300)


def render_alone() -> None:
    """Render one scene and print this process's peak memory in KiB."""
    _render(next(iter(scenes().values())))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _render(scene: Scene, **options: Any) -> dict[str, float]:
    engine = create_engine("animatic", Settings())
    request = engine.complete(RenderRequest(prompt="benchmark", scene=scene, **options))
    recipe = Recipe(job_id="benchmark", created_at=datetime.now(UTC), request=request)
    engine.load(request, "cpu", lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        task = RenderTask(recipe, Path(folder), lambda _: None, lambda: False)
        began = time.process_time()
        timings = dict(engine.render(task).timings_s)
        return {**timings, "processor": time.process_time() - began}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    rounds = parser.parse_args().rounds
    figures = measure_speed(rounds, 832, 480, 15, 50)
    figures.append(measure_memory())
    figures += measure_speed(max(1, rounds // 4), 1920, 1080, 3)
    print_report("Animatic", figures)


if __name__ == "__main__":
    main()
