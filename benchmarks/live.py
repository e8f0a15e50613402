"""How fast the storyboard is walked through live, and how soon a key shows in the picture.

Run with ``python -m benchmarks.live``. Each world is shown as the screen shows it, 832×480: drawn in
a thread, encoded as JPEG and sent by the widget's loop, to a page that takes every picture at once.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from benchmarks.report import Figure, print_report
from workbench.live_worlds import LiveWalk
from workbench.rendering import RenderParameters
from workbench.settings import Settings
from workbench.studio import Studio
from workbench.widgets.live_show import LiveShow
from workbench.widgets.loop import WidgetTasks
from workbench.widgets.presentation import View

PROMPTS: Final = (
    "a red car on a coast road",
    "a dog running in a city street in the rain",
    "a crowd in front of a stage, film noir",
    "two horses in a meadow, watercolor",
    "a man in a kitchen",
    "a boat on the ocean in a storm at night",
)
_FRAMES: Final = 97
_PRESSES: Final = 12
_FPS: Final = 16


@dataclass(slots=True)
class _Page:
    """A page that draws at once, and when it got which picture: by the clock and the processor."""

    got: dict[int, tuple[float, float]] = field(default_factory=dict)
    show: LiveShow | None = None
    news: threading.Condition = field(default_factory=threading.Condition)

    def send(self, message: View, data: bytes | None) -> None:
        """Take a message of the kernel."""
        if data is None or self.show is None:
            return
        with self.news:
            self.got[message["frame"]] = (time.perf_counter(), time.process_time())
            self.news.notify_all()
        self.show.seen(message["frame"])

    def wait_for(self, frame: int) -> None:
        """Wait until it has picture ``frame`` or a later one."""
        with self.news:
            self.news.wait_for(lambda: self.got and max(self.got) >= frame, 300)


def _drawn_s(studio: Studio, prompt: str) -> float:
    """Return the processor time of a picture: the camera, the frame, its JPEG."""
    walk = _walk(studio, prompt)
    spent = []
    for number, frame in enumerate(walk.frames()):
        walk.hold(("w", "jw", "a", "l", "ds", "i")[number // 8 % 6])
        frame.jpeg(80)
        now = time.process_time()
        spent.append(now)
        if number == _FRAMES // 2:
            walk.close()
            break
    return (spent[-1] - spent[4]) / (len(spent) - 5)


def _walk(studio: Studio, prompt: str) -> LiveWalk:
    asked = RenderParameters(seed=5, engine="animatic")
    return studio.live_worlds.walk(studio.live_worlds.idea(prompt), asked)


def _shown(studio: Studio, prompt: str) -> tuple[float, list[tuple[float, float]]]:
    """Return pictures a second by the clock, and how long each press of a key took to its picture.

    That in seconds by the clock, and of the processor.
    """
    tasks, page = WidgetTasks(studio.loop), _Page()
    walk = _walk(studio, prompt)
    show = page.show = LiveShow("1", walk, tasks, page.send, lambda _: None)
    tasks.call(show.start)
    page.wait_for(0)
    tasks.call(lambda: show.run(on=True))
    page.wait_for(8)
    chance = random.Random(4)
    first, began = max(page.got), time.perf_counter()
    took = []
    for press in range(_PRESSES):
        time.sleep(0.2 + chance.random() / _FPS)
        keys = "ad"[press % 2]
        before, pressed = len(walk.led_by), (time.perf_counter(), time.process_time())
        tasks.call(show.hold, keys)
        while keys not in walk.led_by[before:]:
            time.sleep(0.001)
        frame = before + walk.led_by[before:].index(keys)
        page.wait_for(frame)
        at = page.got[min(number for number in page.got if number >= frame)]
        took.append((at[0] - pressed[0], at[1] - pressed[1]))
    pace = (max(page.got) - first) / (time.perf_counter() - began)
    tasks.call(show.close)
    return pace, took


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, Studio(Settings(outputs=folder)) as studio:
        drawn = [_drawn_s(studio, prompt) for prompt in PROMPTS]
        shown = [_shown(studio, prompt) for prompt in PROMPTS]
    paces = [pace for pace, _ in shown]
    clock = sorted(one for _, took in shown for one, _ in took)
    processor = [one for _, took in shown for _, one in took]
    print_report(
        "live",
        [
            Figure("live pictures a second of one core, slowest scene, processor time", 1 / max(drawn), "/s", 12, at_most=False),
            Figure("live pictures a second on the page, by the clock, slowest scene (16 at most)", min(paces), "/s", 12, at_most=False),
            Figure("key to its picture, by the clock, median (a picture every 62 ms)", 1e3 * statistics.median(clock), "ms", 120),
            Figure("key to its picture, by the clock, 95 of 100", 1e3 * clock[round(0.95 * (len(clock) - 1))], "ms", 200),
            Figure("key to its picture, processor time, median", 1e3 * statistics.median(processor), "ms", 60),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
