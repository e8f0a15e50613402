"""A slow language model: a real endpoint that streams its answers word by word."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

__all__ = ["TEXT", "SlowModel"]

TEXT: Final = (
    "A small brown dog runs along a wet pier at dusk, low waves breaking beneath the boards. A "
    "handheld camera keeps close to the dog while the last light slides over its coat, and gulls "
    "lift off the railing one after the other as it passes."
)
SCENE: Final = {
    "subject": "a small brown dog", "action": "running", "setting": "a wet pier",
    "time_of_day": "dusk", "camera_movement": "handheld camera",
}  # fmt: skip
TIMES: Final = ("dawn", "midday", "night", "sunrise", "golden hour", "blue hour", "midnight")
_PIECE: Final = 12
_PAUSE_S: Final = 0.06
_BETWEEN_S: Final = 0.5
_HELD_AT_MOST_S: Final = 50


class _Handler(BaseHTTPRequestHandler):
    server: SlowModel

    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": "slow", "object": "model"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer, pause_s = self.server.answer(asked)
        self.send_response(200)
        if not asked.get("stream"):
            time.sleep(pause_s)
            message = {"role": "assistant", "content": answer}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = json.dumps({"id": "c", "object": "chat.completion", "choices": [choice]})
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())
            return
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with suppress(ConnectionError):  # the client has disconnected
            for start in range(0, len(answer), _PIECE):
                if start > len(answer) // 2:
                    self.server.may_go_on.wait(_HELD_AT_MOST_S)
                self._tell({"content": answer[start : start + _PIECE]})
                time.sleep(pause_s * _PIECE / len(answer))
            self._tell({}, "stop")
            self.wfile.write(b"data: [DONE]\n\n")

    def _tell(self, delta: dict[str, str], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Log nothing."""


class SlowModel(ThreadingHTTPServer):
    """Answers every request with one prompt in about two seconds; variations change the time of day."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._number = itertools.count()
        self.may_go_on = threading.Event()
        """While cleared, every streamed answer pauses halfway."""
        self.may_go_on.set()

    @property
    def url(self) -> str:
        """The endpoint's base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """Settings that point a server at this model."""
        return {
            "WORKBENCH_LANGUAGE_PROVIDER": "openai",
            "WORKBENCH_LANGUAGE_MODEL": "slow",
            "WORKBENCH_LANGUAGE_BASE_URL": self.url,
            "WORKBENCH_LANGUAGE_API_KEY": "sk-none",
        }

    def answer(self, asked: dict[str, Any]) -> tuple[str, float]:
        """Return the answer's text and the seconds it takes to stream."""
        if "variations" not in json.dumps(asked):
            whole = json.dumps({"prompt": TEXT, "scene": SCENE})
            return whole, len(whole) / _PIECE * _PAUSE_S
        place = next(self._number)
        taken = (TIMES[(place * 4 + step) % len(TIMES)] for step in range(4))
        varied = [
            {"prompt": TEXT.replace("dusk", light), "scene": {**SCENE, "time_of_day": light}}
            for light in taken
        ]
        return json.dumps({"variations": varied}), _BETWEEN_S + place * _BETWEEN_S

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Run the endpoint for the length of a with-block."""
        model = cls()
        thread = threading.Thread(target=model.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield model
        finally:
            model.shutdown()
            model.server_close()
            thread.join()
