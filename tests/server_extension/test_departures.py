"""Clients that leave in the middle of an answer cost nobody else theirs."""

from __future__ import annotations

import io
import socket
import time
import zipfile
from pathlib import Path

from tests.live_server import TOKEN, LiveServer

PROMPTS = [
    "a stormy sea",
    "a busy street at night",
    "a forest in the rain",
    "fireworks over a city",
]


def _leave_early(server: LiveServer, path: str) -> None:
    """Ask for a file, read its beginning, and hang up while the rest is being sent."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # so that much is left to send
    line.connect(("127.0.0.1", server.port))
    line.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n".encode()
    )
    heard = line.recv(1_024)
    assert heard.startswith(b"HTTP/1.1 200"), heard
    time.sleep(0.05)
    line.close()


def test_zips_that_nobody_waits_for_make_room_for_the_next(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "outputs", environment={"WORKBENCH_MAX_OPEN_ZIPS": "2"}) as server:
        asked = {"prompts": PROMPTS, "num_frames": 97}
        batch_id = server.post("/api/video/batch_inference", asked).json()["batch_id"]
        assert server.wait_for_batch(batch_id)["status"] == "complete"
        path = f"/api/video/batch_download/{batch_id}"
        for _ in range(4):
            _leave_early(server, path)
        limit = time.monotonic() + 30
        while (answer := server.get(path)).status_code == 429:
            assert time.monotonic() < limit, "a client that left still holds its place"
            time.sleep(0.1)
        assert answer.status_code == 200
        assert len(answer.content) > 500_000, "too small for anybody to leave in the middle"
        names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
        assert sum(name.endswith(".mp4") for name in names) == len(PROMPTS)
        log = server.log.read_text("utf-8")
        assert "The client left while" in log
        assert "Traceback" not in log
