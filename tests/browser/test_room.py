"""Layout and keys: own tab, full window, three widths, dark mode, list of shortcuts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.screen import LOAD_MS, Screen
from tests.jobs.shop import PATIENCE_S
from tests.live_server import LiveServer, end_supervisor
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings

pytestmark = pytest.mark.browser

_ABREAST: Final = """
() => {
  const [one, two] = [...document.querySelectorAll(".wb-step-variations article")]
    .map((card) => card.getBoundingClientRect());
  return one.top === two.top && two.left >= one.right;
}
"""


def _box(one: Locator) -> dict[str, float]:
    box = one.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def test_in_jupyterlab_the_workbench_opens_in_its_own_tab(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_lab()
    screen.enhance("dog running")
    narrow = _box(screen.workbench)["width"]
    screen.page.get_by_role("button", name="Open in a tab of its own").click()
    tab = screen.page.locator(".lm-TabBar-tab", has_text="World Model Workbench")
    expect(tab).to_be_visible(timeout=LOAD_MS)
    own = screen.page.locator(".jp-LinkedOutputView .wb")
    expect(own.locator(".wb-prompt-text").first).to_contain_text("dog", timeout=LOAD_MS)
    expect(own).to_be_in_viewport()
    assert _box(own)["width"] > narrow
    tab.locator(".lm-TabBar-tabCloseIcon").click()
    expect(screen.workbench).to_have_count(1)


def test_the_workbench_enters_and_leaves_full_window_mode(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_lab()
    full = screen.page.get_by_role("button", name="Full window")
    full.click()
    screen.page.wait_for_function("() => document.fullscreenElement?.classList.contains('wb')")
    full.click()
    screen.page.wait_for_function("() => !document.fullscreenElement")


def test_the_apply_button_is_visible_beside_the_conversation(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_lab()
    screen.enhance("dog running")
    screen.button("Tune it first").click()
    screen.step.get_by_label("What should be different").fill("at night")
    screen.page.keyboard.press("Enter")
    expect(screen.step.locator(".wb-turn").last).to_contain_text("night", timeout=LOAD_MS)
    expect(screen.button("Apply changes & generate")).to_be_in_viewport(ratio=1)


def test_at_1024_pixels_the_desktop_layout_is_used(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen(width=1024).open_lab()
    steps = screen.page.get_by_role("navigation", name="Steps").get_by_role("button")
    number, name = steps.first.locator(".wb-step-number"), steps.first.locator(".wb-step-name")
    assert _box(name)["x"] > _box(number)["x"] + 10, "the name stands beside its number"
    expect(screen.page.get_by_role("button", name="Sessions").locator("span")).to_be_visible()


def test_on_a_phone_the_conversation_comes_first_and_cards_form_two_columns(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(width=390, touch=True, still=True).open_dashboard()
    screen.enhance("dog running")
    screen.make_variations()
    screen.page.wait_for_function(_ABREAST, timeout=LOAD_MS)  # once the cards are laid out
    screen.go("Tune")
    talk = _box(screen.step.get_by_label("Conversation with the prompt"))
    assert talk["y"] < _box(screen.step.locator(".wb-player").first)["y"]


def test_the_dashboard_follows_the_systems_colour_scheme_and_its_own_switch(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen()
    ground = "() => getComputedStyle(document.querySelector('.wb')).backgroundColor"
    screen.page.emulate_media(color_scheme="dark")
    screen.open_dashboard()
    dark = screen.page.evaluate(ground)
    screen.page.emulate_media(color_scheme="light")
    screen.page.wait_for_function(f"(dark) => ({ground})() !== dark", arg=dark)
    light = screen.page.evaluate(ground)
    screen.page.get_by_role("button", name="Light or dark").click()
    assert screen.page.evaluate(ground) == dark
    screen.page.reload()
    expect(screen.workbench).to_be_visible(timeout=LOAD_MS)
    assert screen.page.evaluate(ground) == dark, "the browser remembers"
    screen.page.get_by_role("button", name="Light or dark").click()
    assert screen.page.evaluate(ground) == light


def test_the_idea_field_has_focus_and_a_key_lists_the_shortcuts(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    expect(screen.step.get_by_label("Your idea")).to_be_focused()
    screen.page.keyboard.type("dog running?")
    expect(screen.step.get_by_label("Your idea")).to_have_value("dog running?")
    screen.page.keyboard.press("Control+Enter")
    screen.wait_for_videos(1)
    screen.page.get_by_role("navigation", name="Steps").get_by_role("button", name="Results").press(
        "Enter"
    )
    screen.page.keyboard.press("?")
    keys = screen.page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("one frame back or forward")
    screen.page.keyboard.press("Escape")
    screen.cards.first.get_by_role("button", name="View").click()
    screen.wait_until_playing(".wb-viewer video")
    at = "() => document.querySelector('.wb-viewer video').currentTime"
    screen.page.get_by_role("dialog", name="Video", exact=True).press(",")
    before = screen.page.evaluate(at)
    screen.page.keyboard.press(".")
    assert screen.page.evaluate(at) - before == pytest.approx(1 / 24, abs=0.002)


def test_a_move_of_the_pointer_calls_back_the_workers_that_have_left(
    open_screen: Callable[..., Screen], server: LiveServer
) -> None:
    screen = open_screen().open_dashboard()
    page, jobs = screen.page, JobManager(Settings(outputs=server.outputs))

    def wait_for_supervisor(*, there: bool) -> None:
        limit = time.monotonic() + PATIENCE_S
        while (jobs.supervisor() is not None) is not there:
            assert time.monotonic() < limit
            page.wait_for_timeout(50)

    try:
        wait_for_supervisor(there=True)  # the page has called for it as it opened
        end_supervisor(server.outputs)
        wait_for_supervisor(there=False)
        page.mouse.move(300, 300)
        page.mouse.move(320, 320)
        wait_for_supervisor(there=True)
    finally:
        jobs.close()
