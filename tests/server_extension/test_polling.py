"""Polls over raw sockets: every request is parsed, authorised and answered in order."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import pytest

from tests.live_server import PATIENCE_S, TOKEN, LiveServer
from tests.server_extension.revocation import REVOKED

ROUNDS = 20


@pytest.fixture(scope="module")
def revoked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file whose existence revokes all access to the workbench."""
    return tmp_path_factory.mktemp("access") / "revoked"


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, revoked: Path) -> Iterator[LiveServer]:
    """A server whose access can be revoked."""
    outputs = tmp_path_factory.mktemp("polls") / "outputs"
    server = LiveServer(outputs, environment={REVOKED: str(revoked)})
    authorizer = "tests.server_extension.revocation.RevocableAuthorizer"
    try:
        yield server.start(f"--ServerApp.authorizer_class={authorizer}")
    finally:
        server.stop()


def rendered(server: LiveServer, prompt: str) -> str:
    asked = {"prompt": prompt, "num_frames": 5, "width": 128, "height": 96}
    job_id: str = server.post("/api/video/single_inference", asked).json()["job_id"]
    server.wait_for_scores(job_id)
    return job_id


@pytest.fixture(scope="module")
def job_id(polled: LiveServer) -> str:
    return rendered(polled, "a kite")


@pytest.fixture(scope="module")
def other(polled: LiveServer) -> str:
    return rendered(polled, "a boat")


