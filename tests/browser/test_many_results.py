"""500 results: only those near the view are there, and nothing that is done with the others shows it.

Figures: benchmarks/wall.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.front_end import entry_view, job_view, open_front_end

pytestmark = pytest.mark.browser

COUNT: Final = 500
NEAR: Final = 40
"""More cards, or rows, than are near any view of 1440 × 900."""
_STANDS: Final = """
() => {
  const wall = document.querySelector(".wb-results");
  const { top, bottom } = wall.getBoundingClientRect();
  const cards = [...wall.querySelectorAll("article")].map((card) => card.getBoundingClientRect());
  const [from, to] = [Math.max(top, 0) + 30, Math.min(bottom, innerHeight) - 30];
  const covers = (y) => cards.some((card) => card.top - 30 <= y && card.bottom + 30 >= y);
  return cards.length && covers(from) && covers((from + to) / 2) && covers(to);
}
"""
_STEP_BACK: Final = """
async (times) => {
  const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
  const cards = () => [...document.querySelectorAll(".wb-results article")];
  const top = (card) => card.getBoundingClientRect().top;
  const moved = [];
  for (let time = 0; time < times; time += 1) {
    const card = cards().find((one) => top(one) > 200);
    const before = top(card);
    scrollBy(0, -160);
    for (let wait = 0; wait < 4; wait += 1) await frame();
    moved.push(top(card) - before);
  }
  return moved;
}
"""
_FOCUS: Final = "() => document.activeElement.closest('[data-key]')?.dataset.key ?? null"
_IN_VIEW: Final = """
() => {
  const { top, bottom } = document.activeElement.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}
"""


def _job(index: int) -> dict[str, Any]:
    return job_view(index) | {
        "state": "complete",
        "batch_id": f"b_{index // 50}",
        "caption": f"dog · take {index}." + " It is long." * (index % 7),
        "scores": {"motion": (index * 37 % 101) / 100, "sharpness": float(index)},
        "video_url": f"static/videos/j_{index}/video.mp4",
    }


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The results of 500 finished videos, the newest first."""
    page = open_front_end(
        browser, entries=[entry_view(i) for i in range(COUNT)], jobs=[_job(i) for i in range(COUNT)]
    )
    steps = page.get_by_role("navigation", name="Steps")
    steps.get_by_role("button", name="Results").click()
    expect(_card(page, 499)).to_be_visible()
    yield page
    page.context.close()


def _card(page: Page, index: int) -> Locator:
    return page.locator(f".wb-results article[data-key=j_{index}]")


def _scroll(page: Page, share: float) -> None:
    page.evaluate("(share) => scrollTo(0, share * document.documentElement.scrollHeight)", share)
    page.wait_for_function(_STANDS)


def _star(page: Page, index: int, *, on: bool) -> None:
    job = _job(index) | {"starred": on, "revision": 1}
    page.evaluate("(job) => window.fire('msg:custom', { kind: 'jobs', jobs: [job] })", job)


def test_only_the_cards_near_the_view_are_there_wherever_it_is(page: Page) -> None:
    cards = page.locator(".wb-results article")
    for share in (0, 0.5, 0.2, 1, 0.1):
        _scroll(page, share)
        assert 4 <= cards.count() <= NEAR
        assert page.locator("video").count() <= NEAR + 12, "the other steps have some"
        assert page.evaluate("() => document.querySelectorAll('*').length") < 5000
    height = page.evaluate("() => document.querySelector('.wb-results').offsetHeight")
    assert height > COUNT / 4 * 300, "the others keep their room"


def test_scrolling_through_all_shows_every_video_once_and_in_order(page: Page) -> None:
    seen: dict[int, str] = {}
    read = (
        "() => [...document.querySelectorAll('.wb-results article')]"
        ".map((one) => [Number(one.ariaPosInSet), Number(one.ariaSetSize), one.dataset.key])"
    )
    while not seen or max(seen) < COUNT:
        for place, of, key in page.evaluate(read):
            assert of == COUNT
            assert seen.setdefault(place, key) == key
        at = page.evaluate("() => { const at = scrollY; scrollBy(0, 700); return [at, scrollY]; }")
        page.wait_for_function(_STANDS)
        assert at[0] != at[1] or max(seen) == COUNT
    assert [seen[place] for place in sorted(seen)] == [f"j_{i}" for i in reversed(range(COUNT))]


def test_what_is_seen_stays_where_it_is_while_rows_come_and_go(page: Page) -> None:
    """Rows above the view may turn out higher or lower than was guessed."""
    _scroll(page, 0.5)
    assert page.evaluate(_STEP_BACK, 30) == pytest.approx([160] * 30, abs=1.5)


def test_the_keyboard_reaches_every_video(page: Page) -> None:
    _card(page, 499).get_by_role("button", name="View:").focus()
    press = page.keyboard.press
    columns = page.evaluate(
        "() => getComputedStyle(document.querySelector('.wb-results')).gridTemplateColumns.split(' ').length"
    )
    for _ in range(40):
        press("ArrowDown")
    assert page.evaluate(_FOCUS) == f"j_{499 - 40 * columns}"
    assert page.evaluate(_IN_VIEW)
    press("End")
    assert page.evaluate(_FOCUS) == "j_0"
    assert page.evaluate(_IN_VIEW)
    press("ArrowLeft")
    assert page.evaluate(_FOCUS) == "j_1"
    press("Home")
    assert page.evaluate(_FOCUS) == "j_499"
    expect(page.locator(".wb-results article")).not_to_have_count(0)
    page.wait_for_function(_STANDS)


