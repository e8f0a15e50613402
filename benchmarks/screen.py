"""Delay from the manager to the screen, and smoothness of 64 cards: real Voilà and Chromium.

Run with ``python -m benchmarks.screen``. One clock is used: this process writes through the job
manager like any other client, and the page records when its content has changed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from benchmarks.report import Figure, percentile, print_report
from tests.browser.screen import Screen
from tests.chromium import ARGUMENTS, find_chromium
from tests.live_server import LiveServer
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings

__all__ = ["main"]

_ROUNDS: Final = 60
_BETWEEN_S: Final = 0.15
_TARGET_MS: Final = 200
_CARDS: Final = 64
_SMOOTH_FPS: Final = 25
_WATCHED_S: Final = 8
_SETTLED_MS: Final = 3000
_WATCH: Final = """
() => {
  window.seen = [];
  const star = document.querySelector(".wb-results .wb-star");
  new MutationObserver(() => window.seen.push(Date.now())).observe(star, { attributeFilter: ["aria-pressed"] });
}
"""
_FRAMES: Final = """
async (seconds) => {
  const times = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) times.push(await new Promise(requestAnimationFrame));
  const gaps = times.slice(1).map((time, place) => time - times[place]);
  return { frames: gaps.length / seconds, longest: Math.max(...gaps) };
}
"""


def main() -> None:
    """Print the figures beside their targets."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("There is no Chromium; `make chromium` installs one.")
    with (
        tempfile.TemporaryDirectory(prefix="workbench-screen-") as folder,
        LiveServer(Path(folder) / "outputs") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        screen = Screen(browser, server).open_dashboard()
        screen.enhance("dog running")
        screen.wait_until_playing(".wb-step-prompt video")
        delays = _told(_delays(screen, server))
        print_report("screen: from the manager", delays)
        print_report("screen: many cards", [*_waiting(screen, server), *_frames(screen)])
        screen.assert_clean()
        browser.close()


def _delays(screen: Screen, server: LiveServer) -> list[float]:
    """Milliseconds from a call of the manager until the page shows its effect."""
    screen.go("Results")
    screen.button("Pause").click()
    page: Page = screen.page
    page.evaluate(_WATCH)
    manager = JobManager(Settings(outputs=server.outputs))
    try:
        job = manager.jobs().jobs[0]
        asked = []
        for number in range(_ROUNDS):
            asked.append(time.time() * 1e3)
            manager.star(job.job_id, starred=number % 2 == 0)
            page.wait_for_function("(count) => window.seen.length >= count", arg=number + 1)
            time.sleep(_BETWEEN_S)
        seen: list[float] = page.evaluate("() => window.seen")
    finally:
        manager.close()
    return [shown - begun for begun, shown in zip(asked, seen, strict=True)]


def _waiting(screen: Screen, server: LiveServer) -> list[Figure]:
    """The cost of 64 waiting cards: the queue is paused, nothing happens."""
    screen.go("Variations")
    screen.step.get_by_label("How many").fill(str(_CARDS))
    screen.step.locator(".wb-empty").get_by_role("button", name="Make variations").click()
    screen.page.wait_for_function(
        "(count) => document.querySelectorAll('.wb-step-variations article').length === count",
        arg=_CARDS,
        timeout=60_000,
    )
    manager = JobManager(Settings(outputs=server.outputs))
    manager.pause()
    try:
        screen.render_all()
        waiting = screen.step.locator(".wb-job[data-state=queued]")
        expect(waiting).to_have_count(_CARDS, timeout=60_000)
        screen.page.wait_for_timeout(_SETTLED_MS)
        before = _chromium_s()
        screen.page.wait_for_timeout(_WATCHED_S * 1000)
        spent_s = _chromium_s() - before
    finally:
        manager.resume()
        manager.close()
    share = 100 * spent_s / _WATCHED_S
    return [Figure(f"{_CARDS} cards while they wait: Chromium, all of it", share, "% of a core")]


def _chromium_s() -> float:
    """Processor time of every process of the browser so far, in seconds."""
    spent_s = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "chrom" in process.name():
                times = process.cpu_times()
                spent_s += times.user + times.system
    return spent_s


def _frames(screen: Screen) -> list[Figure]:
    """Frames a second while those cards render, and the longest time without a new one."""
    screen.step.locator(".wb-job[data-state=running]").first.wait_for()
    line = screen.context.new_cdp_session(screen.page)
    line.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU time, not wall-clock time
    before = _worked_s(line)
    told: dict[str, Any] = screen.page.evaluate(_FRAMES, _WATCHED_S)
    worked_s = _worked_s(line) - before
    screen.button("Cancel all").click()
    return [
        Figure(f"{_CARDS} cards while they render", told["frames"], "frames/s", _SMOOTH_FPS, False),
        Figure("– longest time without a frame", told["longest"], "ms"),
        Figure("– the page's main thread at work", 100 * worked_s / _WATCHED_S, "%"),
    ]


def _worked_s(line: CDPSession) -> float:
    """Processor time that the page's main thread has spent, in seconds."""
    metrics = line.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def _told(delays: list[float]) -> list[Figure]:
    return [
        Figure(
            f"manager → screen, p95 of {len(delays)}", percentile(delays, 0.95), "ms", _TARGET_MS
        ),
        Figure("– median", statistics.median(delays), "ms"),
        Figure("– worst", max(delays), "ms"),
    ]


if __name__ == "__main__":
    main()
