"""Clients that disconnect in the middle of an answer do not affect others."""

from __future__ import annotations

import io
import socket
import time
import zipfile
from collections.abc import Iterator

import httpx
import pytest
import websocket

from tests.live_server import PATIENCE_S, TOKEN, LiveServer
from workbench.jobs.client.manager import JobManager
from workbench.rendering import RenderRequest
from workbench.settings import Settings

PROMPTS = [
    "a stormy sea",
    "a busy street at night",
    "a forest in the rain",
    "fireworks over a city",
]


def _leave_early(server: LiveServer, path: str) -> None:
    """Request a file, read its beginning, and disconnect while the rest is sent."""
    limit = time.monotonic() + PATIENCE_S
    while True:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # so that much is left to send
        line.connect(("127.0.0.1", server.port))
        line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n".encode()
        )
        heard = line.recv(1_024)
        if not heard.startswith(b"HTTP/1.1 429"):
            break
        line.close()  # of those who left, the server hears a moment later
        assert time.monotonic() < limit, heard
        time.sleep(0.05)
    assert heard.startswith(b"HTTP/1.1 200"), heard
    time.sleep(0.05)
    line.close()


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that allows two ZIP clients and two event clients, however slow they are."""
    limits = {"WORKBENCH_MAX_OPEN_ZIPS": "2", "WORKBENCH_MAX_EVENT_CLIENTS": "2"}
    with LiveServer(tmp_path_factory.mktemp("patient") / "outputs", environment=limits) as server:
        yield server


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that allows one client of each kind, and only while that client reads."""
    limits = {
        "WORKBENCH_MAX_OPEN_ZIPS": "1",
        "WORKBENCH_MAX_EVENT_CLIENTS": "1",
        "WORKBENCH_CLIENT_STALL_S": "1",
    }
    with LiveServer(tmp_path_factory.mktemp("impatient") / "outputs", environment=limits) as server:
        yield server


@pytest.fixture(scope="module")
def rendered(impatient: LiveServer) -> str:
    """A finished batch of the impatient server."""
    return _rendered(impatient)


def _rendered(server: LiveServer) -> str:
    """Render a batch and return its id."""
    asked = {"prompts": PROMPTS, "num_frames": 97}
    batch_id: str = server.post("/api/video/batch_inference", asked).json()["batch_id"]
    assert server.wait_for_batch(batch_id)["status"] == "complete"
    return batch_id


def test_abandoned_zip_downloads_free_their_slots(patient: LiveServer) -> None:
    path = f"/api/video/batch_download/{_rendered(patient)}"
    for _ in range(4):
        _leave_early(patient, path)
    limit = time.monotonic() + PATIENCE_S
    while (answer := patient.get(path)).status_code == 429:
        assert time.monotonic() < limit, "a client that left still holds its place"
        time.sleep(0.1)
    assert answer.status_code == 200
    assert len(answer.content) > 500_000, "too small for anybody to leave in the middle"
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert sum(name.endswith(".mp4") for name in names) == len(PROMPTS)
    log = patient.log.read_text("utf-8")
    assert "The client left while" in log
    assert "Traceback" not in log


def test_a_zip_client_that_reads_nothing_is_disconnected(
    impatient: LiveServer, rendered: str
) -> None:
    video = impatient.wait_for_batch(rendered)["jobs"][0]
    file = impatient.outputs / rendered / video["job_id"] / "video.mp4"
    with file.open("ab") as grown:  # more than the sockets' buffers take
        grown.write(bytes(64 << 20))
    line = _begin(impatient, f"/api/video/batch_download/{rendered}")
    limit = time.monotonic() + PATIENCE_S
    while (status := _status(impatient, f"/api/video/batch_download/{rendered}")) == 429:
        assert time.monotonic() < limit, "a client that reads nothing still holds its place"
        time.sleep(0.2)
    assert status == 200
    line.close()


def test_event_clients_are_bounded_in_number(patient: LiveServer) -> None:
    url = f"ws://127.0.0.1:{patient.port}/api/video/events"
    header = [f"Authorization: token {TOKEN}"]
    two = [websocket.create_connection(url, header=header, timeout=PATIENCE_S) for _ in range(2)]
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(url, header=header, timeout=PATIENCE_S)
    assert refused.value.status_code == 429
    two[0].close()
    limit = time.monotonic() + PATIENCE_S
    while True:
        try:
            websocket.create_connection(url, header=header, timeout=PATIENCE_S).close()
            break
        except websocket.WebSocketBadStatusException:
            assert time.monotonic() < limit, "a client that left still holds its place"
            time.sleep(0.1)
    two[1].close()


@pytest.fixture(scope="module")
def crowded(impatient: LiveServer, rendered: str) -> LiveServer:
    """The impatient server, paused, with more jobs than one message holds."""
    assert rendered  # before the pause, for the tests that need it
    impatient.post("/api/video/pause", {})
    manager = JobManager(Settings(outputs=impatient.outputs, max_queued_jobs=10_000))
    prompt = "a long road " * 100
    for count in (11, 4_990):  # all of one batch change at once
        manager.submit_batch([RenderRequest(prompt=prompt) for _ in range(count)])
    manager.close()
    return impatient


def _listen(server: LiveServer, since: int) -> websocket.WebSocket:
    """Open an event stream over a connection with small buffers."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.settimeout(120)
    line.connect(("127.0.0.1", server.port))
    return websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/api/video/events?since={since}",
        header=[f"Authorization: token {TOKEN}"],
        socket=line,
    )


def test_a_client_that_resumes_from_the_beginning_of_time_is_refused(crowded: LiveServer) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        _listen(crowded, since=0)
    assert refused.value.status_code == 400
    assert b"More than 5,000 jobs have changed" in (refused.value.resp_body or b"")


def test_an_event_client_that_reads_nothing_is_disconnected(crowded: LiveServer) -> None:
    newest = crowded.get("/api/video/jobs?limit=1").json()["jobs"][0]["revision"]
    silent = _listen(crowded, since=newest - 1)
    limit = time.monotonic() + PATIENCE_S
    while True:
        try:
            _listen(crowded, since=newest).close()
            break
        except websocket.WebSocketBadStatusException:
            assert time.monotonic() < limit, "a client that reads nothing still holds its place"
            time.sleep(0.1)
    assert "An event client read nothing for 1 s" in crowded.log.read_text("utf-8")
    assert silent.sock is not None
    try:  # read what was sent before, then the end
        while silent.sock.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    silent.sock.close()


def _begin(server: LiveServer, path: str) -> socket.socket:
    """Request a file and read only its beginning; the connection stays open."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.connect(("127.0.0.1", server.port))
    line.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n".encode()
    )
    assert line.recv(1_024).startswith(b"HTTP/1.1 200")
    return line


def _status(server: LiveServer, path: str) -> int:
    """Return the status of an answer and ignore its body."""
    headers = {"Authorization": f"token {TOKEN}"}
    with httpx.stream(
        "GET", server.url + path, headers=headers, timeout=PATIENCE_S, trust_env=False
    ) as r:
        return r.status_code
