"""How soon the results answer with 300 videos, and whether scrolling keeps memory: real Voilà, real Chromium.

``python -m benchmarks.wall``. Every video is rendered, small; the page times itself, from a click until
what it asks for is there and a frame has been drawn.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from benchmarks.report import Figure, percentile, print_report
from tests.browser.screen import LOAD_MS, Screen
from tests.chromium import ARGUMENTS, find_chromium
from tests.live_server import LiveServer
from workbench.settings import Settings
from workbench.studio import RenderParameters, Studio

__all__ = ["main"]

_VIDEOS: Final = 300
_BATCH: Final = 60
_TARGET_MS: Final = 100
_ROUNDS: Final = 8
_PASSES: Final = 20
_RENDER_S: Final = 600
_SMALL: Final = RenderParameters(width=256, height=144, num_frames=16, fps=8)
_MEASURED: Final = 60
"""Videos with scores; measuring all would take longer than all the rest."""
_TIMED: Final = """
async ([act, done]) => {
  const [run, holds] = [new Function(act), new Function(`return (${done});`)];
  const drawn = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
  await drawn();
  const began = performance.now();
  run();
  while (!holds() && performance.now() - began < 5000) await drawn();
  if (!holds()) throw new Error(`never came: ${done}`);
  await drawn();
  return performance.now() - began;
}
"""
_HELP: Final = """
(() => {
  const all = (what) => [...document.querySelectorAll(`.wb-step-results ${what}`)];
  const inView = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  };
  window.wall = {
    all,
    choose: (label, value) => {
      const holder = all("label").find((one) => one.firstChild.textContent === label);
      const select = holder.querySelector("select");
      select.value = value;
      select.dispatchEvent(new Event("change"));
    },
    button: (name) => all("button").find((one) => one.textContent === name && one.offsetParent).click(),
    filled: () => {
      const seen = all("article").filter(inView);
      return seen.length > 3 && seen.every((one) => one.querySelector(".wb-result-caption")?.textContent);
    },
    axis: () => {
      const holder = all("label").find((one) => one.firstChild.textContent === "Group");
      return holder.querySelector("select").options[4].value;
    },
    unstarred: () => all("article").find((one) => one.querySelector(".wb-star")?.ariaPressed === "false"),
    first: () => all("article")[0]?.dataset.key,
    rows: () => all("tbody tr:not([aria-hidden])").filter(inView).map((row) => row.textContent).join(),
  };
})
"""
_SCROLL: Final = """
async (passes) => {
  const page = document.scrollingElement;
  const frame = () => new Promise(requestAnimationFrame);
  for (let pass = 0; pass < passes; pass += 1) {
    for (let at = 0; at < page.scrollHeight; at += innerHeight) { page.scrollTop = at; await frame(); await frame(); }
    page.scrollTop = 0;
    await frame();
  }
}
"""
_KEEP_FIRST: Final = "window.before = wall.first();"
_OTHER_FIRST: Final = "wall.first() !== window.before && wall.filled()"
_INTERACTIONS: Final = (
    ("sort by a score", f"{_KEEP_FIRST} wall.choose('Sort', 'motion')", _OTHER_FIRST),
    ("sort, newest first", f"{_KEEP_FIRST} wall.choose('Sort', 'newest')", _OTHER_FIRST),
    ("filter: starred", "wall.choose('Show', 'starred')", "wall.all('article').length < 300"),
    (
        "filter taken away",
        "wall.choose('Show', 'all')",
        "wall.all('article').length >= 290 && wall.filled()",
    ),
    (
        "group by a parameter",
        "wall.choose('Group', wall.axis())",
        "wall.all('.wb-group-head').length > 1 && wall.filled()",
    ),
    (
        "no groups",
        "wall.choose('Group', '')",
        "!wall.all('.wb-group-head').length && wall.filled()",
    ),
    (
        "choose a video",
        "wall.all('article input')[1].click()",
        "wall.all('article[data-chosen]').length === 1",
    ),
    (
        "leave it out",
        "wall.all('article input')[1].click()",
        "!wall.all('article[data-chosen]').length",
    ),
    (
        "star a video",
        "window.star = wall.all('article .wb-star')[2]; window.was = star.ariaPressed; star.click()",
        "star.ariaPressed !== was",
    ),
    (
        "delete a video",
        "window.count = wall.all('article').length; wall.unstarred().querySelector('[aria-label^=Delete]').click()",
        "wall.all('article').length === count - 1 && wall.filled()",
    ),
    (
        "view a video large",
        "wall.all('.wb-result-open')[3].click()",
        "wall.all('.wb-viewer[open] .wb-viewer-text')[0]?.textContent",
    ),
    ("leave it", "wall.all('.wb-viewer')[0].close()", "!wall.all('.wb-viewer[open]').length"),
    ("show the table", "wall.button('Table')", "wall.rows()"),
    (
        "sort the table",
        "window.before = wall.rows(); wall.button('sharp')",
        "wall.rows() !== window.before",
    ),
    (
        "scroll the table",
        "window.before = wall.rows(); wall.all('.wb-table-scroll')[0].scrollTop += 6000",
        "wall.rows() !== window.before",
    ),
    ("show the wall", "wall.button('Wall')", "wall.filled()"),
)


def main() -> None:
    """Print the figures beside their targets."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("There is no Chromium; `make chromium` installs one.")
    with (
        tempfile.TemporaryDirectory(prefix="workbench-wall-") as folder,
        LiveServer(Path(folder) / "outputs") as server,
        sync_playwright() as playwright,
    ):
        session = _rendered(server.outputs)
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*ARGUMENTS, "--enable-precise-memory-info"]
        )
        screen = _opened(browser, server, session)
        print_report(f"screen: results with {_VIDEOS} videos", _answers(screen.page))
        print_report("screen: memory over scrolling", _memory(screen))
        screen.assert_clean()
        browser.close()


