"""A camera path round-trips through every file format; a note names what a format cannot hold."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.paths import LENS, SEARCH, camera_paths
from workbench.control import (
    CameraPath,
    Intrinsics,
    path_to_colmap,
    path_to_npz,
    path_to_tum,
    read_path,
)
from workbench.control.conversion import MAX_FRAMES
from workbench.control.files import MAX_BYTES
from workbench.errors import InvalidRequest

POSE = np.eye(4)
Folder = Callable[[], Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return lambda: tmp_path_factory.mktemp("paths")


def _write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@SEARCH
@given(camera_paths(zooms=True), st.sampled_from(["smooth", "linear"]))
def test_json_and_npz_hold_a_complete_path(folder: Folder, path: CameraPath, how: str) -> None:
    path = path.model_copy(update={"interpolation": how})
    here = folder()
    assert read_path(_write(here / "a.json", path.model_dump_json())).value == path
    npz = path_to_npz(path)
    back = read_path(_write(here / "a.npz", npz.value))
    assert back.value == path
    assert npz.notes == back.notes == ()


@SEARCH
@given(camera_paths())
def test_tum_text_holds_poses_and_times(folder: Folder, path: CameraPath) -> None:
    text = path_to_tum(path)
    back = read_path(_write(folder() / "a.txt", text.value), intrinsics=LENS)
    assert np.abs(back.value.c2w - path.c2w).max() < 1e-12 * max(1, np.abs(path.c2w).max())
    assert back.value.times_s == pytest.approx(path.times_s - path.times_s[0], abs=1e-12)
    assert back.value.intrinsics == path.intrinsics
    assert text.notes == ("TUM text has only poses: the intrinsics are lost.",)


@SEARCH
@given(camera_paths(zooms=True))
def test_colmap_text_holds_poses_and_lenses(folder: Folder, path: CameraPath) -> None:
    texts = path_to_colmap(path)
    here = folder()
    for name, text in texts.value.items():
        _write(here / name, text)
    back = read_path(here, fps=8)
    assert read_path(here / "images.txt", fps=8) == back
    far = max(1, np.abs(path.c2w).max())
    assert np.abs(back.value.c2w - path.c2w).max() < 1e-11 * far
    count = len(path.keyframes)
    if count > 1:
        assert back.value.fps == pytest.approx(8)
    ours = [(f.intrinsics or path.intrinsics).vector for f in path.keyframes]
    theirs = [(f.intrinsics or back.value.intrinsics).vector for f in back.value.keyframes]
    assert np.allclose(ours, theirs, rtol=1e-14, atol=1e-9)
    assert texts.notes == ("COLMAP has no times: only the order of the poses is kept.",)
    assert back.notes == ("COLMAP has no times: images follow each other by name at 8 fps.",)


def test_colmap_counts_pixels_from_the_corner_and_poses_from_the_world(tmp_path: Path) -> None:
    _write(
        tmp_path / "cameras.txt",
        "# cameras\n1 SIMPLE_RADIAL 640 480 500 320 240 0.1\n2 PINHOLE 640 480 500 500 320 240\n",
    )
    # The second by name comes first; the camera looks along +z from (0, 0, -3).
    _write(
        tmp_path / "images.txt",
        "# images\n7 1 0 0 0 0 0 3 1 b c.png\n1 2 3 4 5 6\n3 1 0 0 0 1 0 0 2 a.png\n\n",
    )
    found = read_path(tmp_path)
    path = found.value
    assert path.c2w[:, :3, 3].tolist() == [[-1, 0, 0], [0, 0, -3]]
    assert list(path.intrinsics.vector) == [500, 500, 319.5, 239.5]
    assert "distortion" in found.notes[1]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"c2w": [POSE.tolist()] * 3, "fps": 10, "intrinsics": [300, 300, 159.5, 95.5]}),
        json.dumps(
            {
                "c2w": [POSE.tolist()] * 3,
                "times_s": [0, 0.1, 0.2],
                "intrinsics": [[300, 0, 159.5], [0, 300, 95.5], [0, 0, 1]],
                "size": [320, 192],
            }
        ),
        _npz(
            c2w=np.stack([POSE] * 3).astype(np.float32),
            fps=np.array(10),
            intrinsics=np.array([[300, 300, 159.5, 95.5]] * 3),
        ),
        _npz(c2w=np.stack([POSE[:3]] * 3), fps=10, intrinsics=[300, 300, 159.5, 95.5]),
    ],
)
def test_common_pose_arrays_are_read(tmp_path: Path, content: bytes | str) -> None:
    found = read_path(_write(tmp_path / "file", content))
    assert found.notes == ()
    assert found.value.fps == pytest.approx(10)
    assert found.value.intrinsics == Intrinsics.of_vector((300, 300, 159.5, 95.5), 320, 192)
    assert (found.value.c2w == np.stack([POSE] * 3)).all()
    assert not found.value.zooms


def test_poses_alone_get_a_default_lens_and_rate_with_a_note(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.stack([POSE] * 3))
    for content in (file.getvalue(), json.dumps([POSE.tolist()] * 3)):
        found = read_path(_write(tmp_path / "poses", content), fps=12)
        assert found.value.fps == pytest.approx(12)
        assert found.notes == ("The file has no intrinsics: an angle of view of 60° is assumed.",)
        assert read_path(tmp_path / "poses", intrinsics=LENS).value.intrinsics == LENS


def test_unknown_fields_of_a_document_get_a_note(tmp_path: Path) -> None:
    document = {"c2w": [POSE.tolist()], "aperture": 2.8}
    found = read_path(_write(tmp_path / "a.json", json.dumps(document)))
    assert found.notes[-1] == "Not read from a.json: aperture."


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("c2w.npy", bytes(MAX_BYTES + 1))
    return file.getvalue()


def _encrypted() -> bytes:
    found = bytearray(_npz(c2w=POSE[None]))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found[found.index(mark) + at] |= 1
    return bytes(found)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no pose"),
        (b"0 0 0 0 0 0 0", "7 columns; TUM text has 8"),
        (b"0 0 0 0 0 0 0 1\n0 0 0 0 0 0 0 1", "line 2: must be later"),
        (b"0 0 0 0 0 0 0 0", "quaternion of length 0"),
        (b"0 0 0 nan 0 0 0 1", "not a finite"),
        (b"0 0 0 x 0 0 0 1", "'x' is not a number"),
        (b"0 0 0 1e9 0 0 0 1", "origin"),
        (b"0 0 0 0 0 0 0 1\n99999 0 0 0 0 0 0 1", "3600"),
        (b"".join(b"%d 0 0 0 0 0 0 1\n" % i for i in range(MAX_FRAMES + 1)), "more than"),
        (b"\xff\xff\xff", "UTF-8"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "has no c2w"),
        (b"[]", "needs 1 to"),
        (b"[1e999]", "finite"),
        (b"[" + b"9" * 400 + b"]", "not a table|finite"),
        (b'{"c2w": {"a": 1}}', "not a table"),
        (b'{"c2w": [[1, 2], [3]]}', "not a table"),
        (b'{"keyframes": []}', "at least 1"),
        (b'{"keyframes": 5}', "keyframes"),
        (json.dumps({"c2w": [(POSE * 3).tolist()]}).encode(), "last row"),
        (json.dumps({"c2w": [POSE.tolist()], "fps": -3}).encode(), "fps"),
        (json.dumps({"c2w": [POSE.tolist()], "times_s": [0, 1]}).encode(), "one time for each"),
        (json.dumps({"c2w": [POSE.tolist()], "intrinsics": [1, 2]}).encode(), "must be fx"),
        (json.dumps({"c2w": [POSE.tolist()], "intrinsics": [-1, 1, 99, 99]}).encode(), "fx"),
        (
            json.dumps(
                {"c2w": [POSE.tolist()], "intrinsics": [1, 1, 99, 99], "size": [1e30, 1]}
            ).encode(),
            "width and height",
        ),
        (b"PK\x03\x04", "not an NPZ"),
        (_npz(c2w=POSE[None])[:-30], "not an NPZ"),
        (_npz(poses=POSE[None]), "has no c2w"),
        (_npz(c2w=np.zeros((MAX_FRAMES + 1, 4, 4))), "needs 1 to"),
        (_npz(c2w=np.array([None])), "not numbers"),
        (_npz(**{f"a{i}": np.zeros(1) for i in range(65)}), "more than 64"),
        (_bomb(), "unpacks to more"),
        (_encrypted(), "not an NPZ"),
    ],
)
def test_a_hostile_or_damaged_file_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        read_path(_write(tmp_path / "path.bin", content))


@pytest.mark.parametrize(
    ("images", "cameras", "told"),
    [
        ("", "", "no image"),
        ("1 1 0 0 0 0 0 0 1 a.png\n", "", "camera '1', which cameras.txt lacks"),
        ("1 1 0 0 0 0 0\n", "", "needs IMAGE_ID"),
        ("1 0 0 0 0 0 0 0 1 a.png\n", "1 PINHOLE 64 64 50 50 32 32", "quaternion of length 0"),
        ("1 x 0 0 0 0 0 0 1 a.png\n", "1 PINHOLE 64 64 50 50 32 32", "'x' is not a number"),
        ("", "1 PINHOLE 64 64 50", "4 parameters; got 1"),
        ("", "1 THIN_PRISM_FISHEYE 64 64 1 1 1 1", "supported: SIMPLE_PINHOLE"),
        ("", "1 PINHOLE 64", "needs CAMERA_ID"),
        ("", "1 PINHOLE 1e300 64 50 50 32 32", "out of bounds"),
        ("", "1 PINHOLE 64 64 -50 50 32 32", "fx"),
        (
            "1 1 0 0 0 0 0 0 1 a.png\n\n2 1 0 0 0 0 0 0 2 b.png\n\n",
            "1 PINHOLE 64 64 50 50 32 32\n2 PINHOLE 32 32 50 50 16 16",
            "another picture size",
        ),
    ],
)
def test_damaged_colmap_text_is_refused_by_line(
    tmp_path: Path, images: str, cameras: str, told: str
) -> None:
    _write(tmp_path / "images.txt", images)
    _write(tmp_path / "cameras.txt", cameras)
    with pytest.raises(InvalidRequest, match=told):
        read_path(tmp_path)


def test_a_folder_without_colmap_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"images\.txt: is not a file"):
        read_path(tmp_path)


@SEARCH
@given(st.data())
def test_random_bytes_are_refused_or_read_but_never_crash(
    folder: Folder, data: st.DataObject
) -> None:
    starts = [
        path_to_npz(CameraPath.of_poses(POSE[None])).value,
        CameraPath.of_poses(POSE[None]).model_dump_json().encode(),
        b"0 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 1\n",
    ]
    good = bytearray(data.draw(st.sampled_from(starts)))
    places = data.draw(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6))
    for place, byte in places:
        good[place % len(good)] = byte
    file = _write(folder() / "path", bytes(good[: data.draw(st.integers(0, len(good)))]))
    with contextlib.suppress(InvalidRequest):
        assert read_path(file).value.keyframes
