"""The one streaming encoder of every engine: frames in, H.264 mp4 out, while they are being made.

Knows pixels, colour tags and files. Knows neither scenes nor what drew the frames.
"""

from __future__ import annotations

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
import numpy.typing as npt

from workbench.errors import InvalidRequest, RenderError

__all__ = [
    "Effort",
    "EncoderChoice",
    "Image",
    "Quality",
    "VideoWriter",
    "even",
    "nvenc_opens",
    "to_i420",
    "to_rgb",
]

Image = npt.NDArray[Any]
"""A picture as an array; ``uint8`` unless told otherwise."""

Quality = Literal["phone", "light", "standard", "high"]
"""How near the decoded video is to its frames; the figures stand in ``encoder.toml``."""

Effort = Literal["live", "balanced", "thorough"]
"""How much time the encoder spends on saving bytes."""

EncoderChoice = Literal["software", "auto"]
"""``auto`` takes the GPU's encoder when it can really be opened."""

_QUEUED_FRAMES: Final = 8
_RANGE_LIMITED: Final = 1
_MATRIX_BT601: Final = 6
_BT709: Final = 1
_KEYFRAME_EVERY_S: Final = 10
"""A shorter distance would make the encoder put one at every cut, which costs a third of a file."""


def even(size: int) -> int:
    """Return ``size`` rounded up to the even number that 4:2:0 video needs."""
    return size + size % 2


def to_i420(rgb: Image) -> Image:
    """Return an RGB picture (H×W×3, ``uint8``) as I420: BT.601, limited range, ``uint8``.

    Odd sizes are padded to even by repeating the last column and row. The result has
    ``even(H) * 3 / 2`` rows of ``even(W)`` bytes: Y, then U, then V.
    """
    height, width = rgb.shape[:2]
    right, bottom = width % 2, height % 2
    if right or bottom:
        rgb = cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)


def to_rgb(i420: Image) -> Image:
    """Return an I420 picture (BT.601, limited range) as RGB, H×W×3, ``uint8``."""
    return cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)


class VideoWriter:
    """Writes one H.264 mp4 (yuv420p, faststart) frame by frame, encoding in a thread of its own.

    The file is written aside, as ``<name>.part``, and takes its name when :meth:`close` has ended
    it well; :meth:`abort` leaves nothing behind. As a context manager it closes on success and
    aborts on an error. ``path`` must not be in use by another writer.

    ``fps`` is frames per second; ``metadata`` goes into the file as it is (``comment``, ``title``).
    Raises ``RenderError`` when the encoder or the disk refuses.
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
    ) -> None:
        self.path = path
        self.width, self.height = even(width), even(height)
        self.num_frames = 0
        self._part = path.with_name(path.name + ".part")
        self._queue: queue.Queue[Image | None] = queue.Queue(_QUEUED_FRAMES)
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._ended = False
        self._target = _Target(
            self._part,
            self.width,
            self.height,
            Fraction(fps).limit_denominator(1001),
            _codec(quality, effort, encoder),
            dict(metadata or {}),
        )
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._thread.start()

    def write(self, frames: Any) -> None:
        """Take RGB frames: a NumPy array or torch tensor, one (H×W×3) or a chunk (T×H×W×3).

        ``uint8``, or floating point from 0 to 1. A torch tensor may have its channels first. Waits
        while the encoder is behind. Raises ``InvalidRequest`` for another shape, ``RenderError``
        when encoding has failed.
        """
        for frame in _frames_of(frames):
            if (even(frame.shape[1]), even(frame.shape[0])) != (self.width, self.height):
                msg = f"A frame of {frame.shape[1]}×{frame.shape[0]} does not fit this video."
                raise InvalidRequest(msg)
            self._put(frame)

    def write_i420(self, planes: Image) -> None:
        """Take one I420 frame (BT.601, limited range) that the caller will not change again."""
        self._put(planes)

    def close(self) -> Path:
        """Encode what is left, end the file and give it its name; return that."""
        if not self._ended:
            self._ended = True
            self._enqueue(None)
            self._thread.join()
            self._check()
            self._part.replace(self.path)
        return self.path

    def abort(self) -> None:
        """Stop at once and leave no file."""
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
    """The open container and its one stream; used by the encoder's thread alone."""

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        rate: Fraction,
        codec: _Codec,
        metadata: dict[str, str],
    ) -> None:
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
        context.gop_size = max(1, round(float(self._rate) * _KEYFRAME_EVERY_S))
        context.color_range, context.colorspace = _RANGE_LIMITED, _MATRIX_BT601
        context.color_primaries = context.color_trc = _BT709
        self._stream = stream

    def encode(self, planes: Image) -> None:
        # PyAV's copy-free way loses two rows of a height that is no multiple of 4
        shares = self._size[1] % 4 == 0
        wrap = av.VideoFrame.from_numpy_buffer if shares else av.VideoFrame.from_ndarray
        frame = wrap(np.ascontiguousarray(planes), format="yuv420p")
        frame.pts, self._pts = self._pts, self._pts + 1
        frame.time_base = 1 / self._rate
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self, *, finish: bool) -> None:
        if self._container is None:
            return
        try:
            if finish and self._pts:
                for packet in self._stream.encode(None):
                    self._container.mux(packet)
        finally:
            self._container.close()
            self._container = None


def nvenc_opens() -> bool:
    """Tell whether the GPU's H.264 encoder really opens here; asked once per process."""
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
    options = {**chosen["options"], steered_by: chosen[steered_by][quality]}
    return _Codec("libx264", options, chosen["threads"])


@cache
def _settings() -> Mapping[str, Any]:
    text = resources.files("workbench.engines").joinpath("encoder.toml").read_text("utf-8")
    return tomllib.loads(text)


def _frames_of(frames: Any) -> Iterator[Image]:
    array = _as_array(frames)
    if array.ndim not in {3, 4} or array.shape[-1] != 3:
        msg = f"Frames must be H×W×3 or T×H×W×3, not {'×'.join(map(str, array.shape))}."
        raise InvalidRequest(msg)
    for frame in array[None] if array.ndim == 3 else array:
        yield _as_uint8(frame)


def _as_array(frames: Any) -> Image:
    if not hasattr(frames, "detach"):
        return np.asarray(frames)
    frames = frames.detach()
    if frames.shape[-1] != 3 and frames.ndim >= 3 and frames.shape[-3] == 3:
        frames = frames.movedim(-3, -1)
    if frames.dtype.is_floating_point:
        frames = (frames.clamp(0, 1) * 255).round().to(dtype=_torch_uint8())
    return cast("Image", frames.contiguous().cpu().numpy())


def _as_uint8(frame: Image) -> Image:
    if np.issubdtype(frame.dtype, np.floating):
        whole = np.maximum(frame, 0).astype(np.float32, copy=False)
        return cv2.convertScaleAbs(whole, alpha=255)
    return frame.astype(np.uint8, copy=False)


def _torch_uint8() -> Any:
    import torch  # noqa: PLC0415  here only when the caller has it loaded already

    return torch.uint8
