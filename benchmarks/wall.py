"""How soon the results answer with 500 videos, and what using them for minutes keeps: real Voilà, real Chromium.

``python -m benchmarks.wall [--minutes 3]``. Every video is rendered, small. Each interaction is a real click or
key; it has ended when what it asks for is there and has been drawn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, CDPSession, expect, sync_playwright

from benchmarks.interactions import Interaction, Probe, print_timings
from benchmarks.report import Figure, print_report
from tests.browser.screen import LOAD_MS, Screen
from tests.chromium import ARGUMENTS, find_chromium
from tests.live_server import LiveServer
from workbench.settings import Settings
from workbench.studio import RenderParameters, Studio

__all__ = ["main"]

BROWSER: Final = (*ARGUMENTS, "--disable-smooth-scrolling")
_VIDEOS: Final = 500
_BATCH: Final = 50
_TARGET_MS: Final = 100
_ROUNDS: Final = 8
_SESSIONS: Final = 99
"""Other sessions, for the list of them."""
_RENDER_S: Final = 900
_SMALL: Final = RenderParameters(width=256, height=144, num_frames=16, fps=8)
_MEASURED: Final = 100
"""Videos with scores; measuring all would take longer than all the rest."""
_UPDATED: Final = 50
_MORE_MB: Final = 2.0
_MORE_NODES: Final = 1_000
_SCROLL: Final = """
async (selector) => {
  const node = selector ? document.querySelector(selector) : wall.scroller();
  const frame = () => new Promise(requestAnimationFrame);
  for (let at = 0; at < node.scrollHeight; at += 0.9 * node.clientHeight) {
    node.scrollTop = at;
    await frame();
    await frame();
    window.most = Math.max(window.most ?? 0, document.querySelectorAll(".wb-step-results video").length);
  }
  node.scrollTop = 0;
  await frame();
}
"""
_UNSTARRED: Final = "wall.unstarred().querySelector('[aria-label^=Delete]')"
_HELP: Final = Path(__file__).with_name("wall.js")
_FILLED: Final = "wall.filled()"
_OTHER_FIRST: Final = f"wall.first() !== before && {_FILLED}"
_FEWER: Final = f"wall.told(/ shown/) && {_FILLED}"
_ALL: Final = f"!wall.told(/ shown/) && {_FILLED}"
_GROUPS: Final = "wall.all('.wb-group-head').length"
_CARDS: Final = "wall.cards()"
_TOP: Final = "wall.scroller().scrollTop = 0; window.before = wall.first();"
_FIRST: Final = Interaction("first Results", _FILLED, click="wall.step('Results')")


def _choice(name: str, label: str, value: str, done: str) -> Interaction:
    key = "ArrowDown" if value in {"motion", "starred", "axis"} else "ArrowUp"
    return Interaction(name, done, key=key, prepare=f"{_TOP} wall.beside({label!r}, {value!r})")


_WALL: Final = (
    _choice("sort by a score", "Sort", "motion", _OTHER_FIRST),
    _choice("sort, newest first", "Sort", "newest", _OTHER_FIRST),
    _choice("filter: starred", "Show", "starred", _FEWER),
    _choice("filter taken away", "Show", "all", _ALL),
    _choice("group by a parameter", "Group", "axis", f"{_GROUPS} && {_FILLED}"),
    _choice("no groups", "Group", "", f"!{_GROUPS} && {_FILLED}"),
    Interaction(
        "search",
        _FEWER,
        key="Backspace",
        prepare="const field = wall.search(); field.value = `${wall.word()}x`; field.focus()",
    ),
    Interaction(
        "search taken away",
        _ALL,
        key="Backspace",
        prepare="const field = wall.search(); field.value = 'n'; field.focus()",
    ),
    Interaction(
        "choose a video",
        "wall.all('article[data-chosen]').length === 1",
        click=f"{_CARDS}[1].querySelector('input')",
    ),
    Interaction(
        "leave it out",
        "!wall.all('article[data-chosen]').length",
        click="wall.all('article[data-chosen] input')[0]",
    ),
    Interaction(
        "star a video",
        "star.ariaPressed !== was",
        click="star",
        prepare=f"window.star = {_CARDS}[2].querySelector('.wb-star'); window.was = star.ariaPressed",
    ),
    Interaction(
        "delete a video",
        f"wall.count() === count - 1 && {_FILLED}",
        prepare="window.count = wall.count()",
        click=_UNSTARRED,
    ),
    Interaction(
        "larger pictures",
        f"wall.width() !== width && {_FILLED}",
        key="ArrowRight",
        prepare="window.width = wall.width(); wall.size().value = 330; wall.size().focus()",
    ),
    Interaction(
        "smaller pictures",
        f"wall.width() !== width && {_FILLED}",
        key="ArrowLeft",
        prepare="window.width = wall.width(); wall.size().value = 280; wall.size().focus()",
    ),
    Interaction(
        "to the row below by key",
        "document.activeElement.matches('.wb-result-open') && document.activeElement !== at",
        key="ArrowDown",
        prepare=f"window.at = {_CARDS}[0].querySelector('.wb-result-open'); at.focus()",
    ),
    Interaction(
        "scroll by a page",
        f"wall.top() < from && {_FILLED}",
        key="PageDown",
        prepare="window.from = wall.top()",
    ),
    Interaction(
        "view a video large",
        "wall.viewer()?.querySelector('.wb-viewer-text').textContent",
        click=f"{_CARDS}[1].querySelector('.wb-result-open')",
    ),
    Interaction(
        "the next one",
        "wall.viewer().querySelector('h2').textContent !== title",
        key="ArrowRight",
        prepare="window.title = wall.viewer().querySelector('h2').textContent",
    ),
    Interaction("leave it", f"!wall.viewer() && {_FILLED}", key="Escape"),
    Interaction(
        "to another step",
        "document.querySelector('.wb-step-prompt').checkVisibility()",
        click="wall.step('Prompt')",
    ),
    Interaction("back to Results", _FILLED, click="wall.step('Results')"),
)
_TABLE: Final = (
    Interaction("show the table", "wall.rows()", click="wall.button('Table')"),
    Interaction(
        "sort the table",
        "wall.rows() !== before",
        click="wall.button('sharp')",
        prepare="window.before = wall.rows()",
    ),
    Interaction(
        "scroll the table",
        "wall.rows() !== before",
        key="PageDown",
        prepare="window.before = wall.rows(); wall.all('.wb-table-scroll')[0].focus()",
    ),
    Interaction(
        "choose in the table",
        "wall.all('tr[data-chosen]').length === 1",
        click="wall.row().querySelector('input')",
    ),
    Interaction(
        "leave it out again",
        "!wall.all('tr[data-chosen]').length",
        click="wall.all('tr[data-chosen] input')[0]",
    ),
    Interaction("show the wall", _FILLED, click="wall.button('Wall')"),
    _choice("and sort it", "Sort", "newest", _OTHER_FIRST),
)
_PANELS: Final = (
    Interaction(
        "open History",
        "document.querySelectorAll('.wb-tree-node').length > 9",
        click="wall.named('History')",
    ),
    Interaction("close it", "!document.querySelector('dialog[open]')", key="Escape"),
    Interaction(
        "list the sessions",
        "document.querySelectorAll('.wb-session-row').length > 9",
        click="wall.named('Sessions')",
    ),
    Interaction("close the list", "!document.querySelector('dialog[open]')", key="Escape"),
)


def main() -> None:
    """Print the figures beside their targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long the session is used")
    minutes = parser.parse_args().minutes
    chromium = find_chromium()
    if chromium is None:
        sys.exit("There is no Chromium; `make chromium` installs one.")
    with (
        tempfile.TemporaryDirectory(prefix="workbench-wall-") as folder,
        LiveServer(Path(folder) / "outputs") as server,
        sync_playwright() as playwright,
    ):
        sessions = render_session(server.outputs)
        browser = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER))
        screen = open_session(browser, server, sessions)
        time_interactions(screen, server.outputs, _ROUNDS)
        print_report(
            f"screen: {minutes:g} minutes with {_VIDEOS} videos", use_session(screen, minutes)
        )
        screen.assert_clean()
        browser.close()


