"""One real server and one Chromium for the browser tests; skipped where there is none.

Both end with the last browser test: an open Playwright keeps an event loop running in this thread, in
which no other test could start one of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.screen import LOAD_MS, Screen
from tests.chromium import ARGUMENTS, find_chromium
from tests.live_server import LiveServer

_FAILED: Final = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = find_chromium()
    if path is None:
        pytest.skip("there is no Chromium; `make chromium` installs one")
    expect.set_options(timeout=LOAD_MS)  # a busy machine needs seconds where a quiet one needs none
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A real Jupyter server with outputs/ of its own."""
    with LiveServer(tmp_path_factory.mktemp("browser") / "outputs") as live:
        yield live


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Store the test's outcome for fixtures that clean up after it."""
    report = yield
    if call.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture
def open_screen(
    browser: Browser, server: LiveServer, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Screen]]:
    """Open windows on the server, each with its own cookies; closed at the end.

    The notebooks are closed too: a Lab that is opened on one that still runs shows what it showed.
    A test that fails leaves a picture of each window in its temporary folder.
    """
    screens: list[Screen] = []

    def open_one(**options: Any) -> Screen:
        screen = Screen(browser, options.pop("on", server), **options)
        screens.append(screen)
        return screen

    yield open_one
    for number, screen in enumerate(screens):
        if request.node.stash.get(_FAILED, default=False):
            picture = tmp_path / f"screen-{number}.png"
            screen.page.screenshot(path=picture)
            told = (str(picture), *screen.errors, *screen.foreign)
            request.node.add_report_section("call", "screen", "\n".join(told))
        screen.close()
    server.clear_root()
