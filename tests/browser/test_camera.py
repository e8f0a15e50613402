"""The camera panel: a path is drawn, dragged, typed and held, and the storyboard follows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.front_end import entry_view, job_view, open_front_end
from tests.browser.screen import LOAD_MS, RENDER_MS, Screen
from tests.live_server import LiveServer
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings

pytestmark = pytest.mark.browser

_PICTURE = "(canvas) => canvas.toDataURL()"
_COUNT_STRIPS = """() => {
  const make = window.createImageBitmap;
  window.strips = 0;
  window.createImageBitmap = (...of) => { window.strips += 1; return make(...of); };
}"""
"""Counts storyboards drawn along the path, each of which follows an answer of the kernel."""
_COUNT_TICKS = """() => {
  const ask = window.requestAnimationFrame;
  window.ticks = 0;
  window.requestAnimationFrame = (work) => {
    if (String(work).includes("_tick")) window.ticks += 1;
    return ask(work);
  };
}"""
"""Counts the frames that the storyboard in a panel and the path over a video ask for."""
_RESTS = """async () => {
  const before = window.ticks;
  for (let frame = 0; frame < 10; frame += 1) await new Promise(requestAnimationFrame);
  return window.ticks === before;
}"""


@pytest.fixture
def manager(server: LiveServer) -> Iterator[JobManager]:
    """The jobs as another process sees them."""
    one = JobManager(Settings(outputs=server.outputs))
    yield one
    one.close()


def _panel(screen: Screen) -> Locator:
    """Open the camera panel of the step."""
    panel = screen.step.locator(".wb-camera")
    if panel.get_attribute("open") is None:
        panel.locator("summary").click()
    expect(panel.get_by_label("Named move").locator("option")).not_to_have_count(
        0, timeout=RENDER_MS
    )
    expect(panel.locator("canvas[data-pictures]")).to_be_visible(timeout=LOAD_MS)
    return panel


def _value(panel: Locator) -> Locator:
    return panel.locator(".wb-camera-value")


def _keyframes(panel: Locator) -> Locator:
    return panel.locator(".wb-map-key")


def _middle(node: Locator) -> tuple[float, float]:
    node.scroll_into_view_if_needed()
    box = node.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _draw(screen: Screen, panel: Locator) -> None:
    """Drag from the camera: to the right, then forward."""
    x, y = _middle(_keyframes(panel).first.locator(".wb-map-dot"))
    mouse = screen.page.mouse
    mouse.move(x, y)
    mouse.down()
    for step in range(1, 9):
        mouse.move(x + 8 * step, y)
    for step in range(1, 9):
        mouse.move(x + 64, y - 6 * step)
    mouse.up()
    expect(_value(panel)).to_have_text("a drawn path", timeout=LOAD_MS)


def test_a_path_is_drawn_and_dragged_the_storyboard_follows_and_the_render_takes_it(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen(still=True).open_dashboard()
    screen.enhance("a red car on a coast road")
    screen.wait_for_videos(1)
    panel = _panel(screen)
    expect(_value(panel)).to_have_text("as the prompt says")
    before = panel.locator("canvas").evaluate(_PICTURE)
    _draw(screen, panel)
    expect(panel).to_have_attribute("data-changed", "")
    count = _keyframes(panel).count()
    assert count >= 3
    screen.page.wait_for_function(
        "(before) => document.querySelector('.wb-step:not([hidden]) .wb-flip').toDataURL() !== before",
        arg=before,
        timeout=LOAD_MS,
    )
    last = _keyframes(panel).last
    told = last.get_attribute("aria-label")
    x, y = _middle(last.locator(".wb-map-dot"))
    screen.page.mouse.move(x, y)
    screen.page.mouse.down()
    screen.page.mouse.move(x + 20, y + 10, steps=6)
    screen.page.mouse.up()
    expect(last).not_to_have_attribute("aria-label", told or "", timeout=LOAD_MS)
    expect(panel.locator("[role=status]")).to_contain_text(f"Keyframe {count} at", timeout=LOAD_MS)
    dragged = last.get_attribute("aria-label")
    panel.get_by_role("button", name="Undo").click()
    expect(last).to_have_attribute("aria-label", told or "", timeout=LOAD_MS)
    panel.get_by_role("button", name="Redo").click()
    expect(last).to_have_attribute("aria-label", dragged or "", timeout=LOAD_MS)
    screen.button("Tune it first").click()
    screen.button("Generate again").click()
    screen.wait_for_job_count(manager, 2)
    camera = manager.jobs(limit=1).jobs[0].request.camera
    assert camera is not None
    assert camera.way == "poses"
    end = camera.camera_path().c2w[-1]
    assert end[0, 3] > 0.2
    assert end[2, 3] > 0.1
    screen.assert_clean()


def test_the_path_stays_when_the_page_is_loaded_anew_and_the_prompts_own_comes_back(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(still=True).open_dashboard()
    screen.enhance("a red car on a coast road")
    panel = _panel(screen)
    panel.get_by_label("Named move").select_option("orbit left")
    panel.get_by_role("button", name="Only this").click()
    expect(_value(panel)).to_have_text("orbit left", timeout=LOAD_MS)
    panel.get_by_label("Named move").select_option("dolly in")
    panel.get_by_role("button", name="Add move").click()
    expect(_value(panel)).to_have_text("orbit left, then dolly in", timeout=LOAD_MS)
    screen.page.reload()
    expect(screen.prompt).to_be_visible(timeout=LOAD_MS)
    panel = screen.step.locator(".wb-camera")
    expect(_value(panel)).to_have_text("orbit left, then dolly in", timeout=LOAD_MS)
    expect(_keyframes(panel).nth(2)).to_be_visible(timeout=LOAD_MS)
    panel.get_by_role("button", name="As the prompt says").click()
    expect(_value(panel)).to_have_text("as the prompt says", timeout=LOAD_MS)
    expect(_keyframes(panel)).to_have_count(1)


def test_a_click_opens_the_panel_though_the_page_is_drawn_before_the_browser_tells_of_it(
    open_screen: Callable[..., Screen],
) -> None:
    """On a busy machine an update comes between the click and the browser's toggle event."""
    screen = open_screen(still=True).open_dashboard()
    panel = screen.step.locator(".wb-camera")
    panel.evaluate(
        "(one) => one.addEventListener('toggle', (event) => event.stopImmediatePropagation(), { capture: true })"
    )
    panel.locator("summary").click()
    screen.enhance("a red car on a coast road")
    screen.wait_for_videos(1)
    expect(panel.get_by_label("Named move").locator("option")).not_to_have_count(
        0, timeout=RENDER_MS
    )
    expect(panel.get_by_label("Named move")).to_be_visible()


