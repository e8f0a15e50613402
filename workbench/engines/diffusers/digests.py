"""SHA-256 digests of weight files, cached by path, size and time so that each is read once.

Files in the hub's cache are already named by their digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["ComputedDigests", "cache_folder", "digest", "known_digest"]

_BLOB: Final = re.compile(r"[0-9a-f]{64}")
_CHUNK: Final = 16 << 20
_MOST_KEPT: Final = 2_000
"""Entries from which those of files that are gone are dropped."""


def digest(path: Path) -> str:
    """Return the digest of the file at ``path``; reads the file if it is not known."""
    if known := known_digest(path):
        return known
    real = path.resolve()
    sha256 = _read(real, *_stamp(real))
    _keep(real, sha256)
    return sha256


class ComputedDigests:
    """Computes the digests of files in a thread of its own, beside what else is done."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(files)
        self._thread = threading.Thread(target=self._compute, name="digests", daemon=True)
        if not all(map(known_digest, self._files)):
            self._thread.start()

    def wait(self) -> None:
        """Wait until every digest is known, or cannot be: a file is gone."""
        if self._thread.is_alive():
            self._thread.join()

    def _compute(self) -> None:
        for file in self._files:
            with suppress(OSError):
                digest(file)


@cache
def _read(real: Path, _size: int, _changed_ns: int) -> str:
    """Return the digest, also if it cannot be kept on disk."""
    sha = hashlib.sha256()
    with real.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
    return sha.hexdigest()


def known_digest(path: Path) -> str:
    """Return the digest of the file at ``path`` without reading it; empty if unknown."""
    real = path.resolve()
    if real.parent.name == "blobs" and _BLOB.fullmatch(real.name):
        return real.name
    entry = _kept().get(str(real))
    if isinstance(entry, list) and entry[:2] == _stamp(real):
        return str(entry[2])
    return ""


def _stamp(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _keep(path: Path, sha256: str) -> None:
    """Add to the cached digests; concurrent processes may lose an entry, never damage the file."""
    real = path.resolve()
    entries = _kept() | {str(real): [*_stamp(real), sha256]}
    if len(entries) > _MOST_KEPT:
        entries = {name: entry for name, entry in entries.items() if Path(name).is_file()}
    target = _file()
    aside = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(entries), "utf-8")
        aside.replace(target)
    except OSError:
        return  # the home folder is not writable: computed again next time


def _kept() -> dict[str, object]:
    try:
        entries = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def cache_folder() -> Path:
    """Return the folder for what is remembered about weight files."""
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(home) / "world-model-workbench"


def _file() -> Path:
    return cache_folder() / "digests.json"
