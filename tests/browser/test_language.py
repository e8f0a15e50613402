"""The language model: shown on every step, chosen in JupyterLab, read-only in a dashboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.browser.slow_model import TEXT, SlowModel

pytestmark = pytest.mark.browser


def test_an_endpoint_is_tested_and_chosen_and_then_writes(
    open_screen: Callable[..., Screen],
) -> None:
    with SlowModel.running() as model:
        screen = open_screen().open_lab()
        line = screen.page.get_by_role("group", name="Who writes and what renders")
        who = line.get_by_role("button", name="Prompts by")
        expect(who).to_contain_text("built-in composer", timeout=LOAD_MS)
        who.click()
        panel = screen.page.get_by_role("dialog", name="Who writes the prompts")
        composer = panel.get_by_role("button", name="built-in composer")
        expect(composer).to_have_attribute("aria-current", "true", timeout=LOAD_MS)
        panel.get_by_label("Address").fill(model.url)
        panel.get_by_role("button", name="List its models").click()
        expect(panel.get_by_label("Model", exact=True)).to_have_value("slow", timeout=LOAD_MS)
        panel.get_by_role("button", name="Test", exact=True).click()
        expect(panel.get_by_role("status")).to_contain_text(" s)", timeout=LOAD_MS)
        panel.get_by_role("button", name="Use it").click()
        expect(composer).not_to_have_attribute("aria-current", "true", timeout=LOAD_MS)
        expect(who).to_contain_text("slow")
        screen.page.keyboard.press("Escape")
        screen.enhance("dog running")
        expect(screen.prompt).to_have_text(TEXT, timeout=LOAD_MS)
        expect(who).to_contain_text("slow")
        screen.page.get_by_role("button", name="Sessions").click()
        screen.page.get_by_role("button", name="New session").click()
        expect(who).to_contain_text("built-in composer", timeout=LOAD_MS)
        screen.assert_clean()


def test_an_endpoint_that_does_not_answer_is_reported_with_a_reason(
    open_screen: Callable[..., Screen],
) -> None:
    with SlowModel.running() as gone:
        url = gone.url
    screen = open_screen().open_lab()
    screen.page.get_by_role("button", name="Prompts by").click(timeout=LOAD_MS)
    panel = screen.page.get_by_role("dialog", name="Who writes the prompts")
    panel.get_by_label("Address").fill(url)
    panel.get_by_role("button", name="List its models").click()
    expect(panel.locator(".wb-notice")).to_be_visible(timeout=LOAD_MS)


def test_a_visitor_sees_the_language_model_but_cannot_change_it(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    line = screen.page.get_by_role("group", name="Who writes and what renders")
    expect(line).to_contain_text("built-in composer", timeout=LOAD_MS)
    assert line.get_by_role("button", name="Prompts by").count() == 0