def test_a_path_that_cannot_be_read_is_told_and_nothing_is_changed(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(still=True).open_dashboard()
    panel = _panel(screen)
    expect(panel.locator("canvas[data-pictures='32']")).to_be_visible(timeout=LOAD_MS)
    screen.page.evaluate(_COUNT_STRIPS)
    text = panel.get_by_label("Path in words or keys")
    text.fill("w-20,x-9")
    text.press("Enter")
    expect(panel.get_by_role("alert")).to_contain_text("unknown keys", timeout=LOAD_MS)
    screen.page.wait_for_function("window.strips > 0", timeout=LOAD_MS)
    expect(panel.get_by_role("alert")).to_contain_text("unknown keys")
    expect(text).to_have_value("w-20,x-9")
    expect(_value(panel)).to_have_text("as the prompt says")
    text.fill("w-20,jw-9")
    text.press("Enter")
    expect(_value(panel)).to_have_text("w-20,jw-9", timeout=LOAD_MS)
    expect(panel.get_by_role("alert")).to_be_hidden()


def test_what_is_out_of_sight_is_not_drawn(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a red car on a coast road")
    _panel(screen)
    screen.page.evaluate(_COUNT_TICKS)
    screen.page.wait_for_function("window.ticks > 10", timeout=LOAD_MS)
    screen.go("Variations")
    screen.page.wait_for_function(_RESTS, timeout=LOAD_MS)
    screen.go("Prompt")
    screen.page.evaluate("window.ticks = 0")
    screen.page.wait_for_function("window.ticks > 10", timeout=LOAD_MS)


def test_a_new_session_has_nothing_of_the_one_before_to_undo(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(still=True).open_dashboard()
    screen.enhance("a red car on a coast road")
    panel = _panel(screen)
    panel.get_by_label("Named move").select_option("orbit left")
    panel.get_by_role("button", name="Only this").click()
    expect(_value(panel)).to_have_text("orbit left", timeout=LOAD_MS)
    undo = panel.get_by_role("button", name="Undo")
    expect(undo).to_be_enabled(timeout=LOAD_MS)
    screen.begin_session()
    panel = _panel(screen)
    expect(_value(panel)).to_have_text("as the prompt says", timeout=LOAD_MS)
    expect(undo).to_be_disabled()


def test_everything_is_done_with_the_keyboard_alone(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen(still=True).open_dashboard()
    panel = _panel(screen)
    keys = screen.page.keyboard
    idea = screen.step.get_by_label("Your idea")
    idea.focus()
    keys.type("a wide lake, sails")
    expect(idea).to_have_value("a wide lake, sails")
    expect(_value(panel)).to_have_text("as the prompt says")
    _keyframes(panel).first.focus()
    keys.down("w")
    keys.down("j")
    screen.page.wait_for_timeout(700)
    keys.up("j")
    keys.up("w")
    expect(_value(panel)).to_contain_text("jw-", timeout=LOAD_MS)
    panel.get_by_role("button", name="D: right").focus()
    keys.press("Enter")
    expect(_value(panel)).to_contain_text("d-8", timeout=LOAD_MS)
    count = _keyframes(panel).count()
    _keyframes(panel).nth(1).focus()
    keys.press("ArrowLeft")
    expect(panel.locator("[role=status]")).to_contain_text("Keyframe 2 at", timeout=LOAD_MS)
    keys.press("Enter")
    expect(_keyframes(panel)).to_have_count(count + 1, timeout=LOAD_MS)
    _keyframes(panel).last.focus()
    keys.press("Delete")
    expect(_keyframes(panel)).to_have_count(count, timeout=LOAD_MS)
    turn = panel.get_by_label("Turn °")
    turn.fill("35")
    turn.press("Enter")
    expect(_keyframes(panel).last).to_have_attribute(
        "aria-label", re.compile("turned 35 degrees right"), timeout=LOAD_MS
    )
    screen.assert_clean()


def test_a_finger_draws_and_holds_on_a_narrow_screen(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen(width=390, height=844, touch=True, still=True).open_dashboard()
    panel = _panel(screen)
    for name in ("W: forward", "L: turn right", "Undo", "Add keyframe"):
        box = panel.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, name
    assert screen.page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    x, y = _middle(_keyframes(panel).first.locator(".wb-map-dot"))
    touch = screen.context.new_cdp_session(screen.page)

    def finger(kind: str, *points: dict[str, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    finger("touchStart", {"x": x, "y": y})
    for step in range(1, 12):
        finger("touchMove", {"x": x - 6 * step, "y": y - 3 * step})
    finger("touchEnd")
    expect(_value(panel)).to_have_text("a drawn path", timeout=LOAD_MS)
    panel.get_by_role("button", name="As the prompt says").tap()
    expect(_value(panel)).to_have_text("as the prompt says", timeout=LOAD_MS)
    x, y = _middle(panel.get_by_role("button", name="W: forward"))
    finger("touchStart", {"x": x, "y": y})
    expect(panel.locator(".wb-key-w")).to_have_attribute("data-held", "")
    screen.page.wait_for_timeout(900)
    finger("touchEnd")
    expect(_value(panel)).to_contain_text("w-", timeout=LOAD_MS)
    screen.assert_clean()


def test_a_video_shows_its_path_in_step_and_is_forked_compared_and_found_in_the_history(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a red car on a coast road")
    screen.wait_for_videos(1)
    panel = _panel(screen)
    text = panel.get_by_label("Path in words or keys")
    text.fill("orbit left 30 degrees")
    text.press("Enter")
    expect(_value(panel)).to_have_text("orbit left 30 degrees", timeout=LOAD_MS)
    screen.button("Tune it first").click()
    screen.button("Generate again").click()
    screen.wait_for_job_count(manager, 2)
    screen.go("Results")
    screen.wait_for_videos(2)
    plain = screen.page.get_by_role("button", name=re.compile("^View: ")).last
    plain.click()
    viewer = screen.page.get_by_role("dialog", name="Video")
    fork = viewer.get_by_role("button", name="Fork here")
    expect(viewer.get_by_role("button", name="Camera path")).to_be_hidden()
    expect(fork).to_have_attribute("aria-disabled", "true")
    expect(viewer).to_contain_text("has no camera path")
    viewer.get_by_role("button", name="Previous").click()
    viewer.get_by_role("button", name="Camera path").click()
    overlay = viewer.locator(".wb-path-overlay")
    expect(overlay).to_be_visible()
    video = viewer.locator("video")
    for share in (0.25, 0.75):
        video.evaluate("(v, share) => { v.pause(); v.currentTime = share * v.duration; }", share)
        expect(overlay).to_have_attribute(
            "data-share", re.compile(rf"0\.{int(share * 100)}|0\.{int(share * 100) + 1}")
        )
    video.evaluate("(v) => { v.pause(); v.currentTime = 1.5; }")
    fork.focus()
    screen.page.keyboard.press("Enter")
    form = viewer.get_by_role("group", name="Fork")
    expect(form).to_contain_text("From 1.50 s on")
    expect(form.get_by_label("Where the camera goes from here")).to_have_value("a-40")
    screen.page.keyboard.press("Enter")
    screen.wait_for_job_count(manager, 3)
    made = manager.jobs(limit=1).jobs[0]
    parent = manager.jobs(limit=3).jobs[1]
    assert made.request.options["fork"] == {"of": parent.job_id, "frame": 36}
    expect(viewer).to_contain_text("a-40", timeout=LOAD_MS)
    screen.page.keyboard.press("Escape")
    screen.wait_for_videos(3)
    for card in (0, 1):
        screen.step.locator(".wb-results > article").nth(card).get_by_role("checkbox").check()
    screen.button("Compare 2").click()
    expect(screen.page.locator("dialog[open] video")).to_have_count(2, timeout=LOAD_MS)
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name="History").click()
    tree = screen.page.get_by_role("dialog", name="History")
    node = tree.get_by_role("button", name=re.compile("Fork at 1.5 s"))
    expect(node).to_contain_text("a-40")
    node.focus()
    screen.page.keyboard.press("Enter")
    expect(viewer).to_be_visible()
    expect(viewer.locator(".wb-viewer-caption")).to_contain_text("a-40")
    screen.assert_clean()


def _filmed(index: int) -> dict[str, Any]:
    return job_view(index) | {
        "state": "complete",
        "camera": {"words": "orbit left", "said": "orbit left"},
        "video_url": f"static/videos/j_{index}/video.mp4",
    }


def test_no_path_of_another_video_stands_over_one_whose_path_is_loaded(browser: Browser) -> None:
    page = open_front_end(
        browser, entries=[entry_view(i) for i in range(2)], jobs=[_filmed(i) for i in range(2)]
    )
    page.evaluate(
        """() => {
          window.values.job_camera = { curve: [[0, 0, 0, 0], [1, 0.5, 0, 0]], duration_s: 1 };
          window.values.takes = [];
        }"""
    )
    page.get_by_role("navigation", name="Steps").get_by_role("button", name="Results").click()
    page.get_by_role("button", name=re.compile("^View: ")).first.click()
    viewer = page.get_by_role("dialog", name="Video")
    viewer.get_by_role("button", name="Camera path").click()
    overlay = viewer.locator(".wb-path-overlay")
    expect(overlay).to_be_visible()
    page.evaluate("window.held = []")
    viewer.get_by_role("button", name="Next").click()
    expect(viewer.get_by_role("heading", name="Video 2 of 2")).to_be_visible()
    expect(overlay).to_be_hidden()
    page.evaluate("window.release()")
    expect(overlay).to_be_visible()
    page.context.close()


def test_the_panel_works_in_a_notebook_and_its_keys_stay_out_of_the_notebook(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(still=True).open_lab()
    screen.enhance("a red car on a coast road")
    panel = _panel(screen)
    _keyframes(panel).first.focus()
    for key in ("d", "d", "a", "j"):  # JupyterLab's own: delete a cell, add one
        screen.page.keyboard.press(key)
    expect(_value(panel)).to_contain_text("j-8", timeout=LOAD_MS)
    expect(screen.workbench).to_be_visible()
    panel.get_by_role("button", name="Undo").click()
    expect(_value(panel)).not_to_contain_text("j-8", timeout=LOAD_MS)
    screen.assert_clean()


def test_the_panel_on_tune_sets_the_path_of_the_next_render(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(still=True).open_dashboard()
    screen.enhance("a red car on a coast road")
    screen.wait_for_videos(1)
    screen.go("Tune")
    panel = _panel(screen)
    expect(_value(panel)).to_have_text("as the prompt says")
    panel.get_by_label("Path in words or keys").fill("orbit left 20 degrees")
    panel.get_by_label("Path in words or keys").press("Enter")
    expect(_value(panel)).to_have_text("orbit left 20 degrees", timeout=LOAD_MS)
    _draw(screen, panel)
    expect(_value(panel)).not_to_have_text("orbit left 20 degrees", timeout=LOAD_MS)
    panel.get_by_role("button", name="Undo").click()
    expect(_value(panel)).to_have_text("orbit left 20 degrees", timeout=LOAD_MS)
    screen.go("Prompt")
    expect(_value(_panel(screen))).to_have_text("orbit left 20 degrees", timeout=LOAD_MS)
