"""The messages of SGLang's ``/v1/realtime_video/generate``, which are MessagePack maps.

To the server: ``init``, then ``event``. From it, for each chunk: ``frame_batch`` with its pixels,
or ``frame_batch_header`` followed by the pixels as one binary message, and ``chunk_stats``;
``error``.
Source: ``runtime/entrypoints/openai/realtime`` of SGLang 0.5.17. The server is untrusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgpack
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.engines.pixels import Image
from workbench.errors import RenderError

__all__ = ["FrameReader", "event_message", "init_message"]

_RAW_RGB: Final = "application/x-raw-rgb"
_LONGEST_TOLD: Final = 500


def init_message(fields: Mapping[str, Any], script: Sequence[str], *, paced: bool = False) -> bytes:
    """Return the first message; ``script`` names the keys held in each frame, such as ``jw``.

    ``paced``: frames come at their rate, for live viewing; else as soon as they are made.
    """
    inputs = {"camera_actions": [list(held) for held in script]} if script else {}
    return _packed(
        {
            "type": "init",
            **fields,
            "realtime_output_format": "raw",
            "realtime_output_pacing": paced,
            **({"condition_inputs": inputs} if inputs else {}),
        }
    )


def event_message(held: str, number: int, at_ms: int) -> bytes:
    """Return the event that holds these keys, such as ``jw``, from now on."""
    transitions = [{"actions": list(held), "client_ts_ms": at_ms}]
    payload = {"mode": "state", "transitions": transitions}
    return _packed(
        {"type": "event", "kind": "camera_actions", "event_id": number, "payload": payload}
    )


class _Header(BaseModel):
    """What is said of a batch of frames."""

    model_config = ConfigDict(extra="ignore")

    content_type: str
    width: int = Field(ge=1, le=7_680)
    height: int = Field(ge=1, le=4_320)
    channels: int = Field(3, ge=3, le=3)
    num_frames: int = Field(ge=0, le=4_096)
    chunk_index: int = Field(0, ge=0)
    event_id: int | None = Field(None, ge=0)


class FrameReader:
    """Reads a server's messages in order; every frame has the size of the first."""

    def __init__(self, most_pixels: int) -> None:
        self._most_pixels = most_pixels
        self._awaited: _Header | None = None
        self._size: tuple[int, int] | None = None
        self.chunks = 0
        """Chunks received."""
        self.event_id = 0
        """The newest event that the last frames reflect, as reported; 0 before the first."""

    def read(self, message: str | bytes) -> Image | None:
        """Return the frames in ``message`` (T×H×W×3, ``uint8``); None if it holds none.

        Raises ``RenderError`` for an error that the server reports, and for an invalid message.
        """
        if isinstance(message, str):
            raise _garbled("a text message")
        if self._awaited is not None:
            header, self._awaited = self._awaited, None
            return self._frames(header, message)
        told = _unpacked(message)
        match told.get("type"):
            case "frame_batch":
                payload = told.get("payload")
                if not isinstance(payload, bytes):
                    raise _garbled("a batch without pixels")
                return self._frames(self._header(told), payload)
            case "frame_batch_header":
                self._awaited = self._header(told)
                return None
            case "chunk_stats" | "trace_event":
                return None
            case "error":
                said = str(told.get("content") or "no reason")[:_LONGEST_TOLD]
                raise RenderError(f"The realtime server said: {said}")
            case kind:
                raise _garbled(f"a message of the type {str(kind)[:40]!r}")

    def _header(self, told: Mapping[str, Any]) -> _Header:
        try:
            header = _Header.model_validate(told)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"]))
            raise _garbled(f"a batch whose {place} is wrong: {problem['msg']}") from error
        if header.content_type != _RAW_RGB:
            raise _garbled(f"frames as {header.content_type[:40]!r}, not as raw RGB")
        size = (header.width, header.height)
        if header.width * header.height > self._most_pixels:
            raise _garbled(f"frames of {header.width}×{header.height} pixels, beyond the limit")
        if self._size not in {None, size}:
            raise _garbled(f"frames of another size: {size}, not {self._size}")
        self._size = size
        return header

    def _frames(self, header: _Header, payload: bytes) -> Image:
        shape = (header.num_frames, header.height, header.width, header.channels)
        if len(payload) != int(np.prod(shape)):
            raise _garbled(f"{len(payload)} bytes for {header.num_frames} frames")
        self.chunks = max(self.chunks, header.chunk_index + 1)
        self.event_id = self.event_id if header.event_id is None else header.event_id
        return np.frombuffer(payload, np.uint8).reshape(shape)


def _packed(message: Mapping[str, Any]) -> bytes:
    return bytes(msgpack.packb(message, use_bin_type=True))


def _unpacked(message: bytes) -> dict[str, Any]:
    try:
        told = msgpack.unpackb(message, raw=False, strict_map_key=True)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise _garbled("data that is not MessagePack") from error
    if not isinstance(told, dict):
        raise _garbled("a message that is not a map")
    return told


def _garbled(what: str) -> RenderError:
    return RenderError(f"The realtime server sent {what}.")
