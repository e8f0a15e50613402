"""A realtime server's world, steered while it is seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from workbench.control.keys import keys_text
from workbench.engines.live import LiveFrame
from workbench.engines.realtime.engine import RealtimeOptions, init_fields
from workbench.engines.realtime.messages import init_message
from workbench.engines.realtime.session import RealtimeSession
from workbench.errors import RenderError
from workbench.rendering import RenderRequest
from workbench.settings import Settings

__all__ = ["RealtimeFeed"]


class _Left(Exception):
    """The world was closed while its next frames were awaited."""


class RealtimeFeed:
    """A session at the server of the settings, from its first frame; a :class:`LiveFeed`."""

    rests = False
    repeats = False

    def __init__(self, settings: Settings, request: RenderRequest) -> None:
        self._request = request
        options = RealtimeOptions.model_validate(request.options)
        fields = {k: v for k, v in init_fields(request, options).items() if k != "num_frames"}
        self._init = init_message(fields, (), paced=True)
        self._session = RealtimeSession(
            settings.remote_base_url,
            settings.remote_api_key.get_secret_value(),
            silence_s=settings.remote_request_timeout_s,
            most_pixels=settings.max_pixels,
            check=self._check,
        )
        self._held = [""]
        """What was held, by the number of the event that told it."""
        self._begun = self._closed = False
        self._reading: int | None = None
        self._turn = threading.Lock()

    def hold(self, keys: str) -> None:
        """Hold these keys; they show some frames later. Raises ``Dropped``."""
        with self._turn:
            self._held.append(keys)
            if self._begun and not self._closed:
                self._session.hold(keys)

    def frames(self) -> Iterator[LiveFrame]:
        """Yield frames as the server sends them, until it or :meth:`close` ends the session.

        Raises ``Dropped`` and ``RenderError`` where the server stalls, breaks off or sends what is
        no frame.
        """
        if self._closed:
            return
        self._reading = threading.get_ident()
        try:
            with self._session:
                self._session.begin(self._init)
                with self._turn:
                    self._begun = True
                    for keys in self._held[1:]:
                        self._session.hold(keys)
                for batch in self._session.batches():
                    led_by = self._led_by(self._session.reader.event_id)
                    for picture in batch:
                        yield LiveFrame(picture, led_by)
        except _Left:
            return
        finally:
            self._closed = True

    def replay(self, led_by: Sequence[str]) -> dict[str, Any]:
        """Return camera and length: one key a frame."""
        return {"camera": keys_text(led_by), "num_frames": len(led_by)}

    def close(self) -> None:
        """End the session; a thread that waits for frames does so within 0.2 s."""
        self._closed = True
        if self._reading in {None, threading.get_ident()}:
            self._session.close()

    def _led_by(self, event: int) -> str:
        if event >= len(self._held):
            raise RenderError(f"The realtime server answered event {event}, which was never sent.")
        return self._held[event]

    def _check(self) -> None:
        if self._closed:
            raise _Left
