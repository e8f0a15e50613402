"""64 cards and many changes a second: patched in place, no video rebuilt. Figures: benchmarks/screen.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.front_end import entry_view, job_view, open_front_end
from tests.browser.screen import LOAD_MS

pytestmark = pytest.mark.browser

CARDS: Final = 64
_STORM: Final = """
async (rounds) => {
  const jobs = window.jobs;
  const videos = [...document.querySelectorAll(".wb-step-variations video")];
  for (let round = 1; round <= rounds; round += 1) {
    for (const job of jobs) {
      Object.assign(job, { state: "running", progress: (round * 100) / rounds, step: round, revision: round });
    }
    window.fire("msg:custom", { kind: "jobs", jobs: jobs.map((job) => ({ ...job })) });
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  const after = [...document.querySelectorAll(".wb-step-variations video")];
  return {
    same: after.length === videos.length && after.every((video, place) => video === videos[place]),
    shown: document.querySelectorAll(".wb-step-variations .wb-job[data-state=running] progress").length,
    value: document.querySelector(".wb-step-variations progress").value,
  };
}
"""

_DEVICE: Final = {
    "name": "cpu:0", "kind": "cpu", "gpu": None, "host": "", "label": "", "state": "idle",
    "paused": False, "detail": "", "load": 71, "temperature": None, "memory_used": 2.1,
    "memory_total": 8.0, "job": None,
}  # fmt: skip
_MOVING: Final = """
() => document.getAnimations().filter((one) => one.effect.getTiming().iterations === Infinity).length
"""
_WATCH: Final = """
() => {
  window.touched = new Set();
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const node = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      window.touched.add(node.closest("article")?.dataset.key ?? "none");
    }
  }).observe(document.querySelector(".wb-step-variations .wb-grid"), {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
}
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The front end with 64 cards that wait."""
    jobs = [job_view(index) for index in range(CARDS)]
    page = open_front_end(
        browser,
        entries=[entry_view(index) for index in range(CARDS)],
        jobs=jobs,
        board=range(CARDS),
    )
    page.evaluate("(jobs) => { window.jobs = jobs; }", jobs)
    page.get_by_role("button", name="Variations", exact=True).click()
    yield page
    page.context.close()


def test_64_cards_are_patched_in_place_while_all_of_them_render(page: Page) -> None:
    seen = page.evaluate(_STORM, 50)
    assert seen["same"]
    assert seen["shown"] == CARDS
    assert seen["value"] == 100


def test_a_queued_card_causes_no_repaint(page: Page) -> None:
    """Only a rendering card animates: 64 shimmering cards would repaint 60 times a second."""
    page.wait_for_timeout(2500)  # until the cards are laid out
    page.wait_for_function(f"() => ({_MOVING})() === 0")
    running = [job_view(place) | {"state": "running", "revision": 1} for place in (2, 5)]
    page.evaluate("(jobs) => window.fire('msg:custom', { kind: 'jobs', jobs })", running)
    expect(page.locator(".wb-step-variations .wb-job[data-state=running]")).to_have_count(2)
    assert 0 < page.evaluate(_MOVING) <= 4


def test_a_change_mutates_only_its_own_card(page: Page) -> None:
    page.evaluate(_WATCH)
    job = job_view(3) | {"state": "running", "progress": 42, "revision": 1}
    page.evaluate("(job) => window.fire('msg:custom', { kind: 'jobs', jobs: [job] })", job)
    expect(page.locator(".wb-step-variations progress:visible")).to_have_count(1)
    assert page.evaluate("() => [...window.touched]") == ["card 3"]


def test_a_card_outside_the_viewport_is_not_laid_out(page: Page) -> None:
    """The last card's picture is skipped until it is scrolled into view."""
    last = page.locator(".wb-step-variations article").last
    drawn = "(card) => card.querySelector('.wb-card-text').checkVisibility({ contentVisibilityAuto: true })"
    assert not last.evaluate(drawn)
    last.scroll_into_view_if_needed()
    page.wait_for_function(f"(card) => ({drawn})(card)", arg=last.element_handle())


def test_a_change_is_delivered_only_to_its_card(page: Page) -> None:
    job = job_view(3) | {"state": "running", "progress": 42, "revision": 1}
    page.evaluate("(job) => window.fire('msg:custom', { kind: 'jobs', jobs: [job] })", job)
    cards = page.locator(".wb-step-variations article")
    expect(cards.nth(3).locator("progress")).to_have_js_property("value", 42, timeout=LOAD_MS)
    expect(page.locator(".wb-step-variations .wb-job[data-state=running]")).to_have_count(1)


def test_the_strip_says_rendering_as_soon_as_the_card_does(page: Page) -> None:
    page.evaluate("(devices) => window.set('devices_state', devices)", [_DEVICE])
    told = page.locator(".wb-device", has_text="CPU 0").locator(".wb-device-state")
    expect(told).to_have_text("free")
    expect(page.locator(".wb-machine")).to_have_text("This computer71 % load · 2.1 of 8 GB")
    patch = "(job) => window.fire('msg:custom', { kind: 'jobs', jobs: [job] })"
    running = job_view(1) | {"state": "running", "progress": 40, "revision": 1}
    page.evaluate(patch, running)
    expect(told).to_have_text("rendering, 40 %")
    page.evaluate("(devices) => window.set('devices_state', devices)", [_DEVICE | {"paused": True}])
    expect(told).to_have_text("rendering, 40 %, then paused")
    page.evaluate(patch, running | {"state": "complete", "revision": 2})
    expect(told).to_have_text("paused")


def test_the_results_are_sorted_by_score_and_hide_near_duplicates(page: Page) -> None:
    measured = [
        job_view(place)
        | {"state": "complete", "revision": 1}
        | {
            "scores": {"motion": motion, "flicker": 0.01},
            "near_duplicates": ["j_0"] if place == 2 else [],
        }
        for place, motion in enumerate((0.1, 0.4, 0.2))
    ]
    page.evaluate("(jobs) => window.fire('msg:custom', { kind: 'jobs', jobs })", measured)
    steps = page.get_by_role("navigation", name="Steps")
    steps.get_by_role("button", name="Results").click()
    page.get_by_label("Show").select_option("Finished")
    page.get_by_label("Sort").select_option("Most motion")
    cards = page.locator(".wb-results article")
    expect(cards).to_have_count(3, timeout=LOAD_MS)
    shown = cards.locator(".wb-score[data-sorted] dd")
    expect(shown).to_have_text(["0.4", "0.2", "0.1"], timeout=LOAD_MS)
    expect(cards.nth(1)).to_contain_text("looks like another")
    page.evaluate("(devices) => window.set('devices_state', devices)", [_DEVICE])
    expect(page.locator(".wb-machine")).to_be_visible()
    expect(cards.locator(".wb-job:visible")).to_have_count(0)  # a finished card has no status line
    page.get_by_label("Show").select_option("Without look-alikes")
    expect(shown).to_have_text(["0.4", "0.1"], timeout=LOAD_MS)


def test_a_failed_card_shows_a_plain_message_and_folds_the_driver_output(page: Page) -> None:
    error = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 1 GiB free. " + "x" * 900
    standin = job_view(60) | {"job_id": "j_draft", "preview_of": "j_3", "state": "complete"}
    job = job_view(3) | {
        "state": "failed",
        "error": error,
        "revision": 1,
        "preview_job_id": "j_draft",
    }
    page.evaluate(
        "(jobs) => window.fire('msg:custom', { kind: 'jobs', jobs })",
        [standin | {"video_url": "static/videos/j_draft/video.mp4"}, job],
    )
    card = page.locator(".wb-step-variations article").nth(3)
    expect(card.locator(".wb-job-state")).to_have_text("Failed")
    expect(card.get_by_text("Not enough memory on the device.")).to_be_visible()
    expect(card.get_by_text("Tried to allocate")).to_be_hidden()
    expect(card.locator(".wb-player")).to_have_attribute("data-shows", "storyboard")
    card.get_by_text("Details").click()
    expect(card.get_by_text("Tried to allocate")).to_be_visible()
    expect(card.get_by_role("button", name="Show the log")).to_be_visible()
