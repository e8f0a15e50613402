"""Pictures and videos that renders begin from, over REST."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from tests.live_server import LiveServer

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
def test_a_picture_is_kept_and_answered_with_its_size(
    server: LiveServer, ending: str, media_type: str
) -> None:
    told = _send(server, _picture(ending), media_type)
    assert told.status_code == 201, told.text
    kept = told.json()
    assert kept["input_id"].startswith("i_")
    assert (kept["kind"], kept["width"], kept["height"], kept["num_frames"]) == (
        "image", 80, 48, 1,
    )  # fmt: skip


def test_a_video_is_kept_and_a_finished_job_is_one_already(server: LiveServer) -> None:
    job = server.wait_for_job(_asked(server).json()["job_id"])
    told = _send(server, server.get(job["video_url"]).content, "video/mp4")
    assert told.status_code == 201, told.text
    assert (told.json()["kind"], told.json()["num_frames"]) == ("video", 5)
    for name in (job["job_id"], told.json()["input_id"]):
        refused = _asked(server, image=name)
        assert refused.status_code == 400
        assert "animatic engine has no option 'image'" in refused.json()["message"]


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"", "image/png", 400),
        (b"#EXTM3U\nfile:///etc/passwd", "video/mp4", 400),
        (b"\x89PNG\r\n\x1a\n and then nothing", "image/png", 400),
        (b"\0\0\0\x20ftypisom garbage", "video/mp4", 400),
        (b"{}", "application/json", 415),
        (b"GIF89a", "image/gif", 415),
    ],
)
def test_what_is_neither_picture_nor_video_is_refused_in_words(
    server: LiveServer, content: bytes, media_type: str, status: int
) -> None:
    told = _send(server, content, media_type)
    assert told.status_code == status
    assert told.json()["message"]
    assert "/" not in told.json()["message"].replace("image/", "").replace("video/", "")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"image": _MISSING}, "image"),
        ({"image": "/etc/passwd"}, "image"),
        ({"video": "../../etc/passwd"}, "video"),
        ({"options": {"image": "/etc/passwd"}}, "options"),
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
