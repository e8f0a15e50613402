"""A plain polling page with the login cookie that knows six fields of a job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.chromium import ARGUMENTS, find_chromium
from tests.live_server import PATIENCE_S, TOKEN, LiveServer

CHROMIUM = find_chromium()
JOURNEY = """
async () => {
  const xsrf = document.cookie.match(/_xsrf=([^;]+)/)[1];
  const post = async (path, body) => {
    const headers = {"Content-Type": "application/json", "X-XSRFToken": xsrf};
    const answer = await fetch(path, {method: "POST", headers, body: JSON.stringify(body)});
    if (!answer.ok) throw new Error(path + ": " + answer.status);
    return answer.json();
  };
  const poll = async (path, ended) => {
    for (;;) {
      const {status, progress, message, video_url, gpu_id, jobs} = await (await fetch(path)).json();
      if (ended.includes(status)) return {status, progress, message, video_url, gpu_id, jobs};
      await new Promise((wake) => setTimeout(wake, 1000));
    }
  };
  const begun = await post("/api/enhance", {rough_prompt: "dog running", session_id: null});
  const session_id = begun.session_id;
  const prompt = begun.enhanced_prompt;
  const first = await post("/api/video/single_inference", {prompt});
  await post("/api/initialize", {prompt, session_id});
  const {history} = await post("/api/history", {session_id});
  const varied = await post("/api/generate-variations",
    {session_id, selected_indices: [history.length - 1], total_count: 8});
  const {batch_id} = await post("/api/video/batch_inference", {prompts: varied.prompts});
  const tuned = await post("/api/update", {session_id, user_request: "make it snow", prompt});
  const again = await post("/api/video/single_inference", {prompt: tuned.prompt});
  const ends = ["complete", "failed", "partial"];
  const single = await poll("/api/video/status/" + first.job_id, ends);
  const retake = await poll("/api/video/status/" + again.job_id, ends);
  const batch = await poll("/api/video/batch_status/" + batch_id, ends);
  const video = document.createElement("video");
  Object.assign(video, {src: single.video_url, muted: true, autoplay: true});
  document.body.append(video);
  await new Promise((played) => video.addEventListener("timeupdate",
    () => video.currentTime > 0.2 && played()));
  const zip = await fetch("/api/video/batch_download/" + batch_id);
  return {single, retake, batch, width: video.videoWidth, zip: (await zip.blob()).size};
}
"""


@pytest.fixture
def page(server: LiveServer) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: THE BROWSER TESTS ARE SKIPPED")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), timeout=1_000 * PATIENCE_S
        )
        opened = browser.new_page()
        opened.set_default_timeout(1_000 * PATIENCE_S)
        opened.goto(f"{server.url}/login?token={TOKEN}&next=/static/favicons/favicon.ico")
        opened.goto(f"{server.url}/login?next=/lab")
        yield opened
        browser.close()


@pytest.mark.browser
def test_a_plain_polling_page_drives_the_whole_journey(page: Page) -> None:
    told = page.evaluate(JOURNEY)
    assert told["single"]["status"] == told["retake"]["status"] == "complete"
    assert told["single"]["progress"] == 100
    assert told["single"]["message"]
    assert told["single"]["gpu_id"] is None
    assert told["width"] == 832
    assert told["batch"]["status"] == "complete"
    assert len(told["batch"]["jobs"]) == 8
    assert all(job["video_url"] for job in told["batch"]["jobs"])
    assert told["zip"] > 100_000


@pytest.mark.browser
def test_a_page_of_another_site_cannot_post_with_the_cookie(page: Page) -> None:
    told = page.evaluate(
        """async () => (await fetch("/api/enhance", {method: "POST",
           headers: {"Content-Type": "application/json"},
           body: JSON.stringify({rough_prompt: "a cat"})})).status"""
    )
    assert told == 403
