"""Pages work below a JupyterHub-style base URL as they do at the root."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlparse

import pytest

from tests.browser.screen import LOAD_MS, Screen
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser

BASE: Final = "/user/ada@lab/"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the base URL that JupyterHub gives a user."""
    server = LiveServer(tmp_path_factory.mktemp("hub") / "outputs")
    server.base_url = BASE
    server.start(f"--ServerApp.base_url={BASE}")
    yield server
    server.stop()


def _watched(screen: Screen) -> list[str]:
    """Return the absolute paths in the page that are outside the base URL."""
    outside: list[str] = []

    def note(url: str) -> None:
        path = urlparse(url).path.replace("%40", "@")
        if urlparse(url).port == screen.server.port and not path.startswith(BASE):
            outside.append(path)

    screen.page.on("request", lambda request: note(request.url))
    screen.page.on("websocket", lambda socket: note(socket.url))
    return outside


def test_the_dashboard_requests_nothing_outside_the_base_url(
    open_screen: Callable[..., Screen], hub: LiveServer
) -> None:
    screen = open_screen(on=hub)
    outside = _watched(screen)
    screen.open_dashboard()
    screen.enhance("old man fishing at dawn")
    screen.wait_until_playing(".wb-step-prompt video")
    screen.make_variations()
    screen.render_all()
    screen.wait_for_videos(8)
    screen.go("Results")
    screen.wait_until_playing(".wb-results video", 2)
    link = screen.step.get_by_role("link", name="ZIP").or_(
        screen.step.get_by_role("button", name="Download all as ZIP")
    )
    with screen.page.expect_download(timeout=LOAD_MS) as download:
        link.first.click()
    assert download.value.path().stat().st_size > 10_000
    screen.assert_clean()
    assert outside == []


def test_the_lab_shows_the_workbench_below_the_base_url(
    open_screen: Callable[..., Screen], hub: LiveServer
) -> None:
    screen = open_screen(on=hub)
    outside = _watched(screen)
    screen.open_lab()
    screen.enhance("a kite")
    screen.wait_until_playing(".wb-step-prompt video")
    assert outside + screen.foreign == []


def test_a_videos_link_is_below_the_base_url(hub: LiveServer, tmp_path: Path) -> None:
    job = hub.post("/api/video/single_inference", {"prompt": "a kite", "num_frames": 9}).json()
    ended = hub.wait_for_job(job["job_id"])
    for name in ("video_url", "poster_url"):
        path = ended[name].replace("%40", "@")
        assert path.startswith(BASE)
        part = hub.get(path.removeprefix(BASE[:-1]), headers={"Range": "bytes=0-9"})
        assert (part.status_code, len(part.content)) == (206, 10)
