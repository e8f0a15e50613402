"""Page object: opens the workbench in JupyterLab or Voilà, clicks, types and reads."""

from __future__ import annotations

import time
from typing import Final, Self
from urllib.parse import urlparse

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from tests.live_server import TOKEN, LiveServer
from workbench.jobs.client.manager import JobManager

__all__ = ["PLAYING", "Screen"]

LOAD_MS: Final = 120_000
RENDER_MS: Final = 300_000
RUN_MS: Final = 7_000

PLAYING: Final = """
(selector) => [...document.querySelectorAll(selector)]
  .filter((video) => video.offsetParent && !video.paused && video.currentTime > 0.1).length
"""

_NOT_OURS: Final = (
    "Failed to load resource",  # reported again below with its address
    "ResizeObserver loop",
    "websocket",
)
_RACES: Final = ("preview.jpg",)
"""Files that may be gone when requested because their render has ended."""


class Screen:
    """One browser window; records its errors and its requests to other hosts."""

    def __init__(
        self, browser: Browser, server: LiveServer, *, width: int = 1440, height: int = 900,
        touch: bool = False, dark: bool = False, still: bool = False,
    ) -> None:  # fmt: skip
        self.server = server
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            has_touch=touch,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
            accept_downloads=True,
        )
        self.context.set_default_timeout(LOAD_MS)  # of clicks, reloads and downloads too
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.dark = dark
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._watch)
        self.page.on("response", lambda answer: self._judge(answer.status, answer.url))

    # opening

    def open_lab(self) -> Self:
        """Open the workbench in JupyterLab, by the link that ``make lab`` prints."""
        self.page.goto(
            f"{self.server.url}/lab/tree/notebooks/workbench.ipynb?token={TOKEN}&workbench",
            timeout=LOAD_MS,
        )
        expect(self.workbench).to_be_visible(timeout=LOAD_MS)
        return self

    def run_cell(self) -> None:
        """Run the notebook's first code cell and wait for the workbench."""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").first
        idle = self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        expect(cell).to_be_visible(timeout=LOAD_MS)
        expect(idle).to_be_attached(timeout=LOAD_MS)
        limit = time.monotonic() + LOAD_MS / 1000
        while True:  # JupyterLab drops a run that comes while it still connects
            if "*" not in cell.locator(".jp-InputPrompt").inner_text():
                cell.locator(".cm-content").click()
                self.page.keyboard.press("Shift+Enter")
            try:
                expect(self.workbench).to_be_visible(timeout=RUN_MS)
            except AssertionError:
                assert time.monotonic() < limit, "The cell did not show the workbench."
                continue
            return

    def open_dashboard(self) -> Self:
        """Open the dashboard in Voilà."""
        theme = "&theme=dark" if self.dark else ""
        self.page.goto(
            f"{self.server.url}/voila/render/notebooks/dashboard.ipynb?token={TOKEN}{theme}",
            timeout=LOAD_MS,
        )
        expect(self.workbench).to_be_visible(timeout=LOAD_MS)
        return self

    def close(self) -> None:
        """Close the window."""
        self.context.close()

    # what there is to see

    @property
    def workbench(self) -> Locator:
        """The workbench's root element."""
        return self.page.locator(".wb")

    @property
    def step(self) -> Locator:
        """The current step."""
        return self.page.locator(".wb-step:visible")

    @property
    def prompt(self) -> Locator:
        """The prompt's text on the current step."""
        return self.step.locator(".wb-prompt-text")

    @property
    def cards(self) -> Locator:
        """The cards on the current step."""
        return self.step.locator("article.wb-card")

    def button(self, name: str) -> Locator:
        """The button with that name on the current step."""
        return self.step.get_by_role("button", name=name, exact=True)

    def playing(self, selector: str = ".wb video") -> int:
        """Return how many videos are advancing."""
        count: int = self.page.evaluate(PLAYING, selector)
        return count

    # what a person does

    def enhance(self, idea: str) -> None:
        """Type an idea and enhance it."""
        self.step.get_by_label("Your idea").fill(idea)
        self.step.get_by_role("button", name="Enhance").click()
        expect(self.prompt).to_be_visible(timeout=LOAD_MS)

    def begin_session(self) -> None:
        """Start a new session and wait until the old one is no longer shown."""
        self.page.get_by_role("button", name="Sessions").click()
        self.page.get_by_role("button", name="New session").click()
        expect(self.prompt).to_be_hidden(timeout=LOAD_MS)

    def go(self, step: str) -> None:
        """Go to a step by its name."""
        self.page.get_by_role("navigation", name="Steps").get_by_role("button", name=step).click()

    def make_variations(self, count: int = 8) -> None:
        """Make variations, and wait for their cards."""
        self.button("Go to variations").click()
        self.button("Make variations").click()
        expect(self.cards).to_have_count(count, timeout=LOAD_MS)

    def render_all(self) -> None:
        """Render every card."""
        self.button("Render all").click()

    def open_settings(self) -> Locator:
        """Open the panel of render settings."""
        self.page.get_by_role("button", name="Render settings").click()
        return self.page.get_by_role("dialog", name="Render settings")

    def slow_renders(self, frames: int) -> None:
        """Request videos long enough to be observed while rendering."""
        panel = self.open_settings()
        panel.get_by_label("Frames", exact=True).fill(str(frames))
        panel.get_by_label("Frames", exact=True).press("Tab")
        expect(self.page.locator(".wb-menu[data-changed]")).to_be_visible(timeout=LOAD_MS)
        self.page.keyboard.press("Escape")

    def wait_for_videos(self, count: int) -> None:
        """Wait until ``count`` videos of the step are finished and loaded.

        Results hold the cards near the view alone, so each place of the wall is scrolled to.
        """
        if self.step.locator(".wb-results").count():
            limit = time.monotonic() + RENDER_MS / 1000
            while (seen := self._videos_on_the_wall()) < count:
                assert time.monotonic() < limit, f"{seen} of {count} videos are shown"
                self.page.wait_for_timeout(200)
            return
        done = self.step.locator("[data-shows=video]")
        expect(done).to_have_count(count, timeout=RENDER_MS)

    def _videos_on_the_wall(self) -> int:
        places = self.step.locator(".wb-results > article").all()
        seen = 0
        for place in reversed(places):  # ends where the wall begins
            place.scroll_into_view_if_needed()
            expect(place.locator(".wb-card-media")).to_be_attached()
            seen += place.locator("[data-shows=video]").count()
        return seen

    def wait_for_job_count(self, manager: JobManager, count: int) -> None:
        """Wait until the newest session has ``count`` jobs."""
        limit = time.monotonic() + RENDER_MS / 1000
        while not (newest := manager.jobs(limit=1).jobs) or (
            manager.jobs(session_id=newest[0].session_id).total < count
        ):
            assert time.monotonic() < limit, "the render was not queued"
            self.page.wait_for_timeout(50)

    def wait_until_playing(self, selector: str = ".wb video", count: int = 1) -> None:
        """Wait until ``count`` videos are advancing."""
        self.page.wait_for_function(
            f"([selector, count]) => ({PLAYING})(selector) >= count",
            arg=[selector, count],
            timeout=RENDER_MS,
        )

    # what must not happen

    def assert_clean(self) -> None:
        """Assert that there were no errors of ours and no requests to other hosts."""
        assert self.errors == [], self.errors
        assert self.foreign == [], self.foreign

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.lower().startswith(
            tuple(text.lower() for text in _NOT_OURS)
        ):
            self.errors.append(message.text)

    def _watch(self, request: Request) -> None:
        address = urlparse(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.port != self.server.port:
            self.foreign.append(request.url)

    def _judge(self, status: int, url: str) -> None:
        ours = "/static/videos/" in url or "/api/video" in url
        if status >= 400 and ours and not url.partition("?")[0].endswith(_RACES):
            self.errors.append(f"{status} {url}")
