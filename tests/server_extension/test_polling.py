"""Polls: the second one of a client is answered the short way, and says the same as the first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_server import TOKEN, LiveServer

ONCE = {"set-cookie", "date"}


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str]]:
    """A server with one finished video, whose status has been asked for."""
    with LiveServer(tmp_path_factory.mktemp("polls") / "outputs") as server:
        asked = {"prompt": "a kite", "num_frames": 5, "width": 128, "height": 96}
        job_id = server.post("/api/video/single_inference", asked).json()["job_id"]
        server.wait_for_job(job_id)
        yield server, job_id


def test_a_repeated_poll_says_the_same_with_the_same_headers(
    polled: tuple[LiveServer, str],
) -> None:
    server, job_id = polled
    visitor = {"Cookie": "visitor=1"}
    first = server.get(f"/api/video/status/{job_id}", headers=visitor)
    second = server.get(f"/api/video/status/{job_id}", headers=visitor)
    assert "set-cookie" in first.headers
    assert "set-cookie" not in second.headers, "the second was to go the short way"
    assert second.json() == first.json()
    told = [{k: v for k, v in r.headers.items() if k not in ONCE} for r in (first, second)]
    assert told[0] == told[1]
    known = {**visitor, "If-None-Match": second.headers["etag"]}
    unchanged = server.get(f"/api/video/status/{job_id}", headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == second.headers["etag"]


def test_nobody_goes_the_short_way_on_anothers_pass(polled: tuple[LiveServer, str]) -> None:
    server, job_id = polled
    path = f"/api/video/status/{job_id}"
    for _ in range(2):
        assert server.get(path).status_code == 200
    for authorization in ("token wrong", "", f"token {TOKEN}x"):
        assert server.get(path, headers={"Authorization": authorization}).status_code == 403
    assert server.get(path, headers={"Host": "evil.example"}).status_code == 403
    assert server.get(f"{path}x").status_code == 404


def test_a_poll_hears_of_every_change_at_once(polled: tuple[LiveServer, str]) -> None:
    server, job_id = polled
    path = f"/api/video/status/{job_id}"
    for starred in (True, False, True):
        server.get(path)
        server.post(f"/api/video/star/{job_id}", {"starred": starred})
        assert server.get(path).json()["starred"] is starred
    video = server.outputs / job_id / "video.mp4"
    aside = Path(f"{video}.aside")
    video.rename(aside)
    assert server.get(path).json()["status"] == "failed"
    aside.rename(video)
    assert server.get(path).json()["status"] == "complete"


def test_prometheus_counts_the_short_way_too(polled: tuple[LiveServer, str]) -> None:
    server, job_id = polled
    kind = 'handler="server_extension.handlers.videos.StatusHandler"'

    def counted() -> float:
        lines = server.get("/metrics").text.splitlines()
        named = (line for line in lines if "duration_seconds_count" in line and kind in line)
        return sum(float(line.split()[-1]) for line in named)

    before = counted()
    for _ in range(5):
        server.get(f"/api/video/status/{job_id}")
    assert counted() == before + 5
