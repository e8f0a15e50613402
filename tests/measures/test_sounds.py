"""Loudness, silence and clipping match known values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures.sounds import write_apart
from tests.engines.sounding import tone
from workbench.engines.encoder import VideoWriter
from workbench.engines.sound import Sound
from workbench.measures.scorecards import score_video
from workbench.measures.sounds import measure_sound


def _sine(dbfs: float, *, hz: float = 997, channels: int = 2, seconds: float = 5) -> Sound:
    times = np.arange(round(48_000 * seconds)) / 48_000
    wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * times)
    return Sound.of(np.stack([wave] * channels), 48_000)


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_stereo_sine_of_1_khz_is_as_loud_as_its_peak_says(level: float) -> None:
    """The first two cases of EBU Tech 3341."""
    assert measure_sound(_sine(level), 5).loudness == pytest.approx(level, abs=0.1)


def test_one_channel_is_3_lu_quieter_than_the_same_in_two() -> None:
    mono, stereo = (measure_sound(_sine(-23, channels=n), 5).loudness for n in (1, 2))
    assert stereo - mono == pytest.approx(3.01, abs=0.1)


def test_a_short_sound_is_as_loud_as_a_long_one() -> None:
    assert measure_sound(_sine(-20, seconds=0.2), 5).loudness == pytest.approx(-20, abs=0.5)


def test_silence_is_the_share_of_the_time_without_sound() -> None:
    loud = _sine(-20, seconds=3)
    half = Sound(np.concatenate([loud.samples, 0 * loud.samples], 1), 48_000)
    assert measure_sound(loud, 3).silence == 0
    assert measure_sound(half, 6).silence == pytest.approx(0.5, abs=0.02)
    quiet = measure_sound(Sound(0 * loud.samples, 48_000), 3)
    assert (quiet.silence, quiet.loudness, quiet.sound_clipping) == (1, -70, 0)


def test_clipping_is_the_share_of_samples_at_full_scale() -> None:
    assert measure_sound(_sine(-6), 5).sound_clipping == 0
    driven = Sound.of(_sine(0).samples * 10, 48_000)
    assert measure_sound(driven, 5).sound_clipping == pytest.approx(0.936, abs=0.01)


def test_sound_scores_exist_only_for_videos_with_sound(tmp_path: Path) -> None:
    for name, sound in (("with", tone(1)), ("without", None)):
        with VideoWriter(tmp_path / name, 96, 64, 24, with_sound=True) as writer:
            writer.write(np.random.default_rng(1).integers(0, 255, (24, 64, 96, 3), np.uint8))
            if sound is not None:
                writer.add_sound(sound)
    with_sound = score_video(tmp_path / "with").scores
    assert with_sound.loudness == pytest.approx(-15.7, abs=1)
    assert with_sound.silence == 0
    assert with_sound.sound_length == pytest.approx(0, abs=0.03)
    without = score_video(tmp_path / "without").scores.by_name
    assert without.keys().isdisjoint({"loudness", "silence", "sound_clipping", "sound_length"})


@pytest.mark.parametrize("sound_s", [0.5, 2.0, 3.5])
def test_a_sound_that_is_shorter_or_longer_than_its_picture_is_found(
    tmp_path: Path, sound_s: float
) -> None:
    write_apart(tmp_path / "video.mp4", tone(4).lasting(sound_s), seconds=2)
    found = score_video(tmp_path / "video.mp4").scores.sound_length
    assert found == pytest.approx(abs(sound_s - 2), abs=0.03)
