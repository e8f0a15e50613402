"""The encoder's videos play in Chromium and Firefox."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests.chromium import ARGUMENTS, find_chromium
from tests.engines.filming import render
from tests.firefox import find_firefox, opened
from workbench.scene import Scene

pytestmark = pytest.mark.browser

_PLAYED: Final = """
(async () => {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const ended = new Promise((resolve, reject) => {
    video.onended = resolve;
    video.onerror = () => reject(new Error('cannot play: ' + video.error.message));
  });
  const canvas = document.createElement('canvas');
  const shown = (at) => new Promise((resolve) => {
    video.onseeked = () => {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      const pen = canvas.getContext('2d');
      pen.drawImage(video, 0, 0);
      const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
      let sum = 0;
      for (let i = 0; i < pixels.length; i += 4) sum += pixels[i] + pixels[i + 1] + pixels[i + 2];
      resolve(sum / (pixels.length / 4) / 3);
    };
    video.currentTime = at;
  });
  video.src = 'video.mp4';
  await video.play();
  await ended;
  const played = video.currentTime;
  const size = [video.videoWidth, video.videoHeight];
  const light = [await shown(0.02), await shown(video.duration - 0.02)];
  return JSON.stringify({played, duration: video.duration, size, light});
})()
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page and an animatic of one second of a bright day."""
    folder = tmp_path_factory.mktemp("played")
    scene = Scene(subject="a dog", action="running", setting="a meadow", time_of_day="midday")
    render(folder, scene, width=320, height=180, num_frames=24)
    (folder / "index.html").write_text("<!doctype html><title>played</title>", "utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    thread.join()
    server.server_close()


def _seen_to_play(told: str) -> None:
    seen = json.loads(told)
    assert seen["size"] == [320, 180]
    assert seen["duration"] == pytest.approx(1.0, abs=0.05)
    assert seen["played"] == pytest.approx(seen["duration"], abs=0.1)
    # Real pictures of a bright day, the first as well as the last.
    assert all(90 < light < 220 for light in seen["light"]), seen["light"]


@pytest.mark.skipif(find_firefox() is None, reason="there is no Firefox here")
def test_a_video_plays_to_its_end_in_firefox(address: str, tmp_path: Path) -> None:
    with opened(find_firefox() or "", tmp_path / "profile") as firefox:
        firefox.visit(address)
        _seen_to_play(firefox.evaluate(_PLAYED))


@pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here")
def test_a_video_plays_to_its_end_in_chromium(address: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=list(ARGUMENTS), timeout=120_000
        )
        page = browser.new_page()
        page.goto(address)
        _seen_to_play(page.evaluate(_PLAYED))
        browser.close()
