"""The streaming encoder: frames survive, with correct tags and file names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
import pytest

from workbench.engines.encoder import Effort, VideoWriter, nvenc_opens
from workbench.engines.pixels import Image, to_i420, to_rgb
from workbench.engines.probe import decode_video, probe_video
from workbench.errors import InvalidRequest, NotFinite, RenderError


def textured(num_frames: int = 12, height: int = 144, width: int = 256) -> Image:
    """Return moving texture: smooth colours, fine grain and a travelling edge."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    made = []
    for t in range(num_frames):
        base = np.stack(
            [
                128 + 90 * np.sin(x / 21 + t / 5),
                128 + 80 * np.sin(y / 13 - t / 7),
                128 + 70 * np.sin((x + y) / 17),
            ],
            -1,
        )
        base[:, (4 * t) % width :] *= 0.7
        made.append(base + rng.normal(0, 4, base.shape[:2])[..., None])
    return np.clip(made, 0, 255).astype(np.uint8)


def psnr(first: Image, second: Image) -> float:
    error = float(np.mean((first.astype(np.float64) - second.astype(np.float64)) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize("effort", ["live", "balanced", "thorough"])
def test_the_default_quality_keeps_38_db_on_texture(tmp_path: Path, effort: Effort) -> None:
    frames = textured()
    with VideoWriter(tmp_path / "v.mp4", 256, 144, 24, effort=effort) as writer:
        writer.write(frames)
    decoded = list(decode_video(tmp_path / "v.mp4", "yuv420p"))
    assert len(decoded) == len(frames)
    values = [psnr(to_i420(a)[:144], b[:144]) for a, b in zip(frames, decoded, strict=True)]
    assert min(values) > 38


def test_colours_survive_encoding(tmp_path: Path) -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128)]
    frame = np.zeros((64, 192, 3), np.uint8)
    for index, colour in enumerate(colours):
        frame[:, 32 * index : 32 * index + 32] = colour
    with VideoWriter(tmp_path / "v.mp4", 192, 64, 24, quality="high") as writer:
        writer.write(frame)
    with av.open(str(tmp_path / "v.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (6, 1)
        decoded = next(container.decode(video=0)).to_ndarray(format="rgb24")
    for index, colour in enumerate(colours):
        assert np.abs(decoded[32, 32 * index + 16].astype(int) - colour).max() <= 6


@pytest.mark.parametrize("height", [142, 144, 270, 272])
def test_colours_keep_their_position_at_every_even_height(tmp_path: Path, height: int) -> None:
    frame = np.zeros((height, 256, 3), np.uint8)
    frame[: height // 2] = (220, 40, 40)
    frame[height // 2 :] = (40, 60, 220)
    with VideoWriter(tmp_path / "v.mp4", 256, height, 24) as writer:
        writer.write(frame[None].repeat(4, 0))
    facts = probe_video(tmp_path / "v.mp4")
    assert (facts.width, facts.height) == (256, height)
    shown = next(iter(decode_video(tmp_path / "v.mp4", "rgb24"))).astype(int)
    for rows in (slice(4, height // 2 - 4), slice(height // 2 + 4, height - 4)):
        assert np.abs(shown[rows] - frame[rows].astype(int)).max() < 12


def test_i420_and_back_keeps_a_grey_ramp() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    assert np.abs(to_rgb(to_i420(ramp)).astype(int) - ramp).max() <= 2


def test_an_odd_size_is_padded_to_even(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", 101, 67, 30) as writer:
        writer.write(np.full((3, 67, 101, 3), 90, np.uint8))
    facts = probe_video(tmp_path / "v.mp4")
    assert (facts.width, facts.height, facts.num_frames, facts.fps) == (102, 68, 3, 30)


def test_floats_and_tensors_are_accepted(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    frame = textured(1)[0]
    tensor = torch.from_numpy(frame).permute(2, 0, 1)
    with VideoWriter(tmp_path / "v.mp4", 256, 144, 24, quality="high") as writer:
        writer.write(frame)
        writer.write(frame.astype(np.float32) / 255)
        writer.write(tensor)
        writer.write(tensor.float()[None] / 255)
    first, *others = decode_video(tmp_path / "v.mp4")
    assert len(others) == 3
    assert all(psnr(first, other) > 40 for other in others)


def test_the_file_gets_its_name_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    writer = VideoWriter(path, 64, 64, 24)
    writer.write(np.zeros((2, 64, 64, 3), np.uint8))
    assert not path.exists()
    writer.close()
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]


def test_an_error_while_drawing_leaves_no_file(tmp_path: Path) -> None:
    def draw() -> None:
        with VideoWriter(tmp_path / "v.mp4", 64, 64, 24) as writer:
            writer.write(np.zeros((64, 64, 3), np.uint8))
            raise ValueError("the drawing broke")

    with pytest.raises(ValueError, match="broke"):
        draw()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_a_render_error(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "nowhere" / "v.mp4", 64, 64, 24)
    writer.write(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(RenderError, match="could not be written"):
        writer.close()


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", 64, 64, 24) as writer:
        with pytest.raises(InvalidRequest, match="does not fit"):
            writer.write(np.zeros((64, 80, 3), np.uint8))
        with pytest.raises(InvalidRequest, match="H×W×3"):
            writer.write(np.zeros((64, 64), np.uint8))
        writer.write(np.zeros((64, 64, 3), np.uint8))


def test_the_moov_box_precedes_the_frames(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", 64, 64, 24) as writer:
        writer.write(np.zeros((2, 64, 64, 3), np.uint8))
    data = (tmp_path / "v.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_the_gpu_encoder_is_used_only_where_it_really_opens(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", 256, 144, 24, encoder="auto") as writer:
        writer.write(textured(3))
    assert probe_video(tmp_path / "v.mp4").num_frames == 3
    # x264 signs what it encodes; the GPU's encoder does not.
    assert (b"x264" in (tmp_path / "v.mp4").read_bytes()) == (not nvenc_opens())


@pytest.mark.parametrize("effort", ["live", "balanced", "thorough"])
def test_the_same_frames_give_the_same_file(tmp_path: Path, effort: Effort) -> None:
    frames = textured(16)
    for name in ("a.mp4", "b.mp4"):
        with VideoWriter(tmp_path / name, 256, 144, 24, effort=effort) as writer:
            writer.write(frames)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_still_picture_keeps_its_quality_to_the_last_frame(tmp_path: Path) -> None:
    frame = textured(1)[0]
    with VideoWriter(tmp_path / "v.mp4", 256, 144, 24, effort="live") as writer:
        writer.write(frame[None].repeat(30, 0))
    first, *_, last = decode_video(tmp_path / "v.mp4")
    assert min(psnr(frame, first), psnr(frame, last)) > 33
    assert abs(psnr(frame, first) - psnr(frame, last)) < 3


def test_threads_cost_no_bytes(tmp_path: Path) -> None:
    """Slices, PyAV's default threading, add a quarter or more to a small file."""
    frames = textured(48)
    with VideoWriter(tmp_path / "v.mp4", 256, 144, 24, quality="light") as writer:
        writer.write(frames)
    with av.open(str(tmp_path / "v.mp4")) as container:
        slices = [_slices(bytes(packet)) for packet in container.demux(video=0) if packet.size]
    assert set(slices) == {1}


def _slices(packet: bytes) -> int:
    """Return how many slices a packet of H.264 holds, each in a unit after its length."""
    number, at = 0, 0
    while at < len(packet):
        length = int.from_bytes(packet[at : at + 4], "big")
        number += packet[at + 4] & 31 in {1, 5}
        at += 4 + length
    return number


@pytest.mark.parametrize("effort", ["live", "balanced", "thorough"])
def test_the_same_frames_give_the_same_file_again(tmp_path: Path, effort: Effort) -> None:
    frames = textured(16)
    digests = set()
    for number in range(12):
        unused = np.random.default_rng(number).integers(0, 255, 1_000_003 + number, np.uint8)
        with VideoWriter(tmp_path / "v.mp4", 256, 144, 24, effort=effort) as writer:
            for frame in frames:
                writer.write(frame.copy())
        digests.add(hashlib.sha256((tmp_path / "v.mp4").read_bytes()).hexdigest())
        del unused  # so that each round gets memory with other contents
    assert len(digests) == 1


def test_the_instructions_that_made_files_differ_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    add_stream = av.container.OutputContainer.add_stream

    class Container:
        def __init__(self, container: av.container.OutputContainer) -> None:
            self._container = container

        def __getattr__(self, name: str) -> Any:
            return getattr(self._container, name)

        def add_stream(self, *args: Any, **kwargs: Any) -> Any:
            asked.append(kwargs["options"].get("x264-params", ""))
            return add_stream(self._container, *args, **kwargs)

    opened = av.open
    monkeypatch.setattr(av, "open", lambda *a, **k: Container(cast("Any", opened(*a, **k))))
    for has_avx512 in (True, False):
        monkeypatch.setattr(cv2, "checkHardwareSupport", lambda _, answer=has_avx512: answer)
        with VideoWriter(tmp_path / "v.mp4", 64, 64, 24, effort="live") as writer:
            writer.write(np.zeros((64, 64, 3), np.uint8))
    assert ["asm=avx2" in one for one in asked] == [True, False]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_frames_are_refused_and_leave_no_file(tmp_path: Path, value: float) -> None:
    frames = np.zeros((3, 64, 64, 3), np.float16)
    frames[1, 5, 5, 0] = value

    def write() -> None:
        with VideoWriter(tmp_path / "v.mp4", 64, 64, 24) as writer:
            writer.write(frames)

    with pytest.raises(NotFinite):
        write()
    assert list(tmp_path.iterdir()) == []
