"""A worker actor's folder on its machine: inputs and outputs of its renders."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from workbench.jobs.messages import Artifact
from workbench.jobs.paths import JobFiles
from workbench.jobs.processes import identify

__all__ = ["Staging", "list_artifacts", "read_part", "write_part"]

_SMALL_BYTES: Final = 256 << 10
"""A file up to this size is sent inside the message."""
_INPUTS: Final = "inputs"


class Staging:
    """A folder for each render, and one for inputs.

    Calls to a worker actor may arrive out of order: a render may start before the previous one is
    forgotten. Only the previous one's files are removed.
    """

    def __init__(self) -> None:
        self.folder = _make_folder()
        self.inputs = self.folder / _INPUTS
        self._count = 0
        self._begun: dict[str, int] = {}
        """Job → number of renders started before it."""
        self._brought: dict[str, int] = {}
        """Input → the same, when its last part arrived."""

    def begin(self, job_id: str) -> Path:
        """Return the folder of a new render."""
        self._count += 1
        self._begun[job_id] = self._count
        folder = self.folder / job_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def expect(self, name: str) -> Path:
        """Return the path for an incoming input."""
        self.inputs.mkdir(exist_ok=True)
        self._brought[name] = self._count
        return self.inputs / name

    def forget(self, job_id: str) -> None:
        """Remove a render's files, and the inputs that arrived before it started."""
        begun = self._begun.pop(job_id, 0)
        shutil.rmtree(self.folder / job_id, ignore_errors=True)
        for name in [name for name, when in self._brought.items() if when < begun]:
            del self._brought[name]
            (self.inputs / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything."""
        self._begun.clear()
        self._brought.clear()
        for path in self.folder.iterdir():
            shutil.rmtree(path, ignore_errors=True)

    def remove(self) -> None:
        """Remove the folder itself."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _make_folder() -> Path:
    """Return a new folder for this process; removes those of worker actors that are gone."""
    home = Path(tempfile.gettempdir(), f"workbench-worker-actors-{os.getuid()}")
    home.mkdir(mode=0o700, exist_ok=True)
    if home.stat().st_uid != os.getuid() or home.is_symlink():
        raise PermissionError(f"{home} belongs to another user")
    for path in home.iterdir():
        pid, _, started = path.name.partition("-")
        there = identify(int(pid)) if pid.isdecimal() else None
        if there is None or f"{there.started:.0f}" != started:
            shutil.rmtree(path, ignore_errors=True)
    me = identify(os.getpid())
    folder = home / f"{os.getpid()}-{me.started if me else 0:.0f}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def list_artifacts(folder: Path) -> tuple[Artifact, ...]:
    """Return the files of a finished attempt, the recipe last: it completes them."""
    files = JobFiles(folder)
    paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    paths = [path for path in paths if path not in {files.preview, files.recipe}]
    artifacts = []
    for path in [*paths, files.recipe]:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        data = path.read_bytes() if size <= _SMALL_BYTES else None
        artifacts.append(Artifact(path.name, size, digest, data))
    return tuple(artifacts)


def write_part(path: Path, offset: int, data: bytes) -> None:
    """Write a part of a file; a part at offset 0 truncates it. Raises ``OSError``."""
    with path.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(data)


def read_part(path: Path, offset: int, length: int) -> bytes:
    """Return a part of a file; raises ``OSError``."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
