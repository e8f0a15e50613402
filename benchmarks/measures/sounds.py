"""Sound of known level, pauses, overdrive and length, encoded with a video and decoded."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from benchmarks.measures.reached import correlation
from benchmarks.report import Figure
from workbench.engines.encoder import VideoWriter
from workbench.engines.sound import Sound, audio_frames, decode_sound
from workbench.measures.scorecards import score_video
from workbench.measures.sounds import measure_sound

__all__ = ["sounds", "write_apart"]

_TRACKS = 24
_RATE = 48_000
_SECONDS = 4.0
_HERTZ = 997
"""The tone of EBU Tech 3341: in stereo it is as loud as its peak says."""
_FULL = 0.99


def sounds(rng: np.random.Generator) -> list[Figure]:
    """Tones of known loudness, with pauses, driven over full scale, and of a wrong length."""
    truth: dict[str, list[float]] = {"loudness": [], "silence": [], "sound_clipping": []}
    found: dict[str, list[float]] = {"loudness": [], "silence": [], "sound_clipping": []}
    lengths = []
    for number in range(_TRACKS):
        level = float(rng.uniform(-45, -6))
        pause = 0.0 if number % 4 == 0 else round(float(rng.uniform(0.1, 0.9)), 1)
        gain = 1.0 if number % 4 == 0 else float(rng.uniform(1.05, 8))
        for name, known, made in (
            ("loudness", level, _tone(10 ** (level / 20))),
            ("silence", pause, _tone(0.2, until=1 - pause)),
            ("sound_clipping", _share_over(gain), _tone(gain)),
        ):
            decoded = _encoded(made)
            lengths.append(abs(decoded.duration_s - _SECONDS))
            truth[name].append(known)
            found[name].append(float(getattr(measure_sound(decoded, _SECONDS), name)))
    off, measured = _lengths(rng)
    errors = np.abs(np.array(truth["loudness"]) - np.array(found["loudness"]))
    return [
        *(correlation(name.replace("_", " "), truth[name], found[name], name) for name in truth),
        correlation("length of the sound off the picture's", off, measured, "sound_length"),
        Figure("length off the truth, worst", float(np.abs(np.subtract(off, measured)).max()), "s"),
        Figure("loudness off the truth, worst", float(errors.max()), "LU"),
        Figure("length of the sound off that of the picture, worst", max(lengths), "s"),
    ]


def _lengths(rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Return known and measured differences of length: a third shorter, a third longer, the rest none."""
    known, measured = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        for number in range(_TRACKS):
            off = (0, -1, 1)[number % 3] * float(rng.uniform(0.05, 2.0))
            write_apart(path, _tone(0.3).lasting(_SECONDS + off), seconds=_SECONDS)
            found = score_video(path).scores.sound_length
            known.append(abs(off))
            # Without evidence so far, the score is not given; the difference is the same.
            sound = decode_sound(path)
            assert sound is not None
            measured.append(abs(sound.duration_s - _SECONDS) if found is None else found)
    return known, measured


def write_apart(path: Path, sound: Sound, *, seconds: float) -> None:
    """Write a video whose sound keeps its own length, which the workbench's own writer prevents."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", 24)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("aac", sound.sample_rate)
        audio.layout = sound.layout
        grey = np.full((64, 64, 3), 128, np.uint8)
        for number in range(round(seconds * 24)):
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 24)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for block in audio_frames(sound):
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))


def _tone(peak: float, *, until: float = 1.0) -> Sound:
    times = np.arange(round(_SECONDS * _RATE)) / _RATE
    wave = peak * np.sin(2 * np.pi * _HERTZ * times) * (times < until * _SECONDS)
    return Sound.of(np.stack([wave, wave]), _RATE)


def _share_over(gain: float) -> float:
    """Return the share of a sine's samples whose size is at least full scale after ``gain``."""
    return 0.0 if gain <= _FULL else 2 / np.pi * float(np.arccos(_FULL / gain))


def _encoded(sound: Sound) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        with VideoWriter(path, 64, 64, 24, with_sound=True) as writer:
            writer.write(np.zeros((round(_SECONDS * 24), 64, 64, 3), np.uint8))
            writer.add_sound(sound)
        decoded = decode_sound(path)
    assert decoded is not None
    return decoded
