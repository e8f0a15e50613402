"""A grid's page in a real browser: all videos play in sync."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.chromium import ARGUMENTS, find_chromium
from tests.live_server import PATIENCE_S
from tests.measures.clips import FPS, panning
from workbench.engines.encoder import VideoWriter
from workbench.research.matrix import Layout, matrix_page

pytestmark = pytest.mark.browser
_TIMES = "[...document.querySelectorAll('video')].map(video => video.currentTime)"


def test_videos_play_and_pause_in_sync_without_requests(tmp_path: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("there is no Chromium; `make chromium` installs one")
    files: list[Path | None] = []
    for number in range(4):
        path = tmp_path / f"{number}.mp4"
        with VideoWriter(path, 96, 64, FPS) as writer:
            writer.write(np.ascontiguousarray(panning(seed=number, count=72)[:, :64, :96]))
        files.append(path)
    layout = Layout.of([{"a": a, "b": b} for a in "12" for b in "xy"], "b")
    page_file = tmp_path / "grid.html"
    page_file.write_text(matrix_page("four", layout, files, 96), "utf-8")
    # in a separate thread, as Playwright may already run in this one
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_watch, chromium, page_file).result()


def _watch(chromium: str, page_file: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = browser.new_page()
        page.set_default_timeout(1_000 * PATIENCE_S)
        asked: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_function(f"Math.min(...{_TIMES}) > 0.3")
        apart = f"Math.max(...{_TIMES}) - Math.min(...{_TIMES})"
        page.wait_for_function(f"{apart} < 0.25")
        page.get_by_role("button", name="Pause").click()
        page.get_by_label("Position").fill("500")
        page.wait_for_function(f"{_TIMES}.every(t => Math.abs(t - 1.5) < 0.1)")
        page.get_by_role("button", name="Play").click()
        page.wait_for_function(f"Math.min(...{_TIMES}) > 1.7")
        browser.close()
    assert problems == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
