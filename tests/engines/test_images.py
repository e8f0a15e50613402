"""Opening images and videos: upright, opaque, 8-bit, bounded, and whole or refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.engines.pictures import corners, encoded, exif, grain, phone_video, photo, png
from workbench.engines.headers import read_image_header
from workbench.engines.images import open_image, portable_image, start_frame
from workbench.engines.inputs import InputFacts, inspect_input
from workbench.engines.pixels import Image
from workbench.engines.probe import decode_video, probe_video
from workbench.errors import DamagedFile, InvalidRequest


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def near(one: Image, other: Image, limit: float = 4) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(int) - other).mean()) < limit


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_opened_upright_in_every_orientation(
    tmp_path: Path, orientation: int, order: str
) -> None:
    path = written(tmp_path, "photo.jpg", photo(orientation, order=order))
    opened = open_image(path)
    shown_by_opencv = cv2.imread(str(path))
    assert shown_by_opencv is not None
    assert near(opened, shown_by_opencv[..., ::-1])
    header = read_image_header(path.read_bytes())
    assert (header.height, header.width) == opened.shape[:2]
    assert inspect_input(path) == InputFacts("image", header.width, header.height, 1)


def test_exif_orientation_is_applied_in_png_and_webp_too(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in corners())
    turned = png(64, 48, rows, bits=8, colour=2, eXIf=exif(6))
    opened = open_image(written(tmp_path, "turned.png", turned))
    assert near(opened, np.rot90(corners(), -1))


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
def test_a_phone_video_is_decoded_upright(tmp_path: Path, degrees: int) -> None:
    path = phone_video(tmp_path / "clip.mp4", degrees)
    expected = np.rot90(corners(), degrees // 90)
    frames = list(decode_video(path))
    facts = probe_video(path)
    assert len(frames) == 4
    assert near(frames[0], expected, 12)
    assert (facts.height, facts.width) == expected.shape[:2]
    assert near(start_frame(path), expected, 12)


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path, channels: int) -> None:
    pixels = corners() if channels == 3 else corners()[..., 0]
    deep = pixels.astype(np.uint16) * 257
    opened = open_image(written(tmp_path, "deep.png", encoded(".png", deep)))
    assert near(opened, pixels if channels == 3 else pixels[..., None].repeat(3, 2), 0.5)


def test_transparent_pixels_show_white_whatever_colour_they_hide(tmp_path: Path) -> None:
    alpha = np.zeros((48, 64, 1), np.uint8)
    alpha[:, 32:] = 255
    alpha[:24, :32] = 128
    opened = open_image(
        written(tmp_path, "a.png", encoded(".png", np.dstack([corners(), alpha])))
    ).astype(int)
    assert np.abs(opened[40, 8] - 255).max() == 0
    assert np.abs(opened[8, 8] - (np.array([220, 30, 30]) * 128 + 255 * 127) // 255).max() <= 1
    assert np.abs(opened[8, 48] - [30, 200, 30]).max() == 0


def test_transparency_of_palettes_grey_and_webp_is_white_too(tmp_path: Path) -> None:
    palette = png(2, 1, b"\0\0\1", bits=8, colour=3, PLTE=b"\xff\0\0\0\0\xff", tRNS=b"\0\xff")
    grey = png(2, 1, b"\0\x10\0\x20\xff", bits=8, colour=4)
    clear = np.dstack([corners(), np.zeros((48, 64, 1), np.uint8)])
    for name, data, second in (
        ("palette.png", palette, (0, 0, 255)),
        ("grey.png", grey, (32, 32, 32)),
        ("clear.webp", encoded(".webp", clear), (255, 255, 255)),
    ):
        opened = open_image(written(tmp_path, name, data))
        assert opened[0, 0].tolist() == [255, 255, 255], name
        assert opened[0, 1].tolist() == list(second), name


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".jpg", ()),
        (".jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (".png", ()),
        (".webp", ()),
    ],
)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_truncated_file_is_refused(
    tmp_path: Path, suffix: str, options: tuple[int, ...], share: float
) -> None:
    whole = encoded(suffix, grain(), *options)
    path = written(tmp_path, f"whole{suffix}", whole)
    assert open_image(path).shape == (240, 320, 3)
    part = written(tmp_path, f"part{suffix}", whole[: int(len(whole) * share)])
    for opener in (open_image, portable_image, inspect_input):
        with pytest.raises(DamagedFile):
            opener(part)


def test_bytes_after_the_end_of_a_photo_are_ignored(tmp_path: Path) -> None:
    thumbnail = encoded(".jpg", corners(16, 16))
    path = written(tmp_path, "long.jpg", photo(1) + thumbnail + bytes(100))
    assert open_image(path).shape == (48, 64, 3)
    cut = written(tmp_path, "cut.jpg", photo(1)[:-200])
    with pytest.raises(DamagedFile, match="cut off"):
        open_image(cut)


def test_a_changed_byte_in_a_png_is_detected(tmp_path: Path) -> None:
    data = bytearray(encoded(".png", grain()))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(DamagedFile):
        open_image(written(tmp_path, "bad.png", bytes(data)))


def test_a_huge_image_is_refused_by_its_header_before_anything_is_decoded(tmp_path: Path) -> None:
    rows = bytes(32_001 * 300)  # were it decoded, 3 GB would be asked for first
    path = written(tmp_path, "bomb.png", png(32_000, 32_000, rows, bits=8, colour=2))
    for opener in (open_image, portable_image, inspect_input):
        with pytest.raises(InvalidRequest, match="32000×32000"):
            opener(path)


def test_the_process_that_takes_an_upload_decodes_nothing_itself(tmp_path: Path) -> None:
    path = written(tmp_path, "photo.jpg", photo(6))
    code = (
        "import sys; from pathlib import Path; from workbench.engines.inputs import inspect_input;"
        f"print(inspect_input(Path({str(path)!r})).width, 'cv2' in sys.modules, 'av' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert told.split() == ["48", "False", "False"]


def test_a_plain_file_is_passed_on_unchanged_with_its_media_type(tmp_path: Path) -> None:
    for suffix, media_type in ((".png", "png"), (".jpg", "jpeg"), (".webp", "webp")):
        data = encoded(suffix, corners())
        assert portable_image(written(tmp_path, f"a{suffix}", data)) == (
            data,
            f"image/{media_type}",
        )


def test_rotated_or_transparent_files_are_passed_on_upright_and_opaque(
    tmp_path: Path,
) -> None:
    clear = np.dstack([corners(), np.zeros((48, 64, 1), np.uint8)])
    files = {
        "turned.jpg": (photo(6), "image/jpeg"),
        "deep.png": (encoded(".png", corners().astype(np.uint16) * 257), "image/png"),
        "clear.webp": (encoded(".webp", clear), "image/png"),
    }
    for name, (data, media_type) in files.items():
        path = written(tmp_path, name, data)
        sent, told = portable_image(path)
        assert told == media_type
        header = read_image_header(sent)
        assert (header.orientation, header.bits, header.has_alpha) == (1, 8, False)
        assert near(open_image(written(tmp_path, f"sent-{name}", sent)), open_image(path))
    sent, told = portable_image(phone_video(tmp_path / "clip.mp4", 90))
    assert (told, read_image_header(sent).width) == ("image/png", 48)
