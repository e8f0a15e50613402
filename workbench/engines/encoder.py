"""The streaming encoder that all engines share: H.264, and AAC where there is sound.

Encodes while frames are still being produced. Knows pixels, colour tags and files.
"""

from __future__ import annotations

import heapq
import queue
import threading
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, cast

import av
import cv2
import numpy as np

from workbench.engines.pixels import Image, even, frames_of, to_i420
from workbench.engines.sound import Sound, audio_frames
from workbench.errors import InvalidRequest, RenderError
from workbench.frame_rates import exact_rate

__all__ = [
    "Effort",
    "EncoderChoice",
    "Quality",
    "VideoWriter",
    "nvenc_opens",
]

Quality = Literal["phone", "light", "standard", "high"]
"""Fidelity of the encoded video; values are in ``encoder.toml``."""

Effort = Literal["live", "balanced", "thorough"]
"""Encoding time traded for file size."""

EncoderChoice = Literal["software", "auto"]
"""``auto`` uses the GPU encoder if it opens."""

_QUEUED_FRAMES: Final = 8
_RANGE_LIMITED: Final = 1
_MATRIX_BT601: Final = 6
_BT709: Final = 1
_AVX_512F: Final = 13
"""OpenCV's number of that feature, which some releases do not name."""
_AAC_BITS_PER_CHANNEL: Final = 96_000
_AAC_RATE: Final = 48_000
_KEYFRAME_EVERY_S: Final = 10
"""At shorter distances x264 inserts one at every cut, which adds a third to the file size."""


