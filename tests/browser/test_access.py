"""Accessibility: keyboard alone, axe checks, screen reader announcements, reduced motion."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen

pytestmark = pytest.mark.browser

COUNTED = {"moderate", "serious", "critical"}


def _findings(screen: Screen) -> list[str]:
    results: Any = Axe().run(screen.page, context=".wb")
    return [
        f"{finding['id']} ({finding['impact']}): {node['html'][:160]}"
        for finding in results.response["violations"]
        if finding["impact"] in COUNTED
        for node in finding["nodes"]
    ]


def _camera_findings(screen: Screen) -> list[str]:
    """Return the findings of the step with its camera panel open; close the panel again."""
    panel = screen.step.locator(".wb-camera")
    panel.locator("summary").click()
    moves = panel.get_by_label("Named move").locator("option")
    expect(moves).not_to_have_count(0, timeout=LOAD_MS)
    expect(panel.locator("canvas[data-pictures]")).to_be_visible(timeout=LOAD_MS)
    found = _findings(screen)
    panel.locator("summary").click()
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_accessibility_problem_on_any_step_or_panel(
    open_screen: Callable[..., Screen], dark: bool
) -> None:
    screen = open_screen(dark=dark, still=True).open_dashboard()
    found = {"start": _findings(screen)}
    screen.enhance("a dog running on a beach")
    found["prompt"] = _findings(screen)
    found["camera"] = _camera_findings(screen)
    screen.step.get_by_role("button", name="Setting:").click()
    found["editor"] = _findings(screen)
    screen.make_variations()
    found["variations"] = _findings(screen)
    screen.render_all()
    screen.wait_for_videos(8)
    found["rendered"] = _findings(screen)
    screen.go("Tune")
    found["tune"] = _findings(screen)
    found["camera on tune"] = _camera_findings(screen)
    screen.go("Results")
    found["results"] = _findings(screen)
    screen.cards.nth(1).get_by_role("button", name="View:").click()
    found["video"] = _findings(screen)
    screen.page.keyboard.press("Escape")
    for place in (0, 1):
        screen.cards.nth(place).get_by_role("checkbox").check()
    screen.button("Compare 2").click()
    found["compare"] = _findings(screen)
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name="History").click()
    found["history"] = _findings(screen)
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name="Sessions").click()
    found["sessions"] = _findings(screen)
    screen.page.keyboard.press("Escape")
    for name in ("Videos by", "Render settings", "Queue"):
        screen.page.get_by_role("button", name=re.compile(f"^{name}")).click()
        expect(screen.page.locator("dialog[open]")).to_be_visible()
        found[name] = _findings(screen)
        screen.page.keyboard.press("Escape")
    screen.page.get_by_role("navigation", name="Steps").get_by_role("button", name="Results").press(
        "?"
    )
    found["keys"] = _findings(screen)
    assert {step: problems for step, problems in found.items() if problems} == {}


def test_all_four_steps_work_by_keyboard_alone(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    press = screen.page.keyboard.press

    def reach(name: str) -> None:
        for _ in range(80):
            press("Tab")
            focus = screen.page.evaluate(
                "() => document.activeElement.getAttribute('aria-label')"
                " || document.activeElement.labels?.[0]?.textContent"
                " || document.activeElement.textContent"
            )
            if focus and focus.strip().startswith(name):
                return
        raise AssertionError(f"{name!r} cannot be reached by the Tab key")

    reach("Your idea")
    screen.page.keyboard.type("a cat on a roof")
    press("Control+Enter")
    expect(screen.prompt).to_be_visible(timeout=LOAD_MS)
    reach("Go to variations")
    press("Enter")
    expect(screen.page.locator(":focus")).to_have_text("Variations")
    reach("Make variations")
    press("Enter")
    expect(screen.cards).to_have_count(8, timeout=LOAD_MS)
    reach("Render all")
    press("Space")
    screen.wait_for_videos(8)
    reach("See results")
    press("Enter")
    expect(screen.page.locator(":focus")).to_have_text("Results")
    press("Tab")
    ring = screen.page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
    assert ring == "2px"


def test_nothing_moves_by_itself_with_reduced_motion(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen(still=True).open_dashboard()
    screen.enhance("dog running")
    video = screen.step.locator("video")
    expect(video).to_be_visible(timeout=LOAD_MS)
    screen.page.wait_for_timeout(800)
    assert screen.playing() == 0
    assert video.get_attribute("controls") is not None


def test_progress_is_announced_to_screen_readers(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("dog running")
    aloud = screen.page.locator(".wb > .wb-aloud[aria-live=polite]")
    expect(aloud).to_have_text("1 of 1 video finished.", timeout=LOAD_MS)
