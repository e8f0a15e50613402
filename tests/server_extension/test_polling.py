"""Polls: the second one of a client is answered the short way, and says the same as the first."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.live_server import TOKEN, LiveServer

ONCE = {"set-cookie", "date"}


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str]]:
    """A server with one finished video, whose status has been asked for."""
    with LiveServer(tmp_path_factory.mktemp("polls") / "outputs") as server:
        asked = {"prompt": "a kite", "num_frames": 5, "width": 128, "height": 96}
        job_id = server.post("/api/video/single_inference", asked).json()["job_id"]
        server.wait_for_job(job_id)
        yield server, job_id


def test_a_repeated_poll_says_the_same_with_the_same_headers(
    polled: tuple[LiveServer, str],
) -> None:
    server, job_id = polled
    visitor = {"Cookie": "visitor=1"}
    first = server.get(f"/api/video/status/{job_id}", headers=visitor)
    second = server.get(f"/api/video/status/{job_id}", headers=visitor)
    assert "set-cookie" in first.headers
    assert "set-cookie" not in second.headers, "the second was to go the short way"
    assert second.json() == first.json()
    told = [{k: v for k, v in r.headers.items() if k not in ONCE} for r in (first, second)]
    assert told[0] == told[1]
    known = {**visitor, "If-None-Match": second.headers["etag"]}
    unchanged = server.get(f"/api/video/status/{job_id}", headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == second.headers["etag"]


def test_nobody_goes_the_short_way_on_anothers_pass(polled: tuple[LiveServer, str]) -> None:
    server, job_id = polled
    path = f"/api/video/status/{job_id}"
    for _ in range(2):
        assert server.get(path).status_code == 200
    for authorization in ("token wrong", "", f"token {TOKEN}x"):
        assert server.get(path, headers={"Authorization": authorization}).status_code == 403
    assert server.get(path, headers={"Host": "evil.example"}).status_code == 403
    assert server.get(f"{path}x").status_code == 404


def test_a_poll_hears_of_every_change_at_once(polled: tuple[LiveServer, str]) -> None:
    server, job_id = polled
    path = f"/api/video/status/{job_id}"
    for starred in (True, False, True):
        server.get(path)
        server.post(f"/api/video/star/{job_id}", {"starred": starred})
        assert server.get(path).json()["starred"] is starred
    video = server.outputs / job_id / "video.mp4"
    aside = Path(f"{video}.aside")
    video.rename(aside)
    assert server.get(path).json()["status"] == "failed"
    aside.rename(video)
    assert server.get(path).json()["status"] == "complete"


def test_prometheus_counts_the_short_way_too(polled: tuple[LiveServer, str]) -> None:
    server, job_id = polled
    kind = 'handler="server_extension.handlers.videos.StatusHandler"'

    def counted() -> float:
        lines = server.get("/metrics").text.splitlines()
        named = (line for line in lines if "duration_seconds_count" in line and kind in line)
        return sum(float(line.split()[-1]) for line in named)

    before = counted()
    for _ in range(5):
        server.get(f"/api/video/status/{job_id}")
    assert counted() == before + 5


class Line:
    """A connection on which bytes go as they are written here."""

    def __init__(self, server: LiveServer) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._heard = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._heard.close()
        self._socket.close()

    def say(self, *pieces: bytes) -> None:
        """Send each piece on its own, with time between for the server to read it."""
        for piece in pieces:
            self._socket.sendall(piece)
            time.sleep(0.05)

    def hear(self) -> tuple[int, dict[str, str], Any]:
        """Return the next answer: status, headers, body."""
        status = int(self._heard.readline().split()[1])
        headers = {}
        while line := self._heard.readline().strip().decode():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = self._heard.read(int(headers.get("content-length", 0)))
        return status, headers, json.loads(body) if body else None

    def ask(self, question: bytes) -> tuple[int, dict[str, str], Any]:
        """Send a question and return its answer."""
        self.say(question)
        return self.hear()


def question(job_id: str, extra: str = "") -> bytes:
    """Return a whole request for a job's status, as it goes over the wire."""
    return (
        f"GET /api/video/status/{job_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: token {TOKEN}\r\n{extra}\r\n"
    ).encode()


@pytest.fixture
def two(polled: tuple[LiveServer, str]) -> tuple[LiveServer, str, str]:
    """The server, its job, and another one."""
    server, job_id = polled
    asked = {"prompt": "a boat", "num_frames": 5, "width": 128, "height": 96}
    other = server.post("/api/video/single_inference", asked).json()["job_id"]
    server.wait_for_job(other)
    return server, job_id, other


def test_a_kept_connection_is_answered_the_short_way_too(polled: tuple[LiveServer, str]) -> None:
    server, job_id = polled
    asked = question(job_id, "Cookie: visitor=kept\r\n")
    with Line(server) as line:
        first, second, third = (line.ask(asked) for _ in range(3))
        assert "set-cookie" in first[1]
        assert "set-cookie" not in second[1]
        assert first[2] == second[2] == third[2]
        refused = line.ask(asked.replace(TOKEN.encode(), b"wrong"))
        assert refused[0] == 403
        assert line.ask(asked)[0] == 200
    with Line(server) as line:  # nor need it be the same connection
        line.say(asked[:40], asked[40:])
        assert line.hear()[2] == first[2]


def test_a_question_within_another_request_is_no_question(
    two: tuple[LiveServer, str, str],
) -> None:
    server, job_id, other = two
    known = question(job_id)
    with Line(server) as line:
        assert line.ask(known)[0] == line.ask(known)[0] == 200
        head = (
            f"POST /api/video/star/{other} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: token {TOKEN}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(known)}\r\n\r\n"
        ).encode()
        line.say(head, known)
        assert line.hear()[0] == 400, "the body is no JSON"
        status, _, told = line.ask(question(other))
        assert (status, told["job_id"]) == (200, other), "and nothing else was answered"
    with Line(server) as line:
        line.say(known[:-2] + b"X-Rest: ", known)
        status, headers, _ = line.hear()
        assert "set-cookie" in headers or status == 400, "it went the whole way"


def test_questions_that_come_together_are_answered_in_turn(
    two: tuple[LiveServer, str, str],
) -> None:
    server, job_id, other = two
    asked = [question(one, "Cookie: visitor=many\r\n") for one in (job_id, other)]
    with Line(server) as line:
        for _ in range(3):
            line.say(b"".join(asked * 4))
            told = [line.hear()[2]["job_id"] for _ in range(8)]
            assert told == [job_id, other] * 4
        for _ in range(3):  # the second arrives while the first is being answered
            line._socket.sendall(asked[0])
            line._socket.sendall(asked[1])
            assert [line.hear()[2]["job_id"] for _ in range(2)] == [job_id, other]
            assert line.ask(asked[0])[2]["job_id"] == job_id
            assert line.ask(asked[1])[2]["job_id"] == other


def test_a_client_that_does_not_read_is_served_in_full_when_it_does(
    polled: tuple[LiveServer, str],
) -> None:
    server, job_id = polled
    asked = question(job_id, "Cookie: visitor=slow\r\n")
    with Line(server) as line:
        first = line.ask(asked)
        for _ in range(400):
            line._socket.sendall(asked)
            time.sleep(0.0005)
        assert all(line.hear()[2] == first[2] for _ in range(400))
