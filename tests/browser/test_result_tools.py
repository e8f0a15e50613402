"""Finding one video among many: captions, filters, groups, tags, the table, and what the ZIP says of them."""

from __future__ import annotations

import csv
import io
import re
import time
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.screen import LOAD_MS, RENDER_MS, Screen
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser

IDEA = "an old lighthouse in a storm"


@pytest.fixture(scope="module")
def screen(browser: Browser, server: LiveServer) -> Iterator[Screen]:
    """A dashboard with a first video, seven variations of it and a second batch of three."""
    one = Screen(browser, server).open_dashboard()
    one.enhance(IDEA)
    one.go("Variations")
    one.step.get_by_label("Change one thing each").check()
    one.button("Make variations").click()
    expect(one.cards).to_have_count(8, timeout=LOAD_MS)
    one.render_all()
    one.wait_for_videos(8)
    yield one
    one.close()


@pytest.fixture
def results(screen: Screen) -> Screen:
    """The results with every filter cleared."""
    screen.go("Results")
    for name, usual in (("Show", "all"), ("Group", ""), ("Sort", "newest")):
        screen.step.get_by_label(name, exact=True).select_option(usual)
    screen.button("Wall").click()
    chosen = screen.step.locator("article[data-chosen]")
    for left in range(chosen.count(), 0, -1):
        chosen.first.get_by_role("checkbox").uncheck()
        expect(chosen).to_have_count(left - 1)
    expect(screen.cards).to_have_count(9)
    return screen


def _captions(screen: Screen) -> list[str]:
    return screen.step.locator(".wb-result-caption > span:last-child").all_inner_texts()


def _row(screen: Screen, caption: str) -> Locator:
    return screen.step.locator("tbody tr", has_text=caption)


def test_every_caption_tells_what_its_video_has_of_its_own(results: Screen) -> None:
    captions = _captions(results)
    assert captions.count("old lighthouse · original") == 2, "the first video and its card"
    assert len(set(captions)) == 8
    assert all(caption.startswith("old lighthouse · ") for caption in captions)


def test_the_chat_knows_the_cards_by_their_numbers(results: Screen) -> None:
    card = results.cards.nth(2)
    number = card.locator(".wb-result-number").inner_text()
    caption = card.locator(".wb-result-caption > span:last-child").inner_text()
    results.go("Tune")
    request = results.step.get_by_label("What should be different")
    request.fill(f"go back to {number}")
    request.press("Enter")
    answer = results.step.locator(".wb-turn").last
    expect(answer).to_contain_text(caption.rpartition(" · ")[2], timeout=LOAD_MS)


def test_videos_are_filtered_by_what_their_prompts_say(results: Screen) -> None:
    results.step.get_by_text("Filters", exact=True).click()
    choice = results.step.get_by_label("Parameter")
    offered = choice.locator("optgroup").first.locator("option")
    expect(offered.first).to_be_attached(timeout=LOAD_MS)
    counts = [int(re.findall(r"\((\d+)\)$", text)[0]) for text in offered.all_inner_texts()]
    assert sum(counts) == 9, "every video has some value"
    value = offered.last.get_attribute("value")
    choice.select_option(value)
    expect(results.cards).to_have_count(counts[-1])
    results.button("Clear filters").click()
    expect(results.cards).to_have_count(9)
    results.step.get_by_label("Search videos").fill("lighthouse original")
    expect(results.cards).to_have_count(2)
    results.button("Clear filters").click()
    results.step.locator("summary", has_text="Filters").click()


def test_videos_are_grouped_under_headings(results: Screen) -> None:
    group = results.step.get_by_label("Group")
    axis = group.locator("option").nth(4)
    group.select_option(axis.get_attribute("value"))
    heads = results.step.locator(".wb-group-head")
    expect(heads.nth(1)).to_be_visible(timeout=LOAD_MS)
    counted = [int(text.split()[0]) for text in heads.locator(".wb-quiet").all_inner_texts()]
    assert sum(counted) == 9
    expect(results.cards).to_have_count(9)


