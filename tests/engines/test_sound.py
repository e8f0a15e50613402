"""Sound is written to the file unchanged and can be read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.engines.sounding import RATE, tone
from workbench.engines.encoder import VideoWriter
from workbench.engines.rendition import write_rendition
from workbench.engines.sound import Sound, decode_sound
from workbench.errors import DamagedFile, InvalidRequest, NotFinite, RenderError
from workbench.jobs.mp4 import has_sound


def _video(path: Path, sound: Sound | None, *, num_frames: int = 24, fps: float = 24) -> Path:
    frames = np.random.default_rng(1).integers(0, 255, (num_frames, 64, 96, 3), np.uint8)
    with VideoWriter(path, 96, 64, fps, with_sound=sound is not None) as writer:
        writer.write(frames)
        if sound is not None:
            writer.add_sound(sound)
    return path


def _pitch_hz(sound: Sound) -> float:
    spectrum = np.abs(np.fft.rfft(sound.samples[0]))
    return float(np.argmax(spectrum) / sound.duration_s)


@pytest.mark.parametrize(
    ("rate", "channels", "num_frames", "fps"),
    [
        (24_000, 1, 24, 24),
        (48_000, 2, 49, 24),
        (16_000, 2, 9, 24),
        (44_100, 1, 81, 16),
        (32_000, 2, 60, 24_000 / 1_001),
    ],
)
def test_a_track_keeps_channels_rate_and_pitch_and_the_videos_length(
    rate: int, channels: int, num_frames: int, fps: float, tmp_path: Path
) -> None:
    made = tone(num_frames / fps, rate=rate, channels=channels)
    path = _video(tmp_path / "v.mp4", made, num_frames=num_frames, fps=fps)
    container: Any
    with av.open(str(path)) as container:
        (picture,), (track,) = container.streams.video, container.streams.audio
        assert (track.codec_context.name, track.codec_context.channels) == ("aac", channels)
        lengths = [float(one.duration * one.time_base) for one in (picture, track)]
        assert picture.frames == num_frames
        assert float(picture.average_rate) == pytest.approx(fps, rel=1e-6)
    assert abs(lengths[0] - lengths[1]) < 1 / fps
    heard = decode_sound(path)
    assert heard is not None
    assert (heard.sample_rate, heard.channels) == (rate, channels)
    assert abs(heard.duration_s - num_frames / fps) < 1 / fps
    assert _pitch_hz(heard) == pytest.approx(440, abs=3)
    assert np.sqrt((heard.samples**2).mean()) == pytest.approx(0.177, abs=0.02)


@pytest.mark.parametrize("lasts_s", [0.3, 2.0])
def test_a_track_is_trimmed_or_padded_to_the_videos_length(lasts_s: float, tmp_path: Path) -> None:
    heard = decode_sound(_video(tmp_path / "v.mp4", tone(lasts_s)))
    assert heard is not None
    assert abs(heard.duration_s - 1.0) < 1 / 24
    ending = np.abs(heard.samples[:, int(0.5 * RATE) : int(0.9 * RATE)]).max()
    assert (ending > 0.2) == (lasts_s > 1)


def test_a_sample_rate_unsupported_by_aac_is_converted(tmp_path: Path) -> None:
    heard = decode_sound(_video(tmp_path / "v.mp4", tone(1, rate=37_000)))
    assert heard is not None
    assert heard.sample_rate == 48_000
    assert _pitch_hz(heard) == pytest.approx(440, abs=3)


def test_sound_and_picture_are_interleaved_in_the_file(tmp_path: Path) -> None:
    """A streaming player must not need to seek."""
    path = _video(tmp_path / "v.mp4", tone(8), num_frames=192)
    container: Any
    with av.open(str(path)) as container:
        places = {"video": [0], "audio": [0]}
        packets = [one for one in container.demux() if one.dts is not None]
        for number, packet in enumerate(sorted(packets, key=lambda one: one.pos)):
            places[packet.stream.type].append(number)
    assert max(np.diff(places["audio"])) < len(packets) / 4


def test_a_video_without_sound_has_no_track(tmp_path: Path) -> None:
    path = _video(tmp_path / "v.mp4", None)
    assert decode_sound(path) is None
    assert not has_sound(path)
    with VideoWriter(tmp_path / "w.mp4", 96, 64, 24, with_sound=True) as writer:
        writer.write(np.zeros((3, 64, 96, 3), np.uint8))
    assert not has_sound(tmp_path / "w.mp4"), "a model may make none after all"


def test_sound_is_detected_from_the_mp4_boxes(tmp_path: Path) -> None:
    assert has_sound(_video(tmp_path / "v.mp4", tone(1)))
    assert not has_sound(tmp_path / "none.mp4")
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "v.mp4").read_bytes()[:200])
    assert not has_sound(tmp_path / "cut.mp4")


def test_a_rendition_keeps_the_sound(tmp_path: Path) -> None:
    path = _video(tmp_path / "v.mp4", tone(1, channels=2))
    heard = decode_sound(write_rendition(path, tmp_path / "small.mp4", height=32))
    assert heard is not None
    assert (heard.channels, heard.sample_rate) == (2, RATE)
    assert _pitch_hz(heard) == pytest.approx(440, abs=3)


@pytest.mark.parametrize(
    ("shape", "channels"), [((100,), 1), ((1, 100), 1), ((2, 100), 2), ((1, 2, 100), 2)]
)
def test_every_waveform_shape_of_the_models_is_accepted(
    shape: tuple[int, ...], channels: int
) -> None:
    assert Sound.of(np.zeros(shape), 24_000).samples.shape == (channels, 100)


@pytest.mark.parametrize("shape", [(3, 100), (2, 2, 100), (1, 1, 2, 100)])
def test_only_mono_and_stereo_are_accepted(shape: Any) -> None:
    with pytest.raises(RenderError, match="is not mono or stereo"):
        Sound.of(np.zeros(shape), 24_000)


def test_values_out_of_range_are_clipped_and_nan_is_refused() -> None:
    assert np.abs(Sound.of(np.array([3.0, -2.0]), 24_000).samples).max() == 1
    with pytest.raises(NotFinite, match="sound"):
        Sound.of(np.array([0.0, np.nan]), 24_000)


def test_a_writer_without_a_sound_track_refuses_sound(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "v.mp4", 96, 64, 24)
    with pytest.raises(InvalidRequest, match="without sound"):
        writer.add_sound(tone(1))
    writer.abort()


def test_a_file_that_is_not_a_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_text("nothing")
    with pytest.raises(DamagedFile, match=r"v\.mp4"):
        decode_sound(tmp_path / "v.mp4")
