"""Everyday use after the first run: another session, reloads, edits, cancelled renders."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.held import Hold
from tests.live_server import PATIENCE_S, TOKEN, LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture
def hold(tmp_path: Path) -> Hold:
    """What lets the first video and two variations pass, and holds the others."""
    return Hold(tmp_path / "held", after=3)


@pytest.fixture
def held_server(tmp_path: Path, hold: Hold) -> Iterator[LiveServer]:
    """A separate server, whose later renders wait to be released."""
    with LiveServer(tmp_path / "outputs", environment=hold.environment) as live:
        yield live


@pytest.mark.parametrize("opened", ["dashboard", "lab"])
def test_a_new_session_shows_nothing_of_the_one_before(
    open_screen: Callable[..., Screen], opened: str
) -> None:
    screen = open_screen()
    screen.open_lab() if opened == "lab" else screen.open_dashboard()
    screen.enhance("dog running")
    screen.make_variations()
    screen.render_all()
    screen.wait_for_videos(8)
    screen.page.get_by_role("button", name="Sessions").click()
    screen.page.get_by_role("button", name="New session").click()
    expect(screen.step.get_by_role("heading", name="What should happen?")).to_be_visible()
    screen.enhance("a lighthouse in a storm")
    screen.wait_for_videos(1)
    screen.make_variations()
    expect(screen.step.locator("[data-shows=video]")).to_have_count(1)
    expect(screen.step.get_by_text("Not rendered yet").nth(6)).to_be_visible()
    screen.go("Results")
    expect(screen.cards).to_have_count(1)
    screen.assert_clean()


def test_an_idea_typed_before_the_new_session_is_there_is_kept(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("dog running")
    screen.begin_session()
    expect(screen.step.get_by_label("Your idea")).to_have_value("")
    screen.enhance("dog running")
    screen.page.get_by_role("button", name="Sessions").click()
    screen.page.get_by_role("button", name="New session").click()
    screen.step.get_by_label("Your idea").fill("a lighthouse in a storm")
    expect(screen.prompt).to_be_hidden(timeout=LOAD_MS)
    expect(screen.step.get_by_label("Your idea")).to_have_value("a lighthouse in a storm")


def test_a_reloaded_lab_page_returns_to_the_same_step(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_lab()
    screen.enhance("a train crossing a bridge")
    screen.go("Variations")
    screen.slow_renders(48)
    screen.button("Make variations").click()
    expect(screen.cards).to_have_count(8, timeout=LOAD_MS)
    screen.cards.nth(2).get_by_role("button", name="Tune this").click()
    wish = screen.step.get_by_label("What should be different")
    wish.fill("qwertz uiop")
    wish.press("Enter")
    expect(screen.step.locator(".wb-turn[data-missed]")).to_be_visible(timeout=LOAD_MS)
    text = screen.prompt.inner_text()
    screen.page.locator(".jp-Notebook .jp-MarkdownCell").first.click()
    screen.page.keyboard.press("Control+S")
    copy = screen.server.root / "notebooks" / "workbench.ipynb"
    limit = time.monotonic() + PATIENCE_S
    while b"widget-view" not in copy.read_bytes():
        assert time.monotonic() < limit, "the notebook was not saved"
        time.sleep(0.1)
    plain = f"{screen.server.url}/lab/tree/notebooks/workbench.ipynb?token={TOKEN}"
    screen.page.goto(plain, timeout=LOAD_MS)
    expect(screen.step.get_by_role("heading", name="Tune")).to_be_visible(timeout=LOAD_MS)
    expect(screen.prompt).to_have_text(text)
    expect(screen.step.locator(".wb-turn[data-missed]")).to_contain_text("qwertz uiop")
    screen.go("Variations")
    expect(screen.cards).to_have_count(8)
    panel = screen.open_settings()
    expect(panel.get_by_label("Frames", exact=True)).to_have_value("48", timeout=LOAD_MS)


def test_opening_making_and_rendering_variations_are_three_buttons(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("dog running")
    text = screen.prompt.inner_text()
    screen.button("Go to variations").click()
    expect(screen.step.get_by_label("How many")).to_be_in_viewport()
    expect(screen.step.get_by_role("button", name="Weather", exact=True)).to_be_in_viewport()
    expect(screen.step.get_by_label("Change one thing each")).to_be_in_viewport()
    expect(screen.step.locator(".wb-empty")).to_contain_text(text)
    expect(screen.cards).to_have_count(0)
    screen.button("Make variations").click()
    expect(screen.cards).to_have_count(8, timeout=LOAD_MS)
    expect(screen.cards.first).to_contain_text(text[:30])
    expect(screen.step.locator(".wb-job:visible")).to_have_count(1)  # the first video alone
    screen.render_all()
    screen.wait_for_videos(8)


def test_each_variation_changes_one_thing_when_asked_to(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("an old man fishing at dawn")
    screen.button("Go to variations").click()
    screen.step.get_by_label("Change one thing each").check()
    screen.button("Make variations").click()
    expect(screen.cards).to_have_count(8, timeout=LOAD_MS)
    changes = screen.cards.locator(".wb-changes")
    assert [changes.nth(place).locator("li").count() for place in range(1, 8)] == [1] * 7
    fields = changes.locator(".wb-change-field").all_inner_texts()
    assert len(set(fields)) == 7, "the fields take turns"
    screen.step.get_by_role("button", name="Light", exact=True).click()
    screen.button("Make new ones").click()
    lights = screen.cards.locator(".wb-changes li", has_text="lighting")
    expect(lights).to_have_count(7, timeout=LOAD_MS)


def test_an_edited_prompt_marks_its_video_as_outdated(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a lighthouse in a storm")
    screen.wait_for_videos(1)
    screen.button("Edit").click()
    screen.step.get_by_role("textbox", name="Prompt").fill("A lighthouse at noon, calm sea.")
    screen.button("Use this text").click()
    told = screen.step.get_by_text("This is the video of the previous prompt.")
    expect(told).to_be_visible(timeout=LOAD_MS)
    expect(screen.step.locator(".wb-job:visible")).to_have_count(0)
    screen.button("Render this text").click()
    expect(told).to_be_hidden(timeout=LOAD_MS)
    expect(screen.step.locator(".wb-job-state")).to_contain_text("Done", timeout=LOAD_MS)
    screen.go("Results")
    screen.wait_for_videos(2)
    expect(screen.cards.first).to_contain_text("noon")  # the newest comes first


def test_the_remaining_cards_are_rendered_after_some_were_cancelled(
    open_screen: Callable[..., Screen], held_server: LiveServer, hold: Hold
) -> None:
    screen = open_screen(on=held_server).open_dashboard()
    screen.enhance("a train crossing a bridge")
    screen.wait_for_videos(1)
    screen.go("Variations")
    screen.slow_renders(48)  # so that the first card is rendered too
    screen.step.get_by_label("How many").fill("4")
    screen.button("Make variations").click()
    expect(screen.cards).to_have_count(4, timeout=LOAD_MS)
    screen.render_all()
    expect(screen.step.locator(".wb-job[data-state=complete]").nth(1)).to_be_visible(
        timeout=LOAD_MS
    )
    expect(screen.step.locator(".wb-head-words")).to_contain_text("left")
    screen.button("Cancel all").click()
    cancelled = screen.step.locator(".wb-job[data-state=cancelled]")
    expect(cancelled).to_have_count(2, timeout=LOAD_MS)
    stepper = screen.page.get_by_role("navigation", name="Steps")
    expect(stepper).to_contain_text("3/3", timeout=LOAD_MS)
    screen.go("Results")
    expect(screen.cards).to_have_count(3)
    screen.go("Variations")
    hold.release()
    screen.button("Render the rest (2)").click()
    screen.wait_for_videos(4)
    expect(screen.step.get_by_text("4 videos finished.")).to_be_visible()
    screen.assert_clean()