def render_session(outputs: Path) -> list[str]:
    """Render the videos of one session, have some measured, and return it before some other sessions."""
    studio = Studio(Settings(outputs=outputs, scores=False, scores_niceness=0))
    try:
        others = [studio.run(studio.enhance(f"a boat, idea {n}"))[0] for n in range(_SESSIONS)]
        session, first = studio.run(studio.enhance("an old lighthouse in a storm"))
        jobs: list[str] = []
        for _ in range(_VIDEOS // _BATCH):
            entries = studio.run(studio.variations(session, [first.index], _BATCH))
            batch = studio.run(
                studio.render_batch(
                    [entry.prompt for entry in entries], session_id=session, parameters=_SMALL
                )
            )
            jobs += [job.job_id for job in batch.jobs]
        studio.jobs.wait(jobs, _RENDER_S)
        studio.jobs.measure(jobs[:_MEASURED], _RENDER_S)
        for job_id in jobs[::15]:
            studio.jobs.star(job_id, starred=True)
    finally:
        studio.close()
    return [session, *others]


def open_session(browser: Browser, server: LiveServer, sessions: list[str]) -> Screen:
    """Open the first session in a dashboard whose browser knows them all."""
    screen = Screen(browser, server)
    screen.page.add_init_script(f"localStorage['workbench:known'] = '{json.dumps(sessions)}'")
    screen.open_dashboard()
    screen.page.get_by_role("button", name="Sessions").click()
    screen.page.locator(".wb-session").first.click(timeout=LOAD_MS)
    expect(screen.prompt).to_be_visible(timeout=LOAD_MS)
    screen.page.wait_for_timeout(2_000)
    screen.page.evaluate(f"() => {{ ({_HELP.read_text('utf-8')})(); }}")
    return screen


def time_interactions(screen: Screen, outputs: Path, rounds: int) -> None:
    """Time every interaction and print what it took: the first Results once, the others in rounds."""
    probe = Probe(screen.page)
    found = probe.rounds((_FIRST,), 1)
    for group in (_WALL, _TABLE, _PANELS):
        found |= probe.rounds(group, rounds)
    print_timings(f"screen: results with {_VIDEOS} videos", found, probe.fixed_work, _TARGET_MS)
    print_report("screen: news while the results are looked at", _news(probe, outputs))


def _news(probe: Probe, outputs: Path) -> list[Figure]:
    """What it costs the page to hear of many videos that have changed elsewhere."""
    studio = Studio(Settings(outputs=outputs, scores=False))
    jobs = [job.job_id for job in studio.jobs.jobs(limit=_UPDATED).jobs]

    def rename() -> None:
        for job_id in jobs:
            studio.jobs.note(job_id, str(time.monotonic()))

    try:
        costs = [
            probe.measure(
                Interaction("news", "performance.now() - probe.begun > 1500", call=rename)
            )
            for _ in range(3)
        ]
    finally:
        studio.close()
    return [
        Figure(
            f"{_UPDATED} videos change: the page's processor time",
            statistics.median(cost.processor for cost in costs),
            "ms",
        ),
        Figure("– of that, script", statistics.median(cost.script for cost in costs), "ms"),
    ]


def use_session(screen: Screen, minutes: float) -> list[Figure]:
    """Use the results for minutes, and return what that leaves in the page."""
    line = screen.context.new_cdp_session(screen.page)
    line.send("Performance.enable")
    uses = (_search, _delete_and_undo, _compare, _sort_the_table, _scroll_through)
    for use in uses:  # what is made once is made
        use(screen)
    before = _kept(line)
    until = time.monotonic() + 60 * minutes
    count = 0
    for use in cycle(uses):
        use(screen)
        count += 1
        if time.monotonic() > until:
            break
    after = _kept(line)
    return [
        Figure("things done", count, ""),
        Figure("memory of the page at first", before["JSHeapUsedSize"] / 1e6, "MB"),
        Figure(
            "– more at the end",
            (after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 1e6,
            "MB",
            _MORE_MB,
        ),
        Figure("elements and texts at first", before["nodes"], ""),
        Figure("– more at the end", after["nodes"] - before["nodes"], "", _MORE_NODES),
        Figure("listeners at first", before["jsEventListeners"], ""),
        Figure(
            "– more at the end",
            after["jsEventListeners"] - before["jsEventListeners"],
            "",
            _MORE_NODES,
        ),
        Figure("most videos in the page", screen.page.evaluate("() => window.most"), "", 40),
    ]


def _search(screen: Screen) -> None:
    screen.page.evaluate("() => wall.search()")
    field = screen.step.get_by_label("Search videos")
    field.press_sequentially("lighthouse original", delay=30)
    expect(screen.step.locator(".wb-head .wb-quiet").first).to_contain_text("shown")
    screen.button("Clear filters").click()
    screen.page.wait_for_function("() => wall.filled()")


def _delete_and_undo(screen: Screen) -> None:
    page = screen.page
    count = page.evaluate("() => { wall.scroller().scrollTop = 0; return wall.count(); }")
    page.wait_for_function("() => wall.filled()")
    page.mouse.click(*page.evaluate(f"() => probe.aim({_UNSTARRED})"))
    page.wait_for_function("(count) => wall.count() === count - 1", arg=count)
    page.get_by_role("button", name="Undo", exact=True).click()
    page.wait_for_function("(count) => wall.count() === count", arg=count)


def _compare(screen: Screen) -> None:
    cards = screen.step.locator("article")
    for place in (0, 2):
        cards.nth(place).get_by_role("checkbox").check()
    screen.button("Compare 2").click()
    screen.wait_until_playing(".wb-compare video", 2)
    screen.page.keyboard.press("Escape")
    chosen = screen.step.locator("article[data-chosen]")
    for left in (1, 0):
        chosen.first.get_by_role("checkbox").uncheck()
        expect(chosen).to_have_count(left)


def _sort_the_table(screen: Screen) -> None:
    screen.button("Table").click()
    for heading in ("motion", "sharp"):
        screen.step.get_by_role("table").get_by_role("button", name=heading, exact=True).click()
    screen.page.evaluate(_SCROLL, ".wb-table-scroll")
    screen.step.get_by_label("Sort", exact=True).select_option("newest")
    screen.button("Wall").click()
    screen.page.wait_for_function("() => wall.filled()")


def _scroll_through(screen: Screen) -> None:
    screen.page.evaluate(_SCROLL, None)


def _kept(line: CDPSession) -> dict[str, float]:
    """What is in the page once what is not needed is gone."""
    for _ in range(2):
        line.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in line.send("Performance.getMetrics")["metrics"]}
    return told | line.send("Memory.getDOMCounters")


if __name__ == "__main__":
    main()
