"""Controlling the queue and reading a video's recipe over REST."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_server import PATIENCE_S, LiveServer
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState, Priority
from workbench.settings import Settings


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A separate server with a queue of its own."""
    with LiveServer(tmp_path_factory.mktemp("queue") / "outputs") as live:
        yield live


def _small(server: LiveServer, prompt: str) -> str:
    asked = {"prompt": prompt, "num_frames": 5, "width": 128, "height": 96}
    job_id: str = server.post("/api/video/single_inference", asked).json()["job_id"]
    return job_id


def test_a_paused_queue_starts_nothing_and_keeps_its_order(
    own_server: LiveServer,
) -> None:
    server = own_server
    assert server.post("/api/video/pause", {}).json() == {"paused": True, "paused_devices": []}
    jobs = [_small(server, name) for name in ("first", "second", "third")]
    reordered = server.post("/api/video/reorder", {"job_ids": jobs[::-1]}).json()["jobs"]
    assert [job["job_id"] for job in reordered] == jobs[::-1]
    places = [server.get(f"/api/video/status/{job}").json()["queue_position"] for job in jobs]
    assert places == [2, 1, 0]
    assert {server.get(f"/api/video/status/{job}").json()["status"] for job in jobs} == {"pending"}
    assert server.post("/api/video/resume", {}).json()["paused"] is False
    ended = [server.wait_for_job(job) for job in jobs]
    assert {job["status"] for job in ended} == {"complete"}


def _status(server: LiveServer, batch_id: str) -> str:
    status: str = server.get(f"/api/video/batch_status/{batch_id}").json()["status"]
    return status


def test_every_process_sees_changes_made_by_another(own_server: LiveServer) -> None:
    server = own_server
    kernel = JobManager(Settings(outputs=server.outputs))  # as a notebook has one
    try:
        kernel.pause()
        asked = {"prompts": ["one", "two"], "num_frames": 5, "width": 128, "height": 96}
        batch = server.post("/api/video/batch_inference", asked).json()
        one, two = batch["job_ids"]
        urgent = server.post(f"/api/video/priority/{two}", {"priority": "interactive"}).json()
        assert urgent["queue_position"] == 0
        assert kernel.job(two).priority == Priority.INTERACTIVE
        assert [job.queue_position for job in kernel.reorder([one, two])] == [0, 1]
        assert server.get(f"/api/video/status/{one}").json()["queue_position"] == 0
        assert kernel.cancel(one).state is JobState.CANCELLED
        told = server.wait_for_job(one)  # the server hears of it a moment later
        assert (told["status"], told["cancelled"]) == ("failed", True)
        assert server.post(f"/api/video/batch_cancel/{batch['batch_id']}").status_code == 200
        assert kernel.job(two).state is JobState.CANCELLED
        assert kernel.paused() == {""}
        assert server.post("/api/video/resume", {}).json()["paused"] is False
        for job_id in (one, two):
            kernel.retry(job_id)
        assert server.wait_for_batch(batch["batch_id"])["status"] == "complete"
        kernel.video_path(one).unlink()
        deadline = time.monotonic() + PATIENCE_S  # the files are looked at every other second
        while _status(server, batch["batch_id"]) != "partial":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        again = server.post(f"/api/video/batch_retry/{batch['batch_id']}").json()
        assert [job["job_id"] for job in again["jobs"]] == [one, two]
        server.wait_for_batch(batch["batch_id"])
        assert [job.attempt for job in kernel.batch(batch["batch_id"]).jobs] == [2, 1]
    finally:
        kernel.resume()
        kernel.close()


def test_pausing_an_unknown_device_is_refused(own_server: LiveServer) -> None:
    assert own_server.post("/api/video/pause", {"device": "cuda:99"}).status_code == 404


def test_a_star_stays_until_it_is_removed(own_server: LiveServer) -> None:
    job = _small(own_server, "a keeper")
    assert own_server.post(f"/api/video/star/{job}", {"starred": True}).json()["starred"] is True
    assert own_server.get(f"/api/video/status/{job}").json()["starred"] is True
    assert own_server.post(f"/api/video/star/{job}", {"starred": False}).json()["starred"] is False


