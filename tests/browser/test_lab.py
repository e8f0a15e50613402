"""The journey in the real JupyterLab."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, RENDER_MS, Screen
from tests.live_server import ROOT, TOKEN

pytestmark = pytest.mark.browser


def test_the_four_steps_lead_from_an_idea_to_finished_videos(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_lab()

    screen.enhance("dog running")
    expect(screen.prompt).to_contain_text("dog")
    expect(screen.prompt.locator(".wb-mine").first).to_be_visible()
    expect(screen.page.locator(".wb-devices")).to_be_in_viewport()
    screen.wait_until_playing(".wb-step-prompt video")

    screen.make_variations()
    names = screen.step.locator(".wb-card-name:visible")
    expect(names).to_have_count(7)
    assert all(name.strip() for name in names.all_inner_texts())
    screen.render_all()
    screen.wait_for_videos(8)
    expect(screen.step.get_by_text("8 videos finished.")).to_be_visible()
    screen.wait_until_playing(".wb-step-variations video")

    screen.cards.nth(3).get_by_role("button", name="Tune this").click()
    request = screen.step.get_by_label("What should be different")
    request.fill("at night, in heavy rain")
    request.press("Enter")
    answer = screen.step.locator(".wb-turn").last
    expect(answer.locator(".wb-changes li").first).to_be_visible(timeout=LOAD_MS)
    expect(screen.prompt.locator(".wb-fresh").first).to_be_visible()
    screen.button("Apply changes & generate").click()
    takes = screen.step.locator(".wb-take [data-shows=video]")
    expect(takes.first).to_be_visible(timeout=RENDER_MS)

    screen.go("Results")
    screen.wait_for_videos(10)
    screen.wait_until_playing(".wb-results video", 2)
    screen.assert_clean()


def test_the_launcher_tile_opens_the_workbench_without_a_dialog(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen()
    screen.page.goto(f"{screen.server.url}/lab?reset&token={TOKEN}", timeout=LOAD_MS)
    tile = screen.page.locator(".jp-LauncherCard", has_text="World Model Workbench")
    tile.click(timeout=LOAD_MS)
    expect(screen.page.get_by_role("tab", name="workbench.ipynb")).to_be_visible(timeout=LOAD_MS)
    expect(screen.workbench).to_be_visible(timeout=LOAD_MS)
    assert screen.page.locator(".jp-Dialog").count() == 0
    assert screen.page.get_by_text("Jupyter news").count() == 0
    screen.assert_clean()


def test_on_a_phone_the_file_browser_is_collapsed(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(width=390, touch=True).open_lab()
    screen.enhance("dog running")
    screen.wait_until_playing(".wb-step-prompt video")
    room = screen.workbench.evaluate("(node) => [node.scrollWidth, node.clientWidth]")
    assert room[0] <= room[1]
    assert room[1] > 220


def test_saving_a_notebook_does_not_change_the_shipped_one(
    open_screen: Callable[..., Screen],
) -> None:
    theirs = ROOT / "notebooks" / "workbench.ipynb"
    before = theirs.read_bytes()
    screen = open_screen().open_lab()
    expect(screen.page.locator(".wb-device").first).to_be_visible(timeout=LOAD_MS)
    screen.page.locator(".jp-Notebook .jp-MarkdownCell").first.click()
    screen.page.keyboard.press("Control+S")
    copy = screen.server.root / "notebooks" / "workbench.ipynb"
    limit = time.monotonic() + 120
    while b"widget-view" not in copy.read_bytes():
        assert time.monotonic() < limit, "the notebook was not saved"
        time.sleep(0.1)
    assert theirs.read_bytes() == before


def test_the_notebook_has_the_prompts_and_jobs_shown_on_the_screen(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_lab()
    screen.enhance("a lighthouse in a storm")
    cell = screen.page.locator(".jp-Notebook .jp-CodeCell").nth(1)
    cell.locator(".cm-content").click()
    screen.page.keyboard.press("Shift+Enter")
    expect(cell.locator(".jp-OutputArea-output").last).to_contain_text(
        re.compile("Session s_"), timeout=LOAD_MS
    )


def test_the_screen_stays_responsive_while_a_cell_runs(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_lab()
    # once the kernel has answered, JupyterLab has its side channel (a subshell) for the widget
    expect(screen.page.locator(".wb-device").first).to_be_visible(timeout=LOAD_MS)
    cell = screen.page.locator(".jp-Notebook .jp-CodeCell").nth(1)
    cell.locator(".cm-content").click()
    screen.page.keyboard.press("Control+A")
    screen.page.keyboard.type("import threading; threading.Event().wait()")
    screen.page.keyboard.press("Shift+Enter")
    expect(
        screen.page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")
    ).to_be_attached()
    screen.enhance("a fox in the snow")
    screen.wait_until_playing(".wb-step-prompt video")
    expect(
        screen.page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")
    ).to_be_attached()
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name=re.compile("Interrupt")).first.click()
