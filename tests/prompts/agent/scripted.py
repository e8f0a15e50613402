"""A real HTTP endpoint that plays a script: each question gets the next answer of the list."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Scripted", "call", "say", "scripted"]

Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""A message, or what makes one of the question."""


def say(text: str) -> Mapping[str, Any]:
    """Answer with a text."""
    return {"content": text}


def call(*calls: tuple[str, Mapping[str, Any] | str]) -> Mapping[str, Any]:
    """Answer with tool calls; arguments given as text are sent as they are."""
    return {
        "content": None,
        "tool_calls": [
            {
                "id": f"c{number}",
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": given if isinstance(given, str) else json.dumps(given),
                },
            }
            for number, (name, given) in enumerate(calls)
        ],
    }


@dataclass
class Scripted:
    """The endpoint: what it will answer, and what it was asked."""

    answers: list[Answer | int]
    """Messages, or HTTP statuses."""
    knows_tools: bool = True
    base_url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    is_killed: bool = False
    _httpd: ThreadingHTTPServer | None = None

    def kill(self) -> None:
        """Cut every open question off, and refuse all that come later."""
        self.is_killed = True
        self.release.set()
        if self._httpd is not None:
            self._httpd.shutdown()
            self._httpd.server_close()

    def reply_to(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer."""
        if "tools" in body and not self.knows_tools:
            return 400, {"error": {"message": "unknown field: tools"}}
        self.asked.append(body)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if answer == 0:
            self.release.wait(120)
            answer = 500
        if isinstance(answer, int):
            return answer, {"error": {"message": "no"}}
        answer = answer(body) if callable(answer) else answer
        message = {"role": "assistant", **answer}
        reason = "tool_calls" if answer.get("tool_calls") else "stop"
        choice = {"index": 0, "finish_reason": reason, "message": message}
        return 200, {
            "id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice],
            "usage": _usage(body, message),
        }  # fmt: skip


def _usage(body: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, int]:
    """Return the tokens of question and answer, at four characters each."""
    asked = len(json.dumps([body["messages"], body.get("tools", [])])) // 4
    made = len(json.dumps(message)) // 4
    return {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made}


@contextmanager
def scripted(answers: Sequence[Answer | int], *, knows_tools: bool = True) -> Iterator[Scripted]:
    """Serve ``answers`` in order; the last one again and again."""
    script = Scripted(list(answers), knows_tools)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, told = script.reply_to(body)
            if script.is_killed:
                self.close_connection = True
                return
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Keep the test's output clean."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    script._httpd = httpd
    script.base_url = f"http://127.0.0.1:{httpd.server_address[1]}/v1"
    try:
        yield script
    finally:
        script.release.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()
