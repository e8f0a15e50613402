"""One session at a realtime server: a websocket on which keys go out and frames come in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, Self
from urllib.parse import urlsplit

import websocket

from workbench.engines.pixels import Image
from workbench.engines.realtime.messages import FrameReader, event_message
from workbench.errors import RenderError, RenderTimeout

__all__ = ["Dropped", "RealtimeSession", "realtime_url"]

_LOOK_S: Final = 0.2
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PATH: Final = "/realtime_video/generate"


class Dropped(RenderError):
    """The connection was lost; the same session may be retried."""


def realtime_url(base_url: str) -> str:
    """Return the websocket under ``base_url``, such as ``http://host:30000/v1``."""
    parts = urlsplit(base_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{_PATH}"


class RealtimeSession:
    """A session from its first message to its end; a context manager, used by one thread.

    ``check`` is called every 0.2 s without a message, and may raise. ``silence_s`` is the maximum
    time without a message.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        silence_s: float,
        most_pixels: int,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._url = realtime_url(base_url)
        self._headers = [f"Authorization: Bearer {api_key}"] if api_key else []
        self._silence_s = silence_s
        self._check = check
        self._events = 0
        self._socket: Any = None
        self.reader = FrameReader(most_pixels)

    def begin(self, init: bytes) -> None:
        """Connect and send the first message; raises ``Dropped``."""
        host = urlsplit(self._url).hostname
        # Loopback addresses bypass the environment's proxy.
        direct: dict[str, Any] = {"http_no_proxy": [host]} if host in _LOOPBACK else {}
        try:
            self._socket = websocket.create_connection(
                self._url, timeout=self._silence_s, header=self._headers, **direct
            )
            self._socket.send_binary(init)
            self._socket.settimeout(_LOOK_S)
        except (OSError, websocket.WebSocketException) as error:
            raise Dropped(f"The realtime server does not answer: {error}") from error

    def hold(self, held: str) -> None:
        """Hold these keys, such as ``jw``, from now on; raises ``Dropped``."""
        self._events += 1
        try:
            self._socket.send_binary(event_message(held, self._events, round(time.time() * 1_000)))
        except (OSError, websocket.WebSocketException) as error:
            raise Dropped(f"The connection to the realtime server was lost: {error}") from error

    def batches(self) -> Iterator[Image]:
        """Yield frames (T×H×W×3, ``uint8``) as they come, until the server closes the session.

        Raises ``Dropped``, ``RenderTimeout`` after ``silence_s`` without a message, ``RenderError``
        for an invalid message, and what ``check`` raises.
        """
        heard = time.monotonic()
        while True:
            self._check()
            try:
                kind, message = self._socket.recv_data()
            except websocket.WebSocketTimeoutException:
                if time.monotonic() - heard > self._silence_s:
                    told = f"The realtime server sent nothing for {self._silence_s:g} s."
                    raise RenderTimeout(told) from None
                continue
            except (OSError, websocket.WebSocketException) as error:
                raise Dropped(f"The realtime server closed the connection: {error}") from error
            heard = time.monotonic()
            if kind == websocket.ABNF.OPCODE_CLOSE:
                return
            text = kind == websocket.ABNF.OPCODE_TEXT
            frames = self.reader.read(message.decode("utf-8", "replace") if text else message)
            if frames is not None and len(frames):
                yield frames

    def close(self) -> None:
        """End the session; errors are ignored."""
        if self._socket is None:
            return
        with suppress(OSError, websocket.WebSocketException):
            self._socket.close(timeout=_LOOK_S)
        self._socket.shutdown()  # without a closing handshake, if the server did not answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
