"""The whole journey over HTTP, against a real server with real renders."""

from __future__ import annotations

import io
import json
import zipfile

from tests.live_server import LiveServer
from tests.videos import decode, moves


def test_a_rough_idea_becomes_eight_finished_videos(server: LiveServer) -> None:
    enhanced = server.post("/api/enhance", {"rough_prompt": "dog running", "session_id": None})
    assert enhanced.status_code == 200
    told = enhanced.json()
    session_id, prompt = told["session_id"], told["enhanced_prompt"]
    assert told["is_fallback"] is False
    assert told["provider"] == "builtin"
    assert "dog" in prompt.lower()
    assert 3 <= len(prompt.split()) <= 120

    first = server.post("/api/video/single_inference", {"prompt": prompt, "session_id": session_id})
    assert first.status_code == 201
    assert first.json()["status"] in {"pending", "processing"}  # a worker may be that quick

    begun = server.post("/api/initialize", {"prompt": prompt, "session_id": session_id}).json()
    assert begun["prompt"] == prompt
    assert "dog" in begun["parameters"]["subject"]

    history = server.post("/api/history", {"session_id": session_id}).json()["history"]
    chosen = next(entry["index"] for entry in history if entry["prompt"] == prompt)
    varied = server.post(
        "/api/generate-variations",
        {"session_id": session_id, "selected_indices": [chosen], "total_count": 8},
    ).json()
    assert len(varied["prompts"]) == len(set(varied["prompts"])) == 8
    assert varied["prompts"][0] == prompt
    assert all(v["changes"] for v in varied["variations"][1:])
    assert all("dog" in v["parameters"]["subject"] for v in varied["variations"])

    queued = server.post(
        "/api/video/batch_inference", {"prompts": varied["prompts"], "session_id": session_id}
    )
    assert queued.status_code == 201
    batch_id = queued.json()["batch_id"]

    tuned = server.post(
        "/api/update", {"session_id": session_id, "user_request": "make it night", "prompt": prompt}
    ).json()
    assert tuned["understood"] is True
    assert tuned["parameters"]["time_of_day"] == "night"
    assert tuned["changes"]
    assert "night" in tuned["prompt"].lower()
    again = server.post(
        "/api/video/single_inference", {"prompt": tuned["prompt"], "session_id": session_id}
    ).json()

    ended = server.wait_for_batch(batch_id)
    assert ended["status"] == "complete"
    assert ended["progress"] == 100
    assert [job["prompt"] for job in ended["jobs"]] == varied["prompts"]
    for job in ended["jobs"]:
        assert job["status"] == "complete"
        video = server.get(job["video_url"])
        assert video.headers["Content-Type"] == "video/mp4"
        assert moves(decode(video.content))
        assert server.get(job["poster_url"]).content.startswith(b"\xff\xd8")
    assert server.wait_for_job(first.json()["job_id"])["status"] == "complete"
    assert server.wait_for_job(again["job_id"])["status"] == "complete"

    _check_zip(server, batch_id, varied["prompts"])
    _check_history(server, session_id, [first.json()["job_id"], again["job_id"]])


def _check_zip(server: LiveServer, batch_id: str, prompts: list[str]) -> None:
    download = server.get(f"/api/video/batch_download/{batch_id}")
    assert download.headers["Content-Type"] == "application/zip"
    assert len(download.content) == int(download.headers["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        assert [video["prompt"] for video in manifest["videos"]] == prompts
        for video in manifest["videos"]:
            assert "dog" in video["file"]
            assert len(decode(archive.read(video["file"]))) > 24
            assert json.loads(archive.read(video["recipe"]))["request"]["prompt"] == video["prompt"]


def _check_history(server: LiveServer, session_id: str, job_ids: list[str]) -> None:
    history = server.post("/api/history", {"session_id": session_id}).json()["history"]
    assert [entry["index"] for entry in history] == list(range(len(history)))
    rendered = {job_id for entry in history for job_id in entry["job_ids"]}
    assert set(job_ids) <= rendered
    assert len(rendered) == 10
    tuned = history[-1]
    assert tuned["kind"] == "tuned"
    assert tuned["request"] == "make it night"
    assert tuned["parent"] is not None
