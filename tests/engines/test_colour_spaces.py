"""Colour management: profiles, CMYK, HDR, and refused formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from tests.engines.pictures import animation, corners, display_p3, encoded, hdr_video, png, saved
from workbench.engines.headers import read_image_header
from workbench.engines.images import open_image, portable_image, start_frame
from workbench.engines.inputs import InputFacts, ending_of, inspect_input
from workbench.engines.pixels import Image
from workbench.engines.probe import decode_video, probe_video
from workbench.errors import DamagedFile, InvalidRequest

PQ, HLG = 16, 18


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def near(one: Image, other: Image, limit: float = 2) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(int) - other).mean()) < limit


def from_p3(pixels: Image) -> Image:
    """Return Display P3 pixels of gamma 2.2 as sRGB, by the published matrix."""
    matrix = [(1.2249, -0.2247, 0), (-0.0420, 1.0419, 0), (-0.0197, -0.0786, 1.0979)]
    light = np.clip((pixels / 255.0) ** 2.2 @ np.array(matrix).T, 0, 1)
    high = 1.055 * light ** (1 / 2.4) - 0.055
    shown: Image = np.rint(255 * np.where(light <= 0.0031308, 12.92 * light, high))
    return shown.astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "form", "options"),
    [
        ("a.png", "PNG", {}),
        ("a.jpg", "JPEG", {"quality": 98, "subsampling": 0}),
        ("a.webp", "WEBP", {"lossless": True}),
    ],
)
def test_a_wide_gamut_profile_is_applied(
    tmp_path: Path, name: str, form: str, options: dict[str, Any]
) -> None:
    pixels = np.full((48, 64, 3), (180, 110, 100), np.uint8)
    path = written(tmp_path, name, saved(form, pixels, icc_profile=display_p3(), **options))
    expected = from_p3(pixels)
    assert not near(expected, pixels, 5)
    assert near(open_image(path), expected)
    sent, _ = portable_image(path)
    assert read_image_header(sent).profile == b""
    assert near(open_image(written(tmp_path, "sent.png", sent)), expected)
    assert inspect_input(path) == InputFacts("image", 64, 48, 1)


def test_a_grey_or_damaged_profile_does_not_prevent_opening(tmp_path: Path) -> None:
    grey = saved("PNG", corners(), "L", icc_profile=display_p3(b"GRAY"))
    plain = open_image(written(tmp_path, "plain.png", saved("PNG", corners(), "L")))
    assert near(open_image(written(tmp_path, "grey.png", grey)), plain, 6)
    for profile in (b"nonsense", display_p3()[:200], display_p3(b"GRAY")):
        data = saved("PNG", corners(), icc_profile=profile)
        assert open_image(written(tmp_path, "damaged.png", data)).shape == (48, 64, 3)


def test_an_srgb_file_is_passed_on_unchanged(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved("JPEG", corners(), icc_profile=srgb)
    assert read_image_header(data).profile == srgb
    assert portable_image(written(tmp_path, "a.jpg", data)) == (data, "image/jpeg")


@pytest.mark.parametrize("profile", [b"", display_p3()])
def test_cmyk_becomes_rgb_with_any_profile(tmp_path: Path, profile: bytes) -> None:
    data = saved("JPEG", corners(), "CMYK", quality=95, icc_profile=profile)
    path = written(tmp_path, "print.jpg", data)
    assert near(open_image(path), corners())
    sent, told = portable_image(path)
    assert (told, read_image_header(sent).is_cmyk) == ("image/jpeg", False)
    cut = written(tmp_path, "cut.jpg", data[: len(data) // 2])
    with pytest.raises(DamagedFile):
        open_image(cut)


def test_palettes_with_transparency_and_one_bit_are_opened(tmp_path: Path) -> None:
    colours = Pillow.fromarray(corners()).quantize(4)
    hidden = colours.getpixel((8, 8))  # red's place in the palette
    file = tmp_path / "palette.png"
    colours.save(file, transparency=hidden)
    expected = corners()
    expected[:24, :32] = 255
    assert near(open_image(file), expected)
    bits = open_image(written(tmp_path, "bits.png", saved("PNG", corners(), "1")))
    assert set(np.unique(bits)) == {0, 255}


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_the_first_frame_of_an_animation_is_used(tmp_path: Path, form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    path = written(tmp_path, f"a.{form.lower()}", animation(form, **options))
    assert near(open_image(path), corners())
    assert inspect_input(path) == InputFacts("image", 64, 48, 1)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (animation("GIF"), "GIF"),
        (saved("AVIF", corners()), "AVIF"),
        (saved("TIFF", corners()), "TIFF"),
        (saved("BMP", corners()), "BMP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(64), "HEIC"),
    ],
)
def test_a_picture_in_another_format_is_refused_by_name(
    tmp_path: Path, data: bytes, name: str
) -> None:
    told = f"{name} is not supported; save it as PNG or JPEG first"
    with pytest.raises(InvalidRequest, match=told):
        ending_of(data)
    for opener in (open_image, portable_image):
        with pytest.raises(DamagedFile, match=told):
            opener(written(tmp_path, "photo.jpg", data))


def test_a_16_bit_picture_with_transparency_and_profile_is_opened(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 3), (180, 110, 100), np.uint8)
    deep = np.dstack([pixels, np.full((4, 4, 1), 255, np.uint8)]).astype(np.uint16) * 257
    assert near(open_image(written(tmp_path, "deep.png", encoded(".png", deep))), pixels, 1)


@pytest.mark.parametrize(
    ("transfer", "signal", "shown"),
    [
        (PQ, 0.5807, 247),  # 203 nits: white, with room for what is brighter
        (PQ, 1.0, 255),
        (PQ, 0.4, 111),  # 32.5 nits
        (HLG, 0.75, 247),
        (HLG, 0.0, 0),
    ],
)
def test_hdr_is_tone_mapped_to_sdr(
    tmp_path: Path, transfer: int, signal: float, shown: int
) -> None:
    rows = b"\0" + round(signal * 65_535).to_bytes(2, "big") * 6
    mark = bytes((9, transfer, 0, 1))
    path = written(tmp_path, "hdr.png", png(2, 1, rows, bits=16, colour=2, cICP=mark))
    assert np.abs(open_image(path).astype(int) - shown).max() <= 2
    sent, told = portable_image(path)
    assert (told, read_image_header(sent).transfer) == ("image/png", 0)
    film = hdr_video(tmp_path / "film.mp4", signal, transfer, degrees=90)
    frames = list(decode_video(film))
    assert frames[0].shape == (64, 48, 3)
    assert np.abs(frames[0].astype(int) - shown).max() <= 3
    assert near(start_frame(film), frames[-1])
    assert (probe_video(film).width, probe_video(film).height) == (48, 64)


def test_hdr_colours_of_bt_2020_become_those_of_srgb(tmp_path: Path) -> None:
    signal = [round(one * 65_535) for one in (0.5, 0.4, 0.4)]
    rows = b"\0" + b"".join(one.to_bytes(2, "big") for one in signal)
    wide, narrow = (
        open_image(
            written(
                tmp_path, f"{primaries}.png",
                png(1, 1, rows, bits=16, colour=2, cICP=bytes((primaries, PQ, 0, 1))),
            )
        )[0, 0].astype(int)
        for primaries in (9, 1)
    )  # fmt: skip
    assert wide[0] - wide[1] > narrow[0] - narrow[1] + 10