class VideoWriter:
    """Writes one H.264 mp4 (yuv420p, faststart) frame by frame, encoding in its own thread.

    Writes to ``<name>.part`` and renames it in :meth:`close`; :meth:`abort` removes it. As a
    context manager it closes on success and aborts on an error. ``path`` must not be in use by
    another writer.

    ``fps`` is frames per second; ``metadata`` goes into the file as it is (``comment``, ``title``).
    ``with_sound`` allows :meth:`add_sound`: encoded frames then stay in memory until
    :meth:`close`, because models make their sound last. Raises ``RenderError`` if encoding or
    writing fails.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: float,
        *,
        quality: Quality = "standard",
        effort: Effort = "balanced",
        encoder: EncoderChoice = "software",
        metadata: Mapping[str, str] | None = None,
        with_sound: bool = False,
    ) -> None:
        self.path = path
        self.width, self.height = even(width), even(height)
        self.num_frames = 0
        self._part = path.with_name(path.name + ".part")
        self._queue: queue.Queue[Image | None] = queue.Queue(_QUEUED_FRAMES)
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._ended = False
        self._with_sound = with_sound
        self._target = _Target(
            self._part,
            self.width,
            self.height,
            exact_rate(fps),
            _codec(quality, effort, encoder),
            dict(metadata or {}),
            holds=with_sound,
        )
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._thread.start()

    def write(self, frames: Any) -> None:
        """Encode RGB frames: a NumPy array or torch tensor, one (H×W×3) or a chunk (T×H×W×3).

        ``uint8``, or floating point from 0 to 1. A torch tensor may have its channels first. Blocks
        while the queue is full. Raises ``InvalidRequest`` for another shape, ``RenderError``
        when encoding has failed.
        """
        for frame in frames_of(frames):
            if (even(frame.shape[1]), even(frame.shape[0])) != (self.width, self.height):
                msg = f"A frame of {frame.shape[1]}×{frame.shape[0]} does not fit this video."
                raise InvalidRequest(msg)
            self._put(frame)

    def write_i420(self, planes: Image) -> None:
        """Encode one I420 frame (BT.601, limited range); the caller must not modify it afterwards."""
        self._put(planes)

    def add_sound(self, sound: Sound) -> None:
        """Give the video its sound, once; it is cut or filled up to the length of the picture.

        Raises ``InvalidRequest`` unless the writer was made ``with_sound``.
        """
        if not self._with_sound or self._ended:
            raise InvalidRequest("This video is written without sound.")
        self._target.sound = sound

    def close(self) -> Path:
        """Encode the remaining frames, finish the file and return its path."""
        if not self._ended:
            self._ended = True
            self._enqueue(None)
            self._thread.join()
            self._check()
            self._part.replace(self.path)
        return self.path

    def abort(self) -> None:
        """Stop immediately and remove the file."""
        if not self._ended:
            self._ended = True
            self._stop.set()
            self._enqueue(None)
            self._thread.join()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _put(self, frame: Image) -> None:
        self._check()
        self.num_frames += 1
        self._enqueue(frame)

    def _enqueue(self, item: Image | None) -> None:
        while self._thread.is_alive():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def _check(self) -> None:
        if self._error is not None:
            self._part.unlink(missing_ok=True)
            raise RenderError(f"The video could not be written: {self._error}.") from self._error

    def _work(self) -> None:
        try:
            self._target.open()
            while (item := self._queue.get()) is not None and not self._stop.is_set():
                self._target.encode(item if item.ndim == 2 else to_i420(item))
        except (av.error.FFmpegError, OSError, ValueError, cv2.error) as error:
            self._error = error
        finally:
            try:
                self._target.close(finish=self._error is None and not self._stop.is_set())
            except (av.error.FFmpegError, OSError, ValueError) as error:
                self._error = self._error or error


@dataclass(frozen=True, slots=True)
class _Codec:
    name: str
    options: Mapping[str, str]
    threads: int


class _Target:
    """The output container and its stream; used only by the encoder thread."""

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        rate: Fraction,
        codec: _Codec,
        metadata: dict[str, str],
        *,
        holds: bool,
    ) -> None:
        self.sound: Sound | None = None
        self._held: list[Any] | None = [] if holds else None
        self._path, self._size, self._rate = path, (width, height), rate
        self._codec, self._metadata = codec, metadata
        self._container: Any = None
        self._stream: Any = None
        self._pts = 0

    def open(self) -> None:
        self._container = av.open(
            str(self._path), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._container.metadata.update(self._metadata)
        options = dict(self._codec.options)
        stream = self._container.add_stream(self._codec.name, rate=self._rate, options=options)
        context = stream.codec_context
        context.width, context.height = self._size
        context.pix_fmt = "yuv420p"
        context.thread_count = self._codec.threads
        # Frame threads: slice threads wait for each other and increase the size.
        context.thread_type = "FRAME"
        context.gop_size = max(1, round(float(self._rate) * _KEYFRAME_EVERY_S))
        context.color_range, context.colorspace = _RANGE_LIMITED, _MATRIX_BT601
        context.color_primaries = context.color_trc = _BT709
        self._stream = stream

    def encode(self, planes: Image) -> None:
        # from_numpy_buffer drops two rows if the height is not a multiple of 4
        shares = self._size[1] % 4 == 0
        wrap = av.VideoFrame.from_numpy_buffer if shares else av.VideoFrame.from_ndarray
        frame = wrap(np.ascontiguousarray(planes), format="yuv420p")
        frame.pts, self._pts = self._pts, self._pts + 1
        frame.time_base = 1 / self._rate
        self._put(self._stream.encode(frame))

    def close(self, *, finish: bool) -> None:
        if self._container is None:
            return
        try:
            if finish and self._pts:
                self._put(self._stream.encode(None))
                self._write_held()
        finally:
            self._container.close()
            self._container = None

    def _put(self, packets: list[Any]) -> None:
        if self._held is None:
            self._container.mux(packets)
        else:
            self._held += packets

    def _write_held(self) -> None:
        """Write the frames that were kept back, and the sound among them."""
        pictures, self._held = self._held or [], None
        sounds = list(self._encoded_sound()) if self.sound else []
        for packet in heapq.merge(pictures, sounds, key=_decoded_at):
            self._container.mux(packet)

    def _encoded_sound(self) -> Iterator[Any]:
        sound = cast("Sound", self.sound).lasting(self._pts / self._rate)
        stream = self._container.add_stream("aac", rate=_aac_rate(sound.sample_rate))
        stream.layout = sound.layout  # FFmpeg's AAC is stereo if it is not told
        stream.bit_rate = _AAC_BITS_PER_CHANNEL * sound.channels
        for frame in (*audio_frames(sound), None):
            yield from stream.encode(frame)


def _decoded_at(packet: Any) -> Fraction:
    return Fraction(packet.dts * packet.time_base)


def _aac_rate(sample_rate: int) -> int:
    """Return ``sample_rate`` if AAC knows it, else the rate to convert to."""
    known = av.Codec("aac", "w").audio_rates or []
    return sample_rate if sample_rate in known else _AAC_RATE


def nvenc_opens() -> bool:
    """Return whether the GPU's H.264 encoder opens; tried once per process."""
    return _nvenc_opens()


@cache
def _nvenc_opens() -> bool:
    try:
        context = cast("Any", av.CodecContext.create("h264_nvenc", "w"))
        context.width, context.height, context.pix_fmt = 256, 144, "yuv420p"
        context.time_base = Fraction(1, 24)
        context.open()
        context.encode(av.VideoFrame(256, 144, "yuv420p"))
    except (av.error.FFmpegError, ValueError, OSError):
        return False
    return True


def _codec(quality: Quality, effort: Effort, encoder: EncoderChoice) -> _Codec:
    table = _settings()
    if encoder == "auto" and nvenc_opens():
        return _Codec("h264_nvenc", table["nvenc"][quality], 1)
    chosen = table["x264"][effort]
    steered_by = "qp" if "qp" in chosen else "crf"
    coarse = chosen.get("coarse", {}) if quality in {"phone", "light"} else {}
    options = {**chosen["options"], **coarse, steered_by: chosen[steered_by][quality]}
    if cv2.checkHardwareSupport(_AVX_512F):
        more = options.get("x264-params", "")
        options["x264-params"] = ":".join(filter(None, (more, table["without_avx512"])))
    return _Codec("libx264", options, chosen["threads"])


@cache
def _settings() -> Mapping[str, Any]:
    text = resources.files("workbench.engines").joinpath("encoder.toml").read_text("utf-8")
    return tomllib.loads(text)
