"""The endpoints' answers to odd, wrong and hostile requests."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.live_server import PATIENCE_S, LiveServer

UNKNOWN_JOB = "j_" + "0" * 20
UNKNOWN_BATCH = "b_" + "0" * 20
UNKNOWN_SESSION = "s_" + "0" * 20


@pytest.fixture(scope="module")
def finished(server: LiveServer) -> dict[str, Any]:
    """One finished batch of two short videos."""
    batch = server.post(
        "/api/video/batch_inference", {"prompts": ["a cat", "a boat at sea"], "num_frames": 9}
    ).json()
    return server.wait_for_batch(batch["batch_id"])


def _check_error(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    told: dict[str, Any] = response.json()
    assert told["message"]
    assert told["reason"]
    assert isinstance(told["errors"], list)
    return told


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/enhance", {}, "rough_prompt"),
        ("/api/enhance", {"rough_prompt": ""}, "rough_prompt"),
        ("/api/enhance", {"rough_prompt": " \n\t"}, "rough_prompt"),
        ("/api/enhance", {"rough_prompt": 7}, "rough_prompt"),
        ("/api/enhance", {"rough_prompt": "x" * 4_001}, "rough_prompt"),
        ("/api/enhance", {"rough_prompt": "x", "mood": "y"}, "mood"),
        ("/api/initialize", {"prompt": None}, "prompt"),
        ("/api/update", {"session_id": UNKNOWN_SESSION}, "user_request"),
        ("/api/video/single_inference", {"prompt": "x", "seed": -1}, "seed"),
        ("/api/video/single_inference", {"prompt": "x", "engine": "nobody"}, "engine"),
        ("/api/video/single_inference", {"prompt": "x", "width": 1}, "width"),
        ("/api/video/single_inference", {"prompt": "x", "num_frames": 10**9}, "num_frames"),
        ("/api/video/single_inference", {"prompt": "x", "width": 7680, "height": 4320}, "width"),
        ("/api/video/batch_inference", {"prompts": []}, "prompts"),
        ("/api/video/batch_inference", {"prompts": "x"}, "prompts"),
        ("/api/video/batch_inference", {"prompts": ["x"] * 65}, "prompts"),
        ("/api/video/batch_inference", {"prompts": ["x", ""]}, "prompts.1"),
    ],
)
def test_a_value_that_does_not_validate_is_named(
    server: LiveServer, path: str, body: dict[str, Any], field: str
) -> None:
    told = _check_error(server.post(path, body), 400)
    assert field in [error["field"] for error in told["errors"]]
    assert told["reason"] == "Bad Request"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"rough_prompt": "\\ud800"}',
     b'{"rough_prompt": "x", "seed": NaN}'],
)  # fmt: skip
def test_a_body_that_is_not_a_json_object_is_refused(server: LiveServer, content: bytes) -> None:
    sent = server.request(
        "POST", "/api/enhance", content=content, headers={"Content-Type": "application/json"}
    )
    _check_error(sent, 400)


def test_not_a_number_is_refused(server: LiveServer) -> None:
    sent = server.request(
        "POST",
        "/api/video/single_inference",
        content=b'{"prompt": "x", "guidance_scale": NaN}',
        headers={"Content-Type": "application/json"},
    )
    _check_error(sent, 400)


def test_a_body_of_another_type_is_refused(server: LiveServer) -> None:
    sent = server.request("POST", "/api/enhance", data={"rough_prompt": "x"})
    _check_error(sent, 415)


@pytest.mark.parametrize("size", [2 << 20, 9 << 20])
def test_a_body_beyond_the_limit_is_refused(server: LiveServer, size: int) -> None:
    content = json.dumps({"rough_prompt": "x" * size}).encode()
    sent = server.request(
        "POST", "/api/enhance", content=content, headers={"Content-Type": "application/json"}
    )
    _check_error(sent, 413)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/history", {"session_id": UNKNOWN_SESSION}),
        ("POST", "/api/history", {"session_id": "../../etc/passwd"}),
        ("POST", "/api/update", {"session_id": UNKNOWN_SESSION, "user_request": "night"}),
        ("POST", "/api/initialize", {"session_id": UNKNOWN_SESSION, "prompt": "a cat"}),
        ("POST", "/api/generate-variations", {"session_id": UNKNOWN_SESSION, "selected_indices": [0]}),
        ("POST", "/api/video/single_inference", {"session_id": UNKNOWN_SESSION, "prompt": "a cat"}),
        ("GET", f"/api/video/status/{UNKNOWN_JOB}", None),
        ("GET", "/api/video/status/%2e%2e%2fetc", None),
        ("GET", f"/api/video/batch_status/{UNKNOWN_BATCH}", None),
        ("GET", f"/api/video/batch_download/{UNKNOWN_BATCH}", None),
        ("POST", f"/api/video/cancel/{UNKNOWN_JOB}", None),
        ("POST", f"/api/video/retry/{UNKNOWN_JOB}", None),
        ("POST", f"/api/video/batch_cancel/{UNKNOWN_BATCH}", None),
        ("POST", f"/api/video/priority/{UNKNOWN_JOB}", {"priority": "batch"}),
        ("GET", f"/static/videos/{UNKNOWN_JOB}/video.mp4", None),
        ("GET", f"/static/videos/{UNKNOWN_JOB}.mp4", None),
        ("GET", "/static/videos/..%2f..%2fetc%2fpasswd", None),
        ("GET", "/static/videos/%2e%2e%2f%2e%2e%2fetc%2fpasswd", None),
        ("GET", "/static/videos/.workbench/index.sqlite3", None),
    ],
)  # fmt: skip
def test_unknown_ids_are_404_with_a_message(
    server: LiveServer, method: str, path: str, body: dict[str, Any] | None
) -> None:
    told = _check_error(server.request(method, path, json=body), 404)
    assert "token" not in told["message"].lower()


def test_enhance_with_an_unknown_session_starts_a_new_one(server: LiveServer) -> None:
    asked = {"rough_prompt": "a cat", "session_id": UNKNOWN_SESSION}
    told = server.post("/api/enhance", asked).json()
    assert told["session_id"] != UNKNOWN_SESSION
    assert server.post("/api/history", {"session_id": told["session_id"]}).status_code == 200


def test_a_history_index_out_of_range_is_refused(server: LiveServer) -> None:
    session_id = server.post("/api/enhance", {"rough_prompt": "a cat"}).json()["session_id"]
    asked = {"session_id": session_id, "selected_indices": [99]}
    told = _check_error(server.post("/api/generate-variations", asked), 400)
    assert told["errors"][0]["field"] == "selected_indices"


def test_a_request_that_is_not_understood_changes_nothing_and_says_so(server: LiveServer) -> None:
    begun = server.post("/api/enhance", {"rough_prompt": "a cat on a roof"}).json()
    asked = {"session_id": begun["session_id"], "user_request": "xyzzy plugh"}
    told = server.post("/api/update", asked).json()
    assert told["understood"] is False
    assert told["prompt"] == begun["enhanced_prompt"]
    assert told["changes"] == []
    assert told["index"] is None
    assert told["message"]


def test_a_locked_parameter_stays_when_a_request_would_change_it(server: LiveServer) -> None:
    begun = server.post("/api/enhance", {"rough_prompt": "a cat at noon"}).json()
    session_id = begun["session_id"]
    locked = server.post("/api/parameters", {"session_id": session_id, "lock": ["time_of_day"]})
    assert locked.json()["parameters"]["provenance"]["time_of_day"] == "locked"
    before = locked.json()["parameters"]["time_of_day"]
    asked = {"session_id": session_id, "user_request": "make it night"}
    assert server.post("/api/update", asked).json()["parameters"]["time_of_day"] == before


@pytest.mark.parametrize(
    "path",
    ["/api/devices", "/api/video/jobs", "/api/workbench/health", "/api/workbench/openapi.json",
     f"/static/videos/{UNKNOWN_JOB}/video.mp4", f"/api/video/events?job_id={UNKNOWN_JOB}"],
)  # fmt: skip
def test_every_route_requires_the_token(server: LiveServer, path: str) -> None:
    refused = httpx.get(server.url + path, trust_env=False, timeout=PATIENCE_S)
    _check_error(refused, 403)
    assert "a-token-for-tests" not in refused.text


def test_a_post_without_the_token_is_refused(server: LiveServer) -> None:
    refused = httpx.post(
        f"{server.url}/api/enhance",
        json={"rough_prompt": "a cat"},
        trust_env=False,
        timeout=PATIENCE_S,
    )
    _check_error(refused, 403)


def test_jupyters_own_endpoints_are_not_shadowed(server: LiveServer) -> None:
    assert "kernels" in server.get("/api/status").json()
    assert isinstance(server.get("/api/sessions").json(), list)
    assert server.get("/api/contents").json()["type"] == "directory"
    assert server.get("/static/favicons/favicon.ico").status_code == 200


def test_the_video_and_its_older_paths_are_the_same_file(
    server: LiveServer, finished: dict[str, Any]
) -> None:
    job = finished["jobs"][1]
    here = server.get(job["video_url"])
    assert here.status_code == 200
    for path in (f"{job['job_id']}.mp4", f"{job['job_id']}/video.mp4"):
        assert server.get(f"/static/videos/{path}").content == here.content


def test_a_range_of_a_video_can_be_requested(server: LiveServer, finished: dict[str, Any]) -> None:
    url = finished["jobs"][0]["video_url"]
    whole = server.get(url).content
    part = server.get(url, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole[100:200]
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    tail = server.get(url, headers={"Range": "bytes=-50"})
    assert tail.content == whole[-50:]
    beyond = server.get(url, headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416
    head = server.request("HEAD", url)
    assert head.headers["Content-Type"] == "video/mp4"
    assert int(head.headers["Content-Length"]) == len(whole)
    assert head.content == b""


def test_an_unchanged_video_is_not_sent_twice(server: LiveServer, finished: dict[str, Any]) -> None:
    url = finished["jobs"][0]["video_url"]
    etag = server.get(url).headers["ETag"]
    assert server.get(url, headers={"If-None-Match": etag}).status_code == 304


def test_a_repeated_request_with_the_same_key_renders_once(server: LiveServer) -> None:
    asked = {"prompt": "a kite", "num_frames": 9, "idempotency_key": "once-only"}
    first = server.post("/api/video/single_inference", asked).json()
    second = server.post("/api/video/single_inference", asked).json()
    assert second["job_id"] == first["job_id"]


def test_jobs_are_listed_newest_first_in_pages(
    server: LiveServer, finished: dict[str, Any]
) -> None:
    first = server.get("/api/video/jobs", params={"limit": 1}).json()
    assert len(first["jobs"]) == 1
    assert first["cursor"]
    second = server.get("/api/video/jobs", params={"limit": 1, "cursor": first["cursor"]}).json()
    assert second["jobs"][0]["job_id"] != first["jobs"][0]["job_id"]
    assert second["jobs"][0]["created_at"] <= first["jobs"][0]["created_at"]
    found = server.get("/api/video/jobs", params={"q": "boat at sea", "status": "complete"}).json()
    assert finished["jobs"][1]["job_id"] in [job["job_id"] for job in found["jobs"]]
    for bad in ({"limit": "0"}, {"limit": "x"}, {"status": "gone"}, {"cursor": "nonsense"}):
        _check_error(server.get("/api/video/jobs", params=bad), 400)


def test_unknown_device_readings_are_null(server: LiveServer) -> None:
    devices = server.get("/api/devices").json()["devices"]
    assert devices
    assert all(device["name"] for device in devices)
    for device in devices:
        if device["kind"] == "cpu":
            assert device["gpu_id"] is None
            assert device["temperature_c"] is None


def test_markup_in_a_prompt_is_returned_as_text(server: LiveServer) -> None:
    typed = "<img src=x onerror=alert(1)> a cat & a dog"
    told = server.post("/api/initialize", {"prompt": typed}).json()
    assert told["prompt"] == typed