def test_chosen_videos_are_tagged_and_found_by_their_tag(results: Screen) -> None:
    results.cards.nth(1).get_by_role("checkbox").click()
    results.cards.nth(3).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(results.step.locator("article[data-chosen]")).to_have_count(3)
    results.step.get_by_label("Tag for the chosen videos").fill("keep")
    results.button("Tag").click()
    expect(results.step.locator(".wb-result-note", has_text="#keep")).to_have_count(
        3, timeout=LOAD_MS
    )
    results.step.locator("summary", has_text="Filters").click()
    results.step.get_by_label("Tag", exact=True).select_option("#keep")
    expect(results.cards).to_have_count(3)
    results.button("Clear filters").click()
    results.step.locator("summary", has_text="Filters").click()


def test_the_table_is_sorted_by_its_headings_and_shows_how_scores_run(results: Screen) -> None:
    results.button("Table").click()
    table = results.step.get_by_role("table")
    motion = table.get_by_role("columnheader", name="motion")
    expect(motion).to_be_visible(timeout=RENDER_MS)
    cells = table.locator("tbody tr:visible .wb-table-score:nth-child(4) > span")
    expect(cells).to_have_count(9, timeout=RENDER_MS)
    scored = cells.filter(has_text=re.compile(r"\d"))
    expect(scored).to_have_count(9, timeout=RENDER_MS)
    motion.get_by_role("button").click()
    expect(motion).to_have_attribute("aria-sort", "descending")
    most = [float(text) for text in cells.all_inner_texts()]
    assert most == sorted(most, reverse=True)
    motion.get_by_role("button").click()
    expect(motion).to_have_attribute("aria-sort", "ascending")
    least = [float(text) for text in cells.all_inner_texts()]
    assert least == sorted(least)
    line = table.locator("tbody tr:visible .wb-table-score:nth-child(4) path").first
    expect(line).to_have_attribute("d", re.compile(r"^M[\d.]+ [\d.]+(L[\d.]+ [\d.]+){20,}$"))
    table.get_by_role("button", name="View: old lighthouse · original").first.click()
    viewer = results.page.get_by_role("dialog", name="Video", exact=True)
    expect(viewer.locator(".wb-scores .wb-spark:not([data-empty])").first).to_be_visible()
    results.page.keyboard.press("Escape")


def test_videos_are_stepped_by_frames_together(results: Screen) -> None:
    results.wait_until_playing(".wb-results video", 2)
    results.cards.first.get_by_role("button", name="View").focus()
    places = (
        "() => [...document.querySelectorAll('.wb-results video')]"
        ".filter((v) => v.currentTime > 0 && v.checkVisibility()).map((v) => v.currentTime)"
    )
    results.page.keyboard.press(".")
    before = results.page.evaluate(places)
    assert results.playing(".wb-results video") == 0
    results.page.keyboard.press(".")
    after = results.page.evaluate(places)
    assert after[0] - before[0] == pytest.approx(1 / 24, abs=0.005)
    assert max(after) - min(after) < 0.01


def _starred(results: Screen) -> list[str]:
    listed = results.server.get("/api/video/jobs?limit=100").json()["jobs"]
    return [job["job_id"] for job in listed if job["starred"]]


def test_the_zip_is_named_by_what_differs_and_holds_a_table(results: Screen) -> None:
    caption = _captions(results)[1]
    before = _starred(results)
    results.cards.nth(1).get_by_role("button", name=re.compile("^Star|^Unstar")).click()
    limit = time.monotonic() + RENDER_MS / 1000
    while _starred(results) == before:  # the page shows it at once; the index has it a moment later
        assert time.monotonic() < limit, "the star was not stored"
        time.sleep(0.05)
    with results.page.expect_download() as download:
        results.button("Download all as ZIP").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("videos.csv").decode())))
        names = {name for name in archive.namelist() if name.endswith(".mp4")}
    assert {row["file"] for row in rows} == names
    assert len(rows) == 9
    starred = [row for row in rows if row["starred"] == "True"]
    assert [row["caption"] for row in starred] == [caption]
    assert "old-lighthouse" in starred[0]["file"]
    assert all(row["prompt"] and row["seed"] for row in rows)
    results.assert_clean()


def test_pictures_are_made_small_and_large(results: Screen) -> None:
    size = results.step.get_by_label("Size of the pictures")
    width = "() => document.querySelector('.wb-results article').offsetWidth"
    usual = results.page.evaluate(width)
    size.fill("160")
    results.page.wait_for_function(f"(usual) => ({width})() < usual * 0.75", arg=usual)
    size.fill("500")
    results.page.wait_for_function(f"(usual) => ({width})() > usual * 1.4", arg=usual)
    size.fill("270")