def _rendered(outputs: Path) -> str:
    """Render the videos of one session, have some measured, and return the session."""
    studio = Studio(Settings(outputs=outputs, scores=False, scores_niceness=0))
    try:
        session_id, first = studio.run(studio.enhance("an old lighthouse in a storm"))
        jobs: list[str] = []
        for _ in range(_VIDEOS // _BATCH):
            entries = studio.run(studio.variations(session_id, [first.index], _BATCH))
            batch = studio.run(
                studio.render_batch(
                    [entry.prompt for entry in entries], session_id=session_id, parameters=_SMALL
                )
            )
            jobs += [job.job_id for job in batch.jobs]
        studio.jobs.wait(jobs, _RENDER_S)
        studio.jobs.measure(jobs[:_MEASURED], _RENDER_S)
        for job_id in jobs[::15]:
            studio.jobs.star(job_id, starred=True)
    finally:
        studio.close()
    return session_id


def _opened(browser: Browser, server: LiveServer, session: str) -> Screen:
    """Open the session in a dashboard whose browser knows it."""
    screen = Screen(browser, server)
    screen.page.add_init_script(f"localStorage['workbench:known'] = JSON.stringify(['{session}'])")
    screen.open_dashboard()
    screen.page.get_by_role("button", name="Sessions").click()
    screen.page.locator(".wb-session").first.click(timeout=LOAD_MS)
    expect(screen.prompt).to_be_visible(timeout=LOAD_MS)
    screen.page.wait_for_timeout(2_000)
    screen.page.evaluate(f"() => {{ ({_HELP})(); }}")
    return screen


def _answers(page: Page) -> list[Figure]:
    """Time every interaction: the first Results once, the others in rounds."""
    steps = "document.querySelectorAll('.wb-stepper button')"
    first = page.evaluate(
        _TIMED, [f"{steps}[3].click()", "wall.all('article').length >= 300 && wall.filled()"]
    )
    times: dict[str, list[float]] = {name: [] for name, *_ in _INTERACTIONS}
    line = page.context.new_cdp_session(page)
    line.send("Performance.enable", {"timeDomain": "threadTicks"})  # processor time, not the clock
    before = _worked_ms(line)
    for _ in range(_ROUNDS):
        for name, act, done in _INTERACTIONS:
            times[name].append(page.evaluate(_TIMED, [act, done]))
    every = [value for found in times.values() for value in found]
    worked = (_worked_ms(line) - before) / len(every)
    return [
        Figure("first Results", first, "ms", _TARGET_MS),
        *(Figure(name, percentile(found, 0.5), "ms", _TARGET_MS) for name, found in times.items()),
        Figure(f"p95 of all {len(every)}", percentile(every, 0.95), "ms"),
        Figure("worst of all", max(every), "ms"),
        Figure("the page's processor time for one, mean", worked, "ms"),
    ]


def _worked_ms(line: CDPSession) -> float:
    metrics = line.send("Performance.getMetrics")["metrics"]
    return 1e3 * float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def _memory(screen: Screen) -> list[Figure]:
    """What scrolling to the end and back leaves behind."""
    line = screen.context.new_cdp_session(screen.page)
    line.send("Performance.enable")
    screen.page.evaluate(_SCROLL, 2)
    before = _kept(line)
    screen.page.evaluate(_SCROLL, _PASSES)
    after = _kept(line)
    return [
        Figure("page's memory at first", before["JSHeapUsedSize"] / 1e6, "MB"),
        Figure(
            f"– more after {_PASSES} times through all",
            (after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 1e6,
            "MB",
            1.0,
        ),
        Figure("elements at first", before["Nodes"], ""),
        Figure("– more", after["Nodes"] - before["Nodes"], "", 1_000),
    ]


def _kept(line: CDPSession) -> dict[str, Any]:
    line.send("HeapProfiler.collectGarbage")
    line.send("HeapProfiler.collectGarbage")
    return {one["name"]: one["value"] for one in line.send("Performance.getMetrics")["metrics"]}


if __name__ == "__main__":
    main()