class Connection:
    """A TCP connection that sends exactly the bytes it is given."""

    def __init__(self, server: LiveServer) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._received.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send one piece; a small one is one TCP segment."""
        self._socket.sendall(data)

    def receive(self) -> tuple[int, dict[str, str], Any]:
        """Return the next answer: status, headers, body."""
        status = int(self._received.readline().split()[1])
        headers = {}
        while line := self._received.readline().strip().decode():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = self._received.read(int(headers.get("content-length", 0)))
        is_json = headers.get("content-type", "").startswith("application/json")
        return status, headers, json.loads(body) if body and is_json else body

    def is_silent(self) -> bool:
        """Return whether nothing arrives for a short time."""
        return not select.select([self._socket], [], [], 0.3)[0]

    def ask(self, request: bytes) -> tuple[int, dict[str, str], Any]:
        """Send a request and return its answer."""
        self.send(request)
        return self.receive()


def poll(job_id: str, *, token: str | None = TOKEN) -> bytes:
    """Return a complete status request; without a token if it is None."""
    authorization = "" if token is None else f"Authorization: token {token}\r\n"
    return (
        f"GET /api/video/status/{job_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n"
    ).encode()


def write(job_id: str, body: bytes) -> bytes:
    """Return a request with ``body`` that stars a job."""
    head = (
        f"POST /api/video/star/{job_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: token {TOKEN}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def test_pipelined_polls_are_answered_in_order(polled: LiveServer, job_id: str, other: str) -> None:
    with Connection(polled) as connection:
        for _ in range(ROUNDS):
            connection.send(poll(job_id) + poll(other) + poll(job_id))
            answers = [connection.receive()[2]["job_id"] for _ in range(3)]
            assert answers == [job_id, other, job_id]


def test_a_poll_that_arrives_while_another_is_answered_waits_its_turn(
    polled: LiveServer, job_id: str, other: str
) -> None:
    with Connection(polled) as connection:
        for _ in range(ROUNDS):
            connection.send(poll(job_id))
            connection.send(poll(other))
            connection.send(poll(job_id))
            answers = [connection.receive()[2]["job_id"] for _ in range(3)]
            assert answers == [job_id, other, job_id]


def test_a_body_that_looks_like_a_poll_is_a_body(
    polled: LiveServer, job_id: str, other: str
) -> None:
    known = poll(job_id)
    with Connection(polled) as connection:
        for _ in range(ROUNDS):
            assert connection.ask(known)[0] == 200
            connection.send(write(other, known) + poll(other))  # in one segment
            status, _, told = connection.receive()
            assert (status, "job_id" in told) == (400, False), "the body is not JSON"
            status, _, told = connection.receive()
            assert (status, told["job_id"]) == (200, other)


def test_a_body_that_arrives_late_is_a_body(polled: LiveServer, job_id: str, other: str) -> None:
    known = poll(job_id)
    whole = write(other, known)
    head = whole.removesuffix(known)
    with Connection(polled) as connection:
        assert connection.ask(known)[0] == 200
        for _ in range(ROUNDS):
            connection.send(write(other, b"{}") + head)  # one segment: a request, and half of one
            assert connection.receive()[0] == 200
            connection.send(known)
            status, _, told = connection.receive()
            assert (status, "job_id" in told) == (400, False), "the body is not JSON"
            assert connection.ask(poll(other))[2]["job_id"] == other


def test_bytes_that_arrive_while_a_poll_is_handled_get_none_of_its_rights(
    polled: LiveServer, job_id: str, other: str
) -> None:
    bare = poll(job_id, token=None)
    with Connection(polled) as connection:
        for _ in range(ROUNDS):
            connection.send(write(job_id, b"{}") + poll(job_id))
            time.sleep(0.002)
            connection.send(bare)
            assert [connection.receive()[0] for _ in range(3)] == [200, 200, 403]
            with Connection(polled) as another:
                assert another.ask(bare)[0] == 403


def test_a_poll_without_a_token_is_refused_at_any_position(
    polled: LiveServer, job_id: str, other: str
) -> None:
    known, bare = poll(job_id), poll(job_id, token=None)
    with Connection(polled) as connection:
        for _ in range(ROUNDS):
            assert connection.ask(known)[0] == 200
            assert connection.ask(bare)[0] == 403
            connection.send(known + bare + known)
            assert [connection.receive()[0] for _ in range(3)] == [200, 403, 200]
            connection.send(write(other, known) + bare)
            assert [connection.receive()[0] for _ in range(2)] == [400, 403]
            assert connection.ask(poll(job_id, token="wrong"))[0] == 403


def test_a_login_page_is_never_answered_with_a_job(polled: LiveServer, job_id: str) -> None:
    login = b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with Connection(polled) as connection:
        for _ in range(ROUNDS):
            connection.send(poll(job_id) + login + poll(job_id))
            kinds = [connection.receive()[1]["content-type"].partition(";")[0] for _ in range(3)]
            assert kinds == ["application/json", "text/html", "application/json"]


def test_a_poll_in_pieces_is_one_poll(polled: LiveServer, job_id: str) -> None:
    whole = poll(job_id)
    with Connection(polled) as connection:
        assert connection.ask(whole)[0] == 200
        for at in (1, 40, len(whole) - 1):
            connection.send(whole[:at])
            time.sleep(0.05)
            assert connection.ask(whole[at:])[2]["job_id"] == job_id


def test_the_poll_after_access_was_revoked_is_refused(
    polled: LiveServer, job_id: str, revoked: Path
) -> None:
    with Connection(polled) as connection:
        for _ in range(3):
            assert [connection.ask(poll(job_id))[0] for _ in range(3)] == [200, 200, 200]
            revoked.touch()
            assert connection.ask(poll(job_id))[0] == 403
            revoked.unlink()


def test_a_client_that_reads_late_gets_every_answer(polled: LiveServer, job_id: str) -> None:
    with Connection(polled) as connection:
        first = connection.ask(poll(job_id))[2]
        for _ in range(200):
            connection.send(poll(job_id))
            time.sleep(0.0005)
        assert all(connection.receive()[2] == first for _ in range(200))


def test_an_unchanged_job_is_answered_with_304(polled: LiveServer, job_id: str) -> None:
    path = f"/api/video/status/{job_id}"
    etag = polled.get(path).headers["etag"]
    unchanged = polled.get(path, headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == etag


def test_a_poll_reports_every_change_at_once(polled: LiveServer, job_id: str) -> None:
    path = f"/api/video/status/{job_id}"
    for starred in (True, False, True):
        polled.get(path)
        polled.post(f"/api/video/star/{job_id}", {"starred": starred})
        assert polled.get(path).json()["starred"] is starred


def test_a_video_that_disappears_and_returns_is_reported(polled: LiveServer, other: str) -> None:
    video = polled.outputs / other / "video.mp4"
    aside = Path(f"{video}.aside")
    assert polled.get(f"/api/video/status/{other}").json()["status"] == "complete"
    video.rename(aside)
    assert told_eventually(polled, other, "failed")
    aside.rename(video)
    assert told_eventually(polled, other, "complete")


def told_eventually(server: LiveServer, job_id: str, status: str) -> bool:
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit:
        if server.get(f"/api/video/status/{job_id}").json()["status"] == status:
            return True
        time.sleep(0.1)
    return False


def waiting_poll(job_id: str, etag: str, *, wait: str = "50") -> bytes:
    """Return a long-poll request for a status other than ``etag``."""
    return (
        f"GET /api/video/status/{job_id}?wait={wait}&known={quote(etag)} HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n"
    ).encode()


def note(server: LiveServer, job_id: str, text: str) -> None:
    server.post(f"/api/video/note/{job_id}", {"note": text}).raise_for_status()


def test_a_long_poll_is_answered_by_the_next_change(polled: LiveServer, job_id: str) -> None:
    with Connection(polled) as connection:
        _, headers, _ = connection.ask(poll(job_id))
        for number in range(5):
            connection.send(waiting_poll(job_id, headers["etag"]))
            assert connection.is_silent()
            note(polled, job_id, f"look {number}")
            status, headers, body = connection.receive()
            assert (status, body["note"]) == (200, f"look {number}")


def test_a_long_poll_with_an_outdated_etag_does_not_wait(polled: LiveServer, job_id: str) -> None:
    with Connection(polled) as connection:
        for known in ("", "something else", '"0"'):
            status, _, body = connection.ask(waiting_poll(job_id, known))
            assert (status, body["job_id"]) == (200, job_id)


def test_a_long_poll_that_times_out_gets_the_unchanged_state(
    polled: LiveServer, job_id: str
) -> None:
    with Connection(polled) as connection:
        _, known, before = connection.ask(poll(job_id))
        status, headers, body = connection.ask(waiting_poll(job_id, known["etag"], wait="0.2"))
        assert (status, headers["etag"], body) == (200, known["etag"], before)


def test_a_long_poll_of_a_batch_waits_for_its_end(polled: LiveServer) -> None:
    asked = {"prompts": ["a kite", "a boat"], "num_frames": 5, "width": 128, "height": 96}
    batch_id = polled.post("/api/video/batch_inference", asked).json()["batch_id"]
    etag, status = "", ""
    for _ in range(1_000):
        path = f"/api/video/batch_status/{batch_id}?wait=50&known={quote(etag)}"
        answer = polled.get(path).raise_for_status()
        assert answer.headers["etag"] != etag
        etag, status = answer.headers["etag"], answer.json()["status"]
        if status == "complete":
            return
    raise AssertionError(status)


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon"])
def test_a_wait_out_of_range_is_refused_with_a_message(
    polled: LiveServer, job_id: str, wait: str
) -> None:
    answer = polled.get(f"/api/video/status/{job_id}?wait={wait}")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "wait", "problem": "must be a number of seconds from 0 to 60"}
    ]


def test_revoking_access_ends_a_waiting_poll(
    polled: LiveServer, job_id: str, revoked: Path
) -> None:
    with Connection(polled) as connection:
        _, headers, _ = connection.ask(poll(job_id))
        connection.send(waiting_poll(job_id, headers["etag"], wait="10"))
        assert connection.is_silent()
        revoked.touch()
        try:
            assert connection.receive()[0] == 403
        finally:
            revoked.unlink()
