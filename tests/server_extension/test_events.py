"""The event stream: a job object at each change, over a real websocket."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import websocket

from server_extension.handlers.events import Subscriber
from tests.held import Hold
from tests.live_server import PATIENCE_S, TOKEN, LiveServer
from workbench.jobs.model import Job


@pytest.fixture
def hold(tmp_path: Path) -> Hold:
    """What holds every render of the held server."""
    return Hold(tmp_path / "held", after=0)


@pytest.fixture
def held_server(tmp_path: Path, hold: Hold) -> Iterator[LiveServer]:
    """A separate server, whose renders wait to be released."""
    with LiveServer(tmp_path / "outputs", environment=hold.environment) as live:
        yield live


def _connect(server: LiveServer, query: str, token: str = TOKEN) -> websocket.WebSocket:
    return websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/api/video/events{query}",
        header=[f"Authorization: token {token}"],
        timeout=PATIENCE_S,
    )


def _until(connection: websocket.WebSocket, status: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    while not told or told[-1]["status"] not in {status, "failed"}:
        told.append(json.loads(connection.recv()))
    return told


def _until_end(connection: websocket.WebSocket) -> list[dict[str, Any]]:
    return _until(connection, "complete")


def test_events_follow_a_job_from_the_queue_to_its_video(
    held_server: LiveServer, hold: Hold
) -> None:
    server = held_server
    server.post("/api/video/pause", {})  # so that it still waits when it is listened to
    job = server.post("/api/video/single_inference", {"prompt": "a red balloon"}).json()
    connection = _connect(server, f"?job_id={job['job_id']}")
    first = json.loads(connection.recv())
    assert first["status"] == "pending"
    server.post("/api/video/resume", {})
    told = [first, *_until(connection, "processing")]
    assert told[-1]["status"] == "processing"
    hold.release()
    told += _until_end(connection)
    connection.close()
    assert {state["job_id"] for state in told} == {job["job_id"]}
    revisions = [state["revision"] for state in told]
    assert revisions == sorted(revisions)
    assert told[-1]["status"] == "complete"
    assert server.get(told[-1]["video_url"]).status_code == 200


def test_only_events_of_the_requested_batch_are_sent(server: LiveServer) -> None:
    other = server.post("/api/video/single_inference", {"prompt": "noise", "num_frames": 9}).json()
    batch = server.post(
        "/api/video/batch_inference", {"prompts": ["a", "b"], "num_frames": 9}
    ).json()
    connection = _connect(server, f"?batch_id={batch['batch_id']}")
    ended: set[str] = set()
    while ended != set(batch["job_ids"]):
        state = json.loads(connection.recv())
        assert state["job_id"] != other["job_id"]
        if state["status"] == "complete":
            ended.add(state["job_id"])
    connection.close()


def test_a_client_that_reconnects_gets_the_events_it_missed(server: LiveServer) -> None:
    job = server.post("/api/video/single_inference", {"prompt": "a moth", "num_frames": 9}).json()
    seen = job["job"]["revision"]
    server.wait_for_job(job["job_id"])
    connection = _connect(server, f"?job_id={job['job_id']}&since={seen}")
    assert _until_end(connection)[-1]["status"] == "complete"
    connection.close()


def test_a_job_that_ends_as_a_client_connects_is_not_missed(server: LiveServer) -> None:
    small = {"prompt": "a spark", "num_frames": 2, "width": 64, "height": 64}
    for number in range(12):
        job = server.post("/api/video/single_inference", small).json()
        time.sleep(0.01 * number)  # the end comes before, within and after the way in
        connection = _connect(server, f"?job_id={job['job_id']}")
        assert _until_end(connection)[-1]["status"] == "complete"
        connection.close()


def test_a_slow_client_gets_only_the_newest_state_of_each_job() -> None:
    listener = Subscriber(frozenset(), frozenset({"b"}))
    ours, other = _job("j1", "b", 1), _job("j2", "x", 1)
    assert listener.wants(ours)
    assert not listener.wants(other)
    for revision in (1, 5, 3, 9, 2):
        listener.offer(_job("j1", "b", revision))
        listener.offer(_job("j3", "b", revision))
    assert {job_id: job.revision for job_id, job in listener.pending.items()} == {"j1": 9, "j3": 9}


def _job(job_id: str, batch_id: str, revision: int) -> Job:
    job: Any = SimpleNamespace(job_id=job_id, batch_id=batch_id, revision=revision)
    return cast("Job", job)


@pytest.mark.parametrize(
    ("query", "token", "status"),
    [("", "wrong", 403), ("?job_id=j_" + "0" * 20, TOKEN, 404), ("?since=soon", TOKEN, 400)],
)
def test_an_invalid_event_stream_is_refused_before_it_opens(
    server: LiveServer, query: str, token: str, status: int
) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        _connect(server, query, token)
    assert caught.value.status_code == status
