"""The live view: a world is walked through with held keys, seen at once, and recorded as a video."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from tests.browser.screen import LOAD_MS, RENDER_MS, Screen
from tests.engines.realtime.server import RealtimeServer
from tests.live_server import LiveServer
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings

pytestmark = pytest.mark.browser

_PICTURE = "(canvas) => canvas.toDataURL()"
_NOTE_HELD = """
(key) => new MutationObserver(() => { window.wbHeld ||= key.hasAttribute("data-held"); })
  .observe(key, { attributes: true })
"""
"""Notes that a key was held, however briefly."""
_PAST = re.compile(r"^([5-9]|\d\d+)$")
"""The number of a picture after the first few."""


@pytest.fixture
def manager(server: LiveServer) -> Iterator[JobManager]:
    """The jobs as another process sees them."""
    one = JobManager(Settings(outputs=server.outputs))
    yield one
    one.close()


def _open(screen: Screen) -> Locator:
    """Open the live view from the camera panel."""
    panel = screen.step.locator(".wb-camera")
    if panel.get_attribute("open") is None:
        panel.locator("summary").click()
    panel.get_by_role("button", name="Walk through it live").click()
    view = screen.page.get_by_role("dialog", name="Walk through it live")
    expect(view).to_be_visible()
    return view


def _picture(view: Locator) -> Locator:
    return view.locator(".wb-live-picture")


def _frame(view: Locator, number: re.Pattern[str] | str) -> None:
    expect(_picture(view)).to_have_attribute("data-frame", number, timeout=RENDER_MS)


def _walk_by_key(screen: Screen, view: Locator, key: str) -> None:
    """Hold a key until some pictures have been seen, then pause."""
    screen.page.keyboard.down(key)
    _frame(view, _PAST)
    screen.page.keyboard.up(key)
    view.get_by_role("button", name="Pause", exact=True).click()
    expect(view).to_have_attribute("data-state", "paused")


def test_a_world_is_walked_through_kept_and_found_in_results_with_its_path(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a red car on a coast road")
    screen.wait_for_videos(1)
    view = _open(screen)
    _frame(view, "0")
    expect(view).to_have_attribute("data-state", "ready")
    expect(view.locator(".wb-live-told")).to_have_text("Hold a key to start.")
    expect(view.get_by_role("button", name="Keep as video")).to_be_disabled()
    expect(view.locator(".wb-time")).to_have_text("0.0 of 30 s")
    before = _picture(view).evaluate(_PICTURE)
    _walk_by_key(screen, view, "d")
    assert _picture(view).evaluate(_PICTURE) != before
    screen.page.keyboard.press("p")
    expect(view).to_have_attribute("data-state", "walking")
    screen.page.keyboard.press("p")
    expect(view).to_have_attribute("data-state", "paused")
    expect(view.locator("[role=status]")).to_contain_text("Paused")
    view.get_by_role("button", name="Keep as video").click()
    look = view.get_by_role("button", name="Show in Results")
    expect(look).to_be_focused(timeout=RENDER_MS)
    screen.wait_for_job_count(manager, 2)
    request = manager.jobs(limit=1).jobs[0].request
    assert request.camera is not None
    assert request.camera.said.startswith("d-")
    screen.page.keyboard.press("Enter")
    expect(view).to_be_hidden()
    screen.wait_for_videos(2)
    screen.page.get_by_role("button", name=re.compile("^View: ")).first.click()
    viewer = screen.page.get_by_role("dialog", name="Video")
    viewer.get_by_role("button", name="Camera path").press("Enter")
    overlay = viewer.locator(".wb-path-overlay")
    expect(overlay.locator(".wb-map-path")).to_have_attribute("d", re.compile("L"))
    screen.assert_clean()


def test_a_walk_that_is_left_is_recorded_and_the_page_says_where(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen(still=True).open_dashboard()
    screen.enhance("a red car on a coast road")
    screen.wait_for_videos(1)
    view = _open(screen)
    opener = screen.step.get_by_role("button", name="Walk through it live")
    _frame(view, "0")
    screen.page.keyboard.press("Escape")
    expect(view).to_be_hidden()
    expect(opener).to_be_focused()
    screen.page.keyboard.press("Enter")
    _frame(view, "0")
    screen.page.keyboard.down("a")
    _frame(view, re.compile(r"^(1[89]|[2-9]\d|\d{3})$"))
    screen.page.keyboard.up("a")
    screen.page.keyboard.press("Escape")
    expect(view).to_be_hidden()
    told = screen.page.locator(".wb-toast").filter(has_text="is recorded")
    expect(told).to_contain_text("a video in Results", timeout=RENDER_MS)
    screen.wait_for_job_count(manager, 2)
    request = manager.jobs(limit=1).jobs[0].request
    assert request.camera is not None
    assert request.camera.said.startswith("a-")
    told.get_by_role("button", name="Show in Results").click()
    screen.wait_for_videos(2)
    screen.assert_clean()


def test_everything_is_done_with_the_keyboard_and_a_walk_becomes_the_camera_path(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(still=True).open_dashboard()
    screen.step.get_by_label("Your idea").fill("a wide lake, sails")
    view = _open(screen)
    _frame(view, "0")
    view.locator(".wb-key-d").evaluate(_NOTE_HELD)
    view.get_by_role("button", name="D: right").focus()
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_function("() => window.wbHeld", timeout=LOAD_MS)
    expect(view.locator(".wb-key-d")).not_to_have_attribute("data-held", "", timeout=LOAD_MS)
    _frame(view, _PAST)
    use = view.get_by_role("button", name="Use as camera path")
    use.focus()
    screen.page.keyboard.press("Enter")
    expect(view).to_have_attribute("data-state", "paused")
    expect(view.locator(".wb-live-told")).to_contain_text("next renders follow this path")
    results = Axe().run(screen.page, context=".wb-live")
    assert results.violations_count == 0, results.generate_report()
    again = view.get_by_role("button", name="Start over")
    again.focus()
    screen.page.keyboard.press("Enter")
    _frame(view, "0")
    expect(view.locator(".wb-live-stage")).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(view).to_be_hidden()
    value = screen.step.locator(".wb-camera-value")
    expect(value).to_contain_text(re.compile(r"d-\d+"), timeout=LOAD_MS)
    screen.assert_clean()


def test_a_finger_holds_the_keys_on_a_narrow_screen_and_an_idea_becomes_a_session(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(width=390, height=844, touch=True, still=True).open_dashboard()
    screen.step.get_by_label("Your idea").fill("a red car on a coast road")
    view = _open(screen)
    _frame(view, "0")
    for button in view.get_by_role("button").all():
        box = button.bounding_box()
        if box is not None:
            assert min(box["width"], box["height"]) >= 44, button.inner_text()
    assert screen.page.evaluate(
        "document.querySelector('.wb-live').scrollWidth <= document.documentElement.clientWidth"
    )
    box = view.get_by_role("button", name="W: forward").bounding_box()
    assert box is not None
    touch = screen.context.new_cdp_session(screen.page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(view.locator(".wb-key-w")).to_have_attribute("data-held", "")
    _frame(view, _PAST)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(view.locator(".wb-key-w")).not_to_have_attribute("data-held", "")
    view.get_by_role("button", name="Keep as video").tap()
    view.get_by_role("button", name="Show in Results").tap(timeout=RENDER_MS)
    screen.wait_for_videos(1)
    screen.assert_clean()


def test_a_page_that_goes_ends_its_world_and_a_hidden_one_pauses(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(still=True).open_dashboard()
    screen.enhance("a red car on a coast road")
    view = _open(screen)
    _frame(view, "0")
    screen.page.keyboard.down("a")
    _frame(view, _PAST)
    screen.page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect(view).to_have_attribute("data-state", "paused")
    expect(view.locator(".wb-key-a")).not_to_have_attribute("data-held", "")


def test_a_servers_world_is_on_the_screen_and_what_broke_off_is_told_and_recorded(
    open_screen: Callable[..., Screen], tmp_path: Path
) -> None:
    drop = threading.Event()

    def fault(socket: Any, _: int) -> bool:
        if drop.wait(0.05):
            drop.clear()
            socket.socket.close()
        return False

    environment = {"WORKBENCH_REMOTE_RETRIES": "0"}
    with RealtimeServer(fault) as fake:
        environment |= {"WORKBENCH_REMOTE_BASE_URL": fake.url, "WORKBENCH_REMOTE_WORLDS": "true"}
        with LiveServer(tmp_path / "outputs", environment=environment) as server:
            screen = open_screen(on=server, still=True).open_dashboard()
            panel = screen.open_settings()
            seed = panel.get_by_role("spinbutton", name="Seed")
            seed.fill("3")
            seed.press("Tab")
            expect(screen.page.get_by_role("button", name=re.compile("seed 3$"))).to_be_visible()
            screen.page.keyboard.press("Escape")
            screen.enhance("a red car on a coast road")
            view = _open(screen)
            expect(view.get_by_label("Whose world")).to_have_value("realtime", timeout=RENDER_MS)
            _frame(view, _PAST)
            expect(view.get_by_role("button", name="Pause", exact=True)).to_be_hidden()
            dark = _picture(view).evaluate(_PICTURE)
            screen.page.keyboard.down("w")
            screen.page.wait_for_function(
                "(dark) => document.querySelector('.wb-live-picture').toDataURL() !== dark",
                arg=dark,
                timeout=RENDER_MS,
            )
            drop.set()
            notice = view.get_by_role("alert")
            expect(notice).to_contain_text("The realtime server", timeout=RENDER_MS)
            expect(view).to_have_attribute("data-state", "kept", timeout=RENDER_MS)
            screen.page.keyboard.up("w")
            look = view.get_by_role("button", name="Show in Results")
            expect(look).to_be_visible(timeout=RENDER_MS)
            expect(notice).to_be_visible()
            look.click()
            screen.wait_for_videos(2)
            view = _open_again(screen)
            view.get_by_label("Whose world").select_option("animatic")
            expect(view).to_have_attribute("data-state", "ready", timeout=RENDER_MS)
            assert [one["kind"] for one in fake.events][:1] == ["camera_actions"]


def _open_again(screen: Screen) -> Locator:
    screen.go("Prompt")
    return _open(screen)
