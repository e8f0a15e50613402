"""A real HTTP server that speaks the chat-completions protocol and misbehaves on demand."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = "sk-test-0123456789-very-secret"
HANG_S = 30.0


@dataclass(slots=True)
class Reply:
    """One HTTP answer: a completion's text, or something that is none."""

    text: str | None = None
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    drop: bool = False
    """Whether the connection breaks off in the middle of the body."""
    stall: bool = False
    """Whether nothing follows after the middle of the body."""
    gate: threading.Event | None = None
    """What the second half of the body waits for."""
    finish_reason: str = "stop"
    refusal: str | None = None

    @classmethod
    def streamed(
        cls, *pieces: str, finish_reason: str | None = "stop", raw: str = "", **more: Any
    ) -> Self:
        """Return a completion that comes in ``pieces``, as server-sent events, then ``raw``."""
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": p} for p in pieces]
        shell = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
        events: list[dict[str, Any]] = [
            {**shell, "choices": [{"delta": d, "index": 0, "finish_reason": None}]} for d in deltas
        ]
        last = {"delta": {}, "index": 0, "finish_reason": finish_reason}
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        events += [{**shell, "choices": [last]}, {**shell, "choices": [], "usage": usage}]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        if raw:
            lines[len(pieces) :] = [raw]
        body = "".join([*lines, "data: [DONE]\n\n"]).encode()
        return cls(body=body, headers={"Content-Type": "text/event-stream"}, **more)

    def payload(self) -> bytes:
        """Return the body to send."""
        if self.body is not None:
            return self.body
        if self.status != 200:
            return json.dumps({"error": {"message": f"status {self.status} for {KEY}"}}).encode()
        message = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        return json.dumps(
            {
                "id": "c1",
                "object": "chat.completion",
                "created": 1,
                "model": "fake",
                "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
                "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
            }
        ).encode()


Behaviour = Callable[[dict[str, Any]], Reply]


class _Handler(BaseHTTPRequestHandler):
    server: Misbehaving
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked["authorization"] = self.headers.get("Authorization", "")
        self.server.requests.append(asked)
        reply = self.server.behaviour(asked)
        if reply.hang:
            self.server.released.wait(HANG_S)
            self.close_connection = True
            return
        payload = reply.payload()
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self._write(payload, reply)

    def _write(self, payload: bytes, reply: Reply) -> None:
        middle = len(payload) // 2
        self.wfile.write(payload[:middle])
        if reply.stall:
            self._wait_until_left()
        if reply.gate is not None:
            reply.gate.wait(HANG_S)
        if reply.drop or reply.stall:
            self.close_connection = True
        else:
            self.wfile.write(payload[middle:])

    def _wait_until_left(self) -> None:
        """Say nothing until the client leaves, which is noted, or the test ends."""
        limit = time.monotonic() + HANG_S
        self.connection.settimeout(0.05)
        while time.monotonic() < limit and not self.server.released.is_set():
            try:
                is_there = bool(self.connection.recv(1))
            except TimeoutError:
                continue
            except ConnectionError:
                is_there = False
            if not is_there:
                self.server.left.set()
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Say nothing."""


class Misbehaving(ThreadingHTTPServer):
    """Answers each request as ``behaviour`` says; keeps what was asked in ``requests``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.behaviour: Behaviour = lambda _asked: Reply("{}")
        self.released = threading.Event()
        self.left = threading.Event()
        """Set when a client has left an answer that did not go on."""

    @property
    def base_url(self) -> str:
        """Where the protocol is spoken."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def answers(self, *replies: Reply) -> None:
        """Answer with ``replies`` in turn, the last one again and again."""
        left = list(replies)
        guard = threading.Lock()

        def behave(_asked: dict[str, Any]) -> Reply:
            with guard:
                return left.pop(0) if len(left) > 1 else left[0]

        self.behaviour = behave

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator[Self]:
        """Run a server for the length of a with-block."""
        server = cls()
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            server.server_close()
            thread.join()


def task_of(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the data that a request puts to the model."""
    data: dict[str, Any] = json.loads(asked["messages"][1]["content"])["data"]
    return data
