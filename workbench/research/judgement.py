"""What people say of videos: notes on one, preferences between two. Kept as files beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from workbench.errors import InvalidRequest

__all__ = ["Note", "Preference", "add_note", "add_preference", "notes", "preferences"]

_NOTES: Final = "notes.jsonl"
_PREFERENCES: Final = "preferences.jsonl"
_LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about a video."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Preference:
    """One answer to "which of the two is better": job ids."""

    better: str
    worse: str
    at: datetime


def add_note(folder: Path, text: str) -> Note:
    """Keep a note on the video in ``folder``; raises ``InvalidRequest`` for an empty or huge one."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        raise InvalidRequest(f"A note has 1 to {_LONGEST:,} characters.")
    note = Note(text, datetime.now(UTC))
    _append(folder / _NOTES, {"text": text, "at": note.at.isoformat()})
    return note


def notes(folder: Path) -> tuple[Note, ...]:
    """Return the notes on the video in ``folder``, oldest first."""
    return tuple(
        Note(line["text"], datetime.fromisoformat(line["at"])) for line in _lines(folder / _NOTES)
    )


def add_preference(folder: Path, better: str, worse: str, among: Sequence[str]) -> Preference:
    """Keep that ``better`` was preferred to ``worse``, in the batch at ``folder``.

    Raises ``InvalidRequest`` unless the two are different and both ``among`` its jobs.
    """
    if better == worse or better not in among or worse not in among:
        raise InvalidRequest("A preference is between two different videos of the batch.")
    said = Preference(better, worse, datetime.now(UTC))
    line = {"better": better, "worse": worse, "at": said.at.isoformat()}
    _append(folder / _PREFERENCES, line)
    return said


def preferences(folder: Path) -> tuple[Preference, ...]:
    """Return the preferences in the batch at ``folder``, oldest first."""
    return tuple(
        Preference(line["better"], line["worse"], datetime.fromisoformat(line["at"]))
        for line in _lines(folder / _PREFERENCES)
    )


def _append(path: Path, line: dict[str, str]) -> None:
    """Add one line in one write, so that two people at once do not mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue  # half a line, written while the power failed
    return found
