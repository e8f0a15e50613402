"""Fractional frame rates over REST: exact from the request to the file."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import pytest

from tests.live_server import LiveServer


def _asked(server: LiveServer, fps: Any) -> Any:
    asked = {"prompt": "a dog runs", "num_frames": 9, "width": 128, "height": 96}
    return server.post("/api/video/single_inference", {**asked, "fps": fps})


@pytest.mark.parametrize(
    ("asked", "exact"),
    [
        ("24000/1001", Fraction(24_000, 1_001)),
        (24_000 / 1_001, Fraction(24_000, 1_001)),
        ("30000/1001", Fraction(30_000, 1_001)),
        (12.5, Fraction(25, 2)),
        ("48/2", Fraction(24)),
    ],
)
def test_a_ratio_is_exact_in_the_job_the_recipe_and_the_file(
    asked: Any, exact: Fraction, server: LiveServer
) -> None:
    told = _asked(server, asked)
    assert told.status_code == 201, told.text
    job = server.wait_for_job(told.json()["job_id"])
    assert job["status"] == "complete", job["message"]
    assert job["fps"] == float(exact)
    recipe = server.get(job["video_url"].replace("video.mp4", "recipe.json")).json()
    assert recipe["request"]["fps"] == float(exact)
    again = server.post("/api/video/single_inference", {"prompt": "x", "fps": job["fps"]})
    assert again.json()["job"]["fps"] == job["fps"]
    opened: Any = av.open(BytesIO(server.get(job["video_url"]).content))
    with opened as container:
        stream = container.streams.video[0]
        assert stream.average_rate == exact
        shown = sorted(f.pts * stream.time_base for f in container.decode(stream))
    assert shown == [Fraction(index) / exact for index in range(9)]


@pytest.mark.parametrize("asked", ["24000/0", "24/1002", "1/2", "a/b", "24000/1001/1", "999/1"])
def test_a_ratio_that_is_no_frame_rate_is_refused_by_its_field(
    asked: str, server: LiveServer
) -> None:
    told = _asked(server, asked)
    assert told.status_code == 400, told.text
    assert {one["field"] for one in told.json()["errors"]} == {"fps"}
