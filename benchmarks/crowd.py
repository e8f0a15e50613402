"""Many clients in one process: each keeps its connection and polls once a second, as a page does.

Uses plain sockets, to keep the clients' own cost on the shared machine low.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import random
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from tests.live_server import TOKEN

__all__ = ["SETTLED_S", "Crowd"]

SETTLED_S: Final = 3.0
"""After this long every client has connected."""
_EVERY_S: Final = 1.0


class Crowd:
    """Clients at work for the length of a block; afterwards, how long each answer took."""

    def __init__(
        self, port: int, job_ids: Sequence[str], clients: int, seconds: float, cores: set[int]
    ) -> None:
        self._queue: Any = multiprocessing.Queue()
        self._process = multiprocessing.Process(
            target=_run, args=(port, list(job_ids), clients, seconds, cores, self._queue)
        )
        self.seconds = seconds
        self.arrivals: list[float] = []
        """Of the first requests, which all arrive within a second and are not cached."""
        self.latencies: list[float] = []
        """Of the requests after every client has connected."""
        self.processor_s = 0.0

    def __enter__(self) -> Self:
        self._process.start()
        self._queue.get(timeout=60)  # all are connected
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.arrivals, self.latencies, self.processor_s = self._queue.get(timeout=60)
        self._process.join()


@dataclass(slots=True)
class _Client:
    line: socket.socket
    question: bytes
    asked_at: float = 0.0
    heard: bytes = b""
    due: float = 0.0


def _run(
    port: int, job_ids: list[str], clients: int, seconds: float, cores: set[int], queue: Any
) -> None:
    if cores:
        os.sched_setaffinity(0, cores)
    rng = random.Random(1)
    selector = selectors.EpollSelector()
    waiting: list[tuple[float, int]] = []
    all_clients = [_client(port, rng.choice(job_ids), number) for number in range(clients)]
    now = time.perf_counter()
    for number, client in enumerate(all_clients):
        client.due = now + rng.random() * _EVERY_S
        heapq.heappush(waiting, (client.due, number))
        selector.register(client.line, selectors.EVENT_READ, number)
    end = time.perf_counter() + seconds
    arrivals: list[float] = []
    latencies: list[float] = []
    settled = now + SETTLED_S
    queue.put(None)
    before = time.process_time()
    while (now := time.perf_counter()) < end:
        while waiting and waiting[0][0] <= now:
            _, number = heapq.heappop(waiting)
            client = all_clients[number]
            client.asked_at, client.heard = time.perf_counter(), b""
            client.line.sendall(client.question)
        pause = max(0.0, min(waiting[0][0] if waiting else end, end) - time.perf_counter())
        for key, _ in selector.select(pause):
            client = all_clients[key.data]
            client.heard += client.line.recv(1 << 16)
            if _is_whole(client.heard):
                kept = latencies if client.asked_at > settled else arrivals
                kept.append(time.perf_counter() - client.asked_at)
                missed = max(0.0, time.perf_counter() - client.due) // _EVERY_S
                client.due += _EVERY_S * (1 + missed)  # as a page's timer: missed polls are dropped
                heapq.heappush(waiting, (client.due, key.data))
    queue.put((arrivals, latencies, time.process_time() - before))
    for client in all_clients:
        client.line.close()


def _client(port: int, job_id: str, number: int) -> _Client:
    """Return a client with a cookie of its own, so that no two requests are alike."""
    question = (
        f"GET /api/video/status/{job_id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: token {TOKEN}\r\nCookie: visitor={number}\r\n"
        "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\n\r\n"
    )
    return _Client(socket.create_connection(("127.0.0.1", port)), question.encode())


def _is_whole(answer: bytes) -> bool:
    head, ended, body = answer.partition(b"\r\n\r\n")
    if not ended:
        return False
    assert head.startswith(b"HTTP/1.1 200"), head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return len(body) >= length
