"""Steps 2 to 4: cards, tuning with undo, synchronised results, comparing, downloading."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen import LOAD_MS, Screen
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def screen(browser: Browser, server: LiveServer) -> Iterator[Screen]:
    """A dashboard with eight finished variations."""
    one = Screen(browser, server).open_dashboard()
    one.enhance("dog running")
    one.make_variations()
    one.render_all()
    one.wait_for_videos(8)
    yield one
    one.close()


def test_a_chip_is_edited_and_locked_and_the_prompt_follows(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a dog running on a beach at noon")
    screen.step.get_by_role("button", name="Time:").click()
    screen.step.get_by_role("button", name="night", exact=True).click()
    expect(screen.prompt).to_contain_text("night", timeout=LOAD_MS)
    screen.step.get_by_role("button", name="Lock time").click()
    expect(screen.step.get_by_role("button", name="Unlock time")).to_be_visible(timeout=LOAD_MS)
    screen.button("Tune it first").click()
    request = screen.step.get_by_label("What should be different")
    request.fill("at noon, from a low angle")
    request.press("Enter")
    expect(screen.step.locator(".wb-turn").last).to_contain_text("low angle", timeout=LOAD_MS)
    expect(screen.step.get_by_role("button", name="Time: night")).to_be_visible()


def test_an_earlier_answer_is_undone_and_the_later_one_stays(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a dog running on a beach in fog")
    screen.button("Tune it first").click()
    request = screen.step.get_by_label("What should be different")
    for said, seen in (("in heavy rain", "rain"), ("from a low angle", "low angle")):
        request.fill(said)
        request.press("Enter")
        answer = screen.step.locator(".wb-turn").last.locator(".wb-changes")
        expect(answer).to_contain_text(seen, timeout=LOAD_MS)
    screen.step.get_by_role("button", name="Undo: in heavy rain").click()
    expect(screen.step.get_by_role("button", name="Angle: low angle")).to_be_visible()
    weather = screen.step.get_by_role("button", name="Weather:")
    expect(weather).not_to_have_accessible_name("Weather: heavy rain. Edit", timeout=LOAD_MS)


def test_a_request_that_is_not_understood_changes_nothing_and_says_so(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("dog running")
    screen.button("Tune it first").click()
    before = screen.prompt.inner_text()
    request = screen.step.get_by_label("What should be different")
    request.fill("qwertz uiop")
    request.press("Enter")
    missed = screen.step.locator(".wb-turn[data-missed]")
    expect(missed).to_be_visible(timeout=LOAD_MS)
    expect(screen.prompt).to_have_text(before)


def test_cards_are_pinned_removed_and_generated_anew(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("dog running")
    screen.make_variations()
    kept = screen.cards.nth(2).locator(".wb-card-text").inner_text()
    other = screen.cards.nth(4).locator(".wb-card-text").inner_text()
    screen.cards.nth(2).get_by_role("button", name="Pin").click()
    expect(screen.cards.nth(2)).to_have_attribute("data-pinned", "")
    screen.cards.nth(7).get_by_role("button", name="Remove this card").click()
    expect(screen.cards).to_have_count(7)
    screen.step.get_by_label("How many").fill("6")
    screen.step.get_by_role("button", name="Weather", exact=True).click()
    screen.button("Make new ones").click()
    expect(screen.cards).to_have_count(6, timeout=LOAD_MS)
    texts = screen.cards.locator(".wb-card-text").all_inner_texts()
    assert kept in texts
    assert other not in texts
    assert len(set(texts)) == 6


def test_the_results_play_and_pause_in_sync(screen: Screen) -> None:
    screen.go("Results")
    screen.wait_until_playing(".wb-results video", 4)
    screen.page.wait_for_function(
        """() => {
          const playing = [...document.querySelectorAll('.wb-results video')].filter((v) => !v.paused);
          const apart = (v) => Math.abs(v.currentTime - playing[0].currentTime);
          const gaps = playing.map((v) => Math.min(apart(v), v.duration - apart(v)));
          return gaps.length >= 4 && Math.max(...gaps) < 0.35;
        }"""
    )
    screen.step.get_by_role("button", name="Pause").click()
    assert screen.playing(".wb-results video") == 0
    screen.step.get_by_label("Position in all videos").fill("500")
    halfway = screen.page.evaluate(
        "() => [...document.querySelectorAll('.wb-results video')]"
        ".filter((v) => v.readyState).map((v) => v.currentTime / v.duration)"
    )
    assert all(abs(place - 0.5) < 0.05 for place in halfway)


def test_videos_are_starred_filtered_and_compared(screen: Screen) -> None:
    screen.go("Results")
    screen.cards.nth(1).get_by_role("button", name="Star").click()
    expect(screen.cards.nth(1).get_by_role("button", name="Unstar")).to_be_visible(timeout=LOAD_MS)
    screen.step.get_by_label("Show").select_option("Starred")
    expect(screen.cards).to_have_count(1)
    screen.step.get_by_label("Show").select_option("All")
    expect(screen.cards).to_have_count(9)
    for place in (1, 2):
        screen.cards.nth(place).get_by_role("checkbox").check()
    screen.button("Compare 2").click()
    dialog = screen.page.get_by_role("dialog", name="Compare videos")
    expect(dialog.locator("video")).to_have_count(2)
    screen.wait_until_playing(".wb-compare video", 2)
    dialog.get_by_label("Wipe across").fill("20")
    edge = dialog.locator(".wb-compare-stage").evaluate("(n) => n.style.getPropertyValue('--wb-x')")
    assert edge == "20%"
    screen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_video_opens_enlarged_and_arrow_keys_reach_its_neighbours(screen: Screen) -> None:
    screen.go("Results")
    screen.cards.nth(1).get_by_role("button", name="View:").click()
    viewer = screen.page.get_by_role("dialog", name="Video", exact=True)
    expect(viewer.get_by_role("heading", name="Video 2 of 9")).to_be_visible()
    screen.wait_until_playing(".wb-viewer video")
    screen.page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("heading", name="Video 3 of 9")).to_be_visible()
    prompt = viewer.locator(".wb-viewer-text").inner_text()
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    viewer.get_by_role("button", name="Python").click()
    copied = "async () => (await navigator.clipboard.readText()).includes('wb.render(')"
    screen.page.wait_for_function(copied)
    code = screen.page.evaluate("() => navigator.clipboard.readText()")
    compile(code, "copied", "exec")
    assert "wb.render(" in code
    assert prompt in code
    screen.page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(screen.cards.nth(2).get_by_role("button", name="View:")).to_be_focused()


def test_the_results_are_navigated_and_used_by_keyboard(screen: Screen) -> None:
    screen.go("Results")
    screen.cards.nth(0).get_by_role("button", name="View:").focus()
    press = screen.page.keyboard.press
    press("ArrowRight")
    press("c")
    press("ArrowDown")
    press("c")
    expect(screen.button("Compare 2")).to_be_enabled()
    press("v")
    dialog = screen.page.get_by_role("dialog", name="Compare videos")
    stage = dialog.locator(".wb-compare-stage")
    expect(stage).to_be_visible()
    box = stage.bounding_box()
    assert box is not None
    screen.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    screen.page.mouse.down()
    screen.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    screen.page.mouse.up()
    expect(dialog.get_by_label("Wipe across")).to_have_value("25")
    press("Escape")
    chosen = screen.step.locator("[data-chosen]")
    for left in (1, 0):
        chosen.locator("input").first.uncheck()
        expect(chosen).to_have_count(left)
    expect(screen.button("Compare")).to_be_disabled()


def test_all_videos_are_downloaded_as_one_zip(screen: Screen) -> None:
    screen.go("Results")
    with screen.page.expect_download() as download:
        screen.button("Download all as ZIP").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
    assert sum(name.endswith(".mp4") for name in names) == 9
    assert "manifest.json" in names
    screen.assert_clean()


def test_a_double_click_acts_once(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    screen.step.get_by_label("Your idea").fill("dog running")
    screen.button("Enhance").dblclick()
    expect(screen.prompt).to_be_visible(timeout=LOAD_MS)
    screen.page.wait_for_timeout(800)
    screen.page.get_by_role("button", name="History").click()
    expect(screen.page.locator(".wb-tree-node")).to_have_count(1)


def test_without_the_server_extension_videos_load_through_the_kernel(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen()
    screen.page.route("**/static/videos/**", lambda route: route.fulfill(status=404))
    screen.open_dashboard()
    screen.enhance("dog running")
    screen.wait_until_playing(".wb-step-prompt video")
    source = screen.step.locator("video").get_attribute("src")
    assert source is not None
    assert source.startswith("blob:")
