"""SHA-256 digests of weight files, cached by path, size and time so that each is read once.

Files in the hub's cache are already named by their digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Final

__all__ = ["cache_folder", "digest", "known_digest"]

_BLOB: Final = re.compile(r"[0-9a-f]{64}")
_CHUNK: Final = 16 << 20


def digest(path: Path) -> str:
    """Return the digest of the file at ``path``; reads the file if it is not known."""
    if known := known_digest(path):
        return known
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
    _keep(path, sha.hexdigest())
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
