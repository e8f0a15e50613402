"""A local video endpoint with OpenAI's protocol and scripted faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

__all__ = ["Endpoint", "Reply"]


class Reply(Exception):
    """Raised by a script to replace the endpoint's answer."""

    def __init__(
        self, status: int, body: bytes = b"{}", *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Endpoint:
    """The endpoint: requests are recorded in ``seen``; ``script`` runs before each answer.

    A script gets the method, the path and the number of earlier such requests. It may raise
    :class:`Reply`, wait, or return ``"drop"`` to close the connection without an answer.
    """

    def __init__(self, video: bytes, *, polls: int = 2) -> None:
        self.video = video
        self.polls = polls
        self.seen: list[tuple[str, str]] = []
        self.forms: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.authorization: list[str | None] = []
        self.script: Callable[[str, str, int], Any] = lambda *_: None
        self.videos: dict[str, dict[str, Any]] = {}
        self.deleted: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def count(self, method: str, ending: str) -> int:
        """Return the number of ``method`` requests to paths with that ending."""
        return sum(one == method and path.endswith(ending) for one, path in self.seen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, form: dict[str, Any] | None) -> Any:
        """Handle a request and return JSON or the video's bytes."""
        if method == "POST":
            with self._lock:
                video_id = f"video_{len(self.videos) + 1}"
                self.videos[video_id] = {"polls": 0}
            self.forms.append(form or {})
            return self._object(video_id, "queued", 0)
        video_id = path.split("/")[3]
        if video_id not in self.videos:
            raise Reply(404, b'{"error": {"message": "No such video."}}')
        if method == "DELETE":
            self.deleted.append(video_id)
            return {"id": video_id, "deleted": True}
        if path.endswith("/content"):
            return self.video
        state = self.videos[video_id]
        state["polls"] += 1
        if "failed" in state:
            return {**self._object(video_id, "failed", 10), "error": {"message": state["failed"]}}
        if state["polls"] > self.polls:
            return self._object(video_id, "completed", 100)
        return self._object(video_id, "in_progress", 100 * state["polls"] // (self.polls + 1))

    def _object(self, video_id: str, status: str, progress: int) -> dict[str, Any]:
        return {"id": video_id, "object": "video", "status": status, "progress": progress}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                self._serve("GET")

            def do_DELETE(self) -> None:
                self._serve("DELETE")

            def do_POST(self) -> None:
                self._serve("POST")

            def _serve(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                before = endpoint.seen.count((method, self.path))
                endpoint.seen.append((method, self.path))
                endpoint.authorization.append(self.headers.get("Authorization"))
                if method == "POST":
                    endpoint.keys.append(self.headers.get("Idempotency-Key") or "")
                try:
                    if endpoint.script(method, self.path, before) == "drop":
                        self.close_connection = True
                        return
                    answer = endpoint.answer(method, self.path, _form(self.headers, body))
                    self._send(200, answer)
                except Reply as reply:
                    self._send(reply.status, reply.body, reply.headers)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the client has left

            def _send(
                self, status: int, answer: Any, headers: dict[str, str] | None = None
            ) -> None:
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                sent = {"Content-Length": str(len(data)), **(headers or {})}
                for name, value in sent.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
                if int(sent["Content-Length"]) != len(data):
                    self.close_connection = True

        return Handler


def _form(headers: Any, body: bytes) -> dict[str, Any]:
    kind = headers.get("Content-Type", "")
    if not kind.startswith("multipart/form-data"):
        return {}
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
    )
    form: dict[str, Any] = {}
    parts: Any = message
    for part in parts.iter_parts():
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        form[name] = content if part.get_filename() else content.decode()
        if part.get_filename():
            form[f"{name}.type"] = part.get_content_type()
    return form