def test_the_focus_stays_on_its_video_when_the_page_is_scrolled_away(page: Page) -> None:
    _card(page, 499).get_by_role("button", name="View:").focus()
    _scroll(page, 0.7)
    assert page.evaluate(_FOCUS) == "j_499"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(_FOCUS) == "j_498"
    assert page.evaluate(_IN_VIEW)


def test_the_focus_stays_on_its_video_when_the_order_changes(page: Page) -> None:
    page.get_by_label("Sort", exact=True).select_option("starred")
    page.get_by_label("Sort", exact=True).blur()
    _scroll(page, 0.5)
    index = 250
    _card(page, index).get_by_role("button", name="View:").focus()
    _star(page, index, on=True)  # moves it to the front
    expect(page.locator(".wb-results article").first).to_have_attribute("data-key", f"j_{index}")
    assert page.evaluate(_FOCUS) == f"j_{index}"


def test_the_focus_goes_to_the_next_video_where_its_own_is_filtered_out(page: Page) -> None:
    page.get_by_label("Show", exact=True).select_option("distinct")
    card = _card(page, 498)
    card.get_by_role("button", name="Delete this video").focus()
    alike = _job(498) | {"near_duplicates": ["j_1"], "revision": 1}
    page.evaluate("(job) => window.fire('msg:custom', { kind: 'jobs', jobs: [job] })", alike)
    expect(card).to_have_count(0)
    expect(_card(page, 497).get_by_role("button", name="View:")).to_be_focused()


def test_what_is_chosen_stays_chosen_out_of_sight_and_can_be_compared(page: Page) -> None:
    _card(page, 499).get_by_role("checkbox").check()
    _scroll(page, 0.5)
    expect(_card(page, 499)).to_have_count(1)  # it has the focus
    page.locator(".wb-results article").nth(8).get_by_role("button", name="View:").focus()
    _scroll(page, 1)
    _card(page, 3).get_by_role("checkbox").check()
    expect(_card(page, 499)).to_have_count(0)
    expect(page.get_by_text("500 videos, 2 chosen")).to_be_visible()
    page.get_by_role("button", name="Compare 2").click()
    dialog = page.get_by_role("dialog", name="Compare videos")
    expect(dialog.locator(".wb-compare-pane")).to_have_count(2)
    page.keyboard.press("Escape")
    _scroll(page, 0)
    expect(_card(page, 499).get_by_role("checkbox")).to_be_checked()
    expect(_card(page, 498).get_by_role("checkbox")).not_to_be_checked()


def test_a_range_reaches_from_a_video_that_is_out_of_sight(page: Page) -> None:
    _card(page, 499).get_by_role("checkbox").check()
    page.get_by_label("Search videos", exact=True).evaluate("(node) => node.blur()")
    _scroll(page, 1)
    _card(page, 0).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(page.get_by_text("500 videos, 500 chosen")).to_be_visible()


def test_a_card_shows_nothing_of_the_video_that_it_showed_before(page: Page) -> None:
    card = _card(page, 499)
    card.get_by_text("How it was made").click()
    expect(card.get_by_text("j_499")).to_be_visible()
    page.locator("h2:visible").focus()
    _scroll(page, 1)
    expect(page.locator(".wb-results details[open]")).to_have_count(0)
    wrong = page.evaluate(
        "() => [...document.querySelectorAll('.wb-results article')].filter((one) =>"
        " !one.querySelector('.wb-result-open').ariaLabel.includes(`take ${one.dataset.key.slice(2)}.`)"
        " || !one.querySelector('a[download]').href.includes(one.dataset.key)).length"
    )
    assert wrong == 0


def test_a_failed_render_tells_of_it_where_a_finished_one_stood(page: Page) -> None:
    failed = _job(499) | {"state": "failed", "error": "boom", "revision": 1, "video_url": None}
    page.evaluate("(job) => window.fire('msg:custom', { kind: 'jobs', jobs: [job] })", failed)
    expect(_card(page, 499).locator(".wb-job-state")).to_have_text("Failed")
    page.get_by_label("Show", exact=True).select_option("complete")
    expect(_card(page, 499)).to_have_count(0)
    expect(page.locator(".wb-results .wb-job:visible")).to_have_count(0)


def test_the_table_holds_the_rows_near_its_view_and_stays_where_it_is_scrolled(page: Page) -> None:
    page.get_by_role("button", name="Table", exact=True).click()
    table = page.locator(".wb-table-scroll")
    rows = table.locator("tbody tr:not([aria-hidden])")
    expect(rows.first).to_be_visible()
    table.focus()
    for pages in (1, 2, 3):
        page.keyboard.press("PageDown")
        page.wait_for_function(
            "([node, pages]) => node.scrollTop > (pages - 1) * node.clientHeight",
            arg=[table.element_handle(), pages],
        )
        page.wait_for_timeout(300)  # it must not go on by itself
        at, page_px = table.evaluate("(node) => [node.scrollTop, node.clientHeight]")
        assert at <= pages * page_px
        assert rows.count() <= NEAR
    place = int(at // 60) + 3
    row = table.locator(f"tr[aria-rowindex='{place + 2}']")
    expect(row).to_contain_text(f"take {COUNT - 1 - place}")
    row.get_by_role("checkbox").check()
    expect(row).to_have_attribute("data-chosen", "")
    assert table.evaluate("(node) => node.scrollTop") == pytest.approx(at, abs=1)


def test_a_search_shows_what_it_finds_at_once(page: Page) -> None:
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Search videos").press_sequentially("take 49")
    cards = page.locator(".wb-results article")
    expect(
        page.get_by_text("500 videos, 15 shown")
    ).to_be_visible()  # those with 49 in their number
    expect(page.get_by_label("Search videos")).to_be_focused()
    expect(cards.first).to_have_attribute("aria-setsize", "15")
