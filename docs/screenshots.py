"""``make screenshots``: takes the pictures in docs/images by clicking through the real workbench.

Starts a server over a temporary outputs/ folder, goes through the four steps in the dashboard and in
JupyterLab, light and dark, and records a short film. Ends every process that it started.
"""

from __future__ import annotations

import base64
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from tests.browser.screen import RENDER_MS, Screen
from tests.chromium import ARGUMENTS, find_chromium
from tests.live_server import LiveServer

IMAGES: Final = Path(__file__).resolve().parent / "images"
IDEA: Final = "a fox running through the snow"
REQUEST: Final = "at night, with the camera following from behind"
_LARGEST_BYTES: Final = 400_000
_LARGEST_FILM_BYTES: Final = 2_000_000
_FILM_SIZE: Final = (960, 600)
_FILM_FPS: Final = 10
_LOOK_MS: Final = 2500
"""How long the film shows each result."""
_TYPING_MS: Final = 45
_SLOW_FRAMES: Final = 300
"""Length of renders that stay visible in the queue."""
_COLOURS: Final = (256, 128, 64)
_FLAT_COLOURS: Final = 16


def main() -> None:
    """Retake every picture."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("There is no Chromium; `make chromium` installs one.")
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="workbench-pictures-") as folder,
        LiveServer(Path(folder) / "outputs") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        _dashboard(browser, server, dark=False)
        _dashboard(browser, server, dark=True)
        _phone(browser, server)
        _lab(browser, server)
        _film(browser, server)
        browser.close()
    for picture in sorted(IMAGES.iterdir()):
        print(
            f"{picture.relative_to(IMAGES.parent.parent)}  {picture.stat().st_size / 1000:.0f} kB"
        )


def _dashboard(browser: Browser, server: LiveServer, *, dark: bool) -> None:
    tint = "dark" if dark else "light"
    screen = Screen(browser, server, dark=dark).open_dashboard()
    _take(screen.page, f"start-{tint}")
    screen.enhance(IDEA)
    screen.wait_until_playing(".wb-step-prompt video")
    _take(screen.page, f"prompt-{tint}")
    screen.make_variations()
    screen.render_all()
    screen.step.locator(".wb-job[data-state=complete]").nth(2).wait_for()
    _take(screen.page, f"rendering-{tint}")
    screen.wait_for_videos(8)
    screen.page.wait_for_timeout(600)
    _take(screen.page, f"variations-{tint}")
    _tune(screen)
    _take(screen.page, f"tune-{tint}")
    screen.go("Results")
    screen.wait_until_playing(".wb-results video", 4)
    scores = screen.cards.locator(".wb-scores .wb-score:first-child")
    expect(scores.nth(3)).to_be_visible(timeout=3 * RENDER_MS)  # of the cards near the view
    _take(screen.page, f"results-{tint}")
    screen.button("Table").click()
    expect(screen.step.locator(".wb-spark:not([data-empty])").first).to_be_visible()
    _take(screen.page, f"table-{tint}")
    screen.button("Wall").click()
    screen.cards.nth(2).get_by_role("button", name="View").click()
    screen.wait_until_playing(".wb-viewer video")
    screen.page.wait_for_timeout(600)
    _take(screen.page, f"video-{tint}")
    screen.page.keyboard.press("Escape")
    for place in (1, 3):
        screen.cards.nth(place).get_by_role("checkbox").check()
    screen.button("Compare 2").click()
    screen.wait_until_playing(".wb-compare video", 2)
    _take(screen.page, f"compare-{tint}")
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name="History").click()
    screen.page.wait_for_timeout(600)
    _take(screen.page, f"history-{tint}")
    screen.page.keyboard.press("Escape")
    screen.open_settings()
    screen.page.wait_for_timeout(600)
    _take(screen.page, f"settings-{tint}")
    screen.close()


def _phone(browser: Browser, server: LiveServer) -> None:
    screen = Screen(browser, server, width=390, touch=True).open_dashboard()
    screen.enhance(IDEA)
    screen.wait_until_playing(".wb-step-prompt video")
    _take(screen.page, "phone-prompt")
    screen.close()


def _lab(browser: Browser, server: LiveServer) -> None:
    screen = Screen(browser, server).open_lab()
    screen.enhance("an old lighthouse in a storm")
    screen.wait_until_playing(".wb-step-prompt video")
    _take(screen.page, "lab")
    screen.page.get_by_role("button", name="Prompts by").click()
    screen.page.wait_for_timeout(1_500)
    _take(screen.page, "language")
    screen.page.keyboard.press("Escape")
    screen.go("Variations")
    screen.slow_renders(_SLOW_FRAMES)
    screen.button("Make variations").click()
    screen.render_all()
    screen.step.locator(".wb-job[data-state=running]").first.wait_for()
    screen.page.get_by_role("button", name=re.compile("^Queue")).click()
    screen.page.wait_for_timeout(1_500)
    _take(screen.page, "queue")
    screen.close()


def _film(browser: Browser, server: LiveServer) -> None:
    width, height = _FILM_SIZE
    screen = Screen(browser, server, width=width, height=height).open_dashboard()
    camera = _Camera(screen.context.new_cdp_session(screen.page))
    screen.page.wait_for_timeout(_LOOK_MS)
    idea = screen.step.get_by_label("Your idea")
    idea.press_sequentially(IDEA, delay=_TYPING_MS)
    idea.press("Control+Enter")
    screen.wait_until_playing(".wb-step-prompt video")
    screen.page.wait_for_timeout(_LOOK_MS)
    screen.make_variations()
    screen.page.wait_for_timeout(_LOOK_MS)
    screen.render_all()
    screen.wait_for_videos(8)
    screen.page.wait_for_timeout(_LOOK_MS)
    _tune(screen)
    screen.page.wait_for_timeout(_LOOK_MS)
    screen.go("Results")
    screen.wait_until_playing(".wb-results video", 3)
    screen.page.wait_for_timeout(2 * _LOOK_MS)
    camera.stop()
    screen.close()
    film = IMAGES / "journey.mp4"
    camera.write(film)
    _check_size(film, _LARGEST_FILM_BYTES)


class _Camera:
    """Records a page: Chromium sends each new frame, PyAV writes them to a film."""

    def __init__(self, line: CDPSession) -> None:
        self._line = line
        self._frames: list[tuple[float, bytes]] = []
        line.on("Page.screencastFrame", self._keep)
        line.send("Page.startScreencast", {"format": "jpeg", "quality": 80})

    def stop(self) -> None:
        """Stop recording."""
        self._line.send("Page.stopScreencast")

    def write(self, path: Path) -> None:
        """Write the film at a constant frame rate."""
        begin, end = self._frames[0][0], self._frames[-1][0]
        width, height = _FILM_SIZE
        with av.open(str(path), "w", options={"movflags": "faststart"}) as film:
            stream = film.add_stream(
                "libx264", rate=_FILM_FPS, options={"crf": "34", "preset": "slow"}
            )
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            shown = 0
            pace = 1 / _FILM_FPS
            for number in range(int((end - begin) / pace) + 1):
                while (
                    shown + 1 < len(self._frames)
                    and self._frames[shown + 1][0] <= begin + number * pace
                ):
                    shown += 1
                picture = Image.open(io.BytesIO(self._frames[shown][1])).resize((width, height))
                frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
                film.mux(stream.encode(frame))
            film.mux(stream.encode())

    def _keep(self, told: dict[str, Any]) -> None:
        self._frames.append((told["metadata"]["timestamp"], base64.b64decode(told["data"])))
        self._line.send("Page.screencastFrameAck", {"sessionId": told["sessionId"]})


def _tune(screen: Screen) -> None:
    screen.cards.nth(1).get_by_role("button", name="Tune this").click()
    request = screen.step.get_by_label("What should be different")
    request.press_sequentially(REQUEST, delay=_TYPING_MS)
    request.press("Enter")
    screen.step.locator(".wb-turn .wb-changes li").first.wait_for()
    screen.button("Apply changes & generate").click()
    screen.step.locator(".wb-take[data-current] [data-shows=video]").wait_for()
    screen.page.mouse.wheel(0, -5000)
    screen.page.wait_for_timeout(800)


def _take(page: Page, name: str) -> None:
    """Save the window as a PNG with as many colours as the size limit allows."""
    whole = Image.open(io.BytesIO(page.screenshot(animations="allow"))).convert("RGB")
    path = IMAGES / f"{name}.png"
    for colours in _COLOURS:
        quantized = whole.quantize(palette=_palette(whole, colours), dither=Image.Dither.NONE)
        quantized.save(path, optimize=True)
        if path.stat().st_size <= _LARGEST_BYTES:
            return
    _check_size(path, _LARGEST_BYTES)


def _palette(whole: Image.Image, size: int) -> Image.Image:
    """Return a palette that keeps the most common colours exactly, and weights rare ones up.

    A screen is a few flat colours and some videos: by area alone, a green dot would become grey.
    """
    red, green, blue = np.asarray(whole, np.uint32).reshape(-1, 3).T
    packed, counts = np.unique(red << 16 | green << 8 | blue, return_counts=True)
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)
    flat = colours[np.argsort(counts)[-_FLAT_COLOURS:]]
    weighed = np.repeat(colours, np.ceil(np.sqrt(counts)).astype(int), axis=0)
    others = Image.fromarray(weighed[None]).quantize(size - _FLAT_COLOURS).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*flat.ravel().tolist(), *others[: 3 * (size - _FLAT_COLOURS)]])
    return palette


def _check_size(path: Path, largest_bytes: int) -> None:
    if path.stat().st_size > largest_bytes:
        sys.exit(
            f"{path.name} has {path.stat().st_size:,} bytes; at most {largest_bytes:,} belong here."
        )


if __name__ == "__main__":
    main()