def test_an_unchanged_status_is_answered_with_304(own_server: LiveServer) -> None:
    job = _small(own_server, "a steady one")
    first = own_server.wait_for_scores(job)
    again = own_server.get(
        f"/api/video/status/{job}", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304
    assert again.content == b""


def test_a_video_file_gives_back_its_prompt_and_parameters(own_server: LiveServer) -> None:
    server = own_server
    begun = server.post("/api/enhance", {"rough_prompt": "a cat at night"}).json()
    asked = {
        "prompt": begun["enhanced_prompt"], "session_id": begun["session_id"],
        "num_frames": 5, "width": 128, "height": 96, "seed": 77,
    }  # fmt: skip
    job_id = server.post("/api/video/single_inference", asked).json()["job_id"]
    ended = server.wait_for_job(job_id)
    for path, media_type in (
        (ended["video_url"], "video/mp4"),
        (ended["video_url"].replace("video.mp4", "recipe.json"), "application/json"),
    ):
        file = server.get(path).content
        told = server.request(
            "POST", "/api/recipe", content=file, headers={"Content-Type": media_type}
        )
        assert told.status_code == 200, told.text
        restored = told.json()
        assert restored["prompt"] == begun["enhanced_prompt"]
        assert restored["parameters"]["time_of_day"] == "night"
        assert restored["recipe"]["request"]["seed"] == 77
        history = server.post("/api/history", {"session_id": restored["session_id"]}).json()
        assert history["history"][0]["prompt"] == begun["enhanced_prompt"]


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [(b"", "video/mp4", 400), (b"\0\0\0\x20ftypisom garbage", "video/mp4", 400),
     (b"{}", "application/json", 400), (b"GIF89a", "image/gif", 415)],
)  # fmt: skip
def test_a_file_without_a_recipe_is_refused_with_the_reason(
    own_server: LiveServer, content: bytes, media_type: str, status: int
) -> None:
    told = own_server.request(
        "POST", "/api/recipe", content=content, headers={"Content-Type": media_type}
    )
    assert told.status_code == status
    assert told.json()["message"]
    assert str(Path("/tmp")) not in told.json()["message"]


def test_prometheus_metrics_include_jobs_and_devices(own_server: LiveServer) -> None:
    job = _small(own_server, "counted")
    own_server.wait_for_job(job)
    text = own_server.get("/metrics").text
    assert 'workbench_jobs{state="complete"}' in text
    assert "workbench_supervisor_up 1.0" in text
    assert 'workbench_device_busy{device="cpu:0"' in text
    assert "workbench_device_temperature_c{" not in text


def test_a_note_stays_until_replaced_and_has_a_maximum_length(own_server: LiveServer) -> None:
    job = _small(own_server, "a noted one")
    assert own_server.post(f"/api/video/note/{job}", {"note": "too dark"}).json()["note"] == (
        "too dark"
    )
    assert own_server.get(f"/api/video/status/{job}").json()["note"] == "too dark"
    assert own_server.post(f"/api/video/note/{job}", {"note": "x" * 4_001}).status_code == 400
    assert own_server.post(f"/api/video/note/{job}", {"note": ""}).json()["note"] == ""


def test_a_job_has_its_scores_and_jobs_are_sorted_by_them(own_server: LiveServer) -> None:
    jobs = [_small(own_server, prompt) for prompt in ("a scored horse", "a scored boat")]
    limit = time.monotonic() + PATIENCE_S
    for job in jobs:
        own_server.wait_for_job(job)
        while own_server.get(f"/api/video/status/{job}").json()["scores"] is None:
            assert time.monotonic() < limit
            time.sleep(0.05)
    scores = {job: own_server.get(f"/api/video/status/{job}").json()["scores"] for job in jobs}
    assert all(0 < s["exposure"] < 1 and s["agreement"] is None for s in scores.values())

    def listed(query: str) -> list[str]:
        page = own_server.get(f"/api/video/jobs?q=scored&{query}").json()
        return [job["job_id"] for job in page["jobs"]]

    rising = sorted(jobs, key=lambda job: float(scores[job]["exposure"]))
    assert listed("sort=exposure") == rising
    assert listed("sort=-exposure&status=complete") == rising[::-1]
    middle = sum(s["exposure"] for s in scores.values()) / 2
    assert listed(f"min_exposure={middle}") == rising[1:]
    assert listed(f"max_exposure={middle}") == rising[:1]


@pytest.mark.parametrize("query", ["sort=beauty", "min_motion=fast", "max_flicker=nan"])
def test_an_unknown_score_is_refused(own_server: LiveServer, query: str) -> None:
    refused = own_server.get(f"/api/video/jobs?{query}")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == query.partition("=")[0]
