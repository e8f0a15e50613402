"""The folder of an outpost on its own machine: what a render begins from, and what it leaves."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from workbench.jobs.cluster.words import Parcel
from workbench.jobs.paths import JobFiles
from workbench.jobs.processes import identify

__all__ = ["make_folder", "read_part", "wrap", "write_part"]

_SMALL_BYTES: Final = 256 << 10
"""A file up to this large rides along with the word that it is made."""


def make_folder() -> Path:
    """Return a new folder for this process; those of outposts that are no more are removed."""
    home = Path(tempfile.gettempdir(), f"workbench-outposts-{os.getuid()}")
    home.mkdir(mode=0o700, exist_ok=True)
    if home.stat().st_uid != os.getuid() or home.is_symlink():
        raise PermissionError(f"{home} belongs to somebody else")
    for path in home.iterdir():
        pid, _, started = path.name.partition("-")
        there = identify(int(pid)) if pid.isdecimal() else None
        if there is None or f"{there.started:.0f}" != started:
            shutil.rmtree(path, ignore_errors=True)
    me = identify(os.getpid())
    folder = home / f"{os.getpid()}-{me.started if me else 0:.0f}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def wrap(folder: Path) -> tuple[Parcel, ...]:
    """Return the files of a finished attempt, the recipe last: with it, they are whole."""
    files = JobFiles(folder)
    paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    paths = [path for path in paths if path not in {files.preview, files.recipe}]
    parcels = []
    for path in [*paths, files.recipe]:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        data = path.read_bytes() if size <= _SMALL_BYTES else None
        parcels.append(Parcel(path.name, size, digest, data))
    return tuple(parcels)


def write_part(path: Path, offset: int, data: bytes) -> None:
    """Write a part of a file, which the part at 0 begins anew; raises ``OSError``."""
    with path.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(data)


def read_part(path: Path, offset: int, length: int) -> bytes:
    """Return a part of a file; raises ``OSError``."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
