"""Input pictures and videos over REST."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from pathlib import Path
from typing import Any, Self

import cv2
import httpx
import numpy as np
import psutil
import pytest

from server_extension.handlers.uploads import Uploads
from tests.live_server import PATIENCE_S, TOKEN, LiveServer
from workbench.settings import Settings

_MISSING = "i_" + "0" * 20


def _picture(ending: str) -> bytes:
    chance = np.random.default_rng(0)
    done, data = cv2.imencode(ending, chance.integers(0, 255, (48, 80, 3), np.uint8))
    assert done
    return data.tobytes()


def _send(server: LiveServer, content: bytes, media_type: str) -> Any:
    headers = {"Content-Type": media_type}
    return server.request("POST", "/api/video/inputs", content=content, headers=headers)


def _asked(server: LiveServer, **changed: Any) -> Any:
    asked = {"prompt": "a dog runs", "num_frames": 5, "width": 128, "height": 96, **changed}
    return server.post("/api/video/single_inference", asked)


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [(".png", "image/png"), (".jpg", "image/jpeg"), (".webp", "image/webp")],
)
def test_a_picture_is_stored_and_its_size_returned(
    server: LiveServer, ending: str, media_type: str
) -> None:
    told = _send(server, _picture(ending), media_type)
    assert told.status_code == 201, told.text
    kept = told.json()
    assert kept["input_id"].startswith("i_")
    assert (kept["kind"], kept["width"], kept["height"], kept["num_frames"]) == (
        "image", 80, 48, 1,
    )  # fmt: skip


def test_an_uploaded_video_and_a_finished_job_are_inputs(server: LiveServer) -> None:
    job = server.wait_for_job(_asked(server).json()["job_id"])
    told = _send(server, server.get(job["video_url"]).content, "video/mp4")
    assert told.status_code == 201, told.text
    assert (told.json()["kind"], told.json()["num_frames"]) == ("video", 5)
    for name in (job["job_id"], told.json()["input_id"]):
        refused = _asked(server, image=name)
        assert refused.status_code == 400
        assert "storyboard does not accept image" in refused.json()["message"]


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"", "image/png", 400),
        (b"#EXTM3U\nfile:///etc/passwd", "video/mp4", 400),
        (b"\x89PNG\r\n\x1a\n and then nothing", "image/png", 400),
        (b"\0\0\0\x20ftypisom garbage", "video/mp4", 400),
        (b"{}", "application/json", 400),
        (b"<p>", "text/html", 415),
        (b"GIF89a", "image/gif", 415),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "video/quicktime", 400),
    ],
)
def test_a_file_that_is_neither_picture_nor_video_is_refused_with_the_reason(
    server: LiveServer, content: bytes, media_type: str, status: int
) -> None:
    told = _send(server, content, media_type)
    assert told.status_code == status
    assert told.json()["message"]
    without_types = re.sub(r"\b(image|video|application|text)/", "", told.json()["message"])
    assert "/" not in without_types


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"image": _MISSING}, "image"),
        ({"image": "/etc/passwd"}, "image"),
        ({"video": "../../etc/passwd"}, "video"),
        ({"options": {"image": "/etc/passwd"}}, "options"),
        ({"options": {"mask": "/etc/passwd"}}, "options"),
        ({"options": {"keyframes": [{"at_s": 0, "image": "/etc/passwd"}]}}, "options"),
        ({"mask": "/etc/passwd"}, "mask"),
        ({"references": ["/etc/passwd"]}, "references.0"),
        ({"control": {"kind": "depth", "video": "/etc/passwd"}}, "control.video"),
        ({"options": {"control": {"kind": "depth", "video": "/etc/passwd"}}}, "options"),
        ({"keyframes": [{"at_s": 0, "image": "/etc/passwd"}]}, "keyframes.0.image"),
        ({"options": {"colour": "red"}}, "options.colour"),
    ],
)
def test_a_render_names_inputs_by_id_alone(
    server: LiveServer, changed: dict[str, Any], field: str
) -> None:
    told = _asked(server, **changed)
    assert told.status_code == 400
    assert [error["field"] for error in told.json()["errors"]] == [field]


def test_a_job_without_a_video_cannot_be_continued_yet(server: LiveServer) -> None:
    server.post("/api/video/pause", {})
    try:
        waiting = _asked(server).json()["job_id"]
        told = _asked(server, image=waiting)
        server.post(f"/api/video/cancel/{waiting}", {})
    finally:
        server.post("/api/video/resume", {})
    assert told.status_code == 400
    assert "has no video" in told.json()["message"]


class Visitor(httpx.Client):
    """A separate browser that logged in by the link with the token."""

    def __init__(self, server: LiveServer) -> None:
        super().__init__(base_url=server.url, timeout=PATIENCE_S, trust_env=False)

    def __enter__(self) -> Self:
        super().__enter__()
        self.get("/lab", params={"token": TOKEN}).raise_for_status()
        return self

    def upload(self, content: bytes, path: str = "/api/video/inputs") -> httpx.Response:
        """Send a picture as a page does, with the cookie and the XSRF token."""
        headers = {"Content-Type": "image/png", "X-XSRFToken": self.cookies["_xsrf"]}
        return self.post(path, content=content, headers=headers)


def test_each_visitors_uploads_are_limited_in_number_and_bytes_per_hour(tmp_path: Path) -> None:
    picture = _picture(".png")
    limits = {
        "WORKBENCH_MAX_VISITOR_UPLOADS": "3",
        "WORKBENCH_MAX_VISITOR_UPLOAD_BYTES": str(3 * len(picture)),
    }
    with LiveServer(tmp_path / "outputs", environment=limits) as server:
        with Visitor(server) as first, Visitor(server) as second:
            assert [first.upload(picture).status_code for _ in range(2)] == [201, 201]
            assert first.upload(picture + bytes(1)).status_code == 429  # more bytes than are left
            assert first.upload(b"\x89PNG\r\n\x1a\n and then nothing").status_code == 400  # counts
            told = first.upload(b"")
            assert told.status_code == 429
            assert "3 files" in told.json()["message"]
            assert 0 < int(told.headers["Retry-After"]) <= 3_600
            assert first.upload(picture, "/api/recipe").status_code == 429
            assert second.upload(picture).status_code == 201
        # A token without a cookie identifies nobody: clients with one address share a limit.
        assert [_send(server, picture, "image/png").status_code for _ in range(4)] == [
            201, 201, 201, 429,
        ]  # fmt: skip


def test_an_upload_beyond_the_largest_is_413_and_one_below_the_reserve_503(tmp_path: Path) -> None:
    reserve = {"WORKBENCH_DISK_RESERVE_BYTES": str(1 << 60)}
    with LiveServer(tmp_path / "outputs", environment=reserve) as server:
        told = _send(server, bytes((64 << 20) + 1), "image/png")
        assert (told.status_code, "67,108,864" in told.json()["message"]) == (413, True)
        told = _send(server, _picture(".png"), "image/png")
        assert (told.status_code, "reserve" in told.json()["message"]) == (503, True)
        assert told.headers["Retry-After"]


def test_request_bodies_without_a_login_are_not_kept_in_memory(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "outputs") as server:
        assert server.process is not None
        memory = psutil.Process(server.process.pid)
        with httpx.Client(timeout=PATIENCE_S, trust_env=False) as stranger:
            xsrf = stranger.get(f"{server.url}/login").cookies["_xsrf"]  # anybody gets one
        before = memory.memory_info().rss
        sent = 60 << 20
        head = (
            "POST /api/video/inputs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
            f"Cookie: _xsrf={xsrf}\r\nX-XSRFToken: {xsrf}\r\n"
            f"Content-Length: {sent + 1}\r\n\r\n"
        )
        lines = []
        for _ in range(4):
            line = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
            line.sendall(head.encode())
            line.sendall(bytes(sent))  # all but the last byte
            lines.append(line)
        grown = memory.memory_info().rss - before
        for line in lines:
            line.sendall(b"x")
            assert line.recv(1_024).startswith(b"HTTP/1.1 403")
            line.close()
        assert grown < 2 * sent, f"{grown >> 20} MiB for four strangers"


def test_uploads_are_decoded_two_at_a_time(tmp_path: Path) -> None:
    uploads = Uploads(Settings(outputs=tmp_path))
    both = threading.Barrier(2, timeout=PATIENCE_S)
    running: set[int] = set()
    most: list[int] = []

    def decode(number: int) -> None:
        running.add(number)
        both.wait()  # which no third can keep from opening
        most.append(len(running))
        both.wait()
        running.discard(number)

    async def send() -> None:
        await asyncio.gather(*(uploads.in_turn(decode, number) for number in range(6)))

    asyncio.run(send())
    assert len(most) == 6
    assert max(most) <= 3  # one may have begun its turn while another leaves
