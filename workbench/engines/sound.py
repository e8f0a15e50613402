"""The sound of a video: samples, their rate and their length.

Knows neither pictures nor models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, takewhile
from pathlib import Path
from typing import Any, Final, Self

import av
import numpy as np
import numpy.typing as npt

from workbench.errors import DamagedFile, NotFinite, RenderError

__all__ = ["MOST_SOUND_S", "Samples", "Sound", "audio_frames", "decode_sound"]

Samples = npt.NDArray[np.float32]

_LAYOUTS: Final = {1: "mono", 2: "stereo"}
MOST_SOUND_S: Final = 600.0
"""What comes later is not decoded."""
_BLOCK: Final = 1_024
"""Samples in a frame: AAC encodes as many at a time."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A mono or stereo track."""

    samples: Samples
    """Channels × samples, -1 to 1."""
    sample_rate: int
    """Samples a second."""

    @classmethod
    def of(cls, waveform: Any, sample_rate: int) -> Self:
        """Return the track of a NumPy array or tensor: samples, channels × samples, or 1 × both.

        Values beyond -1 to 1 are clipped. Raises ``NotFinite`` for NaN or infinity, ``RenderError``
        for another shape or more than two channels.
        """
        values = (
            waveform.detach().float().cpu().numpy() if hasattr(waveform, "detach") else waveform
        )
        samples = np.atleast_2d(np.asarray(values, np.float32))
        if samples.ndim == 3 and len(samples) == 1:
            samples = samples[0]
        if samples.ndim != 2 or len(samples) not in _LAYOUTS:
            shape = "×".join(map(str, np.shape(values)))
            raise RenderError(f"Sound with the shape {shape} is not mono or stereo.")
        if not np.isfinite(samples).all():
            raise NotFinite(
                "The sound's values are NaN or infinite. "
                "Set options.dtype to 'bfloat16' or 'float32'."
            )
        return cls(np.ascontiguousarray(samples.clip(-1, 1)), sample_rate)

    @property
    def channels(self) -> int:
        """1 for mono, 2 for stereo."""
        return len(self.samples)

    @property
    def layout(self) -> str:
        """The channels as FFmpeg names them."""
        return _LAYOUTS[self.channels]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples[0]) / self.sample_rate

    def lasting(self, duration_s: float | Fraction) -> Self:
        """Return the track cut, or filled up with silence, to ``duration_s``."""
        wanted = round(duration_s * self.sample_rate)
        missing = max(0, wanted - self.samples.shape[1])
        samples = np.pad(self.samples, ((0, 0), (0, missing)))[:, :wanted]
        return replace(self, samples=np.ascontiguousarray(samples))


def audio_frames(sound: Sound) -> Iterator[av.AudioFrame]:
    """Yield ``sound`` as FFmpeg's frames of planar floats."""
    for start in range(0, sound.samples.shape[1], _BLOCK):
        block = np.ascontiguousarray(sound.samples[:, start : start + _BLOCK])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=sound.layout)
        frame.sample_rate, frame.pts = sound.sample_rate, start
        frame.time_base = Fraction(1, sound.sample_rate)
        yield frame


def decode_sound(path: Path) -> Sound | None:
    """Return the first sound track of the file at ``path``; None if it has none.

    More than two channels are mixed to stereo; what comes after ten minutes is left out. Raises
    ``DamagedFile`` if it does not decode.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            layout = _LAYOUTS[min(2, max(1, stream.codec_context.channels))]
            resampler = av.AudioResampler("fltp", layout, stream.codec_context.sample_rate)
            rate = stream.codec_context.sample_rate
            length = stream.duration and stream.time_base and stream.duration * stream.time_base
            lasts_s = float(length or MOST_SOUND_S)
            heard = takewhile(
                lambda frame: (frame.time or 0) < MOST_SOUND_S, container.decode(stream)
            )
            decoded = chain(heard, (None,))
            blocks = [one.to_ndarray() for frame in decoded for one in resampler.resample(frame)]
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise DamagedFile(f"The sound of {path.name} cannot be decoded: {error}.") from error
    if not blocks:
        return None
    # The last frame is filled up; the track's own length tells where the sound ends.
    samples = np.concatenate(blocks, axis=1)[:, : round(lasts_s * rate)]
    return Sound.of(samples, rate)
