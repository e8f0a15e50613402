"""Best-of-N over REST: started once, carried out by a process of its own, read by name."""

from __future__ import annotations

import time
from typing import Any

from tests.live_server import PATIENCE_S, LiveServer

ASKED: dict[str, Any] = {
    "prompts": ["a red kite over a beach"],
    "n": 3,
    "keep": 1,
    "critics": ["sharpness"],
    "draft": {"width": 64, "height": 64},
    "parameters": {"num_frames": 5, "width": 96, "height": 64, "fps": 24},
    "name": "rest",
}


def _done(server: LiveServer, name: str) -> dict[str, Any]:
    limit = time.monotonic() + PATIENCE_S
    while True:
        run: dict[str, Any] = server.get(f"/api/best-of/{name}").json()
        if run["done"]:
            return run
        assert time.monotonic() < limit, run
        time.sleep(0.2)


def test_a_run_is_carried_out_and_says_what_was_dropped_and_why(server: LiveServer) -> None:
    begun = server.post("/api/best-of", ASKED)
    assert begun.status_code == 201
    name = begun.json()["name"]
    run = _done(server, name)
    (winner,) = run["winners"]
    assert server.get(f"/api/video/status/{winner}").json()["width"] == 96
    assert [bool(c["dropped"]) for c in run["candidates"]] == [False, True, True]
    again = server.post("/api/best-of", ASKED).json()
    assert (again["name"], again["winners"], again["done"]) == (name, [winner], True)


def test_votes_are_taken_and_the_agreement_has_its_interval(server: LiveServer) -> None:
    name = server.post("/api/best-of", {**ASKED, "name": "votes"}).json()["name"]
    run = _done(server, name)
    one, other = (member["candidate"] for member in run["pair"])
    path = f"/api/best-of/{name}/votes"
    voted = server.post(path, {"better": one, "worse": other}).json()
    assert voted["votes"] == 1
    (critic,) = voted["agreement"]
    assert (critic["critic"], critic["votes"]) == ("sharpness", 1)
    assert critic["low"] < critic["foretold"] < critic["high"] or critic["foretold"] in {0, 1}
    assert {member["candidate"] for member in voted["pair"]} != {one, other}
    assert server.post(path, {"better": one, "worse": one}).status_code == 400
    assert server.post(path, {"better": one, "worse": 99}).status_code == 400


def test_a_run_is_cancelled_and_stays_so(server: LiveServer) -> None:
    server.post("/api/video/pause", {})
    try:
        name = server.post("/api/best-of", {**ASKED, "name": "ended"}).json()["name"]
        ended = server.post(f"/api/best-of/{name}/cancel", {}).json()
        assert ended["state"] == "cancelled"
        run = _done(server, name)
    finally:
        server.post("/api/video/resume", {})
    assert run["winners"] == []
    assert all("cancelled" in one["dropped"] for one in run["candidates"])
    assert server.post("/api/best-of", {**ASKED, "name": "ended"}).json()["state"] == "cancelled"
    assert server.post("/api/best-of/nobody/cancel", {}).status_code == 404


def test_bad_requests_and_unknown_runs_are_told_apart(server: LiveServer) -> None:
    answer = server.post("/api/best-of", {**ASKED, "critics": ["beauty"]})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "critics"
    assert server.post("/api/best-of", {**ASKED, "budget": "a lot"}).status_code == 400
    two_seeds = {**ASKED, "parameters": {**ASKED["parameters"], "seed": 3}}
    answer = server.post("/api/best-of", two_seeds)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "parameters.seed"
    assert server.get("/api/best-of/nobody").status_code == 404
    assert server.get("/api/best-of/..%2f..").status_code == 404


def test_a_scene_check_is_made_kept_and_shown_on_the_job(server: LiveServer) -> None:
    asked = {"prompt": "a red fox in the rain", "num_frames": 5, "width": 96, "height": 64}
    job_id = server.post("/api/video/single_inference", asked).json()["job_id"]
    assert server.get(f"/api/video/check/{job_id}").status_code == 404
    server.wait_for_job(job_id)
    check = server.post(f"/api/video/check/{job_id}", {}).json()
    assert check["asked_for"] == len(check["answers"]) > 0
    assert check["unknown"] == check["asked_for"]  # nobody here can see
    assert set(check["verdicts"].values()) == {"cannot tell"}
    assert server.get(f"/api/video/check/{job_id}").json() == check
    shown = server.get(f"/api/video/status/{job_id}").json()["checks"]
    assert shown["summary"] == check["summary"]
    assert server.post("/api/video/check/nobody", {}).status_code == 404
