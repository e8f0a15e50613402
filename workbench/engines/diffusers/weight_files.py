"""The contents of weight files: count and format of the numbers, and missing files.

Reads the headers of safetensors files, never the numbers. Knows no pipeline.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from workbench.errors import DamagedFile

__all__ = ["Stored", "WeightFiles", "header", "numbers_in_gguf", "stored", "weight_files"]

_FLOATING: Final = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"}
"""Formats that loading converts to the requested one; others are kept."""
_LONGEST_HEADER: Final = 100 << 20
_NAME: Final = re.compile(
    r"(?P<base>[^.]+?)(?:\.(?P<variant>\w+?))?(?:-(?P<part>\d{5})-of-(?P<parts>\d{5}))?"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """The numbers in weight files."""

    numbers: int = 0
    """Floating-point numbers, which are converted on loading."""
    fixed_bytes: int = 0
    """Bytes of everything else: integers and packed formats, which loading keeps."""

    def bytes_at(self, bits: float) -> int:
        """Return the bytes of the weights with ``bits`` per floating-point number."""
        return math.ceil(self.numbers * bits / 8) + self.fixed_bytes

    def __add__(self, other: Stored) -> Stored:
        """Return both together."""
        return Stored(self.numbers + other.numbers, self.fixed_bytes + other.fixed_bytes)


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """The weight files of one component, in one of its folder's variants."""

    files: tuple[Path, ...]
    variant: str
    """Such as ``fp16``, if the folder has no plain form; empty for the plain one."""
    missing: tuple[Path, ...]
    """Missing files."""

    @property
    def size_bytes(self) -> int:
        """The size of the existing files."""
        return sum(file.stat().st_size for file in self.files)

    def stored(self) -> Stored:
        """Return the contents of the files; raises ``DamagedFile``, naming the file."""
        return sum((stored(file) for file in self.files), Stored())


def weight_files(folder: Path) -> WeightFiles:
    """Return the weight files of the component in ``folder``; prefers the plain form."""
    for suffix in (".safetensors", ".bin"):
        forms = _forms(folder, suffix)
        if forms:
            variant = min(forms)  # the plain form's name is empty
            return _form(folder, forms[variant], variant, suffix)
    return WeightFiles((), "", ())


def header(path: Path) -> Mapping[str, Any]:
    """Return the header of a safetensors file: tensor → ``dtype``, ``shape``, ``data_offsets``.

    Raises ``DamagedFile`` if the file is not a safetensors file or is truncated.
    """
    try:
        size = path.stat().st_size
        return _header(path, size, path.stat().st_mtime_ns)
    except OSError as error:
        raise DamagedFile(f"{path} cannot be read: {error.strerror}.") from error


def stored(path: Path) -> Stored:
    """Return the contents of the weight file at ``path``; a pickle counts as 16-bit numbers.

    Raises ``DamagedFile``.
    """
    if path.suffix != ".safetensors":
        return Stored(path.stat().st_size // 2)
    floating = fixed = 0
    for tensor in _tensors(header(path)):
        begin, end = tensor["data_offsets"]
        if tensor["dtype"] in _FLOATING:
            floating += math.prod(tensor["shape"])
        else:
            fixed += end - begin
    return Stored(floating, fixed)


def numbers_in_gguf(path: Path) -> int:
    """Return the count of the numbers in a GGUF file; raises ``DamagedFile``."""
    try:
        facts = path.stat()
        return _numbers_in_gguf(path, facts.st_size, facts.st_mtime_ns)
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise DamagedFile(f"{path} is damaged or incomplete: download it again.") from error


@cache
def _numbers_in_gguf(path: Path, _size: int, _changed: int) -> int:
    from gguf import GGUFReader  # noqa: PLC0415

    return sum(int(tensor.n_elements) for tensor in GGUFReader(path).tensors)


@cache
def _header(path: Path, size: int, _changed: int) -> Mapping[str, Any]:
    damaged = DamagedFile(f"{path} is damaged or incomplete: download it again.")
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else _LONGEST_HEADER + 1
        if length > min(size, _LONGEST_HEADER):
            raise damaged
        try:
            found = json.loads(file.read(length))
            whole = max((one["data_offsets"][1] for one in _tensors(found)), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise damaged from error
    if 8 + length + whole > size:
        raise damaged
    return dict(found)


def _tensors(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (entry for name, entry in found.items() if name != "__metadata__")


def _forms(folder: Path, suffix: str) -> dict[str, list[Path]]:
    """Return the weight files in ``folder`` by variant, dangling links among them."""
    forms: dict[str, list[Path]] = {}
    for file in sorted(folder.glob(f"*{suffix}")):
        named = _NAME.fullmatch(file.name.removesuffix(suffix))
        forms.setdefault((named and named["variant"]) or "", []).append(file)
    for listing in folder.glob(f"*{suffix}.index*.json"):
        named = re.fullmatch(rf".+{re.escape(suffix)}\.index(?:\.(\w+))?\.json", listing.name)
        forms.setdefault((named and named[1]) or "", [])
    return forms


def _form(folder: Path, files: Sequence[Path], variant: str, suffix: str) -> WeightFiles:
    wanted = _listed(folder, variant, suffix)
    if not wanted:
        parts = [file for file in files if _part(file, suffix)]
        wanted = [*files] if not parts or len(parts) < len(files) else _all_parts(parts, suffix)
        whole = [file for file in files if not _part(file, suffix)]
        wanted = whole or wanted
    there = tuple(file for file in wanted if file.is_file())
    return WeightFiles(there, variant, tuple(file for file in wanted if not file.is_file()))


def _listed(folder: Path, variant: str, suffix: str) -> list[Path]:
    """Return the files named in an index of shards."""
    end = f"{suffix}.index.{variant}.json" if variant else f"{suffix}.index.json"
    for listing in folder.glob(f"*{end}"):
        try:
            names = set(json.loads(listing.read_text("utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return [listing.with_name(f"{listing.name} (damaged)")]
        return sorted(folder / str(name) for name in names)
    return []


def _part(file: Path, suffix: str) -> bool:
    named = _NAME.fullmatch(file.name.removesuffix(suffix))
    return bool(named and named["part"])


def _all_parts(parts: Sequence[Path], suffix: str) -> list[Path]:
    first = parts[0].name.removesuffix(suffix)
    stem, count = first[: -len("00001-of-00001")], int(first[-5:])
    return [parts[0].with_name(f"{stem}{n:05d}-of-{count:05d}{suffix}") for n in
            range(1, count + 1)]  # fmt: skip
