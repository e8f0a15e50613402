"""Reads untrusted files: limited in size, no pickles, a message for every fault."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import Any, Final

import numpy as np
import pydantic_core

from workbench.control.conversion import invalid
from workbench.control.rotation import Array

__all__ = [
    "MAX_BYTES",
    "NPY_MAGIC",
    "ZIP_MAGIC",
    "parse_json",
    "parse_npy",
    "parse_npz",
    "parse_numbers",
    "parse_texts",
    "read_bounded",
    "text_of",
]

MAX_BYTES: Final = 64 << 20
"""Largest file, and largest unpacked size."""
NPY_MAGIC: Final = b"\x93NUMPY"
ZIP_MAGIC: Final = b"PK\x03\x04"

_MOST_MEMBERS: Final = 64


def read_bounded(path: Path) -> bytes:
    """Return the file's content; raises ``InvalidRequest`` if it is not a file or over 64 MiB."""
    try:
        if not path.is_file():
            raise invalid(path.name, "is not a file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise invalid(path.name, f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise invalid(path.name, f"is larger than {MAX_BYTES >> 20} MiB")
    return data


def text_of(data: bytes, name: str) -> str:
    """Return ``data`` as text; raises ``InvalidRequest`` if it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid(name, f"is not UTF-8 text: byte {error.start} is invalid") from error


def parse_json(data: bytes, name: str) -> Any:
    """Return the document in ``data``; raises ``InvalidRequest``, for deep nesting too."""
    try:
        return pydantic_core.from_json(data.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise invalid(name, f"is not JSON: {error}") from error


def parse_npy(data: bytes, name: str) -> Array:
    """Return the array of numbers in ``data``; raises ``InvalidRequest``. Pickles are refused."""
    try:
        file = io.BytesIO(data)
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise invalid(name, f"has NPY version {version}; 1.0 and 2.0 are supported")
        shape, _, dtype = read(file)
        if dtype.kind not in "fiub":
            raise invalid(name, f"holds {dtype}, not numbers")
        count = 1
        for size in shape:
            count *= int(size)
        if count < 0 or count * dtype.itemsize > len(data) - file.tell():
            raise invalid(name, f"is truncated: its header gives shape {shape}")
        file.seek(0)
        array = np.lib.format.read_array(file, allow_pickle=False)
    except (
        ValueError,
        TypeError,
        KeyError,
        SyntaxError,
        TokenError,
        EOFError,
        IndexError,
    ) as error:
        raise invalid(name, f"is not an NPY file: {error}") from error
    found = np.asarray(array, dtype=np.float64)
    if not np.isfinite(found).all():
        raise invalid(name, "contains numbers that are not finite")
    return found


def parse_npz(data: bytes, name: str) -> dict[str, Array]:
    """Return the arrays of numbers in ``data`` by name; raises ``InvalidRequest``."""
    members = _unpacked(data, name)
    return {
        key: parse_npy(content, f"{name}:{key}")
        for key, content in ((one.removesuffix(".npy"), members[one]) for one in members)
    }


def parse_texts(data: bytes, name: str, wanted: Collection[str]) -> dict[str, str] | None:
    """Return the texts of ``wanted`` names in a ZIP, in whatever folder; None unless all are there.

    Raises ``InvalidRequest`` for a damaged or too large one.
    """
    members = _unpacked(data, name, wanted)
    found = {PurePosixPath(path).name: content for path, content in members.items()}
    if found.keys() != set(wanted):
        return None
    return {one: text_of(content, one) for one, content in found.items()}


def _unpacked(data: bytes, name: str, wanted: Collection[str] | None = None) -> dict[str, bytes]:
    """Return the members of a ZIP by their paths, or those of the ``wanted`` names."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [
                one
                for one in archive.infolist()
                if wanted is None or PurePosixPath(one.filename).name in wanted
            ]
            if len(members) > _MOST_MEMBERS:
                raise invalid(name, f"holds more than {_MOST_MEMBERS} arrays")
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise invalid(name, f"unpacks to more than {MAX_BYTES >> 20} MiB")
            return {member.filename: archive.read(member) for member in members}
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        OSError,
    ) as error:
        raise invalid(name, f"is not an NPZ or ZIP file: {error}") from error


def parse_numbers(words: list[str], where: str) -> list[float]:
    """Return ``words`` as finite numbers; raises ``InvalidRequest``, naming the invalid one."""
    found = []
    for word in words:
        try:
            value = float(word)
        except ValueError as error:
            raise invalid(where, f"{word[:40]!r} is not a number") from error
        if not np.isfinite(value):
            raise invalid(where, f"{word[:40]!r} is not a finite number")
        found.append(value)
    return found
