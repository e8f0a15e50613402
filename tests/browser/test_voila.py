"""The dashboard in the real Voilà."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.live_server import PATIENCE_S, LiveServer

pytestmark = pytest.mark.browser

CULL_S: Final = 15


def test_the_dashboard_renders_videos_without_requests_to_other_hosts(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("old man fishing at dawn")
    screen.wait_until_playing(".wb-step-prompt video")
    screen.make_variations()
    screen.render_all()
    screen.wait_for_videos(8)
    screen.go("Results")
    screen.wait_until_playing(".wb-results video", 3)
    screen.assert_clean()


def test_a_phone_needs_no_horizontal_scrolling(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen(width=390, touch=True).open_dashboard()
    expect(screen.page.get_by_role("button", name="Sessions")).to_be_visible()
    screen.step.get_by_role("button", name="dog running").tap()
    screen.step.get_by_role("button", name="Enhance").tap()
    expect(screen.prompt).to_be_visible(timeout=LOAD_MS)
    screen.wait_until_playing(".wb-step-prompt video")
    for step in ("Variations", "Tune", "Results", "Prompt"):
        screen.go(step)
        wide = screen.page.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= 390, f"{step} is {wide} pixels wide"
    screen.assert_clean()


def test_markup_in_a_prompt_is_shown_as_text(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    typed = "a cat <img src=x onerror=\"document.title='taken'\"> sleeping"
    screen.enhance(typed)
    screen.button("Edit").click()
    area = screen.step.get_by_role("textbox", name="Prompt")
    area.fill(typed)
    screen.button("Use this text").click()
    expect(screen.prompt).to_have_text(typed)
    assert screen.page.locator(".wb-prompt-text img").count() == 0
    screen.page.get_by_role("button", name="History").click()
    expect(screen.page.locator(".wb-tree")).to_contain_text("<img src=x")
    assert screen.page.title() != "taken"


def test_the_console_of_a_dashboard_is_quiet(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen()
    told: list[str] = []
    screen.page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
    screen.open_dashboard()
    screen.enhance("dog running")
    screen.wait_until_playing(".wb-step-prompt video")
    assert [one for one in told if one.startswith(("warning", "error"))] == []


def test_visitors_see_only_their_own_sessions(open_screen: Callable[..., Screen]) -> None:
    first = open_screen().open_dashboard()
    first.enhance("a secret garden at noon")
    second = open_screen().open_dashboard()
    expect(second.page.get_by_text("everyone with its link can reach all videos")).to_be_visible()
    second.page.get_by_role("button", name="Sessions").click()
    expect(second.page.get_by_text("No earlier sessions.")).to_be_visible(timeout=LOAD_MS)
    first.page.get_by_role("button", name="Sessions").click()
    expect(first.page.locator(".wb-session")).to_contain_text("a secret garden at noon")
    assert second.page.locator(".wb-session").count() == 0


def test_closing_the_dashboard_ends_its_kernel(
    open_screen: Callable[..., Screen], tmp_path: Path
) -> None:
    server = LiveServer(tmp_path / "outputs")
    server.start(
        "--dashboard",
        f"--MappingKernelManager.cull_idle_timeout={CULL_S}",
        "--MappingKernelManager.cull_interval=1",
    )
    try:
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as stranger:
            page = stranger.get(f"{server.url}/voila/render/notebooks/dashboard.ipynb")
            assert page.status_code in {302, 403}
        screen = open_screen(on=server).open_dashboard()
        expect(screen.page.locator(".wb-device").first).to_be_visible(timeout=LOAD_MS)
        screen.page.wait_for_timeout(2 * CULL_S * 1000)
        assert len(server.get("/api/kernels").json()) == 1, "a page that is open keeps its kernel"
        screen.page.goto("about:blank")
        limit = time.monotonic() + PATIENCE_S
        while server.get("/api/kernels").json():
            assert time.monotonic() < limit, "the kernel outlived its page"
            time.sleep(0.5)
    finally:
        server.stop()
