"""Deleting and restoring jobs, batches and sessions over REST, and disk use."""

from __future__ import annotations

from typing import Any

from tests.live_server import LiveServer


def _batch(server: LiveServer) -> dict[str, Any]:
    session = server.post("/api/enhance", {"rough_prompt": "dog running"}).json()["session_id"]
    made = server.post(
        "/api/video/batch_inference",
        {"prompts": ["a dog", "a cat"], "session_id": session, "num_frames": 8},
    ).json()
    return server.wait_for_batch(made["batch_id"]) | {"session_id": session}


def _delete(server: LiveServer, path: str) -> tuple[int, dict[str, Any]]:
    answer = server.request("DELETE", path)
    return answer.status_code, answer.json()


def test_a_job_is_deleted_and_restored(server: LiveServer) -> None:
    first, second = (job["job_id"] for job in _batch(server)["jobs"])
    status, gone = _delete(server, f"/api/video/jobs/{first}")
    assert (status, gone["job_ids"]) == (200, [first])
    assert gone["undo_s"] > 0
    assert server.get(f"/api/video/status/{first}").status_code == 404
    assert server.get(f"/api/video/status/{second}").status_code == 200
    assert _delete(server, f"/api/video/jobs/{first}")[0] == 404
    (back,) = server.post("/api/video/undelete", {"job_ids": [first]}).json()["jobs"]
    assert back["state"] == "complete"
    assert server.get(f"/{back['video_url'].lstrip('/')}").status_code == 200


def test_deleting_a_starred_job_needs_a_confirmation(server: LiveServer) -> None:
    batch = _batch(server)
    first = batch["jobs"][0]["job_id"]
    server.post(f"/api/video/star/{first}", {"starred": True}).raise_for_status()
    path = f"/api/video/batches/{batch['batch_id']}"
    status, told = _delete(server, path)
    assert status == 409
    assert "star" in told["message"]
    status, gone = _delete(server, f"{path}?starred=true")
    assert (status, len(gone["job_ids"])) == (200, 2)
    assert server.get(f"/api/video/batch_status/{batch['batch_id']}").status_code == 404


def test_a_session_is_deleted_and_restored_with_its_renders(server: LiveServer) -> None:
    batch = _batch(server)
    session = batch["session_id"]
    taken = {one["session_id"]: one for one in server.get("/api/storage").json()["sessions"]}
    assert taken[session]["job_count"] == 2
    assert taken[session]["video_bytes"] > 0
    status, gone = _delete(server, f"/api/session/{session}")
    assert (status, len(gone["job_ids"])) == (200, 2)
    history = {"session_id": session}
    assert server.post("/api/history", history).status_code == 404
    storage = server.get("/api/storage").json()
    assert session not in {one["session_id"] for one in storage["sessions"]}
    assert storage["deleted_bytes"] > 0
    back = server.post("/api/video/undelete", {"session_id": session}).json()
    assert back["total"] == 2
    assert server.post("/api/history", history).status_code == 200


def test_deleting_an_unknown_id_is_refused(server: LiveServer) -> None:
    for path in (
        "/api/video/jobs/j_00000000000000000000",
        "/api/video/batches/b_00000000000000000000",
        "/api/session/s_00000000000000000000",
        "/api/session/..%2F..",
    ):
        assert _delete(server, path)[0] == 404
