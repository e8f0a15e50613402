"""The screen is restored after a reload, a restart or a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.held import Hold
from tests.live_server import PATIENCE_S, LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture
def hold(tmp_path: Path) -> Hold:
    """What lets the first video pass, and holds the others."""
    return Hold(tmp_path / "held", after=1)


@pytest.fixture
def fragile_server(tmp_path: Path, hold: Hold) -> Iterator[LiveServer]:
    """A server that may be killed, whose later renders wait to be released."""
    with LiveServer(tmp_path / "outputs", environment=hold.environment) as live:
        yield live


def _render_until_held(screen: Screen, cards: int = 3) -> None:
    screen.enhance("a train crossing a bridge")
    screen.go("Variations")
    screen.slow_renders(48)  # so that the first card is rendered too
    screen.step.get_by_label("How many").fill(str(cards))
    screen.step.locator(".wb-empty").get_by_role("button", name="Make variations").click()
    expect(screen.cards).to_have_count(cards, timeout=LOAD_MS)
    screen.render_all()
    expect(screen.step.locator(".wb-job[data-state=running]").first).to_be_visible(timeout=LOAD_MS)


@pytest.mark.parametrize("opened", ["dashboard", "lab"])
def test_a_page_reloaded_during_a_render_shows_the_same_session_and_its_videos(
    open_screen: Callable[..., Screen], fragile_server: LiveServer, hold: Hold, opened: str
) -> None:
    screen = open_screen(on=fragile_server)
    screen.open_lab() if opened == "lab" else screen.open_dashboard()
    _render_until_held(screen)
    screen.page.reload()
    expect(screen.step.get_by_role("heading", name="Variations")).to_be_visible(timeout=LOAD_MS)
    expect(screen.cards).to_have_count(3, timeout=LOAD_MS)
    hold.release()
    screen.wait_for_videos(3)
    screen.wait_until_playing(".wb-step-variations video")
    screen.go("Prompt")
    expect(screen.step.get_by_label("Your idea")).to_have_value("a train crossing a bridge")
    screen.assert_clean()


def test_a_restarted_kernel_restores_the_session_when_the_cell_runs(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_lab()
    screen.enhance("a kite over the sea")
    text = screen.prompt.inner_text()
    screen.page.locator(".lm-MenuBar-itemLabel", has_text="Kernel").click()
    screen.page.locator(".lm-Menu-itemLabel").get_by_text("Restart Kernel…", exact=True).click()
    screen.page.locator(".jp-Dialog button.jp-mod-warn").click()
    expect(screen.page.locator(".jp-Dialog")).to_have_count(0)
    screen.page.wait_for_timeout(1000)
    screen.page.reload()
    screen.run_cell()
    expect(screen.prompt).to_have_text(text, timeout=LOAD_MS)


def test_a_page_loaded_after_a_kernel_restart_offers_the_workbench_again(
    open_screen: Callable[..., Screen], fragile_server: LiveServer
) -> None:
    screen = open_screen(on=fragile_server).open_lab()
    screen.enhance("a kite over the sea")
    text = screen.prompt.inner_text()
    screen.page.locator(".jp-Notebook .jp-MarkdownCell").first.click()
    screen.page.keyboard.press("Control+S")
    copy = fragile_server.root / "notebooks" / "workbench.ipynb"
    limit = time.monotonic() + PATIENCE_S
    while b"widget-view" not in copy.read_bytes():
        assert time.monotonic() < limit, "the notebook was not saved"
        time.sleep(0.1)
    (kernel,) = fragile_server.get("/api/kernels").json()
    fragile_server.post(f"/api/kernels/{kernel['id']}/restart").raise_for_status()
    screen.page.evaluate("sessionStorage.clear()")  # as in another tab
    screen.page.reload()
    screen.page.get_by_role("button", name="Show the workbench again").click(timeout=LOAD_MS)
    expect(screen.prompt).to_have_text(text, timeout=LOAD_MS)


def test_a_server_killed_during_a_render_shows_the_finished_videos_after_a_restart(
    open_screen: Callable[..., Screen], fragile_server: LiveServer, hold: Hold
) -> None:
    screen = open_screen(on=fragile_server).open_dashboard()
    _render_until_held(screen)
    fragile_server.kill()
    fragile_server.start()
    screen.open_dashboard()
    expect(screen.cards).to_have_count(3, timeout=LOAD_MS)
    hold.release()
    screen.wait_for_videos(3)
    screen.wait_until_playing(".wb-step-variations video")


def test_earlier_sessions_are_listed_and_opened(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a paper boat in the gutter")
    screen.page.get_by_role("button", name="Sessions").click()
    screen.page.get_by_role("button", name="New session").click()
    expect(screen.step.get_by_role("heading", name="What should happen?")).to_be_visible()
    screen.enhance("a balloon over the hills")
    screen.page.get_by_role("button", name="Sessions").click()
    screen.page.locator(".wb-session", has_text="a paper boat in the gutter").click()
    expect(screen.prompt).to_contain_text("boat", timeout=LOAD_MS)
