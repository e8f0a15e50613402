"""Rollouts over REST: a world is started, read, forked, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live_server import LiveServer

_SMALL = {"width": 128, "height": 96, "num_frames": 5, "fps": 16}


@pytest.fixture
def begun(server: LiveServer) -> str:
    """The id of a storyboard."""
    told = server.post("/api/video/single_inference", {"prompt": "a red car drives", **_SMALL})
    return str(told.json()["job_id"])


def _started(server: LiveServer, job_id: str, **asked: Any) -> Any:
    return server.post("/api/rollouts", {"job_id": job_id, **asked})


def test_a_world_is_started_read_and_forked(server: LiveServer, begun: str) -> None:
    told = _started(server, begun, actions="w-8,jw-8", segment_s=0.5)
    assert told.status_code == 201, told.text
    world = told.json()
    assert (world["parent"], world["fork_s"], world["num_frames"]) == (None, 0, 17)
    assert [one["start_s"] for one in world["segments"]] == [0, 0.5, 1]
    assert world["duration_s"] == world["segments"][-1]["end_s"] == 17 / 16
    for segment in world["segments"]:
        server.wait_for_job(segment["job_id"])
    url = f"/api/rollouts/{world['batch_id']}"
    ended = server.get(url).json()
    assert ended["status"] == "complete"
    assert all(server.get(one["video_url"]).status_code == 200 for one in ended["segments"])

    forked = server.post(f"{url}/fork", {"at_s": 0.5, "actions": "a-8"})
    assert forked.status_code == 201, forked.text
    branch = forked.json()
    assert (branch["parent"], branch["fork_s"]) == (world["batch_id"], 0.5)
    assert branch["num_frames"] == 8 + 8
    further = server.post(f"/api/rollouts/{branch['batch_id']}/fork", {"actions": "w-4"}).json()
    assert (further["parent"], further["fork_s"]) == (branch["batch_id"], 1.0)
    batch = server.get(f"/api/video/batch_status/{further['batch_id']}").json()
    assert [job["job_id"] for job in batch["jobs"]] == [s["job_id"] for s in further["segments"]]


def test_a_repeated_request_with_its_key_answers_with_the_first_ones_branch(
    server: LiveServer, begun: str
) -> None:
    asked = {"actions": "w-8", "segment_s": 0.25, "idempotency_key": f"world of {begun}"}
    first, second = (_started(server, begun, **asked) for _ in range(2))
    assert first.status_code == second.status_code == 201, second.text
    assert second.json()["batch_id"] == first.json()["batch_id"]
    other = _started(server, begun, **{**asked, "actions": "w-16"})
    assert other.status_code == 409, other.text
    url = f"/api/rollouts/{first.json()['batch_id']}/fork"
    fork = {"at_s": 0.25, "actions": "a-4", "idempotency_key": f"fork of {begun}"}
    left, again = (server.post(url, fork).json()["batch_id"] for _ in range(2))
    assert left == again
    assert left != first.json()["batch_id"]
    assert server.post(url, {**fork, "idempotency_key": None}).json()["batch_id"] != left


def test_a_world_of_very_many_segments_is_refused(server: LiveServer, begun: str) -> None:
    asked = {"actions": "w-8", "seconds": 90, "planned_s": 100, "segment_s": 0.1}
    told = _started(server, begun, **asked)
    assert told.status_code == 400, told.text
    assert [error["field"] for error in told.json()["errors"]] == ["segment_s"]
    assert "more than 256 segments" in told.json()["message"]


def test_actions_are_taken_from_an_uploaded_path(server: LiveServer, begun: str) -> None:
    path = b"0 0 0 0 0 0 0 1\n1 0 0 1 0 0 0 1\n"
    headers = {"Content-Type": "text/plain"}
    kept = server.request("POST", "/api/video/inputs", content=path, headers=headers).json()
    told = _started(server, begun, actions=kept["input_id"], seconds=0.5)
    assert told.status_code == 201, told.text
    assert told.json()["num_frames"] == 9


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "actions"),
        ({"actions": "a nice day"}, "camera"),
        ({"actions": "w-8", "planned_s": 0.1}, "seconds"),
        ({"actions": "w-8", "seconds": -1}, "seconds"),
        ({"actions": "w-8", "at_s": 0.1}, "job_id"),
        ({"actions": "w-8", "idempotency_key": ""}, "idempotency_key"),
        ({"actions": "w-8", "last_image": "/etc/passwd"}, "last_image"),
        ({"actions": "w-8", "most_retakes": 100}, "most_retakes"),
        ({"actions": "w-8", "tail": {"frames": "/etc/passwd"}}, "tail"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused_by_field(
    asked: dict[str, Any], field: str, server: LiveServer, begun: str
) -> None:
    told = _started(server, begun, **asked)
    assert told.status_code == 400, told.text
    assert field in {one["field"] for one in told.json()["errors"]}, told.text


def test_unknown_worlds_and_other_batches_are_told_apart(server: LiveServer, begun: str) -> None:
    assert _started(server, "j_01h2xcejqtf2nbrexx3v", actions="w-8").status_code == 404
    assert server.get("/api/rollouts/b_01h2xcejqtf2nbrexx3v").status_code == 404
    prompts = {"prompts": ["a dog"], **_SMALL}
    batch = server.post("/api/video/batch_inference", prompts).json()["batch_id"]
    told = server.get(f"/api/rollouts/{batch}")
    assert told.status_code == 404
    assert "is not a rollout" in told.json()["message"]
    world = _started(server, begun, actions="w-8").json()["batch_id"]
    told = server.post(f"/api/rollouts/{world}/fork", {"at_s": 60, "actions": "w-8"})
    assert told.status_code == 400
    assert told.json()["errors"][0]["field"] == "at_s"


def test_the_tail_of_a_segment_is_never_named_by_a_client(server: LiveServer) -> None:
    options = {"tail": {"frames": "/etc/passwd"}}
    asked = {"prompt": "a dog", "engine": "diffusers", "options": options, **_SMALL}
    told = server.post("/api/video/single_inference", asked)
    assert told.status_code == 400
    assert "give tail beside the options, by id" in told.text
