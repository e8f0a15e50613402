"""Sound with a known level, known pauses and known overdrive, encoded with a video and decoded."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measures.reached import correlation
from benchmarks.report import Figure
from workbench.engines.encoder import VideoWriter
from workbench.engines.sound import Sound, decode_sound
from workbench.measures.sounds import measure_sound

__all__ = ["sounds"]

_TRACKS = 24
_RATE = 48_000
_SECONDS = 4.0
_HERTZ = 997
"""The tone of EBU Tech 3341: in stereo it is as loud as its peak says."""
_FULL = 0.99


def sounds(rng: np.random.Generator) -> list[Figure]:
    """Tones of known loudness; tones with pauses; tones driven over full scale."""
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
            found[name].append(float(getattr(measure_sound(decoded), name)))
    errors = np.abs(np.array(truth["loudness"]) - np.array(found["loudness"]))
    return [
        *(correlation(name.replace("_", " "), truth[name], found[name], name) for name in truth),
        Figure("loudness off the truth, worst", float(errors.max()), "LU"),
        Figure("length of the sound off that of the picture, worst", max(lengths), "s"),
    ]


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
