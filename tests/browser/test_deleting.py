"""Deleting jobs, batches and sessions on the screen, undo, and the confirmation for starred ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.screen import LOAD_MS, Screen

pytestmark = pytest.mark.browser


def _confirm(screen: Screen, question: str) -> None:
    dialog = screen.page.get_by_role("dialog", name="Delete", exact=True)
    expect(dialog).to_contain_text(question)
    dialog.get_by_role("button", name="Delete", exact=True).click()


def _undo(screen: Screen) -> Locator:
    return screen.page.get_by_role("button", name="Undo", exact=True)


def test_videos_are_deleted_singly_and_by_batch_and_restored(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a mill by the stream")
    screen.make_variations()
    screen.render_all()
    screen.wait_for_videos(8)
    screen.go("Results")
    screen.wait_for_videos(9)
    screen.cards.nth(0).get_by_role("button", name="Delete this video").click()
    expect(screen.cards).to_have_count(8, timeout=LOAD_MS)
    expect(screen.page.get_by_text("1 video deleted.")).to_be_visible()
    _undo(screen).click()
    expect(screen.cards).to_have_count(9, timeout=LOAD_MS)
    screen.wait_for_videos(9)
    screen.cards.nth(1).get_by_role("button", name="Star").click()
    expect(screen.cards.nth(1).get_by_role("button", name="Unstar")).to_be_visible(timeout=LOAD_MS)
    screen.step.get_by_label("Batch", exact=True).select_option(index=2)
    expect(screen.cards).to_have_count(8)
    screen.button("Delete these 8").click()
    _confirm(screen, "Delete 8 videos?")
    _confirm(screen, "1 of them has a star.")
    expect(screen.cards).to_have_count(1, timeout=LOAD_MS)
    screen.go("Variations")
    expect(screen.step.locator("[data-shows=video]")).to_have_count(1)
    _undo(screen).click()
    screen.wait_for_videos(8)
    screen.assert_clean()


def test_declining_the_confirmation_deletes_nothing(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a mill by the stream")
    screen.wait_for_videos(1)
    screen.go("Results")
    screen.cards.first.get_by_role("button", name="Star").click()
    expect(screen.cards.first.get_by_role("button", name="Unstar")).to_be_visible(timeout=LOAD_MS)
    screen.cards.first.get_by_role("button", name="Delete this video").click()
    dialog = screen.page.get_by_role("dialog", name="Delete", exact=True)
    expect(dialog).to_contain_text("It is starred.")
    screen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(screen.cards).to_have_count(1)


def test_sessions_are_renamed_found_archived_and_deleted(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a paper boat in the gutter")
    screen.wait_for_videos(1)
    drawer = screen.page.get_by_role("dialog", name="Sessions")
    rows = drawer.locator(".wb-session")
    screen.page.get_by_role("button", name="Sessions").click()
    expect(rows.first).to_contain_text("1 video")
    expect(drawer).to_contain_text("All videos take")
    drawer.get_by_role("button", name="Name and tag").click()
    drawer.get_by_label("Name of the session").fill("boats")
    drawer.get_by_label("Tags").fill("water, toys")
    drawer.get_by_role("button", name="Save").click()
    expect(rows.first).to_contain_text("boats", timeout=LOAD_MS)
    expect(rows.first).to_contain_text("toys")
    for query, found in (("gutter", 1), ("toys", 1), ("zebra", 0), ("", 1)):
        drawer.get_by_label("Search sessions").fill(query)
        expect(rows).to_have_count(found, timeout=LOAD_MS)
    drawer.get_by_role("button", name="Archive: boats").click()
    expect(rows).to_have_count(0, timeout=LOAD_MS)
    drawer.get_by_label("Archived").check()
    expect(rows).to_have_count(1, timeout=LOAD_MS)
    drawer.get_by_role("button", name="Unarchive: boats").click()
    drawer.get_by_label("Archived").uncheck()
    expect(rows).to_have_count(1, timeout=LOAD_MS)
    drawer.get_by_role("button", name="Delete: boats").click()
    _confirm(screen, "Delete the session “boats” and its 1 video?")
    expect(rows).to_have_count(0, timeout=LOAD_MS)
    screen.page.keyboard.press("Escape")
    expect(screen.step.get_by_role("heading", name="What should happen?")).to_be_visible()
    _undo(screen).click()
    expect(screen.prompt).to_contain_text("boat", timeout=LOAD_MS)
    screen.wait_for_videos(1)
    screen.assert_clean()
