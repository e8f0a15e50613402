"""The scores of installed scorers are columns, filters and sort orders, as built-in ones are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.front_end import entry_view, job_view, open_front_end

pytestmark = pytest.mark.browser

BEAUTY = (0.5, None, 0.9, 0.1)
NOISE = (3.0, 1.0, None, 2.0)


def _job(index: int) -> dict[str, Any]:
    scores = {"motion": index / 10, "pure_beauty": BEAUTY[index], "noise": NOISE[index]}
    return job_view(index) | {
        "state": "complete",
        "scores": {name: value for name, value in scores.items() if value is not None},
        "video_url": f"static/videos/j_{index}/video.mp4",
    }


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The results of four videos; of the scorer `noise`, less is better."""
    page = open_front_end(
        browser,
        entries=[entry_view(i) for i in range(4)],
        jobs=[_job(i) for i in range(4)],
        config={"lower_scores": ["flicker", "noise"]},
    )
    steps = page.get_by_role("navigation", name="Steps")
    steps.get_by_role("button", name="Results").click()
    expect(page.locator(".wb-results article")).to_have_count(4)
    yield page
    page.context.close()


def _expect_order(page: Page, *order: int) -> None:
    captions = page.locator(".wb-table-caption")
    expect(captions).to_have_text([f"dog · {index}" for index in order])


def test_the_table_has_a_column_for_each_installed_score_and_sorts_by_it(page: Page) -> None:
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.get_by_role("button", name="pure beauty")).to_be_visible()
    heads = page.locator("thead th:not([hidden])")
    texts = heads.all_inner_texts()
    assert texts.index("pure beauty") == texts.index("noise") + 1 == texts.index("Seed") - 1
    place = texts.index("pure beauty")
    expect(page.locator("tbody tr", has_text="dog · 2").locator("td").nth(place)).to_have_text(
        "0.9"
    )
    page.get_by_role("button", name="pure beauty").click()
    expect(heads.nth(place)).to_have_attribute("aria-sort", "descending")
    _expect_order(page, 2, 0, 3, 1)
    page.get_by_role("button", name="noise").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    _expect_order(page, 1, 3, 0, 2)


def test_the_filter_and_the_sort_menu_offer_installed_scores(page: Page) -> None:
    page.get_by_role("button", name="Table", exact=True).click()
    sort = page.get_by_label("Sort", exact=True)
    sort.select_option("Best by noise")
    _expect_order(page, 1, 3, 0, 2)
    sort.select_option("Best by pure beauty")
    _expect_order(page, 2, 0, 3, 1)
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Score", exact=True).select_option("pure beauty")
    page.get_by_label("Score at least").fill("0.3")
    page.get_by_label("Score at least").press("Enter")
    _expect_order(page, 2, 0)


def test_a_score_that_comes_later_gets_its_column_and_its_places_in_the_menus(page: Page) -> None:
    page.get_by_role("button", name="Table", exact=True).click()
    late = _job(3)
    job = late | {"scores": late["scores"] | {"late": 7.5}, "revision": 1}
    page.evaluate("(job) => window.fire('msg:custom', { kind: 'jobs', jobs: [job] })", job)
    expect(page.get_by_role("button", name="late", exact=True)).to_be_visible()
    expect(page.locator("tbody tr", has_text="dog · 3")).to_contain_text("7.5")
    page.get_by_label("Sort", exact=True).select_option("Best by late")
    expect(page.locator(".wb-table-caption").first).to_contain_text("dog · 3")
