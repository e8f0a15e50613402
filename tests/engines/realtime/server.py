"""A realtime server as SGLang's: chunks of raw frames whose brightness tells the keys that were held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import msgpack
import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

CHUNK = 8
"""Frames of a chunk."""
_LIGHT = {"w": 10, "a": 20, "j": 40}

Fault = Callable[[ServerConnection, int], bool]
"""Called before each chunk with its number; whether it has taken the chunk's place."""


class RealtimeServer:
    """Serves sessions until it is closed; ``faults`` are those of the first, second, … session."""

    def __init__(self, *faults: Fault | None) -> None:
        self._faults = list(faults)
        self.inits: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self._server = serve(self._session, "127.0.0.1", 0, max_size=None)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The base URL."""
        port = self._server.socket.getsockname()[1]
        return f"http://127.0.0.1:{port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join(10)

    def _session(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.path == "/v1/realtime_video/generate"
        init = msgpack.unpackb(socket.recv())
        self.inits.append(init)
        number = len(self.inits) - 1
        fault = self._faults[number] if number < len(self._faults) else None
        script = list((init.get("condition_inputs") or {}).get("camera_actions", []))
        held: list[str] = []
        told: dict[str, Any] = {}
        try:
            for chunk in range(512):
                if fault is not None and fault(socket, chunk):
                    continue
                for event in self._news(socket):
                    self.events.append(event)
                    held = event["payload"]["transitions"][-1]["actions"]
                    told = {"event_id": event["event_id"]}
                keys = [script.pop(0) if script else held for _ in range(CHUNK)]
                send_chunk(socket, chunk, keys, init, **told)
                if init.get("realtime_output_pacing"):
                    time.sleep(0.02)
        except ConnectionClosed:
            return

    @staticmethod
    def _news(socket: ServerConnection) -> Iterator[dict[str, Any]]:
        while True:
            try:
                yield msgpack.unpackb(socket.recv(timeout=0))
            except TimeoutError:
                return


def light(keys: list[str], seed: int) -> int:
    """Return the brightness of a frame."""
    return 30 + seed + sum(_LIGHT[key] for key in keys)


def send_chunk(
    socket: ServerConnection, chunk: int, keys: list[list[str]], init: dict[str, Any], **told: Any
) -> None:
    """Send one chunk; every second one as a header and its pixels."""
    width, height = map(int, init["size"].split("x"))
    frames = [np.full((height, width, 3), light(one, init["seed"]), np.uint8) for one in keys]
    pixels = np.stack(frames).tobytes()
    header = {
        "type": "frame_batch",
        "chunk_index": chunk,
        "content_type": "application/x-raw-rgb",
        "num_frames": len(keys),
        "width": width,
        "height": height,
        "channels": 3,
        "bytes_per_frame": width * height * 3,
        **told,
    }
    if chunk % 2:
        socket.send(msgpack.packb({**header, "type": "frame_batch_header"}))
        socket.send(pixels)
    else:
        socket.send(msgpack.packb({**header, "payload": pixels}))
    socket.send(msgpack.packb({"type": "chunk_stats", "chunk_index": chunk}))
